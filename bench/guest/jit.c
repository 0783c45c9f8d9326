/* jit.c [THREADS]: two pieces of work, each of which writes functions, calls them and writes others
 * in their place, as programs do that compile for themselves; by two threads or by one after the
 * other. Where code is translated, nearly all time goes to that. For arm64 alone. */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "pieces.h"

enum { ROUNDS = 150, FUNCTIONS = 200, WORDS = 120 };
static atomic_ulong total;

typedef uint64_t function(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                          uint64_t);

/* Of X0 to X7. */
static void write_function(uint32_t *at, uint64_t *state)
{
    static const uint32_t forms[] = {
        0x8b000000, /* add xd, xn, xm */
        0xca000000, /* eor xd, xn, xm */
        0xcb401c00, /* sub xd, xn, xm, lsr #7 */
        0x9b000000, /* madd xd, xn, xm, x0 */
    };
    for (int i = 0; i < WORDS - 1; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        uint32_t r = (uint32_t)(*state >> 33);
        at[i] = forms[r & 3] | (r >> 8 & 7) | (r >> 12 & 7) << 5 | (r >> 16 & 7) << 16;
    }
    at[WORDS - 1] = 0xd65f03c0; /* ret */
}

static void *work(void *seed)
{
    size_t bytes = FUNCTIONS * WORDS * sizeof(uint32_t);
    uint64_t state = (uintptr_t)seed, sum = 0;
    uint32_t *code =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        abort();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < FUNCTIONS; i++)
            write_function(code + i * WORDS, &state);
        __builtin___clear_cache((char *)code, (char *)code + bytes);
        for (int i = 0; i < FUNCTIONS; i++)
            sum = sum * 31 + ((function *)(code + i * WORDS))(i, sum, 3, 4, 5, 6, 7, state);
    }
    atomic_fetch_add(&total, sum);
    munmap(code, bytes);
    return NULL;
}

int main(int argc, char **argv)
{
    run_pieces(argc, argv, work);
    printf("%lx\n", atomic_load(&total));
    return 0;
}
