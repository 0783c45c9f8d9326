/* modern.c: userfaultfd while guest code and the kernel touch the pages, and clone3. */
#include "tell.h"

#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAGE = 4096 };

/* --- userfaultfd --------------------------------------------------------------------------------
 */

static int fault_fd;
static char *faulting;

/* What the serving thread saw, told when it is done. */
static struct {
    unsigned event, flags;
    unsigned long page;
    int result;
} seen[3];

static void *serve(void *unused)
{
    static char page[PAGE] __attribute__((aligned(PAGE)));
    struct uffd_msg message;
    for (int i = 0; i < 3; i++) {
        if (read(fault_fd, &message, sizeof(message)) != sizeof(message))
            break;
        unsigned long at = message.arg.pagefault.address & ~(PAGE - 1ul);
        seen[i].event = message.event;
        seen[i].flags = (unsigned)message.arg.pagefault.flags;
        seen[i].page = (at - (unsigned long)faulting) / PAGE;
        memset(page, 'a' + i, PAGE);
        struct uffdio_copy copy = {.dst = at, .src = (unsigned long)page, .len = PAGE};
        struct uffdio_zeropage zero = {.range = {at, PAGE}};
        seen[i].result =
            i == 2 ? ioctl(fault_fd, UFFDIO_ZEROPAGE, &zero) : ioctl(fault_fd, UFFDIO_COPY, &copy);
    }
    return NULL;
}

static void userfaults(void)
{
    struct uffdio_api api = {.api = UFFD_API};
    pthread_t thread;
    int fds[2];
    fault_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (fault_fd < 0) {
        printf("no userfaultfd: %s\n", strerrorname_np(errno));
        return;
    }
    TELL(ioctl(fault_fd, UFFDIO_API, &api));
    faulting = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register range = {.range = {(unsigned long)faulting, 4 * PAGE},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    TELL(ioctl(fault_fd, UFFDIO_REGISTER, &range));
    pthread_create(&thread, NULL, serve, NULL);
    volatile char *at = faulting;
    TELL(at[PAGE + 5]); /* a load of guest code */
    at[5] = 'z';        /* a store */
    TELL(at[0]);
    TELL(at[5]);
    TELL(pipe(fds));
    TELL(write(fds[1], faulting + 2 * PAGE, 10)); /* the kernel's own access */
    pthread_join(thread, NULL);
    for (int i = 0; i < 3; i++)
        printf("event %#x, flags %#x, page %lu: %d\n", seen[i].event, seen[i].flags, seen[i].page,
               seen[i].result);
    TELL(at[2 * PAGE]);
    struct uffdio_range all = {(unsigned long)faulting, 4 * PAGE};
    TELL(ioctl(fault_fd, UFFDIO_UNREGISTER, &all));
    TELL(at[3 * PAGE]);
    close(fault_fd);
}

/* --- clone3 -------------------------------------------------------------------------------------
 */

static void clones(void)
{
    int fd = -1, status = 0;
    pid_t parent_tid = 0;
    struct clone_args args = {
        .flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)&fd,
        .parent_tid = (uintptr_t)&parent_tid,
        .exit_signal = SIGCHLD,
    };
    signal(SIGUSR1, SIG_IGN);
    struct sigaction action = {.sa_handler = _exit};
    sigaction(SIGUSR2, &action, NULL);
    fflush(stdout);
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (child == 0) {
        struct sigaction ignored, handled;
        sigaction(SIGUSR1, NULL, &ignored);
        sigaction(SIGUSR2, NULL, &handled);
        _exit((ignored.sa_handler == SIG_IGN) * 2 + (handled.sa_handler == SIG_DFL));
    }
    TELL_BOOL(child > 0 && parent_tid == child && fd >= 0);
    TELL(waitpid(child, &status, 0) == child);
    TELL(WEXITSTATUS(status));
    TELL(syscall(SYS_clone3, &args, 8));
    TELL(syscall(SYS_clone3, (void *)8, sizeof(args)));
    TELL(syscall(SYS_clone3, &args, 5000));
    args = (struct clone_args){.flags = CLONE_THREAD};
    TELL(syscall(SYS_clone3, &args, sizeof(args)));
    args = (struct clone_args){.flags = 1ull << 60};
    TELL(syscall(SYS_clone3, &args, sizeof(args)));
    args = (struct clone_args){.exit_signal = 999};
    TELL(syscall(SYS_clone3, &args, sizeof(args)));
    args = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
    TELL(syscall(SYS_clone3, &args, sizeof(args)));
    close(fd);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* what fork copies is empty */
    userfaults();
    clones();
}
