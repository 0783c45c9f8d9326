/* host_libc_glibc.c: threads that glibc has not made.
 *
 * It must find little in the control block, because this program is linked statically, has one TLS
 * segment, and calls no pthread function that looks at a thread but for mutexes: the pointer to
 * itself, the canaries, and that there are several threads. The layout is the x86-64 ABI's
 * (tcbhead_t), the same since glibc 2.4.
 */
#include "core/linux/host_libc.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/single_threaded.h>

/* The head of struct pthread, which has 2304 bytes. */
struct tcb {
    void *tcb, *dtv, *self;
    int multiple_threads, gscope;
    uintptr_t sysinfo, stack_guard, pointer_guard;
};

/* Found in a statically linked C library alone; elsewhere there are no threads of ours. */
void __malloc_fork_lock_parent(void) __attribute__((weak));
void __malloc_fork_unlock_parent(void) __attribute__((weak));
void __malloc_fork_unlock_child(void) __attribute__((weak));
void __libc_thread_freeres(void) __attribute__((weak));
void __ctype_init(void) __attribute__((weak));

static struct tcb *own_tcb(void)
{
    struct tcb *tcb;
    __asm__("mov %%fs:16, %0" : "=r"(tcb));
    return tcb;
}

void host_libc_init(void)
{
    mallopt(M_ARENA_MAX, 1); /* an arena a thread would cost the guest address space */
}

void host_libc_tcb_init(void *at)
{
    const struct tcb *own = own_tcb();
    struct tcb *tcb = at;
    *tcb = (struct tcb){
        .tcb = tcb,
        .dtv = own->dtv,
        .self = tcb,
        .multiple_threads = 1,
        .sysinfo = own->sysinfo,
        .stack_guard = own->stack_guard,
        .pointer_guard = own->pointer_guard,
    };
}

void host_libc_share(void)
{
    own_tcb()->multiple_threads = 1;
    __libc_single_threaded = 0;
}

void host_libc_started(void)
{
    if (__ctype_init)
        __ctype_init();
}

void host_libc_ending(void)
{
    if (__libc_thread_freeres)
        __libc_thread_freeres();
}

void host_libc_before_fork(void)
{
    if (!__libc_single_threaded && __malloc_fork_lock_parent)
        __malloc_fork_lock_parent();
}

void host_libc_after_fork(bool in_child)
{
    if (__libc_single_threaded || !__malloc_fork_lock_parent)
        return;
    if (in_child)
        __malloc_fork_unlock_child();
    else
        __malloc_fork_unlock_parent();
}
