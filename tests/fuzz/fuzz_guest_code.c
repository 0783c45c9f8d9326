/* fuzz_guest_code.c: a hostile guest: any instructions, any registers, any translation tables.
 *
 * The input is a header of registers and then the start of memory, which holds code, tables and
 * data as the guest likes; it is interpreted for some instructions. Whatever it does is the guest's
 * own affair, as exceptions: a sanitizer, a signal or an assertion tells where it became the
 * host's.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "core/arm64/cpu.h"
#include "core/arm64/interpreter.h"
#include "core/arm64/mmu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAM_BASE = 0x40000000, RAM_BYTES = 0x10000, STEPS = 100 };

/* Little-endian, as in the input. */
struct header {
    uint64_t x[8];
    uint64_t sctlr, tcr, ttbr0, ttbr1, mair, vbar, cpacr, mdscr;
    uint32_t pc_offset; /* from RAM_BASE */
    uint32_t pstate;    /* as SPSR_EL1 */
};

static bool no_hypercall(void *ctx, struct a64_cpu *cpu, bool smc)
{
    return false;
}

static uint64_t icc_read(void *ctx, struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return 0;
}

static void icc_write(void *ctx, struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
}

static void ppi_line(void *ctx, struct a64_cpu *cpu, unsigned ppi, bool level)
{
}

static void timer_arm(void *ctx, struct a64_cpu *cpu, uint64_t deadline_ns)
{
}

/* The one machine of this program; made by the first input, reset by every other. */
static struct {
    struct guestmem mem;
    struct a64_system system;
    struct a64_host_ops ops;
    struct a64_cpu *cpu;
} guest;

static void make_guest(void)
{
    guestmem_init(&guest.mem, (struct guestmem_mmio){0});
    guest.ops = (struct a64_host_ops){.hypercall = no_hypercall,
                                      .icc_read = icc_read,
                                      .icc_write = icc_write,
                                      .ppi_line = ppi_line,
                                      .timer_arm = timer_arm};
    guest.system = (struct a64_system){.mem = &guest.mem, .ops = &guest.ops};
    const struct a64_model *model = a64_model_find("kunpeng-920");
    if (guestmem_add_ram(&guest.mem, RAM_BASE, RAM_BYTES, false, NULL) ||
        a64_cpu_new(&guest.system, 0, model, &guest.cpu, NULL))
        assert(!"no memory");
}

static void set_registers(struct a64_cpu *cpu, const struct header *h)
{
    a64_cpu_reset(cpu, RAM_BASE + (h->pc_offset & (RAM_BYTES - 1)), 0);
    memcpy(cpu->x, h->x, sizeof(h->x));
    cpu->sys[A64_SCTLR_EL1] = h->sctlr;
    cpu->sys[A64_TCR_EL1] = h->tcr;
    cpu->sys[A64_TTBR0_EL1] = h->ttbr0;
    cpu->sys[A64_TTBR1_EL1] = h->ttbr1;
    cpu->sys[A64_MAIR_EL1] = h->mair;
    cpu->sys[A64_VBAR_EL1] = h->vbar;
    cpu->sys[A64_CPACR_EL1] = h->cpacr;
    cpu->sys[A64_MDSCR_EL1] = h->mdscr;
    /* EL0, EL1t or EL1h only: the rest of SPSR is the guest's choice. */
    uint32_t mode = h->pstate & 4 ? 4 | (h->pstate & 1) : 0;
    a64_pstate_set(cpu, (h->pstate & ~0x1fu) | mode);
    a64_tlb_flush_all(cpu);
    a64_select_bank(cpu);
    a64_update_slow(cpu);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct header h;
    if (!guest.cpu)
        make_guest();
    if (size < sizeof(h))
        return 0;
    memcpy(&h, data, sizeof(h));
    uint8_t *ram = guestmem_ptr(&guest.mem, RAM_BASE, RAM_BYTES, true);
    size -= sizeof(h);
    memset(ram, 0, RAM_BYTES);
    memcpy(ram, data + sizeof(h), size < RAM_BYTES ? size : RAM_BYTES);
    struct a64_cpu *cpu = guest.cpu;
    set_registers(cpu, &h);
    for (unsigned i = 0; i < STEPS; i++) {
        a64_step_one(cpu);
        cpu->halted = false; /* WFI: go on at once */
        assert(cpu->el <= 1 && cpu->spsel <= 1 && cpu->daif <= 15);
    }
    return 0;
}
