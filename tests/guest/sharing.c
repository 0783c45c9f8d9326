/* sharing.c: accesses that a translator may check together: in loops, over borders of pages, where
 * rights differ, where the mapping changes under a loop that runs.
 *
 * The pages are mapped in TTBR1's range, 39 bits of 4 KiB pages, two neighbours in different places
 * of memory. Each loop runs often enough to be made a region.
 */
#include "guest.h"

enum {
    PAGE = 4096,
    EC_SVC = 0x15,
    EC_SP_ALIGNMENT = 0x26,
    EC_DABORT = 0x25,
    FAULT_PERMISSION_3 = 15,
    FAULT_TRANSLATION_3 = 7,
};

#define HIGH   (-(1ul << 39))
#define NORMAL (PTE_AF | PTE_SHARED)

static uint64_t *level_1, *level_3;
static volatile uint64_t *pages[2];

static void take_tables(void)
{
    uint64_t tcr = read_sysreg(tcr_el1) & ~(0xfffful << 16);
    write_sysreg(tcr_el1, tcr | 25ul << 16 | 1ul << 24 | 1ul << 26 | 3ul << 28 | 2ul << 30);
    write_sysreg(ttbr1_el1, (uint64_t)level_1);
    tlbi_all();
}

static void make_tables(void)
{
    uint64_t *level_2 = page_alloc(1);
    level_1 = page_alloc(1);
    level_3 = page_alloc(1);
    level_1[0] = (uint64_t)level_2 | PTE_TABLE;
    level_2[0] = (uint64_t)level_3 | PTE_TABLE;
    pages[0] = page_alloc(1);
    pages[1] = page_alloc(1);
    take_tables();
}

/* `flags` 0: nothing is there. */
static void map(unsigned n, const volatile void *page, uint64_t flags)
{
    level_3[n] = 0;
    __asm__ volatile(
        "dsb ishst\n tlbi vaae1is, %0\n dsb ish" ::"r"((HIGH >> 12 & 0xffffffffffful) + n)
        : "memory");
    level_3[n] = flags ? (uint64_t)page | flags | PTE_PAGE : 0;
    __asm__ volatile("dsb ishst\n isb" ::: "memory");
}

/* Fields of objects that lie 8 bytes further each time: read, changed and written in groups. */
static void test_moving_objects(void)
{
    uint64_t sum = 0, wanted = 0;
    map(0, pages[0], NORMAL);
    map(1, pages[1], NORMAL);
    for (unsigned round = 0; round < 40; round++) {
        uint64_t at = HIGH + PAGE - 512;
        for (unsigned i = 0; i < 128; i++)
            *(volatile uint64_t *)(at + 8 * i) = i;
        __asm__ volatile("mov x9, #100\n"
                         "1: ldp x10, x11, [%1, #-16]\n ldr x12, [%1, #40]\n"
                         " add x10, x10, x11\n add %0, %0, x10\n add %0, %0, x12\n"
                         " cbz x9, 2f\n"
                         " ldr x13, [%1, #24]\n add x13, x13, #1\n str x13, [%1, #24]\n"
                         " add %1, %1, #8\n ldr x12, [%1]\n add %0, %0, x12\n"
                         " subs x9, x9, #1\n b.ne 1b\n"
                         "2:\n"
                         : "+r"(sum), "+r"(at)
                         :
                         : "x9", "x10", "x11", "x12", "x13", "cc", "memory");
    }
    /* The same in C, one access at a time. */
    for (unsigned round = 0; round < 40; round++) {
        uint64_t field[128 + 2], *f = field + 2;
        f[-2] = *(volatile uint64_t *)(HIGH + PAGE - 528);
        f[-1] = *(volatile uint64_t *)(HIGH + PAGE - 520);
        for (unsigned i = 0; i < 128; i++)
            f[i] = i;
        for (int i = 0; i < 100; i++) {
            wanted += f[i - 2] + f[i - 1] + f[i + 5];
            f[i + 3]++;
            wanted += f[i + 1];
        }
        bool same = true;
        for (unsigned i = 0; i < 128; i++)
            same &= f[i] == *(volatile uint64_t *)(HIGH + PAGE - 512 + 8 * i);
        if (round == 39)
            check("objects over a border in a loop: what was written", same);
    }
    check_eq("objects over a border in a loop: what was read", sum, wanted);
}

/* table[i] += 1 until the second page, which may be read but not written, or not even read. */
static void test_elements(uint64_t flags, unsigned status, const char *name)
{
    map(0, pages[0], NORMAL);
    map(1, pages[1], flags);
    for (unsigned i = 0; i < PAGE / 8; i++)
        pages[0][i] = pages[1][i] = i;
    uint64_t index = 0, value = 0;
    expect_begin();
    __asm__ volatile("adr x9, 2f\n str x9, [%3]\n"
                     "1: ldr %1, [%2, %0, lsl #3]\n add x9, %1, #1\n str x9, [%2, %0, lsl #3]\n"
                     " add %0, %0, #1\n b 1b\n"
                     "2:\n"
                     : "+r"(index), "+r"(value)
                     : "r"(HIGH), "r"(&this_cpu()->resume_at)
                     : "x9", "memory");
    this_cpu()->resume_at = 0;
    const struct caught *c = expect_end();
    check_eq(name, caught_ec(c), EC_DABORT);
    check_eq("... status", caught_iss(c) & 0x3f, status);
    check_eq("... is of a write", caught_iss(c) >> 6 & 1, flags != 0);
    check_eq("... FAR", c->far, HIGH + PAGE);
    check_eq("... index", index, PAGE / 8);
    check_eq("... loaded", value, flags ? 0 : PAGE / 8 - 1);
    check_eq("... memory", pages[1][0], 0);
    bool all = true;
    for (unsigned i = 0; i < PAGE / 8; i++)
        all &= pages[0][i] == i + 1;
    check("... before it", all);
}

