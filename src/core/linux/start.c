/* start.c: builds the process around a program, and lets it run.
 *
 * Nothing here may take long: a shell script is thousands of starts. Memory for the CPU and the
 * translator is reserved and comes when it is touched; what only some programs need is made when
 * they need it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/linux/gdb.h"
#include "core/linux/linux_int.h"

static bool fetch(void *ctx, struct a64_cpu *cpu, uint64_t va, void *out, size_t size_bytes)
{
    uint64_t turn = linux_rseq_turn(ctx);
    if (!linux_memory_executable(ctx, va) || linux_read(va, out, size_bytes) < 0)
        return false;
    linux_rseq_fetched(ctx, va, out, size_bytes, turn);
    return true;
}

/* The page of the signal trampoline is this program's own and lies elsewhere each time. */
static bool code_range(void *ctx, uint64_t va, uint64_t *ret_start, uint64_t *ret_end)
{
    const struct linux_process *p = ctx;
    return (va ^ p->layout.sigreturn) >= LINUX_PAGE &&
           linux_memory_code_range(p, va, ret_start, ret_end);
}

static void code_changed(void *ctx, struct a64_cpu *cpu, uint64_t va)
{
    enum { LINE_BYTES = 64 };
    struct linux_process *p = ctx;
    linux_rseq_memory_changed(p);
    if (p->translator)
        translator_code_changed_range(p->translator, cpu, va, va + LINE_BYTES);
}

static int choose_model(struct linux_process *p, struct err *e)
{
    const char *name = p->config->cpu;
    p->model = name && strcmp(name, "max") != 0 ? a64_model_find(name) : a64_model_at(0);
    return p->model ? 0 : err_set(e, EINVAL, "-cpu %s: no such CPU (see -cpu help)", name);
}

static int keep_fd(void *ctx, int fd)
{
    return linux_fd_keep(ctx, fd);
}

static void drop_fd(void *ctx, int fd)
{
    linux_fd_drop(ctx, fd);
}

/* In a root that this program's file is not part of, as in a chroot that binfmt_misc serves,
 * nothing of ours is left behind: it may be about to become an image. */
static enum translator_keep where_to_keep(const struct linux_process *p)
{
    char path[4096];
    struct stat own, named;
    const char *name = p->config->self_name;
    ssize_t length = name ? 0 : readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0)
        return TRANSLATOR_KEEP_IN_MEMORY;
    path[length] = '\0';
    bool here = stat(name ? name : path, &named) == 0 && fstat(p->config->self_fd, &own) == 0 &&
                own.st_dev == named.st_dev && own.st_ino == named.st_ino;
    return here ? TRANSLATOR_KEEP_IN_CACHE : TRANSLATOR_KEEP_IN_MEMORY;
}

/* Where the host cannot run translated code the interpreter has to do. */
static int start_translator(struct linux_process *p, struct err *e)
{
    const struct translator_config config = {.system = &p->system,
                                             .model = p->model,
                                             .stats = p->config->stats,
                                             .host_features = p->config->host_features,
                                             .host_cpu = p->config->host_cpu,
                                             .cache_bytes = p->config->code_cache_bytes,
                                             .keep = where_to_keep(p),
                                             .tiers = translator_tiers_of_environment(),
                                             .log = p->log,
                                             .user = true,
                                             .fds = {keep_fd, drop_fd, p}};
    if (p->config->interpreter)
        return 0;
    int rc = translator_new(&config, &p->translator, e);
    return rc == -ENOTSUP ? 0 : rc;
}

static int keep_fds(struct linux_process *p, struct err *e)
{
    const struct linux_config *config = p->config;
    p->report_fd = config->report_fd;
    if (p->report_fd < 0 && (config->strace || config->stats))
        p->report_fd = dup(STDERR_FILENO);
    if (p->report_fd >= 0)
        p->report_fd = linux_fd_keep(p, p->report_fd);
    p->profile_fd = config->profile_fd;
    if (p->profile_fd < 0 && config->profile)
        p->profile_fd = dup(STDERR_FILENO);
    if (p->profile_fd >= 0)
        p->profile_fd = linux_fd_keep(p, p->profile_fd);
    p->self_fd = p->config->self_fd;
    if (p->self_fd >= 0)
        p->self_fd = linux_fd_keep(p, p->self_fd);
    return 0;
}

int linux_run(const struct linux_config *config, struct err *e)
{
    struct linux_process *p = calloc(1, sizeof(*p)); /* for good: exit ends it */
    if (!p)
        return err_set_errno(e, ENOMEM, "process");
    p->config = config;
    p->log = config->log;
    p->ops = (struct a64_host_ops){
        .fetch = fetch, .code_changed = code_changed, .code_range = code_range};
    p->system = (struct a64_system){.ops = &p->ops, .ops_ctx = p, .log = config->log};
    pthread_mutex_init(&p->threads_lock, NULL);
    pthread_mutex_init(&p->tracees_lock, NULL);
    int rc = choose_model(p, e);
    if (rc == 0)
        rc = linux_memory_new(p, e);
    if (rc == 0)
        rc = start_translator(p, e);
    if (rc < 0)
        return rc;
    struct linux_thread *t = linux_thread_new(p, NULL);
    if (!t)
        return err_set_errno(e, ENOMEM, "CPU");
    linux_thread_add(t);
    rc = keep_fds(p, e);
    if (rc == 0 && config->strace && p->report_fd >= 0)
        rc = linux_strace_new(p, e);
    if (rc == 0 && config->stats && p->report_fd >= 0)
        rc = linux_stats_new(p, e);
    if (rc == 0)
        rc = linux_load(p, t, e);
    if (rc == 0 && config->gdb)
        rc = linux_gdb_new(p, config->gdb, &p->gdb, e);
    if (rc == 0)
        rc = linux_signals_start(p, t, e);
    if (rc == 0 && config->profile && p->profile_fd >= 0 && p->translator)
        rc = linux_profile_new(p, e);
    if (rc == 0 && config->seccomp_fd >= 0)
        rc = linux_seccomp_load(t, config->seccomp_fd, e);
    if (rc == 0 && config->gdb)
        rc = linux_gdb_start(p->gdb, e);
    if (rc < 0)
        return rc;
    linux_tracee_execed(t, getauxval(AT_FLAGS) & LINUX_TRACED_AT_FLAGS);
    if (linux_debugged(t))
        linux_thread_kick(t);
    linux_thread_loop(t);
}
