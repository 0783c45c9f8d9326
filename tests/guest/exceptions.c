/* exceptions.c: what an exception leaves in ELR, ESR, FAR and SPSR, and when it is taken at all
 * (DDI 0487 D1). */
#include "guest.h"

enum {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_FP = 0x07,
    EC_ILLEGAL = 0x0e,
    EC_SVC = 0x15,
    EC_SYSREG = 0x18,
    EC_IABORT_EL0 = 0x20,
    EC_IABORT = 0x21,
    EC_PC_ALIGNMENT = 0x22,
    EC_DABORT_EL0 = 0x24,
    EC_DABORT = 0x25,
    EC_SP_ALIGNMENT = 0x26,
    EC_STEP_EL0 = 0x32,
    EC_STEP = 0x33,
    EC_BRK = 0x3c,
};

#define UNMAPPED 0x3f00000000ul /* inside of TTBR0's range, in no table */

/* Labels that the assembly leaves for the tests: where the instruction that faults is. */
extern char svc_at[], brk_at[], udf_at[], load_at[], store_at[];

static void test_calls(void)
{
    const struct caught *c = provoke(".global svc_at\nsvc_at: svc #0x1234" ::: "memory");
    check_eq("SVC: class", caught_ec(c), EC_SVC);
    check_eq("SVC: immediate", caught_iss(c), 0x1234);
    check_eq("SVC: ELR is behind it", c->elr, (uint64_t)svc_at + 4);
    check_eq("SVC: vector of the current EL with SP_ELx", c->vector, 4);
    check("SVC: ESR.IL", c->esr >> 25 & 1);

    c = provoke(".global brk_at\nbrk_at: brk #0xabcd" ::: "memory");
    check_eq("BRK: class", caught_ec(c), EC_BRK);
    check_eq("BRK: comment", caught_iss(c), 0xabcd);
    check_eq("BRK: ELR is at it", c->elr, (uint64_t)brk_at);

    c = provoke(".global udf_at\nudf_at: udf #7" ::: "memory");
    check_eq("UDF: class", caught_ec(c), EC_UNKNOWN);
    check_eq("UDF: no syndrome", caught_iss(c), 0);
    check_eq("UDF: ELR is at it", c->elr, (uint64_t)udf_at);

    check_eq("HLT without a debugger", caught_ec(provoke("hlt #1" ::: "memory")), EC_UNKNOWN);
    check_eq("MRS of nothing", caught_ec(provoke("mrs x0, S3_7_C15_C15_7" ::: "x0")), EC_UNKNOWN);
    check_eq("MSR to a read-only register",
             caught_ec(provoke(".inst 0xd5180000 /* msr midr_el1, x0 */" ::
                                   : "memory")),
             EC_UNKNOWN);
    check_eq("MRS of an EL2 register",
             caught_ec(provoke("mrs x0, vttbr_el2" ::
                                   : "x0")),
             EC_UNKNOWN);
    check_eq("SYSL of nothing",
             caught_ec(provoke("sysl x0, #3, C7, C15, #7" ::
                                   : "x0")),
             EC_UNKNOWN);
}

static void test_pstate(void)
{
    const struct caught *c = provoke("mov x0, #0xa0000000\n msr nzcv, x0\n svc #0" ::
                                         : "x0", "cc", "memory");
    check_eq("SPSR holds NZCV", c->spsr >> 28, 0xa);
    check_eq("SPSR holds DAIF and EL1h", c->spsr & 0x3cf, 0x3c5);
    c = provoke("msr daifclr, #9\n svc #0\n msr daifset, #15" ::: "memory");
    check_eq("DAIFClr shows in SPSR", c->spsr >> 6 & 15, 6);
    c = provoke("mov x1, sp\n msr spsel, #0\n mov x2, sp\n mov sp, x1\n svc #0\n mov sp, x2\n"
                "msr spsel, #1" ::
                    : "x1", "x2", "memory");
    check_eq("SP_EL0 in use: vector 0", c->vector, 0);
    check_eq("SP_EL0 in use: SPSR says EL1t", c->spsr & 15, 4);
    check_eq("MSR DAIF, MRS DAIF", ({
                 write_sysreg(daif, 0x140);
                 uint64_t daif = read_sysreg(daif);
                 write_sysreg(daif, 0x3c0);
                 daif;
             }),
             0x140);
}

