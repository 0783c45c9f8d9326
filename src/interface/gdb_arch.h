/* gdb_arch.h: what a debugger must know about an architecture: its registers, in gdb's order. */
#ifndef PENG_INTERFACE_GDB_ARCH_H
#define PENG_INTERFACE_GDB_ARCH_H

#include <stddef.h>
#include <stdint.h>

enum { GDB_REG_BYTES_MAX = 16, GDB_XML_BYTES_MAX = 8192 };

struct gdb_arch {
    unsigned reg_count, pc;              /* registers are numbered from 0, as in the description */
    size_t (*reg_size)(unsigned number); /* in bytes, at most GDB_REG_BYTES_MAX */
    /* Writes the target description; returns its length, less than GDB_XML_BYTES_MAX. */
    size_t (*write_xml)(char out[GDB_XML_BYTES_MAX]);
};

extern const struct gdb_arch gdb_arm64, gdb_amd64;

/* arm64's, by gdb's numbers for the features of its description. */
enum {
    GDB_REG_X0 = 0, /* to x30 */
    GDB_REG_SP = 31,
    GDB_REG_PC = 32,
    GDB_REG_CPSR = 33,
    GDB_REG_V0 = 34, /* to v31 */
    GDB_REG_FPSR = 66,
    GDB_REG_FPCR = 67,
    GDB_REG_COUNT = 68,
};

/* x86-64's register `number` as engine.h names it. The value that gdb sees is its low bytes, but
 * for the x87's tag word: gdb_amd64_is_tag(). */
uint64_t gdb_amd64_reg_id(unsigned number);
/* FXSAVE has a bit a register, in use or not, where gdb wants two. */
int gdb_amd64_is_tag(unsigned number);
uint32_t gdb_amd64_widen_tag(uint32_t bits);
uint32_t gdb_amd64_narrow_tag(uint32_t tag);

#endif
