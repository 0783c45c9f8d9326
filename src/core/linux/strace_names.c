/* strace_names.c: names of flags and constants, for strace.
 *
 * A number comes from the host's headers where both architectures share it. Those of arm64 that
 * differ (four flags of open, include/uapi/asm/fcntl.h) are written as numbers; host headers have
 * none of its own flags either (PROT_BTI, PROT_MTE).
 *
 * Tables of several-bit fields come before single flags; names of 0 stand first and print only
 * where the whole field is 0 (strace.c, strace_names()).
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <linux/xattr.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "core/linux/strace_int.h"

#define ALL (~0ull)
#define FLAG(x)                                                                                    \
    {                                                                                              \
        (uint64_t)(x), (uint64_t)(x), #x                                                           \
    }
#define ONE(x)                                                                                     \
    {                                                                                              \
        ALL, (uint64_t)(x), #x                                                                     \
    }
#define FIELD(m, x)                                                                                \
    {                                                                                              \
        (m), (uint64_t)(x), #x                                                                     \
    }
#define END                                                                                        \
    {                                                                                              \
        0, 0, ""                                                                                   \
    }

/* clang-format off */
const struct strace_name strace_open_flags[] = {
    FIELD(O_ACCMODE, O_RDONLY), FIELD(O_ACCMODE, O_WRONLY), FIELD(O_ACCMODE, O_RDWR),
    FLAG(O_CREAT), FLAG(O_EXCL), FLAG(O_NOCTTY), FLAG(O_TRUNC), FLAG(O_APPEND), FLAG(O_NONBLOCK),
    {020040000, 020040000, "O_TMPFILE"}, {04010000, 04010000, "O_SYNC"}, FLAG(O_DSYNC),
    FLAG(O_ASYNC), {040000, 040000, "O_DIRECTORY"}, {0100000, 0100000, "O_NOFOLLOW"},
    {0200000, 0200000, "O_DIRECT"}, {0400000, 0400000, "O_LARGEFILE"}, FLAG(O_NOATIME),
    FLAG(O_CLOEXEC), FLAG(O_PATH), END};
const struct strace_name strace_fd_flags[] = {FLAG(FD_CLOEXEC), END};
const struct strace_name strace_access[] = {ONE(F_OK), FLAG(R_OK), FLAG(W_OK), FLAG(X_OK), END};
const struct strace_name strace_at_flags[] = {
    FLAG(AT_SYMLINK_NOFOLLOW), FLAG(AT_REMOVEDIR), FLAG(AT_SYMLINK_FOLLOW), FLAG(AT_NO_AUTOMOUNT),
    FLAG(AT_EMPTY_PATH), FIELD(AT_STATX_SYNC_TYPE, AT_STATX_FORCE_SYNC),
    FIELD(AT_STATX_SYNC_TYPE, AT_STATX_DONT_SYNC), FLAG(AT_RECURSIVE), END};
const struct strace_name strace_unlink_flags[] = {FLAG(AT_REMOVEDIR), END};
const struct strace_name strace_pipe_flags[] = { /* of calls that take O_CLOEXEC under their names */
    FLAG(O_CLOEXEC), FLAG(O_NONBLOCK), {0200000, 0200000, "O_DIRECT"}, END};
const struct strace_name strace_mode_types[] = {
    FIELD(S_IFMT, S_IFREG), FIELD(S_IFMT, S_IFDIR), FIELD(S_IFMT, S_IFLNK), FIELD(S_IFMT, S_IFCHR),
    FIELD(S_IFMT, S_IFBLK), FIELD(S_IFMT, S_IFIFO), FIELD(S_IFMT, S_IFSOCK), FLAG(S_ISUID),
    FLAG(S_ISGID), FLAG(S_ISVTX), END};
const struct strace_name strace_resolve_flags[] = {
    FLAG(RESOLVE_NO_XDEV), FLAG(RESOLVE_NO_MAGICLINKS), FLAG(RESOLVE_NO_SYMLINKS),
    FLAG(RESOLVE_BENEATH), FLAG(RESOLVE_IN_ROOT), FLAG(RESOLVE_CACHED), END};
const struct strace_name strace_whence[] = {
    ONE(SEEK_SET), ONE(SEEK_CUR), ONE(SEEK_END), ONE(SEEK_DATA), ONE(SEEK_HOLE), END};
