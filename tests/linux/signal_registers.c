/* signal_registers.c: whatever a handler does to registers, the interrupted code sees none of it.
 * A timer interrupts loops that keep known values in every register they can.
 */
#include "check.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

static volatile unsigned ticks;

static void spoil(int signal, siginfo_t *info, void *context)
{
    ticks++;
    __asm__ volatile("mov x0, #-1\n mov x1, x0\n mov x2, x0\n mov x3, x0\n mov x4, x0\n"
                     "mov x5, x0\n mov x6, x0\n mov x7, x0\n mov x8, x0\n mov x9, x0\n"
                     "mov x10, x0\n mov x11, x0\n mov x12, x0\n mov x13, x0\n mov x14, x0\n"
                     "mov x15, x0\n mov x16, x0\n mov x17, x0\n cmp x0, x0\n"
                     "movi v0.16b, #255\n movi v1.16b, #255\n movi v15.16b, #255\n"
                     "movi v31.16b, #255\n msr fpsr, x0\n mov x0, #0xc00000\n msr fpcr, x0\n" ::
                         : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
                           "x12", "x13", "x14", "x15", "x16", "x17", "cc", "v0", "v1", "v15",
                           "v31");
}

/* Adds up each register `turns` times while the flags carry the loop's condition across a call. */
static unsigned long work(unsigned long turns)
{
    unsigned long wrong = 0;
    __asm__ volatile(
        "mov x1, #1\n mov x2, #2\n mov x3, #3\n mov x4, #4\n mov x5, #5\n mov x6, #6\n"
        "mov x7, #7\n mov x9, #9\n mov x10, #10\n mov x11, #11\n mov x12, #12\n"
        "mov x13, #13\n mov x14, #14\n mov x15, #15\n mov x16, #16\n mov x17, #17\n"
        "movi v0.16b, #7\n movi v15.16b, #15\n movi v31.16b, #31\n"
        "msr fpsr, xzr\n msr fpcr, xzr\n"
        "mov %0, #0\n mov x0, %1\n"
        "1: adds xzr, xzr, xzr\n" /* Z, not C */
        "b 2f\n 2: b 3f\n 3:\n"
        "cinc %0, %0, ne\n cinc %0, %0, cs\n"
        "subs xzr, x1, x2\n" /* N, not C */
        "b 4f\n 4: b 5f\n 5:\n"
        "cinc %0, %0, eq\n cinc %0, %0, cs\n cinc %0, %0, pl\n"
        "add x8, x1, x2\n add x8, x8, x3\n add x8, x8, x4\n add x8, x8, x5\n"
        "add x8, x8, x6\n add x8, x8, x7\n add x8, x8, x9\n add x8, x8, x10\n"
        "add x8, x8, x11\n add x8, x8, x12\n add x8, x8, x13\n add x8, x8, x14\n"
        "add x8, x8, x15\n add x8, x8, x16\n add x8, x8, x17\n"
        "cmp x8, #145\n cinc %0, %0, ne\n"
        "add v1.16b, v0.16b, v15.16b\n add v1.16b, v1.16b, v31.16b\n umov w8, v1.b[9]\n"
        "cmp w8, #53\n cinc %0, %0, ne\n"
        "mrs x8, fpsr\n cmp x8, #0\n cinc %0, %0, ne\n"
        "mrs x8, fpcr\n cmp x8, #0\n cinc %0, %0, ne\n"
        "subs x0, x0, #1\n b.ne 1b\n"
        : "=&r"(wrong)
        : "r"(turns)
        : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
          "x14", "x15", "x16", "x17", "cc", "v0", "v1", "v15", "v31");
    return wrong;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = spoil, .sa_flags = SA_SIGINFO};
    struct itimerval timer = {{0, 500}, {0, 500}};
    struct timespec from, now;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    clock_gettime(CLOCK_MONOTONIC, &from);
    do {
        CHECK_EQ(work(20000), 0);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (ticks < 200 && now.tv_sec - from.tv_sec < 20);
    CHECK(ticks >= 200);
    puts("ok");
    return 0;
}
