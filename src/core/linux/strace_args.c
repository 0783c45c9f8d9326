/* strace_args.c: the words of syscalls.h: what an argument is and how strace prints it.
 *
 * A word is a row of strace_words[]: names (flags, constants), a structure behind a pointer, or a
 * function for what depends on other arguments or on the result. A word with `>` behind it is an
 * output: strace.c prints it after the call, and as a bare pointer where the call failed. A word
 * with `=` before it says how the result looks.
 *
 * Limits: what has no words of its own (most ioctl arguments, bpf, perf_event_open, mount_setattr)
 * is printed as a pointer.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>

#include "core/linux/strace_int.h"

enum { PATH_SHOWN = 1024, ENV_COUNTED_MAX = 65536 };

/* --- numbers ------------------------------------------------------------------------------------
 */

static void print_int(const struct strace_call *c, unsigned i)
{
    strace_add(c->out, "%d", (int)c->a[i]);
}

static void print_uint(const struct strace_call *c, unsigned i)
{
    strace_add(c->out, "%u", (unsigned)c->a[i]);
}

static void print_long(const struct strace_call *c, unsigned i)
{
    strace_add(c->out, "%ld", (int64_t)c->a[i]);
}

static void print_ulong(const struct strace_call *c, unsigned i)
{
    strace_add(c->out, "%lu", c->a[i]);
}

static void print_hex(const struct strace_call *c, unsigned i)
{
    strace_add(c->out, "%#lx", c->a[i]);
}

static void print_pointer(const struct strace_call *c, unsigned i)
{
    strace_pointer(c->out, c->a[i]);
}

static void print_mode(const struct strace_call *c, unsigned i)
{
    strace_add(c->out, "%#03lo", c->a[i] & 07777);
}

static void print_file_mode(const struct strace_call *c, unsigned i)
{
    strace_mode(c->out, (uint32_t)c->a[i]);
}

/* The mode of open and mq_open, there only where a file may be made. */
static void print_open_mode(const struct strace_call *c, unsigned i)
{
    enum { ARM64_TMPFILE = 020040000 };
    if (c->a[i - 1] & O_CREAT || (c->a[i - 1] & ARM64_TMPFILE) == ARM64_TMPFILE)
        print_mode(c, i);
}

static void print_dirfd(const struct strace_call *c, unsigned i)
{
    if ((int)c->a[i] == AT_FDCWD)
        strace_add(c->out, "AT_FDCWD");
    else
        print_int(c, i);
}

static void print_device(const struct strace_call *c, unsigned i)
{
    uint32_t mode = (uint32_t)c->a[i - 1];
    if (S_ISCHR(mode) || S_ISBLK(mode))
        print_hex(c, i);
}

static void print_signal(const struct strace_call *c, unsigned i)
{
    strace_signal_name(c->out, (uint32_t)c->a[i]);
}

/* One number behind a pointer: [7]. */
static void print_behind(const struct strace_call *c, unsigned i, unsigned size_bytes)
{
    uint64_t value = 0;
    if (!c->a[i] || linux_read(c->a[i], &value, size_bytes) < 0)
        strace_pointer(c->out, c->a[i]);
    else
        strace_add(c->out, "[%ld]", sign_extend(value, size_bytes * 8));
}

static void print_int_behind(const struct strace_call *c, unsigned i)
{
    print_behind(c, i, sizeof(int));
}

static void print_long_behind(const struct strace_call *c, unsigned i)
{
    print_behind(c, i, sizeof(int64_t));
}

/* --- bytes and strings --------------------------------------------------------------------------
 */

static void print_path(const struct strace_call *c, unsigned i)
{
    strace_string(c->out, c->a[i], PATH_SHOWN);
}

static void print_string(const struct strace_call *c, unsigned i)
{
    strace_string(c->out, c->a[i], STRACE_STRING_MAX * 2);
}

/* As long as the next argument says; as an output, no longer than the result. */
static void print_buffer(const struct strace_call *c, unsigned i)
{
    strace_bytes(c->out, c->a[i], c->a[i + 1]);
}