const struct strace_name strace_lock_types[] = {ONE(F_RDLCK), ONE(F_WRLCK), ONE(F_UNLCK), END};
const struct strace_name strace_flock_ops[] = {
    FLAG(LOCK_SH), FLAG(LOCK_EX), FLAG(LOCK_UN), FLAG(LOCK_NB), END};
const struct strace_name strace_fallocate_modes[] = {
    FLAG(FALLOC_FL_KEEP_SIZE), FLAG(FALLOC_FL_PUNCH_HOLE), FLAG(FALLOC_FL_COLLAPSE_RANGE),
    FLAG(FALLOC_FL_ZERO_RANGE), FLAG(FALLOC_FL_INSERT_RANGE), FLAG(FALLOC_FL_UNSHARE_RANGE), END};
const struct strace_name strace_rename_flags[] = {
    FLAG(RENAME_NOREPLACE), FLAG(RENAME_EXCHANGE), FLAG(RENAME_WHITEOUT), END};
const struct strace_name strace_xattr_flags[] = {FLAG(XATTR_CREATE), FLAG(XATTR_REPLACE), END};
const struct strace_name strace_splice_flags[] = {
    FLAG(SPLICE_F_MOVE), FLAG(SPLICE_F_NONBLOCK), FLAG(SPLICE_F_MORE), FLAG(SPLICE_F_GIFT), END};
const struct strace_name strace_sync_flags[] = {
    FLAG(SYNC_FILE_RANGE_WAIT_BEFORE), FLAG(SYNC_FILE_RANGE_WRITE),
    FLAG(SYNC_FILE_RANGE_WAIT_AFTER), END};
const struct strace_name strace_rw_flags[] = {
    FLAG(RWF_HIPRI), FLAG(RWF_DSYNC), FLAG(RWF_SYNC), FLAG(RWF_NOWAIT), FLAG(RWF_APPEND), END};
const struct strace_name strace_statx_mask[] = {
    FIELD(STATX_BASIC_STATS, STATX_BASIC_STATS), FLAG(STATX_TYPE), FLAG(STATX_MODE),
    FLAG(STATX_NLINK), FLAG(STATX_UID), FLAG(STATX_GID), FLAG(STATX_ATIME), FLAG(STATX_MTIME),
    FLAG(STATX_CTIME), FLAG(STATX_INO), FLAG(STATX_SIZE), FLAG(STATX_BLOCKS), FLAG(STATX_BTIME),
    FLAG(STATX_MNT_ID), END};
const struct strace_name strace_fadvice[] = {
    ONE(POSIX_FADV_NORMAL), ONE(POSIX_FADV_RANDOM), ONE(POSIX_FADV_SEQUENTIAL),
    ONE(POSIX_FADV_WILLNEED), ONE(POSIX_FADV_DONTNEED), ONE(POSIX_FADV_NOREUSE), END};
const struct strace_name strace_inotify_mask[] = {
    FIELD(IN_ALL_EVENTS, IN_ALL_EVENTS), FLAG(IN_ACCESS), FLAG(IN_MODIFY), FLAG(IN_ATTRIB),
    FLAG(IN_CLOSE_WRITE), FLAG(IN_CLOSE_NOWRITE), FLAG(IN_OPEN), FLAG(IN_MOVED_FROM),
    FLAG(IN_MOVED_TO), FLAG(IN_CREATE), FLAG(IN_DELETE), FLAG(IN_DELETE_SELF), FLAG(IN_MOVE_SELF),
    FLAG(IN_ONLYDIR), FLAG(IN_DONT_FOLLOW), FLAG(IN_EXCL_UNLINK), FLAG(IN_MASK_CREATE),
    FLAG(IN_MASK_ADD), FLAG(IN_ISDIR), FLAG(IN_ONESHOT), END};
const struct strace_name strace_eventfd_flags[] = {
    FLAG(EFD_SEMAPHORE), FLAG(EFD_CLOEXEC), FLAG(EFD_NONBLOCK), END};
const struct strace_name strace_memfd_flags[] = {
    FLAG(MFD_CLOEXEC), FLAG(MFD_ALLOW_SEALING), FLAG(MFD_HUGETLB), END};
