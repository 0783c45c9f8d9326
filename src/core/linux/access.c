/* access.c: guest memory from C: copies that a fault ends instead of a signal.
 *
 * The one instruction that touches guest memory is a REP MOVSB with a known address. The host's
 * signal handler asks linux_access_fixup() whether the fault came from there and goes on behind it,
 * where RCX says how much is left; so whatever the guest unmaps meanwhile ends in -EFAULT.
 */
#include "core/linux/linux_int.h"

#include <errno.h>
#include <string.h>

/* size_t linux_copy(void *to, const void *from, size_t size_bytes): returns what was not copied. */
__asm__(".text\n"
        ".type linux_copy, @function\n"
        "linux_copy:\n"
        "    mov %rdx, %rcx\n"
        "linux_copy_touches:\n"
        "    rep movsb\n"
        "linux_copy_done:\n"
        "    mov %rcx, %rax\n"
        "    ret\n"
        ".size linux_copy, . - linux_copy\n");
size_t linux_copy(void *to, const void *from, size_t size_bytes)
    __attribute__((visibility("hidden")));
extern const char linux_copy_touches[] __attribute__((visibility("hidden")));
extern const char linux_copy_done[] __attribute__((visibility("hidden")));

uintptr_t linux_access_fixup(uintptr_t pc)
{
    return pc == (uintptr_t)linux_copy_touches ? (uintptr_t)linux_copy_done : 0;
}

/* Addresses beyond user space would reach the kernel's half or fault as no page fault does. */
static bool in_user_space(uint64_t address, size_t size_bytes)
{
    const uint64_t end = 1ull << A64_USER_BITS;
    return address < end && size_bytes <= end - address;
}

int linux_read(uint64_t from, void *to, size_t size_bytes)
{
    if (!in_user_space(from, size_bytes))
        return -EFAULT;
    return linux_copy(to, (const void *)(uintptr_t)from, size_bytes) ? -EFAULT : 0;
}

int linux_write(uint64_t to, const void *from, size_t size_bytes)
{
    if (!in_user_space(to, size_bytes))
        return -EFAULT;
    return linux_copy((void *)(uintptr_t)to, from, size_bytes) ? -EFAULT : 0;
}

ssize_t linux_read_string(uint64_t from, char *to, size_t size_bytes)
{
    size_t done = 0;
    while (done < size_bytes) {
        size_t n = LINUX_PAGE - (from + done) % LINUX_PAGE;
        n = n < size_bytes - done ? n : size_bytes - done;
        if (linux_read(from + done, to + done, n) < 0)
            return -EFAULT;
        const char *end = memchr(to + done, 0, n);
        if (end)
            return end - to;
        done += n;
    }
    return -ENAMETOOLONG;
}
