/* strace_types.c: structures of the arm64 kernel interface, field by field, for strace.
 *
 * Where the layout is the same for both architectures the host's headers give it; where it is not,
 * the structure is written down here. Fields that tell a reader nothing (padding, nanoseconds of
 * three time stamps) are left out, as strace(1) leaves them out of its short form.
 */
#include <assert.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>

#include "core/linux/strace_int.h"

/* include/uapi/asm-generic/stat.h */
struct arm64_stat {
    uint64_t st_dev, st_ino;
    uint32_t st_mode, st_nlink, st_uid, st_gid;
    uint64_t st_rdev, pad1;
    int64_t st_size;
    int32_t st_blksize, pad2;
    int64_t st_blocks, st_atime_s;
    uint64_t st_atime_ns;
    int64_t st_mtime_s;
    uint64_t st_mtime_ns;
    int64_t st_ctime_s;
    uint64_t st_ctime_ns;
    uint32_t unused[2];
};
static_assert(sizeof(struct arm64_stat) == 128, "struct stat of arm64");

/* include/uapi/asm-generic/termbits.h: what TCGETS fills in. */
struct kernel_termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line, c_cc[19];
};

/* include/uapi/asm-generic/statfs.h */
struct kernel_statfs {
    uint64_t f_type, f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    uint32_t f_fsid[2];
    uint64_t f_namelen, f_frsize, f_flags, f_spare[4];
};

#undef sigev_notify_thread_id /* a C library may have its own way there */

/* include/uapi/asm-generic/siginfo.h, struct sigevent: the members that SIGEV_SIGNAL and
 * SIGEV_THREAD_ID use. */
struct kernel_sigevent {
    uint64_t sigev_value;
    int32_t sigev_signo, sigev_notify, sigev_notify_thread_id;
    uint32_t pad[11];
};

/* include/uapi/linux/resource.h names these; glibc hides them behind unions. */
struct kernel_rusage {
    struct timeval ru_utime, ru_stime;
    int64_t ru_maxrss, rest1[3], ru_minflt, ru_majflt, ru_nswap, ru_inblock, ru_oublock, ru_msgsnd,
        ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw;
};
static_assert(sizeof(struct kernel_rusage) == 18 * 8, "struct rusage");

#define AT(type, member) #member, offsetof(type, member), sizeof(((type *)0)->member)
#define NUMBER(type, member, kind)                                                                 \
    {                                                                                              \
        AT(type, member), STRACE_##kind, NULL, NULL                                                \
    }
#define NAMED(type, member, names)                                                                 \
    {                                                                                              \
        AT(type, member), STRACE_NAMES, names, NULL                                                \
    }
#define WITHIN(type, member, its_type)                                                             \
    {                                                                                              \
        AT(type, member), STRACE_NESTED, NULL, &its_type                                           \
    }

#define FIELDS(...)                                                                                \
    (const struct strace_field[])                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
        {                                                                                          \
            .name = ""                                                                             \
        }                                                                                          \
    }

/* clang-format off */
const struct strace_type strace_timespec = {sizeof(struct timespec), FIELDS(
    NUMBER(struct timespec, tv_sec, SIGNED),
    NUMBER(struct timespec, tv_nsec, SIGNED),
)};

const struct strace_type strace_timeval = {sizeof(struct timeval), FIELDS(
    NUMBER(struct timeval, tv_sec, SIGNED),
    NUMBER(struct timeval, tv_usec, SIGNED),
)};

const struct strace_type strace_itimerspec = {sizeof(struct itimerspec), FIELDS(
    WITHIN(struct itimerspec, it_interval, strace_timespec),
    WITHIN(struct itimerspec, it_value, strace_timespec),
)};

const struct strace_type strace_itimerval = {sizeof(struct itimerval), FIELDS(
    WITHIN(struct itimerval, it_interval, strace_timeval),
    WITHIN(struct itimerval, it_value, strace_timeval),
)};

const struct strace_type strace_stat = {sizeof(struct arm64_stat), FIELDS(
    NUMBER(struct arm64_stat, st_mode, MODE),
    NUMBER(struct arm64_stat, st_size, SIGNED),
    NUMBER(struct arm64_stat, st_ino, UNSIGNED),
    NUMBER(struct arm64_stat, st_nlink, UNSIGNED),
    NUMBER(struct arm64_stat, st_uid, UNSIGNED),
    NUMBER(struct arm64_stat, st_gid, UNSIGNED),
)};

const struct strace_type strace_statfs = {sizeof(struct kernel_statfs), FIELDS(
    NUMBER(struct kernel_statfs, f_type, HEX),
    NUMBER(struct kernel_statfs, f_bsize, UNSIGNED),
    NUMBER(struct kernel_statfs, f_blocks, UNSIGNED),
    NUMBER(struct kernel_statfs, f_bfree, UNSIGNED),
    NUMBER(struct kernel_statfs, f_bavail, UNSIGNED),
    NUMBER(struct kernel_statfs, f_flags, HEX),
)};

const struct strace_type strace_statx = {sizeof(struct statx), FIELDS(
    NAMED(struct statx, stx_mask, strace_statx_mask),
    NUMBER(struct statx, stx_mode, MODE),
    NUMBER(struct statx, stx_size, UNSIGNED),
    NUMBER(struct statx, stx_ino, UNSIGNED),
)};

const struct strace_type strace_rusage = {sizeof(struct kernel_rusage), FIELDS(
    WITHIN(struct kernel_rusage, ru_utime, strace_timeval),
    WITHIN(struct kernel_rusage, ru_stime, strace_timeval),
    NUMBER(struct kernel_rusage, ru_maxrss, SIGNED),
    NUMBER(struct kernel_rusage, ru_minflt, SIGNED),
    NUMBER(struct kernel_rusage, ru_majflt, SIGNED),
)};

