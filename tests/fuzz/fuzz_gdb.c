/* fuzz_gdb.c: hostile debugger traffic against a GDB session with a small made-up target.
 *
 * The input's bytes are what comes over the wire, except that the byte '~' outside of a packet lets
 * the target stop if it runs. Whatever comes, each register and memory access the session makes
 * must be in range.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "interface/gdb_session.h"

enum { CPUS = 3, MEMORY_BYTES = 8192 };

struct fake {
    uint8_t memory[MEMORY_BYTES];
    uint8_t regs[CPUS][GDB_REG_COUNT][16];
    uint64_t sent;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_reg(void *ctx, unsigned cpu, unsigned number, void *value)
{
    struct fake *f = ctx;
    assert(cpu < CPUS && number < GDB_REG_COUNT);
    memcpy(value, f->regs[cpu][number], gdb_reg_size(number));
    return true;
}

static bool write_reg(void *ctx, unsigned cpu, unsigned number, const void *value)
{
    struct fake *f = ctx;
    assert(cpu < CPUS && number < GDB_REG_COUNT);
    memcpy(f->regs[cpu][number], value, gdb_reg_size(number));
    return true;
}

static bool access_memory(void *ctx, unsigned cpu, uint64_t va, void *data, size_t bytes,
                          bool write)
{
    struct fake *f = ctx;
    assert(cpu < CPUS && bytes > 0 && bytes <= 4096 && va % 4096 + bytes <= 4096);
    if (va > MEMORY_BYTES || bytes > MEMORY_BYTES - va)
        return false;
    if (write)
        memcpy(f->memory + va, data, bytes);
    else
        memcpy(data, f->memory + va, bytes);
    return true;
}

static bool change_breakpoint(void *ctx, uint64_t va, bool set)
{
    (void)ctx;
    (void)set;
    return va % 4 == 0;
}

static void resume(void *ctx, uint64_t stepping)
{
    (void)ctx;
    assert(stepping < 1u << CPUS);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static void count_sent(void *ctx, const char *bytes, size_t length)
{
    struct fake *f = ctx;
    assert(length > 0 && length <= GDB_PACKET_MAX + 8);
    f->sent += length + (uint8_t)bytes[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake f;
    static struct gdb_session s;
    const struct gdb_target target = {.ctx = &f,
                                      .cpus = CPUS,
                                      .read_reg = read_reg,
                                      .write_reg = write_reg,
                                      .memory = access_memory,
                                      .breakpoint = change_breakpoint,
                                      .resume = resume,
                                      .interrupt = nothing,
                                      .kill = nothing};
    memset(&f, 0, sizeof f);
    gdb_session_init(&s, &target);
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '~' && s.reader.state == GDB_IDLE && s.running)
            gdb_session_stopped(&s, (unsigned)(i % CPUS), 5, count_sent, &f);
        else
            gdb_session_input(&s, data + i, 1, count_sent, &f);
    }
    gdb_session_remove_breakpoints(&s);
    assert(s.breakpoint_count == 0);
    return 0;
}
