/* mmu.c: stage 1 translation (DDI 0487 D8): granules, blocks, faults and permissions, ASIDs, and
 * TLB maintenance. code.c has code that changes.
 */
#include "tables.h"

static void name_check(const char *what, uint64_t got, uint64_t wanted)
{
    char name[64];
    unsigned n = 0;
    for (const char *p = now->name; *p; p++)
        name[n++] = *p;
    name[n++] = ' ';
    for (const char *p = what; *p && n < sizeof name - 1; p++)
        name[n++] = *p;
    name[n] = 0;
    check_eq(name, got, wanted);
}

/* --- one granule -------------------------------------------------------------------------------
 */

static void test_granule(const struct granule *g)
{
    uint64_t *data = page_alloc(1), page = 1ul << g->shift;
    tables_new(g);
    data[0] = 0x1111, data[page / 8 - 1] = 0x2222;
    uint64_t va = high + 5 * page;

    name_check("empty table: translation fault at the first level", status(load(va)),
               FAULT_TRANSLATION + g->start_level);
    map(va, 3, (uint64_t)data, NORMAL);
    name_check("page: first word", *(volatile uint64_t *)va, 0x1111);
    name_check("page: last word", *(volatile uint64_t *)(va + page - 8), 0x2222);
    name_check("next page: translation fault, level 3", status(load(va + page)),
               FAULT_TRANSLATION + 3);
    name_check("store goes to the same memory", ({
                   *(volatile uint64_t *)(va + 64) = 0x3333;
                   data[8];
               }),
               0x3333);

    unsigned block = g->block_level;
    uint64_t block_bytes = 1ul << level_shift(block), block_va = high + 8 * block_bytes;
    uint64_t block_pa = (uint64_t)data & ~(block_bytes - 1), inside = (uint64_t)data - block_pa;
    map(block_va, block, block_pa, NORMAL);
    name_check("block", *(volatile uint64_t *)(block_va + inside), 0x1111);
    name_check("block: end", *(volatile uint64_t *)(block_va + inside + page - 8), 0x2222);
    unmap(block_va, block);
    name_check("block gone", status(load(block_va + inside)), FAULT_TRANSLATION + block);

    map(va, 3, (uint64_t)data, PTE_SHARED);
    name_check("access flag fault", status(load(va)), FAULT_ACCESS + 3);
    map(va, 3, (uint64_t)data, NORMAL | PTE_READ_ONLY);
    name_check("read-only page: load", status(load(va)), 64);
    name_check("read-only page: store", status(store(va)), FAULT_PERMISSION + 3);
    map(va, 3, (uint64_t)data, NORMAL | PTE_PXN);
    name_check("PXN: jump", status(jump(va)), FAULT_PERMISSION + 3);
    map(va, 3, (uint64_t)data, NORMAL | PTE_USER);
    name_check("EL0-writable is not executable at EL1", status(jump(va)), FAULT_PERMISSION + 3);
    ((uint32_t *)data)[0] = 0xd65f03c0; /* ret */
    sync_code(data, 4);
    map(va, 3, (uint64_t)data, NORMAL);
    name_check("executable page", status(jump(va)), 64);

    /* An unaligned access over the end of the last mapped page. */
    data[page / 8 - 1] = 0x2222;
    const struct caught *c = provoke("str %1, [%0]" ::"r"(va + page - 4), "r"(~0ul) : "memory");
    name_check("crossing into nothing: fault", status(c), FAULT_TRANSLATION + 3);
    name_check("crossing into nothing: FAR is in the second page", c->far, va + page);
    name_check("crossing into nothing: nothing stored", data[page / 8 - 1], 0x2222);

    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(va + 0x123) : "memory");
    name_check("AT of a mapped page", read_sysreg(par_el1) & 0xfffffffff001ul,
               ((uint64_t)data + 0x123) & ~0xffful);
    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(va + page) : "memory");
    name_check("AT of nothing: F", read_sysreg(par_el1) & 1, 1);
    name_check("AT of nothing: status", read_sysreg(par_el1) >> 1 & 0x3f, FAULT_TRANSLATION + 3);
    __asm__ volatile("at s1e0w, %0\n\tisb" ::"r"(va) : "memory");
    name_check("AT for EL0 of a kernel page", read_sysreg(par_el1) >> 1 & 0x3f,
               FAULT_PERMISSION + 3);
}