const struct strace_name strace_close_range_flags[] = {
    FLAG(CLOSE_RANGE_UNSHARE), FLAG(CLOSE_RANGE_CLOEXEC), END};
const struct strace_name strace_mount_flags[] = {
    FLAG(MS_RDONLY), FLAG(MS_NOSUID), FLAG(MS_NODEV), FLAG(MS_NOEXEC), FLAG(MS_SYNCHRONOUS),
    FLAG(MS_REMOUNT), FLAG(MS_MANDLOCK), FLAG(MS_DIRSYNC), FLAG(MS_NOATIME), FLAG(MS_NODIRATIME),
    FLAG(MS_BIND), FLAG(MS_MOVE), FLAG(MS_REC), FLAG(MS_SILENT), FLAG(MS_UNBINDABLE),
    FLAG(MS_PRIVATE), FLAG(MS_SLAVE), FLAG(MS_SHARED), FLAG(MS_RELATIME), FLAG(MS_STRICTATIME),
    FLAG(MS_LAZYTIME), END};
const struct strace_name strace_umount_flags[] = {
    FLAG(MNT_FORCE), FLAG(MNT_DETACH), FLAG(MNT_EXPIRE), FLAG(UMOUNT_NOFOLLOW), END};

const struct strace_name strace_prot[] = {
    ONE(PROT_NONE), FLAG(PROT_READ), FLAG(PROT_WRITE), FLAG(PROT_EXEC),
    {0x10, 0x10, "PROT_BTI"}, {0x20, 0x20, "PROT_MTE"}, FLAG(PROT_GROWSDOWN), FLAG(PROT_GROWSUP),
    END};
const struct strace_name strace_map_flags[] = {
    FIELD(MAP_TYPE, MAP_SHARED), FIELD(MAP_TYPE, MAP_PRIVATE), FIELD(MAP_TYPE, MAP_SHARED_VALIDATE),
    FLAG(MAP_FIXED), FLAG(MAP_ANONYMOUS), FLAG(MAP_GROWSDOWN), FLAG(MAP_DENYWRITE),
    FLAG(MAP_EXECUTABLE), FLAG(MAP_LOCKED), FLAG(MAP_NORESERVE), FLAG(MAP_POPULATE),
    FLAG(MAP_NONBLOCK), FLAG(MAP_STACK), FLAG(MAP_HUGETLB), FLAG(MAP_SYNC),
    FLAG(MAP_FIXED_NOREPLACE), END};
const struct strace_name strace_mremap_flags[] = {
    FLAG(MREMAP_MAYMOVE), FLAG(MREMAP_FIXED), FLAG(MREMAP_DONTUNMAP), END};
const struct strace_name strace_msync_flags[] = {
    FLAG(MS_ASYNC), FLAG(MS_INVALIDATE), FLAG(MS_SYNC), END};
const struct strace_name strace_mlock_flags[] = {
    FLAG(MCL_CURRENT), FLAG(MCL_FUTURE), FLAG(MCL_ONFAULT), END};
const struct strace_name strace_madvice[] = {
    ONE(MADV_NORMAL), ONE(MADV_RANDOM), ONE(MADV_SEQUENTIAL), ONE(MADV_WILLNEED),
    ONE(MADV_DONTNEED), ONE(MADV_FREE), ONE(MADV_REMOVE), ONE(MADV_DONTFORK), ONE(MADV_DOFORK),
    ONE(MADV_MERGEABLE), ONE(MADV_UNMERGEABLE), ONE(MADV_HUGEPAGE), ONE(MADV_NOHUGEPAGE),
    ONE(MADV_DONTDUMP), ONE(MADV_DODUMP), ONE(MADV_WIPEONFORK), ONE(MADV_KEEPONFORK),
    ONE(MADV_COLD), ONE(MADV_PAGEOUT), ONE(MADV_POPULATE_READ), ONE(MADV_POPULATE_WRITE), END};
const struct strace_name strace_shm_flags[] = {
    FLAG(SHM_RDONLY), FLAG(SHM_RND), FLAG(SHM_REMAP), FLAG(SHM_EXEC), END};
