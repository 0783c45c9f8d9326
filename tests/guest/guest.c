/* guest.c: the library behind guest.h. */
#include "guest.h"

extern char secondary_entry[], vectors[];
void enter(uint64_t pc, uint64_t spsr, uint64_t sp_el0, uint64_t x0);
void leave(void);
void cpu_main(struct cpu *cpu);
void exception(struct frame *f);

enum { FR_TXFF = 1 << 5, POOL_BLOCKS = 160, BLOCK_BYTES = 65536, LEVEL1_ENTRIES = 512 };

struct cpu cpus[CPUS_MAX];
unsigned cpu_count = 1;

static unsigned passed, failed;
static uint8_t pool[POOL_BLOCKS][BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
static unsigned pool_used;
static uint64_t level1[LEVEL1_ENTRIES] __attribute__((aligned(4096)));

/* The compiler may call these for structures and loops. */
void *memset(void *to, int value, size_t bytes)
{
    for (volatile uint8_t *p = to; bytes > 0; bytes--)
        *p++ = (uint8_t)value;
    return to;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    volatile uint8_t *p = to;
    for (const uint8_t *q = from; bytes > 0; bytes--)
        *p++ = *q++;
    return to;
}

/* --- console and verdicts ----------------------------------------------------------------------
 */

void print(const char *text)
{
    for (; *text; text++) {
        while (read32(PL011_BASE + 0x18) & FR_TXFF)
            ;
        write32(PL011_BASE, (uint8_t)*text);
    }
}

void print_hex(uint64_t value)
{
    char text[17] = {0};
    for (int i = 15; i >= 0; i--, value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    print(text);
}

static void verdict(const char *name, bool ok)
{
    print(ok ? "PASS " : "FAIL ");
    print(name);
    ok ? passed++ : failed++;
}

void check(const char *name, bool ok)
{
    verdict(name, ok);
    print("\n");
}

void check_eq(const char *name, uint64_t got, uint64_t wanted)
{
    verdict(name, got == wanted);
    if (got != wanted) {
        print(": got ");
        print_hex(got);
        print(", wanted ");
        print_hex(wanted);
    }
    print("\n");
}

static void print_number(unsigned value)
{
    char text[12], *p = text + 11;
    *p = 0;
    do
        *--p = (char)('0' + value % 10);
    while (value /= 10);
    print(p);
}

static void finish(void)
{
    print("DONE ");
    print_number(passed);
    print(" passed, ");
    print_number(failed);
    print(" failed\n");
    psci(PSCI_SYSTEM_OFF, 0, 0, 0);
    for (;;)
        __asm__ volatile("wfi");
}

/* --- exceptions --------------------------------------------------------------------------------
 */

static void note(struct caught *c, const struct frame *f)
{
    c->count++;
    c->esr = f->esr;
    c->elr = f->elr;
    c->spsr = f->spsr;
    c->far = f->far;
    c->vector = f->vector;
}

static void unexpected(const struct frame *f)
{
    print("FAIL unexpected exception: vector ");
    print_hex(f->vector);
    print(" esr ");
    print_hex(f->esr);
    print(" elr ");
    print_hex(f->elr);
    print(" far ");
    print_hex(f->far);
    print("\n");
    failed++;
    finish();
}

void exception(struct frame *f)
{
    struct cpu *cpu = this_cpu();
    bool irq = (f->vector & 3) == 1;
    if (irq && cpu->irq) {
        cpu->irq(f);
        return;
    }
    if (cpu->in_el0 && f->vector >= 8) {
        note(&cpu->caught, f);
        cpu->in_el0 = false;
        leave();
    }
    if (irq || !cpu->expecting)
        unexpected(f);
    note(&cpu->caught, f);
    f->spsr = (f->spsr & ~(1ul << 20)) | 1 << 9; /* not back into illegal state, nor on stepping */
    if (cpu->resume_at)
        f->elr = cpu->resume_at;
    else if (f->esr >> 26 != 0x15 &&
             f->esr >> 26 != 0x16) /* SVC and HVC return behind themselves */
        f->elr += 4;
    cpu->resume_at = 0;
}

void expect_begin(void)
{
    struct cpu *cpu = this_cpu();
    cpu->caught = (struct caught){0};
    cpu->expecting = true;
    __asm__ volatile("" ::: "memory");
}

const struct caught *expect_end(void)
{
    __asm__ volatile("" ::: "memory");
    this_cpu()->expecting = false;
    return &this_cpu()->caught;
}

unsigned caught_ec(const struct caught *c)
{
    return c->count ? (unsigned)(c->esr >> 26) : 64;
}

unsigned caught_iss(const struct caught *c)
{
    return (unsigned)c->esr & 0x1ffffff;
}

const struct caught *enter_el0(uint64_t pc, uint64_t sp, uint64_t x0, uint64_t spsr_bits)
{
    struct cpu *cpu = this_cpu();
    cpu->caught = (struct caught){0};
    cpu->in_el0 = true;
    enter(pc, spsr_bits | 0x3c0, sp, x0);
    return &cpu->caught;
}

/* --- MMU ---------------------------------------------------------------------------------------
 */

void *page_alloc(unsigned pages_64k)
{
    void *p = pool[pool_used];
    pool_used += pages_64k;
    if (pool_used > POOL_BLOCKS) {
        print("FAIL out of pages\n");
        failed++;
        finish();
    }
    return p;
}

void tlbi_all(void)
{
    __asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
}

void sync_code(const void *address, size_t bytes)
{
    uint64_t ctr = read_sysreg(ctr_el0);
    uint64_t dline = 4ul << (ctr >> 16 & 15), iline = 4ul << (ctr & 15);
    uint64_t start = (uint64_t)address, end = start + bytes;
    for (uint64_t at = start & ~(dline - 1); at < end; at += dline)
        __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
    __asm__ volatile("dsb ish" ::: "memory");
    for (uint64_t at = start & ~(iline - 1); at < end; at += iline)
        __asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

/* Level 1 blocks of 1 GiB: devices, RAM, and RAM for EL0. */
static void fill_tables(void)
{
    level1[0] = PTE_VALID | PTE_AF | PTE_ATTR_DEVICE | PTE_UXN | PTE_PXN;
    level1[1] = RAM_BASE | PTE_VALID | PTE_AF | PTE_SHARED | PTE_UXN;
    level1[2] = RAM_BASE | PTE_VALID | PTE_AF | PTE_SHARED | PTE_USER;
}

void mmu_on(void)
{
    fill_tables();
    dsb();
    write_sysreg(mair_el1, 0x00ff); /* 0: Normal write-back; 1: Device-nGnRnE */
    write_sysreg(tcr_el1,
                 25 | 1 << 8 | 1 << 10 | 3 << 12 | 25 << 16 | 1ul << 23 | 2ul << 30 | 2ul << 32);
    write_sysreg(ttbr0_el1, (uint64_t)level1);
    tlbi_all();
    /* M, C, I, SA, SA0, UCT, UCI, DZE, nTWI, nTWE and SPAN. */
    write_sysreg(sctlr_el1, 0x30d00800 | 0x5 | 0x18 | 1 << 12 | 1 << 14 | 1 << 15 | 1 << 16 |
                                1 << 18 | 1 << 26);
}

/* --- CPUs --------------------------------------------------------------------------------------
 */

uint64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;
    if (read_sysreg(currentel) == 2 << 2) /* HVC would come back here */
        __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    else
        __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    return x0;
}

/* Both boards number CPUs in clusters of 16 (GICv3's target lists), so Aff0 is enough for eight. */
uint64_t cpu_mpidr(unsigned index)
{
    return index;
}

void cpu_main(struct cpu *cpu)
{
    unsigned index = (unsigned)(cpu - cpus);
    if (index == 0) {
        for (unsigned i = 0; i < CPUS_MAX; i++) {
            cpus[i].index = i;
            cpus[i].stack_top = (uint64_t)&cpus[i].stack[STACK_BYTES / 8];
        }
        mmu_on();
        guest_tests();
        finish();
    }
    mmu_on();
    cpu->online = true;
    for (;;) {
        void (*work)(void) = cpu->work;
        if (!work)
            continue;
        work();
        dsb();
        cpu->work = NULL;
    }
}

void cpus_start(void)
{
    for (unsigned i = 1; i < CPUS_MAX; i++) {
        dsb();
        if (psci(PSCI_CPU_ON64, cpu_mpidr(i), (uint64_t)secondary_entry, (uint64_t)&cpus[i]))
            break;
        while (!cpus[i].online)
            ;
        cpu_count++;
    }
}

void run_on_cpus(unsigned count, void (*work)(void))
{
    for (unsigned i = 1; i < count; i++)
        cpus[i].work = work;
    work();
    for (unsigned i = 1; i < count; i++)
        while (cpus[i].work)
            ;
    dsb();
}

/* --- GICv3 (IHI 0069) --------------------------------------------------------------------------
 */

uint64_t gicr_base(void)
{
    return GICR_BASE + this_cpu()->index * GICR_STRIDE;
}

void gic_init(void)
{
    write32(GICD_BASE, 0x12); /* ARE_NS, EnableGrp1 */
}

void gic_cpu_init(void)
{
    uint64_t base = gicr_base();
    write32(base + 0x14, 0); /* GICR_WAKER: awake */
    while (read32(base + 0x14) & 4)
        ;
    write32(base + 0x10080, ~0u);     /* GICR_IGROUPR0: all of group 1 */
    write_sysreg(S3_0_C12_C12_5, 7);  /* ICC_SRE_EL1 */
    write_sysreg(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
    write_sysreg(S3_0_C12_C12_3, 0);  /* ICC_BPR1_EL1 */
    write_sysreg(S3_0_C12_C12_4, 0);  /* ICC_CTLR_EL1: EOImode 0 */
    write_sysreg(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
}

void gic_enable(unsigned intid, uint8_t priority)
{
    bool shared = intid >= 32;
    uint64_t base = shared ? GICD_BASE : gicr_base() + 0x10000;
    *(volatile uint8_t *)(base + 0x400 + intid) = priority;
    if (shared) {
        uint64_t group = base + 0x80 + intid / 32 * 4;
        write32(group, read32(group) | 1u << intid % 32);
        *(volatile uint64_t *)(base + 0x6000 + intid * 8) = this_cpu()->index;
    }
    write32(base + 0x100 + intid / 32 * 4, 1u << intid % 32);
}

void gic_disable(unsigned intid)
{
    uint64_t base = intid >= 32 ? GICD_BASE : gicr_base() + 0x10000;
    write32(base + 0x180 + intid / 32 * 4, 1u << intid % 32);
    while (read32(base) & 1u << 31)
        ;
}
