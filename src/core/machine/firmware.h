/* firmware.h: what every board with --firmware has: the file, the flash bank of its variables, and
 * the device from which it reads its configuration.
 */
#ifndef PENG_CORE_MACHINE_FIRMWARE_H
#define PENG_CORE_MACHINE_FIRMWARE_H

#include "core/device/cfi_flash.h"
#include "core/device/fw_cfg.h"
#include "core/machine/image.h"
#include "core/machine/machine_int.h"

/* All zero: the machine has none. */
struct firmware {
    struct image image;
    struct cfi_flash *variables; /* NULL: it has no bank for them */
    struct machine *machine;     /* whose bank it is; borrowed */
    uint64_t bank_base, bank_bytes;
    struct fw_cfg *fw_cfg;
};

/* Where a board has the variables' bank. */
struct firmware_bank {
    uint64_t base, size_bytes;
    enum cfi_flash_kind kind;
    bool template_always; /* begins as a copy of the template even where no file keeps it */
};

/* Opens machine_config.firmware. Errors name the flag and the file; EFBIG: over `max_bytes`. */
int firmware_open(const struct machine *machine, uint64_t max_bytes, struct firmware *ret_firmware,
                  struct err *e);
/* Makes the bank of its variables and puts it on the machine's bus. Makes the operator's file where
 * it is missing, so this comes last of all that can fail. */
int firmware_add_variables(struct machine *machine, struct firmware *firmware,
                           const struct firmware_bank *bank, struct err *e);
/* Makes fw_cfg, with the number of CPUs; the board puts it on a bus. */
int firmware_make_config(struct machine *machine, struct firmware *firmware, struct err *e);
void firmware_reset(struct firmware *firmware);
void firmware_done(struct firmware *firmware); /* all zero is a no-op */

#endif
