/* exec.c: execve and execveat.
 *
 * What the guest names is looked at first. An arm64 program runs in this program again, through our
 * own descriptor (handover.h says how the new run learns what it is to do), so no binfmt_misc is
 * needed. A script is taken apart until the interpreter is known: an arm64 one is run by us in the
 * same way. Everything else goes to the kernel as it is: native programs, scripts for them, formats
 * that only the kernel knows, files that may be executed but not read, and files that change who
 * runs them (set-id bits, file capabilities: with binfmt_misc's flag C the kernel gives those to
 * us); where the kernel has no handler for these, they run by us without that.
 *
 * Whatever exec can refuse is refused before the old program is gone: that the new one can be
 * loaded is checked here as far as files go. What is left (no memory) ends the new program with a
 * line and status 126, where the kernel would kill it.
 *
 * A program under seccomp filters execs by us or not at all: its filters are about arm64 calls and
 * go along in a memfd, but would be lost on the way through the kernel (EACCES).
 *
 * Limits: before Linux 6.14 (AT_EXECVE_CHECK) a file open for writing is not refused (ETXTBSY).
 *
 * Source: Linux 6.1, fs/exec.c, fs/binfmt_elf.c, fs/binfmt_script.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/linux/elf_file.h"
#include "core/linux/handover.h"
#include "core/linux/loader.h"
#include "core/linux/script.h"

enum {
    HEAD_BYTES = 1024,
    EXECVE_CHECK = 0x10000, /* AT_EXECVE_CHECK, Linux 6.14 */
    /* MAX_ARG_STRINGS is more, but the pointers alone would fill any stack before. */
    STRINGS_MAX = 1 << 22,
};

/* A file on its way to be executed. */
struct image {
    int fd; /* -1: cannot be read */
    uint64_t file_bytes;
    size_t head_bytes;
    bool changes_credentials;
    char head[HEAD_BYTES];
};

/* One call of execve. */
struct request {
    int dirfd, flags;
    char path[4096];      /* as the guest gave it, or where /proc/self/exe leads */
    char name[4096 + 32]; /* AT_EXECFN */
    char **argv, **envp;  /* the guest's strings, arrays of ours; one slot free behind envp's end */
    size_t envc;
    struct image image;
    char **script_argv; /* arrays made for scripts, the last one: argv is one of them then */
    struct script scripts[SCRIPT_DEPTH_MAX];
};

/* --- the guest's arrays ------------------------------------------------------------------------
 */

/* The pointers of a list that ends in a zero, without tags, and `extra` free slots behind it. NULL
 * is an empty list. */
static int64_t copy_pointers(uint64_t from, unsigned extra, char ***ret_list, size_t *ret_count)
{
    size_t room = 64, n = 0;
    char **list = malloc(room * sizeof(*list));
    for (;; n++) {
        uint64_t pointer = 0;
        if (!list || n >= STRINGS_MAX) {
            free(list);
            return list ? -E2BIG : -ENOMEM;
        }
        if (from && linux_read(linux_untag(from) + n * 8, &pointer, sizeof(pointer)) < 0) {
            free(list);
            return -EFAULT;
        }
        list[n] = pointer ? linux_ptr(pointer) : NULL;
        if (!pointer)
            break;
        if (n + 2 + extra > room) {
            char **more = realloc(list, 2 * room * sizeof(*list));
            if (!more)
                free(list);
            list = more;
            room *= 2;
        }
    }
    *ret_list = list;
    *ret_count = n;
    return 0;
}

/* --- looking at a file -------------------------------------------------------------------------
 */

/* Whether the kernel would execute the open file, -errno where it would not. */
static int check_executable(int fd)
{
    char *const nothing[] = {NULL};
    if (syscall(SYS_execveat, fd, "", nothing, nothing, AT_EMPTY_PATH | EXECVE_CHECK) == 0)
        return 0;
    if (errno != EINVAL)
        return -errno;
    /* faccessat() by a real name, since AT_EMPTY_PATH came with the call faccessat2 only. */
    return syscall(SYS_faccessat2, fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) < 0 && errno != ENOSYS
               ? -errno
               : 0;
}

static int look(struct image *image, int fd)
{
    struct stat st;
    image->fd = fd;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EACCES;
    int rc = check_executable(fd);
    if (rc < 0)
        return rc;
    ssize_t n = pread(fd, image->head, sizeof(image->head), 0);
    if (n < 0)
        return -errno;
    image->head_bytes = (size_t)n;
    image->file_bytes = (uint64_t)st.st_size;
    image->changes_credentials = st.st_mode & S_ISUID ||
                                 (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) ||
                                 fgetxattr(fd, "security.capability", NULL, 0) > 0;
    return 0;
}

