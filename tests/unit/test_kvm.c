/* test_kvm.c: the KVM engine on this machine's own /dev/kvm, with tiny guests: memory slots, ports,
 * device memory, irqfd, doorbells, the log of written pages, stops, breakpoints, and the whole
 * state taken out of one machine and put into another. Skipped, and says why, where there is no
 * KVM.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/engine/kvm_int.h"

enum { RAM_BYTES = 1 << 20, ENTRY = 0x1000, TOLD_MAX = 64, REGS_MAX = 4096 };
enum { TABLES = 0x2000, GDT = 0x2100, IDT = 0x2200, HANDLER = 0x1800, LINE = 5, VECTOR = 0x25 };
#define ROM    0x10000000ull
#define DEVICE 0xd0000000ull

extern const uint8_t guest_io[], guest_io_end[], guest_doorbell[], guest_doorbell_end[],
    guest_dirty[], guest_dirty_end[], guest_fill[], guest_fill_end[], guest_count[],
    guest_count_end[], guest_interrupt[], guest_interrupt_end[], guest_interrupt_handler[],
    guest_interrupt_handler_end[], guest_message[], guest_message_end[], guest_message_handler[],
    guest_message_handler_end[], guest_state[], guest_state_end[], guest_saved[], guest_saved_end[],
    guest_timer_handler[], guest_timer_handler_end[], guest_self_handler[],
    guest_self_handler_end[];

/* What a guest wrote to a device or a port. */
struct told {
    uint64_t address, value;
    unsigned size_bytes;
};

struct rig {
    const struct engine_ops *ops;
    struct guestmem mem;
    struct engine *engine;
    struct vcpu *vcpu;
    struct told told[TOLD_MAX];
    unsigned told_count;
    int line_fd; /* signalled by port 0x10; -1: none */
    unsigned resets;
};

static void tell(struct rig *rig, uint64_t address, unsigned size_bytes, uint64_t value)
{
    assert_in_range(rig->told_count, 0, TOLD_MAX - 1);
    rig->told[rig->told_count++] = (struct told){address, value, size_bytes};
}

static void was_told(struct rig *rig, unsigned index, uint64_t address, unsigned size_bytes,
                     uint64_t value)
{
    assert_true(index < rig->told_count);
    assert_int_equal(rig->told[index].address, address);
    assert_int_equal(rig->told[index].size_bytes, size_bytes);
    assert_int_equal(rig->told[index].value, value);
}

static bool mmio_read(void *ctx, uint64_t address, unsigned size_bytes, uint64_t *value)
{
    *value = 0x1000 + size_bytes;
    return address >= DEVICE && address < DEVICE + 0x1000;
}

static bool mmio_write(void *ctx, uint64_t address, unsigned size_bytes, uint64_t value)
{
    tell(ctx, address, size_bytes, value);
    return true;
}

static bool port_read(void *ctx, uint64_t port, unsigned size_bytes, uint64_t *value)
{
    *value = 0xa0 + port;
    return port < 0x20;
}

static bool port_write(void *ctx, uint64_t port, unsigned size_bytes, uint64_t value)
{
    struct rig *rig = ctx;
    if (port == 0xf4) {
        rig->ops->request_stop(rig->vcpu);
        return true;
    }
    tell(rig, port, size_bytes, value);
    if (rig->line_fd >= 0) {
        const uint64_t one = 1;
        assert_int_equal(write(rig->line_fd, &one, sizeof(one)), sizeof(one));
    }
    return true;
}

static void on_event(void *ctx, enum engine_event event)
{
    struct rig *rig = ctx;
    rig->resets += event == ENGINE_EVENT_RESET;
    rig->ops->request_stop(rig->vcpu);
}

