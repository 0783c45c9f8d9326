/* forkexec.c: starts a program many times, one after the other: forkexec COUNT [PROGRAM]. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 500;
    const char *program = argc > 2 ? argv[2] : "/bin/true";
    for (int i = 0; i < count; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            execl(program, program, (char *)NULL);
            _exit(127);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    printf("%d\n", count);
    return 0;
}
