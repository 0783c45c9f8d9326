/* memory.c: what waits for memory: copies, strided sums, and a chain of dependent loads. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 1 << 21, ROUNDS = 12, HOPS = 1 << 21 };

int main(void)
{
    uint64_t *from = malloc(WORDS * sizeof(*from)), *to = malloc(WORDS * sizeof(*to)), sum = 0;
    for (uint32_t i = 0; i < WORDS; i++) /* one cycle through every word: full-period LCG */
        from[i] = (i * 1664525u + 1013904223u) % WORDS;
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(to, from, WORDS * sizeof(*from));
        for (unsigned stride = 1; stride <= 16; stride *= 4)
            for (unsigned i = 0; i < WORDS; i += stride)
                sum += to[i] ^ stride;
        memmove(to + 3, to, (WORDS - 3) * sizeof(*to));
        memset(to, round, WORDS * sizeof(*to) / 2);
    }
    uint64_t at = 0;
    for (int i = 0; i < HOPS; i++)
        at = from[at];
    printf("%llx %llx %llx\n", (unsigned long long)sum, (unsigned long long)at,
           (unsigned long long)to[WORDS - 1]);
    return 0;
}
