/* sys_ipc.c: System V semaphores. Message queues and shared memory are laid out alike
 * (asm-generic/msgbuf.h, shmbuf.h); struct semid64_ds of x86-64 has two words more.
 *
 * Source: Linux 6.1, ipc/sem.c, include/uapi/asm-generic/sembuf.h,
 * arch/x86/include/uapi/asm/sembuf.h.
 */
#include <assert.h>
#include <errno.h>
#include <linux/sem.h>
#include <sys/syscall.h>

#include "core/linux/sys_int.h"

struct guest_semid {
    struct ipc64_perm perm;
    int64_t otime, ctime;
    uint64_t nsems, unused[2];
};
static_assert(sizeof(struct guest_semid) == 88, "struct semid64_ds of asm-generic");

static int64_t get_semid(struct linux_thread *t, const uint64_t a[6])
{
    struct semid64_ds host;
    int64_t r = linux_host_call(t, SYS_semctl, a[0], a[1], a[2], (uintptr_t)&host, 0, 0);
    if (r < 0)
        return r;
    struct guest_semid guest = {
        .perm = host.sem_perm,
        .otime = host.sem_otime,
        .ctime = host.sem_ctime,
        .nsems = host.sem_nsems,
    };
    return linux_write(a[3], &guest, sizeof(guest)) < 0 ? -EFAULT : r;
}

/* The kernel looks at owner and mode alone. */
static int64_t set_semid(struct linux_thread *t, const uint64_t a[6])
{
    struct guest_semid guest;
    if (linux_read(a[3], &guest, sizeof(guest)) < 0)
        return -EFAULT;
    struct semid64_ds host = {.sem_perm = guest.perm};
    return linux_host_call(t, SYS_semctl, a[0], a[1], a[2], (uintptr_t)&host, 0, 0);
}

int64_t linux_sys_semctl(struct linux_thread *t, const uint64_t a[6])
{
    switch ((int)a[2]) {
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
        return get_semid(t, a);
    case IPC_SET:
        return set_semid(t, a);
    default:
        return linux_host_call(t, SYS_semctl, a[0], a[1], a[2], a[3], 0, 0);
    }
}
