/* code.c: code that changes under the instruction cache and behind the tables (DDI 0487 B2.7.4.2,
 * D8), on one CPU and seen by others.
 */
#include "tables.h"

static uint32_t movz(unsigned value) /* movz w0, #value */
{
    return 0x52800000u | value << 5;
}

static uint64_t call(uint64_t va)
{
    register uint64_t x0 __asm__("x0") = 0;
    __asm__ volatile("blr %1" : "+r"(x0) : "r"(va) : "x30", "memory");
    return x0;
}

static void test_code(void)
{
    uint32_t *code = page_alloc(1);
    uint64_t va = high + 0x400000, alias = high + 0x500000;
    code[0] = movz(0);
    code[1] = 0xd65f03c0;
    map(va, 3, (uint64_t)code, NORMAL);
    map(alias, 3, (uint64_t)code, NORMAL);
    sync_code(code, 8);
    bool all = true;
    for (unsigned i = 0; i < 500; i++) {
        code[0] = movz(i);
        sync_code(code, 4);
        all &= call((uint64_t)va) == i;
    }
    check("500 times new code", all);
    all = true;
    for (unsigned i = 0; i < 500; i++) {
        ((volatile uint32_t *)alias)[0] = movz(i + 7);
        sync_code((void *)alias, 4);
        all &= call((uint64_t)va) == i + 7;
    }
    check("500 times new code by another address", all);

    /* The same virtual address, other code behind it: no instruction cache maintenance is due. */
    uint32_t *other = page_alloc(1);
    other[0] = movz(4321), other[1] = 0xd65f03c0;
    sync_code(other, 8);
    code[0] = movz(1234);
    sync_code(code, 4);
    all = true;
    for (unsigned i = 0; i < 500; i++) {
        map(va, 3, (uint64_t)(i & 1 ? other : code), NORMAL);
        all &= call((uint64_t)va) == (i & 1 ? 4321 : 1234);
    }
    check("500 times other code by remapping", all);

    /* A function that lies over two pages, of which the second changes its place. */
    uint32_t *first = page_alloc(1), *second[2] = {page_alloc(1), page_alloc(1)};
    first[1023] = movz(5);
    for (unsigned i = 0; i < 2; i++) {
        second[i][0] = 0x11000000u | (100 + i) << 10; /* add w0, w0, #100 + i */
        second[i][1] = 0xd65f03c0;
        sync_code(second[i], 8);
    }
    sync_code(&first[1023], 4);
    map(va, 3, (uint64_t)first, NORMAL);
    all = true;
    for (unsigned i = 0; i < 200; i++) {
        map(va + SMALL_PAGE, 3, (uint64_t)second[i & 1], NORMAL);
        all &= call(va + SMALL_PAGE - 4) == 105 + (i & 1);
    }
    check("200 times code over two pages", all);
    unmap(va + SMALL_PAGE, 3);
    const struct caught *c = jump(va + SMALL_PAGE - 4);
    check_eq("code runs into nothing: class", caught_ec(c), EC_IABORT);
    check_eq("code runs into nothing: FAR", c->far, va + SMALL_PAGE);
    check_eq("code runs into nothing: ELR", c->elr, va + SMALL_PAGE);
}

enum { CODE_PAGES = 8, CODE_EACH = 512 };

/* Functions of two instructions, as many as fit, called by two addresses in two address spaces
 * while pages of them change. */
static void test_many_jumps(void)
{
    uint32_t *code = page_alloc(1);
    uint64_t va[2] = {high + 0x900000, high + 0xa00000 + 3 * SMALL_PAGE};
    for (unsigned f = 0; f < CODE_PAGES * CODE_EACH; f++) {
        code[2 * f] = movz(f);
        code[2 * f + 1] = 0xd65f03c0;
    }
    sync_code(code, CODE_PAGES * SMALL_PAGE);
    for (unsigned p = 0; p < CODE_PAGES; p++)
        for (unsigned i = 0; i < 2; i++)
            map(va[i] + p * SMALL_PAGE, 3, (uint64_t)code + p * SMALL_PAGE, NORMAL);
    bool all = true;
    for (unsigned round = 0; round < 6; round++) {
        unsigned changed = round * 3 % CODE_PAGES;
        set_asid(10 + (round & 1));
        for (unsigned f = 0; f < CODE_PAGES * CODE_EACH; f++)
            all &= call(va[f & 1] + 8ul * f) == (code[2 * f] >> 5 & 0xffff);
        for (unsigned f = changed * CODE_EACH; f < (changed + 1) * CODE_EACH; f++)
            code[2 * f] = movz(f ^ (round + 1) << 13);
        sync_code(&code[changed * SMALL_PAGE / 4], SMALL_PAGE);
        for (unsigned f = 0; f < CODE_PAGES * CODE_EACH; f += 7)
            all &= call(va[~f & 1] + 8ul * f) == (code[2 * f] >> 5 & 0xffff);
    }
    check("4096 functions by two addresses, changed by the page", all);
    set_asid(0);
}

/* --- calls and returns ---------------------------------------------------------------------------
 */

/* Calls `function`, from code at va which then says which code it is. */
static uint64_t call_by(uint64_t va, const void *function, uint64_t x2, uint64_t x3, uint64_t x4)
{
    register uint64_t a0 __asm__("x0") = va, a1 __asm__("x1") = (uint64_t)function;
    register uint64_t a2 __asm__("x2") = x2, a3 __asm__("x3") = x3, a4 __asm__("x4") = x4;
    __asm__ volatile("blr x0"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4)::"x10", "x30", "memory");
    return a0;
}