static struct rig *rig_new_of(uint64_t ram_bytes, enum engine_dirty_log dirty_log)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct err e = {0};
    assert_non_null(rig);
    rig->line_fd = -1;
    rig->ops = engine_find("kvm");
    guestmem_init(&rig->mem, (struct guestmem_mmio){rig, mmio_read, mmio_write});
    assert_int_equal(guestmem_add_ram(&rig->mem, 0, ram_bytes, false, &e), 0);
    assert_int_equal(guestmem_add_ram(&rig->mem, ROM, 4096, true, &e), 0);
    const struct engine_config config = {
        .vcpus = 1,
        .mem = &rig->mem,
        .dirty_log = dirty_log,
        .host = {.ctx = rig, .event = on_event, .ports = {rig, port_read, port_write}},
    };
    if (rig->ops->create(&config, &rig->engine, &e) < 0)
        fail_msg("%s", e.text);
    rig->vcpu = rig->ops->vcpu(rig->engine, 0);
    return rig;
}

static struct rig *rig_new(void)
{
    return rig_new_of(RAM_BYTES, ENGINE_DIRTY_AUTO);
}

static void rig_free(struct rig *rig)
{
    rig->ops->free(rig->engine);
    guestmem_done(&rig->mem);
    free(rig);
}

static int setup(void **state)
{
    *state = rig_new();
    return 0;
}

static int setup_ring(void **state)
{
    *state = rig_new_of(RAM_BYTES, ENGINE_DIRTY_RING);
    return 0;
}

static int setup_bitmap(void **state)
{
    *state = rig_new_of(RAM_BYTES, ENGINE_DIRTY_BITMAP);
    return 0;
}

static int teardown(void **state)
{
    rig_free(*state);
    return 0;
}

static void load(struct rig *rig, const uint8_t *code, const uint8_t *end, uint64_t argument)
{
    assert_true(guestmem_write(&rig->mem, ENTRY, code, (size_t)(end - code)));
    rig->ops->reset(rig->engine, &(struct engine_start){.pc = ENTRY, .argument = argument});
}

static void run(struct rig *rig, enum vcpu_stop wanted)
{
    struct err e = {0};
    enum vcpu_stop stop = rig->ops->run(rig->vcpu, &e);
    if (stop == VCPU_STOP_FAILED)
        fail_msg("%s", e.text);
    assert_int_equal(stop, wanted);
}

static uint32_t word(const struct rig *rig, uint64_t address)
{
    uint32_t value = 0;
    assert_true(guestmem_read(&rig->mem, address, &value, sizeof(value)));
    return value;
}

static uint64_t reg(struct rig *rig, uint64_t id)
{
    uint64_t value = 0;
    assert_int_equal(rig->ops->get_reg(rig->vcpu, id, &value), 0);
    return value;
}

static void ports_and_device_memory(void **state)
{
    struct rig *rig = *state;
    load(rig, guest_io, guest_io_end, 0x44434241);
    run(rig, VCPU_STOP_REQUESTED);
    assert_int_equal(word(rig, 0x3000), 0x44434241); /* memory, and the argument in EBX */
    was_told(rig, 0, 0x10, 1, 0x5a);
    was_told(rig, 1, 0x10, 1, 0xb1); /* what it read from port 0x11 */
    assert_int_equal(word(rig, 0x3004), 0xb2);
    was_told(rig, 2, DEVICE + 4, 4, 0x1005);
    was_told(rig, 3, DEVICE + 8, 1, 0x12);
    was_told(rig, 4, DEVICE + 10, 2, 0x3456);
    was_told(rig, 5, DEVICE + 0x1000, 1, 0x77); /* what three bytes are is nobody's */
    for (unsigned i = 0; i < 4; i++)
        was_told(rig, 6 + i, 0x10, 1, 0x41 + i);
    assert_int_equal(rig->told_count, 10);
    assert_int_equal(word(rig, 0x3008), 0xff); /* an empty bus */
}

/* Reads do not come to us while memory is shown there; writes do. */
static void shown_memory_is_read(void **state)
{
    struct rig *rig = *state;
    struct err e = {0};
    uint32_t *page = aligned_alloc(4096, 4096);
    assert_non_null(page);
    memset(page, 0, 4096);
    page[0] = 0x12340000;
    for (unsigned round = 0; round < 4; round++) {
        bool on = round % 2 == 0;
        assert_int_equal(rig->ops->show_memory(rig->engine, DEVICE, 4096, page, on, &e), 0);
        load(rig, guest_io, guest_io_end, 0);
        rig->told_count = 0;
        run(rig, VCPU_STOP_REQUESTED);
        was_told(rig, 2, DEVICE + 4, 4, on ? 0x12340001 : 0x1005);
        assert_int_equal(page[1] | page[2], 0); /* it is not written */
    }
    free(page);
}