static void test_aborts(void)
{
    const struct caught *c =
        provoke(".global load_at\nload_at: ldr x0, [%0]" ::"r"(UNMAPPED + 0x123)
                : "x0", "memory");
    check_eq("load of nothing: class", caught_ec(c), EC_DABORT);
    check_eq("load of nothing: FAR", c->far, UNMAPPED + 0x123);
    check_eq("load of nothing: translation fault, level 1", caught_iss(c) & 0x7f, 0x05);
    check_eq("load of nothing: ELR", c->elr, (uint64_t)load_at);

    c = provoke(".global store_at\nstore_at: stp x0, x1, [%0]" ::"r"(UNMAPPED + 8) : "memory");
    check_eq("store to nothing: WnR", caught_iss(c) & 0x7f, 0x45);
    check_eq("store to nothing: ELR", c->elr, (uint64_t)store_at);

    c = provoke("ldr x0, [%0]" ::"r"(0x8000000000ul) : "x0", "memory");
    check_eq("address beyond T0SZ: translation fault, level 0 or 1", caught_iss(c) & 0x3e, 0x04);

    struct cpu *cpu = this_cpu();
    expect_begin();
    __asm__ volatile("adr x1, 1f\n str x1, [%1]\n br %0\n1:" ::"r"(UNMAPPED + 0x40),
                     "r"(&cpu->resume_at)
                     : "x1", "memory");
    c = expect_end();
    check_eq("branch to nothing: class", caught_ec(c), EC_IABORT);
    check_eq("branch to nothing: FAR", c->far, UNMAPPED + 0x40);
    check_eq("branch to nothing: ELR", c->elr, UNMAPPED + 0x40);

    expect_begin();
    __asm__ volatile("adr x1, 1f\n str x1, [%1]\n add x0, x1, #2\n br x0\n nop\n1:" ::"r"(0),
                     "r"(&cpu->resume_at)
                     : "x0", "x1", "memory");
    c = expect_end();
    check_eq("branch to an odd address: class", caught_ec(c), EC_PC_ALIGNMENT);
    check_eq("branch to an odd address: FAR is ELR", c->far, c->elr);

    /* Loads and stores that fault leave their base and their registers alone. */
    uint64_t base = UNMAPPED, value = 77;
    expect_begin();
    __asm__ volatile("ldr %0, [%1, #16]!" : "+r"(value), "+r"(base)::"memory");
    expect_end();
    check_eq("a faulting load: destination", value, 77);
    check_eq("a faulting load: base", base, UNMAPPED);
}

static void test_alignment(void)
{
    static uint64_t words[4] __attribute__((aligned(32)));
    uint64_t odd = (uint64_t)words + 1;
    const struct caught *c = provoke("ldr x0, [%0]" ::"r"(odd) : "x0", "memory");
    check_eq("unaligned load of Normal memory", caught_ec(c), 64);
    c = provoke("ldxr x0, [%0]" ::"r"(odd) : "x0", "memory");
    check_eq("unaligned exclusive: class", caught_ec(c), EC_DABORT);
    check_eq("unaligned exclusive: alignment fault", caught_iss(c) & 0x3f, 0x21);
    check_eq("unaligned exclusive: FAR", c->far, odd);
    c = provoke("ldar x0, [%0]" ::"r"(odd) : "x0", "memory");
    check_eq("unaligned load-acquire", caught_iss(c) & 0x3f, 0x21);
    c = provoke(".arch armv8.1-a\n ldadd x0, x1, [%0]" ::"r"(odd) : "x1", "memory");
    check_eq("unaligned atomic", caught_iss(c) & 0x3f, 0x21);
    c = provoke("ldr w0, [%0]" ::"r"(GICD_BASE + 2) : "x0", "memory");
    check_eq("unaligned load of Device memory", caught_iss(c) & 0x3f, 0x21);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 2);
    c = provoke("ldr x0, [%0]" ::"r"(odd) : "x0", "memory");
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~2ul);
    check_eq("unaligned load under SCTLR.A", caught_iss(c) & 0x3f, 0x21);
}

