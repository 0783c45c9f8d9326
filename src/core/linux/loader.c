/* loader.c: from a program's name to a process about to execute its first instruction.
 *
 * A script is run as fs/binfmt_script.c does: its interpreter with the script as argument. An ELF
 * program is mapped segment by segment: a fixed one (ET_EXEC) where it says, a movable one (ET_DYN)
 * from 0x55_0000_0000 on, plus a random number of pages unless the personality forbids it. This
 * program itself is movable without an interpreter, which the kernel places in the mmap area at the
 * top: low addresses are the guest's. A dynamic linker (PT_INTERP) goes where mmap puts it.
 *
 * Limits: program properties (PT_GNU_PROPERTY) ask for BTI, which no model has. A running program's
 * file can be opened for writing (the kernel refuses with ETXTBSY what it executes itself).
 *
 * Source: Linux 6.1, fs/binfmt_elf.c (load_elf_binary, elf_map, load_elf_interp),
 * arch/arm64/kernel/process.c (arch_randomize_brk).
 */
#include "core/linux/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "core/linux/elf_file.h"
#include "core/linux/memory_int.h"
#include "core/linux/script.h"
#include "core/linux/vdso.h"

/* Two thirds up, as on a kernel of arm64 (ELF_ET_DYN_BASE): programs that want room at a fixed
 * address take it lower. */
#define PROGRAM_BASE (LINUX_ADDRESS_END / 3 * 2)

enum {
    HEAD_BYTES = 4096,          /* as many program headers as most files have, and the build id */
    PROGRAM_BASE_BITS = 24,     /* pages of random offset */
    BRK_PAGES = 1 << (30 - 12), /* brk starts within a GiB behind the program */
    BASE_TRIES = 8,
};

/* An open file on its way to become the program, or its interpreter. */
struct source {
    const char *name; /* borrowed */
    int fd;
    bool close_fd;
    uint64_t file_bytes;
    size_t head_bytes;
    char head[HEAD_BYTES];
};

static void source_close(struct source *s)
{
    if (s->close_fd)
        close(s->fd);
    s->fd = -1;
    s->close_fd = false;
}

