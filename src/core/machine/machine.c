/* machine.c: a machine's threads and life.
 *
 * vCPU threads loop in the engine's run(). Whoever wants them out raises `hold_count`, asks the
 * engine to stop each, and waits until all are parked; that is how resets, the debugger and the end
 * work. What ends or resets a machine comes as an event from a vCPU (PSCI), the operator or the
 * engine, and is acted on by the thread that sleeps in machine_run(), never by the one that raised
 * it: a vCPU cannot stop itself from inside its own instruction.
 *
 * Limits: vCPUs are not pinned and have no weights.
 */
#include "core/machine/machine_int.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "base/thread.h"

static const struct board_ops *const boards[] = {&virt_board_ops, &x86_board_ops};

static const struct board_ops *board_find(const char *arch)
{
    for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++)
        if (!arch || strcmp(boards[i]->arch, arch) == 0)
            return boards[i];
    return NULL;
}

int machine_make_engine(struct machine *machine, const struct engine_host *host, struct err *e)
{
    const struct machine_config *config = &machine->config;
    const struct engine_config engine_config = {
        .cpu_model = config->cpu_model,
        .vcpus = config->cpus,
        .code_cache_bytes = config->code_cache_bytes,
        .host_features = config->host_features,
        .virtualization = config->virtualization,
        .stats = config->stats,
        .mem = &machine->mem,
        .log = config->log,
        .host = *host,
        .trace = config->trace,
    };
    int rc = config->engine->create(&engine_config, &machine->engine, e);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < config->cpus; i++)
        machine->vcpus[i] = (struct vcpu_thread){
            .machine = machine, .vcpu = config->engine->vcpu(machine->engine, i), .index = i};
    return 0;
}

void machine_on_engine_event(void *machine, enum engine_event event)
{
    machine_raise(machine,
                  event == ENGINE_EVENT_POWEROFF ? MACHINE_EVENT_POWEROFF : MACHINE_EVENT_RESET);
}

static void set_engine_line(void *ctx, unsigned number, bool level)
{
    struct machine *machine = ctx;
    machine->config.engine->irqchip->set_line(machine->engine, number, level);
}

struct irq_line machine_engine_line(struct machine *machine, unsigned number)
{
    return (struct irq_line){set_engine_line, machine, number};
}

static void ring_engine_line(void *ctx, unsigned number, bool level)
{
    (void)ctx;
    if (level)
        eventfd_write((int)number, 1);
}

int machine_engine_edge(struct machine *machine, unsigned number, int fd, struct irq_line *ret_line,
                        struct err *e)
{
    const struct engine_irqchip *irqchip = machine->config.engine->irqchip;
    int rc = irqchip->set_line_fd(machine->engine, number, fd, true, e);
    if (rc == 0)
        *ret_line = (struct irq_line){ring_engine_line, NULL, (unsigned)fd};
    return rc;
}

void machine_engine_msi(void *ctx, uint64_t address, uint32_t data, uint32_t requester)
{
    struct machine *machine = ctx;
    const struct engine_message message = {address, data, requester};
    machine->config.engine->irqchip->send_msi(machine->engine, &message);
}

bool machine_engine_message_fd(void *ctx, int fd, uint64_t address, uint32_t data,
                               uint32_t requester)
{
    struct machine *machine = ctx;
    const struct engine_irqchip *irqchip = machine->config.engine->irqchip;
    const struct engine_message message = {address, data, requester};
    return irqchip->set_message_fd(machine->engine, fd, &message, NULL) == 0;
}

bool machine_engine_doorbell(void *ctx, uint64_t address, unsigned size_bytes, int fd, bool on)
{
    struct machine *machine = ctx;
    const struct engine_irqchip *irqchip = machine->config.engine->irqchip;
    const struct engine_doorbell bell = {.address = address, .size_bytes = size_bytes, .fd = fd};
    return irqchip->set_doorbell(machine->engine, &bell, on, NULL) == 0;
}

/* Loads the images and points the first vCPU at them. No vCPU runs. */
static int machine_load(struct machine *machine, struct err *e)
{
    struct engine_start start = {0};
    int rc = machine->board->load(machine, &start, e);
    if (rc == 0)
        machine->config.engine->reset(machine->engine, &start);
    return rc;
}