static void a_reset_starts_over(void **state)
{
    struct rig *rig = *state;
    load(rig, guest_io, guest_io_end, 1);
    run(rig, VCPU_STOP_REQUESTED);
    unsigned before = rig->told_count;
    rig->ops->reset(rig->engine, &(struct engine_start){.pc = ENTRY, .argument = 2});
    assert_int_equal(reg(rig, ENGINE_REG_X86_RIP), ENTRY);
    run(rig, VCPU_STOP_REQUESTED);
    assert_int_equal(rig->told_count, 2 * before);
    assert_int_equal(word(rig, 0x3000), 2);
}

static void a_doorbell_rings_without_an_exit(void **state)
{
    struct rig *rig = *state;
    struct err e = {0};
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const struct engine_doorbell bell = {
        .address = DEVICE + 0x1000, .size_bytes = 4, .match = true, .value = 7, .fd = fd};
    assert_int_equal(rig->ops->irqchip->set_doorbell(rig->engine, &bell, true, &e), 0);
    load(rig, guest_doorbell, guest_doorbell_end, 0);
    run(rig, VCPU_STOP_REQUESTED);
    uint64_t count = 0;
    assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
    assert_int_equal(count, 1);
    assert_int_equal(rig->told_count, 1);
    was_told(rig, 0, DEVICE + 0x1000, 4, 6);
    assert_int_equal(rig->ops->irqchip->set_doorbell(rig->engine, &bell, false, &e), 0);
    load(rig, guest_doorbell, guest_doorbell_end, 0);
    run(rig, VCPU_STOP_REQUESTED);
    assert_int_equal(rig->told_count, 3);
    close(fd);
}

static void written_pages_are_logged(void **state)
{
    struct rig *rig = *state;
    struct err e = {0};
    uint64_t bitmap[RAM_BYTES / 4096 / 64];
    load(rig, guest_dirty, guest_dirty_end, 0);
    assert_int_equal(rig->ops->log_dirty(rig->engine, true, &e), 0);
    run(rig, VCPU_STOP_REQUESTED);
    assert_int_equal(rig->ops->take_dirty(rig->engine, 0, bitmap, &e), 0);
    /* KVM may also name a page that was read, as the one with the code. */
    const uint64_t written = 1ull << 0x10 | 1ull << 0x12, read = 1ull << 0x11 | 1ull << 1;
    assert_int_equal(bitmap[0] & ~read, written);
    assert_int_equal(bitmap[1] | bitmap[2] | bitmap[3], 0);
    assert_int_equal(rig->ops->take_dirty(rig->engine, 0, bitmap, &e), 0);
    assert_int_equal(bitmap[0], 0); /* taken is forgotten */
    assert_int_equal(rig->ops->take_dirty(rig->engine, 1, bitmap, &e), 0);
    assert_int_equal(bitmap[0], 0);
    assert_int_equal(rig->ops->log_dirty(rig->engine, false, &e), 0);
    assert_int_equal(rig->ops->take_dirty(rig->engine, 0, bitmap, &e), -EINVAL);
}

/* More pages than a ring, if it is one, has entries for; each is logged, and again when it is
 * written again. */
