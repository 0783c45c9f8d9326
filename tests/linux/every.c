/* every.c: every call of the table with arguments that make no sense: the errors must be the same,
 * so nothing is missing, and what is checked first is checked first. */
#include "tell.h"

#include <sys/wait.h>

#include "core/linux/syscalls.h"

/* A call may end, block or change the process: each runs in a child of its own, which reports. */
enum { ENDED = 1000, RETURNED = 1001 };

static int report(long number, const long a[6])
{
    int pipes[2], answer = ENDED;
    if (pipe(pipes) < 0)
        return -1;
    pid_t child = fork();
    if (!child) {
        alarm(2);
        long r = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        answer = r == -1 && errno ? errno : RETURNED;
        _exit(write(pipes[1], &answer, sizeof(answer)) != sizeof(answer));
    }
    close(pipes[1]);
    if (read(pipes[0], &answer, sizeof(answer)) < 0)
        answer = -1;
    close(pipes[0]);
    waitpid(child, NULL, 0);
    return answer;
}

static const char *text(int answer)
{
    if (answer == ENDED)
        return "does not return";
    return answer == RETURNED ? "returns" : strerrorname_np(answer);
}

/* Makes or ends processes, hangs up the terminal, stops the machine, changes what others share or
 * leaves things behind, tells what the test is run by, or is absent on purpose. */
static const int skipped[] = {
    SYS_clone,
    SYS_clone3,
    SYS_vhangup,
    SYS_reboot,
    SYS_rt_sigreturn,
    SYS_sync,
    SYS_kill,
    SYS_tgkill,
    SYS_tkill,
    SYS_ptrace,
    SYS_rseq,
    SYS_pkey_alloc,
    SYS_pkey_free,
    SYS_setpgid,
    SYS_pkey_mprotect,
    SYS_nfsservctl,
    SYS_swapoff,
    SYS_rt_sigqueueinfo,
    SYS_munmap,
    SYS_mprotect,
    SYS_syslog,
    SYS_msgctl,
    SYS_shmctl,
    SYS_semctl,
    SYS_restart_syscall,
    SYS_msgget,
    SYS_semget,
    SYS_shmget,
    SYS_acct,
    SYS_process_madvise,
    SYS_personality,
    SYS_clock_settime,
    SYS_settimeofday,
    SYS_sethostname,
    SYS_rt_tgsigqueueinfo,
    SYS_setdomainname,
};

static bool skips(int number)
{
    for (unsigned i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
        if (skipped[i] == number)
            return true;
    return false;
}

static void try(const char *name, int number)
{
    static const long tries[][6] = {
        {-1, -1, -1, -1, -1, -1}, {0, 0, 0, 0, 0, 0}, {99, 8, 8, 8, 8, 8}, {8, 99, 1, 1, 1, 1}};
    if (skips(number))
        return;
    for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
        printf("%s #%u: %s\n", name, i, text(report(number, tries[i])));
}

#define TRY(number, name, kind, arguments) try(#name, SYS_##name);

int main(void)
{
    int pipes[2]; /* as descriptor 0: fchmod(0, 0) on the host's /dev/null would stay */
    if (pipe(pipes) < 0 || dup2(pipes[0], STDIN_FILENO) < 0)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    LINUX_CALLS(TRY)
}
