/* sys_uring.c: io_uring.
 *
 * The rings are memory shared with the kernel, laid out alike on both architectures; so the guest
 * works on the host's rings, and completions need nothing at all. Three operations carry something
 * that differs: OPENAT (flags), OPENAT2 (flags inside struct open_how) and EPOLL_CTL (the event).
 * The kernel copies these while it takes the entries over, inside io_uring_enter. Therefore that
 * call looks through the entries that are about to be submitted, puts converted values into those
 * three, and puts the guest's own back once the kernel has taken them: a program that prepares an
 * entry once and submits it over and over finds it as it left it.
 *
 * A ring is known by its descriptor: io_uring_setup notes where its fields lie, mmap tells where
 * the guest mapped it (linux_uring_mapped()). We map nothing ourselves, since a mapping would keep
 * the ring alive beyond the guest's close(). Rings are never forgotten, but overwritten when their
 * descriptor comes back from io_uring_setup.
 *
 * With SQPOLL a kernel thread takes the entries without a call. Such a ring gets restrictions that
 * let everything pass but the three: they complete with EACCES, as for a ring that was restricted
 * by its owner, instead of opening files in some wrong way.
 *
 * Limits: a ring reached through a duplicate of its descriptor is submitted unconverted; so are
 * entries that another thread adds between our look and the kernel's. OPENAT sees neither the
 * sysroot nor procfs.c. What Linux 6.1 lacks is refused, so that the rings' layout is the one known
 * here.
 *
 * Source: Linux 6.1, io_uring/io_uring.c, openclose.c, epoll.c; include/uapi/linux/io_uring.h.
 */
#include <assert.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/linux/sys_int.h"

enum { REGISTERED_MAX = 16 };

struct linux_uring {
    struct linux_uring *next;
    _Atomic int fd;
    bool polled; /* SQPOLL */
    uint32_t entries, entry_bytes;
    struct io_sqring_offsets offsets;
    _Atomic uint64_t ring, sqes; /* guest addresses; 0: not mapped yet */
    pthread_mutex_t lock;        /* held while converted entries lie in the ring */
    struct {
        _Atomic pid_t tid; /* 0: free */
        uint32_t index;
    } registered[REGISTERED_MAX]; /* IORING_REGISTER_RING_FDS */
};

/* --- the rings we know --------------------------------------------------------------------------
 */

static struct linux_uring *find(struct linux_process *p, int fd)
{
    struct linux_uring *ring = atomic_load(&p->urings);
    while (ring && atomic_load(&ring->fd) != fd)
        ring = ring->next;
    return ring;
}

static struct linux_uring *find_registered(const struct linux_thread *t, uint32_t index)
{
    for (struct linux_uring *ring = atomic_load(&t->process->urings); ring; ring = ring->next)
        for (unsigned i = 0; i < REGISTERED_MAX; i++)
            if (atomic_load(&ring->registered[i].tid) == t->tid &&
                ring->registered[i].index == index)
                return ring;
    return NULL;
}

static int remember(struct linux_process *p, int fd, const struct io_uring_params *params)
{
    struct linux_uring *ring = find(p, fd);
    bool fresh = !ring;
    if (fresh) {
        ring = calloc(1, sizeof(*ring));
        if (!ring)
            return -ENOMEM;
        pthread_mutex_init(&ring->lock, NULL);
    }
    atomic_store(&ring->ring, 0);
    atomic_store(&ring->sqes, 0);
    for (unsigned i = 0; i < REGISTERED_MAX; i++)
        atomic_store(&ring->registered[i].tid, 0);
    ring->polled = (params->flags & IORING_SETUP_SQPOLL) != 0;
    ring->entries = params->sq_entries;
    ring->entry_bytes = sizeof(struct io_uring_sqe) << !!(params->flags & IORING_SETUP_SQE128);
    ring->offsets = params->sq_off;
    atomic_store(&ring->fd, fd);
    if (!fresh)
        return 0;
    ring->next = atomic_load(&p->urings);
    while (!atomic_compare_exchange_weak(&p->urings, &ring->next, ring))
        ;
    return 0;
}

void linux_uring_mapped(struct linux_process *p, int fd, uint64_t offset, uint64_t address)
{
    struct linux_uring *ring = find(p, fd);
    if (ring && offset == IORING_OFF_SQES)
        atomic_store(&ring->sqes, address);
    else if (ring && (offset == IORING_OFF_SQ_RING || offset == IORING_OFF_CQ_RING))
        atomic_store(&ring->ring, address);
}

