/* guest.h: what the bare-metal tests share: console, verdicts, exceptions, MMU, CPUs, interrupt
 * controller.
 *
 * They run at EL1, or at EL2 as a host does (FEAT_VHE), on the arm64 virt board, the one Peng has
 * and the one QEMU has, so that QEMU can say whether a test is right. Each file has its tests in
 * guest_tests(), which runs on the first CPU.
 */
#ifndef PENG_TESTS_GUEST_H
#define PENG_TESTS_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL011_BASE 0x09000000ul
#define GICD_BASE  0x08000000ul
#define GICR_BASE  0x080a0000ul
#define RAM_BASE   0x40000000ul

enum { CPUS_MAX = 8, STACK_BYTES = 16384, GICR_STRIDE = 0x20000 };

/* As head.S lays it out. */
struct frame {
    uint64_t x[31], elr, spsr, esr, far, vector;
};

/* The last exception that a test provoked. */
struct caught {
    unsigned count;
    uint64_t esr, elr, spsr, far, vector;
};

struct cpu {
    uint64_t stack_top; /* head.S knows these two offsets */
    uint64_t index;
    uint64_t saved[13]; /* enter() and leave() */
    volatile bool online;
    bool expecting;     /* a synchronous exception is wanted: note it and go on */
    uint64_t resume_at; /* where to go on; 0: the next instruction */
    bool in_el0;        /* any exception from EL0 ends enter_el0() */
    struct caught caught;
    void (*irq)(struct frame *f); /* NULL: an interrupt is a failure */
    void (*volatile work)(void);  /* for the other CPUs */
    uint64_t stack[STACK_BYTES / 8];
};

extern struct cpu cpus[CPUS_MAX];
extern unsigned cpu_count; /* that answer to PSCI */

#define read_sysreg(name)                                                                          \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                               \
        value_;                                                                                    \
    })
#define write_sysreg(name, value)                                                                  \
    __asm__ volatile("msr " #name ", %0\n\tisb" ::"r"((uint64_t)(value)) : "memory")

#define isb() __asm__ volatile("isb" ::: "memory")
#define dsb() __asm__ volatile("dsb sy" ::: "memory")

static inline struct cpu *this_cpu(void)
{
    return (struct cpu *)read_sysreg(tpidr_el1);
}

static inline uint32_t read32(uint64_t address)
{
    return *(volatile uint32_t *)address;
}

static inline void write32(uint64_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

/* --- each test file ----------------------------------------------------------------------------
 */
void guest_tests(void);

/* --- verdicts ----------------------------------------------------------------------------------
 */
void print(const char *text);
void print_hex(uint64_t value);
void check(const char *name, bool ok);
/* On a difference the values are printed too. */
void check_eq(const char *name, uint64_t got, uint64_t wanted);

/* --- exceptions --------------------------------------------------------------------------------
 */

/* Runs `code` (assembly) with one synchronous exception expected; what was caught is the result. */
#define provoke(...)                                                                               \
    ({                                                                                             \
        expect_begin();                                                                            \
        __asm__ volatile(__VA_ARGS__);                                                             \
        expect_end();                                                                              \
    })
void expect_begin(void);
const struct caught *expect_end(void);
/* EC and ISS of a caught exception; EC is 64 where none came. */
unsigned caught_ec(const struct caught *c);
unsigned caught_iss(const struct caught *c);

/* Runs `pc` at EL0 until any exception; x0 as given. The result is the exception. */
const struct caught *enter_el0(uint64_t pc, uint64_t sp, uint64_t x0, uint64_t spsr_bits);

/* --- MMU: a 4 KiB granule identity map of 39 bits, RAM as Normal memory, devices as Device -------
 */
enum {
    PTE_VALID = 1,
    PTE_TABLE = 3,
    PTE_PAGE = 3,
    PTE_ATTR_DEVICE = 1 << 2, /* MAIR index 1 */
    PTE_USER = 1 << 6,
    PTE_READ_ONLY = 1 << 7,
    PTE_SHARED = 3 << 8,
    PTE_AF = 1 << 10,
    PTE_NG = 1 << 11,
};
#define PTE_CONTIGUOUS (1ul << 52)
#define PTE_PXN        (1ul << 53)
#define PTE_UXN        (1ul << 54)

/* RAM again, for EL0: everything at this offset is readable, writable and executable there. */
#define EL0_ALIAS 0x40000000ul /* RAM is at 0x8000_0000 too */

void mmu_on(void);                    /* on the CPU that calls it */
void *page_alloc(unsigned pages_64k); /* zeroed, 64 KiB aligned; never freed */
void tlbi_all(void);
/* What was written at [address, address + bytes) will be executed. */
void sync_code(const void *address, size_t bytes);

/* --- CPUs --------------------------------------------------------------------------------------
 */
uint64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
uint64_t cpu_mpidr(unsigned index);
/* Starts all other CPUs, with the MMU on and waiting for work. */
void cpus_start(void);
/* Runs `work` on CPUs 0 .. count - 1 at once; returns when all are done. */
void run_on_cpus(unsigned count, void (*work)(void));

enum {
    PSCI_VERSION = 0x84000000,
    PSCI_CPU_OFF = 0x84000002,
    PSCI_MIGRATE_INFO_TYPE = 0x84000006,
    PSCI_SYSTEM_OFF = 0x84000008,
    PSCI_SYSTEM_RESET = 0x84000009,
    PSCI_FEATURES = 0x8400000a,
};
#define PSCI_CPU_ON64        0xc4000003ul
#define PSCI_AFFINITY_INFO64 0xc4000004ul

/* --- GICv3 -------------------------------------------------------------------------------------
 */
void gic_init(void);      /* distributor; once */
void gic_cpu_init(void);  /* redistributor and CPU interface, everything open */
uint64_t gicr_base(void); /* this CPU's */
void gic_enable(unsigned intid, uint8_t priority);
void gic_disable(unsigned intid);

#define irq_on()  __asm__ volatile("msr daifclr, #2" ::: "memory")
#define irq_off() __asm__ volatile("msr daifset, #2" ::: "memory")

#endif
