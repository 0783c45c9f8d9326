/* procfs.c: what an arm64 process is to read in /proc instead of what its host process has there.
 *
 * The kernel is told where the guest's code, stack, arguments, environment and auxiliary vector are
 * (PR_SET_MM_MAP), after which /proc/PID/cmdline, environ, auxv and stat are right for everyone,
 * and a program that rewrites its arguments is seen to. What is left is made up when it is opened:
 * maps and smaps, cut down to what the guest owns; cpuinfo; and the link exe. Another process that
 * this program runs is known by its exe; what it runs is found by where the kernel says its code
 * starts.
 *
 * Limits: without CONFIG_CHECKPOINT_RESTORE the first four show the host process to others, and to
 * the process itself only cmdline, environ and auxv are made up. A program whose file is
 * removed while it runs cannot be opened through exe any more. For native programs the link exe of
 * an arm64 process leads to this program.
 *
 * Source: Linux 6.1, fs/proc/task_mmu.c, fs/proc/array.c, arch/arm64/kernel/cpuinfo.c, kernel/sys.c
 * (prctl_set_mm_map).
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/linux/hwcap.h"
#include "core/linux/loader.h"

/* --- what the kernel is told -------------------------------------------------------------------
 */

void linux_proc_publish(struct linux_process *p)
{
    struct linux_layout *l = &p->layout;
    const char *name = p->config->exec_name ? p->config->exec_name : p->config->program;
    const char *slash = strrchr(name, '/');
    uint64_t heap = (uint64_t)sbrk(0);
    struct prctl_mm_map map = {
        .start_code = l->code_start,
        .end_code = l->code_end,
        .start_data = l->data_start,
        .end_data = l->data_end,
        /* These two are real: this program's own allocator uses brk(). */
        .start_brk = heap,
        .brk = heap,
        .start_stack = l->stack_pointer,
        .arg_start = l->arg_start,
        .arg_end = l->arg_end,
        .env_start = l->env_start,
        .env_end = l->env_end,
        .auxv = linux_ptr(l->auxv),
        .auxv_size = (uint32_t)l->auxv_bytes,
        .exe_fd = UINT32_MAX,
    };
    l->published = prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) == 0;
    prctl(PR_SET_NAME, slash ? slash + 1 : name);
}

/* --- maps, smaps -------------------------------------------------------------------------------
 */

struct vma {
    uint64_t start, end, offset, inode;
    char rights[8], device[16];
    const char *name;
};

static bool parse_vma(const char *line, struct vma *v)
{
    int name_at = 0;
    unsigned long long start, end, offset, inode;
    if (sscanf(line, "%llx-%llx %7s %llx %15s %llu %n", &start, &end, v->rights, &offset, v->device,
               &inode, &name_at) < 6)
        return false;
    v->start = start;
    v->end = end;
    v->offset = offset;
    v->inode = inode;
    v->name = name_at ? line + name_at : "";
    return true;
}

/* As the guest should see it: our names for its stack, heap and vdso, none of the host's. */
static void rename_vma(const struct linux_process *p, struct vma *v)
{
    const struct linux_layout *l = &p->layout;
    if (v->start >= l->stack_bottom && v->end <= l->stack_top) {
        v->name = "[stack]\n";
    } else if (v->start >= l->brk_start && v->start < linux_memory_brk(p)) {
        v->name = "[heap]\n";
    } else if (l->sigreturn >= v->start && l->sigreturn < v->end) {
        v->name = "[vdso]\n";
        v->offset = v->inode = 0;
        strcpy(v->device, "00:00");
        strcpy(v->rights, "r-xp");
    } else if (strcmp(v->name, "[heap]\n") == 0 || strcmp(v->name, "[stack]\n") == 0) {
        v->name = "";
    }
}

static void print_vma(FILE *out, const struct vma *v)
{
    enum { NAME_COLUMN = 72 };
    int n = fprintf(out, "%08llx-%08llx %s %08llx %s %llu", (unsigned long long)v->start,
                    (unsigned long long)v->end, v->rights, (unsigned long long)v->offset, v->device,
                    (unsigned long long)v->inode);
    if (v->name[0] && v->name[0] != '\n')
        fprintf(out, "%*s %s", n < NAME_COLUMN ? NAME_COLUMN - n : 0, "", v->name);
    else
        fputc('\n', out);
}

/* The parts of `whole` that the guest owns. True where there was one. */
static bool print_owned(const struct linux_process *p, FILE *out, const struct vma *whole)
{
    uint64_t from = whole->start, s, n;
    bool any = false;
    while (from < whole->end && linux_memory_next(p, from, &s, &n) && s < whole->end) {
        struct vma v = *whole;
        v.start = s > whole->start ? s : whole->start;
        v.end = n < whole->end ? n : whole->end;
        if (v.inode)
            v.offset += v.start - whole->start;
        rename_vma(p, &v);
        print_vma(out, &v);
        from = n;
        any = true;
    }
    return any;
}