int linux_open_file(const struct linux_config *config, const char *path)
{
    char in_root[4096];
    if (config->sysroot && path[0] == '/' &&
        (size_t)snprintf(in_root, sizeof(in_root), "%s%s", config->sysroot, path) <
            sizeof(in_root)) {
        int fd = open(in_root, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Takes over `fd` where it is one, else opens `name`. */
static int source_open(const struct linux_config *config, struct source *s, int fd,
                       const char *name, struct err *e)
{
    struct stat st;
    s->name = name;
    s->fd = fd >= 0 ? fd : linux_open_file(config, name);
    s->close_fd = true;
    if (s->fd < 0)
        return err_set_errno(e, s->fd, "%s", name);
    if (fstat(s->fd, &st) < 0)
        return err_set_errno(e, errno, "%s", name);
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
        return err_set_errno(e, EACCES, "%s", name);
    s->file_bytes = (uint64_t)st.st_size;
    ssize_t n = pread(s->fd, s->head, sizeof(s->head), 0);
    if (n < 0)
        return err_set_errno(e, errno, "%s", name);
    s->head_bytes = (size_t)n;
    return 0;
}

/* --- mapping -----------------------------------------------------------------------------------
 */

static int segment_prot(const struct elf_load *l)
{
    return (l->read ? PROT_READ : 0) | (l->write ? PROT_WRITE : 0) | (l->execute ? PROT_EXEC : 0);
}

/* One segment at `bias`: its file part, zeros behind it. `flag` is MAP_FIXED or
 * MAP_FIXED_NOREPLACE. */
static int64_t map_segment(struct linux_process *p, int fd, const struct elf_load *l, uint64_t bias,
                           int flag)
{
    uint64_t start = bias + align_down(l->address, LINUX_PAGE);
    uint64_t file_end = bias + l->address + l->file_bytes;
    uint64_t file_pages = l->file_bytes ? align_up(file_end, LINUX_PAGE) : start;
    uint64_t end = bias + align_up(l->address + l->memory_bytes, LINUX_PAGE);
    int prot = segment_prot(l);
    if (l->file_bytes) {
        int64_t r = linux_memory_map(p, start, file_pages - start, prot, MAP_PRIVATE | flag, fd,
                                     align_down(l->offset, LINUX_PAGE));
        if (r < 0)
            return r;
        /* The kernel does not mind where the rest of a page cannot be cleared (padzero()). */
        if (l->write && l->memory_bytes > l->file_bytes && file_end < file_pages)
            memset((void *)file_end, 0, file_pages - file_end);
    }
    if (end > file_pages)
        return linux_memory_map(p, file_pages, end - file_pages, prot,
                                MAP_PRIVATE | MAP_ANONYMOUS | flag, -1, 0);
    return 0;
}

/* All segments from `first` on. Where two share a page the later one gets it. */
static int64_t map_segments(struct linux_process *p, int fd, const struct elf_file *f,
                            uint64_t bias, unsigned first, int flag)
{
    for (unsigned i = first; i < f->load_count; i++) {
        const struct elf_load *l = &f->loads[i];
        bool shares = i && align_down(l->address, LINUX_PAGE) <
                               f->loads[i - 1].address + f->loads[i - 1].memory_bytes;
        int64_t r = map_segment(p, fd, l, bias, shares ? MAP_FIXED : flag);
        if (r < 0) {
            for (unsigned k = first; k < i; k++)
                linux_memory_unmap(p, bias + align_down(f->loads[k].address, LINUX_PAGE),
                                   f->loads[k].memory_bytes + f->loads[k].address % LINUX_PAGE);
            return r;
        }
    }
    return 0;
}

/* Programs whose translations are kept lie where they did when those were made: by the store's
 * secret, which is random, too. A GiB is left for the host's own heap. */
static void place_program(struct linux_process *p, const struct source *s,
                          struct linux_start *start)
{
    uint64_t seed;
    if (!p->translator || !translator_seed(p->translator, &seed))
        return;
    uint64_t slide = hash_mix(seed) % ((1ull << PROGRAM_BASE_BITS) - (1 << 18)) + (1 << 18);
    if (start->randomize) {
        store_le(start->random + 16, 4, slide);
        linux_memory_place_code(p, seed);
    }
    translator_thaw(p->translator,
                    hash_bytes(s->head, s->head_bytes, s->file_bytes ^ start->randomize));
}

static uint64_t random_pages(const struct linux_start *start, unsigned at, uint64_t below)
{
    return start->randomize ? load_le(start->random + at, 4) % below * LINUX_PAGE : 0;
}

static int map_program(struct linux_process *p, const struct source *s, const struct elf_file *f,
                       const struct linux_start *start, uint64_t *ret_bias, struct err *e)
{
    int64_t r = -EEXIST;
    if (!f->relocatable) {
        r = map_segments(p, s->fd, f, 0, 0, MAP_FIXED_NOREPLACE);
        if (r == -EEXIST)
            return err_set(e, ENOMEM, "addresses 0x%llx to 0x%llx are taken",
                           (unsigned long long)f->start, (unsigned long long)f->end);
        if (r == -EPERM)
            return err_set(e, EPERM, "address 0x%llx is below what vm.mmap_min_addr allows",
                           (unsigned long long)f->start);
        *ret_bias = 0;
    }
    for (unsigned i = 0; f->relocatable && r == -EEXIST && i < BASE_TRIES; i++) {
        uint64_t base = align_down(PROGRAM_BASE, LINUX_PAGE) +
                        ((uint64_t)i << (PROGRAM_BASE_BITS + 12)) +
                        random_pages(start, 16, 1 << PROGRAM_BASE_BITS);
        if (base > LINUX_ADDRESS_END - (f->end - f->start))
            break;
        *ret_bias = align_down(base, f->align) - align_down(f->start, f->align);
        r = map_segments(p, s->fd, f, *ret_bias, 0, MAP_FIXED_NOREPLACE);
    }
    return r < 0 ? err_set_errno(e, (int)r, "mapping the program") : 0;
}

/* The dynamic linker: its whole span where mmap finds room, the segments over that. */
static int map_interpreter(struct linux_process *p, const struct source *s,
                           const struct elf_file *f, uint64_t *ret_bias, struct err *e)
{
    if (!f->relocatable) {
        int64_t r = map_segments(p, s->fd, f, 0, 0, MAP_FIXED_NOREPLACE);
        *ret_bias = 0;
        return r < 0 ? err_set_errno(e, (int)r, "mapping") : 0;
    }
    int64_t at =
        linux_memory_map(p, 0, f->end - f->start, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int64_t r = at;
    if (at >= 0) {
        *ret_bias = (uint64_t)at - f->start;
        r = map_segments(p, s->fd, f, *ret_bias, 0, MAP_FIXED);
    }
    for (unsigned i = 1; r >= 0 && i < f->load_count; i++) { /* leave no reservation behind */
        uint64_t from =
            align_up(f->loads[i - 1].address + f->loads[i - 1].memory_bytes, LINUX_PAGE);
        uint64_t to = align_down(f->loads[i].address, LINUX_PAGE);
        if (from < to)
            linux_memory_unmap(p, *ret_bias + from, to - from);
    }
    return r < 0 ? err_set_errno(e, (int)r, "mapping") : 0;
}

/* --- steps -------------------------------------------------------------------------------------
 */

/* Where code and data lie, as struct mm_struct would have it; then brk behind them. */
static void set_layout(struct linux_process *p, const struct elf_file *f, uint64_t bias,
                       const struct linux_start *start)
{
    struct linux_layout *l = &p->layout;
    l->code_start = UINT64_MAX;
    for (unsigned i = 0; i < f->load_count; i++) {
        const struct elf_load *s = &f->loads[i];
        uint64_t from = bias + s->address, to = from + s->file_bytes;
        if (from < l->code_start)
            l->code_start = from;
        if (s->execute && to > l->code_end)
            l->code_end = to;
        if (from > l->data_start)
            l->data_start = from;
        if (to > l->data_end)
            l->data_end = to;
    }
    l->program_base = bias;
    l->program_entry = bias + f->entry;
    linux_memory_set_brk(p, bias + f->end + random_pages(start, 20, BRK_PAGES));
}

/* The name that /proc/self/exe is to show: where the open file is, links resolved. A file without a
 * name (a memfd, or removed) stays open, for whoever opens that link. */
static void note_program_path(struct linux_process *p, int fd, const char *name)
{
    static const char gone[] = " (deleted)";
    char link[32];
    char *path = p->layout.program_path;
    size_t room = sizeof(p->layout.program_path);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, room - 1);
    p->program_fd = -1;
    if (n > 0) {
        path[n] = 0;
        if ((size_t)n >= strlen(gone) && strcmp(path + n - strlen(gone), gone) == 0)
            p->program_fd = linux_fd_keep(p, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    } else if (!realpath(name, path)) { /* no /proc */
        snprintf(path, room, "%s", name);
    }
}

static int load_interpreter(struct linux_process *p, const char *path, uint64_t *ret_base,
                            uint64_t *ret_entry, struct err *e)
{
    struct source s;
    struct elf_file f = {0};
    int rc = source_open(p->config, &s, -1, path, e);
    if (rc == 0) {
        rc = elf_read(s.fd, s.file_bytes, s.head, s.head_bytes, &f, e);
        if (rc == 0)
            rc = map_interpreter(p, &s, &f, ret_base, e);
        if (rc < 0)
            err_prefix(e, "%s", path);
    }
    *ret_entry = *ret_base + f.entry;
    elf_free(&f);
    source_close(&s);
    return rc < 0 ? err_prefix(e, "dynamic linker") : 0;
}

static int load_program(struct linux_process *p, struct linux_thread *t, struct source *s,
                        struct linux_start *start, struct err *e)
{
    struct elf_file f = {0};
    uint64_t bias = 0, base = 0, entry = 0;
    int rc = elf_read(s->fd, s->file_bytes, s->head, s->head_bytes, &f, e);
    if (rc == 0)
        rc = map_program(p, s, &f, start, &bias, e);
    if (rc == 0) {
        set_layout(p, &f, bias, start);
        entry = p->layout.program_entry;
        if (f.interpreter[0])
            rc = load_interpreter(p, f.interpreter, &base, &entry, e);
    }
    if (rc == 0) {
        start->phdrs = f.phdrs ? bias + f.phdrs : 0;
        start->phdr_count = f.phdr_count;
        start->interpreter_base = base;
        start->entry = p->layout.program_entry;
        start->stack_executable = f.stack_executable;
        linux_vdso_map(p);
        rc = linux_stack_build(p, t, start, e);
    }
    p->layout.entry = t->cpu->pc = entry;
    elf_free(&f);
    return rc;
}

/* Opens the program; while that is a script, its interpreter, with the arguments it is to get. */
static int open_program(struct linux_process *p, struct source *s, struct script scripts[],
                        struct linux_start *start, struct err *e)
{
    const char *name = p->config->program;
    int rc = source_open(p->config, s, p->config->program_fd, name, e);
    for (unsigned depth = 0; rc == 0 && script_is(s->head, s->head_bytes); depth++) {
        if (depth == SCRIPT_DEPTH_MAX)
            return err_set_errno(e, ELOOP, "%s: scripts that run scripts", name);
        struct script *script = &scripts[depth];
        if (script_parse(s->head, s->head_bytes, script) < 0)
            return err_set(e, ENOEXEC, "%s: script without an interpreter", name);
        char **argv = script_argv(script, name, start->argv);
        if (!argv)
            return err_set_errno(e, ENOMEM, "arguments");
        start->argv = argv; /* lives as long as the process */
        source_close(s);
        name = script->interpreter;
        rc = source_open(p->config, s, -1, name, e);
        if (rc < 0)
            err_prefix(e, "%s: interpreter", p->config->program);
    }
    return rc;
}

int linux_load(struct linux_process *p, struct linux_thread *t, struct err *e)
{
    const struct linux_config *config = p->config;
    struct script scripts[SCRIPT_DEPTH_MAX];
    struct source s = {.fd = -1};
    struct linux_start start = {
        .argv = config->argv,
        .envp = config->envp,
        .exec_name = config->exec_name ? config->exec_name : config->program,
        .randomize = !(personality(0xffffffff) & ADDR_NO_RANDOMIZE),
    };
    if (getrandom(start.random, sizeof(start.random), GRND_NONBLOCK) < 0)
        return err_set_errno(e, errno, "random bytes");
    int rc = open_program(p, &s, scripts, &start, e);
    if (rc == 0) {
        note_program_path(p, s.fd, config->program);
        place_program(p, &s, &start);
        rc = load_program(p, t, &s, &start, e);
        if (rc < 0)
            err_prefix(e, "%s", s.name);
        if (rc < 0 && s.name != config->program)
            err_prefix(e, "%s: interpreter", config->program);
    }
    source_close(&s);
    if (rc == 0)
        linux_proc_publish(p);
    return rc;
}
