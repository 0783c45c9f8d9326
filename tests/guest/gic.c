/* gic.c: GICv3 (IHI 0069) as a guest sees it: acknowledge and end, masks, priorities and
 * preemption, SGIs between CPUs, level and edge, routing.
 *
 * The level source is the PL011's transmit interrupt (SPI 1, INTID 33), which its mask register
 * raises and lowers.
 */
#include "guest.h"

enum { UART_SPI = 33, SPURIOUS = 1023, FREE_SPI = 100 };

#define IAR()      read_sysreg(S3_0_C12_C12_0)
#define EOI(n)     write_sysreg(S3_0_C12_C12_1, n)
#define HPPIR()    read_sysreg(S3_0_C12_C12_2)
#define BPR(n)     write_sysreg(S3_0_C12_C12_3, n)
#define CTLR(n)    write_sysreg(S3_0_C12_C12_4, n)
#define PMR(n)     write_sysreg(S3_0_C4_C6_0, n)
#define RPR()      read_sysreg(S3_0_C12_C11_3)
#define DIR(n)     write_sysreg(S3_0_C12_C11_1, n)
#define IGRPEN1(n) write_sysreg(S3_0_C12_C12_7, n)
#define SGI1R(v)   write_sysreg(S3_0_C12_C11_5, v)

static volatile unsigned taken[CPUS_MAX], last[CPUS_MAX];
static volatile unsigned order[8], order_count;

static void on_irq(struct frame *f)
{
    (void)f;
    uint64_t index = this_cpu()->index, intid = IAR();
    if (intid == UART_SPI)
        write32(PL011_BASE + 0x38, 0); /* UARTIMSC: the level falls */
    last[index] = (unsigned)intid;
    EOI(intid);
    taken[index]++;
}

static void sgi_self(unsigned id)
{
    SGI1R((uint64_t)id << 24 | 1ul << this_cpu()->index);
    isb();
}

static bool wait_taken(unsigned cpu, unsigned before)
{
    for (unsigned i = 0; i < 200000000; i++)
        if (taken[cpu] != before)
            return true;
    return false;
}

static void settle(void)
{
    for (volatile unsigned i = 0; i < 20000; i++)
        ;
}

/* With interrupts masked in PSTATE, by hand. */
static void test_acknowledge(void)
{
    check_eq("nothing pending: spurious", IAR(), SPURIOUS);
    sgi_self(3);
    check_eq("HPPIR names the SGI", HPPIR(), 3);
    check_eq("ISR shows it", read_sysreg(isr_el1) & 0x80, 0x80);
    check_eq("idle priority", RPR() & 0xff, 0xff);
    check_eq("IAR takes it", IAR(), 3);
    check_eq("running priority", RPR() & 0xff, 0x80);
    check_eq("it is active", read32(gicr_base() + 0x10300) & 8, 8);
    check_eq("it is not pending", read32(gicr_base() + 0x10200) & 8, 0);
    check_eq("nothing else", IAR(), SPURIOUS);
    EOI(3);
    check_eq("idle after EOI", RPR() & 0xff, 0xff);
    check_eq("inactive after EOI", read32(gicr_base() + 0x10300) & 8, 0);
}

static void test_masks(void)
{
    PMR(0x80);
    sgi_self(3);
    check_eq("PMR equal to the priority masks it", IAR(), SPURIOUS);
    PMR(0x88);
    check_eq("PMR above lets it through", IAR(), 3);
    EOI(3);
    PMR(0xff);
    IGRPEN1(0);
    sgi_self(4);
    check_eq("group disabled at the CPU", IAR(), SPURIOUS);
    IGRPEN1(1);
    isb();
    check_eq("and enabled again", IAR(), 4);
    EOI(4);
    gic_disable(5);
    sgi_self(5);
    check_eq("disabled at the redistributor", IAR(), SPURIOUS);
    check_eq("but pending", read32(gicr_base() + 0x10200) & 32, 32);
    write32(gicr_base() + 0x10280, 32); /* ICPENDR */
    gic_enable(5, 0x80);
    check_eq("cleared", IAR(), SPURIOUS);
    write32(gicr_base() + 0x10200, 32); /* ISPENDR */
    check_eq("set by ISPENDR", IAR(), 5);
    EOI(5);
}

