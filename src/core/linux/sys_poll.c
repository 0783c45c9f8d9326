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

/* The set at `address` (0: none) becomes the mask of this call. `ret_mask` gets the host's copy,
 * `ret_place` a pointer for the kernel. */
static int take_mask(struct linux_thread *t, uint64_t address, uint64_t size_bytes,
                     uint64_t *ret_mask, uint64_t *ret_place)
{
    *ret_place = 0;
    if (!address)
        return 0;
    if (size_bytes != sizeof(*ret_mask))
        return -EINVAL;
    if (linux_read(address, ret_mask, sizeof(*ret_mask)) < 0)
        return -EFAULT;
    *ret_mask = linux_signal_mask_for_call(t, *ret_mask);
    *ret_place = (uintptr_t)ret_mask;
    return 0;
}

/* The pair of pointer and size that pselect6 and io_pgetevents take for want of a seventh argument.
 */
struct mask_argument {
    uint64_t address, size_bytes;
};

static int take_mask_argument(struct linux_thread *t, uint64_t address,
                              struct mask_argument *ret_argument, uint64_t *ret_mask)
{
    *ret_argument = (struct mask_argument){0, sizeof(*ret_mask)};
    struct mask_argument guest;
    if (!address)
        return 0;
    if (linux_read(address, &guest, sizeof(guest)) < 0)
        return -EFAULT;
    return take_mask(t, guest.address, guest.size_bytes, ret_mask, &ret_argument->address);
}

int64_t linux_sys_ppoll(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t mask, place;
    int r = take_mask(t, a[3], a[4], &mask, &place);
    return r < 0 ? r : linux_host_call(t, SYS_ppoll, a[0], a[1], a[2], place, sizeof(mask), 0);
}

int64_t linux_sys_pselect6(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t mask;
    struct mask_argument argument;
    int r = take_mask_argument(t, a[5], &argument, &mask);
    if (r < 0)
        return r;
    return linux_host_call(t, SYS_pselect6, a[0], a[1], a[2], a[3], a[4], (uintptr_t)&argument);
}

int64_t linux_sys_io_pgetevents(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t mask;
    struct mask_argument argument;
    int r = take_mask_argument(t, a[5], &argument, &mask);
    if (r < 0)
        return r;
    return linux_host_call(t, SYS_io_pgetevents, a[0], a[1], a[2], a[3], a[4],
                           (uintptr_t)&argument);
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
    uint64_t mask, place;
    if (maximum <= 0 || (size_t)maximum > INT32_MAX / sizeof(struct guest_event))
        return -EINVAL;
    int r = take_mask(t, a[4], a[5], &mask, &place);
    if (r < 0)
        return r;
    if (maximum > MANY)
        maximum = MANY;
    if (maximum > FEW)
        events = malloc((size_t)maximum * sizeof(*events));
    if (!events)
        return -ENOMEM;
    int64_t count = linux_host_call(t, number, a[0], (uintptr_t)events, (uint64_t)maximum, a[3],
                                    place, sizeof(mask));
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