static void many_written_pages_are_logged(void **state)
{
    enum { BYTES = 36 << 20, PAGES = BYTES / 4096, FIRST = (1 << 20) / 4096 };
    static uint64_t bitmap[PAGES / 64];
    struct err e = {0};
    struct rig *rig = rig_new_of(BYTES, ENGINE_DIRTY_AUTO);
    load(rig, guest_fill, guest_fill_end, BYTES);
    assert_int_equal(rig->ops->log_dirty(rig->engine, true, &e), 0);
    for (unsigned round = 0; round < 2; round++) {
        rig->ops->reset(rig->engine, &(struct engine_start){.pc = ENTRY, .argument = BYTES});
        run(rig, VCPU_STOP_REQUESTED);
        assert_int_equal(rig->ops->take_dirty(rig->engine, 0, bitmap, &e), 0);
        for (unsigned i = FIRST; i < PAGES; i++)
            if (!(bitmap[i / 64] >> i % 64 & 1))
                fail_msg("round %u: page %u", round, i);
    }
    assert_int_equal(rig->ops->take_dirty(rig->engine, 0, bitmap, &e), 0);
    for (unsigned i = 0; i < PAGES / 64; i++)
        assert_int_equal(bitmap[i], 0);
    rig_free(rig);
}

static void *stop_late(void *arg)
{
    struct rig *rig = arg;
    const struct timespec wait = {0, 20000000};
    nanosleep(&wait, NULL);
    rig->ops->request_stop(rig->vcpu);
    return NULL;
}

static void a_running_guest_stops(void **state)
{
    struct rig *rig = *state;
    load(rig, guest_count, guest_count_end, 0);
    uint32_t before = 0;
    for (unsigned i = 0; i < 3; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, stop_late, rig), 0);
        run(rig, VCPU_STOP_REQUESTED);
        pthread_join(thread, NULL);
        assert_true(word(rig, 0x3000) > before);
        before = word(rig, 0x3000);
    }
    rig->ops->request_stop(rig->vcpu); /* before it runs: it does not */
    run(rig, VCPU_STOP_REQUESTED);
    assert_int_equal(word(rig, 0x3000), before);
}

