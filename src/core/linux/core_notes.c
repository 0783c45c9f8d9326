/* core_notes.c: what a core file says about the process and its threads.
 *
 * Source: Linux 6.1, fs/binfmt_elf.c (fill_note_info), include/linux/elfcore.h, uapi/linux/elf.h,
 * with arm64's register sets.
 */
#include "core/linux/core_int.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/linux/regs.h"
#include "core/linux/signal_int.h"

enum { NOTE_ARM_TLS = 0x401, NOTE_SIGINFO = 0x53494749, NOTE_FILE = 0x46494c45 };

struct prstatus {
    int32_t signo, code, error;
    int16_t cursig;
    uint16_t padding;
    uint64_t pending, held;
    int32_t pid, ppid, pgrp, sid;
    struct timeval utime, stime, cutime, cstime;
    struct linux_user_regs regs;
    int32_t fpvalid, padding2;
};
static_assert(sizeof(struct prstatus) == 392, "struct elf_prstatus");

struct prpsinfo {
    uint8_t state;
    char sname;
    uint8_t zombie;
    int8_t nice;
    uint32_t padding;
    uint64_t flag;
    uint32_t uid, gid;
    int32_t pid, ppid, pgrp, sid;
    char name[16], arguments[80];
};
static_assert(sizeof(struct prpsinfo) == 136, "struct elf_prpsinfo");

void core_bytes_add(struct core_bytes *b, const void *data, size_t size_bytes)
{
    if (b->room - b->size < size_bytes) {
        size_t room = 2 * b->room + size_bytes + LINUX_PAGE;
        uint8_t *grown = realloc(b->data, room);
        b->failed |= !grown;
        if (!grown)
            return;
        b->data = grown;
        b->room = room;
    }
    if (data)
        memcpy(b->data + b->size, data, size_bytes);
    else
        memset(b->data + b->size, 0, size_bytes);
    b->size += size_bytes;
}

void core_bytes_free(struct core_bytes *b)
{
    free(b->data);
    *b = (struct core_bytes){0};
}

/* Begins a note; returns where its header is, for end_note(). */
static size_t begin_note(struct core_bytes *b, const char *owner, uint32_t type)
{
    size_t at = b->size;
    Elf64_Nhdr head = {.n_namesz = (uint32_t)strlen(owner) + 1, .n_type = type};
    core_bytes_add(b, &head, sizeof(head));
    core_bytes_add(b, owner, head.n_namesz);
    core_bytes_add(b, NULL, align_up(head.n_namesz, 4) - head.n_namesz);
    return at;
}

static void end_note(struct core_bytes *b, size_t at)
{
    if (b->failed)
        return;
    Elf64_Nhdr *head = (Elf64_Nhdr *)(b->data + at);
    size_t body = at + sizeof(*head) + align_up(head->n_namesz, 4);
    head->n_descsz = (uint32_t)(b->size - body);
    core_bytes_add(b, NULL, align_up(b->size, 4) - b->size);
}

static void note(struct core_bytes *b, const char *owner, uint32_t type, const void *data,
                 size_t size_bytes)
{
    size_t at = begin_note(b, owner, type);
    core_bytes_add(b, data, size_bytes);
    end_note(b, at);
}

/* --- the process ------------------------------------------------------------------------------ */

static void note_process(struct core_bytes *b, struct linux_thread *t)
{
    const struct linux_layout *l = &t->process->layout;
    struct prpsinfo info = {
        .sname = 'R',
        .uid = getuid(),
        .gid = getgid(),
        .pid = getpid(),
        .ppid = getppid(),
        .pgrp = getpgrp(),
        .sid = getsid(0),
    };
    int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, info.name, sizeof(info.name) - 1);
    close(fd);
    if (n > 0 && info.name[n - 1] == '\n')
        info.name[n - 1] = 0;
    size_t size = l->arg_end - l->arg_start;
    size = size < sizeof(info.arguments) ? size : sizeof(info.arguments) - 1;
    if (linux_read(l->arg_start, info.arguments, size) < 0)
        size = 0;
    for (size_t i = 0; i < size; i++)
        if (!info.arguments[i])
            info.arguments[i] = ' ';
    note(b, "CORE", NT_PRPSINFO, &info, sizeof(info));
}

static void note_auxv(struct core_bytes *b, const struct linux_layout *l)
{
    uint8_t auxv[1024];
    size_t size = l->auxv_bytes < sizeof(auxv) ? l->auxv_bytes : sizeof(auxv);
    if (linux_read(l->auxv, auxv, size) == 0)
        note(b, "CORE", NT_AUXV, auxv, size);
}

/* count, page size; start, end, offset in pages for each; then the names. */
static void note_files(struct core_bytes *b, const struct core_mapping *mappings, size_t count)
{
    uint64_t words[3] = {0, LINUX_PAGE};
    for (size_t i = 0; i < count; i++)
        words[0] += mappings[i].inode != 0;
    size_t at = begin_note(b, "CORE", NOTE_FILE);
    core_bytes_add(b, words, 2 * sizeof(words[0]));
    for (size_t i = 0; i < count; i++) {
        const struct core_mapping *m = &mappings[i];
        const uint64_t row[3] = {m->start, m->end, m->offset / LINUX_PAGE};
        if (m->inode)
            core_bytes_add(b, row, sizeof(row));
    }
    for (size_t i = 0; i < count; i++)
        if (mappings[i].inode)
            core_bytes_add(b, mappings[i].name, strlen(mappings[i].name) + 1);
    end_note(b, at);
}

/* --- its threads ------------------------------------------------------------------------------ */

static void note_status(struct core_bytes *b, struct linux_thread *t, const siginfo_t *info)
{
    struct prstatus status = {
        .signo = info->si_signo,
        .code = info->si_code,
        .error = info->si_errno,
        .cursig = (int16_t)info->si_signo,
        .pending = t->signals->sent,
        .held = t->signals->mask,
        .pid = t->tid,
        .ppid = getppid(),
        .pgrp = getpgrp(),
        .sid = getsid(0),
        .fpvalid = 1,
    };
    linux_regs_get(t->cpu, &status.regs);
    note(b, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

static void note_registers(struct core_bytes *b, struct linux_thread *t)
{
    struct linux_user_fpsimd fpsimd;
    linux_fpsimd_get(t->cpu, &fpsimd);
    note(b, "CORE", NT_FPREGSET, &fpsimd, sizeof(fpsimd));
    note(b, "LINUX", NOTE_ARM_TLS, &t->cpu->sys[A64_TPIDR_EL0], sizeof(uint64_t));
}

void core_notes(struct core_bytes *b, struct linux_thread *dying, const siginfo_t *info,
                const struct core_mapping *mappings, size_t mapping_count)
{
    struct linux_process *p = dying->process;
    note_status(b, dying, info);
    note_process(b, dying);
    note(b, "CORE", NOTE_SIGINFO, info, sizeof(*info));
    note_auxv(b, &p->layout);
    note_files(b, mappings, mapping_count);
    note_registers(b, dying);
    if (dying->vfork_child) /* the others are its maker's */
        return;
    for (struct linux_thread *t = p->threads; t; t = t->next) {
        if (t == dying || t->vfork_child || !t->tid)
            continue;
        note_status(b, t, info);
        note_registers(b, t);
    }
}