/* --- controls ----------------------------------------------------------------------------------
 */

static void test_controls(void)
{
    uint64_t *data = page_alloc(1), va = high + 0x10000;
    data[0] = 0x77;
    map(va, 3, (uint64_t)data, NORMAL);
    uint64_t tcr = read_sysreg(tcr_el1), tagged = va & ~(0xfful << 56);
    check_eq("before EPD1", *(volatile uint64_t *)va, 0x77);
    write_sysreg(tcr_el1, tcr | 1ul << 23); /* EPD1 */
    tlbi_all();
    check_eq("EPD1: no walks", status(load(va)) & 0x3c, FAULT_TRANSLATION);
    write_sysreg(tcr_el1, tcr);
    tlbi_all();
    check_eq("tagged address without TBI1", status(load(tagged | 0xa5ul << 56)) & 0x3c,
             FAULT_TRANSLATION);
    write_sysreg(tcr_el1, tcr | 1ul << 38); /* TBI1 */
    tlbi_all();
    check_eq("tagged address with TBI1", status(load(tagged | 0xa5ul << 56)), 64);
    write_sysreg(tcr_el1, tcr);
    tlbi_all();

    /* Tables' own limits: APTable read-only, PXNTable. */
    uint64_t *parent = slot(va, 2), kept = *parent;
    *parent = kept | 1ul << 62;
    tlbi_all();
    check_eq("APTable: read-only below", status(store(va)), FAULT_PERMISSION + 3);
    *parent = kept | 1ul << 59;
    tlbi_all();
    check_eq("PXNTable: not executable below", status(jump(va)), FAULT_PERMISSION + 3);
    *parent = kept;
    tlbi_all();
    check_eq("and without", status(store(va)), 64);
}

/* --- ASIDs and TLB maintenance -----------------------------------------------------------------
 */

static uint64_t page_arg(uint64_t va, uint64_t asid)
{
    return (va >> 12 & 0xffffffffffful) | asid << 48;
}

static void test_asids(void)
{
    uint64_t *one = page_alloc(1), *two = page_alloc(1), va = high + 0x200000;
    one[0] = 1, two[0] = 2;
    set_asid(1);
    map(va, 3, (uint64_t)one, NORMAL | PTE_NG);
    check_eq("ASID 1 sees its page", *(volatile uint64_t *)va, 1);
    set_asid(2);
    *slot(va, 3) = (uint64_t)two | NORMAL | PTE_NG | PTE_PAGE;
    __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, 2))
                     : "memory");
    check_eq("ASID 2 sees the new one", *(volatile uint64_t *)va, 2);
    set_asid(1);
    __asm__ volatile("tlbi aside1is, %0\n\tdsb ish\n\tisb" ::"r"(1ul << 48) : "memory");
    check_eq("ASID 1 after TLBI ASIDE1", *(volatile uint64_t *)va, 2);
    *slot(va, 3) = (uint64_t)one | NORMAL | PTE_NG | PTE_PAGE;
    __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, 1))
                     : "memory");
    check_eq("ASID 1 after TLBI VAE1", *(volatile uint64_t *)va, 1);
    *slot(va, 3) = (uint64_t)two | NORMAL | PTE_NG | PTE_PAGE;
    __asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, 0))
                     : "memory");
    check_eq("ASID 1 after TLBI VAAE1", *(volatile uint64_t *)va, 2);
    set_asid(2);
    check_eq("ASID 2 after TLBI VAAE1", *(volatile uint64_t *)va, 2);

    bool all = true;
    for (unsigned i = 0; i < 3000; i++) { /* many ASIDs, more than any TLB has banks */
        uint64_t asid = 3 + i % 300;
        uint64_t *page = i & 1 ? one : two;
        set_asid(asid);
        *slot(va, 3) = (uint64_t)page | NORMAL | PTE_NG | PTE_PAGE;
        __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, asid))
                         : "memory");
        all &= *(volatile uint64_t *)va == page[0];
    }
    check("300 ASIDs in turn", all);
    set_asid(0);
}