static void test_fp_trap(void)
{
    write_sysreg(cpacr_el1, 0);
    const struct caught *c = provoke(".arch armv8-a+simd\n fmov d0, #1.0" ::: "memory");
    check_eq("FP while CPACR.FPEN is 0", caught_ec(c), EC_FP);
    c = provoke(".arch armv8-a+simd\n ldr q0, [sp]" ::: "memory");
    check_eq("vector load while CPACR.FPEN is 0", caught_ec(c), EC_FP);
    check_eq("MSR FPCR while CPACR.FPEN is 0",
             caught_ec(provoke("msr fpcr, xzr" ::
                                   : "memory")),
             EC_FP);
    write_sysreg(cpacr_el1, 3 << 20);
}

static void test_return_registers(void)
{
    write_sysreg(elr_el1, 0x5678);
    write_sysreg(spsr_el1, 0x3c4);
    check_eq("ELR can be written", read_sysreg(elr_el1), 0x5678);
    check_eq("SPSR can be written", read_sysreg(spsr_el1), 0x3c4);
    provoke("brk #2" ::: "memory");
    check("an exception replaces ELR", read_sysreg(elr_el1) != 0x5678);
    check_eq("an exception replaces SPSR", read_sysreg(spsr_el1) & 15, 5);
}

static volatile unsigned stepped;

static void test_illegal_return(void)
{
    struct cpu *cpu = this_cpu();
    expect_begin();
    __asm__ volatile("adr x1, 1f\n str x1, [%0]\n adr x1, 2f\n msr elr_el1, x1\n"
                     "mov x1, #0x3c9\n msr spsr_el1, x1\n eret\n" /* to EL2h, which is not there */
                     "2: nop\n nop\n 1:" ::"r"(&cpu->resume_at)
                     : "x1", "memory");
    const struct caught *c = expect_end();
    check_eq("illegal return: class", caught_ec(c), EC_ILLEGAL);
    check_eq("illegal return: SPSR.IL", c->spsr >> 20 & 1, 1);
    check_eq("illegal return: still EL1h", c->spsr & 15, 5);
    check_eq("illegal return: once", c->count, 1);
}

static void test_step(void)
{
    struct cpu *cpu = this_cpu();
    write_sysreg(oslar_el1, 0);
    write_sysreg(mdscr_el1, 1 | 1 << 13); /* SS, KDE */
    expect_begin();
    cpu->resume_at = 0;
    __asm__ volatile("adr x1, 3f\n str x1, [%0]\n adr x1, 2f\n msr elr_el1, x1\n"
                     "mov x1, #0x1c5\n movk x1, #0x20, lsl #16\n" /* EL1h, D clear, SS */
                     "mov x2, #0\n msr spsr_el1, x1\n eret\n"
                     "2: add x2, x2, #1\n add x2, x2, #1\n add x2, x2, #1\n"
                     "3: str x2, [%1]" ::"r"(&cpu->resume_at),
                     "r"(&stepped)
                     : "x1", "x2", "memory");
    /* The handler goes on at 3 with SPSR.SS clear: it must not step again before MDSCR is off. */
    write_sysreg(mdscr_el1, 0);
    const struct caught *c = expect_end();
    check_eq("software step: class", (c->count ? c->esr >> 26 : 64), EC_STEP);
    check_eq("software step: one instruction", stepped, 1);
}

/* --- EL0 ---------------------------------------------------------------------------------------
 */

