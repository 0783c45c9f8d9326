/* test_jail.c: what a jailed process can still do and what it cannot, seen from outside: each case
 * is a child that jails itself and then tries. The oracle is the kernel's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/thread.h"
#include "hardware/jail/jail.h"

enum { LACKING = 77, TEXT_BYTES = 256 };

/* Runs `act` in a child under the list of calls for `work`. Returns its wait status; its standard
 * error goes to `text`. */
static int in_jail(unsigned work, int (*act)(void), char text[TEXT_BYTES])
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct err e;
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL); /* cmocka has handlers */
        if (jail_calls(work, &e) < 0)
            _exit(LACKING);
        _exit(act());
    }
    close(ends[1]);
    ssize_t n = read(ends[0], text, TEXT_BYTES - 1);
    text[n > 0 ? n : 0] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == LACKING)
        skip();
    return status;
}

static void assert_allowed(unsigned work, int (*act)(void))
{
    char text[TEXT_BYTES];
    int status = in_jail(work, act, text);
    assert_string_equal(text, "");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void assert_killed(unsigned work, int (*act)(void))
{
    char text[TEXT_BYTES];
    int status = in_jail(work, act, text);
    assert_non_null(strstr(text, "is not allowed in the jail\n"));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* --- what a child tries ------------------------------------------------------------------------
 */

static int try_exec(void)
{
    return execl("/bin/true", "true", NULL);
}

static int try_fork(void)
{
    return fork() < 0;
}

static int try_vfork(void)
{
    return (int)syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

static int try_namespace(void)
{
    return unshare(CLONE_NEWUSER);
}

static int try_open(void)
{
    return open("/etc/passwd", O_RDONLY) < 0;
}

static int try_create(void)
{
    return open("/dev/null", O_WRONLY) < 0;
}

static int try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0;
}

static int try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0;
}

static int try_unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int try_raw_socket(void)
{
    return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0 || errno != EACCES;
}

static int try_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED;
}

static int try_code_later(void)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0;
}

static int try_kvm(void)
{
    return ioctl(-1, 0xae80 /* KVM_RUN */, 0) == 0 || errno != EBADF;
}

static int try_terminal_input(void)
{
    return ioctl(0, TIOCSTI, "x") < 0;
}

static int try_kill(void)
{
    return kill(getppid(), SIGTERM) < 0;
}

static int try_signal_other(void)
{
    return (int)syscall(SYS_tgkill, getppid(), getppid(), 0) < 0;
}

static int try_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1) < 0;
}

static void *count_up(void *arg)
{
    char *block = malloc(100000);
    memset(block, 1, 100000);
    *(int *)arg += block[99999];
    free(block);
    return NULL;
}

static int try_thread(void)
{
    pthread_t thread;
    int count = 0;
    if (thread_start(&thread, "counter", count_up, &count) || pthread_join(thread, NULL))
        return 1;
    return count != 1;
}

static const struct {
    int (*act)(void);
    unsigned allowed_for; /* enum jail_work; 0: never */
} forbidden[] = {
    {try_exec, 0},
    {try_fork, 0},
    {try_vfork, 0},
    {try_namespace, 0},
    {try_create, JAIL_STORE | JAIL_CHANGES},
    {try_ptrace, 0},
    {try_socket, JAIL_SOCKETS},
    {try_unix_socket, 0},
    {try_raw_socket, JAIL_SOCKETS}, /* not to have, but to ask for */
    {try_code, 0},
    {try_code_later, 0},
    {try_kvm, JAIL_KVM},
    {try_terminal_input, 0},
    {try_kill, 0},
    {try_signal_other, 0},
    {try_dumpable, 0},
};

/* --- cases -------------------------------------------------------------------------------------
 */

static void each_call_by_what_is_done(void **state)
{
    static const unsigned works[] = {0,          JAIL_KVM,     JAIL_SOCKETS, JAIL_STORE,
                                     JAIL_SHARE, JAIL_LISTENS, JAIL_WORK_ALL};
    for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
        for (size_t w = 0; w < ARRAY_SIZE(works); w++)
            (forbidden[i].allowed_for & works[w] ? assert_allowed
                                                 : assert_killed)(works[w], forbidden[i].act);
}

static pthread_barrier_t all_have;

static void *allocate(void *arg)
{
    void *volatile memory = malloc(100);
    pthread_barrier_wait(&all_have);
    free(memory);
    return arg;
}

/* More at once than the C library has arenas without a look at the number of CPUs. */
static int try_allocating_threads(void)
{
    enum { THREADS = 24 };
    pthread_t threads[THREADS];
    pthread_barrier_init(&all_have, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, allocate, NULL) != 0)
            return 1;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