static void test_remap(void)
{
    uint64_t *pages[2] = {page_alloc(1), page_alloc(1)}, va = high + 0x300000;
    pages[0][0] = 10, pages[1][0] = 11;
    bool all = true;
    for (unsigned i = 0; i < 1000; i++) {
        map(va, 3, (uint64_t)pages[i & 1], NORMAL);
        all &= *(volatile uint64_t *)va == 10 + (i & 1);
    }
    check("1000 remappings, each seen", all);
    map(va, 3, (uint64_t)pages[0], NORMAL);
    all = true;
    for (unsigned i = 0; i < 200; i++) {
        *(volatile uint64_t *)va = i;
        map(va, 3, (uint64_t)pages[0], NORMAL | PTE_READ_ONLY);
        all &= status(store(va)) == FAULT_PERMISSION + 3 && pages[0][0] == i;
        map(va, 3, (uint64_t)pages[0], NORMAL);
    }
    check("200 times read-only and back", all);
}

/* --- the levels of the TLB ---------------------------------------------------------------------
 */

enum { REACH_PAGES = 8192, REACH_TARGETS = 4 };

/* More pages than any first or second level holds, every third of which is then mapped elsewhere.
 */
static void test_reach(void)
{
    uint64_t *targets[REACH_TARGETS], va = high + 0x10000000;
    for (unsigned i = 0; i < REACH_TARGETS; i++) {
        targets[i] = page_alloc(1);
        targets[i][0] = 100 + i;
    }
    for (unsigned i = 0; i < REACH_PAGES; i++)
        map_quietly(va + i * 4096ul, 3, (uint64_t)targets[i % REACH_TARGETS], NORMAL);
    bool all = true;
    for (unsigned i = 0; i < 2 * REACH_PAGES; i++) { /* 2654435761 is odd: every page twice */
        unsigned page = i * 2654435761u % REACH_PAGES;
        all &= *(volatile uint64_t *)(va + page * 4096ul) == 100 + page % REACH_TARGETS;
    }
    check("8192 pages", all);
    for (unsigned i = 0; i < REACH_PAGES; i += 3)
        map(va + i * 4096ul, 3, (uint64_t)targets[(i + 1) % REACH_TARGETS], NORMAL);
    all = true;
    for (unsigned i = 0; i < REACH_PAGES; i++)
        all &= *(volatile uint64_t *)(va + i * 4096ul) == 100 + (i + !(i % 3)) % REACH_TARGETS;
    check("8192 pages, every third mapped elsewhere", all);
}

/* A block that becomes pages of different rights and a block again, by break-before-make with the
 * TLBI of one address in it. */
static void test_blocks(void)
{
    uint64_t *data = page_alloc(1), block = 1ul << 21, va = high + 0x20000000;
    uint64_t pa = (uint64_t)data & ~(block - 1), inside = (uint64_t)data - pa;
    bool gone = true, rights = true, whole = true;
    for (unsigned round = 0; round < 20; round++) {
        map(va, 2, pa, NORMAL);
        for (uint64_t at = 0; at < block; at += 8 * 4096)
            (void)*(volatile uint64_t *)(va + at);
        *(volatile uint64_t *)(va + inside) = round;
        whole &= data[0] == round;
        unmap(va, 2);
        for (uint64_t at = 0; at < block; at += 8 * 4096)
            gone &= status(load(va + at)) == FAULT_TRANSLATION + 2;
        for (unsigned i = 0; i < 4; i++)
            map_quietly(va + inside + i * 4096ul, 3, (uint64_t)data + i * 4096ul,
                        NORMAL | (i & 1 ? PTE_READ_ONLY : 0));
        for (unsigned i = 0; i < 4; i++) {
            (void)*(volatile uint64_t *)(va + inside + i * 4096ul);
            rights &= status(store(va + inside + i * 4096ul)) ==
                      (i & 1 ? (unsigned)FAULT_PERMISSION + 3 : 64);
        }
        for (unsigned i = 0; i < 4; i++)
            unmap(va + inside + i * 4096ul, 3);
    }
    check("block: seen", whole);
    check("block: one TLBI drops all of it", gone);
    check("pages in its place have their own rights", rights);
}

