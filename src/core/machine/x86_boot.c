/* x86_boot.c: what a PC's boot loader does: images into memory, and the block that tells the kernel
 * about them.
 *
 * A bzImage gets Linux's zero page (Documentation/x86/zero-page.rst) and starts in 64-bit mode on
 * page tables that map the first 4 GiB one to one. A PVH kernel gets struct hvm_start_info (Xen,
 * xen/include/public/arch-x86/hvm/start_info.h) and starts in protected mode. The initrd lies as
 * high as both the kernel and RAM below 3 GiB allow, so that it is out of the way.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/machine/x86_int.h"

enum { PAGE = 4096, ENTRIES = 512, LARGE_PAGE = 2 << 20, IDENTITY_GIB = 4 };
enum { PTE_PRESENT = 1, PTE_WRITABLE = 2, PTE_LARGE = 1 << 7 };

/* The zero page, beside the copied setup header. */
enum {
    ZP_RSDP = 0x070,
    ZP_E820_COUNT = 0x1e8,
    ZP_SETUP = 0x1f1,
    ZP_LOADER = 0x210,
    ZP_INITRD = 0x218,
    ZP_INITRD_SIZE = 0x21c,
    ZP_COMMAND = 0x228,
    ZP_E820 = 0x2d0,
    E820_ENTRY = 20,
    LOADER_UNKNOWN = 0xff,
};

/* struct hvm_start_info, version 1. */
enum {
    PVH_MAGIC = 0x336ec578,
    PVH_MODULES = 56, /* where the one module's entry lies: behind the block */
    PVH_MEMORY = PVH_MODULES + 32,
    PVH_MEMORY_ENTRY = 24,
};

/* Everything below 4 GiB, in pages of 2 MiB. */
static void put_page_tables(const struct guestmem *mem)
{
    uint8_t *table = guestmem_ptr(mem, X86_PAGE_TABLES, (2 + IDENTITY_GIB) * PAGE, true);
    const uint64_t flags = PTE_PRESENT | PTE_WRITABLE;
    store_le(table, 8, (X86_PAGE_TABLES + PAGE) | flags);
    for (unsigned gib = 0; gib < IDENTITY_GIB; gib++) {
        uint64_t directory = X86_PAGE_TABLES + (2 + gib) * PAGE;
        store_le(table + PAGE + gib * 8, 8, directory | flags);
        for (unsigned i = 0; i < ENTRIES; i++)
            store_le(table + (2 + gib) * PAGE + i * 8, 8,
                     ((uint64_t)gib * ENTRIES + i) * LARGE_PAGE | flags | PTE_LARGE);
    }
}

static void put_zero_page(const struct machine *machine, uint64_t initrd)
{
    const struct x86 *x86 = machine->board_state;
    const struct x86_kernel *k = &x86->kernel_header;
    struct x86_range ranges[X86_RANGES_MAX];
    uint8_t page[PAGE] = {0};
    memcpy(page + ZP_SETUP, k->setup, k->setup_bytes);
    page[ZP_LOADER] = LOADER_UNKNOWN;
    store_le(page + ZP_COMMAND, 4, X86_COMMAND);
    store_le(page + ZP_INITRD, 4, x86->initrd.size_bytes ? initrd : 0);
    store_le(page + ZP_INITRD_SIZE, 4, x86->initrd.size_bytes);
    store_le(page + ZP_RSDP, 8, X86_ACPI);
    page[ZP_E820_COUNT] = (uint8_t)x86_memory_ranges(machine, ranges);
    for (unsigned i = 0; i < page[ZP_E820_COUNT]; i++) {
        uint8_t *entry = page + ZP_E820 + i * E820_ENTRY;
        store_le(entry, 8, ranges[i].base);
        store_le(entry + 8, 8, ranges[i].size_bytes);
        store_le(entry + 16, 4, ranges[i].type);
    }
    guestmem_write(&machine->mem, X86_ZERO_PAGE, page, sizeof(page));
}