/* By path. A file without the right to read it is no error: the kernel may still execute it. */
static int open_image(struct image *image, int dirfd, const char *path, int flags)
{
    int fd;
    image->fd = -1;
    if (!path[0] && flags & AT_EMPTY_PATH) {
        char link[32];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
        fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
            fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
    } else {
        int nofollow = flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
        fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | nofollow);
    }
    if (fd < 0)
        return errno == EACCES || errno == EPERM ? 0 : errno == ENXIO ? -EACCES : -errno;
    int rc = look(image, fd);
    if (rc < 0) {
        close(fd);
        image->fd = -1;
    }
    return rc;
}

static void close_image(struct image *image)
{
    if (image->fd >= 0)
        close(image->fd);
    image->fd = -1;
}

/* Whether the dynamic linker that the program asks for is there and is one. */
static int check_loadable(const struct linux_config *config, const struct image *image)
{
    struct elf_file f, linker = {0};
    struct image in = {.fd = -1};
    int rc = elf_read(image->fd, image->file_bytes, image->head, image->head_bytes, &f, NULL);
    if (rc < 0)
        return rc;
    if (f.interpreter[0]) {
        int fd = linux_open_file(config, f.interpreter);
        rc = fd < 0 ? fd : look(&in, fd);
        if (rc == 0 && elf_kind(in.head, in.head_bytes) != ELF_ARM64)
            rc = -ELIBBAD;
        if (rc == 0)
            rc = elf_read(in.fd, in.file_bytes, in.head, in.head_bytes, &linker, NULL);
        elf_free(&linker);
        close_image(&in);
    }
    elf_free(&f);
    return rc;
}

/* --- doing it ----------------------------------------------------------------------------------
 */

static int64_t exec_by_kernel(struct linux_thread *t, struct request *r, char **argv)
{
    if (t->seccomp)
        return -EACCES;
    linux_signals_before_exec(t);
    r->envp[r->envc] = NULL;
    syscall(SYS_execveat, r->dirfd, r->path, argv, r->envp, r->flags);
    int error = errno;
    linux_signals_after_exec(t);
    return -error;
}

static void set_inherited(int fd, bool inherited)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC);
}

static void drop_filters(struct linux_thread *t, int seccomp_fd)
{
    if (seccomp_fd >= 0 && t->vfork_child)
        close(seccomp_fd);
    else
        linux_fd_drop(t->process, seccomp_fd);
}

/* `argv` is the guest's own, for the kernel; r->argv is what the program gets. */
static int64_t exec_by_us(struct linux_thread *t, struct request *r, char **argv)
{
    struct linux_process *p = t->process;
    struct linux_config config = *p->config;
    char handover[HANDOVER_MAX];
    if (p->self_fd < 0 && access("/proc/self/exe", X_OK) < 0)
        return exec_by_kernel(t, r, argv);
    int seccomp_fd = linux_seccomp_save(t);
    if (seccomp_fd >= 0 && !t->vfork_child) /* whose descriptors are not those of p's threads */
        seccomp_fd = linux_fd_keep(p, seccomp_fd);
    if (seccomp_fd < 0 && seccomp_fd != -ENOENT) /* never without them */
        return seccomp_fd;
    config.program_fd = r->image.fd;
    config.self_fd = p->self_fd;
    config.profile_fd = p->profile_fd;
    config.report_fd = p->report_fd;
    config.seccomp_fd = seccomp_fd >= 0 ? seccomp_fd : -1;
    config.exec_name = r->name;
    config.host_cpu = p->translator ? translator_host_cpu(p->translator) : 0;
    if (!handover_write(handover, sizeof(handover), &config)) {
        drop_filters(t, seccomp_fd);
        return -E2BIG;
    }
    if (p->translator && !t->vfork_child) /* this program ends here, most often */
        translator_save(p->translator);
    r->envp[r->envc] = handover;
    r->envp[r->envc + 1] = NULL;
    const int inherited[] = {config.program_fd, config.self_fd, config.seccomp_fd,
                             config.profile_fd, config.report_fd};
    for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
        set_inherited(inherited[i], true);
    linux_signals_before_exec(t);
    if (p->self_fd >= 0)
        syscall(SYS_execveat, p->self_fd, "", r->argv, r->envp, AT_EMPTY_PATH);
    else
        execve("/proc/self/exe", r->argv, r->envp);
    int error = errno;
    linux_signals_after_exec(t);
    for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
        set_inherited(inherited[i], false);
    drop_filters(t, seccomp_fd);
    return -error;
}

