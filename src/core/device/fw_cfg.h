/* fw_cfg.h: the firmware configuration device: named blobs that firmware fetches from the board.
 *
 * Source: QEMU's public specification of the device (docs/specs/fw_cfg), in memory or, on x86, at
 * I/O ports, with the DMA interface. Items are added while the board is built and constant
 * afterwards.
 */
#ifndef PENG_CORE_DEVICE_FW_CFG_H
#define PENG_CORE_DEVICE_FW_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/device/bus.h"
#include "core/memory/guestmem.h"

enum {
    FW_CFG_BYTES = 0x18,
    FW_CFG_PORTS = 0x510, /* where firmware for x86 looks */
    FW_CFG_PORTS_BYTES = 12,
    FW_CFG_FILES_MAX = 32,
    FW_CFG_NAME_SIZE = 56,
};

/* Well-known keys (the ones a board may set; the device makes signature, id and directory itself).
 */
enum fw_cfg_key {
    FW_CFG_NB_CPUS = 0x05,     /* u16 */
    FW_CFG_KERNEL_SIZE = 0x08, /* u32 */
    FW_CFG_INITRD_SIZE = 0x0b, /* u32 */
    FW_CFG_BOOT_MENU = 0x0e,   /* u16 */
    FW_CFG_MAX_CPUS = 0x0f,    /* u16 */
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_SIZE = 0x14, /* u32, counts the ending NUL */
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_SIZE = 0x17, /* u32 */
    FW_CFG_SETUP_DATA = 0x18,
};

struct fw_cfg;

int fw_cfg_new(const struct guestmem *mem /* borrowed */, struct fw_cfg **ret_cfg, struct err *e);
void fw_cfg_free(struct fw_cfg *cfg); /* NULL is a no-op */
void fw_cfg_reset(struct fw_cfg *cfg);

/* `data` is copied, or with `borrow` used in place for as long as the device lives. Integers are
 * little-endian. Errors: EEXIST, ENOSPC, EINVAL (name too long or empty). */
int fw_cfg_add_item(struct fw_cfg *cfg, enum fw_cfg_key key, const void *data, size_t size_bytes,
                    bool borrow, struct err *e);
int fw_cfg_add_u16(struct fw_cfg *cfg, enum fw_cfg_key key, uint16_t value, struct err *e);
int fw_cfg_add_u32(struct fw_cfg *cfg, enum fw_cfg_key key, uint32_t value, struct err *e);
int fw_cfg_add_file(struct fw_cfg *cfg, const char *name, const void *data, size_t size_bytes,
                    bool borrow, struct err *e);

/* ctx: struct fw_cfg */
extern const struct bus_device_ops fw_cfg_ops;       /* in memory */
extern const struct bus_device_ops fw_cfg_ports_ops; /* at ports */

#endif
