/* primecell.h: the identification registers at the end of every Arm PrimeCell's 4 KiB. */
#ifndef PENG_CORE_DEVICE_PRIMECELL_H
#define PENG_CORE_DEVICE_PRIMECELL_H

#include <stdint.h>

enum { PRIMECELL_ID = 0xfe0 };

/* PeriphID0..3 of this part number and revision (designer Arm, 0x41), PCellID0..3. `offset` >=
 * PRIMECELL_ID. */
static inline uint32_t primecell_id(uint32_t part, uint32_t revision, uint64_t offset)
{
    uint64_t id = 0xb105f00d00000000ull | revision << 20 | 0x41 << 12 | part;
    unsigned index = (unsigned)(offset - PRIMECELL_ID) / 4;
    return index < 8 ? id >> (8 * index) & 0xff : 0;
}

#endif
