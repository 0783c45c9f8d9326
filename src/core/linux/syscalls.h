/* syscalls.h: the arm64 system call table, one row a call, and how the arguments of each are
 * printed.
 *
 * X(number, name, kind, arguments). The kinds:
 *
 *   PASS  the host's call of the same name with the same arguments: on two 64-bit little-endian
 *         machines most structures are laid out alike, and the kernel checks the pointers
 *   CALL  linux_sys_NAME(), in sys_*.c or in the file of its theme
 *   NONE  does not exist on arm64 as of Linux 6.1, or says so: ENOSYS
 *   TODO  exists there, but nobody has written it here yet: ENOSYS too
 *
 * `arguments` is how strace.c prints them: a word each, from the table in strace_args.c. A word
 * that ends in `>` is printed after the call, as it is an output; one that begins with `=` says how
 * the result looks. `buf` and `iovec` are as long as the next argument says, `buf>` as the result
 * says.
 *
 * Source: Linux 6.1, include/uapi/asm-generic/unistd.h as arch/arm64/include/uapi/asm/unistd.h uses
 * it; the numbers from 451 on are younger.
 */
#ifndef PENG_CORE_LINUX_SYSCALLS_H
#define PENG_CORE_LINUX_SYSCALLS_H

enum { LINUX_CALL_NUMBERS = 451, LINUX_CALL_ARGUMENTS = 6 };

