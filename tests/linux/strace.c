/* strace.c: the program whose calls strace.py looks at. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_signal(int signal)
{
}

static void *work(void *unused)
{
    syscall(SYS_sched_yield);
    return NULL;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct timespec times[2] = {{1, 2}, {3, 4}};
    char buffer[64] = "";
    int status;
    int fd = open("a \"file\"\n", O_RDWR | O_CREAT, 0640);
    write(fd, "0123456789012345678901234567890123456789", 40);
    pread(fd, buffer, 5, 2);
    pread(fd, (void *)8, 5, 2);
    openat(AT_FDCWD, "nothing", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    syscall(SYS_openat, AT_FDCWD, (void *)16, O_RDONLY);
    syscall(SYS_utimensat, fd, NULL, times, 0);
    fcntl(fd, F_GETFL);
    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    syscall(999, 1, 2, 3);
    close(2); /* the lines go on */
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    if (fork() == 0)
        _exit(3);
    wait(&status);
    if (fork() == 0) {
        execl("/nowhere", "nowhere", "one", NULL);
        *(volatile int *)4 = 1;
    }
    wait(&status);
    if (argc == 1) {
        execl("/proc/self/exe", "strace", "again", NULL);
        return 1;
    }
    return 42;
}
