/* sys_poll.c: waiting for events: epoll, poll, select and their signal masks.
 *
 * struct epoll_event is packed on x86-64 alone, so that events are copied one by one. The masks
 * that the calls take hold while they wait and until the signals that end them are delivered;
 * linux_signal_mask_for_call() sees to that, and the kernel gets a copy with what we need
 * unblocked.
 *
 * Source: Linux 6.1, fs/eventpoll.c, fs/select.c, fs/aio.c; include/uapi/linux/eventpoll.h.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "core/linux/sys_int.h"

struct guest_event {
    uint32_t events, pad;
    uint64_t data;
};
static_assert(sizeof(struct guest_event) == 16, "struct epoll_event of arm64");

/* --- masks --------------------------------------------------------------------------------------
 */

/* A set of signals by pointer and size, as the kernel takes it. */
struct mask_argument {
    uint64_t address, size_bytes;
};

/* The guest's set becomes the mask of this call; `m` then points to the host's copy in `ret_mask`.
 * What is wrong with it is left for the kernel to find, in its order. */
static void take_mask(struct linux_thread *t, struct mask_argument *m, uint64_t *ret_mask)
{
    uint64_t mask;
    if (!m->address || m->size_bytes != sizeof(mask) ||
        linux_read(m->address, &mask, sizeof(mask)) < 0)
        return;
    *ret_mask = linux_signal_mask_for_call(t, mask);
    m->address = (uintptr_t)ret_mask;
}

/* pselect6 and io_pgetevents take pointer and size in a structure, for want of a seventh argument.
 * Returns where the kernel finds it. */
static uint64_t take_mask_argument(struct linux_thread *t, uint64_t address,
                                   struct mask_argument *m, uint64_t *ret_mask)
{
    if (!address || linux_read(address, m, sizeof(*m)) < 0)
        return address;
    take_mask(t, m, ret_mask);
    return (uintptr_t)m;
}

int64_t linux_sys_ppoll(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t mask;
    struct mask_argument m = {a[3], a[4]};
    take_mask(t, &m, &mask);
    return linux_host_call(t, SYS_ppoll, a[0], a[1], a[2], m.address, m.size_bytes, 0);
}

int64_t linux_sys_pselect6(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t mask;
    struct mask_argument m;
    uint64_t place = take_mask_argument(t, a[5], &m, &mask);
    return linux_host_call(t, SYS_pselect6, a[0], a[1], a[2], a[3], a[4], place);
}

int64_t linux_sys_io_pgetevents(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t mask;
    struct mask_argument m;
    uint64_t place = take_mask_argument(t, a[5], &m, &mask);
    return linux_host_call(t, SYS_io_pgetevents, a[0], a[1], a[2], a[3], a[4], place);
}

/* --- epoll --------------------------------------------------------------------------------------
 */

int64_t linux_sys_epoll_ctl(struct linux_thread *t, const uint64_t a[6])
{
    struct guest_event guest = {0};
    if ((int)a[1] != EPOLL_CTL_DEL && linux_read(a[3], &guest, sizeof(guest)) < 0)
        return -EFAULT;
    struct epoll_event event = {.events = guest.events, .data.u64 = guest.data};
    return linux_host_call(t, SYS_epoll_ctl, a[0], a[1], a[2], (uintptr_t)&event, 0, 0);
}

static int64_t put_events(uint64_t to, const struct epoll_event *events, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        struct guest_event guest = {.events = events[i].events, .data = events[i].data.u64};
        if (linux_write(to + (uint64_t)i * sizeof(guest), &guest, sizeof(guest)) < 0)
            return -EFAULT;
    }
    return count;
}

/* Both waits: `timeout` is milliseconds for the one, a pointer for the other. Many events at a time
 * are rare: they get memory of their own, up to MANY; more are left for the next call, which is
 * what the kernel's contract allows. */
static int64_t wait_events(struct linux_thread *t, long number, const uint64_t a[6])
{
    enum { FEW = 64, MANY = 65536 };
    struct epoll_event few[FEW], *events = few;
    int maximum = (int)a[2];
    uint64_t mask;
    struct mask_argument m = {a[4], a[5]};
    if (maximum > 0 && (size_t)maximum > INT32_MAX / sizeof(struct guest_event))
        maximum = -1; /* EP_MAX_EVENTS: refused, but after a bad timeout */
    if (maximum > MANY)
        maximum = MANY;
    if (maximum > FEW)
        events = malloc((size_t)maximum * sizeof(*events));
    if (!events)
        return -ENOMEM;
    take_mask(t, &m, &mask);
    int64_t count = linux_host_call(t, number, a[0], (uintptr_t)events, (uint64_t)maximum, a[3],
                                    m.address, m.size_bytes);
    if (count > 0)
        count = put_events(a[1], events, count);
    if (events != few)
        free(events);
    return count;
}

int64_t linux_sys_epoll_pwait(struct linux_thread *t, const uint64_t a[6])
{
    return wait_events(t, SYS_epoll_pwait, a);
}

int64_t linux_sys_epoll_pwait2(struct linux_thread *t, const uint64_t a[6])
{
    return wait_events(t, SYS_epoll_pwait2, a);
}
