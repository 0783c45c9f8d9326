/* fuzz_fw_cfg.c: hostile selections, reads and DMA requests at the firmware configuration device.
 */
#include <assert.h>
#include <endian.h>

#include "core/device/fw_cfg.h"
#include "mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAM = 0x40000000, RAM_BYTES = 0x10000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guestmem mem;
    struct fw_cfg *cfg;
    guestmem_init(&mem, (struct guestmem_mmio){0});
    if (guestmem_add_ram(&mem, RAM, RAM_BYTES, false, NULL) < 0 ||
        fw_cfg_new(&mem, &cfg, NULL) < 0 ||
        fw_cfg_add_file(cfg, "etc/one", "some text", 9, true, NULL) < 0 ||
        fw_cfg_add_u16(cfg, FW_CFG_NB_CPUS, 4, NULL) < 0)
        assert(!"cannot be built");
    for (; size >= MMIO_REQUEST_BYTES; data += MMIO_REQUEST_BYTES, size -= MMIO_REQUEST_BYTES) {
        struct mmio_request r = mmio_request(data);
        if (r.kind < 8) {
            mmio_do(&fw_cfg_ops, cfg, FW_CFG_BYTES, &r);
        } else if (r.kind < 12) { /* part of a DMA request */
            guestmem_write(&mem, RAM + r.where % 64, &r.value, 8);
        } else {
            uint64_t at = r.kind < 15 ? RAM + r.where % 64 : r.value;
            fw_cfg_ops.write(cfg, 0x10, 8, htobe64(at));
        }
    }
    fw_cfg_free(cfg);
    guestmem_done(&mem);
    return 0;
}