const struct strace_name strace_ipc_flags[] = {FLAG(IPC_CREAT), FLAG(IPC_EXCL), FLAG(IPC_NOWAIT), END};
const struct strace_name strace_ipc_commands[] = {
    ONE(IPC_RMID), ONE(IPC_SET), ONE(IPC_STAT), ONE(IPC_INFO), ONE(MSG_STAT), ONE(MSG_INFO),
    ONE(SHM_LOCK), ONE(SHM_UNLOCK), ONE(SHM_STAT), ONE(SHM_INFO), ONE(GETPID), ONE(GETVAL),
    ONE(GETALL), ONE(GETNCNT), ONE(GETZCNT), ONE(SETVAL), ONE(SETALL), ONE(SEM_STAT), ONE(SEM_INFO),
    END};

const struct strace_name strace_clone_flags[] = {
    FLAG(CLONE_VM), FLAG(CLONE_FS), FLAG(CLONE_FILES), FLAG(CLONE_SIGHAND), FLAG(CLONE_PIDFD),
    FLAG(CLONE_PTRACE), FLAG(CLONE_VFORK), FLAG(CLONE_PARENT), FLAG(CLONE_THREAD),
    FLAG(CLONE_NEWNS), FLAG(CLONE_SYSVSEM), FLAG(CLONE_SETTLS), FLAG(CLONE_PARENT_SETTID),
    FLAG(CLONE_CHILD_CLEARTID), FLAG(CLONE_UNTRACED), FLAG(CLONE_CHILD_SETTID),
    FLAG(CLONE_NEWCGROUP), FLAG(CLONE_NEWUTS), FLAG(CLONE_NEWIPC), FLAG(CLONE_NEWUSER),
    FLAG(CLONE_NEWPID), FLAG(CLONE_NEWNET), FLAG(CLONE_IO), FLAG(CLONE_CLEAR_SIGHAND),
    FLAG(CLONE_INTO_CGROUP), END};
const struct strace_name strace_wait_flags[] = {
    FLAG(WNOHANG), FLAG(WUNTRACED), FLAG(WEXITED), FLAG(WCONTINUED), FLAG(WNOWAIT),
    FLAG(__WNOTHREAD), FLAG(__WALL), FLAG(__WCLONE), END};
const struct strace_name strace_idtypes[] = {ONE(P_ALL), ONE(P_PID), ONE(P_PGID), ONE(P_PIDFD), END};
const struct strace_name strace_futex_op[] = {
#define FUTEX(x) {FUTEX_CMD_MASK, x, #x}
    FUTEX(FUTEX_WAIT), FUTEX(FUTEX_WAKE), FUTEX(FUTEX_FD), FUTEX(FUTEX_REQUEUE),
    FUTEX(FUTEX_CMP_REQUEUE), FUTEX(FUTEX_WAKE_OP), FUTEX(FUTEX_LOCK_PI), FUTEX(FUTEX_UNLOCK_PI),
    FUTEX(FUTEX_TRYLOCK_PI), FUTEX(FUTEX_WAIT_BITSET), FUTEX(FUTEX_WAKE_BITSET),
    FUTEX(FUTEX_WAIT_REQUEUE_PI), FUTEX(FUTEX_CMP_REQUEUE_PI), FUTEX(FUTEX_LOCK_PI2),
    FLAG(FUTEX_PRIVATE_FLAG), FLAG(FUTEX_CLOCK_REALTIME), END};
const struct strace_name strace_schedulers[] = {
    ONE(SCHED_OTHER), ONE(SCHED_FIFO), ONE(SCHED_RR), ONE(SCHED_BATCH), ONE(SCHED_IDLE),
    ONE(SCHED_DEADLINE), FLAG(SCHED_RESET_ON_FORK), END};
const struct strace_name strace_priority_which[] = {
    ONE(PRIO_PROCESS), ONE(PRIO_PGRP), ONE(PRIO_USER), END};
const struct strace_name strace_rlimits[] = {
    ONE(RLIMIT_CPU), ONE(RLIMIT_FSIZE), ONE(RLIMIT_DATA), ONE(RLIMIT_STACK), ONE(RLIMIT_CORE),
    ONE(RLIMIT_RSS), ONE(RLIMIT_NPROC), ONE(RLIMIT_NOFILE), ONE(RLIMIT_MEMLOCK), ONE(RLIMIT_AS),
    ONE(RLIMIT_LOCKS), ONE(RLIMIT_SIGPENDING), ONE(RLIMIT_MSGQUEUE), ONE(RLIMIT_NICE),
    ONE(RLIMIT_RTPRIO), ONE(RLIMIT_RTTIME), END};
