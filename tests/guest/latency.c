/* latency.c: how long a CPU takes to wake up for its timer, to take the timer's interrupt while it
 * runs, and to interrupt another one that runs and have that answered.
 *
 * Prints "LATENCY name: least median most ns" lines, which bench/latency shows for Peng and QEMU
 * side by side. As a test it only asks that nothing is early and that everything comes.
 */
#include "guest.h"

enum { PPI_VIRTUAL = 27, ENABLE = 1, IMASK = 2, SGI_THERE = 3, SGI_BACK = 4, ROUNDS = 101 };

static uint64_t samples[ROUNDS], expected_at;
static volatile uint64_t answered;
static volatile bool ready, over; /* of CPU 1 */

static uint64_t counter(void)
{
    isb();
    return read_sysreg(cntvct_el0);
}

static void print_ns(uint64_t ticks)
{
    char digits[24];
    unsigned n = sizeof digits - 1;
    uint64_t ns = ticks * 1000000000u / read_sysreg(cntfrq_el0);
    digits[n] = 0;
    do
        digits[--n] = (char)('0' + ns % 10);
    while (ns /= 10);
    print(" ");
    print(&digits[n]);
}

static void report(const char *name)
{
    for (unsigned i = 1; i < ROUNDS; i++)
        for (unsigned j = i; j > 0 && samples[j] < samples[j - 1]; j--) {
            uint64_t lesser = samples[j];
            samples[j] = samples[j - 1];
            samples[j - 1] = lesser;
        }
    print("LATENCY ");
    print(name);
    print(":");
    print_ns(samples[0]);
    print_ns(samples[ROUNDS / 2]);
    print_ns(samples[ROUNDS - 1]);
    print(" ns\n");
}

static void arm_timer(uint64_t in_ticks, uint64_t control)
{
    expected_at = counter() + in_ticks;
    write_sysreg(cntv_cval_el0, expected_at);
    write_sysreg(cntv_ctl_el0, control);
}

/* WFI returns for an interrupt that is masked, too: no vector is in the way. */
static void test_wake(uint64_t millisecond)
{
    bool early = false;
    for (unsigned i = 0; i < ROUNDS; i++) {
        arm_timer(millisecond, ENABLE);
        uint64_t now;
        do {
            __asm__ volatile("wfi" ::: "memory");
            now = counter();
        } while (!read_sysreg(isr_el1) && now < expected_at + 20000 * millisecond);
        early |= now < expected_at;
        samples[i] = now - expected_at;
        write_sysreg(cntv_ctl_el0, 0);
    }
    check("WFI wakes for the timer, not before", !early);
    report("timer wakes a CPU");
}

static void on_irq(struct frame *f)
{
    (void)f;
    uint64_t now = counter(), intid = read_sysreg(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */
    if (intid == PPI_VIRTUAL) {
        write_sysreg(cntv_ctl_el0, 0);
        answered = now;
    } else if (intid == SGI_THERE) { /* on CPU 1: back to CPU 0 */
        write_sysreg(S3_0_C12_C11_5, (uint64_t)SGI_BACK << 24 | 1);
    } else if (intid == SGI_BACK) {
        answered = now;
    }
    write_sysreg(S3_0_C12_C12_1, intid); /* ICC_EOIR1_EL1 */
}

static void test_interrupt(uint64_t millisecond)
{
    bool early = false, came = true;
    this_cpu()->irq = on_irq;
    irq_on();
    for (unsigned i = 0; i < ROUNDS; i++) {
        answered = 0;
        arm_timer(millisecond / 2, ENABLE);
        while (!answered && counter() < expected_at + 20000 * millisecond)
            ;
        came &= answered != 0;
        early |= answered < expected_at;
        samples[i] = answered - expected_at;
    }
    irq_off();
    check("the timer interrupts a loop, not before", came && !early);
    report("timer interrupts a loop");
}

static void answer(void)
{
    if (this_cpu()->index == 0) {
        uint64_t second = read_sysreg(cntfrq_el0);
        bool came = true;
        irq_on();
        while (!ready)
            ;
        for (unsigned i = 0; i < ROUNDS; i++) {
            answered = 0;
            uint64_t start = counter();
            write_sysreg(S3_0_C12_C11_5, (uint64_t)SGI_THERE << 24 | 2); /* to CPU 1 */
            while (!answered && counter() < start + 20 * second)
                ;
            came &= answered != 0;
            samples[i] = answered - start;
        }
        irq_off();
        check("another CPU answers an interrupt", came);
        over = true;
        return;
    }
    gic_cpu_init();
    gic_enable(SGI_THERE, 0x80);
    this_cpu()->irq = on_irq;
    irq_on();
    ready = true;
    while (!over)
        ;
    irq_off();
}

void guest_tests(void)
{
    uint64_t millisecond = read_sysreg(cntfrq_el0) / 1000;
    gic_init();
    gic_cpu_init();
    gic_enable(PPI_VIRTUAL, 0x80);
    gic_enable(SGI_BACK, 0x80);
    test_wake(millisecond);
    test_interrupt(millisecond);
    cpus_start();
    if (cpu_count < 2)
        return;
    run_on_cpus(2, answer);
    report("another CPU is interrupted and answers");
}
