/* el2.c: EL2 as a hypervisor uses it (DDI 0487 D1.3, D8.5, D13.1.4; IHI 0069 chapter 6): names,
 * what is routed and trapped, stage 2 and its aborts, VMIDs, virtual interrupts, timers.
 *
 * The tests run at EL2 with E2H and TGE. A guest is a few instructions at EL1 with its MMU off,
 * unless a test turns it on; whatever brings it back to EL2 is what the test looks at.
 */
#include "guest.h"

#define HCR_HOST  (1ul << 34 | 1ul << 31 | 1ul << 27)
#define HCR_GUEST (1ul << 34 | 1ul << 31)
#define HCR_VM    (1ul << 0)
#define HCR_FMO   (1ul << 3)
#define HCR_IMO   (1ul << 4)
#define HCR_VI    (1ul << 7)
#define HCR_TWI   (1ul << 13)
#define HCR_TID2  (1ul << 17)
#define HCR_TID3  (1ul << 18)
#define HCR_TSC   (1ul << 19)
#define HCR_TACR  (1ul << 21)
#define HCR_TSW   (1ul << 22)
#define HCR_TVM   (1ul << 26)
#define HCR_TRVM  (1ul << 30)

enum {
    EC_WFX = 0x01,
    EC_FP = 0x07,
    EC_SVC = 0x15,
    EC_HVC = 0x16,
    EC_SMC = 0x17,
    EC_SYSREG = 0x18,
    EC_FETCH = 0x20,
    EC_DATA = 0x24,
    VECTOR_LOWER_SYNC = 8,
    VECTOR_LOWER_IRQ = 9,
    SCTLR_OFF = 0x30d00800,
    SPSR_EL1H = 5,
    DONE = 0xff, /* HVC's immediate at a guest's end */
};

/* Stage 2: 39 bits from level 1. */
#define VTCR     (1ul << 31 | 2ul << 16 | 3 << 12 | 1 << 10 | 1 << 8 | 1 << 6 | 25)
#define S2_LEAF  (0xful << 2 | 3 << 6 | 3 << 8 | 1 << 10 | 1)
#define S2_PAGE  (S2_LEAF | 2)
#define S2_READ  (1ul << 6)
#define S2_WRITE (1ul << 7)
#define S2_AF    (1ul << 10)
#define S2_XN    (1ul << 54)
#define NOTHING  0xc0000000ul /* no stage 2 maps it */
#define WINDOW   0x80000000ul /* pages of `level3` */