/* While the image is a script: its interpreter takes its place. */
static int64_t resolve_scripts(struct request *r)
{
    const char *path = r->name;
    for (unsigned depth = 0; script_is(r->image.head, r->image.head_bytes); depth++) {
        if (depth == SCRIPT_DEPTH_MAX)
            return -ELOOP;
        if (script_parse(r->image.head, r->image.head_bytes, &r->scripts[depth]) < 0)
            return -ENOEXEC;
        /* bprm->have_execfd with O_CLOEXEC: the interpreter could not open it. */
        if (depth == 0 && r->flags & AT_EMPTY_PATH && !r->path[0] &&
            fcntl(r->dirfd, F_GETFD) & FD_CLOEXEC)
            return -ENOENT;
        char **argv = script_argv(&r->scripts[depth], path, r->argv);
        if (!argv)
            return -ENOMEM;
        free(r->script_argv);
        r->argv = r->script_argv = argv;
        path = r->scripts[depth].interpreter;
        close_image(&r->image);
        int rc = open_image(&r->image, AT_FDCWD, path, 0);
        if (rc < 0 || r->image.fd < 0)
            return rc;
    }
    return 0;
}

/* With the file open and everything copied. */
static int64_t exec_image(struct linux_thread *t, struct request *r)
{
    char **argv = r->argv;
    int64_t rc;
    /* Under no_new_privs the kernel would give it nothing. */
    if (r->image.changes_credentials && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        rc = exec_by_kernel(t, r, argv);
        if (rc != -ENOEXEC)
            return rc;
    }
    rc = r->image.fd >= 0 ? resolve_scripts(r) : 0;
    if (rc < 0)
        return rc;
    if (r->image.fd < 0 || elf_kind(r->image.head, r->image.head_bytes) != ELF_ARM64)
        return exec_by_kernel(t, r, argv);
    rc = check_loadable(t->process->config, &r->image);
    return rc < 0 ? rc : exec_by_us(t, r, argv);
}

/* AT_EXECFN: the path, or a name for the descriptor (alloc_bprm()). */
static void set_name(struct request *r, const char *asked)
{
    if (r->dirfd == AT_FDCWD || asked[0] == '/')
        snprintf(r->name, sizeof(r->name), "%s", asked);
    else
        snprintf(r->name, sizeof(r->name), "/dev/fd/%d%s%s", r->dirfd, asked[0] ? "/" : "", asked);
}

static int64_t read_request(struct linux_thread *t, struct request *r, uint64_t path, uint64_t argv,
                            uint64_t envp)
{
    char asked[4096];
    size_t argc;
    ssize_t n = linux_read_string(linux_untag(path), asked, sizeof(asked));
    if (n < 0)
        return n;
    if (r->flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    if (n == 0 && !(r->flags & AT_EMPTY_PATH))
        return -ENOENT;
    bool exe = !(r->flags & AT_SYMLINK_NOFOLLOW) &&
               linux_proc_follow(t, r->dirfd, asked, r->path, sizeof(r->path));
    if (!exe)
        memcpy(r->path, asked, (size_t)n + 1);
    set_name(r, asked);
    int64_t rc = copy_pointers(argv, 1, &r->argv, &argc);
    if (rc == 0 && argc == 0) { /* the kernel gives those an empty argv[0] */
        r->argv[0] = (char *)"";
        r->argv[1] = NULL;
    }
    if (rc == 0)
        rc = copy_pointers(envp, 2, &r->envp, &r->envc);
    return rc;
}

static int64_t exec(struct linux_thread *t, int dirfd, uint64_t path, uint64_t argv, uint64_t envp,
                    int flags)
{
    struct request *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->dirfd = dirfd;
    r->flags = flags;
    r->image.fd = -1;
    int64_t rc = read_request(t, r, path, argv, envp);
    char **list = r->argv;
    if (rc == 0)
        rc = open_image(&r->image, dirfd, r->path, flags);
    if (rc == 0 && t->process->strace)
        linux_strace_leave(t);
    if (rc == 0)
        rc = exec_image(t, r);
    close_image(&r->image);
    free(r->script_argv);
    free(list);
    free(r->envp);
    free(r);
    return rc;
}

int64_t linux_sys_execve(struct linux_thread *t, const uint64_t a[6])
{
    return exec(t, AT_FDCWD, a[0], a[1], a[2], 0);
}

int64_t linux_sys_execveat(struct linux_thread *t, const uint64_t a[6])
{
    return exec(t, (int)a[0], a[1], a[2], a[3], (int)a[4]);
}
