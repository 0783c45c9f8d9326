/* gdb_target.c: what gdb.py debugs: calls, a signal, a thread, a child process, an exit status. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int counter;
volatile sig_atomic_t handled;

static void on_signal(int signal)
{
    handled = signal;
}

__attribute__((noinline)) int add(int a, int b)
{
    counter++;
    return a + b;
}

static void *thread_body(void *arg)
{
    for (int i = 0; i < 3; i++)
        add(i, (int)(long)arg);
    return NULL;
}

volatile int spinning;

__attribute__((noinline)) void pause_here(void)
{
    while (spinning)
        counter++;
    kill(getpid(), SIGTERM);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        pause_here();
    pthread_t thread;
    signal(SIGUSR1, on_signal);
    volatile double half = 1.5;
    int sum = add(2, 3);
    raise(SIGUSR1);
    pthread_create(&thread, NULL, thread_body, (void *)10);
    pthread_join(thread, NULL);
    int status = 0, child = fork();
    if (child == 0)
        _exit(add(3, 4)); /* a breakpoint of the parent's must not be there */
    waitpid(child, &status, 0);
    printf("sum %d handled %d counter %d half %g child %d\n", sum, handled, counter, half,
           WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 42;
}
