/* strace_net.c: socket addresses, options and messages, for strace.
 *
 * Limits: control messages other than SCM_RIGHTS show their level, type and length only.
 */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/linux/strace_int.h"

static void add_unix(struct strace_text *s, const struct sockaddr_un *at, size_t size)
{
    size_t length = size - offsetof(struct sockaddr_un, sun_path);
    if (length == 0)
        return;
    strace_add(s, ", sun_path=%s", at->sun_path[0] ? "" : "@");
    if (at->sun_path[0])
        strace_quote(s, at->sun_path, strnlen(at->sun_path, length), false);
    else /* abstract (unix(7)) */
        strace_quote(s, at->sun_path + 1, length - 1, false);
}

void strace_sockaddr(struct strace_text *s, uint64_t address, uint64_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_nl nl;
    } at = {.any = {0}};
    char text[INET6_ADDRSTRLEN];
    size = size < sizeof at ? size : sizeof at;
    if (!address || size < sizeof at.any.sa_family || linux_read(address, &at, size) < 0) {
        strace_pointer(s, address);
        return;
    }
    strace_add(s, "{sa_family=");
    strace_names(s, strace_families, at.any.sa_family);
    if (at.any.sa_family == AF_UNIX)
        add_unix(s, &at.un, size);
    else if (at.any.sa_family == AF_INET && size >= sizeof at.in)
        strace_add(s, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")", ntohs(at.in.sin_port),
                   inet_ntop(AF_INET, &at.in.sin_addr, text, sizeof text));
    else if (at.any.sa_family == AF_INET6 && size >= sizeof at.in6)
        strace_add(s, ", sin6_port=htons(%u), sin6_addr=\"%s\", sin6_scope_id=%u",
                   ntohs(at.in6.sin6_port),
                   inet_ntop(AF_INET6, &at.in6.sin6_addr, text, sizeof text), at.in6.sin6_scope_id);
    else if (at.any.sa_family == AF_NETLINK && size >= sizeof at.nl)
        strace_add(s, ", nl_pid=%u, nl_groups=%#x", at.nl.nl_pid, at.nl.nl_groups);
    else
        strace_add(s, ", ...");
    strace_add(s, "}");
}

/* Its length is the next argument, or behind that pointer where the call fills it in. */
void strace_print_sockaddr(const struct strace_call *c, unsigned i)
{
    uint32_t size = (uint32_t)c->a[i + 1];
    if (c->done && (!c->a[i] || linux_read(c->a[i + 1], &size, sizeof size) < 0))
        strace_pointer(c->out, c->a[i]);
    else
        strace_sockaddr(c->out, c->a[i], size);
}

void strace_print_sockopt(const struct strace_call *c, unsigned i)
{
    const struct strace_level_options *level = strace_level_options;
    while (level->options && level->level != c->a[i - 1])
        level++;
    if (level->options)
        strace_names(c->out, level->options, (uint32_t)c->a[i]);
    else
        strace_add(c->out, "%d", (int)c->a[i]);
}

void strace_print_protocol(const struct strace_call *c, unsigned i)
{
    bool internet = c->a[0] == AF_INET || c->a[0] == AF_INET6;
    if (internet)
        strace_names(c->out, strace_protocols, (uint32_t)c->a[i]);
    else
        strace_add(c->out, "%d", (int)c->a[i]);
}

/* Options of SOL_SOCKET that are structures. */
static const struct {
    uint64_t option;
    const struct strace_type *type;
} structured[] = {
    {SO_LINGER, &strace_linger},
    {SO_PEERCRED, &strace_ucred},
    {SO_RCVTIMEO, &strace_timeval},
    {SO_SNDTIMEO, &strace_timeval},
};

void strace_print_sockval(const struct strace_call *c, unsigned i)
{
    uint32_t size = (uint32_t)c->a[i + 1], value;
    if (c->done && linux_read(c->a[i + 1], &size, sizeof size) < 0)
        size = 0;
    for (unsigned k = 0; k < ARRAY_SIZE(structured) && c->a[i - 2] == SOL_SOCKET; k++)
        if (structured[k].option == c->a[i - 1] && size == structured[k].type->size_bytes) {
            strace_struct(c->out, structured[k].type, c->a[i]);
            return;
        }
    if (size == sizeof value && linux_read(c->a[i], &value, sizeof value) == 0)
        strace_add(c->out, "[%d]", (int)value);
    else
        strace_bytes(c->out, c->a[i], size);
}

/* Descriptors that came or went with the first control message. */
static void add_control(struct strace_text *s, uint64_t address, uint64_t size)
{
    struct cmsghdr header;
    int fds[STRACE_ITEMS_MAX];
    if (!address || size < sizeof header || linux_read(address, &header, sizeof header) < 0) {
        strace_pointer(s, address);
        return;
    }
    strace_add(s, "[{cmsg_len=%zu, cmsg_level=", (size_t)header.cmsg_len);
    strace_names(s, strace_sock_levels, (uint32_t)header.cmsg_level);
    bool rights = header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS;
    strace_add(s, rights ? ", cmsg_type=SCM_RIGHTS" : ", cmsg_type=%d", header.cmsg_type);
    if (rights && header.cmsg_len > sizeof header) {
        size_t bytes = header.cmsg_len - sizeof header;
        bytes = (bytes < sizeof fds ? bytes : sizeof fds) & ~(sizeof fds[0] - 1);
        if (linux_read(address + sizeof header, fds, bytes) == 0) {
            strace_add(s, ", cmsg_data=[");
            for (size_t i = 0; i < bytes / sizeof fds[0]; i++)
                strace_add(s, i ? ", %d" : "%d", fds[i]);
            strace_add(s, "]");
        }
    }
    strace_add(s, "}]");
}

void strace_print_msghdr(const struct strace_call *c, unsigned i)
{
    struct msghdr m;
    if (!c->a[i] || linux_read(c->a[i], &m, sizeof m) < 0) {
        strace_pointer(c->out, c->a[i]);
        return;
    }
    strace_add(c->out, "{msg_name=");
    strace_sockaddr(c->out, (uintptr_t)m.msg_name, m.msg_namelen);
    strace_add(c->out, ", msg_iov=");
    strace_iovecs(c->out, (uintptr_t)m.msg_iov, m.msg_iovlen, c->done ? c->result : INT64_MAX);
    strace_add(c->out, ", msg_iovlen=%zu", (size_t)m.msg_iovlen);
    if (m.msg_controllen) {
        strace_add(c->out, ", msg_control=");
        add_control(c->out, (uintptr_t)m.msg_control, m.msg_controllen);
    }
    strace_add(c->out, ", msg_flags=");
    strace_names(c->out, strace_msg_flags, (uint32_t)m.msg_flags);
    strace_add(c->out, "}");
}