/* clang-format off */
#define LINUX_CALLS(X)                                                                             \
    X(0,   io_setup,               PASS, "uint ptr")                                               \
    X(1,   io_destroy,             PASS, "ptr")                                                    \
    X(2,   io_submit,              PASS, "ptr long ptr")                                           \
    X(3,   io_cancel,              PASS, "ptr ptr ptr")                                            \
    X(4,   io_getevents,           PASS, "ptr long long ptr timespec")                             \
    X(5,   setxattr,               PASS, "path str buf size xattrflags")                           \
    X(6,   lsetxattr,              PASS, "path str buf size xattrflags")                           \
    X(7,   fsetxattr,              PASS, "fd str buf size xattrflags")                             \
    X(8,   getxattr,               PASS, "path str buf> size")                                     \
    X(9,   lgetxattr,              PASS, "path str buf> size")                                     \
    X(10,  fgetxattr,              PASS, "fd str buf> size")                                       \
    X(11,  listxattr,              PASS, "path buf> size")                                         \
    X(12,  llistxattr,             PASS, "path buf> size")                                         \
    X(13,  flistxattr,             PASS, "fd buf> size")                                           \
    X(14,  removexattr,            PASS, "path str")                                               \
    X(15,  lremovexattr,           PASS, "path str")                                               \
    X(16,  fremovexattr,           PASS, "fd str")                                                 \
    X(17,  getcwd,                 PASS, "str> size")                                              \
    X(18,  lookup_dcookie,         PASS, "hex str> size")                                          \
    X(19,  eventfd2,               PASS, "uint eventfdflags")                                      \
    X(20,  epoll_create1,          PASS, "pipeflags")                                              \
    X(21,  epoll_ctl,              CALL, "fd epollop fd epollevent")                               \
    X(22,  epoll_pwait,            CALL, "fd epollevents> int int sigset size")                    \
    X(23,  dup,                    CALL, "fd")                                                     \
    X(24,  dup3,                   CALL, "fd fd pipeflags")                                        \
    X(25,  fcntl,                  CALL, "fd option optionarg>")                                   \
    X(26,  inotify_init1,          PASS, "pipeflags")                                              \
    X(27,  inotify_add_watch,      PASS, "fd path inotifymask")                                    \
    X(28,  inotify_rm_watch,       PASS, "fd int")                                                 \
    X(29,  ioctl,                  CALL, "fd option optionarg>")                                   \
    X(30,  ioprio_set,             PASS, "int int hex")                                            \
    X(31,  ioprio_get,             PASS, "int int")                                                \
    X(32,  flock,                  PASS, "fd flockop")                                             \
    X(33,  mknodat,                PASS, "dirfd path filemode dev")                                \
    X(34,  mkdirat,                PASS, "dirfd path mode")                                        \
    X(35,  unlinkat,               PASS, "dirfd path unlinkflags")                                 \
    X(36,  symlinkat,              PASS, "path dirfd path")                                        \
    X(37,  linkat,                 PASS, "dirfd path dirfd path atflags")                          \
    X(38,  renameat,               PASS, "dirfd path dirfd path")                                  \
    X(39,  umount2,                PASS, "path umountflags")                                       \
    X(40,  mount,                  PASS, "path path str mountflags ptr")                           \
    X(41,  pivot_root,             PASS, "path path")                                              \
    X(42,  nfsservctl,             NONE, "int ptr ptr")                                            \
    X(43,  statfs,                 PASS, "path statfs>")                                           \
    X(44,  fstatfs,                PASS, "fd statfs>")                                             \
    X(45,  truncate,               PASS, "path off")                                               \
    X(46,  ftruncate,              PASS, "fd off")                                                 \
    X(47,  fallocate,              PASS, "fd fallocmode off off")                                  \
    X(48,  faccessat,              CALL, "dirfd path access")                                      \
    X(49,  chdir,                  PASS, "path")                                                   \
    X(50,  fchdir,                 PASS, "fd")                                                     \
    X(51,  chroot,                 PASS, "path")                                                   \
    X(52,  fchmod,                 PASS, "fd mode")                                                \
    X(53,  fchmodat,               PASS, "dirfd path mode")                                        \
    X(54,  fchownat,               PASS, "dirfd path int int atflags")                             \
    X(55,  fchown,                 PASS, "fd int int")                                             \
    X(56,  openat,                 CALL, "dirfd path openflags openmode")                          \
    X(57,  close,                  CALL, "fd")                                                     \
    X(58,  vhangup,                PASS, "")                                                       \
    X(59,  pipe2,                  CALL, "fdpair> pipeflags")                                      \
    X(60,  quotactl,               PASS, "hex path int ptr")                                       \
    X(61,  getdents64,             CALL, "fd dirents> size")                                       \
    X(62,  lseek,                  PASS, "fd off whence")                                          \
    X(63,  read,                   PASS, "fd buf> size")                                           \
    X(64,  write,                  PASS, "fd buf size")                                            \
    X(65,  readv,                  PASS, "fd iovec> int")                                          \
    X(66,  writev,                 PASS, "fd iovec int")                                           \
    X(67,  pread64,                PASS, "fd buf> size off")                                       \
    X(68,  pwrite64,               PASS, "fd buf size off")                                        \
    X(69,  preadv,                 PASS, "fd iovec> int off")                                      \
    X(70,  pwritev,                PASS, "fd iovec int off")                                       \
    X(71,  sendfile,               PASS, "fd fd off* size")                                        \
    X(72,  pselect6,               CALL, "int fdset fdset fdset timespec ptr =select")             \
    X(73,  ppoll,                  CALL, "pollfds int timespec sigset size =poll")                 \
    X(74,  signalfd4,              PASS, "fd sigset size pipeflags")                               \
    X(75,  vmsplice,               PASS, "fd iovec int spliceflags")                               \
    X(76,  splice,                 PASS, "fd off* fd off* size spliceflags")                       \
    X(77,  tee,                    PASS, "fd fd size spliceflags")                                 \
    X(78,  readlinkat,             CALL, "dirfd path buf> size")                                   \
    X(79,  newfstatat,             CALL, "dirfd path stat> atflags")                               \
    X(80,  fstat,                  CALL, "fd stat>")                                               \
    X(81,  sync,                   PASS, "")                                                       \
    X(82,  fsync,                  PASS, "fd")                                                     \
    X(83,  fdatasync,              PASS, "fd")                                                     \
    X(84,  sync_file_range,        PASS, "fd off off syncflags")                                   \
    X(85,  timerfd_create,         PASS, "clock pipeflags")                                        \
    X(86,  timerfd_settime,        PASS, "fd timerflags itimerspec itimerspec>")                   \
    X(87,  timerfd_gettime,        PASS, "fd itimerspec>")                                         \
    X(88,  utimensat,              PASS, "dirfd path timespec2 atflags")                           \
    X(89,  acct,                   PASS, "path")                                                   \
    X(90,  capget,                 PASS, "caphdr capdata>")                                        \
    X(91,  capset,                 PASS, "caphdr capdata")                                         \
    X(92,  personality,            CALL, "hex")                                                    \
    X(93,  exit,                   CALL, "int =never")                                             \
    X(94,  exit_group,             CALL, "int =never")                                             \
    X(95,  waitid,                 CALL, "idtype int siginfo> waitflags rusage>")                  \
    X(96,  set_tid_address,        PASS, "ptr")                                                    \
    X(97,  unshare,                PASS, "cloneflags")                                             \
    X(98,  futex,                  PASS, "ptr futexop uint futextime futexaddress2 futexvalue3")   \
    X(99,  set_robust_list,        PASS, "ptr size")                                               \
    X(100, get_robust_list,        PASS, "int ulong> ulong>")                                      \
    X(101, nanosleep,              PASS, "timespec timespec>")                                     \
    X(102, getitimer,              PASS, "itimer itimerval>")                                      \
    X(103, setitimer,              PASS, "itimer itimerval itimerval>")                            \
    X(104, kexec_load,             PASS, "ptr ulong ptr hex")                                      \
    X(105, init_module,            PASS, "ptr size str")                                           \
    X(106, delete_module,          PASS, "str openflags")                                          \
    X(107, timer_create,           PASS, "clock sigevent int>")                                    \
    X(108, timer_gettime,          PASS, "int itimerspec>")                                        \
    X(109, timer_getoverrun,       PASS, "int")                                                    \
    X(110, timer_settime,          PASS, "int timerflags itimerspec itimerspec>")                  \
    X(111, timer_delete,           PASS, "int")                                                    \
    X(112, clock_settime,          PASS, "clock timespec")                                         \
    X(113, clock_gettime,          CALL, "clock timespec>")                                        \
    X(114, clock_getres,           PASS, "clock timespec>")                                        \
    X(115, clock_nanosleep,        PASS, "clock timerflags timespec timespec>")                    \
    X(116, syslog,                 PASS, "int buf> size")                                          \
    X(117, ptrace,                 CALL, "ptracerequest int ptr ptr")                              \
    X(118, sched_setparam,         PASS, "int int*")                                               \
    X(119, sched_setscheduler,     PASS, "int scheduler int*")                                     \
    X(120, sched_getscheduler,     PASS, "int")                                                    \
    X(121, sched_getparam,         PASS, "int int>")                                               \
    X(122, sched_setaffinity,      PASS, "int size cpuset")                                        \
    X(123, sched_getaffinity,      PASS, "int size cpuset>")                                       \
    X(124, sched_yield,            PASS, "")                                                       \
    X(125, sched_get_priority_max, PASS, "scheduler")                                              \
    X(126, sched_get_priority_min, PASS, "scheduler")                                              \
    X(127, sched_rr_get_interval,  PASS, "int timespec>")                                          \
    X(128, restart_syscall,        PASS, "")                                                       \
    X(129, kill,                   PASS, "int signal")                                             \
    X(130, tkill,                  PASS, "int signal")                                             \
    X(131, tgkill,                 PASS, "int int signal")                                         \
    X(132, sigaltstack,            CALL, "stack stack>")                                           \
    X(133, rt_sigsuspend,          CALL, "sigset size")                                            \
    X(134, rt_sigaction,           CALL, "signal sigaction sigaction> size")                       \
    X(135, rt_sigprocmask,         CALL, "sighow sigset sigset> size")                             \
    X(136, rt_sigpending,          CALL, "sigset> size")                                           \
    X(137, rt_sigtimedwait,        CALL, "sigset siginfo> timespec size")                          \
    X(138, rt_sigqueueinfo,        CALL, "int signal siginfo")                                     \
    X(139, rt_sigreturn,           CALL, "=")                                                      \
    X(140, setpriority,            PASS, "priowhich int int")                                      \
    X(141, getpriority,            PASS, "priowhich int")                                          \
    X(142, reboot,                 PASS, "hex hex hex ptr")                                        \
    X(143, setregid,               PASS, "int int")                                                \
    X(144, setgid,                 PASS, "int")                                                    \
    X(145, setreuid,               PASS, "int int")                                                \
    X(146, setuid,                 PASS, "int")                                                    \
    X(147, setresuid,              PASS, "int int int")                                            \
    X(148, getresuid,              PASS, "int> int> int>")                                         \
    X(149, setresgid,              PASS, "int int int")                                            \
    X(150, getresgid,              PASS, "int> int> int>")                                         \
    X(151, setfsuid,               PASS, "int")                                                    \
    X(152, setfsgid,               PASS, "int")                                                    \
    X(153, times,                  PASS, "ptr")                                                    \
    X(154, setpgid,                PASS, "int int")                                                \
    X(155, getpgid,                PASS, "int")                                                    \
    X(156, getsid,                 PASS, "int")                                                    \
    X(157, setsid,                 PASS, "")                                                       \
    X(158, getgroups,              PASS, "int ints>")                                              \
    X(159, setgroups,              PASS, "int ints")                                               \
    X(160, uname,                  CALL, "utsname>")                                               \
    X(161, sethostname,            PASS, "buf size")                                               \
    X(162, setdomainname,          PASS, "buf size")                                               \
    X(163, getrlimit,              PASS, "rlimitname rlimit>")                                     \
    X(164, setrlimit,              PASS, "rlimitname rlimit")                                      \
    X(165, getrusage,              PASS, "rusagewho rusage>")                                      \
    X(166, umask,                  PASS, "mode =mode")                                             \
    X(167, prctl,                  CALL, "option optionarg> optionarg> optionarg> optionarg>")     \
    X(168, getcpu,                 PASS, "int> int> ptr")                                          \
    X(169, gettimeofday,           CALL, "timeval> ptr")                                           \
    X(170, settimeofday,           PASS, "timeval ptr")                                            \
    X(171, adjtimex,               PASS, "ptr")                                                    \
    X(172, getpid,                 PASS, "")                                                       \
    X(173, getppid,                PASS, "")                                                       \
    X(174, getuid,                 PASS, "")                                                       \
    X(175, geteuid,                PASS, "")                                                       \
    X(176, getgid,                 PASS, "")                                                       \
    X(177, getegid,                PASS, "")                                                       \
    X(178, gettid,                 PASS, "")                                                       \
    X(179, sysinfo,                PASS, "sysinfo>")                                               \
    X(180, mq_open,                PASS, "path openflags openmode ptr")                            \
    X(181, mq_unlink,              PASS, "path")                                                   \
    X(182, mq_timedsend,           PASS, "fd buf size uint timespec")                              \
    X(183, mq_timedreceive,        PASS, "fd buf> size int> timespec")                             \
    X(184, mq_notify,              PASS, "fd sigevent")                                            \
    X(185, mq_getsetattr,          PASS, "fd ptr ptr")                                             \
    X(186, msgget,                 PASS, "hex ipcflags")                                           \
    X(187, msgctl,                 PASS, "int ipccommand ptr")                                     \
    X(188, msgrcv,                 PASS, "int ptr size long msgflags")                             \
    X(189, msgsnd,                 PASS, "int ptr size msgflags")                                  \
    X(190, semget,                 PASS, "hex int ipcflags")                                       \
    X(191, semctl,                 CALL, "int int ipccommand hex")                                 \
    X(192, semtimedop,             PASS, "int sembufs int timespec")                               \
    X(193, semop,                  PASS, "int sembufs int")                                        \
    X(194, shmget,                 PASS, "hex size ipcflags")                                      \
    X(195, shmctl,                 PASS, "int ipccommand ptr")                                     \
    X(196, shmat,                  CALL, "int ptr shmflags =hex")                                  \
    X(197, shmdt,                  CALL, "ptr")                                                    \
    X(198, socket,                 PASS, "family socktype protocol")                               \
    X(199, socketpair,             PASS, "family socktype int fdpair>")                            \
    X(200, bind,                   PASS, "fd sockaddr int")                                        \
    X(201, listen,                 PASS, "fd int")                                                 \
    X(202, accept,                 PASS, "fd sockaddr> int*")                                      \
    X(203, connect,                PASS, "fd sockaddr int")                                        \
    X(204, getsockname,            PASS, "fd sockaddr> int*")                                      \
    X(205, getpeername,            PASS, "fd sockaddr> int*")                                      \
    X(206, sendto,                 PASS, "fd buf size msgflags sockaddr int")                      \
    X(207, recvfrom,               PASS, "fd buf> size msgflags sockaddr> int*")                   \
    X(208, setsockopt,             PASS, "fd socklevel sockopt sockval int")                       \
    X(209, getsockopt,             PASS, "fd socklevel sockopt sockval> int*")                     \
    X(210, shutdown,               PASS, "fd shutdownhow")                                         \
    X(211, sendmsg,                PASS, "fd msghdr msgflags")                                     \
    X(212, recvmsg,                PASS, "fd msghdr> msgflags")                                    \
    X(213, readahead,              PASS, "fd off size")                                            \
    X(214, brk,                    CALL, "ptr =hex")                                               \
    X(215, munmap,                 CALL, "ptr size")                                               \
    X(216, mremap,                 CALL, "ptr size size mremapflags ptr =hex")                     \
    X(217, add_key,                PASS, "str str buf size int")                                   \
    X(218, request_key,            PASS, "str str str int")                                        \
    X(219, keyctl,                 PASS, "int hex hex hex hex")                                    \
    X(220, clone,                  CALL, "clone ptr ptr ptr ptr")                                  \
    X(221, execve,                 CALL, "path argv envp")                                         \
    X(222, mmap,                   CALL, "ptr size prot mmapflags fd hex =hex")                    \
    X(223, fadvise64,              PASS, "fd off size fadvice")                                    \
    X(224, swapon,                 PASS, "path hex")                                               \
    X(225, swapoff,                PASS, "path")                                                   \
    X(226, mprotect,               CALL, "ptr size prot")                                          \
    X(227, msync,                  CALL, "ptr size msyncflags")                                    \
    X(228, mlock,                  CALL, "ptr size")                                               \
    X(229, munlock,                CALL, "ptr size")                                               \
    X(230, mlockall,               CALL, "mlockflags")                                             \
    X(231, munlockall,             CALL, "")                                                       \
    X(232, mincore,                CALL, "ptr size ptr")                                           \
    X(233, madvise,                CALL, "ptr size madvice")                                       \
    X(234, remap_file_pages,       CALL, "ptr size prot ulong mmapflags")                          \
    X(235, mbind,                  PASS, "ptr size int ptr ulong hex")                             \
    X(236, get_mempolicy,          PASS, "int> ptr ulong ptr hex")                                 \
    X(237, set_mempolicy,          PASS, "int ptr ulong")                                          \
    X(238, migrate_pages,          PASS, "int ulong ptr ptr")                                      \
    X(239, move_pages,             PASS, "int ulong ptr ptr ptr hex")                              \
    X(240, rt_tgsigqueueinfo,      CALL, "int int signal siginfo")                                 \
    X(241, perf_event_open,        PASS, "ptr int int fd hex")                                     \
    X(242, accept4,                PASS, "fd sockaddr> int* socktype")                             \
    X(243, recvmmsg,               PASS, "fd ptr int msgflags timespec")                           \
    X(260, wait4,                  CALL, "int waitstatus> waitflags rusage>")                      \
    X(261, prlimit64,              PASS, "int rlimitname rlimit rlimit>")                          \
    X(262, fanotify_init,          CALL, "hex openflags")                                          \
    X(263, fanotify_mark,          PASS, "fd hex hex dirfd path")                                  \
    X(264, name_to_handle_at,      PASS, "dirfd path ptr int> atflags")                            \
    X(265, open_by_handle_at,      CALL, "fd ptr openflags")                                       \
    X(266, clock_adjtime,          PASS, "clock ptr")                                              \
    X(267, syncfs,                 PASS, "fd")                                                     \
    X(268, setns,                  PASS, "fd cloneflags")                                          \
    X(269, sendmmsg,               PASS, "fd ptr int msgflags")                                    \
    X(270, process_vm_readv,       PASS, "int iovec ulong ptr ulong hex")                          \
    X(271, process_vm_writev,      PASS, "int iovec ulong ptr ulong hex")                          \
    X(272, kcmp,                   PASS, "int int int ulong ulong")                                \
    X(273, finit_module,           PASS, "fd str hex")                                             \
    X(274, sched_setattr,          PASS, "int ptr hex")                                            \
    X(275, sched_getattr,          PASS, "int ptr size hex")                                       \
    X(276, renameat2,              PASS, "dirfd path dirfd path renameflags")                      \
    X(277, seccomp,                CALL, "seccompop hex ptr")                                      \
    X(278, getrandom,              PASS, "buf> size randomflags")                                  \
    X(279, memfd_create,           PASS, "str memfdflags")                                         \
    X(280, bpf,                    PASS, "int ptr size")                                           \
    X(281, execveat,               CALL, "dirfd path argv envp atflags")                           \
    X(282, userfaultfd,            PASS, "pipeflags")                                              \
    X(283, membarrier,             CALL, "membarrier hex int")                                     \
    X(284, mlock2,                 CALL, "ptr size hex")                                           \
    X(285, copy_file_range,        PASS, "fd off* fd off* size hex")                               \
    X(286, preadv2,                PASS, "fd iovec> int off off rwflags")                          \
    X(287, pwritev2,               PASS, "fd iovec int off off rwflags")                           \
    X(288, pkey_mprotect,          NONE, "ptr size prot int")                                      \
    X(289, pkey_alloc,             NONE, "hex hex")                                                \
    X(290, pkey_free,              NONE, "int")                                                    \
    X(291, statx,                  CALL, "dirfd path atflags statxmask statx>")                    \
    X(292, io_pgetevents,          CALL, "ptr long long ptr timespec ptr")                         \
    X(293, rseq,                   CALL, "ptr size hex hex")                                       \
    X(294, kexec_file_load,        PASS, "fd fd size str hex")                                     \
    X(424, pidfd_send_signal,      PASS, "fd signal siginfo hex")                                  \
    X(425, io_uring_setup,         CALL, "uint ptr")                                               \
    X(426, io_uring_enter,         CALL, "fd uint uint hex ptr size")                              \
    X(427, io_uring_register,      CALL, "fd uint ptr uint")                                       \
    X(428, open_tree,              PASS, "dirfd path hex")                                         \
    X(429, move_mount,             PASS, "dirfd path dirfd path hex")                              \
    X(430, fsopen,                 PASS, "str hex")                                                \
    X(431, fsconfig,               PASS, "fd uint str ptr int")                                    \
    X(432, fsmount,                PASS, "fd hex hex")                                             \
    X(433, fspick,                 PASS, "dirfd path hex")                                         \
    X(434, pidfd_open,             PASS, "int pipeflags")                                          \
    X(435, clone3,                 CALL, "cloneargs size")                                         \
    X(436, close_range,            CALL, "uint uint closerangeflags")                              \
    X(437, openat2,                CALL, "dirfd path openhow size")                                \
    X(438, pidfd_getfd,            PASS, "fd fd hex")                                              \
    X(439, faccessat2,             CALL, "dirfd path access atflags")                              \
    X(440, process_madvise,        PASS, "fd iovec ulong madvice hex")                             \
    X(441, epoll_pwait2,           CALL, "fd epollevents> int timespec sigset size")               \
    X(442, mount_setattr,          PASS, "dirfd path atflags ptr size")                            \
    X(443, quotactl_fd,            PASS, "fd hex int ptr")                                         \
    X(444, landlock_create_ruleset, PASS, "landlockattr size hex")                                 \
    X(445, landlock_add_rule,      PASS, "fd int ptr hex")                                         \
    X(446, landlock_restrict_self, PASS, "fd hex")                                                 \
    X(447, memfd_secret,           PASS, "pipeflags")                                              \
    X(448, process_mrelease,       PASS, "fd hex")                                                 \
    X(449, futex_waitv,            PASS, "ptr uint hex timespec clock")                            \
    X(450, set_mempolicy_home_node, PASS, "ptr size ulong hex")
/* clang-format on */

#endif