/* So much that the C library gives memory back. */
static void *allocate_much(void *arg)
{
    enum { PIECES = 1000, PIECE_BYTES = 1000 };
    void *volatile pieces[PIECES];
    for (unsigned i = 0; i < PIECES; i++)
        pieces[i] = malloc(PIECE_BYTES);
    for (unsigned i = 0; i < PIECES; i++)
        free(pieces[i]);
    return arg;
}

static int try_giving_back(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, allocate_much, NULL) || pthread_join(thread, NULL);
}

static void threads_go_on(void **state)
{
    assert_allowed(0, try_thread);
    assert_allowed(0, try_giving_back);
    assert_allowed(0, try_allocating_threads);
}

static int try_open_in_vain(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES;
}

/* To read, as libraries try: an error where no file is wanted, else Landlock's to say. */
static void opening_fails(void **state)
{
    static const unsigned without[] = {0, JAIL_KVM, JAIL_LISTENS};
    static const unsigned with[] = {JAIL_SOCKETS, JAIL_STORE, JAIL_SHARE, JAIL_CHANGES};
    for (size_t i = 0; i < ARRAY_SIZE(without); i++)
        assert_allowed(without[i], try_open_in_vain);
    for (size_t i = 0; i < ARRAY_SIZE(with); i++)
        assert_allowed(with[i], try_open);
}

static void *wait_and_open(void *arg)
{
    char byte;
    ssize_t n = read(*(int *)arg, &byte, 1);
    return n == 1 && open("/dev/null", O_WRONLY) >= 0 ? arg : NULL;
}

/* A thread that was there before is jailed too. */
static int open_from_older_thread(void)
{
    int ends[2];
    pthread_t thread;
    struct err e;
    if (pipe(ends) < 0 || pthread_create(&thread, NULL, wait_and_open, &ends[0]))
        return 1;
    if (jail_calls(JAIL_KVM, &e) < 0 || write(ends[1], "x", 1) != 1)
        return 1;
    return pthread_join(thread, NULL);
}

static void older_threads_too(void **state)
{
    assert_killed(JAIL_STORE | JAIL_LISTENS, open_from_older_thread);
}

/* Fewer than 60 calls for what machines are usually made of; a share that a guest changes, beside a
 * network of ours, takes some more. */
static void lists_are_short(void **state)
{
    static const unsigned usual[] = {
        JAIL_KVM | JAIL_SOCKETS,
        JAIL_STORE | JAIL_SOCKETS,
        JAIL_KVM | JAIL_SOCKETS | JAIL_SHARE,
        JAIL_KVM | JAIL_SHARE | JAIL_CHANGES,
    };
    for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
        assert_in_range(jail_count_calls(usual[i]), 40, 59);
    assert_in_range(jail_count_calls(JAIL_KVM), 30, 45);
    assert_in_range(jail_count_calls(JAIL_WORK_ALL), 60, 75);
}

/* --- files -------------------------------------------------------------------------------------
 */

static bool can_open(const char *folder, const char *name, int flags)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int check_files(const char *top)
{
    char ours[80], shared[80];
    snprintf(ours, sizeof(ours), "%s/ours", top);
    snprintf(shared, sizeof(shared), "%s/shared", top);
    const struct jail_path paths[] = {
        {ours, JAIL_KEEP}, {shared, JAIL_READ}, {"/does/not/exist", JAIL_READ}};
    struct err e;
    if (jail_files(paths, ARRAY_SIZE(paths), &e) < 0)
        return LACKING;
    return !can_open(ours, "new", O_CREAT | O_WRONLY) << 0 |
           !can_open(shared, "there", O_RDONLY) << 1 | can_open(shared, "there", O_RDWR) << 2 |
           can_open(shared, "new", O_CREAT | O_WRONLY) << 3 |
           can_open(top, "there", O_RDONLY) << 4 | can_open("/etc", "passwd", O_RDONLY) << 5 |
           (mkdir("/tmp/peng-jail", 0700) == 0) << 6;
}

static void only_given_files(void **state)
{
    char top[] = "/tmp/peng-jail-XXXXXX", path[80];
    int status;
    assert_non_null(mkdtemp(top));
    static const char *const names[] = {"ours", "shared", "shared/there", "there"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", top, names[i]);
        if (i < 2)
            assert_int_equal(mkdir(path, 0700), 0);
        else
            assert_true(can_open(top, names[i], O_CREAT | O_WRONLY));
    }
    pid_t child = fork();
    if (child == 0)
        _exit(check_files(top));
    assert_int_equal(waitpid(child, &status, 0), child);
    static const char *const all[] = {"ours/new", "ours", "shared/there", "shared", "there"};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        snprintf(path, sizeof(path), "%s/%s", top, all[i]);
        remove(path);
    }
    rmdir(top);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == LACKING)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_by_what_is_done),
        cmocka_unit_test(threads_go_on),
        cmocka_unit_test(opening_fails),
        cmocka_unit_test(older_threads_too),
        cmocka_unit_test(lists_are_short),
        cmocka_unit_test(only_given_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
