/* interp_struct.c: loads and stores of structures, LD1 to LD4 and ST1 to ST4 (DDI 0487 C4.1.88).
 *
 * An instruction is a list of elements: for each, which register, which lane, and where in memory.
 * All elements are loaded before a register is written, and all are probed before one is stored.
 * Elements are single accesses, so alignment is judged by the element's size.
 */
#include "core/arm64/exec_int.h"

enum { ELEMENTS_MAX = 64, REGISTERS_MAX = 4 };

struct element {
    uint8_t reg; /* 0-based among the instruction's registers */
    uint8_t lane;
};

/* In order of memory. */
struct elements {
    unsigned count;
    struct element at[ELEMENTS_MAX];
};

/* LD1: registers one after the other. */
static void list_consecutive(const struct a64_insn *in, struct elements *list)
{
    unsigned lanes = (in->Q ? 16u : 8u) >> in->z;
    list->count = 0;
    for (unsigned r = 0; r < in->R; r++)
        for (unsigned lane = 0; lane < lanes; lane++)
            list->at[list->count++] = (struct element){(uint8_t)r, (uint8_t)lane};
}

/* LD2 to LD4: lane 0 of each register, then lane 1 of each ... */
static void list_interleaved(const struct a64_insn *in, struct elements *list)
{
    unsigned lanes = (in->Q ? 16u : 8u) >> in->z;
    list->count = 0;
    for (unsigned lane = 0; lane < lanes; lane++)
        for (unsigned r = 0; r < in->R; r++)
            list->at[list->count++] = (struct element){(uint8_t)r, (uint8_t)lane};
}

/* One lane of each register, or lane 0 of what will be replicated. */
static void list_lane(const struct a64_insn *in, struct elements *list, unsigned lane)
{
    list->count = in->R;
    for (unsigned r = 0; r < in->R; r++)
        list->at[r] = (struct element){(uint8_t)r, (uint8_t)lane};
}

static unsigned vector_number(const struct a64_insn *in, unsigned reg)
{
    return (in->d + reg) & 31;
}

/* The post-index: by the bytes transferred, or by Xm. */
static void post_index(struct a64_cpu *cpu, const struct a64_insn *in, const struct elements *list)
{
    if (in->e)
        cpu->x[in->n] += in->m == 31 ? (uint64_t)list->count << in->z : cpu->x[in->m];
}

static bool load_elements(struct a64_cpu *cpu, const struct a64_insn *in,
                          const struct elements *list, union a64_vreg regs[REGISTERS_MAX])
{
    uint64_t va;
    if (!exec_base(cpu, in, &va))
        return false;
    for (unsigned i = 0; i < list->count; i++, va += 1u << in->z) {
        uint64_t v = 0;
        if (!a64_load(cpu, va, 1u << in->z, 0, &v))
            return false;
        exec_set_element(&regs[list->at[i].reg], in->z, list->at[i].lane, v);
    }
    return true;
}

static enum a64_step store_elements(struct a64_cpu *cpu, const struct a64_insn *in,
                                    const struct elements *list)
{
    uint64_t va;
    unsigned size = 1u << in->z;
    if (!exec_base(cpu, in, &va))
        return A64_BRANCHED;
    for (unsigned i = 0; i < list->count; i++)
        if (!a64_probe_store(cpu, va + i * size, size, 0))
            return A64_BRANCHED;
    for (unsigned i = 0; i < list->count; i++, va += size) {
        const union a64_vreg *reg = &cpu->v[vector_number(in, list->at[i].reg)];
        uint64_t v = exec_element(reg, in->z, list->at[i].lane);
        if (!a64_store(cpu, va, size, 0, &v))
            return A64_BRANCHED;
    }
    post_index(cpu, in, list);
    return A64_NEXT;
}

/* Whole registers: those loaded lose their old contents. */
static enum a64_step load_whole(struct a64_cpu *cpu, const struct a64_insn *in,
                                const struct elements *list)
{
    union a64_vreg regs[REGISTERS_MAX] = {0};
    if (!load_elements(cpu, in, list, regs))
        return A64_BRANCHED;
    for (unsigned r = 0; r < in->R; r++)
        cpu->v[vector_number(in, r)] = regs[r];
    post_index(cpu, in, list);
    return A64_NEXT;
}

#define A64_EXEC_STRUCTURES(name, order, transfer)                                                 \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        struct elements list;                                                                      \
        order(in, &list);                                                                          \
        return transfer(cpu, in, &list);                                                           \
    }

A64_EXEC_STRUCTURES(LD1, list_consecutive, load_whole)
A64_EXEC_STRUCTURES(LD2, list_interleaved, load_whole)
A64_EXEC_STRUCTURES(LD3, list_interleaved, load_whole)
A64_EXEC_STRUCTURES(LD4, list_interleaved, load_whole)
A64_EXEC_STRUCTURES(ST1, list_consecutive, store_elements)
A64_EXEC_STRUCTURES(ST2, list_interleaved, store_elements)
A64_EXEC_STRUCTURES(ST3, list_interleaved, store_elements)
A64_EXEC_STRUCTURES(ST4, list_interleaved, store_elements)

A64_EXEC(LD_lane)
{
    struct elements list;
    union a64_vreg regs[REGISTERS_MAX];
    list_lane(in, &list, in->i);
    for (unsigned r = 0; r < in->R; r++)
        regs[r] = cpu->v[vector_number(in, r)];
    if (!load_elements(cpu, in, &list, regs))
        return A64_BRANCHED;
    for (unsigned r = 0; r < in->R; r++)
        cpu->v[vector_number(in, r)] = regs[r];
    post_index(cpu, in, &list);
    return A64_NEXT;
}

A64_EXEC(ST_lane)
{
    struct elements list;
    list_lane(in, &list, in->i);
    return store_elements(cpu, in, &list);
}

A64_EXEC(LD_replicate)
{
    struct elements list;
    union a64_vreg regs[REGISTERS_MAX] = {0};
    list_lane(in, &list, 0);
    if (!load_elements(cpu, in, &list, regs))
        return A64_BRANCHED;
    for (unsigned r = 0; r < in->R; r++) {
        uint64_t v = exec_element(&regs[r], in->z, 0);
        for (unsigned lane = 1; lane < (in->Q ? 16u : 8u) >> in->z; lane++)
            exec_set_element(&regs[r], in->z, lane, v);
        cpu->v[vector_number(in, r)] = regs[r];
    }
    post_index(cpu, in, &list);
    return A64_NEXT;
}
