/* elf_file.c: reads ELF headers once, checks them, and gives the loader numbers that it can trust.
 *
 * Stricter than the kernel in two things, so that a damaged file is refused in words instead of
 * dying of SIGBUS later: segments must lie inside the file, and in ascending order without overlap
 * (as the ABI asks). Segments may share a page.
 */
#include "core/linux/elf_file.h"

#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <linux/elf-em.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

enum { PAGE = 4096 };

/* Where user addresses end on the host. */
#define ADDRESS_END (1ull << 47)

static_assert(sizeof(Elf64_Phdr) == 56, "as the limit of headers assumes");

static const struct {
    uint16_t machine;
    const char *name;
} machines[] = {
    {EM_X86_64, "x86-64"},
    {EM_386, "32-bit x86"},
    {EM_ARM, "32-bit Arm"},
    {EM_RISCV, "RISC-V"},
    {EM_PPC64, "64-bit PowerPC"},
    {EM_PPC, "PowerPC"},
    {EM_S390, "s390"},
    {EM_MIPS, "MIPS"},
    {EM_LOONGARCH, "LoongArch"},
    {EM_SPARCV9, "64-bit SPARC"},
    {EM_IA_64, "Itanium"},
    {EM_ALPHA, "Alpha"},
    {EM_PARISC, "PA-RISC"},
    {EM_68K, "m68k"},
    {EM_SH, "SuperH"},
    {EM_BPF, "BPF"},
};

enum elf_kind elf_kind(const void *head, size_t head_bytes)
{
    const uint8_t *h = head;
    if (head_bytes < offsetof(Elf64_Ehdr, e_version) || memcmp(h, ELFMAG, SELFMAG) != 0)
        return ELF_NOT;
    bool arm64 = h[EI_CLASS] == ELFCLASS64 && h[EI_DATA] == ELFDATA2LSB &&
                 load_le(h + offsetof(Elf64_Ehdr, e_machine), 2) == EM_AARCH64;
    return arm64 ? ELF_ARM64 : ELF_FOREIGN;
}

static int refuse_machine(const uint8_t *h, struct err *e)
{
    bool big = h[EI_DATA] == ELFDATA2MSB;
    unsigned machine = h[18 + big] | h[18 + !big] << 8; /* e_machine, in the file's byte order */
    if (machine == EM_AARCH64)
        return err_set(e, ENOEXEC, big ? "big-endian arm64 program" : "ILP32 arm64 program");
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (machines[i].machine == machine)
            return err_set(e, ENOEXEC, "%s program, not arm64", machines[i].name);
    return err_set(e, ENOEXEC, "program for ELF machine %u, not arm64", machine);
}

static int check_header(const void *head, size_t head_bytes, Elf64_Ehdr *h, struct err *e)
{
    const uint8_t *id = head;
    if (head_bytes < SELFMAG || memcmp(id, ELFMAG, SELFMAG) != 0)
        return err_set(e, ENOEXEC, "not an ELF program");
    if (head_bytes < sizeof(*h))
        return err_set(e, ENOEXEC, "truncated ELF header");
    if (elf_kind(head, head_bytes) != ELF_ARM64)
        return refuse_machine(id, e);
    memcpy(h, head, sizeof(*h));
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return err_set(e, ENOEXEC, "ELF type %u, not a program (%s)", h->e_type,
                       h->e_type == ET_REL    ? "an object file"
                       : h->e_type == ET_CORE ? "a core file"
                                              : "unknown");
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0 || h->e_phnum > ELF_PHDRS_MAX)
        return err_set(e, ENOEXEC, "corrupt ELF header: %u program headers of %u bytes", h->e_phnum,
                       h->e_phentsize);
    return 0;
}

/* The program headers, from `head` where they lie in it. */
static int read_phdrs(int fd, const void *head, size_t head_bytes, const Elf64_Ehdr *h,
                      Elf64_Phdr *to, struct err *e)
{
    size_t bytes = h->e_phnum * sizeof(*to);
    if (h->e_phoff <= head_bytes && bytes <= head_bytes - h->e_phoff) {
        memcpy(to, (const char *)head + h->e_phoff, bytes);
        return 0;
    }
    if (h->e_phoff > INT64_MAX - bytes)
        return err_set(e, ENOEXEC, "corrupt ELF header: program headers out of reach");
    ssize_t n = pread(fd, to, bytes, (off_t)h->e_phoff);
    if (n < 0)
        return err_set_errno(e, errno, "program headers");
    if ((size_t)n < bytes)
        return err_set(e, ENOEXEC, "truncated: program headers missing");
    return 0;
}