static void test_global(void)
{
    uint64_t *one = page_alloc(1), *two = page_alloc(1), va = high + 0x700000;
    one[0] = 1, two[0] = 2;
    map(va, 3, (uint64_t)one, NORMAL);
    set_asid(4);
    check_eq("global page, ASID 4", *(volatile uint64_t *)va, 1);
    set_asid(5);
    check_eq("global page, ASID 5", *(volatile uint64_t *)va, 1);
    *slot(va, 3) = (uint64_t)two | NORMAL | PTE_PAGE;
    __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, 9))
                     : "memory");
    check_eq("TLBI VAE1 of any ASID drops a global page", *(volatile uint64_t *)va, 2);
    set_asid(4);
    check_eq("... for every ASID", *(volatile uint64_t *)va, 2);
    set_asid(0);
}

/* A miss in the middle of code must not cost a register or a flag: what is in x0 to x28 and v0 to
 * v31 before the access is there after it. */
static void test_registers(void)
{
    static uint64_t kept[29 + 64 + 1];
    uint64_t *data = page_alloc(1), va = high + 0x800000;
    data[0] = 0xd0;
    write_sysreg(cpacr_el1, 3ul << 20);
    bool x = true, v = true, flags = true;
    for (unsigned round = 0; round < 8; round++) {
        map(va, 3, (uint64_t)data, NORMAL);
        register uint64_t address __asm__("x29") = va;
        register uint64_t *out __asm__("x30") = kept;
        __asm__ volatile(
            ".arch_extension simd\n"
            ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28\n"
            " mov x\\r, #(\\r + 1000)\n dup v\\r\\().2d, x\\r\n.endr\n"
            " dup v29.2d, x1\n dup v30.2d, x2\n dup v31.2d, x3\n"
            " cmp x1, x0\n" /* C = 1, the rest 0 */
            " ldr x28, [x29]\n"
            " str x0, [x29, #8]\n"
            " cset x29, hi\n"
            ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28\n"
            " str x\\r, [x30], #8\n.endr\n"
            ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
            "29,30,31\n"
            " str q\\r, [x30], #16\n.endr\n"
            " str x29, [x30]\n"
            : "+r"(address), "+r"(out)
            :
            : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
              "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
              "x25", "x26", "x27", "x28", "cc", "memory");
        for (unsigned i = 0; i < 28; i++)
            x &= kept[i] == 1000 + i;
        x &= kept[28] == 0xd0 && data[1] == 1000;
        for (unsigned i = 0; i < 32; i++) {
            uint64_t wanted = i < 29 ? 1000 + i : 1001 + i - 29;
            v &= kept[29 + 2 * i] == wanted && kept[30 + 2 * i] == wanted;
        }
        flags &= kept[29 + 64] == 1;
    }
    check("a miss keeps general registers", x);
    check("a miss keeps vector registers", v);
    check("a miss keeps the flags", flags);
}

/* --- accesses near one base register -----------------------------------------------------------
 */

/* Saves five registers in a frame, in the way of a function's first instructions, and reads them
 * back, in the way of its last: with the base in each of three registers. */
#define FRAME_CODE(base)                                                                           \
    "stp x1, x2, [" base ", #-64]!\n stp x3, x4, [" base ", #16]\n str x5, [" base ", #32]\n"      \
    "str w5, [" base ", #40]\n strb w4, [" base ", #44]\n"                                         \
    "ldr x10, [" base ", #32]\n ldp x11, x12, [" base ", #16]\n ldp x13, x14, [" base "], #64\n"

#define RUN_FRAME(base, top, sum)                                                                  \
    __asm__ volatile(                                                                              \
        "mov x15, sp\n mov " base ", %1\n mov x1, #1\n mov x2, #2\n mov x3, #3\n"                  \
        " mov x4, #4\n mov x5, #5\n mov x10, #0\n mov x11, #0\n mov x12, #0\n"                     \
        " mov x13, #0\n mov x14, #0\n" FRAME_CODE(                                                 \
            base) " mov x9, " base "\n"                                                            \
                  " mov sp, x15\n add x10, x10, x11, lsl #8\n add x10, x10, x12, lsl #16\n"        \
                  " add x10, x10, x13, lsl #24\n add x10, x10, x14, lsl #32\n"                     \
                  " sub x9, x9, %1\n add %0, x10, x9, lsl #48\n"                                   \
        : "=&r"(sum)                                                                               \
        : "r"(top)                                                                                 \
        : "x0", "x1", "x2", "x3", "x4", "x5", "x8", "x9", "x10", "x11", "x12", "x13", "x14",       \
          "x15", "memory")

