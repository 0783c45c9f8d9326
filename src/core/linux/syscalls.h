/* syscalls.h: the arm64 system call table, one row a call, and how the arguments of each are
 * printed.
 *
 * X(number, name, kind, arguments). The kinds:
 *
 *   PASS  the host's call of the same name with the same arguments: on two 64-bit little-endian
 *         machines most structures are laid out alike, and the kernel checks the pointers
 *   CALL  linux_sys_NAME(), in sys_*.c or in the file of its theme
 *   NONE  does not exist on arm64 as of Linux 6.1, or not here by choice (rseq: sys_info.c): ENOSYS
 *   TODO  exists there, but nobody has written it here yet: ENOSYS too
 *
 * `arguments` is how strace.c prints them: a word each, from the table in strace_args.c; a word
 * that ends in `>` is printed after the call, as it is an output. `buf` and `iov` are as long as
 * the next argument says, `buf>` as the result says.
 *
 * Source: Linux 6.1, include/uapi/asm-generic/unistd.h as arch/arm64/include/uapi/asm/unistd.h uses
 * it; the numbers from 451 on are younger.
 */
#ifndef PENG_CORE_LINUX_SYSCALLS_H
#define PENG_CORE_LINUX_SYSCALLS_H

enum { LINUX_CALL_NUMBERS = 451, LINUX_CALL_ARGUMENTS = 6 };