int machine_new(const struct machine_config *config, struct machine **ret_machine, struct err *e)
{
    const struct board_ops *board = board_find(config->arch);
    if (!board)
        return err_set(e, EINVAL, "--arch %s: no such board in this build", config->arch);
    if (strcmp(config->engine->arch, board->arch) != 0)
        return err_set(e, EINVAL, "--engine %s: runs %s guests on this host, not %s",
                       config->engine->name, config->engine->arch, board->arch);

    struct machine *machine = calloc(1, sizeof(*machine));
    struct vcpu_thread *vcpus = calloc(config->cpus, sizeof(*vcpus));
    if (!machine || !vcpus)
        abort();
    machine->config = *config;
    machine->board = board;
    machine->vcpus = vcpus;
    pthread_mutex_init(&machine->lock, NULL);
    pthread_cond_init(&machine->changed, NULL);
    guestmem_init(&machine->mem, (struct guestmem_mmio){
                                     .ctx = &machine->bus, .read = bus_read, .write = bus_write});
    int rc = board->build(machine, e);
    if (rc == 0)
        rc = machine_load(machine, e);
    if (rc < 0) {
        machine_free(machine);
        return rc;
    }
    *ret_machine = machine;
    return 0;
}

void machine_free(struct machine *machine)
{
    if (!machine)
        return;
    machine->board->free(machine);
    if (machine->engine)
        machine->config.engine->free(machine->engine);
    guestmem_done(&machine->mem);
    pthread_cond_destroy(&machine->changed);
    pthread_mutex_destroy(&machine->lock);
    free(machine->vcpus);
    free(machine);
}

/* --- holding the vCPUs -------------------------------------------------------------------------
 */

/* Lock held: asks every vCPU that is in the engine to come out. */
static void request_stops(struct machine *machine)
{
    for (unsigned i = 0; i < machine->thread_count; i++)
        if (!machine->vcpus[i].parked)
            machine->config.engine->request_stop(machine->vcpus[i].vcpu);
}

static bool all_parked(const struct machine *machine)
{
    for (unsigned i = 0; i < machine->thread_count; i++)
        if (!machine->vcpus[i].parked)
            return false;
    return true;
}

void machine_pause(struct machine *machine)
{
    pthread_mutex_lock(&machine->lock);
    machine->hold_count++;
    request_stops(machine);
    while (!all_parked(machine))
        pthread_cond_wait(&machine->changed, &machine->lock);
    pthread_mutex_unlock(&machine->lock);
}

void machine_resume(struct machine *machine)
{
    pthread_mutex_lock(&machine->lock);
    unsigned holds = machine->debug_stopped ? 2 : 1;
    assert(machine->hold_count >= holds);
    machine->hold_count -= holds;
    machine->debug_stopped = false;
    pthread_cond_broadcast(&machine->changed);
    pthread_mutex_unlock(&machine->lock);
}

void machine_start_paused(struct machine *machine)
{
    machine->hold_count++;
}

void machine_on_debug(struct machine *machine, void (*on_debug)(void *ctx, unsigned vcpu),
                      void *ctx)
{
    machine->on_debug = on_debug;
    machine->on_debug_ctx = ctx;
}

/* --- events ------------------------------------------------------------------------------------
 */

void machine_raise(struct machine *machine, enum machine_event event)
{
    pthread_mutex_lock(&machine->lock);
    machine->events |= event;
    request_stops(machine);
    pthread_cond_broadcast(&machine->changed);
    pthread_mutex_unlock(&machine->lock);
}

void machine_stop(struct machine *machine)
{
    machine_raise(machine, MACHINE_EVENT_STOP);
}

void machine_press_power(struct machine *machine)
{
    machine->board->press_power(machine);
}

/* Lock held, on a vCPU's thread: all vCPUs park until the debugger says go. */
static void debug_stop(struct machine *machine, unsigned index)
{
    if (!machine->debug_stopped) {
        machine->debug_stopped = true;
        machine->hold_count++;
        request_stops(machine);
    }
    if (machine->on_debug) {
        pthread_mutex_unlock(&machine->lock);
        machine->on_debug(machine->on_debug_ctx, index);
        pthread_mutex_lock(&machine->lock);
    }
}

/* --- threads -----------------------------------------------------------------------------------
 */

static void *vcpu_main(void *arg)
{
    struct vcpu_thread *t = arg;
    struct machine *machine = t->machine;
    const struct engine_ops *engine = machine->config.engine;

    pthread_mutex_lock(&machine->lock);
    while (!machine->quit) {
        /* A pending event holds the vCPUs too, until the machine's thread has acted on it. */
        if (machine->hold_count > 0 || machine->events) {
            t->parked = true;
            pthread_cond_broadcast(&machine->changed);
            pthread_cond_wait(&machine->changed, &machine->lock);
            continue;
        }
        t->parked = false;
        pthread_mutex_unlock(&machine->lock);
        struct err failure = {0};
        enum vcpu_stop stop = engine->run(t->vcpu, &failure);
        pthread_mutex_lock(&machine->lock);
        if (stop == VCPU_STOP_FAILED && !(machine->events & MACHINE_EVENT_FAILED)) {
            machine->failure = failure;
            machine->events |= MACHINE_EVENT_FAILED;
            request_stops(machine);
        } else if (stop == VCPU_STOP_DEBUG) {
            debug_stop(machine, t->index);
        }
    }
    t->parked = true;
    pthread_cond_broadcast(&machine->changed);
    pthread_mutex_unlock(&machine->lock);
    return NULL;
}