static void test_priorities(void)
{
    gic_enable(1, 0xa0);
    gic_enable(2, 0x40);
    gic_enable(6, 0x40);
    sgi_self(1);
    sgi_self(6);
    sgi_self(2);
    check_eq("the highest priority first, of equals the lowest number", IAR(), 2);
    check_eq("an equal priority does not preempt", IAR(), SPURIOUS);
    EOI(2);
    check_eq("then the next", IAR(), 6);
    EOI(6);
    check_eq("then the lowest", IAR(), 1);
    sgi_self(2);
    check_eq("a higher one preempts", IAR(), 2);
    check_eq("running priority of the preempting", RPR() & 0xff, 0x40);
    EOI(2);
    check_eq("and back", RPR() & 0xff, 0xa0);
    EOI(1);
    check_eq("idle", RPR() & 0xff, 0xff);
    gic_enable(1, 0x60);
    BPR(7); /* one bit of group priority, which 0x60 and 0x40 share */
    sgi_self(1);
    check_eq("binary point: the first", IAR(), 1);
    sgi_self(2);
    check_eq("binary point: nothing preempts", IAR(), SPURIOUS);
    EOI(1);
    check_eq("binary point: the other after it", IAR(), 2);
    EOI(2);
    BPR(0);
}

static void nested_irq(struct frame *f)
{
    (void)f;
    uint64_t elr = read_sysreg(elr_el1), spsr = read_sysreg(spsr_el1), intid = IAR();
    order[order_count++ & 7] = (unsigned)intid;
    if (intid == 1) {
        irq_on();
        sgi_self(2);
        settle();
        irq_off();
    }
    order[order_count++ & 7] = (unsigned)intid | 0x100;
    EOI(intid);
    write_sysreg(elr_el1, elr);
    write_sysreg(spsr_el1, spsr);
}

static void test_nested_handlers(void)
{
    this_cpu()->irq = nested_irq;
    order_count = 0;
    irq_on();
    sgi_self(1);
    settle();
    irq_off();
    check_eq("nested handlers: four events", order_count, 4);
    check("nested handlers: inside each other",
          order[0] == 1 && order[1] == 2 && order[2] == 0x102 && order[3] == 0x101);
    this_cpu()->irq = on_irq;
}

static void test_eoi_mode(void)
{
    CTLR(2); /* EOImode 1: EOIR drops the priority, DIR deactivates */
    sgi_self(7);
    check_eq("EOImode 1: taken", IAR(), 7);
    EOI(7);
    check_eq("EOImode 1: priority dropped", RPR() & 0xff, 0xff);
    check_eq("EOImode 1: still active", read32(gicr_base() + 0x10300) & 128, 128);
    sgi_self(7);
    check_eq("EOImode 1: active and pending is not taken", IAR(), SPURIOUS);
    DIR(7);
    check_eq("EOImode 1: taken after DIR", IAR(), 7);
    EOI(7);
    DIR(7);
    CTLR(0);
}

static void test_level(void)
{
    gic_enable(UART_SPI, 0x80);
    write32(PL011_BASE + 0x38, 1 << 5); /* UARTIMSC: transmit */
    print("#\n");                       /* the FIFO runs empty: raw status up */
    settle();
    uint64_t raw = read32(PL011_BASE + 0x3c);
    check("UART's raw transmit status", raw >> 5 & 1);
    check_eq("level: pending", IAR(), UART_SPI);
    EOI(UART_SPI);
    check_eq("level: pending again while it is up", IAR(), UART_SPI);
    write32(PL011_BASE + 0x38, 0);
    EOI(UART_SPI);
    settle();
    check_eq("level: gone when it falls", IAR(), SPURIOUS);
    unsigned before = taken[0];
    irq_on();
    write32(PL011_BASE + 0x38, 1 << 5);
    check("level: taken as an interrupt", wait_taken(0, before));
    settle();
    check_eq("level: once", taken[0], before + 1);
    irq_off();
    gic_disable(UART_SPI);
}

