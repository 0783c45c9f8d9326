/* cpu_rig.h: one or two Arm64 CPUs with RAM and page tables, for tests that run single
 * instructions.
 *
 * The MMU is on, at EL1. Virtual addresses are physical ones, in pages of 4 KiB of ordinary memory,
 * but where RIG_* says otherwise.
 */
#ifndef PENG_TESTS_UNIT_CPU_RIG_H
#define PENG_TESTS_UNIT_CPU_RIG_H

#include "core/arm64/cpu.h"
#include "core/arm64/interpreter.h"
#include "core/arm64/mmu.h"

#define RIG_BASE     0x40000000ull
#define RIG_CODE     (RIG_BASE + 0x10000)
#define RIG_VECTORS  (RIG_BASE + 0x20000) /* VBAR_EL1 */
#define RIG_DATA     (RIG_BASE + 0x30000) /* four pages read-write at EL1; the next is not mapped */
#define RIG_UNMAPPED (RIG_DATA + 0x4000)
#define RIG_READONLY (RIG_BASE + 0x40000) /* one page; the page before it is read-write */
#define RIG_USER     (RIG_BASE + 0x50000) /* one page that EL0 may read and write */

enum { RIG_CPUS = 2 };

struct cpu_rig {
    struct guestmem mem;
    struct a64_system system;
    struct a64_host_ops ops;
    struct a64_cpu *cpu; /* the first */
};

/* cmocka set-up and tear-down; *state is the rig. `rig_setup` makes kunpeng-920s. */
int rig_setup(void **state);
int rig_setup_916(void **state);
int rig_teardown(void **state);

/* Puts `word` at RIG_CODE and executes it there on `cpu`. */
enum a64_step rig_step_on(struct cpu_rig *rig, struct a64_cpu *cpu, uint32_t word);
enum a64_step rig_step(struct cpu_rig *rig, uint32_t word);

/* Host address of guest memory. */
void *rig_ptr(struct cpu_rig *rig, uint64_t address);

/* Asserts that the first CPU took a data abort at `address`: for a write or a read, with this fault
 * status code (DDI 0487 D17.2.37, DFSC), returning to RIG_CODE. */
void rig_assert_abort(struct cpu_rig *rig, uint64_t address, bool write, unsigned status);

/* Asserts the exception class that ESR_EL1 tells, and that the first CPU is at its vector. */
void rig_assert_class(struct cpu_rig *rig, unsigned class);

#endif