#define EL0_CODE(name, ...)                                                                        \
    __asm__(".pushsection .text\n" #name ":\n" __VA_ARGS__ "\n.popsection");                       \
    extern char name[]

EL0_CODE(el0_svc, "add x0, x0, #1\n svc #5");
EL0_CODE(el0_wfi, "wfi\n svc #6");
EL0_CODE(el0_daif, "msr daifclr, #2\n svc #6");
EL0_CODE(el0_ctr, "mrs x3, ctr_el0\n svc #6");
EL0_CODE(el0_sctlr, "mrs x3, sctlr_el1\n svc #6");
EL0_CODE(el0_zva, "dc zva, x0\n svc #6");
EL0_CODE(el0_load, "ldr x1, [x0]\n svc #6");
EL0_CODE(el0_jump, "br x0");
EL0_CODE(el0_flags, "cmp x0, x0\n svc #7");
EL0_CODE(el0_eret, "eret\n svc #6");
EL0_CODE(el0_hvc, "hvc #0\n svc #6");
EL0_CODE(el0_stack, "ldr x1, [sp]\n svc #6");
EL0_CODE(el0_counter, "mrs x3, cntvct_el0\n svc #6");

static const struct caught *at_el0(const char *code, uint64_t x0)
{
    static uint64_t stack[64] __attribute__((aligned(16)));
    return enter_el0((uint64_t)code + EL0_ALIAS, (uint64_t)&stack[64] + EL0_ALIAS, x0, 0);
}

static void test_el0(void)
{
    const struct caught *c = at_el0(el0_svc, 1);
    check_eq("EL0 SVC: class", caught_ec(c), EC_SVC);
    check_eq("EL0 SVC: vector of a lower EL", c->vector, 8);
    check_eq("EL0 SVC: SPSR says EL0t", c->spsr & 15, 0);
    check_eq("EL0 SVC: ELR", c->elr, (uint64_t)el0_svc + EL0_ALIAS + 8);
    check_eq("EL0 flags in SPSR", at_el0(el0_flags, 3)->spsr >> 28, 6);

    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~(1ul << 16));
    check_eq("EL0 WFI trapped", caught_ec(at_el0(el0_wfi, 0)), EC_WFX);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1ul << 16);

    check_eq("EL0 DAIFClr trapped", caught_ec(at_el0(el0_daif, 0)), EC_SYSREG);
    check_eq("EL0 CTR_EL0 under UCT", caught_ec(at_el0(el0_ctr, 0)), EC_SVC);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~(1ul << 15));
    c = at_el0(el0_ctr, 0);
    check_eq("EL0 CTR_EL0 trapped", caught_ec(c), EC_SYSREG);
    /* op0 3, op2 1, op1 3, CRn 0, Rt 3, CRm 0, read */
    check_eq("EL0 CTR_EL0: syndrome", caught_iss(c), 3 << 20 | 1 << 17 | 3 << 14 | 3 << 5 | 1);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1ul << 15);
    check_eq("EL0 SCTLR_EL1", caught_ec(at_el0(el0_sctlr, 0)), EC_UNKNOWN);
    check_eq("EL0 ERET", caught_ec(at_el0(el0_eret, 0)), EC_UNKNOWN);
    check_eq("EL0 HVC", caught_ec(at_el0(el0_hvc, 0)), EC_UNKNOWN);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~(1ul << 14));
    check_eq("EL0 DC ZVA trapped", caught_ec(at_el0(el0_zva, 0)), EC_SYSREG);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1ul << 14);
    write_sysreg(cntkctl_el1, 0);
    check_eq("EL0 CNTVCT trapped", caught_ec(at_el0(el0_counter, 0)), EC_SYSREG);
    write_sysreg(cntkctl_el1, 3);
    check_eq("EL0 CNTVCT", caught_ec(at_el0(el0_counter, 0)), EC_SVC);

    c = at_el0(el0_load, RAM_BASE);
    check_eq("EL0 load of the kernel's: class", caught_ec(c), EC_DABORT_EL0);
    check_eq("EL0 load of the kernel's: permission fault, level 1", caught_iss(c) & 0x3f, 0x0d);
    check_eq("EL0 load of the kernel's: FAR", c->far, RAM_BASE);
    c = at_el0(el0_jump, RAM_BASE);
    check_eq("EL0 jump to the kernel's: class", caught_ec(c), EC_IABORT_EL0);
    check_eq("EL0 jump to the kernel's: ELR", c->elr, RAM_BASE);

    static uint64_t stack[64] __attribute__((aligned(16)));
    uint64_t sp = (uint64_t)&stack[32] + EL0_ALIAS;
    c = enter_el0((uint64_t)el0_stack + EL0_ALIAS, sp + 8, 0, 0);
    check_eq("EL0 load from an unaligned SP", caught_ec(c), EC_SP_ALIGNMENT);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~(1ul << 4)); /* SA0 */
    c = enter_el0((uint64_t)el0_stack + EL0_ALIAS, sp + 8, 0, 0);
    check_eq("the same without SCTLR.SA0", caught_ec(c), EC_SVC);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1ul << 4);

    write_sysreg(mdscr_el1, 1);
    c = enter_el0((uint64_t)el0_svc + EL0_ALIAS, sp, 0, 1ul << 21);
    write_sysreg(mdscr_el1, 0);
    check_eq("EL0 software step: class", caught_ec(c), EC_STEP_EL0);
    check_eq("EL0 software step: ELR", c->elr, (uint64_t)el0_svc + EL0_ALIAS + 4);
}