static bool frame_holds(uint64_t top)
{
    const volatile uint64_t *frame = (const volatile uint64_t *)(top - 64);
    return frame[0] == 1 && frame[1] == 2 && frame[2] == 3 && frame[3] == 4 && frame[4] == 5 &&
           frame[5] == (5 | 4ul << 32);
}

/* Frames at every place around the border of two pages that lie apart in memory. */
static void test_frames(void)
{
    uint64_t *page[2] = {page_alloc(1), page_alloc(1)}, va = high + 0xc00000, sum;
    uint64_t border = va + SMALL_PAGE,
             wanted = 5 + (3ul << 8) + (4ul << 16) + (1ul << 24) + (2ul << 32);
    bool all = true;
    map(va, 3, (uint64_t)page[0], NORMAL);
    map(border, 3, (uint64_t)page[1], NORMAL);
    for (unsigned round = 0; round < 3; round++) {
        for (uint64_t top = border - 96; top <= border + 128; top += round ? 16 : 8) {
            for (unsigned i = 0; i < 8; i++)
                *(volatile uint64_t *)(top - 64 + 8 * i) = 0;
            if (round == 0)
                RUN_FRAME("x0", top, sum);
            else if (round == 1)
                RUN_FRAME("x8", top, sum);
            else
                RUN_FRAME("sp", top, sum);
            all &= sum == wanted && frame_holds(top);
        }
    }
    check("frames across the border of two pages", all);

    /* The second page is read-only, then not there: what comes before it is done. */
    uint64_t top = border + 40; /* the pair at +16 reaches over the border, the first does not */
    for (unsigned there = 0; there < 2; there++) {
        page[0][509] = page[0][510] = 0;
        if (there)
            map(border, 3, (uint64_t)page[1], NORMAL | PTE_READ_ONLY);
        else
            unmap(border, 3);
        expect_begin();
        __asm__ volatile("adr x1, 1f\n str x1, [%1]\n mov x0, %0\n mov x1, #1\n mov x2, #2\n"
                         " mov x3, #3\n mov x4, #4\n mov x5, #5\n" FRAME_CODE("x0") "1:\n"
                         : /* nothing */
                         : "r"(top), "r"(&this_cpu()->resume_at)
                         : "x0", "x1", "x2", "x3", "x4", "x5", "x10", "x11", "x12", "x13", "x14",
                           "memory");
        this_cpu()->resume_at = 0;
        const struct caught *c = expect_end();
        check_eq("a frame into nothing: status", status(c),
                 (there ? FAULT_PERMISSION : FAULT_TRANSLATION) + 3);
        check_eq("a frame into nothing: FAR", c->far, border);
        check("a frame into nothing: what comes before is done",
              page[0][509] == 1 && page[0][510] == 2);
    }
}

/* Device memory answers each access by itself. */
static void test_device_fields(void)
{
    uint32_t typer = read32(GICD_BASE + 4), iidr = read32(GICD_BASE + 8), ctlr, a, b;
    __asm__ volatile("ldr %w0, [%3]\n ldr %w1, [%3, #4]\n ldr %w2, [%3, #8]"
                     : "=&r"(ctlr), "=&r"(a), "=&r"(b)
                     : "r"(GICD_BASE));
    check("registers of a device by one base", a == typer && b == iidr);
}

void guest_tests(void)
{
    for (unsigned i = 0; i < GRANULES; i++)
        test_granule(&granules[i]);
    tables_new(&granules[0]);
    test_controls();
    test_asids();
    test_remap();
    test_reach();
    test_blocks();
    test_global();
    test_registers();
    test_frames();
    test_device_fields();
}