const struct strace_type strace_rlimit = {sizeof(struct rlimit), FIELDS(
    NUMBER(struct rlimit, rlim_cur, SIGNED), /* RLIM_INFINITY reads well as -1 */
    NUMBER(struct rlimit, rlim_max, SIGNED),
)};

const struct strace_type strace_sysinfo = {offsetof(struct sysinfo, mem_unit) + 4, FIELDS(
    NUMBER(struct sysinfo, uptime, SIGNED),
    NUMBER(struct sysinfo, totalram, UNSIGNED),
    NUMBER(struct sysinfo, freeram, UNSIGNED),
    NUMBER(struct sysinfo, procs, UNSIGNED),
)};

const struct strace_type strace_utsname = {sizeof(struct utsname), FIELDS(
    NUMBER(struct utsname, sysname, CHARS),
    NUMBER(struct utsname, nodename, CHARS),
    NUMBER(struct utsname, release, CHARS),
    NUMBER(struct utsname, machine, CHARS),
)};

const struct strace_type strace_stack = {sizeof(stack_t), FIELDS(
    NUMBER(stack_t, ss_sp, HEX),
    NAMED(stack_t, ss_flags, strace_ss_flags),
    NUMBER(stack_t, ss_size, UNSIGNED),
)};

const struct strace_type strace_flock = {sizeof(struct flock), FIELDS(
    NAMED(struct flock, l_type, strace_lock_types),
    NAMED(struct flock, l_whence, strace_whence),
    NUMBER(struct flock, l_start, SIGNED),
    NUMBER(struct flock, l_len, SIGNED),
    NUMBER(struct flock, l_pid, SIGNED),
)};

const struct strace_type strace_flock_wanted = {sizeof(struct flock), FIELDS(
    NAMED(struct flock, l_type, strace_lock_types),
    NAMED(struct flock, l_whence, strace_whence),
    NUMBER(struct flock, l_start, SIGNED),
    NUMBER(struct flock, l_len, SIGNED),
)};

const struct strace_type strace_open_how = {sizeof(struct open_how), FIELDS(
    NAMED(struct open_how, flags, strace_open_flags),
    NUMBER(struct open_how, mode, OCTAL),
    NAMED(struct open_how, resolve, strace_resolve_flags),
)};

const struct strace_type strace_clone_args = {CLONE_ARGS_SIZE_VER0, FIELDS(
    NAMED(struct clone_args, flags, strace_clone_flags),
    NUMBER(struct clone_args, child_tid, HEX),
    NUMBER(struct clone_args, parent_tid, HEX),
    NUMBER(struct clone_args, exit_signal, UNSIGNED),
    NUMBER(struct clone_args, stack, HEX),
    NUMBER(struct clone_args, stack_size, HEX),
    NUMBER(struct clone_args, tls, HEX),
)};

const struct strace_type strace_winsize = {sizeof(struct winsize), FIELDS(
    NUMBER(struct winsize, ws_row, UNSIGNED),
    NUMBER(struct winsize, ws_col, UNSIGNED),
    NUMBER(struct winsize, ws_xpixel, UNSIGNED),
    NUMBER(struct winsize, ws_ypixel, UNSIGNED),
)};

const struct strace_type strace_termios = {sizeof(struct kernel_termios), FIELDS(
    NUMBER(struct kernel_termios, c_iflag, HEX),
    NUMBER(struct kernel_termios, c_oflag, HEX),
    NUMBER(struct kernel_termios, c_cflag, HEX),
    NUMBER(struct kernel_termios, c_lflag, HEX),
)};

const struct strace_type strace_landlock_attr = {sizeof(uint64_t), FIELDS(
    NUMBER(struct landlock_ruleset_attr, handled_access_fs, HEX),
)};

const struct strace_type strace_sigevent = {sizeof(struct kernel_sigevent), FIELDS(
    NUMBER(struct kernel_sigevent, sigev_value, HEX),
    NUMBER(struct kernel_sigevent, sigev_signo, SIGNED),
    NAMED(struct kernel_sigevent, sigev_notify, strace_sigev_notify),
    NUMBER(struct kernel_sigevent, sigev_notify_thread_id, SIGNED),
)};

const struct strace_type strace_linger = {sizeof(struct linger), FIELDS(
    NUMBER(struct linger, l_onoff, SIGNED),
    NUMBER(struct linger, l_linger, SIGNED),
)};

const struct strace_type strace_ucred = {sizeof(struct ucred), FIELDS(
    NUMBER(struct ucred, pid, SIGNED),
    NUMBER(struct ucred, uid, SIGNED),
    NUMBER(struct ucred, gid, SIGNED),
)};

const struct strace_type strace_cap_header = {sizeof(struct __user_cap_header_struct), FIELDS(
    NUMBER(struct __user_cap_header_struct, version, HEX),
    NUMBER(struct __user_cap_header_struct, pid, SIGNED),
)};

const struct strace_type strace_cap_data = {sizeof(struct __user_cap_data_struct), FIELDS(
    NUMBER(struct __user_cap_data_struct, effective, HEX),
    NUMBER(struct __user_cap_data_struct, permitted, HEX),
    NUMBER(struct __user_cap_data_struct, inheritable, HEX),
)};

const struct strace_type strace_sembuf = {sizeof(struct sembuf), FIELDS(
    NUMBER(struct sembuf, sem_num, UNSIGNED),
    NUMBER(struct sembuf, sem_op, SIGNED),
    NUMBER(struct sembuf, sem_flg, HEX),
)};
/* clang-format on */
