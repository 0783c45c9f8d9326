/* cfi_flash.h: NOR flash with the Intel command set (CFI, JEDEC JESD68; Intel StrataFlash P30), as
 * virtual firmware expects it: on Arm two 16-bit chips side by side on a 32-bit bus, on x86 one of
 * 8 bits.
 *
 * The machine has two banks, and they are served in different ways, because guest memory regions do
 * not change while it runs:
 *  - The firmware's bank is a read-only region of guest memory, so code runs from it at RAM speed.
 * It never enters command mode: the board puts cfi_rom_ops on the bus at the same address, which
 *    drops the guest's writes. Firmware does not touch this bank, and the board's device tree
 * should not list it as flash.
 *  - The variable store's bank is a struct cfi_flash on the bus and in no region. It says by show()
 * when it is in array mode, and the board has the engine show its content as memory meanwhile,
 * where the engine can: OVMF reads the bank a hundred thousand times before it starts anything.
 * Else every read comes to the device.
 */
#ifndef PENG_CORE_DEVICE_CFI_FLASH_H
#define PENG_CORE_DEVICE_CFI_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/device/bus.h"

enum cfi_flash_kind { CFI_FLASH_TWO_X16, CFI_FLASH_ONE_X8 };
enum { CFI_FLASH_SECTOR_BYTES = 256 << 10, CFI_FLASH_X8_SECTOR_BYTES = 4 << 10 }; /* of a bank */

struct cfi_flash;

struct cfi_flash_config {
    uint64_t size_bytes; /* of the bank: whole sectors, at least two, at most 256 MiB */
    /* The content to start with; NULL: erased. With `write_back` the file must be of exactly
     * `size_bytes`, is locked and gets the guest's changes; without, it may be smaller and is never
     * written. */
    const char *path;
    bool write_back;
    /* With `write_back`, a file that is missing or empty is made as a copy of this one, erased
     * behind its end; NULL or no such file: erased as a whole. */
    const char *template_path;
    enum cfi_flash_kind kind;
    /* Told, under the bank's lock, when array mode begins and ends: while `on`, a read gives the
     * byte of `content`. NULL: nobody wants to know. Never called for a bank without `path`. */
    void (*show)(void *ctx, uint8_t *content, bool on);
    void *show_ctx;
};

/* Errors: those of opening, filling and mapping `path`, EBUSY where another machine has it, EINVAL
 * for sizes; the text names the file. */
int cfi_flash_new(const struct cfi_flash_config *config, struct cfi_flash **ret_flash,
                  struct err *e);
void cfi_flash_free(struct cfi_flash *flash);  /* writes back; NULL is a no-op */
void cfi_flash_reset(struct cfi_flash *flash); /* to read-array mode */

extern const struct bus_device_ops cfi_flash_ops; /* ctx: struct cfi_flash */
extern const struct bus_device_ops cfi_rom_ops;   /* ctx: NULL; reads zero, drops writes */

#endif