const struct strace_name strace_rusage_who[] = {
    {0xffffffff, 0, "RUSAGE_SELF"}, {0xffffffff, 0xffffffff, "RUSAGE_CHILDREN"},
    {0xffffffff, 1, "RUSAGE_THREAD"}, END};
const struct strace_name strace_seccomp_ops[] = {
    ONE(SECCOMP_SET_MODE_STRICT), ONE(SECCOMP_SET_MODE_FILTER), ONE(SECCOMP_GET_ACTION_AVAIL),
    ONE(SECCOMP_GET_NOTIF_SIZES), END};
const struct strace_name strace_membarriers[] = {
    ONE(MEMBARRIER_CMD_QUERY), ONE(MEMBARRIER_CMD_GLOBAL), ONE(MEMBARRIER_CMD_GLOBAL_EXPEDITED),
    ONE(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED), ONE(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
    ONE(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
    ONE(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE),
    ONE(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE),
    ONE(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ),
    ONE(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ), END};
const struct strace_name strace_ptrace_requests[] = {
    ONE(PTRACE_TRACEME), ONE(PTRACE_PEEKTEXT), ONE(PTRACE_PEEKDATA), ONE(PTRACE_POKETEXT),
    ONE(PTRACE_POKEDATA), ONE(PTRACE_CONT), ONE(PTRACE_KILL), ONE(PTRACE_SINGLESTEP),
    ONE(PTRACE_ATTACH), ONE(PTRACE_DETACH), ONE(PTRACE_SYSCALL), ONE(PTRACE_SETOPTIONS),
    ONE(PTRACE_GETEVENTMSG), ONE(PTRACE_GETSIGINFO), ONE(PTRACE_SETSIGINFO), ONE(PTRACE_GETREGSET),
    ONE(PTRACE_SETREGSET), ONE(PTRACE_SEIZE), ONE(PTRACE_INTERRUPT), ONE(PTRACE_LISTEN),
    ONE(PTRACE_PEEKSIGINFO), ONE(PTRACE_GETSIGMASK), ONE(PTRACE_SETSIGMASK),
    ONE(PTRACE_GET_SYSCALL_INFO), END};

const struct strace_name strace_sa_flags[] = {
    FLAG(SA_NOCLDSTOP), FLAG(SA_NOCLDWAIT), FLAG(SA_SIGINFO), {0x04000000, 0x04000000, "SA_RESTORER"},
    FLAG(SA_ONSTACK), FLAG(SA_RESTART), FLAG(SA_NODEFER), {0x80000000, 0x80000000, "SA_RESETHAND"},
    {0x400, 0x400, "SA_UNSUPPORTED"}, {0x800, 0x800, "SA_EXPOSE_TAGBITS"}, END};
const struct strace_name strace_sig_how[] = {ONE(SIG_BLOCK), ONE(SIG_UNBLOCK), ONE(SIG_SETMASK), END};
const struct strace_name strace_ss_flags[] = {
    {0xffffffff, 0, "0"}, FLAG(SS_ONSTACK), FLAG(SS_DISABLE), {1u << 31, 1u << 31, "SS_AUTODISARM"},
    END};
const struct strace_name strace_sigev_notify[] = {
    ONE(SIGEV_SIGNAL), ONE(SIGEV_NONE), ONE(SIGEV_THREAD), ONE(SIGEV_THREAD_ID), END};
const struct strace_name strace_clocks[] = {
    ONE(CLOCK_REALTIME), ONE(CLOCK_MONOTONIC), ONE(CLOCK_PROCESS_CPUTIME_ID),
    ONE(CLOCK_THREAD_CPUTIME_ID), ONE(CLOCK_MONOTONIC_RAW), ONE(CLOCK_REALTIME_COARSE),
    ONE(CLOCK_MONOTONIC_COARSE), ONE(CLOCK_BOOTTIME), ONE(CLOCK_REALTIME_ALARM),
    ONE(CLOCK_BOOTTIME_ALARM), ONE(CLOCK_TAI), END};
const struct strace_name strace_timer_flags[] = {
    FLAG(TIMER_ABSTIME), FLAG(TFD_TIMER_CANCEL_ON_SET), END};
const struct strace_name strace_itimers[] = {
    ONE(ITIMER_REAL), ONE(ITIMER_VIRTUAL), ONE(ITIMER_PROF), END};
const struct strace_name strace_random_flags[] = {
    FLAG(GRND_NONBLOCK), FLAG(GRND_RANDOM), FLAG(GRND_INSECURE), END};

const struct strace_name strace_poll_events[] = {
    FLAG(POLLIN), FLAG(POLLPRI), FLAG(POLLOUT), FLAG(POLLERR), FLAG(POLLHUP), FLAG(POLLNVAL),
    FLAG(POLLRDNORM), FLAG(POLLRDBAND), FLAG(POLLWRNORM), FLAG(POLLWRBAND), FLAG(POLLMSG),
    FLAG(POLLRDHUP), END};
const struct strace_name strace_epoll_events[] = {
    FLAG(EPOLLIN), FLAG(EPOLLPRI), FLAG(EPOLLOUT), FLAG(EPOLLERR), FLAG(EPOLLHUP), FLAG(EPOLLRDNORM),
    FLAG(EPOLLRDBAND), FLAG(EPOLLWRNORM), FLAG(EPOLLWRBAND), FLAG(EPOLLMSG), FLAG(EPOLLRDHUP),
    {1u << 28, 1u << 28, "EPOLLEXCLUSIVE"}, {1u << 29, 1u << 29, "EPOLLWAKEUP"},
    {1u << 30, 1u << 30, "EPOLLONESHOT"}, {1u << 31, 1u << 31, "EPOLLET"}, END};
const struct strace_name strace_epoll_op[] = {
    ONE(EPOLL_CTL_ADD), ONE(EPOLL_CTL_DEL), ONE(EPOLL_CTL_MOD), END};
const struct strace_name strace_families[] = {
    ONE(AF_UNSPEC), ONE(AF_UNIX), ONE(AF_INET), ONE(AF_INET6), ONE(AF_NETLINK), ONE(AF_PACKET),
    ONE(AF_BLUETOOTH), ONE(AF_ALG), ONE(AF_VSOCK), END};
const struct strace_name strace_sock_types[] = {
    FIELD(0xf, SOCK_STREAM), FIELD(0xf, SOCK_DGRAM), FIELD(0xf, SOCK_RAW), FIELD(0xf, SOCK_RDM),
    FIELD(0xf, SOCK_SEQPACKET), FIELD(0xf, SOCK_PACKET), FLAG(SOCK_NONBLOCK), FLAG(SOCK_CLOEXEC),
    END};
const struct strace_name strace_msg_flags[] = {
    FLAG(MSG_OOB), FLAG(MSG_PEEK), FLAG(MSG_DONTROUTE), FLAG(MSG_CTRUNC), FLAG(MSG_TRUNC),
    FLAG(MSG_DONTWAIT), FLAG(MSG_EOR), FLAG(MSG_WAITALL), FLAG(MSG_CONFIRM), FLAG(MSG_ERRQUEUE),
    FLAG(MSG_NOSIGNAL), FLAG(MSG_MORE), FLAG(MSG_WAITFORONE), FLAG(MSG_CMSG_CLOEXEC), END};
const struct strace_name strace_protocols[] = {
    ONE(IPPROTO_IP), ONE(IPPROTO_ICMP), ONE(IPPROTO_TCP), ONE(IPPROTO_UDP), ONE(IPPROTO_ICMPV6),
    ONE(IPPROTO_RAW), END};
const struct strace_name strace_shutdown_how[] = {ONE(SHUT_RD), ONE(SHUT_WR), ONE(SHUT_RDWR), END};
const struct strace_name strace_sock_levels[] = {
    {ALL, SOL_SOCKET, "SOL_SOCKET"}, {ALL, IPPROTO_IP, "SOL_IP"}, {ALL, IPPROTO_TCP, "SOL_TCP"},
    {ALL, IPPROTO_UDP, "SOL_UDP"}, {ALL, IPPROTO_IPV6, "SOL_IPV6"}, {ALL, 270, "SOL_NETLINK"}, END};

static const struct strace_name socket_options[] = {
    ONE(SO_DEBUG), ONE(SO_REUSEADDR), ONE(SO_TYPE), ONE(SO_ERROR), ONE(SO_DONTROUTE),
    ONE(SO_BROADCAST), ONE(SO_SNDBUF), ONE(SO_RCVBUF), ONE(SO_KEEPALIVE), ONE(SO_OOBINLINE),
    ONE(SO_PRIORITY), ONE(SO_LINGER), ONE(SO_REUSEPORT), ONE(SO_PASSCRED), ONE(SO_PEERCRED),
    ONE(SO_RCVLOWAT), ONE(SO_SNDLOWAT), ONE(SO_RCVTIMEO), ONE(SO_SNDTIMEO), ONE(SO_BINDTODEVICE),
    ONE(SO_ATTACH_FILTER), ONE(SO_TIMESTAMP), ONE(SO_ACCEPTCONN), ONE(SO_PEERSEC),
    ONE(SO_SNDBUFFORCE), ONE(SO_RCVBUFFORCE), ONE(SO_MARK), ONE(SO_PROTOCOL), ONE(SO_DOMAIN), END};
static const struct strace_name ip_options[] = {
    ONE(IP_TOS), ONE(IP_TTL), ONE(IP_HDRINCL), ONE(IP_OPTIONS), ONE(IP_RECVOPTS), ONE(IP_PKTINFO),
    ONE(IP_MTU_DISCOVER), ONE(IP_RECVERR), ONE(IP_RECVTTL), ONE(IP_RECVTOS), ONE(IP_MTU),
    ONE(IP_FREEBIND), ONE(IP_TRANSPARENT), ONE(IP_BIND_ADDRESS_NO_PORT), ONE(IP_MULTICAST_IF),
    ONE(IP_MULTICAST_TTL), ONE(IP_MULTICAST_LOOP), ONE(IP_ADD_MEMBERSHIP), END};
static const struct strace_name tcp_options[] = {
    ONE(TCP_NODELAY), ONE(TCP_MAXSEG), ONE(TCP_CORK), ONE(TCP_KEEPIDLE), ONE(TCP_KEEPINTVL),
    ONE(TCP_KEEPCNT), ONE(TCP_SYNCNT), ONE(TCP_DEFER_ACCEPT), ONE(TCP_INFO), ONE(TCP_QUICKACK),
    ONE(TCP_CONGESTION), ONE(TCP_USER_TIMEOUT), ONE(TCP_FASTOPEN), END};
static const struct strace_name ipv6_options[] = {
    ONE(IPV6_V6ONLY), ONE(IPV6_UNICAST_HOPS), ONE(IPV6_MULTICAST_IF), ONE(IPV6_MULTICAST_HOPS),
    ONE(IPV6_RECVERR), ONE(IPV6_RECVPKTINFO), ONE(IPV6_TCLASS), ONE(IPV6_MTU_DISCOVER), END};
const struct strace_level_options strace_level_options[] = {
    {SOL_SOCKET, socket_options}, {IPPROTO_IP, ip_options}, {IPPROTO_TCP, tcp_options},
    {IPPROTO_IPV6, ipv6_options}, {0, NULL}};

/* A command's own argument: its words, as in syscalls.h. */
const struct strace_option strace_fcntls[] = {
#define OPTION(x, words) {x, #x, words}
    OPTION(F_DUPFD, "int"), OPTION(F_DUPFD_CLOEXEC, "int"), OPTION(F_GETFD, "=fdflags"),
    OPTION(F_SETFD, "fdflags"), OPTION(F_GETFL, "=openflags"), OPTION(F_SETFL, "openflags"),
    {5, "F_GETLK", "flock>"}, {6, "F_SETLK", "lock"}, {7, "F_SETLKW", "lock"},
    OPTION(F_OFD_GETLK, "flock>"), OPTION(F_OFD_SETLK, "lock"), OPTION(F_OFD_SETLKW, "lock"),
    OPTION(F_GETOWN, ""), OPTION(F_SETOWN, "int"), OPTION(F_GETSIG, ""), OPTION(F_SETSIG, "signal"),
    OPTION(F_GETLEASE, ""), OPTION(F_SETLEASE, "int"), OPTION(F_NOTIFY, "hex"),
    OPTION(F_GETPIPE_SZ, ""), OPTION(F_SETPIPE_SZ, "int"), OPTION(F_ADD_SEALS, "hex"),
    OPTION(F_GET_SEALS, "=hex"), {0, NULL, NULL}};

const struct strace_option strace_prctls[] = {
    OPTION(PR_SET_PDEATHSIG, "signal"), OPTION(PR_GET_PDEATHSIG, "int>"), OPTION(PR_GET_DUMPABLE, ""),
    OPTION(PR_SET_DUMPABLE, "int"), OPTION(PR_GET_KEEPCAPS, ""), OPTION(PR_SET_KEEPCAPS, "int"),
    OPTION(PR_SET_NAME, "str"), OPTION(PR_GET_NAME, "str>"), OPTION(PR_GET_SECCOMP, ""),
    OPTION(PR_SET_SECCOMP, "int ptr"), OPTION(PR_CAPBSET_READ, "int"), OPTION(PR_CAPBSET_DROP, "int"),
    OPTION(PR_GET_SECUREBITS, ""), OPTION(PR_SET_SECUREBITS, "hex"), OPTION(PR_SET_TIMERSLACK, "uint"),
    OPTION(PR_GET_TIMERSLACK, ""), OPTION(PR_SET_MM, "int hex hex hex"),
    OPTION(PR_SET_PTRACER, "int"), OPTION(PR_SET_CHILD_SUBREAPER, "int"),
    OPTION(PR_GET_CHILD_SUBREAPER, "int>"), OPTION(PR_SET_NO_NEW_PRIVS, "int int int int"),
    OPTION(PR_GET_NO_NEW_PRIVS, "int int int int"), OPTION(PR_SET_THP_DISABLE, "int int int int"),
    OPTION(PR_CAP_AMBIENT, "int int"), OPTION(PR_SVE_GET_VL, ""), OPTION(PR_SVE_SET_VL, "hex"),
    OPTION(PR_PAC_RESET_KEYS, "hex int int int"), OPTION(PR_SET_TAGGED_ADDR_CTRL, "hex int int int"),
    OPTION(PR_GET_TAGGED_ADDR_CTRL, "int int int"), OPTION(PR_SET_SPECULATION_CTRL, "int hex"),
    OPTION(PR_GET_SPECULATION_CTRL, "int"), {PR_SET_VMA, "PR_SET_VMA", "int ptr size str"},
    {0, NULL, NULL}};

const struct strace_option strace_ioctls[] = {
    OPTION(TCGETS, "termios>"), OPTION(TCSETS, "termios"), OPTION(TCSETSW, "termios"),
    OPTION(TCSETSF, "termios"), OPTION(TCSBRK, "int"), OPTION(TCXONC, "int"), OPTION(TCFLSH, "int"),
    OPTION(TIOCGWINSZ, "winsize>"), OPTION(TIOCSWINSZ, "winsize"), OPTION(TIOCGPGRP, "int>"),
    OPTION(TIOCSPGRP, "int*"), OPTION(TIOCGSID, "int>"), OPTION(TIOCSCTTY, "int"),
    OPTION(TIOCNOTTY, ""), OPTION(TIOCGPTN, "int>"), OPTION(TIOCSPTLCK, "int*"),
    OPTION(TIOCGPTPEER, "openflags"), OPTION(TIOCOUTQ, "int>"), OPTION(TIOCSTI, "str"),
    OPTION(FIONREAD, "int>"), OPTION(FIONBIO, "int*"), OPTION(FIOASYNC, "int*"), OPTION(FIOCLEX, ""),
    OPTION(FIONCLEX, ""), OPTION(FICLONE, "fd"), OPTION(FICLONERANGE, "ptr"),
    OPTION(FS_IOC_GETFLAGS, "int>"), OPTION(FS_IOC_SETFLAGS, "int*"), OPTION(FS_IOC_FIEMAP, "ptr"),
    OPTION(BLKGETSIZE64, "ulong>"), OPTION(BLKSSZGET, "int>"), OPTION(SIOCGIFCONF, "ptr"),
    OPTION(SIOCGIFFLAGS, "ptr"), OPTION(SIOCGIFADDR, "ptr"), OPTION(SIOCGIFINDEX, "ptr"),
    OPTION(SIOCGIFHWADDR, "ptr"), OPTION(SIOCGIFMTU, "ptr"), OPTION(SIOCGIFNAME, "ptr"),
    {0, NULL, NULL}};
/* clang-format on */
