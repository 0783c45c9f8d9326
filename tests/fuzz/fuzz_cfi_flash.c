/* fuzz_cfi_flash.c: hostile command sequences at the flash. */
#include "core/device/cfi_flash.h"
#include "mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BANK = 2 * CFI_FLASH_SECTOR_BYTES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The commands, so that plain noise reaches the deeper states. */
    static const uint8_t commands[16] = {0xff, 0x98, 0x90, 0x70, 0x50, 0x20, 0xd0, 0x40,
                                         0x10, 0xe8, 0xd0, 0x60, 0,    1,    31,   32};
    const struct cfi_flash_config config = {
        .size_bytes = BANK, .kind = size % 2 ? CFI_FLASH_ONE_X8 : CFI_FLASH_TWO_X16};
    struct cfi_flash *flash;
    if (cfi_flash_new(&config, &flash, NULL) < 0)
        return 0;
    for (; size >= MMIO_REQUEST_BYTES; data += MMIO_REQUEST_BYTES, size -= MMIO_REQUEST_BYTES) {
        struct mmio_request r = mmio_request(data);
        if (r.where & 1 << 20)
            r.value = (r.value & ~0xff00ffull) | commands[r.kind] | commands[r.kind] << 16;
        mmio_do(&cfi_flash_ops, flash, BANK, &r);
    }
    cfi_flash_free(flash);
    return 0;
}