/* A flat GDT (code 0x10, data 0x18) and an IDT with one gate, to where kvm_guest.S expects them. */
static void put_tables(struct rig *rig, const uint8_t *handler, const uint8_t *end)
{
    const uint64_t gdt[] = {0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
    uint8_t tables[16] = {0};
    store_le(tables, 2, sizeof(gdt) - 1);
    store_le(tables + 2, 4, GDT);
    store_le(tables + 8, 2, (VECTOR + 2) * 8 - 1);
    store_le(tables + 10, 4, IDT);
    const uint64_t gate = (HANDLER & 0xffffull) | 0x10ull << 16 | 0x8e00ull << 32;
    guestmem_write(&rig->mem, TABLES, tables, sizeof(tables));
    guestmem_write(&rig->mem, GDT, gdt, sizeof(gdt));
    guestmem_write(&rig->mem, IDT + VECTOR * 8, &gate, sizeof(gate));
    guestmem_write(&rig->mem, HANDLER, handler, (size_t)(end - handler));
}

static void an_eventfd_interrupts(void **state)
{
    struct rig *rig = *state;
    struct err e = {0};
    rig->line_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal(rig->ops->irqchip->set_line_fd(rig->engine, LINE, rig->line_fd, true, &e), 0);
    put_tables(rig, guest_interrupt_handler, guest_interrupt_handler_end);
    load(rig, guest_interrupt, guest_interrupt_end, 0);
    run(rig, VCPU_STOP_REQUESTED);
    assert_int_equal(word(rig, 0x3000), 3);
    assert_int_equal(rig->ops->irqchip->set_line_fd(rig->engine, LINE, rig->line_fd, false, &e), 0);
    close(rig->line_fd);
}

/* Also after the message was changed, and beside a line, whose route is in the same table. */
static void an_eventfd_sends_a_message(void **state)
{
    struct rig *rig = *state;
    const struct engine_irqchip *chip = rig->ops->irqchip;
    struct err e = {0};
    struct engine_message message = {.address = 0xfee00000, .data = VECTOR + 1};
    rig->line_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal(chip->set_message_fd(rig->engine, rig->line_fd, &message, &e), 0);
    message.data = VECTOR;
    assert_int_equal(chip->set_message_fd(rig->engine, rig->line_fd, &message, &e), 0);
    put_tables(rig, guest_message_handler, guest_message_handler_end);
    load(rig, guest_message, guest_message_end, 0);
    run(rig, VCPU_STOP_REQUESTED);
    assert_int_equal(word(rig, 0x3000), 3);
    assert_int_equal(chip->set_message_fd(rig->engine, rig->line_fd, NULL, &e), 0);
    assert_int_equal(chip->set_message_fd(rig->engine, rig->line_fd, NULL, &e), 0);
    close(rig->line_fd);
    memset(rig->mem.regions[0].host, 0, RAM_BYTES);
    an_eventfd_interrupts(state);
}

static void three_faults_are_a_reset(void **state)
{
    struct rig *rig = *state;
    static const uint8_t undefined[] = {0x0f, 0x0b}; /* ud2, and no IDT */
    load(rig, undefined, undefined + sizeof(undefined), 0);
    run(rig, VCPU_STOP_REQUESTED);
    assert_int_equal(rig->resets, 1);
}

static void breakpoints_and_steps(void **state)
{
    struct rig *rig = *state;
    load(rig, guest_state, guest_state_end, 0);
    assert_int_equal(rig->ops->debug_break(rig->engine, ENTRY + 10, true), 0);
    run(rig, VCPU_STOP_DEBUG);
    assert_int_equal(reg(rig, ENGINE_REG_X86_RIP), ENTRY + 10);
    assert_int_equal(reg(rig, ENGINE_REG_X86_GPR(0)), 0x11111111);
    assert_int_equal(reg(rig, ENGINE_REG_X86_GPR(2)), 0);
    assert_int_equal(rig->ops->debug_break(rig->engine, ENTRY + 10, false), 0);
    assert_int_equal(rig->ops->debug_break(rig->engine, ENTRY + 10, false), -ENOENT);
    rig->ops->debug_step(rig->vcpu, true);
    run(rig, VCPU_STOP_DEBUG);
    assert_int_equal(reg(rig, ENGINE_REG_X86_RIP), ENTRY + 15);
    assert_int_equal(reg(rig, ENGINE_REG_X86_GPR(2)), 0x30303030);
    rig->ops->debug_step(rig->vcpu, false);
    run(rig, VCPU_STOP_REQUESTED);
    uint8_t code[4];
    assert_true(
        rig->ops->debug_access(rig->vcpu, ENTRY, code, sizeof(code), false)); /* no paging */
    assert_memory_equal(code, guest_state, sizeof(code));
}

static void steps(void **state)
{
    struct rig *rig = *state;
    load(rig, guest_state, guest_state_end, 0);
    rig->ops->debug_step(rig->vcpu, true);
    for (unsigned i = 1; i <= 7; i++) { /* MOV of five bytes each */
        run(rig, VCPU_STOP_DEBUG);
        assert_int_equal(reg(rig, ENGINE_REG_X86_RIP), ENTRY + 5 * i);
    }
    rig->ops->debug_step(rig->vcpu, false);
    run(rig, VCPU_STOP_REQUESTED);
}

/* What the CPU is told, by SDM volume 3, 18.2.4, where none is at hand that does it. */
static void debug_registers(void **state)
{
    struct rig *rig = *state;
    struct kvm_guest_debug debug = {0};
    rig->ops->debug_break(rig->engine, 0x1234, true);
    rig->ops->debug_watch(rig->engine, ENGINE_WATCH_WRITE, 0x2000, 8, true);
    rig->ops->debug_watch(rig->engine, ENGINE_WATCH_ACCESS, 0x3004, 4, true);
    rig->ops->debug_watch(rig->engine, ENGINE_WATCH_WRITE, 0x4002, 2, true);
    assert_int_equal(rig->ops->debug_break(rig->engine, 0x5678, true), -ENOSPC);
    assert_int_equal(kvm_arch_debug(rig->engine, &debug), KVM_GUESTDBG_USE_HW_BP);
    static const uint64_t wanted[8] = {0x1234, 0x2000, 0x3004, 0x4002, [7] = 0x5f9004aa};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(debug.arch.debugreg[i], wanted[i]);
}

static void watchpoints(void **state)
{
    struct rig *rig = *state;
    uint64_t va = 0;
    if (rig->ops->fast(NULL) < 0) /* interpreters do not look */
        skip();
    load(rig, guest_dirty, guest_dirty_end, 0);
    assert_int_equal(rig->ops->debug_watch(rig->engine, ENGINE_WATCH_READ, 0x11000, 1, true),
                     -ENOTSUP); /* not x86's */
    assert_int_equal(rig->ops->debug_watch(rig->engine, ENGINE_WATCH_WRITE, 0x12ffe, 4, true),
                     -ENOTSUP); /* not aligned */
    assert_int_equal(rig->ops->debug_watch(rig->engine, ENGINE_WATCH_WRITE, 0x12ffc, 4, true), 0);
    assert_int_equal(rig->ops->debug_watch(rig->engine, ENGINE_WATCH_ACCESS, 0x11000, 1, true), 0);
    run(rig, VCPU_STOP_DEBUG);
    assert_true(rig->ops->debug_watched(rig->vcpu, &va));
    assert_int_equal(va, 0x11000);
    run(rig, VCPU_STOP_DEBUG);
    assert_true(rig->ops->debug_watched(rig->vcpu, &va));
    assert_int_equal(va, 0x12ffc);
    assert_int_equal(word(rig, 0x12ffc) >> 24, 2); /* it was written */
    assert_int_equal(rig->ops->debug_watch(rig->engine, ENGINE_WATCH_WRITE, 0x12ffc, 4, false), 0);
    assert_int_equal(rig->ops->debug_watch(rig->engine, ENGINE_WATCH_WRITE, 0x12ffc, 4, false),
                     -ENOENT);
    run(rig, VCPU_STOP_REQUESTED);
}

/* A whole machine: memory, and everything that list_regs names. */
struct saved {
    unsigned count;
    uint64_t ids[REGS_MAX];
    uint8_t values[1 << 18]; /* one behind the other */
    uint8_t ram[RAM_BYTES];
};

static void save(struct rig *rig, struct saved *saved)
{
    uint8_t *at = saved->values;
    saved->count = rig->ops->list_regs(rig->vcpu, saved->ids, REGS_MAX);
    assert_in_range(saved->count, 30, REGS_MAX);
    for (unsigned i = 0; i < saved->count; at += engine_reg_bytes(saved->ids[i]), i++) {
        size_t left = sizeof(saved->values) - (size_t)(at - saved->values);
        assert_in_range(engine_reg_bytes(saved->ids[i]), 1, left);
        assert_int_equal(rig->ops->get_reg(rig->vcpu, saved->ids[i], at), 0);
    }
    memcpy(saved->ram, rig->mem.regions[0].host, RAM_BYTES);
}

static void restore(struct rig *rig, const struct saved *saved)
{
    const uint8_t *at = saved->values;
    memcpy(rig->mem.regions[0].host, saved->ram, RAM_BYTES);
    for (unsigned i = 0; i < saved->count; at += engine_reg_bytes(saved->ids[i]), i++)
        if (rig->ops->set_reg(rig->vcpu, saved->ids[i], at) < 0)
            fail_msg("register 0x%llx", (unsigned long long)saved->ids[i]);
}

static void the_whole_state_moves(void **state)
{
    struct rig *from = *state, *to = rig_new();
    static struct saved saved;
    uint64_t value;
    load(from, guest_state, guest_state_end, 0);
    run(from, VCPU_STOP_REQUESTED);
    save(from, &saved);
    restore(to, &saved);
    run(to, VCPU_STOP_REQUESTED);
    assert_int_equal(word(to, 0x3000), 0x11111111 + 0x02020202 + 0x30303030 + 0x00400400 + 18);
    assert_int_equal(word(from, 0x3000), 0);
    assert_int_equal(to->ops->get_reg(to->vcpu, ENGINE_REG_X86 | 0x77ull << 32, &value), -ENOENT);
    rig_free(to);
}

/* In a process of its own, which never saw the first machine's descriptors at work: it goes on with
 * its interrupts, one pending and one from a timer that was running, and its vector registers. */
static void a_saved_machine_goes_on_elsewhere(void **state)
{
    struct rig *from = *state;
    static struct saved saved, again;
    static const uint32_t xmm[4] = {0x01020304, 0x55667788, 0x99aabbcc, 0xddeeff00};
    static const uint8_t wide[16] = {0x5a, 1, 2, 3};
    const uint64_t gate = 0x1900ull | 0x10ull << 16 | 0x8e00ull << 32;
    put_tables(from, guest_timer_handler, guest_timer_handler_end);
    guestmem_write(&from->mem, IDT + (VECTOR + 1) * 8, &gate, sizeof(gate));
    guestmem_write(&from->mem, 0x1900, guest_self_handler,
                   (size_t)(guest_self_handler_end - guest_self_handler));
    guestmem_write(&from->mem, 0x3020, xmm, sizeof(xmm));
    load(from, guest_saved, guest_saved_end, 0);
    run(from, VCPU_STOP_REQUESTED);
    assert_int_equal(from->ops->set_reg(from->vcpu, ENGINE_REG_X86_XMM(9), wide), 0);
    save(from, &saved);
    assert_int_equal(word(from, 0x3000), 0);
    pid_t child = fork();
    assert_in_range(child, 0, INT32_MAX);
    if (child > 0) {
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        return;
    }
    struct rig *to = rig_new();
    uint8_t moved[16];
    restore(to, &saved);
    assert_int_equal(to->ops->get_reg(to->vcpu, ENGINE_REG_X86_XMM(9), moved), 0);
    assert_memory_equal(moved, wide, sizeof(wide));
    run(to, VCPU_STOP_REQUESTED);
    assert_int_equal(word(to, 0x3000), 3);
    assert_int_equal(word(to, 0x3004), 0x12345678);
    assert_memory_equal((uint8_t *)to->mem.regions[0].host + 0x3030, xmm, sizeof(xmm));
    save(to, &again);
    assert_int_equal(again.count, saved.count);
    assert_memory_equal(again.ids, saved.ids, saved.count * sizeof(saved.ids[0]));
    _exit(0);
}

static void the_counter_has_an_offset(void **state)
{
    struct rig *rig = *state;
    uint64_t offset = reg(rig, ENGINE_REG_X86_TSC_OFFSET) - 12345678, value;
    if (rig->ops->fast(NULL) < 0) /* a software KVM's counter is the host's */
        skip();
    assert_int_equal(rig->ops->set_reg(rig->vcpu, ENGINE_REG_X86_TSC_OFFSET, &offset), 0);
    assert_true(reg(rig, ENGINE_REG_X86_TSC_OFFSET) == offset);
    assert_true(reg(rig, ENGINE_REG_X86_TSC_KHZ) > 100000);
    assert_int_equal(rig->ops->get_reg(rig->vcpu, ENGINE_REG_X86_TSC_OFFSET + 1, &value), -ENOENT);
}

int main(void)
{
    struct err e = {0};
    const struct engine_ops *kvm = engine_find("kvm");
    if (!kvm || kvm->usable(&e) < 0) {
        printf("skipped: %s\n", kvm ? e.text : "this build has no KVM engine");
        return 77; /* meson's "skipped" */
    }
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(ports_and_device_memory),
        CASE(a_reset_starts_over),
        CASE(shown_memory_is_read),
        CASE(written_pages_are_logged),
        CASE(a_doorbell_rings_without_an_exit),
        CASE(a_running_guest_stops),
        CASE(an_eventfd_interrupts),
        CASE(three_faults_are_a_reset),
        CASE(breakpoints_and_steps),
        cmocka_unit_test_setup_teardown(written_pages_are_logged, setup_ring, teardown),
        cmocka_unit_test_setup_teardown(written_pages_are_logged, setup_bitmap, teardown),
        cmocka_unit_test(many_written_pages_are_logged),
        CASE(steps),
        CASE(debug_registers),
        CASE(watchpoints),

        CASE(the_whole_state_moves),
        CASE(a_saved_machine_goes_on_elsewhere),
        CASE(the_counter_has_an_offset),
        CASE(an_eventfd_sends_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