static void print_result_buffer(const struct strace_call *c, unsigned i)
{
    uint64_t size = (uint64_t)c->result < c->a[i + 1] ? (uint64_t)c->result : c->a[i + 1];
    if (c->a[i + 1] == 0) /* a question for the size */
        strace_pointer(c->out, c->a[i]);
    else
        strace_bytes(c->out, c->a[i], size);
}

static void print_iovec(const struct strace_call *c, unsigned i)
{
    strace_iovecs(c->out, c->a[i], c->a[i + 1], c->done ? c->result : INT64_MAX);
}

static void add_string_item(struct strace_text *s, const void *at)
{
    strace_string(s, load_le(at, 8), STRACE_STRING_MAX);
}

/* Pointers up to NULL. */
static uint64_t count_pointers(uint64_t address)
{
    uint64_t count = 0, pointer;
    while (count < ENV_COUNTED_MAX && linux_read(address + count * 8, &pointer, 8) == 0 && pointer)
        count++;
    return count;
}

static void print_argv(const struct strace_call *c, unsigned i)
{
    strace_array(c->out, c->a[i], c->a[i] ? count_pointers(c->a[i]) : 0, 8, add_string_item);
}

static void print_envp(const struct strace_call *c, unsigned i)
{
    strace_pointer(c->out, c->a[i]);
    if (c->a[i])
        strace_add(c->out, " /* %lu vars */", count_pointers(c->a[i]));
}

/* --- arrays and what depends on other arguments --------------------------------------------------
 */

static void add_int_item(struct strace_text *s, const void *at)
{
    strace_add(s, "%d", (int)load_le(at, 4));
}

static void print_fd_pair(const struct strace_call *c, unsigned i)
{
    strace_array(c->out, c->a[i], 2, 4, add_int_item);
}

static void print_ints(const struct strace_call *c, unsigned i)
{
    strace_array(c->out, c->a[i], c->done ? (uint64_t)c->result : c->a[i - 1], 4, add_int_item);
}

static void add_pollfd(struct strace_text *s, const void *at)
{
    strace_add(s, "{fd=%d, events=", (int)load_le(at, 4));
    strace_names(s, strace_poll_events, load_le((const uint8_t *)at + 4, 2));
    strace_add(s, "}");
}

static void print_pollfds(const struct strace_call *c, unsigned i)
{
    strace_array(c->out, c->a[i], (uint32_t)c->a[i + 1], 8, add_pollfd);
}

static void add_epoll_event(struct strace_text *s, const void *at)
{
    strace_add(s, "{events="); /* struct epoll_event is not packed on arm64 */
    strace_names(s, strace_epoll_events, load_le(at, 4));
    strace_add(s, ", data=%#lx}", load_le((const uint8_t *)at + 8, 8));
}

static void print_epoll_events(const struct strace_call *c, unsigned i)
{
    strace_array(c->out, c->a[i], (uint64_t)c->result, 16, add_epoll_event);
}

static void print_epoll_event(const struct strace_call *c, unsigned i)
{
    uint8_t event[16];
    if (c->a[i - 2] == EPOLL_CTL_DEL || linux_read(c->a[i], event, sizeof event) < 0)
        strace_pointer(c->out, c->a[i]);
    else
        add_epoll_event(c->out, event);
}

static void print_fdset(const struct strace_call *c, unsigned i)
{
    uint64_t set[FD_SETSIZE / 64], bits = c->a[0] < FD_SETSIZE ? c->a[0] : FD_SETSIZE;
    const char *between = "";
    if (!c->a[i] || linux_read(c->a[i], set, (bits + 63) / 64 * 8) < 0) {
        strace_pointer(c->out, c->a[i]);
        return;
    }
    strace_add(c->out, "[");
    for (unsigned fd = 0; fd < bits; fd++)
        if (set[fd / 64] >> fd % 64 & 1) {
            strace_add(c->out, "%s%u", between, fd);
            between = " ";
        }
    strace_add(c->out, "]");
}

