/* litmus_code.h: code that some threads write while others run it and what lies beside it (DDI 0487
 * B2.2.5, B2.7.4). Behind litmus.h, in the same programs; `room` is memory of theirs that
 * can be written and executed.
 *
 * A slot is a branch in a line of its own, to one of a row of small functions that tell their
 * number. Writers turn all slots from one number to the next, each announced and then published,
 * while readers call slots: what they get must not be older than what was published. (B is among
 * the instructions that may be changed while they are run.) Many slots lie in one page and all code
 * of a round is new, so that several threads are always translating, the same page and others,
 * while code in it is changing.
 */
#ifndef PENG_TESTS_LITMUS_CODE_H
#define PENG_TESTS_LITMUS_CODE_H

enum {
    CODE_SLOTS = 128, /* two pages */
    CODE_SLOT_WORDS = 16,
    CODE_NUMBERS = 24,
    CODE_WORDS = CODE_SLOTS * CODE_SLOT_WORDS + 2 * CODE_NUMBERS,
    CODE_CALLS = 400,
};

static uint32_t *code; /* CODE_WORDS */
static struct cell published[CODE_SLOTS];
static volatile unsigned stale;

static void announce(uint32_t *at)
{
    __asm__ volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb" ::"r"(at) : "memory");
}

static unsigned call_slot(unsigned slot)
{
    unsigned (*function)(void) = (unsigned (*)(void))(code + slot * CODE_SLOT_WORDS);
    return function();
}

static void write_slot(unsigned slot, unsigned number)
{
    uint32_t *at = code + slot * CODE_SLOT_WORDS;
    int64_t words = code + CODE_SLOTS * CODE_SLOT_WORDS + 2 * number - at;
    __atomic_store_n(at, 0x14000000u | ((uint32_t)words & 0x3ffffff), __ATOMIC_RELAXED); /* b */
    announce(at);
    __atomic_store_n(&published[slot].value, number, __ATOMIC_RELEASE);
}

/* Threads 0 and 1 write every other slot; all call slots in an order of their own. */
static void change_code(void)
{
    unsigned thread = litmus_thread(), seed = thread * 77 + 1;
    uint64_t round = 0;
    for (unsigned number = 1; number < CODE_NUMBERS; number++) {
        barrier(++round);
        for (unsigned i = 0; i < CODE_CALLS; i++) {
            if (thread < 2 && i < CODE_SLOTS / 2)
                write_slot(2 * i + thread, number);
            seed = seed * 1103515245 + 12345;
            unsigned slot = (seed >> 16) % CODE_SLOTS;
            uint64_t oldest = __atomic_load_n(&published[slot].value, __ATOMIC_ACQUIRE);
            __asm__ volatile("isb" ::: "memory");
            unsigned got = call_slot(slot);
            if (got < oldest || got > number)
                stale = stale + 1;
        }
        barrier(++round);
        __asm__ volatile("isb" ::: "memory");
        for (unsigned slot = thread; slot < thread + CODE_SLOTS; slot++)
            if (call_slot(slot % CODE_SLOTS) != number)
                stale = stale + 1;
    }
}

/* movz w0, #number; ret */
static void write_functions(void)
{
    uint32_t *at = code + CODE_SLOTS * CODE_SLOT_WORDS;
    for (unsigned number = 0; number < CODE_NUMBERS; number++) {
        at[2 * number] = 0x52800000u | number << 5;
        at[2 * number + 1] = 0xd65f03c0;
        announce(&at[2 * number]);
    }
}

static void litmus_code(uint32_t *room)
{
    code = room;
    threads = THREADS;
    turn.value = stale = 0;
    write_functions();
    for (unsigned slot = 0; slot < CODE_SLOTS; slot++)
        write_slot(slot, 0);
    litmus_run(THREADS, change_code);
    litmus_check("changed code is run as it was published", stale, 0);
}

#endif
