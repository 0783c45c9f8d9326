/* sys_int.h: what the sys_*.c files share. */
#ifndef PENG_CORE_LINUX_SYS_INT_H
#define PENG_CORE_LINUX_SYS_INT_H

#include <limits.h>

#include "core/linux/linux_int.h"

/* Flags of open in the other architecture's encoding, either way: O_DIRECTORY, O_NOFOLLOW, O_DIRECT
 * and O_LARGEFILE are bits 14, 15, 16 and 17 on arm64 (arch/arm64/include/uapi/asm/fcntl.h), and
 * 16, 17, 14 and 15 where asm-generic/fcntl.h decides, as on x86-64. All others are the same. */
static inline uint64_t linux_swap_open_flags(uint64_t flags)
{
    return (flags & ~(15ull << 14)) | (flags >> 14 & 3) << 16 | (flags >> 16 & 3) << 14;
}

/* A path as a call got it, and where the host shall look instead. */
struct linux_path {
    bool special; /* `text` holds it, and it lies in /proc or may lie in the sysroot */
    int dirfd;
    uint64_t guest; /* its address */
    char text[PATH_MAX];
    char elsewhere[PATH_MAX];
};

/* Takes the path at `address`. What cannot be read is left for the kernel to refuse. */
void linux_path_take(const struct linux_thread *t, uint64_t dirfd, uint64_t address,
                     struct linux_path *ret_path);
/* The pointer to give to the host's call: the guest's own wherever possible. `follow`: the call
 * goes to where a symbolic link points. */
uint64_t linux_path_place(struct linux_thread *t, struct linux_path *path, bool follow);

#endif
