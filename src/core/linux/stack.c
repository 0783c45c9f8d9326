/* stack.c: the main thread's stack as a program finds it: from the top down the name it was started
 * by, the environment's strings, the arguments', 16 random bytes, and below them the auxiliary
 * vector, both arrays of pointers and argc, at which SP points.
 *
 * The whole stack is mapped at once (pages come when they are touched) as MAP_GROWSDOWN, for which
 * the kernel keeps a gap free below. Its size is the limit's, as far as that is sane.
 *
 * Source: Linux 6.1, fs/exec.c (bprm strings), fs/binfmt_elf.c (create_elf_tables),
 * arch/arm64/include/asm/elf.h (ARCH_DLINFO, ELF_PLATFORM).
 */
#include "core/linux/loader.h"

#include <elf.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/linux/hwcap.h"
#include "core/linux/memory_int.h"

enum {
    AUXV_PAIRS = 24,
    /* signal_minsigstksz: struct rt_sigframe, a frame record, alignment. */
    MIN_SIGNAL_STACK = 4720,
    /* An argument list may fill a quarter of the stack (fs/exec.c). */
    ARGUMENTS_PART = 4,
};

#define STACK_DEFAULT (8ull << 20)
#define STACK_MIN     (128ull << 10)
#define STACK_MAX     (1ull << 30) /* of "unlimited", too */

struct builder {
    uint8_t *at; /* what is below is free */
};

static uint64_t push(struct builder *b, const void *data, size_t size_bytes)
{
    b->at -= size_bytes;
    memcpy(b->at, data, size_bytes);
    return (uint64_t)b->at;
}

static uint64_t stack_size(const struct linux_process *p)
{
    struct rlimit limit;
    uint64_t size = p->config->stack_bytes;
    if (size == 0)
        size = getrlimit(RLIMIT_STACK, &limit) == 0 ? limit.rlim_cur : STACK_DEFAULT;
    size = size > STACK_MAX ? STACK_MAX : size < STACK_MIN ? STACK_MIN : size;
    return align_up(size, LINUX_PAGE);
}

static int map_stack(struct linux_process *p, bool executable, struct err *e)
{
    uint64_t size = stack_size(p);
    int prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
    int64_t at = -ENOMEM;
    for (; size >= STACK_MIN; size = align_up(size / 2, LINUX_PAGE)) {
        at = linux_memory_map(
            p, 0, size, prot,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_GROWSDOWN | MAP_STACK, -1, 0);
        if (at >= 0)
            break;
    }
    if (at < 0)
        return err_set_errno(e, (int)at, "stack of %llu bytes", (unsigned long long)stack_size(p));
    p->layout.stack_bottom = (uint64_t)at;
    p->layout.stack_top = (uint64_t)at + size;
    return 0;
}

/* The strings' size with their pointers, and how many there are. */
static size_t measure(char *const *list, size_t *ret_count)
{
    size_t bytes = 0, n = 0;
    for (; list[n]; n++)
        bytes += strlen(list[n]) + 1;
    *ret_count = n;
    return bytes + (n + 1) * sizeof(uint64_t);
}

/* Copies strings so that the first one lies lowest, one behind the other. */
static void push_strings(struct builder *b, char *const *list, size_t count)
{
    for (size_t i = count; i-- > 0;)
        push(b, list[i], strlen(list[i]) + 1);
}

/* Pointers to `count` strings that lie one behind the other from `string` on, and a zero. */
static uint64_t *write_pointers(uint64_t *to, uint64_t string, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *to++ = string;
        string += strlen((const char *)string) + 1;
    }
    *to++ = 0;
    return to;
}

static uint64_t *write_auxv(struct linux_process *p, const struct linux_start *start, uint64_t *to,
                            uint64_t exec_name, uint64_t platform, uint64_t random)
{
    const uint64_t pairs[AUXV_PAIRS][2] = {
        {AT_SYSINFO_EHDR, p->layout.vdso},
        {AT_MINSIGSTKSZ, MIN_SIGNAL_STACK},
        {AT_HWCAP, hwcap(p->model, 0)},
        {AT_PAGESZ, LINUX_PAGE},
        {AT_CLKTCK, getauxval(AT_CLKTCK)},
        {AT_PHDR, start->phdrs},
        {AT_PHENT, sizeof(Elf64_Phdr)},
        {AT_PHNUM, start->phdr_count},
        {AT_BASE, start->interpreter_base},
        {AT_FLAGS, 0},
        {AT_ENTRY, start->entry},
        {AT_UID, getauxval(AT_UID)},
        {AT_EUID, getauxval(AT_EUID)},
        {AT_GID, getauxval(AT_GID)},
        {AT_EGID, getauxval(AT_EGID)},
        {AT_SECURE, getauxval(AT_SECURE)},
        {AT_RANDOM, random},
        {AT_HWCAP2, hwcap(p->model, 1)},
        {AT_EXECFN, exec_name},
        {AT_PLATFORM, platform},
    };
    unsigned first = p->layout.vdso ? 0 : 1;
    for (unsigned i = first;; i++) {
        *to++ = pairs[i][0];
        *to++ = pairs[i][1];
        if (pairs[i][0] == AT_NULL)
            return to;
    }
}

int linux_stack_build(struct linux_process *p, struct linux_thread *t,
                      const struct linux_start *start, struct err *e)
{
    struct linux_layout *l = &p->layout;
    static const char platform_name[] = "aarch64";
    size_t argc, envc;
    size_t bytes = measure(start->argv, &argc) + measure(start->envp, &envc);
    int rc = map_stack(p, start->stack_executable, e);
    if (rc < 0)
        return rc;
    if (bytes > (l->stack_top - l->stack_bottom) / ARGUMENTS_PART)
        return err_set_errno(e, E2BIG, "arguments and environment");

    struct builder b = {.at = linux_ptr(l->stack_top)};
    push(&b, &(uint64_t){0}, sizeof(uint64_t));
    uint64_t exec_name = push(&b, start->exec_name, strlen(start->exec_name) + 1);
    l->env_end = exec_name;
    push_strings(&b, start->envp, envc);
    l->env_start = l->arg_end = (uint64_t)b.at;
    push_strings(&b, start->argv, argc);
    l->arg_start = (uint64_t)b.at;
    if (start->randomize) /* arch_align_stack() */
        b.at -= load_le(start->random + 24, 2) % LINUX_PAGE;
    b.at = linux_ptr(align_down((uint64_t)b.at, 16));
    uint64_t platform = push(&b, platform_name, sizeof(platform_name));
    uint64_t random = push(&b, start->random, 16);

    size_t words = 1 + argc + 1 + envc + 1 + 2 * AUXV_PAIRS;
    uint64_t *to = linux_ptr(align_down((uint64_t)b.at - words * sizeof(*to), 16));
    t->cpu->x[A64_SP] = l->stack_pointer = (uint64_t)to;
    *to++ = argc;
    to = write_pointers(to, l->arg_start, argc);
    to = write_pointers(to, l->env_start, envc);
    l->auxv = (uint64_t)to;
    l->auxv_bytes = (uint64_t)write_auxv(p, start, to, exec_name, platform, random) - l->auxv;
    return 0;
}
