/* pieces.h: two pieces of work, by as many threads as the program's argument says: 2, at the same
 * time, or 1. */
#ifndef PENG_BENCH_GUEST_PIECES_H
#define PENG_BENCH_GUEST_PIECES_H

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { PIECES = 2 };

/* `work` gets the number of its piece, from 1. */
static inline void run_pieces(int argc, char **argv, void *(*work)(void *))
{
    int threads = argc > 1 ? atoi(argv[1]) : PIECES;
    pthread_t made[PIECES];
    for (int piece = 0; piece < PIECES; piece += threads) {
        for (int i = 0; i < threads; i++)
            pthread_create(&made[i], NULL, work, (void *)(uintptr_t)(piece + i + 1));
        for (int i = 0; i < threads; i++)
            pthread_join(made[i], NULL);
    }
}

#endif
