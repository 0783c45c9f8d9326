/* sys_info.c: what the machine tells about itself, prctl, and the clocks that programs read often.
 *
 * Source: Linux 6.1, kernel/sys.c, kernel/sched/membarrier.c, arch/arm64/kernel/process.c and
 * sys.c.
 */
#include <assert.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/linux/sys_int.h"

/* --- names ------------------------------------------------------------------------------------ */

int64_t linux_sys_uname(struct linux_thread *t, const uint64_t a[6])
{
    struct utsname name;
    const char *release = t->process->config->release;
    if (uname(&name) < 0)
        return -errno;
    strcpy(name.machine, "aarch64");
    if (release) {
        memset(name.release, 0, sizeof(name.release));
        strncpy(name.release, release, sizeof(name.release) - 1);
    }
    return linux_write(a[0], &name, sizeof(name));
}

/* The models have no AArch32, and arm64 refuses to pretend (sys_arm64_personality()). */
int64_t linux_sys_personality(struct linux_thread *t, const uint64_t a[6])
{
    if ((a[0] & PER_MASK) == PER_LINUX32)
        return -EINVAL;
    return linux_host_call(t, SYS_personality, (uint32_t)a[0], 0, 0, 0, 0, 0);
}

/* --- prctl
 * ---------------------------------------------------------------------------------------- */

/* Options of Linux 6.1 that the host would take, but that do not mean here what they mean there. */
enum prctl_kind {
    PRCTL_PASS,
    PRCTL_INVALID,
    PRCTL_SECCOMP,
    PRCTL_GET_SECCOMP,
    PRCTL_TAGS,
};

enum { PRCTL_LAST = 64 /* PR_SET_VMA and the like stand apart */ };

static const uint8_t prctl_kinds[PRCTL_LAST + 1] = {
    [PR_GET_TSC] = PRCTL_INVALID, /* of x86 alone */
    [PR_SET_TSC] = PRCTL_INVALID,
    [PR_GET_SECCOMP] = PRCTL_GET_SECCOMP,
    [PR_SET_SECCOMP] = PRCTL_SECCOMP,
    [PR_SET_SYSCALL_USER_DISPATCH] = PRCTL_INVALID, /* arm64 lacks the generic entry code */
    [PR_SET_TAGGED_ADDR_CTRL] = PRCTL_TAGS,
    [PR_GET_TAGGED_ADDR_CTRL] = PRCTL_TAGS,
};

/* Tagged pointers into the kernel are off, as after sysctl abi.tagged_addr_disabled = 1. */
static int64_t tagged_addresses(const uint64_t a[6])
{
    if (a[2] || a[3] || a[4] || ((int)a[0] == PR_GET_TAGGED_ADDR_CTRL && a[1]))
        return -EINVAL;
    return (int)a[0] == PR_SET_TAGGED_ADDR_CTRL && a[1] ? -EINVAL : 0;
}

int64_t linux_sys_prctl(struct linux_thread *t, const uint64_t a[6])
{
    enum { MDWE_FIRST = 65, AUXV = 0x41555856 }; /* younger than 6.1 */
    uint32_t option = (uint32_t)a[0];
    if ((option >= MDWE_FIRST && option < 0x1000) || option == AUXV)
        return -EINVAL;
    switch (option <= PRCTL_LAST ? prctl_kinds[option] : PRCTL_PASS) {
    case PRCTL_INVALID:
        return -EINVAL;
    case PRCTL_SECCOMP:
        return linux_seccomp_set_mode(t, a[1], a[2]);
    case PRCTL_GET_SECCOMP:
        return linux_seccomp_mode(t, NULL);
    case PRCTL_TAGS:
        return tagged_addresses(a);
    default:
        return linux_host_call(t, SYS_prctl, a[0], a[1], a[2], a[3], a[4], 0);
    }
}

/* --- barriers --------------------------------------------------------------------------------- */

int64_t linux_sys_membarrier(struct linux_thread *t, const uint64_t a[6])
{
    int64_t r = linux_host_call(t, SYS_membarrier, a[0], a[1], a[2], 0, 0, 0);
    if (r == 0 && (int)a[0] == MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)
        linux_rseq_barrier(t->process);
    return r;
}

/* --- clocks -------------------------------------------------------------------------------------
 */

/* Through the host's vDSO: no kernel entry for the clocks that programs read in their loops. */
int64_t linux_sys_clock_gettime(struct linux_thread *t, const uint64_t a[6])
{
    struct timespec now;
    if (clock_gettime((clockid_t)a[0], &now) < 0)
        return -errno;
    return linux_write(a[1], &now, sizeof(now));
}

int64_t linux_sys_gettimeofday(struct linux_thread *t, const uint64_t a[6])
{
    struct timeval now;
    if (!a[0] || a[1]) /* the C library has no time zone to give */
        return linux_host_call(t, SYS_gettimeofday, a[0], a[1], 0, 0, 0, 0);
    if (gettimeofday(&now, NULL) < 0)
        return -errno;
    return linux_write(a[0], &now, sizeof(now));
}