static void *io_main(void *arg)
{
    struct machine *machine = arg;
    evloop_run(machine->config.loop);
    return NULL;
}

static int start_thread(pthread_t *thread, const char *name, void *(*run)(void *), void *arg,
                        struct err *e)
{
    int rc = thread_start(thread, name, run, arg);
    return rc ? err_set_errno(e, rc, "cannot start thread %s", name) : 0;
}

static int start_vcpus(struct machine *machine, struct err *e)
{
    for (unsigned i = 0; i < machine->config.cpus; i++) {
        char name[16];
        snprintf(name, sizeof(name), "vcpu%u", i);
        pthread_mutex_lock(&machine->lock);
        int rc = start_thread(&machine->vcpus[i].thread, name, vcpu_main, &machine->vcpus[i], e);
        if (rc == 0)
            machine->thread_count++;
        pthread_mutex_unlock(&machine->lock);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void join_vcpus(struct machine *machine)
{
    pthread_mutex_lock(&machine->lock);
    machine->quit = true;
    request_stops(machine);
    pthread_cond_broadcast(&machine->changed);
    pthread_mutex_unlock(&machine->lock);
    for (unsigned i = 0; i < machine->thread_count; i++)
        pthread_join(machine->vcpus[i].thread, NULL);
}

/* Gives back one machine_pause(); a debugger's stop stays. */
static void release(struct machine *machine)
{
    pthread_mutex_lock(&machine->lock);
    machine->hold_count--;
    pthread_cond_broadcast(&machine->changed);
    pthread_mutex_unlock(&machine->lock);
}

/* Back to the state before the first instruction: memory, devices, vCPUs. Power-on clears memory,
 * so that nothing of one boot shows in the next. */
static int machine_reset(struct machine *machine, struct err *e)
{
    machine_pause(machine);
    machine->resets++;
    machine->board->reset(machine);
    for (unsigned i = 0; i < machine->mem.region_count; i++) {
        struct guestmem_region *r = &machine->mem.regions[i];
        madvise(r->host, r->size_bytes, MADV_DONTNEED);
    }
    int rc = machine_load(machine, e);
    release(machine);
    return rc;
}

/* Sleeps until something ends the machine. */
static enum machine_end serve_events(struct machine *machine, struct err *e)
{
    for (;;) {
        pthread_mutex_lock(&machine->lock);
        while (!machine->events)
            pthread_cond_wait(&machine->changed, &machine->lock);
        unsigned events = machine->events;
        pthread_mutex_unlock(&machine->lock);

        if (events & MACHINE_EVENT_FAILED) {
            err_set(e, machine->failure.code ? machine->failure.code : EIO, "%s",
                    machine->failure.text);
            return MACHINE_END_FAILED;
        }
        if (events & MACHINE_EVENT_STOP)
            return MACHINE_END_STOPPED;
        if (events & MACHINE_EVENT_POWEROFF)
            return MACHINE_END_POWEROFF;
        if (machine_reset(machine, e) < 0)
            return MACHINE_END_FAILED;
        pthread_mutex_lock(&machine->lock);
        machine->events &= ~(unsigned)MACHINE_EVENT_RESET;
        pthread_cond_broadcast(&machine->changed);
        pthread_mutex_unlock(&machine->lock);
    }
}

enum machine_end machine_run(struct machine *machine, struct err *e)
{
    if (start_thread(&machine->io_thread, "io0", io_main, machine, e) < 0)
        return MACHINE_END_FAILED;
    enum machine_end end = MACHINE_END_FAILED;
    if (start_vcpus(machine, e) == 0)
        end = serve_events(machine, e);
    join_vcpus(machine);
    evloop_stop(machine->config.loop);
    pthread_join(machine->io_thread, NULL);
    return end;
}

/* --- for the debugger and the operator ---------------------------------------------------------
 */

const struct engine_ops *machine_engine_ops(struct machine *machine)
{
    return machine->config.engine;
}

struct engine *machine_engine(struct machine *machine)
{
    return machine->engine;
}

unsigned machine_cpus(const struct machine *machine)
{
    return machine->config.cpus;
}

void machine_print_stats(struct machine *machine, void *file)
{
    fprintf(file, "engine: %s\nresets: %u\n", machine->config.engine->name, machine->resets);
    if (machine->config.engine->print_stats)
        machine->config.engine->print_stats(machine->engine, file);
}