#define GUEST(name, code)                                                                          \
    __asm__(".pushsection .text\n.balign 8\n" #name ":\n" code "\nhvc #0xff\n.popsection");        \
    extern char name[]

static uint64_t level1[2][512] __attribute__((aligned(4096)));
static uint64_t level2[2][512] __attribute__((aligned(4096)));
static uint64_t level3[2][512] __attribute__((aligned(4096)));
static uint64_t pages[4][512] __attribute__((aligned(4096)));
static uint64_t stage1[512] __attribute__((aligned(4096)));
static volatile uint64_t seen[8];

/* Vectors of a guest: synchronous ones from EL1h at 0x200, IRQs at 0x280. */
__asm__(".pushsection .text\n.balign 2048\nguest_vectors:\n"
        ".org guest_vectors + 0x200\nhvc #0x200\n.org guest_vectors + 0x280\nhvc #0x280\n"
        ".org guest_vectors + 0x800\n.popsection");
extern char guest_vectors[];

/* --- guests ------------------------------------------------------------------------------------
 */

static void use_machine(unsigned vmid)
{
    write_sysreg(vttbr_el2, (uint64_t)level1[vmid - 1] | (uint64_t)vmid << 48);
}

static const struct caught *run(const char *code, uint64_t x0, uint64_t hcr)
{
    write_sysreg(hcr_el2, HCR_GUEST | hcr);
    const struct caught *c = enter_el0((uint64_t)code, 0, x0, SPSR_EL1H);
    write_sysreg(hcr_el2, HCR_HOST);
    return c;
}

/* It must have come to its end. */
static uint64_t run_through(const char *name, const char *code, uint64_t x0, uint64_t hcr)
{
    const struct caught *c = run(code, x0, hcr);
    if (caught_ec(c) != EC_HVC || caught_iss(c) != DONE)
        check_eq(name, c->esr, (uint64_t)EC_HVC << 26 | 1 << 25 | DONE);
    return seen[0];
}

static void flush_machine(void)
{
    write_sysreg(hcr_el2, HCR_GUEST | HCR_VM);
    __asm__ volatile("dsb ish\n\ttlbi vmalls12e1is\n\tdsb ish\n\tisb" ::: "memory");
    write_sysreg(hcr_el2, HCR_HOST);
}

static void make_machines(void)
{
    for (unsigned m = 0; m < 2; m++) {
        level1[m][1] = RAM_BASE | S2_LEAF;
        level1[m][2] = (uint64_t)level2[m] | PTE_TABLE;
        level2[m][0] = (uint64_t)level3[m] | PTE_TABLE;
        for (unsigned i = 0; i < 4; i++)
            level3[m][i] = (uint64_t)pages[i] | S2_PAGE;
    }
    write_sysreg(vtcr_el2, VTCR);
    write_sysreg(sctlr_el12, SCTLR_OFF);
    write_sysreg(cpacr_el12, 3 << 20);
    use_machine(1);
    flush_machine();
}

/* --- names and levels --------------------------------------------------------------------------
 */

GUEST(guest_svc, "svc #3");
GUEST(guest_hvc, "hvc #0x1234");
GUEST(
    guest_ids,
    "mrs x1, midr_el1\nmrs x2, mpidr_el1\nmrs x3, currentel\nstp x1, x2, [x0]\nstr x3, [x0, #16]");
GUEST(guest_registers,
      "mrs x1, tpidr_el1\nmrs x2, vbar_el1\nmrs x3, contextidr_el1\nstp x1, x2, [x0]\n"
      "str x3, [x0, #16]\nmov x1, #0x55\nmsr contextidr_el1, x1");
GUEST(guest_el2_name, "mrs x1, hcr_el2");

static void test_names(void)
{
    check_eq("CurrentEL is EL2", read_sysreg(currentel), 2 << 2);
    check("ID register: EL2", read_sysreg(id_aa64pfr0_el1) >> 8 & 15);
    check("ID register: FEAT_VHE", read_sysreg(id_aa64mmfr1_el1) >> 8 & 15);
    write_sysreg(contextidr_el1, 0x1111);
    write_sysreg(contextidr_el12, 0x2222);
    check_eq("contextidr_el1 is EL2's", read_sysreg(contextidr_el2), 0x1111);
    check_eq("contextidr_el12 is EL1's", read_sysreg(contextidr_el12), 0x2222);
    write_sysreg(elr_el1, 0x4444);
    write_sysreg(elr_el12, 0x5555);
    check_eq("elr_el1 is elr_el2", read_sysreg(elr_el2), 0x4444);
    check_eq("elr_el12 is another", read_sysreg(elr_el12), 0x5555);
    check_eq("sctlr_el1 is sctlr_el2", read_sysreg(sctlr_el1), read_sysreg(sctlr_el2));
    write_sysreg(sp_el1, 0x7770);
    check_eq("sp_el1", read_sysreg(sp_el1), 0x7770);
    write_sysreg(cntp_cval_el0, 0x123456);
    check_eq("cntp_cval_el0 is EL2's", read_sysreg(cnthp_cval_el2), 0x123456);
    write_sysreg(cntv_cval_el02, 0x654321);
    write_sysreg(cntv_cval_el0, 0x111);
    check_eq("cntv_cval_el02 is EL1's", read_sysreg(cntv_cval_el02), 0x654321);
    check_eq("cntv_cval_el0 is CNTHV's", read_sysreg(S3_4_C14_C3_2), 0x111);
    check_eq("hcr_el2 reads back", read_sysreg(hcr_el2), HCR_HOST);
    check_eq("icc_sre_el2: system registers", read_sysreg(S3_4_C12_C9_5) & 1, 1);
}

/* Without E2H, where EL1's names are EL1's registers and EL2 has one range of addresses: with the
 * MMU off by way of there and back. x0: what was seen; x1: EL2's table. */
__asm__(".pushsection .text\n.balign 8\nwithout_e2h:\n"
        "mrs x2, sctlr_el2\nmrs x3, tcr_el2\nmrs x4, ttbr0_el2\nmrs x5, hcr_el2\n"
        "bic x6, x2, #1\nmsr sctlr_el2, x6\nisb\n"
        "mov x7, #1 << 31\nmsr hcr_el2, x7\nisb\n"
        "ldr x8, =0x80823519\nmsr tcr_el2, x8\nmrs x9, tcr_el2\nstr x9, [x0]\n"
        "mov x8, #0x1000\nmsr vbar_el1, x8\nmrs x9, vbar_el2\nstr x9, [x0, #8]\n"
        "mrs x9, vbar_el1\nstr x9, [x0, #16]\n"
        "msr ttbr0_el2, x1\nisb\ntlbi alle2\ndsb sy\nmsr sctlr_el2, x2\nisb\n"
        "mov x8, #0x40000000\nldr x9, [x0, x8]\nstr x9, [x0, #24]\n" /* the table's alias */
        "msr sctlr_el2, x6\nisb\nmsr hcr_el2, x5\nmsr tcr_el2, x3\nmsr ttbr0_el2, x4\nisb\n"
        "tlbi alle2\ndsb sy\nmsr sctlr_el2, x2\nisb\nret\n.ltorg\n.popsection");
void without_e2h(volatile uint64_t *out, const uint64_t *table);

static void test_without_e2h(void)
{
    static uint64_t table[512] __attribute__((aligned(4096)));
    table[1] = table[2] = RAM_BASE | PTE_VALID | PTE_AF | PTE_SHARED | PTE_USER;
    without_e2h(seen, table);
    check_eq("E2H = 0: TCR_EL2 has its own form", seen[0], 0x80823519);
    check_eq("E2H = 0: vbar_el2 is EL2's", seen[1], read_sysreg(vbar_el2));
    check_eq("E2H = 0: vbar_el1 is EL1's", seen[2], 0x1000);
    check_eq("E2H = 0: EL2 translates by one table", seen[3], 0x80823519);
    check_eq("E2H = 1 again: VBAR_EL12", read_sysreg(vbar_el12), 0x1000);
}

static void test_levels(void)
{
    const struct caught *c = run(guest_hvc, 0, 0);
    check_eq("HVC: class", caught_ec(c), EC_HVC);
    check_eq("HVC: immediate", caught_iss(c), 0x1234);
    check_eq("HVC: from below", c->vector, VECTOR_LOWER_SYNC);
    check_eq("HVC: returns behind it", c->elr, (uint64_t)guest_hvc + 4);
    check_eq("HVC: it was at EL1", c->spsr & 0x1f, SPSR_EL1H);
    c = provoke("hvc #7");
    check_eq("HVC at EL2 stays there", c->vector, 4);
    c = enter_el0((uint64_t)guest_svc + EL0_ALIAS, 0, 0, 0);
    check_eq("SVC of a host's user: class", caught_ec(c), EC_SVC);
    check_eq("SVC of a host's user: to EL2", c->vector, VECTOR_LOWER_SYNC);
    write_sysreg(vpidr_el2, 0x410fd083);
    write_sysreg(vmpidr_el2, 0x80000321);
    run_through("guest reads its ID", guest_ids, (uint64_t)seen, 0);
    check_eq("VPIDR_EL2 shows as MIDR_EL1", seen[0], 0x410fd083);
    check_eq("VMPIDR_EL2 shows as MPIDR_EL1", seen[1], 0x80000321);
    check_eq("CurrentEL is EL1", seen[2], 1 << 2);
    check("EL2 sees the real one", read_sysreg(mpidr_el1) != 0x80000321);
    write_sysreg(vbar_el12, 0x40208000);
    write_sysreg(contextidr_el12, 0x99);
    run_through("guest reads registers", guest_registers, (uint64_t)seen, 0);
    check_eq("TPIDR_EL1 is one for both", seen[0], read_sysreg(tpidr_el1));
    check_eq("VBAR_EL12 is its VBAR_EL1", seen[1], 0x40208000);
    check_eq("and so CONTEXTIDR", seen[2], 0x99);
    check_eq("its write is seen under _EL12", read_sysreg(contextidr_el12), 0x55);
    check_eq("and not under _EL1", read_sysreg(contextidr_el1), 0x1111);
    /* The guest's own UNDEFINED comes to its own vector, which has nothing but an HVC. */
    write_sysreg(vbar_el12, (uint64_t)guest_vectors);
    c = run(guest_el2_name, 0, 0);
    check_eq("EL2's names are UNDEFINED at EL1", caught_iss(c), 0x200);
    check_eq("ESR_EL1 has it", read_sysreg(esr_el12) >> 26, 0);
    check_eq("ELR_EL1 has it", read_sysreg(elr_el12), (uint64_t)guest_el2_name);
}

/* --- traps -------------------------------------------------------------------------------------
 */

GUEST(guest_wfi, "wfi");
GUEST(guest_smc, "smc #9");
GUEST(guest_write_ttbr, "msr ttbr0_el1, x7");
GUEST(guest_read_far, "mrs x3, far_el1");
GUEST(guest_read_id, "mrs x5, id_aa64mmfr0_el1");
GUEST(guest_read_ctr, "mrs x5, ctr_el0");
GUEST(guest_actlr, "mrs x5, actlr_el1");
GUEST(guest_dc_sw, "dc isw, x6");
GUEST(guest_fp, ".inst 0x1e270000"); /* fmov s0, w0 */
GUEST(guest_mdscr, "mrs x5, mdscr_el1");
GUEST(guest_counter, "mrs x5, cntpct_el0");
GUEST(guest_timer, "mrs x5, cntp_ctl_el0");
GUEST(guest_sgi, "msr S3_0_C12_C11_5, x6");

static uint32_t sysreg_iss(unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2,
                           unsigned rt, bool read)
{
    return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | read;
}

static void check_trap(const char *name, const char *code, uint64_t hcr, unsigned ec, uint32_t iss)
{
    const struct caught *c = run(code, 0, hcr);
    check_eq(name, c->esr, (uint64_t)ec << 26 | 1 << 25 | iss);
    if (c->elr != (uint64_t)code)
        check_eq(name, c->elr, (uint64_t)code);
}

static void test_traps(void)
{
    check_trap("TWI: WFI", guest_wfi, HCR_TWI, EC_WFX, 0x1e << 20);
    check_trap("TSC: SMC", guest_smc, HCR_TSC, EC_SMC, 9);
    check_trap("TVM: TTBR0", guest_write_ttbr, HCR_TVM, EC_SYSREG,
               sysreg_iss(3, 0, 2, 0, 0, 7, false));
    run_through("TVM: reads are free", guest_read_far, 0, HCR_TVM);
    check_trap("TRVM: FAR", guest_read_far, HCR_TRVM, EC_SYSREG,
               sysreg_iss(3, 0, 6, 0, 0, 3, true));
    check_trap("TID3: MMFR0", guest_read_id, HCR_TID3, EC_SYSREG,
               sysreg_iss(3, 0, 0, 7, 0, 5, true));
    run_through("without TID3", guest_read_id, 0, 0);
    check_trap("TID2: CTR", guest_read_ctr, HCR_TID2, EC_SYSREG,
               sysreg_iss(3, 3, 0, 0, 1, 5, true));
    check_trap("TACR", guest_actlr, HCR_TACR, EC_SYSREG, sysreg_iss(3, 0, 1, 0, 1, 5, true));
    check_trap("TSW: DC ISW", guest_dc_sw, HCR_TSW, EC_SYSREG, sysreg_iss(1, 0, 7, 6, 2, 6, false));
    write_sysreg(cpacr_el1, 0); /* CPTR_EL2 */
    check_trap("CPTR_EL2: FP", guest_fp, 0, EC_FP, 0x1e << 20);
    write_sysreg(cpacr_el1, 3 << 20);
    run_through("FP is free", guest_fp, 0, 0);
    uint64_t mdcr = read_sysreg(mdcr_el2);
    write_sysreg(mdcr_el2, mdcr | 1 << 9);
    check_trap("TDA: MDSCR", guest_mdscr, 0, EC_SYSREG, sysreg_iss(2, 0, 0, 2, 2, 5, true));
    write_sysreg(mdcr_el2, mdcr);
    write_sysreg(cnthctl_el2, 0);
    check_trap("CNTHCTL: counter", guest_counter, 0, EC_SYSREG,
               sysreg_iss(3, 3, 14, 0, 1, 5, true));
    check_trap("CNTHCTL: timer", guest_timer, 0, EC_SYSREG, sysreg_iss(3, 3, 14, 2, 1, 5, true));
    write_sysreg(cnthctl_el2, 3 << 10);
    run_through("counter is free", guest_counter, 0, 0);
    run_through("timer is free", guest_timer, 0, 0);
    check_trap("SGIs of a guest are EL2's", guest_sgi, HCR_IMO | HCR_FMO, EC_SYSREG,
               sysreg_iss(3, 0, 12, 11, 5, 6, false));
}

/* --- stage 2 -----------------------------------------------------------------------------------
 */

GUEST(guest_ldr_w, "ldr w3, [x0]");
GUEST(guest_ldrsb, "ldrsb w4, [x0]");
GUEST(guest_ldrsh_x, "ldrsh x5, [x0]");
GUEST(guest_str_x, "str x6, [x0]");
GUEST(guest_strb_index, "mov x1, #0\nstrb w7, [x0, x1]");
GUEST(guest_ldp, "ldp x3, x4, [x0]");
GUEST(guest_post, "ldr x3, [x0], #8");
GUEST(guest_ldar, "ldar w9, [x0]");
GUEST(guest_load, "ldr x1, [x0]\nldr x2, =seen\nstr x1, [x2]\nb 1f\n.ltorg\n1:");
GUEST(guest_store, "mov x1, #0x77\nstr x1, [x0]");
GUEST(guest_jump, "br x0");

enum { ISV = 1 << 24, SSE = 1 << 21, SF = 1 << 15, AR = 1 << 14, S1PTW = 1 << 7, WNR = 1 << 6 };

static void check_abort(const char *name, const char *code, uint64_t address, uint64_t hpfar,
                        uint32_t iss)
{
    const struct caught *c = run(code, address, HCR_VM);
    check_eq(name, c->esr, (uint64_t)EC_DATA << 26 | 1 << 25 | iss);
    if (c->far != address)
        check_eq(name, c->far, address);
    if (read_sysreg(hpfar_el2) != hpfar)
        check_eq(name, read_sysreg(hpfar_el2), hpfar);
}

static void test_aborts(void)
{
    const uint64_t address = NOTHING + 0x123450, hpfar = address >> 12 << 4;
    enum { TRANSLATION1 = 5 };
    check_abort("abort: LDR W", guest_ldr_w, address, hpfar,
                ISV | 2 << 22 | 3 << 16 | TRANSLATION1);
    check_abort("abort: LDRSB", guest_ldrsb, address, hpfar, ISV | SSE | 4 << 16 | TRANSLATION1);
    check_abort("abort: LDRSH X", guest_ldrsh_x, address, hpfar,
                ISV | 1 << 22 | SSE | 5 << 16 | SF | TRANSLATION1);
    check_abort("abort: STR X", guest_str_x, address, hpfar,
                ISV | 3 << 22 | 6 << 16 | SF | WNR | TRANSLATION1);
    check_abort("abort: STRB by index", guest_strb_index, address, hpfar,
                ISV | 7 << 16 | WNR | TRANSLATION1);
    check_abort("abort: LDAR", guest_ldar, address, hpfar,
                ISV | 2 << 22 | 9 << 16 | AR | TRANSLATION1);
    check_abort("abort: LDP says no more", guest_ldp, address, hpfar, TRANSLATION1);
    check_abort("abort: nor does write-back", guest_post, address, hpfar, TRANSLATION1);
    check_abort("abort: beyond 39 bits", guest_ldr_w, 1ul << 40, 1ul << 32,
                ISV | 2 << 22 | 3 << 16 | 4);
}

static void test_permissions(void)
{
    pages[0][0] = 0xaaaa;
    check_eq("a page is read", run_through("a page is read", guest_load, WINDOW, HCR_VM), 0xaaaa);
    level3[0][1] &= ~S2_WRITE;
    level3[0][2] &= ~S2_AF;
    level3[0][3] = (level3[0][3] | S2_XN) & ~S2_READ;
    flush_machine();
    run_through("a read-only page is read", guest_load, WINDOW + 4096, HCR_VM);
    const struct caught *c = run(guest_store, WINDOW + 4096 + 8, HCR_VM);
    check_eq("a read-only page is not written", c->esr & 0x7f, WNR | 0xf);
    check_eq("... FAR", c->far, WINDOW + 4096 + 8);
    c = run(guest_load, WINDOW + 2 * 4096, HCR_VM);
    check_eq("access flag", c->esr & 0x7f, 0xb);
    c = run(guest_load, WINDOW + 3 * 4096, HCR_VM);
    check_eq("write-only", c->esr & 0x7f, 0xf);
    c = run(guest_jump, WINDOW + 3 * 4096, HCR_VM);
    check_eq("execute never: class", caught_ec(c), EC_FETCH);
    check_eq("execute never: status", c->esr & 0x3f, 0xf);
    level3[0][1] |= S2_WRITE;
    flush_machine();
    run_through("made writable", guest_store, WINDOW + 4096 + 8, HCR_VM);
    check_eq("it is written", pages[1][1], 0x77);
}

static void test_tables(void)
{
    /* Stage 1 of the guest: RAM at its place, and an address whose table is nowhere. */
    stage1[1] = RAM_BASE | PTE_VALID | PTE_AF | PTE_SHARED;
    stage1[2] = WINDOW | PTE_VALID | PTE_AF | PTE_SHARED;
    stage1[3] = (NOTHING + 0x5000) | PTE_TABLE;
    write_sysreg(mair_el12, 0xff);
    write_sysreg(tcr_el12, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1ul << 23 | 2ul << 32);
    write_sysreg(ttbr0_el12, (uint64_t)stage1);
    write_sysreg(sctlr_el12, SCTLR_OFF | 1);
    check_eq("both stages", run_through("both stages", guest_load, WINDOW, HCR_VM), 0xaaaa);
    const struct caught *c = run(guest_load, NOTHING + 0x8010, HCR_VM);
    check_eq("a table is nowhere", c->esr & 0x1ff, S1PTW | 5);
    check_eq("... FAR", c->far, NOTHING + 0x8010);
    check_eq("... HPFAR has the table", read_sysreg(hpfar_el2), (NOTHING + 0x5000) >> 12 << 4);
    write_sysreg(vbar_el12, (uint64_t)guest_vectors);
    c = run(guest_load, 0x1000, HCR_VM);
    check_eq("stage 1's own fault is EL1's", caught_iss(c), 0x200);
    check_eq("... ESR_EL1", read_sysreg(esr_el12) >> 26, 0x25);
    check_eq("... FAR_EL1", read_sysreg(far_el12), 0x1000);
    write_sysreg(hcr_el2, HCR_GUEST | HCR_VM);
    __asm__ volatile("at s12e1r, %0\n\tisb" ::"r"(WINDOW + 0x10));
    uint64_t both = read_sysreg(par_el1);
    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(WINDOW + 0x10));
    uint64_t first = read_sysreg(par_el1);
    __asm__ volatile("at s12e1r, %0\n\tisb" ::"r"(NOTHING + 0x8010));
    uint64_t none = read_sysreg(par_el1);
    write_sysreg(hcr_el2, HCR_HOST);
    check_eq("AT S12E1R", both & 0xfffffffff001, (uint64_t)pages[0]);
    check_eq("AT S1E1R stops at stage 1", first & 0xfffffffff001, WINDOW);
    check_eq("AT S12E1R: stage 2, on a table", none & 0x37f, 1 | 5 << 1 | 1 << 8 | 1 << 9);
    write_sysreg(sctlr_el12, SCTLR_OFF);
}