void linux_uring_forked(struct linux_process *p)
{
    for (struct linux_uring *ring = atomic_load(&p->urings); ring; ring = ring->next)
        pthread_mutex_init(&ring->lock, NULL);
}

/* --- setup --------------------------------------------------------------------------------------
 */

static bool is_special(unsigned opcode)
{
    return opcode == IORING_OP_OPENAT || opcode == IORING_OP_OPENAT2 ||
           opcode == IORING_OP_EPOLL_CTL;
}

static int host_register(int fd, unsigned opcode, void *argument, unsigned count)
{
    return syscall(SYS_io_uring_register, fd, opcode, argument, count) < 0 ? -errno : 0;
}

/* Lets a new, still disabled ring do everything but the special operations. */
static int restrict_operations(int fd)
{
    enum { OPS = 256 };
    size_t probe_bytes = sizeof(struct io_uring_probe) + OPS * sizeof(struct io_uring_probe_op);
    struct io_uring_probe *probe = calloc(1, probe_bytes);
    struct io_uring_restriction *allowed = calloc(OPS + IORING_REGISTER_LAST + 1, sizeof(*allowed));
    unsigned count = 0;
    int r = probe && allowed ? host_register(fd, IORING_REGISTER_PROBE, probe, OPS) : -ENOMEM;
    if (r == 0) {
        for (unsigned op = 0; op <= probe->last_op; op++)
            if (!is_special(op))
                allowed[count++] = (struct io_uring_restriction){
                    .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = (uint8_t)op};
        for (unsigned op = 0; op < IORING_REGISTER_LAST; op++)
            allowed[count++] = (struct io_uring_restriction){
                .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = (uint8_t)op};
        allowed[count++] = (struct io_uring_restriction){
            .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = UINT8_MAX};
        r = host_register(fd, IORING_REGISTER_RESTRICTIONS, allowed, count);
    }
    free(probe);
    free(allowed);
    return r;
}

