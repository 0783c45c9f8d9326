/* process.c: what a process may ask about itself and others: limits, priorities, prctl, pidfd,
 * futex, membarrier, capabilities, memory of others, landlock, userfaultfd. */
#include "tell.h"

#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/landlock.h>
#include <linux/membarrier.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

static void limits(void)
{
    struct rlimit limit = {100, 200}, old;
    TELL(prlimit(0, RLIMIT_NOFILE, &limit, &old));
    TELL(getrlimit(RLIMIT_NOFILE, &limit));
    printf("files %lu %lu\n", (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    TELL(open("/dev/null", O_RDONLY));
    TELL(dup2(0, 150));
    limit.rlim_cur = 300;
    TELL(setrlimit(RLIMIT_NOFILE, &limit));
    TELL(getrlimit(99, &limit));
    TELL(prlimit(0, RLIMIT_CORE, NULL, (void *)8));
    struct rusage usage;
    TELL(getrusage(RUSAGE_SELF, &usage));
    TELL_BOOL(usage.ru_maxrss > 100);
    TELL(getrusage(7, &usage));
    struct sysinfo info;
    TELL(sysinfo(&info));
    TELL_BOOL(info.mem_unit == 1 && info.totalram > 1 << 20 && info.procs > 1);
    struct tms tms;
    TELL_BOOL(times(&tms) > 0);
    TELL(getpriority(PRIO_PROCESS, 0));
    TELL(setpriority(PRIO_PROCESS, 0, 5));
    TELL(syscall(SYS_getpriority, PRIO_PROCESS, 0));
    TELL(getpriority(9, 0));
    TELL(sched_getscheduler(0));
    TELL(sched_get_priority_max(SCHED_FIFO));
    TELL(sched_rr_get_interval(0, &(struct timespec){0}));
    cpu_set_t set, one;
    TELL(sched_getaffinity(0, sizeof(set), &set));
    TELL_BOOL(CPU_COUNT(&set) >= 1);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set) && !CPU_COUNT(&one))
            CPU_SET(i, &one);
    TELL(sched_setaffinity(0, sizeof(one), &one));
    unsigned cpu = 9999, node;
    TELL(syscall(SYS_getcpu, &cpu, &node, NULL));
    TELL_BOOL(CPU_ISSET(cpu, &one));
    TELL(sched_setaffinity(0, sizeof(set), &set));
    TELL(sched_yield());
    TELL(personality(0xffffffff));
    TELL(personality(ADDR_NO_RANDOMIZE));
    TELL_HEX(personality(0));
    struct utsname name;
    TELL(uname(&name));
    TELL_TEXT(name.sysname);
    TELL(syscall(SYS_uname, (void *)8));
    char random[8];
    TELL(syscall(SYS_getrandom, random, 8, 0));
    TELL(syscall(SYS_getrandom, random, 8, 99));
}

