/* gdb_machine.c: a machine as the target of a GDB session.
 *
 * A vCPU that hits a breakpoint or ends a step notes itself and rings the server from its own
 * thread. Threads are vCPUs, numbered from 1.
 *
 * Limits: a vCPU that no action names goes on all the same: kernels expect their other CPUs to
 * answer.
 */
#include "interface/gdb_machine.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/engine/engine.h"
#include "interface/gdb_server.h"

enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5, PSTATE_SP = 1, PSTATE_EL = 0xc };

struct gdb_machine {
    struct machine *machine; /* borrowed */
    const struct engine_ops *ops;
    const struct kind *kind;
    struct engine *engine;
    struct gdb_server *server;
    _Atomic int stopped_cpu; /* that rang the bell; -1: none */
    bool paused;             /* one machine_pause() is ours */
    uint64_t stepping;       /* vCPUs that single-step */
};

static struct vcpu *vcpu_at(struct gdb_machine *gdb, uint32_t thread)
{
    return gdb->ops->vcpu(gdb->engine, thread - 1);
}

static uint64_t sp_id(struct gdb_machine *gdb, uint32_t thread)
{
    uint64_t pstate = 0;
    gdb->ops->get_reg(vcpu_at(gdb, thread), ENGINE_REG_PSTATE, &pstate);
    return pstate & PSTATE_EL && pstate & PSTATE_SP ? ENGINE_REG_SP_EL1 : ENGINE_REG_SP_EL0;
}

static uint64_t arm64_reg_id(struct gdb_machine *gdb, uint32_t thread, unsigned number)
{
    if (number < GDB_REG_SP)
        return ENGINE_REG_X(number);
    if (number >= GDB_REG_V0 && number < GDB_REG_FPSR)
        return ENGINE_REG_V(number - GDB_REG_V0);
    switch (number) {
    case GDB_REG_SP:
        return sp_id(gdb, thread);
    case GDB_REG_PC:
        return ENGINE_REG_PC;
    case GDB_REG_CPSR:
        return ENGINE_REG_PSTATE;
    case GDB_REG_FPSR:
        return ENGINE_REG_FPSR;
    default:
        return ENGINE_REG_FPCR;
    }
}

/* --- by architecture ---------------------------------------------------------------------------
 */

static uint64_t amd64_reg_id(struct gdb_machine *gdb, uint32_t thread, unsigned number)
{
    (void)gdb;
    (void)thread;
    return gdb_amd64_reg_id(number);
}

/* Between gdb's value and the engine's, in place. */
static void amd64_convert(unsigned number, uint8_t wide[GDB_REG_BYTES_MAX], bool to_gdb)
{
    uint32_t tag = (uint32_t)load_le(wide, 4);
    if (gdb_amd64_is_tag(number))
        store_le(wide, 4, to_gdb ? gdb_amd64_widen_tag(tag) : gdb_amd64_narrow_tag(tag));
}

static void no_convert(unsigned number, uint8_t wide[GDB_REG_BYTES_MAX], bool to_gdb)
{
    (void)number;
    (void)wide;
    (void)to_gdb;
}

static const struct kind {
    const char *arch; /* the engine's name of it */
    const struct gdb_arch *gdb;
    uint64_t (*reg_id)(struct gdb_machine *gdb, uint32_t thread, unsigned number);
    void (*convert)(unsigned number, uint8_t wide[GDB_REG_BYTES_MAX], bool to_gdb);
} kinds[] = {
    {"arm64", &gdb_arm64, arm64_reg_id, no_convert},
    {"x86_64", &gdb_amd64, amd64_reg_id, amd64_convert},
};

static const struct kind *find_kind(const char *arch)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].arch, arch) == 0)
            return &kinds[i];
    return NULL;
}

/* --- what a session asks -----------------------------------------------------------------------
 */

/* The engine's value may be wider or narrower than gdb's (PSTATE, selectors). */
static bool read_reg(void *ctx, uint32_t thread, unsigned number, void *value)
{
    struct gdb_machine *gdb = ctx;
    uint8_t wide[GDB_REG_BYTES_MAX] = {0};
    uint64_t id = gdb->kind->reg_id(gdb, thread, number);
    if (gdb->ops->get_reg(vcpu_at(gdb, thread), id, wide) < 0)
        return false;
    gdb->kind->convert(number, wide, true);
    memcpy(value, wide, gdb->kind->gdb->reg_size(number));
    return true;
}

static bool write_reg(void *ctx, uint32_t thread, unsigned number, const void *value)
{
    struct gdb_machine *gdb = ctx;
    uint8_t wide[GDB_REG_BYTES_MAX] = {0};
    uint64_t id = gdb->kind->reg_id(gdb, thread, number);
    memcpy(wide, value, gdb->kind->gdb->reg_size(number));
    gdb->kind->convert(number, wide, false);
    return gdb->ops->set_reg(vcpu_at(gdb, thread), id, wide) >= 0;
}

static bool access_memory(void *ctx, uint32_t thread, uint64_t va, void *data, size_t bytes,
                          bool write)
{
    struct gdb_machine *gdb = ctx;
    if (!gdb->ops->debug_access(vcpu_at(gdb, thread), va, data, bytes, write))
        return false;
    if (write)
        gdb->ops->code_changed(gdb->engine);
    return true;
}