/* The size of the set is the argument before it; the result of sched_getaffinity is too. */
static void print_cpu_set(const struct strace_call *c, unsigned i)
{
    uint64_t set[16], bytes = c->done ? (uint64_t)c->result : c->a[i - 1];
    const char *between = "";
    bytes = (bytes < sizeof set ? bytes : sizeof set) & ~7ull;
    if (!c->a[i] || linux_read(c->a[i], set, bytes) < 0) {
        strace_pointer(c->out, c->a[i]);
        return;
    }
    strace_add(c->out, "[");
    for (unsigned cpu = 0; cpu < bytes * 8; cpu++)
        if (set[cpu / 64] >> cpu % 64 & 1) {
            strace_add(c->out, "%s%u", between, cpu);
            between = " ";
        }
    strace_add(c->out, "]");
}

/* linux_dirent64: how many entries, as strace(1) says it when it abbreviates. */
static void print_directory(const struct strace_call *c, unsigned i)
{
    unsigned entries = 0;
    int64_t at = 0;
    while (at < c->result) {
        uint16_t length; /* d_reclen, at 16 */
        if (linux_read(c->a[i] + (uint64_t)at + 16, &length, sizeof length) < 0 || length < 20)
            break;
        entries++;
        at += length;
    }
    strace_pointer(c->out, c->a[i]);
    strace_add(c->out, " /* %u entries */", entries);
}

static void add_sembuf(struct strace_text *s, const void *at)
{
    strace_struct_local(s, &strace_sembuf, at);
}

static void print_sembufs(const struct strace_call *c, unsigned i)
{
    strace_array(c->out, c->a[i], c->a[i + 1], strace_sembuf.size_bytes, add_sembuf);
}

/* clone(2): the flags' low byte is a signal. */
static void print_clone_flags(const struct strace_call *c, unsigned i)
{
    enum { EXIT_SIGNAL = 0xff };
    uint64_t flags = (uint32_t)c->a[i];
    if (flags & ~(uint64_t)EXIT_SIGNAL || !(flags & EXIT_SIGNAL))
        strace_names(c->out, strace_clone_flags, flags & ~(uint64_t)EXIT_SIGNAL);
    if (flags & EXIT_SIGNAL) {
        strace_add(c->out, flags & ~(uint64_t)EXIT_SIGNAL ? "|" : "");
        strace_signal_name(c->out, flags & EXIT_SIGNAL);
    }
}

/* --- the table ----------------------------------------------------------------------------------
 */