/* --- PAN and UAO -------------------------------------------------------------------------------
 */

static void test_pan_uao(void)
{
    static uint64_t word;
    uint64_t kernel = (uint64_t)&word, user = kernel + EL0_ALIAS;
    const struct caught *c = provoke("ldr x0, [%0]" ::"r"(user) : "x0", "memory");
    check_eq("EL1 load of a user page", caught_ec(c), 64);
    __asm__ volatile(".arch armv8.2-a\n msr pan, #1" ::: "memory");
    c = provoke("ldr x0, [%0]" ::"r"(user) : "x0", "memory");
    check_eq("the same under PAN", caught_iss(c) & 0x7f, 0x0d);
    check_eq("PAN in SPSR", c->spsr >> 22 & 1, 1);
    c = provoke("str x0, [%0]" ::"r"(user) : "x0", "memory");
    check_eq("a store under PAN", caught_iss(c) & 0x7f, 0x4d);
    c = provoke("ldtr x0, [%0]" ::"r"(user) : "x0", "memory");
    check_eq("LDTR under PAN", caught_ec(c), 64);
    __asm__ volatile(".arch armv8.2-a\n msr pan, #0" ::: "memory");
    c = provoke("ldtr x0, [%0]" ::"r"(kernel) : "x0", "memory");
    check_eq("LDTR of a kernel page", caught_iss(c) & 0x7f, 0x0d);
    __asm__ volatile(".arch armv8.2-a\n msr uao, #1" ::: "memory");
    c = provoke("ldtr x0, [%0]" ::"r"(kernel) : "x0", "memory");
    check_eq("the same under UAO", caught_ec(c), 64);
    __asm__ volatile(".arch armv8.2-a\n msr uao, #0" ::: "memory");
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~(1ul << 23)); /* SPAN */
    /* The handler runs with PAN then, but only touches kernel pages. */
    c = provoke("svc #0" ::: "memory");
    check_eq("SCTLR.SPAN 0: SPSR.PAN before", c->spsr >> 22 & 1, 0);
    write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1ul << 23);
}

void guest_tests(void)
{
    test_calls();
    test_pstate();
    test_aborts();
    test_alignment();
    test_fp_trap();
    test_return_registers();
    test_illegal_return();
    test_step();
    test_el0();
    test_pan_uao();
}