static void test_vmids(void)
{
    pages[1][0] = 0xbbbb;
    level3[1][0] = (uint64_t)pages[1] | S2_PAGE;
    dsb();
    check_eq("machine 1", run_through("machine 1", guest_load, WINDOW, HCR_VM), 0xaaaa);
    use_machine(2);
    check_eq("machine 2, without TLBI", run_through("machine 2", guest_load, WINDOW, HCR_VM),
             0xbbbb);
    use_machine(1);
    check_eq("machine 1 again", run_through("machine 1", guest_load, WINDOW, HCR_VM), 0xaaaa);
    level3[0][0] = 0;
    flush_machine();
    check_eq("unmapped after TLBI", caught_ec(run(guest_load, WINDOW, HCR_VM)), EC_DATA);
    level3[0][0] = (uint64_t)pages[1] | S2_PAGE;
    write_sysreg(hcr_el2, HCR_GUEST | HCR_VM);
    __asm__ volatile(
        "dsb ish\n\ttlbi ipas2e1is, %0\n\tdsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::"r"(
            WINDOW >> 12));
    write_sysreg(hcr_el2, HCR_HOST);
    check_eq("mapped elsewhere", run_through("mapped elsewhere", guest_load, WINDOW, HCR_VM),
             0xbbbb);
    level3[0][0] = (uint64_t)pages[0] | S2_PAGE;
    __asm__ volatile("dsb ish\n\ttlbi alle1is\n\tdsb ish\n\tisb" ::: "memory");
    check_eq("all machines flushed", run_through("all machines", guest_load, WINDOW, HCR_VM),
             0xaaaa);
}

