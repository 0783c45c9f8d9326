/* strace_int.h: between the files of strace: text, tables of names, descriptions of structures.
 *
 *   strace.c          a line a call: when it begins, when it is printed, signals, exits
 *   strace_args.c     the table of words (syscalls.h) and what needs code to print
 *   strace_signals.c  signals, and how children ended
 *   strace_options.c  futex, fcntl, ioctl, prctl: one argument says what the others are
 *   strace_net.c      addresses, socket options, messages
 *   strace_names.c    names of flags and constants, as arm64 numbers them
 *   strace_types.c    structures, field by field
 */
#ifndef PENG_CORE_LINUX_STRACE_INT_H
#define PENG_CORE_LINUX_STRACE_INT_H

#include "core/linux/linux_int.h"

/* A line is one write() of at most PIPE_BUF bytes, so that lines of several processes that share a
 * pipe never mix (pipe(7)). Strings and arrays are cut as strace(1) cuts them by default. */
enum { STRACE_LINE_MAX = 4096, STRACE_STRING_MAX = 32, STRACE_ITEMS_MAX = 32 };

struct strace_text {
    size_t used;
    char text[STRACE_LINE_MAX];
};

/* Cut at the end of the line, silently: strace.c marks a full line. */
void strace_add(struct strace_text *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One name: where (value & mask) == value_. Flags have mask == value; constants the mask ~0;
 * fields of several bits their own. Ended by an empty name. Names lie in the table itself:
 * addresses of names would have to be relocated at every start of a program. */
struct strace_name {
    uint64_t mask, value;
    char name[56];
};

enum strace_kind {
    STRACE_SIGNED,
    STRACE_UNSIGNED,
    STRACE_HEX,
    STRACE_OCTAL,
    STRACE_NAMES,  /* by `names` */
    STRACE_MODE,   /* of a file: type and rights */
    STRACE_CHARS,  /* an array, zero-terminated unless full */
    STRACE_NESTED, /* by `type` */
};

struct strace_type;

struct strace_field {
    char name[24];
    uint16_t offset, size_bytes;
    enum strace_kind kind;
    const struct strace_name *names;
    const struct strace_type *type;
};

enum { STRACE_TYPE_MAX = 512 }; /* bytes of a structure */

struct strace_type {
    uint16_t size_bytes;
    const struct strace_field *fields; /* ended by an empty name */
};

/* The call being printed. `done`: the result is known, outputs can be read. */
struct strace_call {
    struct strace_text *out;
    const char *name;
    uint64_t a[6];
    int64_t result;
    bool done;
};

/* One word of syscalls.h: printed by `print`, or as names, or as `count` structures behind the
 * pointer (one: bare; more: in brackets). */
struct strace_word {
    const char *name;
    void (*print)(const struct strace_call *c, unsigned i);
    const struct strace_name *names;
    const struct strace_type *type;
    unsigned count;
};

/* The word of this length, with or without its `>`; NULL: no such word. */
const struct strace_word *strace_word_find(const char *word, size_t length);
/* Argument i as the word says. */
void strace_argument(const struct strace_call *c, const struct strace_word *word, unsigned i);
/* The words of a call, one after another: its length, 0 at the end; `*at` moves on. */
size_t strace_word_next(const char **at, const char **ret_word);

void strace_names(struct strace_text *s, const struct strace_name *names, uint64_t value);
void strace_mode(struct strace_text *s, uint64_t mode);
void strace_pointer(struct strace_text *s, uint64_t address);
/* "text", escaped as C does, and "..." behind it where it was cut. */
void strace_quote(struct strace_text *s, const char *bytes, size_t size, bool cut);
void strace_bytes(struct strace_text *s, uint64_t address, uint64_t size);
void strace_string(struct strace_text *s, uint64_t address, size_t limit);
/* {a=1, b=2}; the pointer where it cannot be read. */
void strace_struct(struct strace_text *s, const struct strace_type *type, uint64_t address);
void strace_struct_local(struct strace_text *s, const struct strace_type *type, const void *at);
void strace_signal_name(struct strace_text *s, uint64_t signal);
void strace_sigset(struct strace_text *s, uint64_t set);
void strace_siginfo(struct strace_text *s, const siginfo_t *info);
/* A kernel array: `item` prints what `at` holds, of `size_bytes` each. */
void strace_array(struct strace_text *s, uint64_t address, uint64_t count, size_t size_bytes,
                  void (*item)(struct strace_text *s, const void *at));
void strace_iovecs(struct strace_text *s, uint64_t address, uint64_t count, int64_t filled);
/* The name of a prctl option or ioctl request and what its arguments are: strace_names.c. */
struct strace_option {
    uint64_t value;
    const char *name;
    const char *words; /* of the arguments behind it */
};
extern const struct strace_option strace_prctls[], strace_ioctls[], strace_fcntls[];
const struct strace_option *strace_option_find(const struct strace_option *table, uint64_t value);

/* strace_signals.c */
void strace_print_sigset(const struct strace_call *c, unsigned i);
void strace_print_sigaction(const struct strace_call *c, unsigned i);
void strace_print_siginfo(const struct strace_call *c, unsigned i);
void strace_print_wait_status(const struct strace_call *c, unsigned i);

/* strace_options.c */
void strace_print_futex_time(const struct strace_call *c, unsigned i);
void strace_print_futex_address2(const struct strace_call *c, unsigned i);
void strace_print_futex_value3(const struct strace_call *c, unsigned i);
void strace_print_option(const struct strace_call *c, unsigned i);
void strace_print_option_argument(const struct strace_call *c, unsigned i);

/* strace_net.c */
void strace_sockaddr(struct strace_text *s, uint64_t address, uint64_t size);
void strace_print_sockaddr(const struct strace_call *c, unsigned i);
void strace_print_protocol(const struct strace_call *c, unsigned i);
void strace_print_sockopt(const struct strace_call *c, unsigned i);
void strace_print_sockval(const struct strace_call *c, unsigned i);
void strace_print_msghdr(const struct strace_call *c, unsigned i);

/* strace_names.c: those that code needs by name; all others are in strace_words[]. */
extern const struct strace_name strace_open_flags[], strace_access[], strace_at_flags[],
    strace_mode_types[], strace_clone_flags[], strace_wait_flags[], strace_poll_events[],
    strace_epoll_events[], strace_epoll_op[], strace_prot[], strace_map_flags[], strace_futex_op[],
    strace_families[], strace_sock_types[], strace_msg_flags[], strace_sock_levels[],
    strace_fd_flags[], strace_lock_types[], strace_whence[], strace_sa_flags[], strace_sig_how[],
    strace_ss_flags[], strace_clocks[], strace_timer_flags[], strace_rlimits[], strace_rusage_who[],
    strace_itimers[], strace_madvice[], strace_fadvice[], strace_mremap_flags[],
    strace_msync_flags[], strace_mlock_flags[], strace_idtypes[], strace_mount_flags[],
    strace_umount_flags[], strace_splice_flags[], strace_rename_flags[], strace_random_flags[],
    strace_memfd_flags[], strace_fallocate_modes[], strace_flock_ops[], strace_shutdown_how[],
    strace_ipc_flags[], strace_ipc_commands[], strace_schedulers[], strace_seccomp_ops[],
    strace_membarriers[], strace_close_range_flags[], strace_statx_mask[], strace_xattr_flags[],
    strace_eventfd_flags[], strace_inotify_mask[], strace_rw_flags[], strace_shm_flags[],
    strace_priority_which[], strace_resolve_flags[], strace_sync_flags[], strace_sigev_notify[],
    strace_ptrace_requests[], strace_unlink_flags[], strace_pipe_flags[], strace_protocols[];
struct strace_level_options {
    uint64_t level;
    const struct strace_name *options;
};
extern const struct strace_level_options strace_level_options[]; /* ended by options NULL */

/* strace_types.c */
extern const struct strace_type strace_timespec, strace_timeval, strace_itimerspec,
    strace_itimerval, strace_stat, strace_statfs, strace_statx, strace_rusage, strace_rlimit,
    strace_sysinfo, strace_utsname, strace_stack, strace_flock, strace_flock_wanted,
    strace_open_how, strace_clone_args, strace_winsize, strace_termios, strace_landlock_attr,
    strace_sigevent, strace_linger, strace_ucred, strace_cap_header, strace_cap_data, strace_sembuf;

#endif