/* Copies the host's file: lines that describe a mapping where the guest has it, other lines where
 * they are about the mapping before them. */
static int write_mappings(const struct linux_process *p, const char *path, FILE *out)
{
    FILE *in = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    bool shown = false;
    if (!in)
        return -errno;
    while (getline(&line, &room, in) > 0) {
        struct vma v;
        if (parse_vma(line, &v))
            shown = print_owned(p, out, &v);
        else if (shown)
            fputs(line, out);
    }
    free(line);
    fclose(in);
    return 0;
}

static int write_maps(struct linux_process *p, FILE *out)
{
    return write_mappings(p, "/proc/self/maps", out);
}

static int write_smaps(struct linux_process *p, FILE *out)
{
    return write_mappings(p, "/proc/self/smaps", out);
}

/* --- cpuinfo, and what the kernel did not want to be told --------------------------------------
 */

static int write_cpuinfo(struct linux_process *p, FILE *out)
{
    uint64_t midr = hwcap_id(p->model, A64_MIDR_EL1);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    for (long i = 0; i < cpus; i++) {
        fprintf(out, "processor\t: %ld\nBogoMIPS\t: %u.00\nFeatures\t:", i,
                A64_COUNTER_HZ / 1000000 * 2);
        hwcap_print(p->model, out);
        fprintf(out,
                "\nCPU implementer\t: 0x%02x\nCPU architecture: 8\nCPU variant\t: 0x%x\n"
                "CPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
                (unsigned)bits(midr, 24, 8), (unsigned)bits(midr, 20, 4),
                (unsigned)bits(midr, 4, 12), (unsigned)bits(midr, 0, 4));
    }
    return 0;
}

static int write_memory(FILE *out, uint64_t start, uint64_t end)
{
    char part[LINUX_PAGE];
    while (start < end) {
        size_t n = end - start < sizeof(part) ? end - start : sizeof(part);
        if (linux_read(start, part, n) < 0)
            return 0; /* as far as it is still there */
        fwrite(part, 1, n, out);
        start += n;
    }
    return 0;
}

static int write_cmdline(struct linux_process *p, FILE *out)
{
    return write_memory(out, p->layout.arg_start, p->layout.arg_end);
}

static int write_environ(struct linux_process *p, FILE *out)
{
    return write_memory(out, p->layout.env_start, p->layout.env_end);
}

static int write_auxv(struct linux_process *p, FILE *out)
{
    return write_memory(out, p->layout.auxv, p->layout.auxv + p->layout.auxv_bytes);
}

/* --- names -------------------------------------------------------------------------------------
 */

enum scope { SCOPE_ROOT, SCOPE_PROCESS, SCOPE_UNPUBLISHED };

static const struct file {
    const char *name;
    enum scope scope; /* /proc/NAME; /proc/PID/NAME always, or only while the kernel is not told */
    int (*write)(struct linux_process *p, FILE *out); /* NULL: the link exe */
} files[] = {
    {"exe", SCOPE_PROCESS, NULL},
    {"maps", SCOPE_PROCESS, write_maps},
    {"smaps", SCOPE_PROCESS, write_smaps},
    {"cpuinfo", SCOPE_ROOT, write_cpuinfo},
    {"cmdline", SCOPE_UNPUBLISHED, write_cmdline},
    {"environ", SCOPE_UNPUBLISHED, write_environ},
    {"auxv", SCOPE_UNPUBLISHED, write_auxv},
};

static const struct file *file_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

/* Skips "word/" in a path; NULL where it does not begin so. */
static const char *skip(const char *path, const char *word)
{
    size_t n = strlen(word);
    if (!path || strncmp(path, word, n) != 0 || path[n] != '/')
        return NULL;
    return path + n + strspn(path + n, "/");
}

/* Skips "123/". */
static const char *skip_number(const char *path, pid_t *ret_number)
{
    char *end;
    if (!path || !isdigit((unsigned char)path[0]))
        return NULL;
    unsigned long n = strtoul(path, &end, 10);
    *ret_number = n <= INT32_MAX ? (pid_t)n : 0;
    return *end == '/' ? end + strspn(end, "/") : NULL;
}

/* Which file of the table `path` names, and of what process (0: the calling one, or none). */
static const struct file *find_file(const char *path, pid_t *ret_pid)
{
    const char *rest = skip(path, "/proc"), *in;
    pid_t number;
    *ret_pid = 0;
    if (!rest)
        return NULL;
    if ((in = skip(rest, "self")) || (in = skip(rest, "thread-self"))) {
        rest = in;
    } else if ((in = skip_number(rest, &number))) {
        *ret_pid = number == getpid() ? 0 : number;
        rest = in;
    } else {
        const struct file *f = file_named(rest);
        return f && f->scope == SCOPE_ROOT ? f : NULL;
    }
    if ((in = skip_number(skip(rest, "task"), &number)))
        rest = in;
    const struct file *f = file_named(rest);
    return f && f->scope != SCOPE_ROOT ? f : NULL;
}