/* --- interrupts --------------------------------------------------------------------------------
 */

#define LR_PENDING (1ul << 62)
#define LR_ACTIVE  (2ul << 62)
#define LR_STATE   (3ul << 62)
#define LR_HW      (1ul << 61)
#define LR_GROUP1  (1ul << 60)
#define LR_EOI     (1ul << 41)
#define LR_PRIO(p) ((uint64_t)(p) << 48)
#define VMCR_OPEN  (0xf8ul << 24 | 2ul << 21 | 3ul << 18 | 1 << 1) /* all priorities, group 1 */

enum { MAINTENANCE = 25, CNTHP = 26, CNTHV = 28, SPURIOUS = 1023 };

GUEST(guest_unmask, "msr daifclr, #2\nisb\nnop\nnop");
GUEST(guest_stay, "nop\nnop");
GUEST(guest_isr, "mrs x1, isr_el1\nstr x1, [x0]");
/* IAR1, RPR, IAR1 again, EOIR1, RPR, HPPIR1 */
GUEST(guest_acknowledge,
      "mrs x1, S3_0_C12_C12_0\nstr x1, [x0]\n mrs x2, S3_0_C12_C11_3\nstr x2, [x0, #8]\n"
      "mrs x2, S3_0_C12_C12_0\nstr x2, [x0, #16]\nmsr S3_0_C12_C12_1, x1\n"
      "mrs x2, S3_0_C12_C11_3\nstr x2, [x0, #24]\nmrs x2, S3_0_C12_C12_2\nstr x2, [x0, #32]");