void el0_frames(void), el0_moved_frame(void), el0_odd_frame(void);

__asm__("el0_frames:\n stp x9, x9, [sp, #-16]!\n ldr w10, [sp, #4]\n ldrb w10, [sp, #47]\n svc #0\n"
        "el0_moved_frame:\n stp x9, x9, [sp]\n add sp, sp, #8\n ldr x10, [sp]\n svc #0\n"
        "el0_odd_frame:\n ldr x10, [sp, #8]\n svc #0\n");

/* Frames may lie anywhere, but SP must be a multiple of 16 at each access. */
static void test_misaligned_sp(void)
{
    static uint64_t stack[64] __attribute__((aligned(16)));
    uint64_t sp = (uint64_t)&stack[32] + EL0_ALIAS;
    const struct caught *c = enter_el0((uint64_t)el0_frames + EL0_ALIAS, sp, 0, 0);
    check_eq("EL0: parts of a frame", caught_ec(c), EC_SVC);
    c = enter_el0((uint64_t)el0_moved_frame + EL0_ALIAS, sp, 0, 0);
    check_eq("EL0 load from an unaligned SP behind an aligned one", caught_ec(c), EC_SP_ALIGNMENT);
    check_eq("EL0 load from an unaligned SP behind an aligned one: ELR", c->elr,
             (uint64_t)el0_moved_frame + EL0_ALIAS + 8);
    c = enter_el0((uint64_t)el0_odd_frame + EL0_ALIAS, sp + 8, 0, 0);
    check_eq("EL0 load from an unaligned SP at an aligned place", caught_ec(c), EC_SP_ALIGNMENT);
}

/* --- while another CPU changes the mapping -------------------------------------------------------
 */

static volatile uint64_t which, stop, wrong, loops;

/* CPU 0 numbers the changes: the page that comes has its number, the one that goes the last. Who
 * has seen a number must read nothing less, however long its loop runs on. (The entry is written
 * over, so that the others find a page at any time; the architecture wants it invalid in between.)
 */
static void remap(void)
{
    take_tables();
    if (this_cpu()->index == 0) {
        for (uint64_t i = 2; i <= 200; i++) {
            for (unsigned k = 0; k < 4; k++)
                pages[i & 1][k] = i;
            level_3[0] = (uint64_t)pages[i & 1] | NORMAL | PTE_PAGE;
            __asm__ volatile(
                "dsb ishst\n tlbi vaae1is, %0\n dsb ish" ::"r"(HIGH >> 12 & 0xffffffffffful)
                : "memory");
            __atomic_store_n(&which, i, __ATOMIC_SEQ_CST);
            uint64_t seen = loops;
            while (loops < seen + 2)
                ;
        }
        stop = 1;
        return;
    }
    uint64_t bad = 0;
    while (!stop) {
        __asm__ volatile("mov x9, #2000\n"
                         "1: ldar x10, [%1]\n"
                         " ldr x11, [%2]\n ldr x12, [%2, #8]\n ldp x13, x14, [%2, #16]\n"
                         " sub x11, x11, x10\n sub x12, x12, x10\n sub x13, x13, x10\n"
                         " sub x14, x14, x10\n orr x11, x11, x12\n orr x13, x13, x14\n"
                         " orr x11, x11, x13\n cmp x11, #0\n cinc %0, %0, lt\n"
                         " subs x9, x9, #1\n b.ne 1b\n"
                         : "+r"(bad)
                         : "r"(&which), "r"(HIGH)
                         : "x9", "x10", "x11", "x12", "x13", "x14", "cc", "memory");
        __atomic_add_fetch(&loops, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_add_fetch(&wrong, bad, __ATOMIC_SEQ_CST);
}

static void test_remap_under_loop(void)
{
    cpus_start();
    if (cpu_count < 2)
        return;
    for (unsigned i = 0; i < 4; i++) {
        pages[0][i] = 0;
        pages[1][i] = 1;
    }
    which = 1;
    map(0, pages[1], NORMAL);
    run_on_cpus(2, remap);
    check_eq("a page changed under a loop of another CPU", wrong, 0);
}

void guest_tests(void)
{
    make_tables();
    test_moving_objects();
    for (unsigned i = 0; i < 3; i++) {
        test_elements(NORMAL | PTE_READ_ONLY, FAULT_PERMISSION_3, "element of a read-only page");
        test_elements(0, FAULT_TRANSLATION_3, "element of no page");
    }
    test_misaligned_sp();
    test_remap_under_loop();
}