static void options(void)
{
    char name[16] = "";
    int value = 0;
    TELL(prctl(PR_SET_NAME, "renamed"));
    TELL(prctl(PR_GET_NAME, name));
    TELL_TEXT(name);
    TELL(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    TELL(prctl(PR_GET_PDEATHSIG, &value));
    TELL(value);
    TELL(prctl(PR_SET_PDEATHSIG, 0));
    TELL(prctl(PR_GET_DUMPABLE));
    TELL(prctl(PR_SET_DUMPABLE, 7));
    TELL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    TELL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    TELL(prctl(PR_GET_TIMERSLACK));
    TELL(prctl(PR_SET_CHILD_SUBREAPER, 1));
    TELL(prctl(PR_GET_CHILD_SUBREAPER, &value));
    TELL(value);
    TELL(prctl(PR_CAPBSET_READ, CAP_KILL));
    TELL(prctl(PR_GET_SECCOMP));
    TELL(prctl(12345));
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    TELL(syscall(SYS_capget, &header, data));
    header.version = 1;
    TELL(syscall(SYS_capget, &header, NULL));
    TELL_HEX(header.version);
    TELL_OK(syscall(SYS_keyctl, 0, -3, 1)); /* KEYCTL_GET_KEYRING_ID */
    TELL(syscall(SYS_keyctl, 999));
}

static void pidfds(void)
{
    siginfo_t info = {0};
    char there = 'x', here = 'y';
    pid_t child = fork();
    if (!child) {
        for (;;)
            pause();
    }
    int fd = (int)TELL(syscall(SYS_pidfd_open, child, 0));
    struct iovec remote = {&there, 1}, local = {&here, 1};
    TELL(process_vm_readv(child, &local, 1, &remote, 1, 0));
    TELL(here);
    TELL(syscall(SYS_kcmp, getpid(), child, 2 /* KCMP_FILES */, 0, 0) != 0);
    TELL(syscall(SYS_pidfd_getfd, fd, 1, 0) >= 0);
    TELL(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
    TELL(waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOWAIT));
    printf("signal %d code %d status %d child %d\n", info.si_signo, info.si_code, info.si_status,
           info.si_pid == child);
    int status;
    struct rusage usage;
    TELL(wait4(child, &status, 0, &usage) == child);
    TELL(WTERMSIG(status));
    TELL(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    TELL(waitpid(-1, &status, WNOHANG));
    TELL(waitid(P_ALL, 0, &info, 0));
    TELL(kill(child, 0));
    close(fd);
}

static uint32_t word;

static void *waker(void *arg)
{
    usleep(30000);
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
    return NULL;
}

static void futexes(void)
{
    pthread_t thread;
    struct timespec soon = {0, 10000000};
    TELL(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &soon));
    TELL(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 7, &soon));
    TELL(syscall(SYS_futex, &word, FUTEX_WAKE, 9));
    TELL(syscall(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 0, &soon));
    TELL(syscall(SYS_futex, (void *)8, FUTEX_WAIT, 0, &soon));
    pthread_create(&thread, NULL, waker, NULL);
    while (!__atomic_load_n(&word, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
    TELL(word);
    pthread_join(thread, NULL);
    struct futex_waitv waits[1] = {{.uaddr = (uintptr_t)&word, .val = 1, .flags = FUTEX_32}};
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    TELL(syscall(SYS_futex_waitv, waits, 1, 0, &when, CLOCK_MONOTONIC));
    long query = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    TELL_HEX(query & 0x7f);
    TELL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    TELL(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    TELL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    TELL(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
    TELL(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
    TELL(syscall(SYS_membarrier, 1 << 20, 0, 0));
}

static void *filler(void *arg)
{
    int fd = *(int *)arg;
    struct uffd_msg message;
    static char page[4096];
    strcpy(page, "filled in");
    if (read(fd, &message, sizeof(message)) != sizeof(message))
        return NULL;
    struct uffdio_copy copy = {
        .dst = message.arg.pagefault.address & ~4095ull, .src = (uintptr_t)page, .len = 4096};
    ioctl(fd, UFFDIO_COPY, &copy);
    return (void *)(uintptr_t)copy.copy;
}

static void faults(void)
{
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (fd < 0) {
        printf("no userfaultfd: %s\n", strerrorname_np(errno));
        return;
    }
    struct uffdio_api api = {.api = UFFD_API};
    TELL(ioctl(fd, UFFDIO_API, &api));
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register reg = {.range = {(uintptr_t)p, 8192},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING};
    TELL(ioctl(fd, UFFDIO_REGISTER, &reg));
    pthread_t thread;
    void *copied;
    pthread_create(&thread, NULL, filler, &fd);
    TELL_TEXT(p);
    pthread_join(thread, &copied);
    TELL((long)copied);
    struct uffdio_zeropage zero = {.range = {(uintptr_t)p + 4096, 4096}};
    TELL(ioctl(fd, UFFDIO_ZEROPAGE, &zero));
    TELL(p[5000]);
    close(fd);
    munmap(p, 8192);
}

static void locks_on_land(void)
{
    TELL_BOOL(syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1 || errno == EOPNOTSUPP ||
              errno == ENOSYS);
    struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    if (rules < 0) {
        printf("no landlock: %s\n", strerrorname_np(errno));
        return;
    }
    tell_file("outside", "x");
    mkdir("inside", 0755);
    tell_file("inside/file", "x");
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
                                              .parent_fd = open("inside", O_PATH | O_DIRECTORY)};
    TELL(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
    TELL(syscall(SYS_landlock_restrict_self, rules, 0));
    TELL(open("inside/file", O_RDONLY) >= 0);
    TELL(open("outside", O_RDONLY));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* what fork copies is empty */
    limits();
    options();
    pidfds();
    futexes();
    faults();
    locks_on_land();
}