/* The same for a path relative to a directory; most are turned down by their last name. */
static const struct file *find_file_at(int dirfd, const char *path, pid_t *ret_pid)
{
    char whole[4096], link[32];
    if (path[0] == '/')
        return strncmp(path, "/proc/", 6) == 0 ? find_file(path, ret_pid) : NULL;
    const char *slash = strrchr(path, '/');
    if (!file_named(slash ? slash + 1 : path))
        return NULL;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
    ssize_t n = readlink(dirfd == AT_FDCWD ? "/proc/self/cwd" : link, whole, sizeof(whole) - 1);
    if (n <= 0 || (size_t)n + strlen(path) + 2 > sizeof(whole))
        return NULL;
    whole[n] = '/';
    strcpy(whole + n + 1, path);
    return find_file(whole, ret_pid);
}

/* --- the link exe ------------------------------------------------------------------------------
 */

/* What process `pid` runs, if this program runs it. */
static bool other_program(pid_t pid, char *out, size_t size_bytes)
{
    char path[64], ours[4096], theirs[4096], *line = NULL;
    unsigned long long start_code = 0;
    size_t room = 0;
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    ssize_t a = readlink("/proc/self/exe", ours, sizeof(ours));
    ssize_t b = readlink(path, theirs, sizeof(theirs));
    if (a <= 0 || a != b || memcmp(ours, theirs, (size_t)a) != 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *in = fopen(path, "re");
    if (in && getline(&line, &room, in) > 0) {
        /* Field 26, counted from the ')' behind field 2. */
        char *at = strrchr(line, ')');
        for (int field = 2; at && field < 26; field++)
            at = strchr(at + 1, ' ');
        start_code = at ? strtoull(at, NULL, 10) : 0;
    }
    if (in)
        fclose(in);
    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    in = start_code ? fopen(path, "re") : NULL;
    while (in && !found && getline(&line, &room, in) > 0) {
        struct vma v;
        found =
            parse_vma(line, &v) && v.start <= start_code && start_code < v.end && v.name[0] == '/';
        if (found)
            snprintf(out, size_bytes, "%.*s", (int)strcspn(v.name, "\n"), v.name);
    }
    if (in)
        fclose(in);
    free(line);
    return found;
}

static bool program_of(struct linux_thread *t, int dirfd, const char *path, char *out,
                       size_t size_bytes)
{
    pid_t pid;
    const struct file *f = find_file_at(dirfd, path, &pid);
    if (!f || f->write)
        return false;
    if (pid)
        return other_program(pid, out, size_bytes);
    snprintf(out, size_bytes, "%s", t->process->layout.program_path);
    return true;
}

size_t linux_proc_readlink(struct linux_thread *t, int dirfd, const char *path, char *out,
                           size_t size_bytes)
{
    return program_of(t, dirfd, path, out, size_bytes) ? strlen(out) : 0;
}

bool linux_proc_follow(struct linux_thread *t, int dirfd, const char *path, char *out,
                       size_t size_bytes)
{
    if (!program_of(t, dirfd, path, out, size_bytes))
        return false;
    if (t->process->program_fd >= 0 && strcmp(out, t->process->layout.program_path) == 0)
        snprintf(out, size_bytes, "/proc/self/fd/%d", t->process->program_fd);
    return true;
}

/* --- open --------------------------------------------------------------------------------------
 */

static int write_all(int fd, const char *data, size_t size_bytes)
{
    while (size_bytes) {
        ssize_t n = write(fd, data, size_bytes);
        if (n < 0)
            return -errno;
        data += n;
        size_bytes -= (size_t)n;
    }
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int64_t generate(struct linux_process *p, const struct file *f, int flags)
{
    char *data = NULL;
    size_t size_bytes = 0;
    FILE *out = open_memstream(&data, &size_bytes);
    if (!out)
        return -ENOMEM;
    int64_t r = f->write(p, out);
    if (fclose(out) != 0)
        r = -ENOMEM;
    int fd = -1;
    if (r == 0 && (fd = memfd_create(f->name, flags & O_CLOEXEC ? MFD_CLOEXEC : 0)) < 0)
        r = -errno;
    if (r == 0)
        r = write_all(fd, data, size_bytes);
    free(data);
    if (r < 0 && fd >= 0)
        close(fd);
    return r < 0 ? r : fd;
}

bool linux_proc_open(struct linux_thread *t, int dirfd, const char *path, int flags,
                     int64_t *ret_result)
{
    pid_t pid;
    const struct file *f = find_file_at(dirfd, path, &pid);
    if (!f || !f->write || pid || (flags & O_ACCMODE) != O_RDONLY || flags & O_PATH)
        return false;
    if (f->scope == SCOPE_UNPUBLISHED && t->process->layout.published)
        return false;
    *ret_result = generate(t->process, f, flags);
    return true;
}
