/* image_x86.c: reads x86-64 kernels.
 *
 * A bzImage (Linux, Documentation/x86/boot.rst) is a boot sector and some sectors of real-mode code
 * that nobody runs here, with the setup header at 0x1f1, and behind them the payload: it is put at
 * its preferred address and entered 0x200 behind its start, in 64-bit mode, which protocol 2.12
 * lets it announce.
 *
 * An ELF kernel is started through the 32-bit entry that a Xen note names (PVH; Xen,
 * docs/misc/pvh.pandoc): vmlinux of Linux has one, and so have unikernels and BSDs.
 *
 * Limits: no 32-bit kernels; at most PROGRAM_HEADERS_MAX segments.
 */
#include "core/machine/image_x86.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* Offsets in the file. */
enum {
    SETUP_SECTORS = 0x1f1,
    SETUP_SYSSIZE = 0x1f4, /* of the payload, in units of PARAGRAPH */
    SETUP_JUMP = 0x201,    /* its offset byte tells where the header ends */
    SETUP_MAGIC = 0x202,
    SETUP_VERSION = 0x206,
    SETUP_LOADFLAGS = 0x211,
    SETUP_INITRD_MAX = 0x22c,
    SETUP_XLOADFLAGS = 0x236,
    SETUP_COMMAND_MAX = 0x238,
    SETUP_PREFERRED = 0x258,
    SETUP_INIT_SIZE = 0x260,
    SETUP_END = 0x290,
};

enum {
    SECTOR = 512,
    PARAGRAPH = 16,
    ENTRY_64 = 0x200,
    VERSION_MIN = 0x20c,
    LOADED_HIGH = 1,
    XLF_KERNEL_64 = 1,
    PROGRAM_HEADERS_MAX = 64,
    NOTES_MAX = 64 << 10, /* bytes of one note segment that are looked at */
    NOTE_PVH_ENTRY = 18,  /* XEN_ELFNOTE_PHYS32_ENTRY */
    PVH_COMMAND_MAX = 2047,
};

/* --- bzImage -----------------------------------------------------------------------------------
 */

static int check_bzimage(const struct image *image, const char *path, const uint8_t *head,
                         struct x86_kernel *k, struct err *e)
{
    unsigned version = (unsigned)load_le(head + SETUP_VERSION, 2);
    if (version < VERSION_MIN || !(head[SETUP_LOADFLAGS] & LOADED_HIGH) ||
        !(head[SETUP_XLOADFLAGS] & XLF_KERNEL_64))
        return err_set(e, ENOEXEC, "--kernel %s: an x86 kernel without a 64-bit entry", path);
    unsigned sectors = head[SETUP_SECTORS] ? head[SETUP_SECTORS] : 4; /* 0: before the field */
    unsigned end = SETUP_MAGIC + head[SETUP_JUMP];
    k->payload_at = (uint64_t)(sectors + 1) * SECTOR;
    k->base = load_le(head + SETUP_PREFERRED, 8);
    k->memory_bytes = load_le(head + SETUP_INIT_SIZE, 4);
    k->entry = k->base + ENTRY_64;
    k->initrd_max = load_le(head + SETUP_INITRD_MAX, 4);
    k->command_max = (uint32_t)load_le(head + SETUP_COMMAND_MAX, 4);
    k->setup_bytes = (end < SETUP_END ? end : SETUP_END) - SETUP_SECTORS;
    if (k->payload_at >= image->size_bytes || k->base < 1 << 20 || k->base > 1u << 31 ||
        k->memory_bytes < image->size_bytes - k->payload_at || end <= SETUP_INIT_SIZE + 4)
        return err_set(e, ENOEXEC, "--kernel %s: bad setup header", path);
    uint64_t file_bytes = k->payload_at + load_le(head + SETUP_SYSSIZE, 4) * PARAGRAPH;
    if (align_up(image->size_bytes, PARAGRAPH) < file_bytes)
        return err_set(e, ENOEXEC, "--kernel %s: truncated: %llu bytes of %llu", path,
                       (unsigned long long)image->size_bytes, (unsigned long long)file_bytes);
    memcpy(k->setup, head + SETUP_SECTORS, k->setup_bytes);
    return 0;
}

/* --- ELF ---------------------------------------------------------------------------------------
 */

/* Program header `index`. False: not in the file. */
static bool program_header(const struct image *image, const Elf64_Ehdr *ehdr, unsigned index,
                           Elf64_Phdr *phdr)
{
    uint64_t at = ehdr->e_phoff + (uint64_t)index * sizeof(*phdr);
    return at >= ehdr->e_phoff && image_read(image, at, phdr, sizeof(*phdr));
}

