/* host_thread.c: threads without the C library's knowledge.
 *
 * pthread_create() owns clone's flags and child_tid, and gives a stack back only after the kernel
 * has cleared a word of its own; the guest's C library wants all of that for itself. So a thread
 * here is a mapping
 *
 *     guard page | stack | TLS image | thread control block
 *
 * and a clone onto it. What the C library must find in the control block host_libc.h says.
 *
 * fork, likewise, is the bare call with the allocator's and stderr's locks held around it.
 */
#include "core/linux/host_thread.h"

#include <errno.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/linux/host_libc.h"

enum {
    PAGE = 4096,
    STACK_SIZE = 256 << 10,
    TCB_SIZE = HOST_LIBC_TCB_BYTES,
    TLS_ALIGN_MAX = PAGE,
};

long linux_host_clone(long number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);
void linux_host_leave(void *stack, size_t size_bytes, int status) __attribute__((noreturn));

struct tls_segment {
    const void *image;
    size_t image_bytes, size_bytes; /* the rest is zero */
    unsigned count;
};

static int find_tls(struct dl_phdr_info *info, size_t size, void *ctx)
{
    struct tls_segment *tls = ctx;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type != PT_TLS)
            continue;
        tls->image = (const void *)(info->dlpi_addr + ph->p_vaddr);
        tls->image_bytes = ph->p_filesz;
        tls->size_bytes = align_up(ph->p_memsz, ph->p_align);
        tls->count++;
    }
    return 0;
}

static uint8_t *stack_tcb(const struct host_stack *stack)
{
    return (uint8_t *)stack->base + stack->size_bytes - TCB_SIZE;
}

/* Where the stack of the thread begins, below its TLS. */
static uint64_t *stack_top(const struct host_stack *stack, const struct tls_segment *tls)
{
    uintptr_t top = (uintptr_t)stack_tcb(stack) - tls->size_bytes;
    return (uint64_t *)align_down(top, 64);
}

int host_stack_new(struct host_stack *ret_stack)
{
    struct tls_segment tls = {0};
    dl_iterate_phdr(find_tls, &tls);
    if (tls.count != 1) /* not linked statically */
        return -ENOSYS;
    size_t size = align_up(PAGE + STACK_SIZE + tls.size_bytes + TCB_SIZE, PAGE);
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED)
        return -ENOMEM;
    *ret_stack = (struct host_stack){base, size};
    if (mprotect(base, PAGE, PROT_NONE) < 0) {
        host_stack_free(ret_stack);
        return -ENOMEM;
    }
    uint8_t *tcb = stack_tcb(ret_stack);
    memcpy(tcb - tls.size_bytes, tls.image, tls.image_bytes);
    host_libc_tcb_init(tcb);
    return 0;
}

void host_stack_free(struct host_stack *stack)
{
    if (stack->base)
        munmap(stack->base, stack->size_bytes);
    stack->base = NULL;
}

/* clone3 is younger than the container policies that some hosts still have: only where asked for.
 */
static bool needs_clone3(const struct clone_args *args)
{
    return args->set_tid_size || args->flags >> 32 ||
           (args->flags & CLONE_PIDFD && args->pidfd != args->parent_tid);
}

static void first_instruction(void *words)
{
    void *const *w = words;
    host_libc_started();
    ((void (*)(void *))w[0])(w[1]);
}

long host_thread_clone(struct clone_args *args, const struct host_stack *stack,
                       void (*start)(void *arg), void *arg)
{
    struct tls_segment tls = {0};
    dl_iterate_phdr(find_tls, &tls);
    uint64_t *top = stack_top(stack, &tls), *low = (uint64_t *)((uint8_t *)stack->base + PAGE);
    host_libc_share();
    top[-2] = (uintptr_t)start;
    top[-1] = (uintptr_t)arg;
    top[-3] = (uintptr_t)&top[-2];
    top[-4] = (uintptr_t)first_instruction;
    args->flags |= CLONE_SETTLS;
    args->tls = (uintptr_t)stack_tcb(stack);
    args->stack = (uintptr_t)low;
    args->stack_size = (uintptr_t)&top[-4] - args->stack;
    if (needs_clone3(args))
        return linux_host_clone(SYS_clone3, (uintptr_t)args, sizeof(*args), 0, 0, 0);
    return linux_host_clone(SYS_clone, args->flags | args->exit_signal, (uintptr_t)&top[-4],
                            args->flags & CLONE_PIDFD ? args->pidfd : args->parent_tid,
                            args->child_tid, args->tls);
}

long host_fork(struct clone_args *args)
{
    long r;
    args->flags &= ~(uint64_t)CLONE_SETTLS;
    args->stack = args->stack_size = args->tls = 0;
    flockfile(stderr);
    host_libc_before_fork();
    if (needs_clone3(args))
        r = syscall(SYS_clone3, args, sizeof(*args));
    else
        r = syscall(SYS_clone, args->flags | args->exit_signal, 0,
                    args->flags & CLONE_PIDFD ? args->pidfd : args->parent_tid, args->child_tid, 0);
    if (r < 0)
        r = -errno;
    host_libc_after_fork(r == 0);
    funlockfile(stderr);
    return r;
}

void host_thread_leave(const struct host_stack *stack, int status)
{
    if (stack->base) {
        host_libc_ending();
        linux_host_leave(stack->base, stack->size_bytes, status);
    }
    for (;;)
        syscall(SYS_exit, status);
}