static void put_pvh_info(const struct machine *machine, uint64_t initrd)
{
    const struct x86 *x86 = machine->board_state;
    struct x86_range ranges[X86_RANGES_MAX];
    uint8_t info[PVH_MEMORY + X86_RANGES_MAX * PVH_MEMORY_ENTRY] = {0};
    unsigned count = x86_memory_ranges(machine, ranges);
    bool has_initrd = x86->initrd.size_bytes > 0;
    store_le(info, 4, PVH_MAGIC);
    store_le(info + 4, 4, 1);
    store_le(info + 12, 4, has_initrd);
    store_le(info + 16, 8, has_initrd ? X86_PVH_INFO + PVH_MODULES : 0);
    store_le(info + 24, 8, X86_COMMAND);
    store_le(info + 32, 8, X86_ACPI);
    store_le(info + 40, 8, X86_PVH_INFO + PVH_MEMORY);
    store_le(info + 48, 4, count);
    store_le(info + PVH_MODULES, 8, initrd);
    store_le(info + PVH_MODULES + 8, 8, x86->initrd.size_bytes);
    for (unsigned i = 0; i < count; i++) {
        uint8_t *entry = info + PVH_MEMORY + i * PVH_MEMORY_ENTRY;
        store_le(entry, 8, ranges[i].base);
        store_le(entry + 8, 8, ranges[i].size_bytes);
        store_le(entry + 16, 4, ranges[i].type);
    }
    guestmem_write(&machine->mem, X86_PVH_INFO, info, sizeof(info));
}

static int put_command(const struct machine *machine, struct err *e)
{
    const struct x86 *x86 = machine->board_state;
    const char *append = machine->config.append ?: "";
    size_t size = strlen(append) + 1;
    if (size - 1 > x86->kernel_header.command_max || X86_COMMAND + size > X86_LOW_END)
        return err_set(e, E2BIG, "--append: longer than the %u bytes that this kernel takes",
                       x86->kernel_header.command_max);
    guestmem_write(&machine->mem, X86_COMMAND, append, size);
    return 0;
}

/* Where the initrd goes, page-aligned; checks that kernel and initrd fit. */
static int place(const struct machine *machine, uint64_t *ret_initrd, struct err *e)
{
    const struct x86 *x86 = machine->board_state;
    const struct x86_kernel *k = &x86->kernel_header;
    uint64_t low = machine->mem.regions[0].size_bytes;
    uint64_t end = k->initrd_max + 1 < low ? k->initrd_max + 1 : low;
    uint64_t kernel_end = align_up(k->base + k->memory_bytes, PAGE);
    uint64_t initrd_bytes = align_up(x86->initrd.size_bytes, PAGE);
    if (kernel_end + initrd_bytes > align_down(end, PAGE))
        return err_set(e, ENOMEM,
                       "--memory %llu MiB: too little for this kernel and initrd, which need "
                       "%llu MiB at least",
                       (unsigned long long)(machine->config.memory_bytes >> 20),
                       (unsigned long long)((kernel_end + initrd_bytes) >> 20) + 1);
    *ret_initrd = align_down(end, PAGE) - initrd_bytes;
    return 0;
}

int x86_boot(struct machine *machine, struct engine_start *ret_start, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    const struct x86_kernel *k = &x86->kernel_header;
    uint64_t initrd = 0;
    int rc = place(machine, &initrd, e);
    if (rc == 0)
        rc = put_command(machine, e);
    if (rc == 0)
        rc = image_load_x86(&x86->kernel, k, &machine->mem, e);
    if (rc == 0 && x86->initrd.size_bytes)
        rc = image_load(&x86->initrd, "--initrd",
                        guestmem_ptr(&machine->mem, initrd, x86->initrd.size_bytes, true), e);
    if (rc < 0)
        return rc;
    ret_start->pc = k->entry;
    if (k->pvh) {
        put_pvh_info(machine, initrd);
        ret_start->argument = X86_PVH_INFO;
    } else {
        put_zero_page(machine, initrd);
        put_page_tables(&machine->mem);
        ret_start->argument = X86_ZERO_PAGE;
        ret_start->page_table = X86_PAGE_TABLES;
    }
    return 0;
}
