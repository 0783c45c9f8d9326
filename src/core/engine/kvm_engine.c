/* kvm_engine.c: the KVM engine, as far as it is the same on all architectures.
 *
 * RAM regions become memory slots of the same number; interrupt controllers, timers and the guest's
 * power calls are the kernel's. A vCPU's thread stays in KVM_RUN, which gives back what nobody in
 * the kernel answers: MMIO and ports (handed to the board), the guest's end, and signals.
 *
 * To get a vCPU out, request_stop() sets its `stop` and the shared page's immediate_exit, and then
 * sends its thread a signal. A vCPU that is in KVM_RUN is interrupted by the signal, one that is
 * about to enter by immediate_exit; and since KVM first finishes the access that it gave back last,
 * the state is always that between two instructions.
 *
 * A reset puts every register back to what it was when the vCPU was made, which was read before its
 * first run.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/engine/kvm_int.h"

enum { KICK_SIGNAL = SIGUSR1, REGS_MAX = 4096 };

/* --- state -------------------------------------------------------------------------------------
 */

/* Reads the whole state of a vCPU that never ran. */
static int remember_power_on(struct vcpu *vcpu, struct err *e)
{
    struct kvm_power_on *p = &vcpu->power_on;
    unsigned count = kvm_arch_list_power_on(vcpu, NULL, 0);
    assert(count <= REGS_MAX);
    p->ids = calloc(count, sizeof(*p->ids));
    if (!p->ids)
        abort();
    p->count = kvm_arch_list_power_on(vcpu, p->ids, count);
    size_t bytes = 0;
    for (unsigned i = 0; i < p->count; i++)
        bytes += engine_reg_bytes(p->ids[i]);
    p->values = calloc(1, bytes);
    if (!p->values)
        abort();
    uint8_t *at = p->values;
    for (unsigned i = 0; i < p->count; at += engine_reg_bytes(p->ids[i]), i++) {
        int rc = kvm_arch_get_reg(vcpu, p->ids[i], at);
        if (rc < 0)
            return err_set_errno(e, rc, "KVM does not give register 0x%llx",
                                 (unsigned long long)p->ids[i]);
    }
    return 0;
}

static void restore_power_on(struct vcpu *vcpu)
{
    const struct kvm_power_on *p = &vcpu->power_on;
    const uint8_t *at = p->values;
    /* What was read can be written, but for registers that have one value only. */
    for (unsigned i = 0; i < p->count; at += engine_reg_bytes(p->ids[i]), i++)
        kvm_arch_set_reg(vcpu, p->ids[i], at);
}

static void kvm_engine_reset(struct engine *engine, const struct engine_start *start)
{
    for (unsigned i = engine->vcpu_count; i-- > 0;) {
        restore_power_on(&engine->vcpus[i]);
        kvm_arch_start(&engine->vcpus[i], i == 0 ? start : NULL);
    }
}

/* --- making and freeing ------------------------------------------------------------------------
 */

static void on_kick(int number)
{
    (void)number; /* it only interrupts KVM_RUN */
}

/* The same for every machine of the process, so setting it again changes nothing. */
static int take_signal(struct err *e)
{
    struct sigaction action = {.sa_handler = on_kick};
    sigemptyset(&action.sa_mask);
    return sigaction(KICK_SIGNAL, &action, NULL) < 0 ? err_set_errno(e, errno, "sigaction") : 0;
}

