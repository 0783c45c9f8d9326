/* timer.c: the generic timer (DDI 0487 D11): conditions, masks, levels, and waking from WFI. */
#include "guest.h"

enum { PPI_VIRTUAL = 27, PPI_PHYSICAL = 30, ENABLE = 1, IMASK = 2, ISTATUS = 4, LONG = 10000000 };

static volatile unsigned fired;
static volatile unsigned last_intid;

/* Switches off whichever timer it was, as a level has to be lowered. */
static void on_irq(struct frame *f)
{
    (void)f;
    uint64_t intid = read_sysreg(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */
    if (intid == PPI_VIRTUAL)
        write_sysreg(cntv_ctl_el0, 0);
    else if (intid == PPI_PHYSICAL)
        write_sysreg(cntp_ctl_el0, 0);
    fired++;
    last_intid = (unsigned)intid;
    write_sysreg(S3_0_C12_C12_1, intid); /* ICC_EOIR1_EL1 */
}

static uint64_t counter(void)
{
    isb();
    return read_sysreg(cntvct_el0);
}

static void wait_ticks(uint64_t ticks)
{
    for (uint64_t start = counter(); counter() - start < ticks;)
        ;
}

static bool wait_for_fire(unsigned before)
{
    for (uint64_t start = counter(); counter() - start < LONG * 10;)
        if (fired != before)
            return true;
    return false;
}

static void test_counter(void)
{
    check("CNTFRQ is set", read_sysreg(cntfrq_el0) >= 1000000);
    bool forward = true;
    uint64_t last = counter();
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t now = counter();
        forward &= now >= last;
        last = now;
    }
    check("CNTVCT never goes back", forward);
    isb();
    uint64_t physical = read_sysreg(cntpct_el0);
    check("CNTVCT is CNTPCT at EL1 without EL2", counter() - physical < LONG);
}

/* No interrupt is taken here; the status bits alone. */
static void test_status(void)
{
    write_sysreg(cntv_cval_el0, ~0ul);
    write_sysreg(cntv_ctl_el0, ENABLE | IMASK);
    check_eq("far CVAL: no ISTATUS", read_sysreg(cntv_ctl_el0), ENABLE | IMASK);
    write_sysreg(cntv_cval_el0, 0);
    check_eq("past CVAL: ISTATUS at once", read_sysreg(cntv_ctl_el0), ENABLE | IMASK | ISTATUS);
    write_sysreg(cntv_tval_el0, LONG);
    check_eq("TVAL ahead: ISTATUS falls", read_sysreg(cntv_ctl_el0), ENABLE | IMASK);
    uint64_t left = read_sysreg(cntv_tval_el0);
    check("TVAL counts down", left > 0 && left <= LONG);
    uint64_t cval = read_sysreg(cntv_cval_el0);
    check("TVAL sets CVAL", cval - counter() <= LONG);
    write_sysreg(cntv_cval_el0, counter() - 1000);
    check("TVAL of the past is negative", (int32_t)read_sysreg(cntv_tval_el0) < 0);
    write_sysreg(cntv_ctl_el0, 0);
    check_eq("disabled: control reads back", read_sysreg(cntv_ctl_el0) & 3, 0);
    write_sysreg(cntv_tval_el0, (uint64_t)(uint32_t)-5);
    check("negative TVAL is sign-extended", counter() - read_sysreg(cntv_cval_el0) < LONG);
}

static void test_fires(void)
{
    unsigned before = fired;
    write_sysreg(cntv_tval_el0, 10000);
    write_sysreg(cntv_ctl_el0, ENABLE);
    check("virtual timer fires", wait_for_fire(before));
    check_eq("as PPI 27", last_intid, PPI_VIRTUAL);

    before = fired;
    write_sysreg(cntp_cval_el0, 0);
    write_sysreg(cntp_ctl_el0, ENABLE);
    check("physical timer fires at once for the past", wait_for_fire(before));
    check_eq("as PPI 30", last_intid, PPI_PHYSICAL);

    before = fired;
    write_sysreg(cntv_cval_el0, 0);
    write_sysreg(cntv_ctl_el0, ENABLE | IMASK);
    wait_ticks(100000);
    check_eq("IMASK holds it back", fired, before);
    write_sysreg(cntv_ctl_el0, ENABLE);
    check("unmasking lets it through", wait_for_fire(before));

    irq_off();
    before = fired;
    write_sysreg(cntv_cval_el0, 0);
    write_sysreg(cntv_ctl_el0, ENABLE);
    wait_ticks(100000);
    write_sysreg(cntv_ctl_el0, 0); /* the level falls before it was taken */
    wait_ticks(1000);
    irq_on();
    wait_ticks(100000);
    check_eq("a level that fell is not taken", fired, before);

    before = fired;
    write_sysreg(cntv_tval_el0, 50000);
    write_sysreg(cntp_tval_el0, 100000);
    write_sysreg(cntv_ctl_el0, ENABLE);
    write_sysreg(cntp_ctl_el0, ENABLE);
    for (uint64_t start = counter(); counter() - start < LONG * 10 && fired < before + 2;)
        ;
    check_eq("both timers", fired, before + 2);
}

/* Looks with interrupts masked, so that none comes between the look and the WFI. */
static void sleep_until_fired(unsigned before)
{
    irq_off();
    for (unsigned i = 0; i < 100 && fired == before; i++) {
        __asm__ volatile("wfi" ::: "memory");
        irq_on();
        isb();
        irq_off();
    }
    irq_on();
}

static void test_wfi(void)
{
    unsigned before = fired;
    write_sysreg(cntv_tval_el0, 200000);
    write_sysreg(cntv_ctl_el0, ENABLE);
    sleep_until_fired(before);
    check("WFI wakes and takes the interrupt", fired == before + 1);

    irq_off();
    before = fired;
    write_sysreg(cntv_tval_el0, 200000);
    write_sysreg(cntv_ctl_el0, ENABLE);
    uint64_t start = counter();
    __asm__ volatile("wfi" ::: "memory");
    check("WFI wakes while the interrupt is masked", counter() - start < LONG * 10);
    check_eq("and does not take it", fired, before);
    irq_on();
    check("it is taken when unmasked", wait_for_fire(before));

    bool all = true;
    for (unsigned i = 0; i < 200; i++) {
        before = fired;
        write_sysreg(cntv_tval_el0, 1000 + i * 50);
        write_sysreg(cntv_ctl_el0, ENABLE);
        sleep_until_fired(before);
        all &= fired == before + 1;
    }
    check("200 short sleeps", all);
}

void guest_tests(void)
{
    this_cpu()->irq = on_irq;
    gic_init();
    gic_cpu_init();
    test_counter();
    test_status();
    gic_enable(PPI_VIRTUAL, 0x80);
    gic_enable(PPI_PHYSICAL, 0x80);
    irq_on();
    test_fires();
    test_wfi();
    irq_off();
}
