/* memory_int.h: the guest's part of the address space, for the files of user mode that map into it.
 */
#ifndef PENG_CORE_LINUX_MEMORY_INT_H
#define PENG_CORE_LINUX_MEMORY_INT_H

#include "core/linux/linux_int.h"
#include "core/linux/ranges.h"

/* Where user addresses end on the host, and therefore for the guest. */
#define LINUX_ADDRESS_END (1ull << 47)

enum { LINUX_ATTACHED_MAX = 4096 }; /* segments of System V shared memory at a time */

struct linux_attached {
    uint64_t start, end;
};

struct linux_memory {
    pthread_mutex_t lock;     /* held over the host's call and the books; writers only */
    struct ranges owned;      /* what the guest has mapped: nothing else is touched for it */
    struct ranges executable; /* of that, what has PROT_EXEC */
    pid_t locks_future;       /* mlockall(MCL_FUTURE) of this process (a fork drops it); 0: none */
    uint64_t brk_start, brk;  /* brk_start 0: no program yet */
    bool places_code;         /* by `seed`: linux_memory_place_code() */
    uint64_t seed;
    unsigned attached_count; /* shmat() */
    unsigned attached_room;
    struct linux_attached *attached;
};

/* mmap() for the guest, flags as the host has them: the address, or -errno. MAP_FIXED where
 * something is that is not the guest's fails with -ENOMEM. */
int64_t linux_memory_map(struct linux_process *p, uint64_t address, uint64_t size_bytes, int prot,
                         int flags, int fd, uint64_t offset);
/* From now on what may hold a file's code is mapped where the seed and its size say, the same in
 * every run, and not where the kernel would have it. */
void linux_memory_place_code(struct linux_process *p, uint64_t seed);
int64_t linux_memory_unmap(struct linux_process *p, uint64_t address, uint64_t size_bytes);
/* Where brk() begins. */
void linux_memory_set_brk(struct linux_process *p, uint64_t start);

/* With the lock held: makes the parts of [start, end) that are not the guest's its own, by pages
 * that nobody may touch, so that MAP_FIXED may then replace all of it. -ENOMEM where something else
 * lies there. */
int linux_memory_claim(struct linux_memory *m, uint64_t start, uint64_t end);
void linux_memory_unclaim(struct linux_memory *m, uint64_t start, uint64_t end);
/* With the lock held: books [start, end) as the guest's with these rights, and forgets what was
 * translated there. */
void linux_memory_book(struct linux_process *p, uint64_t start, uint64_t end, int prot);
void linux_memory_unbook(struct linux_process *p, uint64_t start, uint64_t end);

#endif
