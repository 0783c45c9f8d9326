/* proc.c: what /proc tells an arm64 process about itself, and others about it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tally.h"

static char text[1 << 20];

/* A whole file; its size. */
static size_t read_file(const char *path)
{
    size_t n = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY);
    while (fd >= 0 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)got;
    close(fd);
    text[n] = 0;
    return n;
}

struct mapping {
    unsigned long start, end;
    char rights[8];
};

/* The line of /proc/self/maps that has the address; false: none. */
static bool find_mapping(const char *path, const void *at, struct mapping *m, char name[256])
{
    read_file(path);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        name[0] = 0;
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255[^\n]", &m->start, &m->end, m->rights, name) <
            3)
            continue;
        if (m->start <= (unsigned long)at && (unsigned long)at < m->end)
            return true;
    }
    return false;
}

static int data = 1;

static void test_maps(const char *self)
{
    struct mapping m;
    char name[256];
    int local;
    OK(find_mapping("/proc/self/maps", (void *)test_maps, &m, name));
    OK(strcmp(m.rights, "r-xp") == 0 && strcmp(name, self) == 0);
    OK(find_mapping("/proc/self/maps", &data, &m, name) && strcmp(m.rights, "rw-p") == 0);
    OK(find_mapping("/proc/self/maps", &local, &m, name) && strcmp(name, "[stack]") == 0);
    char *heap = sbrk(4096);
    OK(find_mapping("/proc/self/maps", heap, &m, name) && strcmp(name, "[heap]") == 0);
    char *p = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p + 4096, 4096);
    OK(find_mapping("/proc/thread-self/maps", p, &m, name) && m.end == (unsigned long)p + 4096);
    OK(!find_mapping("/proc/self/maps", p + 4096, &m, name));
    snprintf(name, sizeof(name), "/proc/%d/task/%d/maps", getpid(), getpid());
    OK(find_mapping(name, p + 2 * 4096, &m, name) && strcmp(m.rights, "r--p") == 0);
    OK(read_file("/proc/self/maps") && !strstr(text, "peng"));
    OK(read_file("/proc/self/smaps") && strstr(text, "Rss:") && !strstr(text, "peng"));
}

static void test_exe(const char *self)
{
    char link[4096], path[64];
    struct stat a, b;
    ssize_t n = readlink("/proc/self/exe", link, sizeof(link));
    OK(n == (ssize_t)strlen(self) && memcmp(link, self, (size_t)n) == 0);
    OK(readlink("/proc/self/exe", link, 3) == 3 && memcmp(link, self, 3) == 0);
    snprintf(path, sizeof(path), "/proc/%d/exe", getpid());
    OK(readlink(path, link, sizeof(link)) == n && memcmp(link, self, (size_t)n) == 0);
    OK(stat("/proc/self/exe", &a) == 0 && stat(self, &b) == 0 && a.st_ino == b.st_ino);
    OK(lstat("/proc/self/exe", &a) == 0 && S_ISLNK(a.st_mode));
    OK(access("/proc/self/exe", X_OK) == 0);
    char head[20];
    int fd = open("/proc/self/exe", O_RDONLY), dir = open("/proc/self", O_RDONLY | O_DIRECTORY);
    OK(read(fd, head, sizeof(head)) == sizeof(head) && head[18] == (char)183);
    close(fd);
    OK(readlinkat(dir, "exe", link, sizeof(link)) == n && memcmp(link, self, (size_t)n) == 0);
    close(dir);
    FAILS(readlink("/proc/self/cmdline", link, sizeof(link)), EINVAL);
}

/* Another process of ours, as it is seen from here. */
static void test_other(const char *self)
{
    char path[64], link[4096];
    int channel[2];
    OK(pipe(channel) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "another name", "wait", channel[0] == 3 ? "3" : "?", NULL);
        _exit(1);
    }
    usleep(300000);
    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    ssize_t n = readlink(path, link, sizeof(link));
    OK(n == (ssize_t)strlen(self) && memcmp(link, self, (size_t)n) == 0);
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    OK(read_file(path) == sizeof("another name\0wait\0"
                                 "3") &&
       memcmp(text,
              "another name\0wait\0"
              "3",
              sizeof("another name\0wait\0"
                     "3")) == 0);
    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    OK(read_file(path) && strcmp(text, "exe\n") == 0);
    close(channel[0]);
    close(channel[1]);
    int status;
    OK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static void test_texts(char **argv)
{
    OK(read_file("/proc/self/cmdline") && strcmp(text, argv[0]) == 0);
    OK(read_file("/proc/self/environ") == strlen("ONLY=this") + 1 && !strcmp(text, "ONLY=this"));
    size_t n = read_file("/proc/self/auxv");
    const uint64_t *pair = (const uint64_t *)text;
    bool same = true, ended = false;
    for (size_t i = 0; i < n / 16 && !ended; i++) {
        ended = pair[2 * i] == AT_NULL;
        same &= ended || getauxval(pair[2 * i]) == pair[2 * i + 1];
    }
    OK(same && ended);
    /* A program that changes its own arguments is seen to. */
    char *name = argv[0];
    size_t length = strlen(name);
    memset(name, 'z', length);
    OK(read_file("/proc/self/cmdline") == length + 1 && text[0] == 'z');
    OK(prctl(PR_SET_NAME, "renamed") == 0);
    OK(read_file("/proc/self/comm") && strcmp(text, "renamed\n") == 0);
    OK(read_file("/proc/self/stat") && strstr(text, "(renamed)"));
    unsigned long start_code = 0, end_code = 0, start_stack = 0;
    OK(sscanf(strrchr(text, ')'),
              ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u "
              "%*u %*d %*u %lu %lu %lu",
              &start_code, &end_code, &start_stack) == 3);
    OK(start_code <= (unsigned long)test_texts && (unsigned long)test_texts < end_code);
    OK(start_stack > (unsigned long)&start_stack);
}

static void test_machine(void)
{
    struct utsname name;
    OK(uname(&name) == 0 && strcmp(name.machine, "aarch64") == 0);
    OK(read_file("/proc/cpuinfo") && strstr(text, "CPU architecture: 8"));
    OK(strstr(text, " fp asimd ") && strstr(text, " atomics ") && !strstr(text, "GenuineIntel"));
    OK(getauxval(AT_HWCAP) & HWCAP_ATOMICS && getauxval(AT_HWCAP) & HWCAP_ASIMD);
    OK(!(getauxval(AT_HWCAP) & HWCAP_SVE) &&
       strcmp((char *)getauxval(AT_PLATFORM), "aarch64") == 0);
    uint64_t isar0;
    __asm__("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
    OK((isar0 >> 20 & 15) == 2); /* as HWCAP_CPUID promises */
}

int main(int argc, char **argv)
{
    static char self[4096];
    if (argc == 3 && strcmp(argv[1], "wait") == 0) {
        char byte;
        close(atoi(argv[2]) + 1);
        return read(atoi(argv[2]), &byte, 1) == 0 ? 5 : 6;
    }
    if (argc > 1 || !getenv("ONLY")) {
        char *const envp[] = {"ONLY=this", NULL};
        execle(argv[0], argv[0], NULL, envp);
        return 1;
    }
    if (!realpath(argv[0], self))
        return 1;
    test_maps(self);
    test_exe(self);
    test_other(self);
    test_machine();
    test_texts(argv);
    return tally_end();
}
