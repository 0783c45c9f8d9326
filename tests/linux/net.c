/* net.c: sockets: addresses, options, messages with descriptors and credentials. */
#include "tell.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

static void tcp(void)
{
    int listener = (int)TELL(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), one = 1, value = 0;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       peer;
    socklen_t length = sizeof(at);
    TELL(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
    TELL(bind(listener, (void *)&at, sizeof(at)));
    TELL(listen(listener, 5));
    TELL(getsockname(listener, (void *)&at, &length));
    TELL(length);
    TELL_BOOL(at.sin_port != 0 && at.sin_family == AF_INET);
    int client = (int)TELL(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    TELL(connect(client, (void *)&at, sizeof(at)));
    TELL(connect(client, (void *)&at, 3));
    int server = (int)TELL(accept4(listener, (void *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    TELL_HEX(ntohl(peer.sin_addr.s_addr));
    TELL(fcntl(server, F_GETFL) & O_NONBLOCK);
    TELL(fcntl(server, F_GETFD));
    char buffer[32] = "";
    TELL(recv(server, buffer, sizeof(buffer), 0));
    TELL(send(client, "hello", 5, MSG_NOSIGNAL));
    struct pollfd p = {server, POLLIN, 0};
    TELL(poll(&p, 1, 1000));
    TELL(recv(server, buffer, 2, MSG_PEEK));
    TELL(recvfrom(server, buffer, sizeof(buffer), 0, NULL, NULL));
    TELL_TEXT(buffer);
    length = sizeof(value);
    TELL(getsockopt(server, SOL_SOCKET, SO_TYPE, &value, &length));
    TELL(value);
    TELL(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
    TELL(getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &value, &length));
    TELL(value);
    struct timeval tv = {0, 50000}, got;
    TELL(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
    length = sizeof(got);
    TELL(getsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &got, &length));
    TELL_BOOL(got.tv_sec == 0 && got.tv_usec >= 50000 && got.tv_usec < 60000);
    fcntl(client, F_SETFL, 0);
    TELL(recv(client, buffer, 4, 0));
    struct linger linger = {1, 3};
    TELL(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
    TELL(setsockopt(client, SOL_SOCKET, 9999, &one, sizeof(one)));
    TELL(ioctl(server, FIONREAD, &value));
    TELL(shutdown(client, SHUT_WR));
    TELL(shutdown(99, SHUT_WR));
    TELL(poll(&p, 1, 1000));
    TELL(recv(server, buffer, 4, 0));
    TELL(getpeername(client, (void *)&peer, &(socklen_t){sizeof(peer)}));
    TELL_BOOL(peer.sin_port == at.sin_port);
    TELL(bind(client, (void *)8, 16));
    close(client);
    close(server);
    close(listener);
}

static void udp(void)
{
    int a = (int)TELL(socket(AF_INET6, SOCK_DGRAM, 0)), b = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}, from;
    socklen_t length = sizeof(at);
    if (bind(a, (void *)&at, sizeof(at)) < 0) {
        printf("no IPv6\n");
        return;
    }
    getsockname(a, (void *)&at, &length);
    struct iovec iov[2] = {{"ab", 2}, {"cdef", 4}};
    struct mmsghdr messages[2] = {
        {.msg_hdr = {.msg_name = &at, .msg_namelen = sizeof(at), .msg_iov = iov, .msg_iovlen = 2}},
        {.msg_hdr = {.msg_name = &at, .msg_namelen = sizeof(at), .msg_iov = iov, .msg_iovlen = 1}},
    };
    TELL(sendmmsg(b, messages, 2, 0));
    TELL(messages[0].msg_len * 10 + messages[1].msg_len);
    char data[2][16] = {"", ""};
    struct iovec in[2] = {{data[0], 16}, {data[1], 16}};
    struct mmsghdr got[2] = {{.msg_hdr = {.msg_iov = &in[0], .msg_iovlen = 1}},
                             {.msg_hdr = {.msg_iov = &in[1], .msg_iovlen = 1}}};
    struct timespec timeout = {1, 0};
    TELL(recvmmsg(a, got, 2, 0, &timeout));
    TELL_TEXT(data[0]);
    TELL_TEXT(data[1]);
    TELL(recvmmsg(a, got, 2, MSG_DONTWAIT, NULL));
    sendto(b, "x", 1, 0, (void *)&at, sizeof(at));
    length = sizeof(from);
    TELL(recvfrom(a, data[0], 16, 0, (void *)&from, &length));
    TELL(length);
    TELL(from.sin6_family);
    TELL(sendto(b, "x", 1, 0, (void *)&at, 4));
    struct sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_fprog program = {1, drop};
    TELL(setsockopt(a, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
    sendto(b, "x", 1, 0, (void *)&at, sizeof(at));
    TELL(recv(a, data[0], 16, MSG_DONTWAIT));
    close(a);
    close(b);
}

static void descriptors(void)
{
    int pair[2], pipes[2], one = 1;
    TELL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    TELL(pipe(pipes));
    TELL(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
    union {
        char room[CMSG_SPACE(2 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control = {.room = {0}};
    struct iovec iov = {"m", 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = CMSG_SPACE(2 * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(c), pipes, sizeof(pipes));
    TELL(sendmsg(pair[0], &m, 0));
    char byte;
    iov = (struct iovec){&byte, 1};
    m.msg_controllen = sizeof(control.room);
    TELL(recvmsg(pair[1], &m, MSG_CMSG_CLOEXEC));
    TELL(m.msg_controllen);
    for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        printf("cmsg level %d type %d length %zu\n", c->cmsg_level, c->cmsg_type,
               (size_t)c->cmsg_len);
        if (c->cmsg_type == SCM_CREDENTIALS)
            TELL_BOOL(((struct ucred *)CMSG_DATA(c))->pid == getpid());
        if (c->cmsg_type != SCM_RIGHTS)
            continue;
        int fds[2];
        memcpy(fds, CMSG_DATA(c), sizeof(fds));
        TELL(write(fds[1], "through", 7));
        char text[16] = "";
        TELL(read(pipes[0], text, sizeof(text)));
        TELL_TEXT(text);
        TELL(fcntl(fds[0], F_GETFD));
    }
    struct ucred peer;
    socklen_t length = sizeof(peer);
    TELL(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &length));
    TELL_BOOL(peer.uid == getuid() && peer.pid == getpid());
    m.msg_controllen = CMSG_LEN(4);
    control.align = (struct cmsghdr){CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.align), &(int){99}, 4);
    TELL(sendmsg(pair[0], &m, 0));
    TELL(sendmsg(pair[0], (void *)8, 0));
    struct sockaddr_un at = {AF_UNIX, "sock"};
    int s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    TELL(bind(s, (void *)&at, sizeof(at)));
    TELL(bind(s, (void *)&at, sizeof(at)));
    TELL(socket(AF_INET, 77, 0));
    TELL(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) > 0);
    struct ifreq request = {.ifr_name = "lo"};
    TELL(ioctl(s, SIOCGIFINDEX, &request));
    TELL(request.ifr_ifindex);
    signal(SIGPIPE, SIG_IGN);
    close(pair[1]);
    TELL(write(pair[0], "x", 1));
}

int main(void)
{
    tcp();
    udp();
    descriptors();
}
