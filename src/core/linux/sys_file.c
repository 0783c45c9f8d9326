/* sys_file.c: calls on descriptors whose flags are numbered differently, and ioctl.
 *
 * Source: Linux 6.1, fs/fcntl.c, fs/pipe.c, fs/fhandle.c, fs/notify/fanotify/fanotify_user.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/kvm.h>
#include <sys/syscall.h>

#include "core/linux/sys_int.h"

/* Locks, leases and owners are laid out alike; only the status flags are not. */
int64_t linux_sys_fcntl(struct linux_thread *t, const uint64_t a[6])
{
    uint32_t command = (uint32_t)a[1];
    if (linux_fd_is_ours(t->process, a[0]))
        return -EBADF;
    uint64_t argument = command == F_SETFL ? linux_swap_open_flags(a[2]) : a[2];
    int64_t r = linux_host_call(t, SYS_fcntl, a[0], command, argument, 0, 0, 0);
    return command == F_GETFL && r >= 0 ? (int64_t)linux_swap_open_flags((uint64_t)r) : r;
}

int64_t linux_sys_pipe2(struct linux_thread *t, const uint64_t a[6])
{
    return linux_host_call(t, SYS_pipe2, a[0], linux_swap_open_flags(a[1]), 0, 0, 0, 0);
}

int64_t linux_sys_open_by_handle_at(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t flags = linux_swap_open_flags(a[2]);
    return linux_host_call(t, SYS_open_by_handle_at, a[0], a[1], flags, 0, 0, 0);
}

int64_t linux_sys_fanotify_init(struct linux_thread *t, const uint64_t a[6])
{
    return linux_host_call(t, SYS_fanotify_init, a[0], linux_swap_open_flags(a[1]), 0, 0, 0, 0);
}

/* Requests are encoded alike (both use asm-generic/ioctl.h and ioctls.h), and so are the
 * structures: LP64, little-endian, 64-bit fields aligned to 8. What stands apart is a device whose
 * very meaning is the host's architecture: a guest that asks KVM for a virtual machine would get an
 * x86-64 one. */
int64_t linux_sys_ioctl(struct linux_thread *t, const uint64_t a[6])
{
    if (_IOC_TYPE((uint32_t)a[1]) == KVMIO) {
        int64_t flags = linux_host_call(t, SYS_fcntl, a[0], F_GETFD, 0, 0, 0, 0);
        return flags < 0 ? flags : -ENOTTY;
    }
    return linux_host_call(t, SYS_ioctl, a[0], a[1], a[2], 0, 0, 0);
}
