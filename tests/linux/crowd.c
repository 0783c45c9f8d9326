/* crowd.c: two functions at a round distance call by call, for several distances. What finds the
 * code of an indirect branch must not let one push out the other for ever: command_line.py counts.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"

enum { STEP = 128 << 10, DISTANCES = 8, CALLS = 2000 };

int main(void)
{
    static const uint32_t words[] = {0x91000400, 0xd65f03c0}; /* add x0, x0, #1; ret */
    uint8_t *code = mmap(NULL, (DISTANCES + 1) * STEP, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code != MAP_FAILED);
    uint64_t sum = 0;
    for (unsigned i = 0; i <= DISTANCES; i++)
        memcpy(code + i * STEP, words, sizeof(words));
    __builtin___clear_cache((char *)code, (char *)code + (DISTANCES + 1) * STEP);
    for (unsigned i = 1; i <= DISTANCES; i++) {
        uint64_t (*one)(uint64_t) = (uint64_t(*)(uint64_t))code;
        uint64_t (*other)(uint64_t) = (uint64_t(*)(uint64_t))(code + i * STEP);
        for (unsigned n = 0; n < CALLS; n++)
            sum = other(one(sum));
    }
    CHECK(sum == 2 * CALLS * DISTANCES);
    return 0;
}