static int take_load(struct elf_file *f, const Elf64_Phdr *p, uint64_t file_size, struct err *e)
{
    unsigned n = f->load_count;
    if (p->p_memsz == 0)
        return 0;
    if (p->p_filesz > p->p_memsz || p->p_memsz > ADDRESS_END ||
        p->p_vaddr > ADDRESS_END - p->p_memsz || (p->p_vaddr ^ p->p_offset) & (PAGE - 1))
        return err_set(e, ENOEXEC, "corrupt program header: segment %u", n);
    if (p->p_filesz > file_size || p->p_offset > file_size - p->p_filesz)
        return err_set(e, ENOEXEC, "truncated: segment %u ends behind the file's %llu bytes", n,
                       (unsigned long long)file_size);
    if (n && p->p_vaddr < f->loads[n - 1].address + f->loads[n - 1].memory_bytes)
        return err_set(e, ENOEXEC, "corrupt program headers: segments overlap or are not in order");
    f->loads[f->load_count++] = (struct elf_load){
        .address = p->p_vaddr,
        .memory_bytes = p->p_memsz,
        .offset = p->p_offset,
        .file_bytes = p->p_filesz,
        .read = p->p_flags & PF_R,
        .write = p->p_flags & PF_W,
        .execute = p->p_flags & PF_X,
    };
    if (n == 0)
        f->start = align_down(p->p_vaddr, PAGE);
    f->end = align_up(p->p_vaddr + p->p_memsz, PAGE);
    /* Only powers of two count, as in the kernel's maximum_alignment(). */
    if (p->p_align > f->align && (p->p_align & (p->p_align - 1)) == 0 && p->p_align < ADDRESS_END)
        f->align = p->p_align;
    return 0;
}

static int take_interpreter(struct elf_file *f, int fd, const Elf64_Phdr *p, struct err *e)
{
    if (p->p_filesz < 2 || p->p_filesz > sizeof(f->interpreter) || p->p_offset > INT64_MAX)
        return err_set(e, ENOEXEC, "corrupt name of the interpreter (PT_INTERP)");
    ssize_t n = pread(fd, f->interpreter, p->p_filesz, (off_t)p->p_offset);
    if (n < 0)
        return err_set_errno(e, errno, "name of the interpreter");
    if ((size_t)n < p->p_filesz || f->interpreter[n - 1] != 0 || f->interpreter[0] == 0)
        return err_set(e, ENOEXEC, "corrupt name of the interpreter (PT_INTERP)");
    return 0;
}

/* AT_PHDR: PT_PHDR, or where a segment holds the headers. */
static uint64_t find_phdrs(const struct elf_file *f, const Elf64_Phdr *p, const Elf64_Ehdr *h)
{
    for (unsigned i = 0; i < h->e_phnum; i++)
        if (p[i].p_type == PT_PHDR)
            return p[i].p_vaddr;
    for (unsigned i = 0; i < f->load_count; i++)
        if (f->loads[i].offset <= h->e_phoff &&
            h->e_phoff < f->loads[i].offset + f->loads[i].file_bytes)
            return h->e_phoff - f->loads[i].offset + f->loads[i].address;
    return 0;
}

static int take_phdrs(struct elf_file *f, int fd, uint64_t file_bytes, const Elf64_Ehdr *h,
                      const Elf64_Phdr *p, struct err *e)
{
    for (unsigned i = 0; i < h->e_phnum; i++) {
        int rc = 0;
        if (p[i].p_type == PT_LOAD)
            rc = take_load(f, &p[i], file_bytes, e);
        else if (p[i].p_type == PT_INTERP && !f->interpreter[0])
            rc = take_interpreter(f, fd, &p[i], e);
        else if (p[i].p_type == PT_GNU_STACK)
            f->stack_executable = p[i].p_flags & PF_X;
        if (rc < 0)
            return rc;
    }
    if (f->load_count == 0)
        return err_set(e, ENOEXEC, "corrupt ELF header: nothing to load");
    f->phdrs = find_phdrs(f, p, h);
    return 0;
}

int elf_read(int fd, uint64_t file_bytes, const void *head, size_t head_bytes,
             struct elf_file *ret_file, struct err *e)
{
    Elf64_Ehdr h;
    int rc = check_header(head, head_bytes, &h, e);
    if (rc < 0)
        return rc;
    struct elf_file *f = ret_file;
    *f = (struct elf_file){
        .relocatable = h.e_type == ET_DYN,
        .entry = h.e_entry,
        .phdr_count = h.e_phnum,
        .align = PAGE,
    };
    Elf64_Phdr *p = malloc(h.e_phnum * sizeof(*p));
    f->loads = malloc(h.e_phnum * sizeof(*f->loads));
    if (!p || !f->loads)
        rc = err_set_errno(e, ENOMEM, "program headers");
    if (rc == 0)
        rc = read_phdrs(fd, head, head_bytes, &h, p, e);
    if (rc == 0)
        rc = take_phdrs(f, fd, file_bytes, &h, p, e);
    free(p);
    if (rc < 0)
        elf_free(f);
    return rc;
}

void elf_free(struct elf_file *file)
{
    if (!file)
        return;
    free(file->loads);
    file->loads = NULL;
}