/* What a function returns to may have got other code meanwhile, or lie somewhere else. */
static void test_returns_to_changed_code(void)
{
    uint64_t va = high + 0xb00000;
    uint32_t *code[2] = {page_alloc(1), page_alloc(1)};
    for (unsigned i = 0; i < 2; i++) {
        code[i][0] = 0xaa1e03ea; /* mov x10, x30 */
        code[i][1] = 0xd63f0020; /* blr x1 */
        code[i][2] = movz(i + 1);
        code[i][3] = 0xd65f0140; /* ret x10 */
        sync_code(code[i], 16);
    }
    map(va, 3, (uint64_t)code[0], NORMAL);
    extern const char remap_caller[], change_caller[];
    bool all = true;
    for (unsigned i = 0; i < 300; i++) {
        unsigned next = i >> 2 & 1; /* the same several times, so that jumps may be linked */
        uint64_t entry = (uint64_t)code[next] | NORMAL | PTE_PAGE;
        all &= call_by(va, remap_caller, (uint64_t)slot(va, 3), entry,
                       va >> 12 & 0xffffffffffful) == next + 1;
    }
    check("300 returns to what was mapped meanwhile", all);
    map(va, 3, (uint64_t)code[0], NORMAL);
    all = true;
    for (unsigned i = 0; i < 300; i++)
        all &= call_by(va, change_caller, (uint64_t)&code[0][2], movz(i), va + 8) == i;
    check("300 returns to code that changed meanwhile", all);
}
__asm__(".pushsection .text\n"
        "remap_caller: str xzr, [x2]\ndsb ishst\ntlbi vaae1is, x4\ndsb ish\n"
        "str x3, [x2]\ndsb ishst\nisb\nret\n"
        "change_caller: str w3, [x2]\ndc cvau, x2\ndsb ish\nic ivau, x2\nic ivau, x4\n"
        "dsb ish\nisb\nret\n"
        ".popsection");

/* A guest that breaks the rules may see either page, but only code that is there now. */
static void test_no_tlbi(void)
{
    uint32_t *code[2] = {page_alloc(1), page_alloc(1)};
    uint64_t va = high + 0xb00000;
    bool all = true;
    for (unsigned i = 0; i < 2; i++) {
        code[i][1] = 0xd65f03c0;
        map(va, 3, (uint64_t)code[i], NORMAL); /* tables are there */
    }
    for (unsigned round = 0; round < 100; round++) {
        unsigned now = round & 1;
        for (unsigned i = 0; i < 2; i++) {
            code[i][0] = movz(round * 2 + i);
            sync_code(code[i], 8);
        }
        *slot(va, 3) = (uint64_t)code[now] | NORMAL | PTE_PAGE;
        __asm__ volatile("dsb ish\n\tisb" ::: "memory");
        if (round % 5 == 0) /* pushes the entry out of a direct-mapped TLB */
            for (uint64_t far = 1; far < 4; far++)
                (void)load(va + far * (16ul << 20));
        uint64_t got = call(va);
        all &= got / 2 == round;
    }
    check("other code without TLBI: never old bytes", all);
    unmap(va, 3);
}

/* --- other CPUs --------------------------------------------------------------------------------
 */

static uint64_t shared_va;
static volatile uint64_t turns, seen_wrong;
static uint64_t *shared_pages[2];
static uint32_t *shared_code;

enum { SHARED_TURNS = 60 };

/* CPU 0 changes the mapping and the code; the others must see each change once they are told. */
static void share(void)
{
    if (this_cpu()->index == 0) {
        for (uint64_t i = 1; i <= SHARED_TURNS; i++) {
            map(shared_va, 3, (uint64_t)shared_pages[i & 1], NORMAL);
            shared_code[0] = movz((unsigned)i);
            sync_code(shared_code, 4);
            __atomic_store_n(&turns, i << 8, __ATOMIC_SEQ_CST);
            while ((__atomic_load_n(&turns, __ATOMIC_SEQ_CST) & 0xff) < 2)
                ;
        }
        return;
    }
    write_sysreg(tcr_el1, read_sysreg(tcr_el1));
    for (uint64_t i = 1; i <= SHARED_TURNS; i++) {
        while (__atomic_load_n(&turns, __ATOMIC_SEQ_CST) >> 8 != i)
            ;
        isb();
        if (*(volatile uint64_t *)shared_va != 10 + (i & 1) || call((uint64_t)shared_code) != i)
            seen_wrong++;
        __atomic_add_fetch(&turns, 1, __ATOMIC_SEQ_CST);
    }
}

static uint64_t tcr_for_all, ttbr1_for_all;

static void take_tables(void)
{
    write_sysreg(tcr_el1, tcr_for_all);
    write_sysreg(ttbr1_el1, ttbr1_for_all);
    tlbi_all();
}

static void test_other_cpus(void)
{
    cpus_start();
    if (cpu_count < 3)
        return;
    tcr_for_all = read_sysreg(tcr_el1);
    ttbr1_for_all = read_sysreg(ttbr1_el1);
    run_on_cpus(3, take_tables);
    shared_va = high + 0x600000;
    shared_code = page_alloc(1);
    shared_code[1] = 0xd65f03c0;
    for (unsigned i = 0; i < 2; i++) {
        shared_pages[i] = page_alloc(1);
        shared_pages[i][0] = 10 + i;
    }
    run_on_cpus(3, share);
    check_eq("mappings and code changed for other CPUs", seen_wrong, 0);
}

void guest_tests(void)
{
    tables_new(&granules[0]);
    test_code();
    test_many_jumps();
    test_no_tlbi();
    test_returns_to_changed_code();
    test_other_cpus();
}