/* The value of Xen's note in a segment of notes; 0: it has none. */
static uint64_t pvh_entry(const struct image *image, const Elf64_Phdr *phdr)
{
    size_t size = phdr->p_filesz < NOTES_MAX ? phdr->p_filesz : NOTES_MAX;
    uint8_t *notes = malloc(size ? size : 1);
    if (!notes)
        abort();
    uint64_t entry = 0;
    if (!image_read(image, phdr->p_offset, notes, size))
        size = 0;
    for (size_t at = 0; !entry && size - at >= 12;) {
        uint64_t name_bytes = load_le(notes + at, 4), data_bytes = load_le(notes + at + 4, 4);
        uint64_t type = load_le(notes + at + 8, 4);
        uint64_t data = at + 12 + align_up(name_bytes, 4), next = data + align_up(data_bytes, 4);
        if (next > size)
            break;
        if (type == NOTE_PVH_ENTRY && name_bytes == 4 && memcmp(notes + at + 12, "Xen", 4) == 0 &&
            (data_bytes == 4 || data_bytes == 8))
            entry = load_le(notes + data, (unsigned)data_bytes);
        at = next;
    }
    free(notes);
    return entry;
}

static int check_elf(const struct image *image, const char *path, const Elf64_Ehdr *ehdr,
                     struct x86_kernel *k, struct err *e)
{
    if (ehdr->e_phentsize != sizeof(Elf64_Phdr) || ehdr->e_phnum > PROGRAM_HEADERS_MAX)
        return err_set(e, ENOEXEC, "--kernel %s: bad ELF header", path);
    uint64_t base = UINT64_MAX, end = 0;
    for (unsigned i = 0; i < ehdr->e_phnum; i++) {
        Elf64_Phdr phdr;
        if (!program_header(image, ehdr, i, &phdr))
            return err_set(e, ENOEXEC, "--kernel %s: program headers beyond its end", path);
        if (phdr.p_type == PT_NOTE && !k->entry)
            k->entry = pvh_entry(image, &phdr);
        if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0)
            continue;
        if (phdr.p_paddr + phdr.p_memsz < phdr.p_paddr || phdr.p_filesz > phdr.p_memsz)
            return err_set(e, ENOEXEC, "--kernel %s: bad segment", path);
        base = phdr.p_paddr < base ? phdr.p_paddr : base;
        end = phdr.p_paddr + phdr.p_memsz > end ? phdr.p_paddr + phdr.p_memsz : end;
    }
    if (!k->entry)
        return err_set(e, ENOEXEC, "--kernel %s: an ELF file without a PVH entry", path);
    if (end <= base || base < 1 << 20 || k->entry < base || k->entry >= end || end > UINT32_MAX)
        return err_set(e, ENOEXEC, "--kernel %s: segments that no boot protocol allows", path);
    k->pvh = true;
    k->base = base;
    k->memory_bytes = end - base;
    k->initrd_max = UINT32_MAX;
    k->command_max = PVH_COMMAND_MAX;
    return 0;
}

static int load_elf(const struct image *image, const struct guestmem *mem, struct err *e)
{
    Elf64_Ehdr ehdr;
    if (!image_read(image, 0, &ehdr, sizeof(ehdr)))
        return err_set(e, EIO, "--kernel: became shorter");
    for (unsigned i = 0; i < ehdr.e_phnum; i++) {
        Elf64_Phdr phdr;
        if (!program_header(image, &ehdr, i, &phdr))
            return err_set(e, EIO, "--kernel: became shorter");
        if (phdr.p_type != PT_LOAD || phdr.p_filesz == 0)
            continue;
        void *room = guestmem_ptr(mem, phdr.p_paddr, phdr.p_filesz, true);
        if (!room)
            return err_set(e, ENOEXEC, "--kernel: a segment lies outside memory");
        int rc = image_load_part(image, "--kernel", phdr.p_offset, phdr.p_filesz, room, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- either ------------------------------------------------------------------------------------
 */

int image_check_x86(const struct image *image, const char *path, struct x86_kernel *ret_kernel,
                    struct err *e)
{
    uint8_t head[SETUP_END] = {0};
    struct x86_kernel k = {0};
    int rc;
    size_t have = image->size_bytes < sizeof(head) ? image->size_bytes : sizeof(head);
    if (!image_read(image, 0, head, have)) /* what a short file lacks is zero */
        return err_set(e, EIO, "--kernel %s: cannot be read", path);
    Elf64_Ehdr ehdr;
    memcpy(&ehdr, head, sizeof(ehdr));
    if (memcmp(head + SETUP_MAGIC, "HdrS", 4) == 0)
        rc = check_bzimage(image, path, head, &k, e);
    else if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) == 0 && ehdr.e_machine == EM_X86_64 &&
             ehdr.e_ident[EI_CLASS] == ELFCLASS64)
        rc = check_elf(image, path, &ehdr, &k, e);
    else
        rc = err_set(e, ENOEXEC, "--kernel %s: not an x86-64 kernel (neither a bzImage nor ELF)",
                     path);
    if (rc == 0)
        *ret_kernel = k;
    return rc;
}

int image_load_x86(const struct image *image, const struct x86_kernel *kernel,
                   const struct guestmem *mem, struct err *e)
{
    if (kernel->pvh)
        return load_elf(image, mem, e);
    uint64_t size = image->size_bytes - kernel->payload_at;
    void *room = guestmem_ptr(mem, kernel->base, size, true);
    if (!room)
        return err_set(e, ENOMEM, "--memory: too little for this kernel");
    return image_load_part(image, "--kernel", kernel->payload_at, size, room, e);
}