/* clang-format off */
static const struct strace_word words[] = {
    {"int", print_int, NULL, NULL, 0},
    {"uint", print_uint, NULL, NULL, 0},
    {"long", print_long, NULL, NULL, 0},
    {"ulong", print_ulong, NULL, NULL, 0},
    {"hex", print_hex, NULL, NULL, 0},
    {"ptr", print_pointer, NULL, NULL, 0},
    {"off", print_long, NULL, NULL, 0},
    {"size", print_ulong, NULL, NULL, 0},
    {"fd", print_int, NULL, NULL, 0},
    {"dirfd", print_dirfd, NULL, NULL, 0},
    {"mode", print_mode, NULL, NULL, 0},
    {"filemode", print_file_mode, NULL, NULL, 0},
    {"openmode", print_open_mode, NULL, NULL, 0},
    {"dev", print_device, NULL, NULL, 0},
    {"signal", print_signal, NULL, NULL, 0},
    {"int*", print_int_behind, NULL, NULL, 0},
    {"int>", print_int_behind, NULL, NULL, 0},
    {"off*", print_long_behind, NULL, NULL, 0},
    {"ulong>", print_long_behind, NULL, NULL, 0},
    {"path", print_path, NULL, NULL, 0},
    {"str", print_string, NULL, NULL, 0},
    {"buf>", print_result_buffer, NULL, NULL, 0},
    {"buf", print_buffer, NULL, NULL, 0},
    {"iovec", print_iovec, NULL, NULL, 0},
    {"argv", print_argv, NULL, NULL, 0},
    {"envp", print_envp, NULL, NULL, 0},
    {"fdpair", print_fd_pair, NULL, NULL, 0},
    {"ints", print_ints, NULL, NULL, 0},
    {"pollfds", print_pollfds, NULL, NULL, 0},
    {"epollevents", print_epoll_events, NULL, NULL, 0},
    {"epollevent", print_epoll_event, NULL, NULL, 0},
    {"fdset", print_fdset, NULL, NULL, 0},
    {"cpuset", print_cpu_set, NULL, NULL, 0},
    {"dirents", print_directory, NULL, NULL, 0},
    {"sembufs", print_sembufs, NULL, NULL, 0},
    {"clone", print_clone_flags, NULL, NULL, 0},
    {"waitstatus", strace_print_wait_status, NULL, NULL, 0},
    {"futextime", strace_print_futex_time, NULL, NULL, 0},
    {"futexaddress2", strace_print_futex_address2, NULL, NULL, 0},
    {"futexvalue3", strace_print_futex_value3, NULL, NULL, 0},
    {"sigset", strace_print_sigset, NULL, NULL, 0},
    {"sigaction", strace_print_sigaction, NULL, NULL, 0},
    {"siginfo", strace_print_siginfo, NULL, NULL, 0},
    {"option", strace_print_option, NULL, NULL, 0},
    {"optionarg", strace_print_option_argument, NULL, NULL, 0},
    {"sockaddr", strace_print_sockaddr, NULL, NULL, 0},
    {"sockopt", strace_print_sockopt, NULL, NULL, 0},
    {"sockval", strace_print_sockval, NULL, NULL, 0},
    {"msghdr", strace_print_msghdr, NULL, NULL, 0},
    {"protocol", strace_print_protocol, NULL, NULL, 0},

    {"access", NULL, strace_access, NULL, 0},
    {"atflags", NULL, strace_at_flags, NULL, 0},
    {"unlinkflags", NULL, strace_unlink_flags, NULL, 0},
    {"clock", NULL, strace_clocks, NULL, 0},
    {"cloneflags", NULL, strace_clone_flags, NULL, 0},
    {"closerangeflags", NULL, strace_close_range_flags, NULL, 0},
    {"epollop", NULL, strace_epoll_op, NULL, 0},
    {"eventfdflags", NULL, strace_eventfd_flags, NULL, 0},
    {"fadvice", NULL, strace_fadvice, NULL, 0},
    {"fallocmode", NULL, strace_fallocate_modes, NULL, 0},
    {"family", NULL, strace_families, NULL, 0},
    {"fdflags", NULL, strace_fd_flags, NULL, 0},
    {"flockop", NULL, strace_flock_ops, NULL, 0},
    {"futexop", NULL, strace_futex_op, NULL, 0},
    {"idtype", NULL, strace_idtypes, NULL, 0},
    {"inotifymask", NULL, strace_inotify_mask, NULL, 0},
    {"ipccommand", NULL, strace_ipc_commands, NULL, 0},
    {"ipcflags", NULL, strace_ipc_flags, NULL, 0},
    {"itimer", NULL, strace_itimers, NULL, 0},
    {"madvice", NULL, strace_madvice, NULL, 0},
    {"membarrier", NULL, strace_membarriers, NULL, 0},
    {"memfdflags", NULL, strace_memfd_flags, NULL, 0},
    {"mlockflags", NULL, strace_mlock_flags, NULL, 0},
    {"mmapflags", NULL, strace_map_flags, NULL, 0},
    {"mountflags", NULL, strace_mount_flags, NULL, 0},
    {"mremapflags", NULL, strace_mremap_flags, NULL, 0},
    {"msgflags", NULL, strace_msg_flags, NULL, 0},
    {"msyncflags", NULL, strace_msync_flags, NULL, 0},
    {"openflags", NULL, strace_open_flags, NULL, 0},
    {"pipeflags", NULL, strace_pipe_flags, NULL, 0},
    {"priowhich", NULL, strace_priority_which, NULL, 0},
    {"prot", NULL, strace_prot, NULL, 0},
    {"ptracerequest", NULL, strace_ptrace_requests, NULL, 0},
    {"randomflags", NULL, strace_random_flags, NULL, 0},
    {"renameflags", NULL, strace_rename_flags, NULL, 0},
    {"rlimitname", NULL, strace_rlimits, NULL, 0},
    {"rusagewho", NULL, strace_rusage_who, NULL, 0},
    {"rwflags", NULL, strace_rw_flags, NULL, 0},
    {"scheduler", NULL, strace_schedulers, NULL, 0},
    {"seccompop", NULL, strace_seccomp_ops, NULL, 0},
    {"shmflags", NULL, strace_shm_flags, NULL, 0},
    {"shutdownhow", NULL, strace_shutdown_how, NULL, 0},
    {"sighow", NULL, strace_sig_how, NULL, 0},
    {"socklevel", NULL, strace_sock_levels, NULL, 0},
    {"socktype", NULL, strace_sock_types, NULL, 0},
    {"spliceflags", NULL, strace_splice_flags, NULL, 0},
    {"statxmask", NULL, strace_statx_mask, NULL, 0},
    {"syncflags", NULL, strace_sync_flags, NULL, 0},
    {"timerflags", NULL, strace_timer_flags, NULL, 0},
    {"umountflags", NULL, strace_umount_flags, NULL, 0},
    {"waitflags", NULL, strace_wait_flags, NULL, 0},
    {"whence", NULL, strace_whence, NULL, 0},
    {"xattrflags", NULL, strace_xattr_flags, NULL, 0},

    {"capdata", NULL, NULL, &strace_cap_data, 1},
    {"caphdr", NULL, NULL, &strace_cap_header, 1},
    {"cloneargs", NULL, NULL, &strace_clone_args, 1},
    {"flock", NULL, NULL, &strace_flock, 1},
    {"lock", NULL, NULL, &strace_flock_wanted, 1},
    {"itimerspec", NULL, NULL, &strace_itimerspec, 1},
    {"itimerval", NULL, NULL, &strace_itimerval, 1},
    {"landlockattr", NULL, NULL, &strace_landlock_attr, 1},
    {"openhow", NULL, NULL, &strace_open_how, 1},
    {"rlimit", NULL, NULL, &strace_rlimit, 1},
    {"rusage", NULL, NULL, &strace_rusage, 1},
    {"sigevent", NULL, NULL, &strace_sigevent, 1},
    {"stack", NULL, NULL, &strace_stack, 1},
    {"stat", NULL, NULL, &strace_stat, 1},
    {"statfs", NULL, NULL, &strace_statfs, 1},
    {"statx", NULL, NULL, &strace_statx, 1},
    {"sysinfo", NULL, NULL, &strace_sysinfo, 1},
    {"termios", NULL, NULL, &strace_termios, 1},
    {"timespec", NULL, NULL, &strace_timespec, 1},
    {"timespec2", NULL, NULL, &strace_timespec, 2},
    {"timeval", NULL, NULL, &strace_timeval, 1},
    {"utsname", NULL, NULL, &strace_utsname, 1},
    {"winsize", NULL, NULL, &strace_winsize, 1},
};
/* clang-format on */

const struct strace_word *strace_word_find(const char *word, size_t length)
{
    for (unsigned round = 0; round < 2; round++, length--) { /* as it is, then without its `>` */
        for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
            if (strlen(words[i].name) == length && memcmp(words[i].name, word, length) == 0)
                return &words[i];
        if (word[length - 1] != '>')
            break;
    }
    return NULL;
}

void strace_argument(const struct strace_call *c, const struct strace_word *word, unsigned i)
{
    if (word->print) {
        word->print(c, i);
    } else if (word->names) {
        strace_names(c->out, word->names, (uint32_t)c->a[i]);
    } else if (word->count == 1 || !c->a[i]) {
        strace_struct(c->out, word->type, c->a[i]);
    } else {
        strace_add(c->out, "[");
        for (unsigned k = 0; k < word->count; k++) {
            strace_add(c->out, k ? ", " : "");
            strace_struct(c->out, word->type, c->a[i] + k * (uint64_t)word->type->size_bytes);
        }
        strace_add(c->out, "]");
    }
}

size_t strace_word_next(const char **at, const char **ret_word)
{
    *at += strspn(*at, " ");
    size_t length = strcspn(*at, " ");
    *ret_word = *at;
    *at += length;
    return length;
}