static int kvm_engine_usable(struct err *e)
{
    int fd = kvm_open(e);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

int kvm_engine_add_memory(struct engine *engine, uint32_t flags, struct err *e)
{
    const struct guestmem *mem = engine->config.mem;
    for (unsigned i = 0; i < mem->region_count; i++) {
        const struct guestmem_region *r = &mem->regions[i];
        uint32_t own = r->read_only ? KVM_MEM_READONLY : flags;
        if (!r->read_only) /* a guest's first touch of each page leaves it: the fewer, the better */
            madvise(r->host, r->size_bytes, MADV_HUGEPAGE);
        int rc = kvm_set_memory(&engine->vm, i, own, r->base, r->size_bytes, r->host, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* In a slot behind those of guestmem's regions. */
static int kvm_engine_show_memory(struct engine *engine, uint64_t base, uint64_t size_bytes,
                                  void *host, bool on, struct err *e)
{
    return kvm_set_memory(&engine->vm, GUESTMEM_REGIONS_MAX, KVM_MEM_READONLY, base,
                          on ? size_bytes : 0, host, e);
}

static int make_vcpu(struct engine *engine, unsigned index, struct err *e)
{
    struct vcpu *vcpu = &engine->vcpus[index];
    int rc = kvm_vcpu_open(&engine->vm, index, &vcpu->kvm, e);
    if (rc < 0)
        return rc;
    vcpu->engine = engine;
    vcpu->index = index;
    pthread_mutex_init(&vcpu->lock, NULL);
    engine->vcpu_count = index + 1;
    rc = kvm_dirty_init_vcpu(vcpu, e);
    return rc < 0 ? rc : kvm_arch_init_vcpu(vcpu, e);
}

static void kvm_engine_free(struct engine *engine)
{
    for (unsigned i = 0; i < engine->vcpu_count; i++) {
        struct vcpu *vcpu = &engine->vcpus[i];
        kvm_vcpu_close(&vcpu->kvm);
        pthread_mutex_destroy(&vcpu->lock);
        free(vcpu->power_on.ids);
        free(vcpu->power_on.values);
    }
    kvm_arch_done(engine);
    kvm_vm_close(&engine->vm);
    kvm_dirty_done(engine);
    kvm_routes_done(&engine->routes);
    free(engine);
}

static int build(struct engine *engine, struct err *e)
{
    int device_fd = kvm_open(e);
    if (device_fd < 0)
        return device_fd;
    unsigned long type = kvm_arch_vm_type(device_fd);
    close(device_fd);
    int rc = take_signal(e);
    if (rc == 0)
        rc = kvm_vm_open(type, &engine->vm, e);
    if (rc == 0)
        rc = kvm_dirty_init(engine, e);
    if (rc == 0)
        rc = kvm_engine_add_memory(engine, 0, e);
    if (rc == 0)
        rc = kvm_arch_init(engine, e);
    for (unsigned i = 0; rc == 0 && i < engine->config.vcpus; i++)
        rc = make_vcpu(engine, i, e);
    if (rc == 0)
        rc = kvm_arch_finish(engine, e);
    for (unsigned i = 0; rc == 0 && i < engine->config.vcpus; i++)
        rc = remember_power_on(&engine->vcpus[i], e);
    return rc;
}

static int kvm_engine_create(const struct engine_config *config, struct engine **ret_engine,
                             struct err *e)
{
    if (config->vcpus < 1 || config->vcpus > KVM_CPUS_MAX)
        return err_set(e, EINVAL, "%u CPUs: from 1 to %d", config->vcpus, KVM_CPUS_MAX);
    if (config->cpu_model && strcmp(config->cpu_model, "host") != 0)
        return err_set(e, EINVAL, "--cpu %s: KVM has the host's only (host)", config->cpu_model);
    if (trace_on(config->trace, TRACE_EXEC | TRACE_INT | TRACE_MMU))
        return err_set(e, ENOTSUP, "--trace: KVM does not tell of exec, int and mmu");
    struct engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        abort();
    engine->config = *config;
    /* Not for the probe behind it, which says what it wants. */
    engine->in_software = config->dirty_log != ENGINE_DIRTY_AUTO || kvm_arch_fast(NULL) < 0;
    kvm_routes_init(&engine->routes);
    int rc = build(engine, e);
    if (rc < 0) {
        kvm_engine_free(engine);
        return rc;
    }
    *ret_engine = engine;
    return 0;
}

static struct vcpu *kvm_engine_vcpu(struct engine *engine, unsigned index)
{
    return &engine->vcpus[index];
}

/* --- running -----------------------------------------------------------------------------------
 */

static void set_immediate_exit(struct vcpu *vcpu, uint8_t on)
{
    __atomic_store_n(&vcpu->kvm.run->immediate_exit, on, __ATOMIC_SEQ_CST);
}

static void kvm_engine_request_stop(struct vcpu *vcpu)
{
    atomic_store(&vcpu->stop, true);
    set_immediate_exit(vcpu, 1);
    pthread_mutex_lock(&vcpu->lock);
    if (vcpu->running && !pthread_equal(vcpu->thread, pthread_self()))
        pthread_kill(vcpu->thread, KICK_SIGNAL);
    pthread_mutex_unlock(&vcpu->lock);
}

static void set_running(struct vcpu *vcpu, bool running)
{
    pthread_mutex_lock(&vcpu->lock);
    vcpu->thread = pthread_self();
    vcpu->running = running;
    pthread_mutex_unlock(&vcpu->lock);
}

static void do_mmio(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->kvm.run;
    const struct guestmem_mmio *mmio = &vcpu->engine->config.mem->mmio;
    unsigned bytes = run->mmio.len;
    /* An access across pages comes in two parts of any size; no device has registers there. */
    bool whole = (bytes & (bytes - 1)) == 0;
    if (run->mmio.is_write) {
        if (whole && mmio->write)
            mmio->write(mmio->ctx, run->mmio.phys_addr, bytes, load_le(run->mmio.data, bytes));
        return;
    }
    uint64_t value = 0;
    if (!whole || !mmio->read || !mmio->read(mmio->ctx, run->mmio.phys_addr, bytes, &value))
        value = UINT64_MAX; /* nobody drives the bus */
    store_le(run->mmio.data, bytes, value);
}

static int tell(struct vcpu *vcpu, enum engine_event event, const char *what, struct err *e)
{
    const struct engine_host *host = &vcpu->engine->config.host;
    if (!host->event)
        return err_set(e, EIO, "the guest %s", what);
    host->event(host->ctx, event);
    return 0;
}

static int system_event(struct vcpu *vcpu, struct err *e)
{
    unsigned type = vcpu->kvm.run->system_event.type;
    if (type == KVM_SYSTEM_EVENT_SHUTDOWN)
        return tell(vcpu, ENGINE_EVENT_POWEROFF, "switched itself off", e);
    if (type == KVM_SYSTEM_EVENT_RESET)
        return tell(vcpu, ENGINE_EVENT_RESET, "reset itself", e);
    return err_set(e, EIO, "KVM: system event %u", type);
}

/* One exit. 0: go on. */
static int handle_exit(struct vcpu *vcpu, struct err *e)
{
    struct kvm_run *run = vcpu->kvm.run;
    int rc = kvm_arch_exit(vcpu, e);
    if (rc != -ENOSYS)
        return rc;
    switch (run->exit_reason) {
    case KVM_EXIT_MMIO:
        do_mmio(vcpu);
        return 0;
    case KVM_EXIT_INTR: /* with 0 from KVM_RUN: nothing to do */
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        return 0;
    case KVM_EXIT_DIRTY_RING_FULL:
        return kvm_dirty_ring_full(vcpu, e);
    case KVM_EXIT_SYSTEM_EVENT:
        return system_event(vcpu, e);
    case KVM_EXIT_SHUTDOWN:
        return tell(vcpu, ENGINE_EVENT_RESET, "faulted three times over", e);
    case KVM_EXIT_INTERNAL_ERROR:
        return err_set(e, EIO, "vCPU %u: KVM's internal error %u at 0x%llx", vcpu->index,
                       run->internal.suberror, (unsigned long long)kvm_arch_pc(vcpu));
    case KVM_EXIT_FAIL_ENTRY:
        return err_set(e, EIO, "vCPU %u: the CPU refuses the guest's state (0x%llx) at 0x%llx",
                       vcpu->index,
                       (unsigned long long)run->fail_entry.hardware_entry_failure_reason,
                       (unsigned long long)kvm_arch_pc(vcpu));
    default:
        return err_set(e, EIO, "vCPU %u: KVM's exit %u at 0x%llx", vcpu->index, run->exit_reason,
                       (unsigned long long)kvm_arch_pc(vcpu));
    }
}

static enum vcpu_stop run_guest(struct vcpu *vcpu, struct err *e)
{
    for (;;) {
        if (vcpu->debug_changed && kvm_debug_tell(vcpu, e) < 0)
            return VCPU_STOP_FAILED;
        int rc = kvm_vcpu_run(&vcpu->kvm);
        if (rc == -EINTR || rc == -EAGAIN) {
            /* In this order: a request in between makes the next entry return at once. */
            set_immediate_exit(vcpu, 0);
            if (atomic_exchange(&vcpu->stop, false))
                return VCPU_STOP_REQUESTED;
            continue;
        }
        if (rc < 0) {
            err_set_errno(e, rc, "vCPU %u: KVM_RUN at 0x%llx", vcpu->index,
                          (unsigned long long)kvm_arch_pc(vcpu));
            return VCPU_STOP_FAILED;
        }
        vcpu->exits++;
        if (vcpu->kvm.run->exit_reason == KVM_EXIT_DEBUG) {
            kvm_arch_debug_exit(vcpu);
            return VCPU_STOP_DEBUG;
        }
        if (handle_exit(vcpu, e) < 0)
            return VCPU_STOP_FAILED;
    }
}

static enum vcpu_stop kvm_engine_run(struct vcpu *vcpu, struct err *e)
{
    set_running(vcpu, true);
    enum vcpu_stop stop = run_guest(vcpu, e);
    set_running(vcpu, false);
    return stop;
}

/* --- interrupts --------------------------------------------------------------------------------
 */

int kvm_engine_set_line_fd(struct engine *engine, unsigned line, int fd, bool on, struct err *e)
{
    return kvm_set_irqfd(&engine->vm, fd, line, on, e);
}

void kvm_engine_send_msi(struct engine *engine, const struct engine_message *message)
{
    const struct kvm_msi msi = {
        .address_lo = (uint32_t)message->address,
        .address_hi = (uint32_t)(message->address >> 32),
        .data = message->data,
        .flags = kvm_arch_message_flags,
        .devid = kvm_arch_message_flags & KVM_MSI_VALID_DEVID ? message->requester : 0,
    };
    kvm_send_msi(&engine->vm, &msi);
}

int kvm_engine_set_doorbell(struct engine *engine, const struct engine_doorbell *bell, bool on,
                            struct err *e)
{
    const struct kvm_doorbell doorbell = {
        .address = bell->address,
        .size_bytes = bell->size_bytes,
        .match = bell->match,
        .value = bell->value,
        .fd = bell->fd,
    };
    return kvm_set_doorbell(&engine->vm, &doorbell, on, e);
}

/* The host's caches hold what the CPU runs, and Linux keeps them coherent with its own writes. */
static void kvm_engine_code_changed(struct engine *engine)
{
    (void)engine;
}

static void kvm_engine_print_stats(struct engine *engine, void *file)
{
    for (unsigned i = 0; i < engine->vcpu_count; i++)
        fprintf(file, "vcpu%u exits: %llu\n", i, (unsigned long long)engine->vcpus[i].exits);
}

const struct engine_ops kvm_engine = {
    .name = "kvm",
    .arch = kvm_arch_name,
    .irqchip = &kvm_arch_irqchip,
    .in_kernel = true,
    .usable = kvm_engine_usable,
    .fast = kvm_arch_fast,
    .create = kvm_engine_create,
    .free = kvm_engine_free,
    .vcpu = kvm_engine_vcpu,
    .run = kvm_engine_run,
    .request_stop = kvm_engine_request_stop,
    .reset = kvm_engine_reset,
    .code_changed = kvm_engine_code_changed,
    .get_reg = kvm_arch_get_reg,
    .set_reg = kvm_arch_set_reg,
    .list_regs = kvm_arch_list_regs,
    .log_dirty = kvm_engine_log_dirty,
    .take_dirty = kvm_engine_take_dirty,
    .show_memory = kvm_engine_show_memory,
    .debug_access = kvm_engine_debug_access,
    .debug_break = kvm_engine_debug_break,
    .debug_step = kvm_engine_debug_step,
    .debug_watch = kvm_engine_debug_watch,
    .debug_watched = kvm_engine_debug_watched,
    .print_stats = kvm_engine_print_stats,
};