/* clang-format off */
#define LINUX_CALLS(X)                                                                             \
    X(0,   io_setup,               PASS, "ulong ptr")                                              \
    X(1,   io_destroy,             PASS, "hex")                                                    \
    X(2,   io_submit,              PASS, "hex long ptr")                                           \
    X(3,   io_cancel,              PASS, "hex ptr ptr")                                            \
    X(4,   io_getevents,           PASS, "hex long long ptr time")                                 \
    X(5,   setxattr,               PASS, "str str buf ulong int")                                  \
    X(6,   lsetxattr,              PASS, "str str buf ulong int")                                  \
    X(7,   fsetxattr,              PASS, "fd str buf ulong int")                                   \
    X(8,   getxattr,               PASS, "str str buf> ulong")                                     \
    X(9,   lgetxattr,              PASS, "str str buf> ulong")                                     \
    X(10,  fgetxattr,              PASS, "fd str buf> ulong")                                      \
    X(11,  listxattr,              PASS, "str buf> ulong")                                         \
    X(12,  llistxattr,             PASS, "str buf> ulong")                                         \
    X(13,  flistxattr,             PASS, "fd buf> ulong")                                          \
    X(14,  removexattr,            PASS, "str str")                                                \
    X(15,  lremovexattr,           PASS, "str str")                                                \
    X(16,  fremovexattr,           PASS, "fd str")                                                 \
    X(17,  getcwd,                 PASS, "buf> ulong")                                             \
    X(18,  lookup_dcookie,         PASS, "ulong ptr ulong")                                        \
    X(19,  eventfd2,               PASS, "int hex")                                                \
    X(20,  epoll_create1,          PASS, "hex")                                                    \
    X(21,  epoll_ctl,              CALL, "fd epollop fd ptr")                                      \
    X(22,  epoll_pwait,            CALL, "fd ptr int int sigset")                                  \
    X(23,  dup,                    PASS, "fd")                                                     \
    X(24,  dup3,                   CALL, "fd fd open")                                             \
    X(25,  fcntl,                  CALL, "fd fcntl hex")                                           \
    X(26,  inotify_init1,          PASS, "open")                                                   \
    X(27,  inotify_add_watch,      PASS, "fd str hex")                                             \
    X(28,  inotify_rm_watch,       PASS, "fd int")                                                 \
    X(29,  ioctl,                  CALL, "fd ioctl hex")                                           \
    X(30,  ioprio_set,             PASS, "int int hex")                                            \
    X(31,  ioprio_get,             PASS, "int int")                                                \
    X(32,  flock,                  PASS, "fd int")                                                 \
    X(33,  mknodat,                PASS, "dirfd str mode hex")                                     \
    X(34,  mkdirat,                PASS, "dirfd str mode")                                         \
    X(35,  unlinkat,               PASS, "dirfd str at")                                           \
    X(36,  symlinkat,              PASS, "str dirfd str")                                          \
    X(37,  linkat,                 PASS, "dirfd str dirfd str at")                                 \
    X(38,  renameat,               PASS, "dirfd str dirfd str")                                    \
    X(39,  umount2,                PASS, "str hex")                                                \
    X(40,  mount,                  PASS, "str str str hex ptr")                                    \
    X(41,  pivot_root,             PASS, "str str")                                                \
    X(42,  nfsservctl,             NONE, "int ptr ptr")                                            \
    X(43,  statfs,                 PASS, "str ptr")                                                \
    X(44,  fstatfs,                PASS, "fd ptr")                                                 \
    X(45,  truncate,               PASS, "str long")                                               \
    X(46,  ftruncate,              PASS, "fd long")                                                \
    X(47,  fallocate,              PASS, "fd hex long long")                                       \
    X(48,  faccessat,              CALL, "dirfd str mode")                                         \
    X(49,  chdir,                  PASS, "str")                                                    \
    X(50,  fchdir,                 PASS, "fd")                                                     \
    X(51,  chroot,                 PASS, "str")                                                    \
    X(52,  fchmod,                 PASS, "fd mode")                                                \
    X(53,  fchmodat,               PASS, "dirfd str mode")                                         \
    X(54,  fchownat,               PASS, "dirfd str int int at")                                   \
    X(55,  fchown,                 PASS, "fd int int")                                             \
    X(56,  openat,                 CALL, "dirfd str open mode")                                    \
    X(57,  close,                  CALL, "fd")                                                     \
    X(58,  vhangup,                PASS, "")                                                       \
    X(59,  pipe2,                  CALL, "ptr open")                                               \
    X(60,  quotactl,               PASS, "hex str int ptr")                                        \
    X(61,  getdents64,             PASS, "fd ptr ulong")                                           \
    X(62,  lseek,                  PASS, "fd long whence")                                         \
    X(63,  read,                   PASS, "fd buf> ulong")                                          \
    X(64,  write,                  PASS, "fd buf ulong")                                           \
    X(65,  readv,                  PASS, "fd iov ulong")                                           \
    X(66,  writev,                 PASS, "fd iov ulong")                                           \
    X(67,  pread64,                PASS, "fd buf> ulong long")                                     \
    X(68,  pwrite64,               PASS, "fd buf ulong long")                                      \
    X(69,  preadv,                 PASS, "fd iov ulong long")                                      \
    X(70,  pwritev,                PASS, "fd iov ulong long")                                      \
    X(71,  sendfile,               PASS, "fd fd ptr ulong")                                        \
    X(72,  pselect6,               CALL, "int ptr ptr ptr time ptr")                               \
    X(73,  ppoll,                  CALL, "ptr ulong time sigset ulong")                            \
    X(74,  signalfd4,              PASS, "fd sigset ulong open")                                   \
    X(75,  vmsplice,               PASS, "fd iov ulong hex")                                       \
    X(76,  splice,                 PASS, "fd ptr fd ptr ulong hex")                                \
    X(77,  tee,                    PASS, "fd fd ulong hex")                                        \
    X(78,  readlinkat,             CALL, "dirfd str buf> ulong")                                   \
    X(79,  newfstatat,             CALL, "dirfd str stat> at")                                     \
    X(80,  fstat,                  CALL, "fd stat>")                                               \
    X(81,  sync,                   PASS, "")                                                       \
    X(82,  fsync,                  PASS, "fd")                                                     \
    X(83,  fdatasync,              PASS, "fd")                                                     \
    X(84,  sync_file_range,        PASS, "fd long long hex")                                       \
    X(85,  timerfd_create,         PASS, "clock open")                                             \
    X(86,  timerfd_settime,        PASS, "fd hex itimer ptr")                                      \
    X(87,  timerfd_gettime,        PASS, "fd ptr")                                                 \
    X(88,  utimensat,              PASS, "dirfd str ptr at")                                       \
    X(89,  acct,                   PASS, "str")                                                    \
    X(90,  capget,                 PASS, "ptr ptr")                                                \
    X(91,  capset,                 PASS, "ptr ptr")                                                \
    X(92,  personality,            CALL, "hex")                                                    \
    X(93,  exit,                   CALL, "int")                                                    \
    X(94,  exit_group,             CALL, "int")                                                    \
    X(95,  waitid,                 PASS, "int int siginfo wait ptr")                               \
    X(96,  set_tid_address,        PASS, "ptr")                                                    \
    X(97,  unshare,                PASS, "clone")                                                  \
    X(98,  futex,                  PASS, "ptr futex ulong time ptr ulong")                         \
    X(99,  set_robust_list,        PASS, "ptr ulong")                                              \
    X(100, get_robust_list,        PASS, "int ptr ptr")                                            \
    X(101, nanosleep,              PASS, "time time>")                                             \
    X(102, getitimer,              PASS, "int ptr")                                                \
    X(103, setitimer,              PASS, "int itimer ptr")                                         \
    X(104, kexec_load,             PASS, "hex ulong ptr hex")                                      \
    X(105, init_module,            PASS, "ptr ulong str")                                          \
    X(106, delete_module,          PASS, "str hex")                                                \
    X(107, timer_create,           PASS, "clock ptr ptr")                                          \
    X(108, timer_gettime,          PASS, "int ptr")                                                \
    X(109, timer_getoverrun,       PASS, "int")                                                    \
    X(110, timer_settime,          PASS, "int hex itimer ptr")                                     \
    X(111, timer_delete,           PASS, "int")                                                    \
    X(112, clock_settime,          PASS, "clock time")                                             \
    X(113, clock_gettime,          CALL, "clock time>")                                            \
    X(114, clock_getres,           PASS, "clock time>")                                            \
    X(115, clock_nanosleep,        PASS, "clock hex time time>")                                   \
    X(116, syslog,                 PASS, "int ptr ulong")                                          \
    X(117, ptrace,                 TODO, "ptrace int hex hex")                                     \
    X(118, sched_setparam,         PASS, "int ptr")                                                \
    X(119, sched_setscheduler,     PASS, "int int ptr")                                            \
    X(120, sched_getscheduler,     PASS, "int")                                                    \
    X(121, sched_getparam,         PASS, "int ptr")                                                \
    X(122, sched_setaffinity,      PASS, "int ulong ptr")                                          \
    X(123, sched_getaffinity,      PASS, "int ulong ptr")                                          \
    X(124, sched_yield,            PASS, "")                                                       \
    X(125, sched_get_priority_max, PASS, "int")                                                    \
    X(126, sched_get_priority_min, PASS, "int")                                                    \
    X(127, sched_rr_get_interval,  PASS, "int time>")                                              \
    X(128, restart_syscall,        PASS, "")                                                       \
    X(129, kill,                   PASS, "int signal")                                             \
    X(130, tkill,                  PASS, "int signal")                                             \
    X(131, tgkill,                 PASS, "int int signal")                                         \
    X(132, sigaltstack,            CALL, "ptr ptr")                                                \
    X(133, rt_sigsuspend,          CALL, "sigset ulong")                                           \
    X(134, rt_sigaction,           CALL, "signal sigaction ptr ulong")                             \
    X(135, rt_sigprocmask,         CALL, "int sigset ptr ulong")                                   \
    X(136, rt_sigpending,          CALL, "ptr ulong")                                              \
    X(137, rt_sigtimedwait,        CALL, "sigset siginfo time ulong")                              \
    X(138, rt_sigqueueinfo,        CALL, "int signal siginfo")                                     \
    X(139, rt_sigreturn,           CALL, "")                                                       \
    X(140, setpriority,            PASS, "int int int")                                            \
    X(141, getpriority,            PASS, "int int")                                                \
    X(142, reboot,                 PASS, "hex hex hex ptr")                                        \
    X(143, setregid,               PASS, "int int")                                                \
    X(144, setgid,                 PASS, "int")                                                    \
    X(145, setreuid,               PASS, "int int")                                                \
    X(146, setuid,                 PASS, "int")                                                    \
    X(147, setresuid,              PASS, "int int int")                                            \
    X(148, getresuid,              PASS, "ptr ptr ptr")                                            \
    X(149, setresgid,              PASS, "int int int")                                            \
    X(150, getresgid,              PASS, "ptr ptr ptr")                                            \
    X(151, setfsuid,               PASS, "int")                                                    \
    X(152, setfsgid,               PASS, "int")                                                    \
    X(153, times,                  PASS, "ptr")                                                    \
    X(154, setpgid,                PASS, "int int")                                                \
    X(155, getpgid,                PASS, "int")                                                    \
    X(156, getsid,                 PASS, "int")                                                    \
    X(157, setsid,                 PASS, "")                                                       \
    X(158, getgroups,              PASS, "int ptr")                                                \
    X(159, setgroups,              PASS, "int ptr")                                                \
    X(160, uname,                  CALL, "ptr")                                                    \
    X(161, sethostname,            PASS, "buf ulong")                                              \
    X(162, setdomainname,          PASS, "buf ulong")                                              \
    X(163, getrlimit,              PASS, "resource ptr")                                           \
    X(164, setrlimit,              PASS, "resource rlimit")                                        \
    X(165, getrusage,              PASS, "int ptr")                                                \
    X(166, umask,                  PASS, "mode")                                                   \
    X(167, prctl,                  CALL, "prctl hex hex hex hex")                                  \
    X(168, getcpu,                 PASS, "ptr ptr ptr")                                            \
    X(169, gettimeofday,           CALL, "ptr ptr")                                                \
    X(170, settimeofday,           PASS, "timeval timeval")                                        \
    X(171, adjtimex,               PASS, "ptr")                                                    \
    X(172, getpid,                 PASS, "")                                                       \
    X(173, getppid,                PASS, "")                                                       \
    X(174, getuid,                 PASS, "")                                                       \
    X(175, geteuid,                PASS, "")                                                       \
    X(176, getgid,                 PASS, "")                                                       \
    X(177, getegid,                PASS, "")                                                       \
    X(178, gettid,                 PASS, "")                                                       \
    X(179, sysinfo,                PASS, "ptr")                                                    \
    X(180, mq_open,                PASS, "str open mode ptr")                                      \
    X(181, mq_unlink,              PASS, "str")                                                    \
    X(182, mq_timedsend,           PASS, "fd buf ulong ulong time")                                \
    X(183, mq_timedreceive,        PASS, "fd buf> ulong ptr time")                                 \
    X(184, mq_notify,              PASS, "fd ptr")                                                 \
    X(185, mq_getsetattr,          PASS, "fd ptr ptr")                                             \
    X(186, msgget,                 PASS, "hex hex")                                                \
    X(187, msgctl,                 PASS, "int hex ptr")                                            \
    X(188, msgrcv,                 PASS, "int ptr ulong long hex")                                 \
    X(189, msgsnd,                 PASS, "int ptr ulong hex")                                      \
    X(190, semget,                 PASS, "hex int hex")                                            \
    X(191, semctl,                 CALL, "int int hex hex")                                        \
    X(192, semtimedop,             PASS, "int ptr ulong time")                                     \
    X(193, semop,                  PASS, "int ptr ulong")                                          \
    X(194, shmget,                 PASS, "hex ulong hex")                                          \
    X(195, shmctl,                 PASS, "int hex ptr")                                            \
    X(196, shmat,                  TODO, "int ptr hex")                                            \
    X(197, shmdt,                  TODO, "ptr")                                                    \
    X(198, socket,                 PASS, "family socktype int")                                    \
    X(199, socketpair,             PASS, "family socktype int ptr")                                \
    X(200, bind,                   PASS, "fd addr ulong")                                          \
    X(201, listen,                 PASS, "fd int")                                                 \
    X(202, accept,                 PASS, "fd addr> ptr")                                           \
    X(203, connect,                PASS, "fd addr ulong")                                          \
    X(204, getsockname,            PASS, "fd addr> ptr")                                           \
    X(205, getpeername,            PASS, "fd addr> ptr")                                           \
    X(206, sendto,                 PASS, "fd buf ulong hex addr ulong")                            \
    X(207, recvfrom,               PASS, "fd buf> ulong hex addr> ptr")                            \
    X(208, setsockopt,             PASS, "fd int int buf ulong")                                   \
    X(209, getsockopt,             PASS, "fd int int ptr ptr")                                     \
    X(210, shutdown,               PASS, "fd int")                                                 \
    X(211, sendmsg,                PASS, "fd ptr hex")                                             \
    X(212, recvmsg,                PASS, "fd ptr hex")                                             \
    X(213, readahead,              PASS, "fd long ulong")                                          \
    X(214, brk,                    TODO, "ptr")                                                    \
    X(215, munmap,                 TODO, "ptr ulong")                                              \
    X(216, mremap,                 TODO, "ptr ulong ulong hex ptr")                                \
    X(217, add_key,                PASS, "str str buf ulong int")                                  \
    X(218, request_key,            PASS, "str str str int")                                        \
    X(219, keyctl,                 PASS, "int hex hex hex hex")                                    \
    X(220, clone,                  CALL, "clone ptr ptr ptr ptr")                                  \
    X(221, execve,                 TODO, "str strs strs")                                          \
    X(222, mmap,                   TODO, "ptr ulong prot map fd hex")                              \
    X(223, fadvise64,              PASS, "fd long long int")                                       \
    X(224, swapon,                 PASS, "str hex")                                                \
    X(225, swapoff,                PASS, "str")                                                    \
    X(226, mprotect,               TODO, "ptr ulong prot")                                         \
    X(227, msync,                  PASS, "ptr ulong hex")                                          \
    X(228, mlock,                  PASS, "ptr ulong")                                              \
    X(229, munlock,                PASS, "ptr ulong")                                              \
    X(230, mlockall,               PASS, "hex")                                                    \
    X(231, munlockall,             PASS, "")                                                       \
    X(232, mincore,                PASS, "ptr ulong ptr")                                          \
    X(233, madvise,                TODO, "ptr ulong int")                                          \
    X(234, remap_file_pages,       TODO, "ptr ulong prot ulong hex")                               \
    X(235, mbind,                  PASS, "ptr ulong hex ptr ulong hex")                            \
    X(236, get_mempolicy,          PASS, "ptr ptr ulong ptr hex")                                  \
    X(237, set_mempolicy,          PASS, "hex ptr ulong")                                          \
    X(238, migrate_pages,          PASS, "int ulong ptr ptr")                                      \
    X(239, move_pages,             PASS, "int ulong ptr ptr ptr hex")                              \
    X(240, rt_tgsigqueueinfo,      CALL, "int int signal siginfo")                                 \
    X(241, perf_event_open,        PASS, "ptr int int fd hex")                                     \
    X(242, accept4,                PASS, "fd addr> ptr socktype")                                  \
    X(243, recvmmsg,               PASS, "fd ptr ulong hex time")                                  \
    X(260, wait4,                  PASS, "int status> wait ptr")                                   \
    X(261, prlimit64,              PASS, "int resource rlimit ptr")                                \
    X(262, fanotify_init,          CALL, "hex open")                                               \
    X(263, fanotify_mark,          PASS, "fd hex hex dirfd str")                                   \
    X(264, name_to_handle_at,      PASS, "dirfd str ptr ptr at")                                   \
    X(265, open_by_handle_at,      CALL, "dirfd ptr open")                                         \
    X(266, clock_adjtime,          PASS, "clock ptr")                                              \
    X(267, syncfs,                 PASS, "fd")                                                     \
    X(268, setns,                  PASS, "fd clone")                                               \
    X(269, sendmmsg,               PASS, "fd ptr ulong hex")                                       \
    X(270, process_vm_readv,       PASS, "int iov ulong iov ulong hex")                            \
    X(271, process_vm_writev,      PASS, "int iov ulong iov ulong hex")                            \
    X(272, kcmp,                   PASS, "int int int hex hex")                                    \
    X(273, finit_module,           PASS, "fd str hex")                                             \
    X(274, sched_setattr,          PASS, "int ptr hex")                                            \
    X(275, sched_getattr,          PASS, "int ptr ulong hex")                                      \
    X(276, renameat2,              PASS, "dirfd str dirfd str hex")                                \
    X(277, seccomp,                CALL, "int hex ptr")                                            \
    X(278, getrandom,              PASS, "buf> ulong hex")                                         \
    X(279, memfd_create,           PASS, "str hex")                                                \
    X(280, bpf,                    PASS, "int ptr ulong")                                          \
    X(281, execveat,               TODO, "dirfd str strs strs at")                                 \
    X(282, userfaultfd,            PASS, "hex")                                                    \
    X(283, membarrier,             CALL, "hex hex int")                                            \
    X(284, mlock2,                 PASS, "ptr ulong hex")                                          \
    X(285, copy_file_range,        PASS, "fd ptr fd ptr ulong hex")                                \
    X(286, preadv2,                PASS, "fd iov ulong long long hex")                             \
    X(287, pwritev2,               PASS, "fd iov ulong long long hex")                             \
    X(288, pkey_mprotect,          NONE, "ptr ulong prot int")                                     \
    X(289, pkey_alloc,             NONE, "hex hex")                                                \
    X(290, pkey_free,              NONE, "int")                                                    \
    X(291, statx,                  CALL, "dirfd str at hex ptr")                                   \
    X(292, io_pgetevents,          CALL, "hex long long ptr time ptr")                             \
    X(293, rseq,                   NONE, "ptr ulong hex hex")                                      \
    X(294, kexec_file_load,        PASS, "fd fd ulong str hex")                                    \
    X(424, pidfd_send_signal,      PASS, "fd signal siginfo hex")                                  \
    X(425, io_uring_setup,         CALL, "ulong ptr")                                              \
    X(426, io_uring_enter,         CALL, "fd ulong ulong hex sigset ulong")                        \
    X(427, io_uring_register,      CALL, "fd ulong ptr ulong")                                     \
    X(428, open_tree,              PASS, "dirfd str hex")                                          \
    X(429, move_mount,             PASS, "dirfd str dirfd str hex")                                \
    X(430, fsopen,                 PASS, "str hex")                                                \
    X(431, fsconfig,               PASS, "fd int str ptr int")                                     \
    X(432, fsmount,                PASS, "fd hex hex")                                             \
    X(433, fspick,                 PASS, "dirfd str hex")                                          \
    X(434, pidfd_open,             PASS, "int hex")                                                \
    X(435, clone3,                 CALL, "ptr ulong")                                              \
    X(436, close_range,            CALL, "ulong ulong hex")                                        \
    X(437, openat2,                CALL, "dirfd str ptr ulong")                                    \
    X(438, pidfd_getfd,            PASS, "fd fd hex")                                              \
    X(439, faccessat2,             CALL, "dirfd str mode at")                                      \
    X(440, process_madvise,        PASS, "fd iov ulong int hex")                                   \
    X(441, epoll_pwait2,           CALL, "fd ptr int time sigset")                                 \
    X(442, mount_setattr,          PASS, "dirfd str at ptr ulong")                                 \
    X(443, quotactl_fd,            PASS, "fd hex int ptr")                                         \
    X(444, landlock_create_ruleset,PASS, "ptr ulong hex")                                          \
    X(445, landlock_add_rule,      PASS, "fd int ptr hex")                                         \
    X(446, landlock_restrict_self, PASS, "fd hex")                                                 \
    X(447, memfd_secret,           PASS, "hex")                                                    \
    X(448, process_mrelease,       PASS, "fd hex")                                                 \
    X(449, futex_waitv,            PASS, "ptr ulong hex time clock")                               \
    X(450, set_mempolicy_home_node,PASS, "ptr ulong ulong hex")
/* clang-format on */

#endif