static int set_up(struct linux_process *p, int fd, const struct io_uring_params *params,
                  bool guest_disabled)
{
    int r = remember(p, fd, params);
    if (r < 0 || !(params->flags & IORING_SETUP_SQPOLL))
        return r;
    r = restrict_operations(fd);
    if (r == 0 && !guest_disabled)
        r = host_register(fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    return r;
}

int64_t linux_sys_io_uring_setup(struct linux_thread *t, const uint64_t a[6])
{
    enum {
        FLAGS = 2 * IORING_SETUP_DEFER_TASKRUN - 1,
        FEATURES = 2 * IORING_FEAT_LINKED_FILE - 1,
    };
    struct io_uring_params params;
    if (linux_read(a[1], &params, sizeof(params)) < 0)
        return -EFAULT;
    if (params.flags & ~(uint32_t)FLAGS)
        return -EINVAL;
    uint32_t guest_flags = params.flags;
    if (guest_flags & IORING_SETUP_SQPOLL)
        params.flags |= IORING_SETUP_R_DISABLED;
    int64_t fd = linux_host_call(t, SYS_io_uring_setup, a[0], (uintptr_t)&params, 0, 0, 0, 0);
    if (fd < 0)
        return fd;
    int r = set_up(t->process, (int)fd, &params, guest_flags & IORING_SETUP_R_DISABLED);
    params.flags = guest_flags;
    params.features &= FEATURES;
    if (r == 0)
        r = linux_write(a[1], &params, sizeof(params));
    if (r < 0)
        close((int)fd);
    return r < 0 ? r : fd;
}

/* --- entries on their way to the kernel ---------------------------------------------------------
 */

enum { PATCHES_MAX = 32 };

/* What was converted: the first 32 bytes of an entry as the guest wrote them, and what the kernel
 * reads in place of the guest's structure. */
struct patch {
    uint64_t address;
    struct io_uring_sqe sqe;
    union {
        struct epoll_event event;
        struct open_how how;
    } host;
};

struct batch {
    struct patch patches[PATCHES_MAX];
    unsigned patch_count;
    uint32_t entries; /* looked at */
};

static bool convert_open_how(struct io_uring_sqe *sqe, struct open_how *how)
{
    char rest[64];
    uint64_t size = sqe->len;
    if (size < sizeof(*how) || size > sizeof(*how) + sizeof(rest) ||
        linux_read(sqe->addr2, how, sizeof(*how)) < 0 ||
        linux_read(sqe->addr2 + sizeof(*how), rest, size - sizeof(*how)) < 0)
        return false;
    for (unsigned i = 0; i < size - sizeof(*how); i++)
        if (rest[i])
            return false;
    how->flags = linux_swap_open_flags(how->flags);
    sqe->addr2 = (uintptr_t)how;
    sqe->len = sizeof(*how);
    return true;
}

static bool convert_event(struct io_uring_sqe *sqe, struct epoll_event *event)
{
    struct {
        uint32_t events, pad;
        uint64_t data;
    } guest;
    if (sqe->len == EPOLL_CTL_DEL || linux_read(sqe->addr, &guest, sizeof(guest)) < 0)
        return false;
    *event = (struct epoll_event){.events = guest.events, .data.u64 = guest.data};
    sqe->addr = (uintptr_t)event;
    return true;
}

/* False: nothing to convert, or the kernel will refuse it better than we could. */
static bool convert(struct io_uring_sqe *sqe, struct patch *patch)
{
    if (sqe->opcode == IORING_OP_OPENAT2)
        return convert_open_how(sqe, &patch->host.how);
    if (sqe->opcode == IORING_OP_EPOLL_CTL)
        return convert_event(sqe, &patch->host.event);
    uint32_t flags = (uint32_t)linux_swap_open_flags(sqe->open_flags);
    bool differs = flags != sqe->open_flags;
    sqe->open_flags = flags;
    return differs;
}

static void look_at_entry(struct batch *b, uint64_t address)
{
    uint8_t opcode;
    struct patch *patch = &b->patches[b->patch_count];
    if (linux_read(address, &opcode, sizeof(opcode)) < 0 || !is_special(opcode) ||
        linux_read(address, &patch->sqe, sizeof(patch->sqe)) < 0)
        return;
    struct io_uring_sqe sqe = patch->sqe;
    patch->address = address;
    if (convert(&sqe, patch) && linux_write(address, &sqe, sizeof(sqe)) == 0)
        b->patch_count++;
}

/* Converts what the kernel would take of the next `count` entries. False: the ring is out of reach.
 */
static bool look_through(struct linux_uring *ring, uint32_t count, struct batch *b)
{
    uint32_t head, tail, index;
    uint64_t base = atomic_load(&ring->ring), sqes = atomic_load(&ring->sqes);
    b->patch_count = b->entries = 0;
    if (!base || !sqes || linux_read(base + ring->offsets.head, &head, sizeof(head)) < 0 ||
        linux_read(base + ring->offsets.tail, &tail, sizeof(tail)) < 0)
        return false;
    if (count > tail - head)
        count = tail - head;
    if (count > ring->entries)
        count = ring->entries;
    for (; b->entries < count && b->patch_count < PATCHES_MAX; b->entries++) {
        uint64_t slot = (head + b->entries) & (ring->entries - 1);
        if (linux_read(base + ring->offsets.array + slot * 4, &index, sizeof(index)) < 0)
            return b->patch_count > 0;
        if (index < ring->entries)
            look_at_entry(b, sqes + (uint64_t)index * ring->entry_bytes);
    }
    return true;
}

static void put_back(const struct batch *b)
{
    for (unsigned i = 0; i < b->patch_count; i++)
        (void)linux_write(b->patches[i].address, &b->patches[i].sqe, sizeof(b->patches[i].sqe));
}

/* Submits, in rounds where many entries need work. Returns how many the kernel took, or -errno
 * where it took none; *ret_plain: there was nothing to convert, and nothing was submitted. */
static int64_t submit(struct linux_thread *t, struct linux_uring *ring, const uint64_t a[6],
                      bool *ret_plain)
{
    struct batch b;
    uint32_t want = (uint32_t)a[1], done = 0;
    int64_t r = 0;
    *ret_plain = false;
    pthread_mutex_lock(&ring->lock);
    while (done < want) {
        bool known = look_through(ring, want - done, &b);
        if (!done && (!known || !b.patch_count)) {
            *ret_plain = true;
            break;
        }
        uint64_t flags = a[3] & (IORING_ENTER_REGISTERED_RING | IORING_ENTER_SQ_WAKEUP);
        r = linux_host_call(t, SYS_io_uring_enter, a[0], b.entries, 0, flags, 0, 0);
        put_back(&b);
        if (r <= 0)
            break;
        done += (uint32_t)r;
        if (r < b.entries)
            break;
    }
    pthread_mutex_unlock(&ring->lock);
    return done ? done : r;
}

/* --- enter --------------------------------------------------------------------------------------
 */

struct wait_argument {
    struct io_uring_getevents_arg extended;
    uint64_t mask, address, size_bytes; /* for the kernel */
};

/* The signal mask, bare or inside struct io_uring_getevents_arg. What is wrong with it is left for
 * the kernel to find. */
static void take_wait_argument(struct linux_thread *t, const uint64_t a[6], struct wait_argument *w)
{
    bool extended = (a[3] & IORING_ENTER_EXT_ARG) != 0;
    uint64_t place = a[4], size = a[5];
    w->address = a[4];
    w->size_bytes = a[5];
    if (!(a[3] & IORING_ENTER_GETEVENTS))
        return;
    if (extended) {
        if (size != sizeof(w->extended) || linux_read(a[4], &w->extended, sizeof(w->extended)) < 0)
            return;
        place = w->extended.sigmask;
        size = w->extended.sigmask_sz;
        w->address = (uintptr_t)&w->extended;
    }
    if (!place || size != sizeof(w->mask) || linux_read(place, &w->mask, sizeof(w->mask)) < 0)
        return;
    w->mask = linux_signal_mask_for_call(t, w->mask);
    if (extended)
        w->extended.sigmask = (uintptr_t)&w->mask;
    else
        w->address = (uintptr_t)&w->mask;
}

int64_t linux_sys_io_uring_enter(struct linux_thread *t, const uint64_t a[6])
{
    enum {
        FLAGS = IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT |
                IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING,
    };
    struct wait_argument w;
    uint32_t flags = (uint32_t)a[3], want = (uint32_t)a[1];
    if (flags & ~(uint32_t)FLAGS)
        return -EINVAL;
    struct linux_uring *ring = flags & IORING_ENTER_REGISTERED_RING
                                   ? find_registered(t, (uint32_t)a[0])
                                   : find(t->process, (int)a[0]);
    bool plain = true;
    int64_t submitted = 0;
    if (want && ring && !ring->polled) {
        submitted = submit(t, ring, a, &plain);
        if (!plain && (submitted != want || !(flags & IORING_ENTER_GETEVENTS)))
            return submitted;
    }
    take_wait_argument(t, a, &w);
    int64_t r = linux_host_call(t, SYS_io_uring_enter, a[0], plain ? want : 0, a[2], flags,
                                w.address, w.size_bytes);
    return submitted ? submitted : r;
}

/* --- register -----------------------------------------------------------------------------------
 */

static void note_registered(struct linux_thread *t, int fd, uint32_t index)
{
    struct linux_uring *ring = find(t->process, fd);
    for (unsigned i = 0; ring && i < REGISTERED_MAX; i++) {
        pid_t nobody = 0;
        if (atomic_load(&ring->registered[i].tid))
            continue;
        ring->registered[i].index = index;
        if (atomic_compare_exchange_strong(&ring->registered[i].tid, &nobody, t->tid))
            return;
    }
}

static void forget_registered(struct linux_thread *t, uint32_t index)
{
    struct linux_uring *ring = find_registered(t, index);
    for (unsigned i = 0; ring && i < REGISTERED_MAX; i++)
        if (atomic_load(&ring->registered[i].tid) == t->tid && ring->registered[i].index == index)
            atomic_store(&ring->registered[i].tid, 0);
}

int64_t linux_sys_io_uring_register(struct linux_thread *t, const uint64_t a[6])
{
    uint32_t opcode = (uint32_t)a[1];
    if (opcode > IORING_REGISTER_FILE_ALLOC_RANGE)
        return -EINVAL;
    int64_t r = linux_host_call(t, SYS_io_uring_register, a[0], opcode, a[2], a[3], 0, 0);
    if (r <= 0 || (opcode != IORING_REGISTER_RING_FDS && opcode != IORING_UNREGISTER_RING_FDS))
        return r;
    for (int64_t i = 0; i < r; i++) {
        struct io_uring_rsrc_update update;
        if (linux_read(a[2] + (uint64_t)i * sizeof(update), &update, sizeof(update)) < 0)
            break;
        if (opcode == IORING_REGISTER_RING_FDS)
            note_registered(t, (int)update.data, update.offset);
        else
            forget_registered(t, update.offset);
    }
    return r;
}
