/* fuzz_guestmem.c: hostile ranges against the one checked way to guest memory.
 *
 * The input is a list of 16-byte requests: an address, a length and what to do. Nothing that the
 * ranges say may lead outside the regions; a sanitizer or the assertions see it where it does.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "core/memory/guestmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const struct guestmem *mem, uint64_t address, uint64_t length, bool write)
{
    uint8_t *p = guestmem_ptr(mem, address, length, write);
    const struct guestmem_region *region = guestmem_find(mem, address);
    if (!p)
        return;
    assert(region && (!write || !region->read_only));
    assert(p >= region->host && length <= region->size_bytes);
    assert((uint64_t)(p - region->host) <= region->size_bytes - length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guestmem mem;
    uint8_t buffer[512];
    guestmem_init(&mem, (struct guestmem_mmio){0});
    if (guestmem_add_ram(&mem, 0x40000000, 0x10000, false, NULL) ||
        guestmem_add_ram(&mem, 0x40010000, 0x10000, true, NULL) ||
        guestmem_add_ram(&mem, ~0ull - 0x1ffff, 0x10000, false, NULL))
        assert(!"no memory");
    for (; size >= 16; data += 16, size -= 16) {
        uint64_t address = load_le(data, 8), length = load_le(data + 8, 7);
        check_inside(&mem, address, length, data[15] & 1);
        size_t copied = length % (sizeof buffer + 1);
        memset(buffer, data[15], sizeof buffer);
        if (data[15] & 2)
            guestmem_write(&mem, address, buffer, copied);
        else
            guestmem_read(&mem, address, buffer, copied);
    }
    guestmem_done(&mem);
    return 0;
}
