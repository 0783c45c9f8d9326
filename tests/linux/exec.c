/* exec.c: execve and its errors, and what the new program is told about itself. */
#include <elf.h>
#include <poll.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tell.h"

extern char **environ;

/* --- the new program ---------------------------------------------------------------------------
 */

static void tell_bytes(const char *path)
{
    char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    printf("%s:", path);
    for (ssize_t i = 0; i < n; i++)
        putchar(text[i] ? text[i] : '|');
    putchar('\n');
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Says what it was started as. */
static int report(int argc, char **argv)
{
    char exe[4096] = "", comm[16] = "";
    printf("argc %d:", argc);
    for (int i = 0; i < argc; i++)
        printf(" [%s]", argv[i]);
    printf("\nenvironment:");
    for (char **e = environ; *e; e++)
        printf(" [%s]", *e);
    putchar('\n');
    TELL_OK(readlink("/proc/self/exe", exe, sizeof(exe) - 1));
    TELL_TEXT(last_part(exe));
    prctl(PR_GET_NAME, comm);
    if (!strstr((char *)getauxval(AT_EXECFN), "/fd/")) /* there it depends on the kernel */
        TELL_TEXT(comm);
    TELL_TEXT((char *)getauxval(AT_EXECFN));
    TELL_BOOL(getauxval(AT_PHDR) && getauxval(AT_RANDOM) && getauxval(AT_ENTRY));
    TELL(getauxval(AT_PHENT));
    TELL(getauxval(AT_PAGESZ));
    TELL(getauxval(AT_SECURE));
    TELL(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
    TELL(argv[argc] == NULL && environ == argv + argc + 1);
    tell_bytes("/proc/self/cmdline");
    tell_bytes("/proc/self/environ");
    for (int fd = 3; fd < 10; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf("descriptor %d is open\n", fd);
    return 7;
}

/* Started from a file without a name. */
static int report_memory(void)
{
    char exe[256] = "", head[20];
    readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    TELL_TEXT(exe);
    int fd = open("/proc/self/exe", O_RDONLY);
    TELL_OK(fd);
    TELL(read(fd, head, sizeof(head)));
    TELL(fcntl(fd, F_GET_SEALS));
    struct stat st;
    TELL(stat("/proc/self/exe", &st));
    char *const argv[] = {"again", "report", NULL}, *const none[] = {NULL};
    fflush(stdout);
    execve("/proc/self/exe", argv, none);
    return 1;
}

/* --- starting it --------------------------------------------------------------------------------
 */

static void run(const char *what, const char *path, char *const argv[], char *const envp[])
{
    int status = 0;
    printf("--- %s\n", what);
    fflush(stdout);
    pid_t pid = vfork();
    if (pid == 0) {
        execve(path, argv, envp);
        _exit(errno);
    }
    waitpid(pid, &status, 0);
    printf("%s %d\n", WIFSIGNALED(status) ? "killed by" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void run_at(const char *what, int dirfd, const char *path, int flags)
{
    char *const argv[] = {"report", "at", NULL}, *const envp[] = {"A=1", NULL};
    int status = 0;
    printf("--- %s\n", what);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_execveat, dirfd, path, argv, envp, flags);
        _exit(errno);
    }
    waitpid(pid, &status, 0);
    printf("status %d\n", WEXITSTATUS(status));
}

static void copy_self(const char *to, mode_t mode)
{
    char part[65536];
    ssize_t n;
    int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode);
    while ((n = read(in, part, sizeof(part))) > 0)
        if (write(out, part, (size_t)n) != n)
            abort();
    close(in);
    close(out);
}

static void script(const char *name, const char *text)
{
    tell_file(name, text);
    chmod(name, 0755);
}

static void test_plain(void)
{
    char *const argv[] = {"report", "one", "", "three", NULL};
    char *const envp[] = {"FIRST=1", "SECOND=", NULL}, *const none[] = {NULL};
    run("relative path", "./program", argv, envp);
    run("another name", "./program", (char *const[]){"report", NULL}, none);
    symlink("program", "link");
    run("symbolic link", "link", argv, envp);
    symlink("loop", "loop");
    mkdir("directory", 0755);
    tell_file("text", "just text\n");
    chmod("text", 0755);
    tell_file("closed", "#!/bin/true\n");
    tell_file("empty", "");
    chmod("empty", 0755);
    run("not there", "./missing", argv, envp);
    run("empty path", "", argv, envp);
    run("a directory", "directory", argv, envp);
    run("below a file", "text/x", argv, envp);
    run("a loop of links", "loop", argv, envp);
    run("text", "./text", argv, envp);
    run("an empty file", "./empty", argv, envp);
    run("without the right to execute", "./closed", argv, envp);
    run("a bad path", (char *)8, argv, envp);
    run("a bad argument", "./program", (char *const[]){"report", (char *)8, NULL}, envp);
    run("a bad list", "./program", (char *const *)8, envp);
    run("a bad environment", "./program", argv, (char *const *)8);
    run("a device", "/dev/null", argv, envp);
    run("/proc/self/exe", "/proc/self/exe", argv, envp);
}

static void test_damaged(void)
{
    char *const argv[] = {"report", NULL};
    copy_self("short", 0755);
    truncate("short", 40);
    run("a header cut off", "./short", argv, argv);
    copy_self("type", 0755);
    int fd = open("type", O_WRONLY);
    pwrite(fd, &(uint16_t){ET_REL}, 2, offsetof(Elf64_Ehdr, e_type));
    close(fd);
    run("an object file", "./type", argv, argv);
    copy_self("phdrs", 0755);
    fd = open("phdrs", O_WRONLY);
    pwrite(fd, &(uint16_t){1}, 2, offsetof(Elf64_Ehdr, e_phentsize));
    close(fd);
    run("odd program headers", "./phdrs", argv, argv);
}

static void test_size(void)
{
    static char large[3 << 20];
    char *const argv[] = {"report", large, NULL}, *const none[] = {NULL};
    memset(large, 'x', sizeof(large) - 1);
    run("an argument too long", "./program", argv, none);
}

static void test_scripts(void)
{
    char *const argv[] = {"report", "one", NULL}, *const envp[] = {"A=1", NULL};
    script("script", "#!./program report  with  spaces \nrest\n");
    run("script", "./script", argv, envp);
    script("nested", "#!./script\n");
    run("script of a script", "./nested", argv, envp);
    script("self", "#!./self\n");
    run("script of itself", "./self", argv, envp);
    script("lost", "#!./missing\n");
    run("script without its interpreter", "./lost", argv, envp);
    script("nothing", "#!\n");
    run("script that names nothing", "./nothing", argv, envp);
    script("native", "#!/bin/sh\necho native \"$0\" \"$@\"\n");
    run("script for a shell", "./native", argv, envp);
}

static void test_at(void)
{
    int directory = open(".", O_PATH | O_DIRECTORY), program = open("program", O_RDONLY);
    int path = open("program", O_PATH | O_CLOEXEC), file = open("script", O_RDONLY | O_CLOEXEC);
    fcntl(program, F_SETFD, FD_CLOEXEC);
    fcntl(directory, F_SETFD, FD_CLOEXEC);
    run_at("in a directory", directory, "program", 0);
    run_at("a link not followed", directory, "link", AT_SYMLINK_NOFOLLOW);
    run_at("unknown flags", directory, "program", 0x40);
    run_at("an empty path", program, "", 0);
    run_at("bad descriptor", 99, "program", 0);
    run_at("not a directory", program, "program", 0);
    run_at("script closed on exec", file, "", AT_EMPTY_PATH);
    TELL_OK(program);
    TELL_OK(path);
}

static void test_inherit(void)
{
    char *const argv[] = {"report", NULL}, *const none[] = {NULL};
    int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    printf("kept %d closed %d\n", kept, closed);
    run("descriptors", "./program", argv, none);
    close(kept);
    close(closed);
    pid_t pid;
    int status;
    fflush(stdout);
    TELL(posix_spawn(&pid, "./missing", NULL, NULL, argv, none));
    TELL(posix_spawn(&pid, "./program", NULL, NULL, argv, none));
    TELL_OK(waitpid(pid, &status, 0));
    TELL(WEXITSTATUS(status));
}

static void test_memfd(void)
{
    int fd = memfd_create("in memory", MFD_CLOEXEC | MFD_ALLOW_SEALING),
        in = open("program", O_RDONLY);
    char part[65536];
    ssize_t n;
    while ((n = read(in, part, sizeof(part))) > 0)
        if (write(fd, part, (size_t)n) != n)
            abort();
    close(in);
    char *const argv[] = {"memory", NULL}, *const none[] = {NULL};
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH);
        _exit(errno);
    }
    waitpid(pid, &status, 0);
    TELL(WEXITSTATUS(status));
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc == 0 || strcmp(argv[0], "linux") != 0) {
        if (argc && strcmp(argv[0], "memory") == 0)
            return report_memory();
        if ((argc && strcmp(argv[0], "report") == 0) ||
            (argc > 1 && strncmp(argv[1], "report", 6) == 0))
            return report(argc, argv);
        copy_self("program", 0755);
        execv("./program", (char *const[]){"linux", NULL});
        return 1;
    }
    test_plain();
    test_damaged();
    test_size();
    test_scripts();
    test_at();
    test_inherit();
    test_memfd();
    return 0;
}