static void test_edge(void)
{
    uint64_t config = GICD_BASE + 0xc00 + FREE_SPI / 16 * 4;
    uint32_t bit = 1u << FREE_SPI % 32, word = FREE_SPI / 32 * 4;
    write32(config, read32(config) | 2u << FREE_SPI % 16 * 2);
    check_eq("ICFGR keeps edge", read32(config) >> FREE_SPI % 16 * 2 & 3, 2);
    gic_enable(FREE_SPI, 0x80);
    write32(GICD_BASE + 0x200 + word, bit);
    check_eq("edge: pending", IAR(), FREE_SPI);
    write32(GICD_BASE + 0x200 + word, bit);
    check_eq("edge: pends again while active", read32(GICD_BASE + 0x200 + word) & bit, bit);
    EOI(FREE_SPI);
    check_eq("edge: taken again", IAR(), FREE_SPI);
    EOI(FREE_SPI);
    check_eq("edge: then no more", IAR(), SPURIOUS);
    write32(GICD_BASE + 0x300 + word, bit); /* ISACTIVER */
    write32(GICD_BASE + 0x200 + word, bit);
    check_eq("made active: not taken", IAR(), SPURIOUS);
    write32(GICD_BASE + 0x380 + word, bit); /* ICACTIVER */
    check_eq("made inactive: taken", IAR(), FREE_SPI);
    EOI(FREE_SPI);
}

static void cpu_set_up(void)
{
    gic_cpu_init();
    for (unsigned i = 0; i < 8; i++)
        gic_enable(i, 0x80);
    if (this_cpu()->index != 0) {
        this_cpu()->irq = on_irq;
        irq_on();
    }
}

static void test_other_cpus(void)
{
    cpus_start();
    check("other CPUs are there", cpu_count >= 3);
    run_on_cpus(3, cpu_set_up);
    unsigned before = taken[1];
    SGI1R(9ul << 24 | 2); /* not enabled there */
    SGI1R(2ul << 24 | 2);
    check("SGI to CPU 1", wait_taken(1, before));
    check_eq("it is SGI 2", last[1], 2);
    unsigned before1 = taken[1], before2 = taken[2];
    SGI1R(4ul << 24 | 1ul << 40); /* IRM: all but self */
    check("SGI to all others: CPU 1", wait_taken(1, before1));
    check("SGI to all others: CPU 2", wait_taken(2, before2));
    check_eq("not to self", IAR(), SPURIOUS);
    before2 = taken[2];
    *(volatile uint64_t *)(GICD_BASE + 0x6000 + FREE_SPI * 8) = 2; /* IROUTER */
    dsb();
    write32(GICD_BASE + 0x200 + FREE_SPI / 32 * 4, 1u << FREE_SPI % 32);
    check("SPI routed to CPU 2", wait_taken(2, before2));
    check_eq("it is that SPI", last[2], FREE_SPI);
    bool all = true;
    for (unsigned i = 0; i < 1000; i++) {
        before = taken[1];
        SGI1R((uint64_t)(i & 7) << 24 | 2);
        all &= wait_taken(1, before) && last[1] == (i & 7);
    }
    check("1000 SGIs to a CPU, none lost", all);
}

void guest_tests(void)
{
    this_cpu()->irq = on_irq;
    gic_init();
    cpu_set_up();
    check_eq("architecture revision: GICv3", read32(GICD_BASE + 0xffe8) >> 4 & 15, 3);
    test_acknowledge();
    test_masks();
    test_priorities();
    test_nested_handlers();
    test_eoi_mode();
    cpu_set_up(); /* the priorities above */
    test_level();
    test_edge();
    test_other_cpus();
}