GUEST(guest_take, "mrs x1, S3_0_C12_C12_0\nstr x1, [x0]");
GUEST(guest_pmr, "mov x1, #0x80\nmsr S3_0_C4_C6_0, x1\nmrs x1, S3_0_C4_C6_0\nstr x1, [x0]");

static void test_routing(void)
{
    write_sysreg(vbar_el12, (uint64_t)guest_vectors);
    const struct caught *c = run(guest_unmask, 0, HCR_IMO | HCR_VI);
    check_eq("VI: a virtual IRQ at the guest's vector", caught_iss(c), 0x280);
    run_through("VI: masked by PSTATE.I", guest_stay, 0, HCR_IMO | HCR_VI);
    run_through("VI: not without IMO", guest_unmask, 0, HCR_VI);
    run_through("ISR_EL1", guest_isr, (uint64_t)seen, HCR_IMO | HCR_VI);
    check_eq("VI: shows in the guest's ISR_EL1", seen[0] & 0x80, 0x80);
    check_eq("VI: not in EL2's", read_sysreg(isr_el1) & 0x80, 0);
    gic_enable(3, 0x80);
    write_sysreg(S3_0_C12_C11_5, 3ul << 24 | 1); /* an SGI to this CPU, masked here */
    c = run(guest_stay, 0, HCR_IMO);
    check_eq("IMO: an IRQ leaves a guest that masks it", c->vector, VECTOR_LOWER_IRQ);
    check_eq("IMO: nothing was executed", c->elr, (uint64_t)guest_stay);
    check_eq("IMO: acknowledged at EL2", read_sysreg(S3_0_C12_C12_0), 3);
    write_sysreg(S3_0_C12_C12_1, 3);
    run_through("IMO: none, none taken", guest_stay, 0, HCR_IMO);
    write_sysreg(S3_0_C12_C11_5, 3ul << 24 | 1);
    c = run(guest_unmask, 0, 0);
    check_eq("without IMO the IRQ is EL1's", caught_iss(c), 0x280);
    check_eq("... and still there", read_sysreg(S3_0_C12_C12_0), 3);
    write_sysreg(S3_0_C12_C12_1, 3);
}

