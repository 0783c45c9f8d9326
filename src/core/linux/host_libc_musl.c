/* host_libc_musl.c: threads that musl has not made.
 *
 * It looks at more of a thread than glibc does: locks of streams hold the thread's id, messages are
 * found by its locale. And it takes no lock at all, the heap's neither, before pthread_create() was
 * called: `need_locks` says so, which is set here as that does, with a thread too many counted, so
 * that no end of a thread of its own resets it.
 *
 * Limits: struct pthread and struct __libc are as in musl 1.2.2 and later (src/internal/libc.h,
 * src/internal/pthread_impl.h); the suite of threads (tests/linux) would fail with others.
 */
#include "core/linux/host_libc.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

struct tcb {
    struct tcb *self;
    uintptr_t *dtv;
    struct tcb *prev, *next; /* of the library's own threads; this one is alone */
    uintptr_t sysinfo, canary;
    int tid, error;
    uint8_t state[72]; /* of cancellation, stack and result: zeros */
    void **values;
    struct {
        volatile void *volatile head;
        long offset;
        volatile void *volatile pending;
    } robust_list;
    int h_error, timer_id;
    void *locale;
};
static_assert(offsetof(struct tcb, canary) == 0x28 && offsetof(struct tcb, locale) == 168,
              "as in pthread_impl.h");

/* The head of struct __libc. */
struct libc {
    char can_do_threads, threaded, secure;
    volatile signed char need_locks;
    int threads_minus_1;
};
extern struct libc __libc __attribute__((visibility("hidden")));
void __malloc_atfork(int who) __attribute__((visibility("hidden")));

static struct tcb *own_tcb(void)
{
    struct tcb *tcb;
    __asm__("mov %%fs:0, %0" : "=r"(tcb));
    return tcb;
}

void host_libc_init(void)
{
}

void host_libc_tcb_init(void *at)
{
    const struct tcb *own = own_tcb();
    struct tcb *tcb = at;
    tcb->self = tcb->prev = tcb->next = tcb;
    tcb->dtv = own->dtv;
    tcb->sysinfo = own->sysinfo;
    tcb->canary = own->canary;
    tcb->robust_list.head = &tcb->robust_list.head;
    tcb->locale = own->locale;
}

void host_libc_share(void)
{
    if (__libc.threaded)
        return;
    FILE *const streams[] = {stdin, stdout, stderr};
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        flockfile(streams[i]); /* whoever does so makes it a stream that is locked */
        funlockfile(streams[i]);
    }
    __libc.threads_minus_1++;
    __libc.need_locks = 1;
    __libc.threaded = 1;
}

void host_libc_started(void)
{
    own_tcb()->tid = (int)syscall(SYS_gettid);
}

void host_libc_ending(void)
{
}

void host_libc_before_fork(void)
{
    __malloc_atfork(-1);
}

void host_libc_after_fork(bool in_child)
{
    if (in_child)
        own_tcb()->tid = (int)syscall(SYS_gettid);
    __malloc_atfork(in_child);
}
