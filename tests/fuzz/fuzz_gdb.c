/* fuzz_gdb.c: hostile debugger traffic against a GDB session with a small made-up target.
 *
 * The input's bytes are what comes over the wire, except that the byte '~' outside of a packet lets
 * the target stop if it runs. Whatever comes, each register and memory access the session makes
 * must be in range.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "interface/gdb_session.h"

enum { CPUS = 3, MEMORY_BYTES = 8192 };

struct fake {
    uint8_t memory[MEMORY_BYTES];
    uint8_t regs[CPUS][GDB_REG_COUNT][16];
    uint64_t sent;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_reg(void *ctx, uint32_t thread, unsigned number, void *value)
{
    struct fake *f = ctx;
    assert(thread - 1 < CPUS && number < GDB_REG_COUNT);
    memcpy(value, f->regs[thread - 1][number], gdb_arm64.reg_size(number));
    return true;
}

static bool write_reg(void *ctx, uint32_t thread, unsigned number, const void *value)
{
    struct fake *f = ctx;
    assert(thread - 1 < CPUS && number < GDB_REG_COUNT);
    memcpy(f->regs[thread - 1][number], value, gdb_arm64.reg_size(number));
    return true;
}

static bool access_memory(void *ctx, uint32_t thread, uint64_t va, void *data, size_t bytes,
                          bool write)
{
    struct fake *f = ctx;
    assert(thread - 1 < CPUS && bytes > 0 && bytes <= 4096 && va % 4096 + bytes <= 4096);
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

static void resume(void *ctx, const struct gdb_action *actions, unsigned count)
{
    (void)ctx;
    assert(count <= GDB_ACTIONS_MAX);
    for (unsigned i = 0; i < count; i++)
        assert(actions[i].thread <= CPUS);
}

static unsigned threads(void *ctx, uint32_t *ret_threads, unsigned max)
{
    (void)ctx;
    unsigned i = 0;
    for (; i < CPUS && i < max; i++)
        ret_threads[i] = i + 1;
    return i;
}

static void name(void *ctx, uint32_t thread, char *text, size_t size_bytes)
{
    (void)ctx;
    snprintf(text, size_bytes, "%u", thread);
}

static int open_file(void *ctx, const char *path)
{
    (void)ctx;
    return path[0] == 'n' ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -ENOENT;
}

/* 1000 bytes named "auxv". */
static bool object(void *ctx, const char *what, const char *annex, uint64_t offset, void *data,
                   size_t *size_bytes)
{
    (void)ctx;
    if (strcmp(what, "auxv") != 0 || annex[0])
        return false;
    size_t left = offset < 1000 ? 1000 - offset : 0;
    *size_bytes = *size_bytes < left ? *size_bytes : left;
    memset(data, '}', *size_bytes);
    return true;
}

static void pass_signals(void *ctx, const uint64_t signals[GDB_PASS_WORDS])
{
    ((struct fake *)ctx)->sent += signals[0];
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
                                      .arch = &gdb_arm64,
                                      .threads = threads,
                                      .name = name,
                                      .read_reg = read_reg,
                                      .write_reg = write_reg,
                                      .memory = access_memory,
                                      .breakpoint = change_breakpoint,
                                      .resume = resume,
                                      .interrupt = nothing,
                                      .kill = nothing,
                                      .object = object,
                                      .objects = "qXfer:auxv:read+",
                                      .open = open_file,
                                      .pass_signals = pass_signals};
    memset(&f, 0, sizeof f);
    gdb_session_init(&s, &target);
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '~' && s.reader.state == GDB_IDLE && s.running)
            gdb_session_stopped(&s, (uint32_t)(i % CPUS) + 1, 5, count_sent, &f);
        else
            gdb_session_input(&s, data + i, 1, count_sent, &f);
    }
    gdb_session_remove_breakpoints(&s);
    gdb_session_done(&s);
    assert(s.breakpoint_count == 0);
    return 0;
}
