/* x86_firmware.c: what OVMF (Debian's ovmf) needs of the x86_64 board to start.
 *
 * Flash ends at 4 GiB: code at the end, with the reset vector in its last 16 bytes, and below it
 * the bank of variables. Code is a read-only region of guest memory; the bank is a device, whose
 * content the guest reads without leaving while it is not written (cfi_flash.h). How large the bank
 * is follows from the code's size: both together are a power of two.
 *
 * fw_cfg (at ports) has the number of CPUs, RAM above and below 4 GiB ("etc/e820"), and the ACPI
 * tables with a script by which firmware places them ("etc/table-loader", as QEMU's
 * hw/acpi/bios-linker-loader.c describes it): memory for the tables is allocated, then addresses
 * are added to pointers and checksums made again. The tables name the place of ECAM, which firmware
 * chooses before it fetches them, so they are renewed when it does.
 *
 * Limits: no SMM, so builds that want it for secure boot do not start; no S3; no SMBIOS.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/machine/x86_int.h"

enum { PAGE = 4096, E820_ENTRY = 20, FILE_NAME_BYTES = 56 };

/* The script's entries. */
enum {
    SCRIPT_ENTRY = 128,
    SCRIPT_ALLOCATE = 1, /* name, alignment, zone */
    SCRIPT_POINTER = 2,  /* name, name of what it points to, offset, size */
    SCRIPT_CHECKSUM = 3, /* name, offset, start, length */
    SCRIPT_ZONE_HIGH = 1,
    TABLES_ALIGNMENT = 64, /* FACS's */
};

static const char TABLES[] = "etc/acpi/tables";

/* --- flash -------------------------------------------------------------------------------------
 */

/* The smallest power of two that holds the code: with the bank. */
static uint64_t flash_bytes(const struct x86 *x86)
{
    uint64_t size_bytes = 1;
    while (size_bytes < x86->firmware.image.size_bytes)
        size_bytes <<= 1;
    return size_bytes;
}

int x86_firmware_memory(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    int rc = firmware_open(machine, X86_FLASH_MAX, &x86->firmware, e);
    if (rc < 0)
        return rc;
    uint64_t code_bytes = x86->firmware.image.size_bytes;
    if (code_bytes % PAGE)
        return err_set(e, EINVAL, "--firmware %s: not a multiple of 4 KiB",
                       machine->config.firmware);
    return guestmem_add_ram(&machine->mem, X86_RAM_HIGH - code_bytes, code_bytes, true, e);
}

static int add_variables(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    uint64_t all_bytes = flash_bytes(x86);
    const struct firmware_bank bank = {
        .base = X86_RAM_HIGH - all_bytes,
        .size_bytes = all_bytes - x86->firmware.image.size_bytes,
        .kind = CFI_FLASH_ONE_X8,
        .template_always = true,
    };
    if (bank.size_bytes)
        return firmware_add_variables(machine, &x86->firmware, &bank, e);
    if (machine->config.firmware_vars)
        return err_set(e, EINVAL,
                       "--firmware %s: code alone fills the flash, so vars= has no place",
                       machine->config.firmware);
    return 0;
}

int x86_firmware_load(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    uint64_t code_bytes = x86->firmware.image.size_bytes;
    void *room = guestmem_ptr(&machine->mem, X86_RAM_HIGH - code_bytes, code_bytes, false);
    return image_load(&x86->firmware.image, "--firmware", room, e);
}

/* --- ACPI --------------------------------------------------------------------------------------
 */

static void put_script(struct x86_files *files, const struct acpi_links *links)
{
    uint8_t *entry = files->script;
    store_le(entry, 4, SCRIPT_ALLOCATE);
    memcpy(entry + 4, TABLES, sizeof(TABLES));
    store_le(entry + 4 + FILE_NAME_BYTES, 4, TABLES_ALIGNMENT);
    store_le(entry + 8 + FILE_NAME_BYTES, 1, SCRIPT_ZONE_HIGH);
    for (unsigned i = 0; i < links->count; i++) {
        const struct acpi_link *link = &links->links[i];
        bool sum = link->size_bytes == 0;
        entry += SCRIPT_ENTRY;
        store_le(entry, 4, sum ? SCRIPT_CHECKSUM : SCRIPT_POINTER);
        memcpy(entry + 4, TABLES, sizeof(TABLES));
        uint8_t *rest = entry + 4 + FILE_NAME_BYTES;
        if (!sum) {
            memcpy(rest, TABLES, sizeof(TABLES));
            rest += FILE_NAME_BYTES;
        }
        store_le(rest, 4, link->at);
        store_le(rest + 4, sum ? 4 : 1, sum ? link->sum_start : link->size_bytes);
        if (sum)
            store_le(rest + 8, 4, link->sum_bytes);
    }
}

void x86_firmware_renew(struct machine *machine)
{
    struct x86 *x86 = machine->board_state;
    struct acpi_links links = {0}; /* the same as in the script */
    struct acpi a = {
        .bytes = x86->files.tables, .capacity = x86->files.tables_bytes, .links = &links};
    x86_acpi_put(machine, &a);
}

int x86_firmware_add_tables(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    struct x86_files *files = &x86->files;
    struct acpi_links links = {0};
    struct acpi a = {.links = &links};
    x86_acpi_put(machine, &a); /* into no room: to learn the size and the links */
    files->tables_bytes = a.needed;
    files->script_bytes = (1 + links.count) * (size_t)SCRIPT_ENTRY;
    files->tables = calloc(1, files->tables_bytes);
    files->script = calloc(1, files->script_bytes);
    if (!files->tables || !files->script)
        abort();
    put_script(files, &links);
    x86_firmware_renew(machine);
    struct fw_cfg *cfg = x86->firmware.fw_cfg;
    int rc = fw_cfg_add_file(cfg, TABLES, files->tables, files->tables_bytes, true, e);
    if (rc == 0)
        rc = fw_cfg_add_file(cfg, "etc/table-loader", files->script, files->script_bytes, true, e);
    return rc;
}

/* --- the rest of what it reads -----------------------------------------------------------------
 */

static int add_memory_map(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    uint8_t map[GUESTMEM_REGIONS_MAX * E820_ENTRY];
    size_t used = 0;
    for (unsigned i = 0; i < machine->mem.region_count; i++) {
        const struct guestmem_region *r = &machine->mem.regions[i];
        if (r->read_only)
            continue;
        store_le(map + used, 8, r->base);
        store_le(map + used + 8, 8, r->size_bytes);
        store_le(map + used + 16, 4, X86_RANGE_RAM);
        used += E820_ENTRY;
    }
    return fw_cfg_add_file(x86->firmware.fw_cfg, "etc/e820", map, used, false, e);
}

int x86_firmware_build(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    int rc = firmware_make_config(machine, &x86->firmware, e);
    if (rc == 0)
        rc = add_memory_map(machine, e);
    if (rc == 0)
        rc = x86_firmware_add_tables(machine, e);
    if (rc == 0)
        rc = bus_add(&machine->ports, "fw-cfg", FW_CFG_PORTS, FW_CFG_PORTS_BYTES, &fw_cfg_ports_ops,
                     x86->firmware.fw_cfg, e);
    if (rc == 0)
        rc = add_variables(machine, e);
    return rc;
}

void x86_firmware_done(struct x86 *x86)
{
    firmware_done(&x86->firmware);
    free(x86->files.tables);
    free(x86->files.script);
}