static bool maintenance_pending(void)
{
    return read32(gicr_base() + 0x10200) >> MAINTENANCE & 1;
}

static void test_list_registers(void)
{
    write_sysreg(ich_vmcr_el2, VMCR_OPEN);
    write_sysreg(ich_lr0_el2, LR_PENDING | LR_GROUP1 | LR_PRIO(0xa0) | LR_EOI | 40);
    write_sysreg(ich_lr1_el2, LR_PENDING | LR_GROUP1 | LR_PRIO(0x60) | 41);
    write_sysreg(ich_hcr_el2, 1);
    check_eq("no list register is empty", read_sysreg(ich_elrsr_el2) & 3, 0);
    const struct caught *c = run(guest_unmask, 0, HCR_IMO | HCR_FMO);
    check_eq("a list register's IRQ", caught_iss(c), 0x280);
    run_through("acknowledge", guest_acknowledge, (uint64_t)seen, HCR_IMO | HCR_FMO);
    check_eq("IAR1: the highest priority", seen[0], 41);
    check_eq("RPR: its priority", seen[1], 0x60);
    check_eq("IAR1: nothing preempts it", seen[2], SPURIOUS);
    check_eq("RPR: idle after EOIR1", seen[3], 0xff);
    check_eq("HPPIR1: the other", seen[4], 40);
    check_eq("the list register is done", read_sysreg(ich_lr1_el2) & LR_STATE, 0);
    check_eq("... and empty", read_sysreg(ich_elrsr_el2) & 3, 2);
    check("no maintenance yet", !maintenance_pending());
    run_through("take", guest_take, (uint64_t)seen, HCR_IMO | HCR_FMO);
    check_eq("IAR1: the other", seen[0], 40);
    check_eq("it is active", read_sysreg(ich_lr0_el2) & LR_STATE, LR_ACTIVE);
    check_eq("its priority is", read_sysreg(ich_ap1r0_el2), 1u << (0xa0 >> 3));
    write_sysreg(ich_ap1r0_el2, 0);
    write_sysreg(ich_lr0_el2, LR_PENDING | LR_GROUP1 | LR_PRIO(0xa0) | LR_EOI | 40);
    run_through("acknowledge and end", guest_acknowledge, (uint64_t)seen, HCR_IMO | HCR_FMO);
    check_eq("EISR: its end is EL2's to know", read_sysreg(ich_eisr_el2), 1);
    check_eq("MISR says why", read_sysreg(ich_misr_el2), 1);
    check("the maintenance interrupt is pending", maintenance_pending());
    write_sysreg(ich_lr0_el2, 0);
    check("... and gone", !maintenance_pending());
    write_sysreg(ich_hcr_el2, 1 | 1 << 1);
    check_eq("MISR: underflow", read_sysreg(ich_misr_el2), 2);
    write_sysreg(ich_hcr_el2, 1);
    run_through("PMR", guest_pmr, (uint64_t)seen, HCR_IMO | HCR_FMO);
    check_eq("the guest's PMR", seen[0], 0x80);
    check_eq("... is VMCR's", read_sysreg(ich_vmcr_el2) >> 24, 0x80);
    check_eq("... and not EL2's", read_sysreg(S3_0_C4_C6_0) & 0xf8, 0xf8);
    write_sysreg(ich_lr0_el2, LR_PENDING | LR_GROUP1 | LR_PRIO(0x80) | 42);
    run_through("masked by PMR", guest_unmask, 0, HCR_IMO | HCR_FMO);
    write_sysreg(ich_lr0_el2, 0);
    write_sysreg(ich_vmcr_el2, VMCR_OPEN);
}