static bool change_breakpoint(void *ctx, uint64_t va, bool set)
{
    struct gdb_machine *gdb = ctx;
    return gdb->ops->debug_break(gdb->engine, va, set) >= 0;
}

static bool change_watchpoint(void *ctx, unsigned kind, uint64_t va, uint64_t bytes, bool set)
{
    struct gdb_machine *gdb = ctx;
    return bytes <= UINT32_MAX && gdb->ops->debug_watch(gdb->engine, (enum engine_watch)kind, va,
                                                        (unsigned)bytes, set) >= 0;
}

static bool watched(void *ctx, uint32_t thread, uint64_t *ret_va)
{
    struct gdb_machine *gdb = ctx;
    return gdb->ops->debug_watched(vcpu_at(gdb, thread), ret_va);
}

static void set_stepping(struct gdb_machine *gdb, uint64_t stepping)
{
    for (unsigned i = 0; i < machine_cpus(gdb->machine); i++)
        if ((gdb->stepping ^ stepping) >> i & 1)
            gdb->ops->debug_step(vcpu_at(gdb, i + 1), stepping >> i & 1);
    gdb->stepping = stepping;
}

static void resume(void *ctx, const struct gdb_action *actions, unsigned count)
{
    struct gdb_machine *gdb = ctx;
    uint64_t stepping = 0;
    for (unsigned i = 0; i < count; i++)
        if (actions[i].step && actions[i].thread)
            stepping |= 1ull << (actions[i].thread - 1);
    atomic_store(&gdb->stopped_cpu, -1); /* a stop not told of: the debugger has looked since */
    set_stepping(gdb, stepping);
    if (gdb->paused)
        machine_resume(gdb->machine);
    gdb->paused = false;
}

static void pause_machine(void *ctx)
{
    struct gdb_machine *gdb = ctx;
    if (!gdb->paused)
        machine_pause(gdb->machine);
    gdb->paused = true;
    set_stepping(gdb, 0);
}

static bool stopped(void *ctx, uint32_t *ret_thread, unsigned *ret_signal)
{
    struct gdb_machine *gdb = ctx;
    int cpu = atomic_exchange(&gdb->stopped_cpu, -1);
    *ret_thread = cpu < 0 ? 1 : (uint32_t)cpu + 1;
    *ret_signal = cpu < 0 ? SIGNAL_INT : SIGNAL_TRAP;
    return true;
}

static void interrupt(void *ctx)
{
    struct gdb_machine *gdb = ctx;
    /* Comes back as a stop of vCPU 0 unless another rings first. */
    pause_machine(gdb);
    gdb_server_ring(gdb->server);
}

static void kill_machine(void *ctx)
{
    struct gdb_machine *gdb = ctx;
    const struct gdb_action all = {0, false, 0};
    machine_stop(gdb->machine);
    resume(gdb, &all, 1);
}

static unsigned threads(void *ctx, uint32_t *ret_threads, unsigned max)
{
    const struct gdb_machine *gdb = ctx;
    unsigned cpus = machine_cpus(gdb->machine), i = 0;
    for (; i < cpus && i < max; i++)
        ret_threads[i] = i + 1;
    return i;
}

static void name(void *ctx, uint32_t thread, char *text, size_t size_bytes)
{
    (void)ctx;
    snprintf(text, size_bytes, "vcpu%u", thread - 1);
}

/* On the vCPU's thread. */
static void on_debug(void *ctx, unsigned vcpu)
{
    struct gdb_machine *gdb = ctx;
    int none = -1;
    atomic_compare_exchange_strong(&gdb->stopped_cpu, &none, (int)vcpu);
    gdb_server_ring(gdb->server);
}

int gdb_machine_start(struct machine *machine, uint16_t port, const struct log *log,
                      struct gdb_machine **ret_gdb, struct err *e)
{
    struct gdb_machine *gdb = calloc(1, sizeof *gdb);
    if (!gdb)
        abort();
    *gdb = (struct gdb_machine){.machine = machine,
                                .ops = machine_engine_ops(machine),
                                .kind = find_kind(machine_engine_ops(machine)->arch),
                                .engine = machine_engine(machine),
                                .stopped_cpu = -1,
                                .paused = true};
    assert(gdb->kind);
    const bool watches = gdb->ops->debug_watch;
    const struct gdb_server_target target = {
        .session = {.ctx = gdb,
                    .arch = gdb->kind->gdb,
                    .watchpoint = watches ? change_watchpoint : NULL,
                    .watched = watches ? watched : NULL,
                    .threads = threads,
                    .name = name,
                    .read_reg = read_reg,
                    .write_reg = write_reg,
                    .memory = access_memory,
                    .breakpoint = change_breakpoint,
                    .resume = resume,
                    .interrupt = interrupt,
                    .kill = kill_machine},
        .pause = pause_machine,
        .stopped = stopped};
    machine_start_paused(machine);
    machine_on_debug(machine, on_debug, gdb);
    int rc = gdb_server_start(&target, port, log, &gdb->server, e);
    if (rc < 0) {
        free(gdb);
        return rc;
    }
    *ret_gdb = gdb;
    return 0;
}

uint16_t gdb_machine_port(const struct gdb_machine *gdb)
{
    return gdb_server_port(gdb->server);
}

void gdb_machine_stop(struct gdb_machine *gdb)
{
    if (!gdb)
        return;
    gdb_server_stop(gdb->server, 0, 0);
    free(gdb);
}