/* The end of a virtual interrupt with HW ends the physical one. */
static void test_hardware_interrupt(void)
{
    enum { PPI = 23 };
    uint64_t active = gicr_base() + 0x10300, clear = gicr_base() + 0x10380;
    write32(active, 1u << PPI);
    write_sysreg(ich_lr0_el2,
                 LR_PENDING | LR_HW | LR_GROUP1 | LR_PRIO(0x80) | (uint64_t)PPI << 32 | 50);
    run_through("hardware interrupt", guest_acknowledge, (uint64_t)seen, HCR_IMO | HCR_FMO);
    check_eq("HW: acknowledged", seen[0], 50);
    check_eq("HW: the physical one is inactive", read32(active) >> PPI & 1, 0);
    write32(clear, 1u << PPI);
    write_sysreg(ich_lr0_el2, 0);
    write_sysreg(ich_hcr_el2, 0);
}

/* --- timers ------------------------------------------------------------------------------------
 */

GUEST(guest_time, "mrs x1, cntvct_el0\nstr x1, [x0]\nmrs x1, cntv_ctl_el0\nstr x1, [x0, #8]\n"
                  "mrs x1, cntv_cval_el0\nstr x1, [x0, #16]");

static void test_timers(void)
{
    const uint64_t offset = 1ul << 40;
    write_sysreg(cntvoff_el2, 0);
    uint64_t before = read_sysreg(cntpct_el0);
    write_sysreg(cntvoff_el2, -offset);
    write_sysreg(cntv_cval_el02, offset);
    write_sysreg(cntv_ctl_el02, 3); /* on, masked */
    run_through("time", guest_time, (uint64_t)seen, 0);
    check("CNTVOFF_EL2: the guest's time",
          seen[0] >= before + offset && seen[0] < before + offset + (1ul << 36));
    check_eq("its timer has passed", seen[1], 7);
    check_eq("its CVAL", seen[2], offset);
    check("EL2's virtual time has no offset", read_sysreg(cntvct_el0) < offset);
    write_sysreg(cntv_ctl_el02, 0);
    write_sysreg(cntvoff_el2, 0);
    write_sysreg(cntp_cval_el0, 0);
    write_sysreg(cntp_ctl_el0, 1);
    check_eq("CNTHP: PPI 26", read32(gicr_base() + 0x10200) >> CNTHP & 1, 1);
    check_eq("CNTHP: not PPI 30", read32(gicr_base() + 0x10200) >> 30 & 1, 0);
    write_sysreg(cntp_ctl_el0, 0);
    check_eq("CNTHP: off", read32(gicr_base() + 0x10200) >> CNTHP & 1, 0);
    write_sysreg(cntv_cval_el0, 0);
    write_sysreg(cntv_ctl_el0, 1);
    check_eq("CNTHV: PPI 28", read32(gicr_base() + 0x10200) >> CNTHV & 1, 1);
    write_sysreg(cntv_ctl_el0, 0);
    write_sysreg(cntp_cval_el02, 0);
    write_sysreg(cntp_ctl_el02, 1);
    check_eq("CNTP_EL02: PPI 30", read32(gicr_base() + 0x10200) >> 30 & 1, 1);
    write_sysreg(cntp_ctl_el02, 0);
}

/* --- other CPUs --------------------------------------------------------------------------------
 */

static volatile uint64_t other_el;

static void on_other(void)
{
    if (this_cpu()->index == 1)
        other_el = read_sysreg(currentel);
}

static void test_other_cpus(void)
{
    cpus_start();
    check("PSCI by SMC starts other CPUs", cpu_count >= 2);
    run_on_cpus(2, on_other);
    check_eq("at EL2", other_el, 2 << 2);
}

void guest_tests(void)
{
    gic_init();
    gic_cpu_init();
    test_names();
    test_without_e2h();
    make_machines();
    test_levels();
    test_traps();
    test_aborts();
    test_permissions();
    test_tables();
    test_vmids();
    test_routing();
    test_list_registers();
    test_hardware_interrupt();
    test_timers();
    test_other_cpus();
}
