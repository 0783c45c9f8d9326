/* memory.c: mmap and its kin: what the program may do to its own pages, and that nothing it does
 * reaches what is not its own.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tally.h"

enum { PAGE = 4096 };

static char *anonymous(void *at, size_t size, int prot, int flags)
{
    return mmap(at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void test_map(void)
{
    char *p = anonymous(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, 0);
    OK(p != MAP_FAILED);
    p[0] = p[3 * PAGE] = 1;
    OK(anonymous(p + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED) == p + PAGE);
    OK(p[0] == 1 && p[PAGE] == 0);
    FAILS(anonymous(p, PAGE, PROT_READ, MAP_FIXED_NOREPLACE), EEXIST);
    OK(munmap(p + PAGE, PAGE) == 0);
    OK(munmap(p, 4 * PAGE) == 0); /* over the hole */
    OK(munmap(p, 4 * PAGE) == 0);
    FAILS(munmap(p + 1, PAGE), EINVAL);
    FAILS(munmap(p, 0), EINVAL);
    FAILS(anonymous(NULL, 0, PROT_READ, 0), EINVAL);
    FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), EINVAL);
    FAILS(anonymous(p + 1, PAGE, PROT_READ, MAP_FIXED), EINVAL);
    FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0), EBADF);
    /* 0x40 is MAP_32BIT on x86-64 and nothing here. */
    p = anonymous(NULL, PAGE, PROT_READ, 0x40);
    OK(p != MAP_FAILED && (uintptr_t)p >> 32);
    munmap(p, PAGE);
}

/* Where runtimes like their heaps. */
static void test_hints(void)
{
    static const uintptr_t hints[] = {0x4000000000, 0xc000000000, 0x80000000, 0x7000000000};
    for (unsigned i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        char *p = anonymous((void *)hints[i], 16 * PAGE, PROT_NONE, MAP_NORESERVE);
        OK(p == (void *)hints[i]);
        munmap(p, 16 * PAGE);
    }
    /* Beyond what the host has: somewhere else, or nowhere. */
    char *p = anonymous((void *)0xffff00000000, PAGE, PROT_NONE, 0);
    OK(p != MAP_FAILED && p != (void *)0xffff00000000);
    munmap(p, PAGE);
    FAILS(anonymous((void *)0xffff00000000, PAGE, PROT_NONE, MAP_FIXED), ENOMEM);
}

static void test_protect(void)
{
    char *p = anonymous(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, 0);
    OK(mprotect(p, PAGE, PROT_READ) == 0);
    FAILS(syscall(SYS_read, open("/dev/zero", O_RDONLY), p, 1), EFAULT);
    munmap(p + 2 * PAGE, PAGE);
    FAILS(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE), ENOMEM);
    p[PAGE] = 1; /* the part before the hole was done */
    FAILS(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
    FAILS(mprotect(p, PAGE, PROT_READ | 0x10), EINVAL); /* PROT_BTI */
    FAILS(mprotect(p, PAGE, PROT_READ | 0x20), EINVAL); /* PROT_MTE */
    OK(mprotect(p, 0, PROT_READ) == 0);
    FAILS(syscall(SYS_pkey_alloc, 0, 0), ENOSYS);
    /* Addresses may carry a tag. */
    OK(mprotect((char *)((uintptr_t)p | 0x5aull << 56), PAGE, PROT_READ | PROT_WRITE) == 0);
    munmap(p, 4 * PAGE);
}

static void test_remap(void)
{
    char *p = anonymous(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, 0);
    p[0] = 7;
    char *q = mremap(p, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    OK(q != MAP_FAILED && q[0] == 7 && q[63 * PAGE] == 0);
    q = mremap(q, 64 * PAGE, PAGE, 0);
    OK(q != MAP_FAILED && q[0] == 7);
    char *to = anonymous(NULL, 2 * PAGE, PROT_NONE, 0);
    OK(mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to && to[0] == 7);
    FAILS(mremap(q, PAGE, PAGE, MREMAP_MAYMOVE), EFAULT); /* gone */
    FAILS(mremap(to, PAGE, 0, MREMAP_MAYMOVE), EINVAL);
    FAILS(mremap(to, PAGE, PAGE, MREMAP_FIXED, q), EINVAL);
    munmap(to, 2 * PAGE);
}

static void test_brk(void)
{
    char *start = (char *)syscall(SYS_brk, 0);
    OK((char *)syscall(SYS_brk, start + 3 * PAGE + 5) == start + 3 * PAGE + 5);
    start[3 * PAGE] = 1;
    OK((char *)syscall(SYS_brk, start + PAGE) == start + PAGE);
    OK((char *)syscall(SYS_brk, start + 4 * PAGE) == start + 4 * PAGE);
    OK(start[3 * PAGE] == 0);
    OK((char *)syscall(SYS_brk, 0x1000) == start + 4 * PAGE);
    OK((char *)syscall(SYS_brk, 0xffffffffffff0000) == start + 4 * PAGE);
    syscall(SYS_brk, start);
}

static void test_advice(void)
{
    char *p = anonymous(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, 0);
    unsigned char in_core[4];
    memset(p, 1, 4 * PAGE);
    OK(mincore(p, 4 * PAGE, in_core) == 0 && in_core[0] & 1);
    OK(madvise(p, PAGE, MADV_DONTNEED) == 0 && p[0] == 0 && p[PAGE] == 1);
    munmap(p + PAGE, PAGE);
    FAILS(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM);
    OK(p[2 * PAGE] == 0); /* behind the hole, too */
    FAILS(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
    FAILS(mincore(p, 4 * PAGE, in_core), ENOMEM);
    FAILS(msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
    OK(msync(p, PAGE, MS_SYNC) == 0);
    OK(mlock(p, PAGE) == 0 && munlock(p, PAGE) == 0);
    munmap(p, 4 * PAGE);
}

/* How much of this process is locked, in KiB. */
static long locked(void)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof(line), f))
        sscanf(line, "VmLck: %ld", &kib);
    fclose(f);
    return kib;
}

static void test_lock_all(void)
{
    FAILS(mlockall(0), EINVAL);
    FAILS(mlockall(MCL_ONFAULT), EINVAL);
    if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0) /* the limit may be low */
        return;
    long before = locked();
    OK(before > 0 && before < 64 << 10); /* what belongs to the program, and no more */
    char *p = anonymous(NULL, 16 * PAGE, PROT_READ, 0);
    OK(locked() == before + 16 * PAGE / 1024);
    munmap(p, 16 * PAGE);
    OK(munlockall() == 0 && locked() == 0);
}

static void test_shared(void)
{
    int id = shmget(IPC_PRIVATE, 3 * PAGE, 0600);
    char *p = shmat(id, NULL, 0), *q;
    OK(p != (char *)-1);
    p[2 * PAGE] = 9;
    q = shmat(id, NULL, SHM_RDONLY);
    OK(q != (char *)-1 && q != p && q[2 * PAGE] == 9);
    FAILS(shmat(id, p, 0), EINVAL); /* taken */
    OK(shmat(id, p, SHM_REMAP) == p);
    OK(shmdt(q) == 0);
    FAILS(shmdt(q), EINVAL);
    OK(shmdt(p) == 0);
    OK(shmctl(id, IPC_RMID, NULL) == 0);
}

static void test_other_memory(void)
{
    char from[] = "from here", to[sizeof(from)] = "";
    struct iovec local = {to, sizeof(to)}, remote = {from, sizeof(from)};
    OK(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == sizeof(from));
    OK(strcmp(from, to) == 0);
}

/* Everything outside the program's own mappings stays as it is, whatever is asked for: what runs
 * this program lies in the top of the address space. */
static void test_not_ours(void)
{
    enum { GIB = 1 << 30 };
    struct {
        uintptr_t start, end;
    } own[256];
    unsigned count = 0;
    bool foreign = false;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof(line), maps)) {
        foreign |= strstr(line, "peng-arm64") != NULL;
        if (count < 256 && sscanf(line, "%lx-%lx", &own[count].start, &own[count].end) == 2)
            count++;
    }
    fclose(maps);
    OK(!foreign);
    /* Between the program's own mappings, page ranges of all that is around them. */
    for (unsigned i = 0; i < count; i++) {
        uintptr_t from = own[i].end, to = i + 1 < count ? own[i + 1].start : 0x7ffffffff000;
        if (from < 0x7e0000000000 || to <= from)
            continue;
        munmap((void *)from, to - from);
        mprotect((void *)from, to - from, PROT_NONE);
        madvise((void *)from, to - from, MADV_DONTNEED);
    }
    OK(getpid() > 0); /* alive */
    void *top = (void *)(own[count - 1].end);
    anonymous(top, 0x7ffffffff000 - (uintptr_t)top, PROT_NONE, MAP_FIXED | MAP_NORESERVE);
    OK(getppid() > 0);
}

/* --- code ------------------------------------------------------------------------------------- */

static sigjmp_buf back;

static void on_fault(int signal)
{
    siglongjmp(back, signal);
}

static void write_code(uint32_t *code, uint32_t value)
{
    code[0] = 0x52800000 | value << 5; /* mov w0, #value */
    code[1] = 0xd65f03c0;              /* ret */
    __builtin___clear_cache((char *)code, (char *)(code + 2));
}

static int call(uint32_t *code)
{
    return ((int (*)(void))code)();
}

static void test_code(void)
{
    uint32_t *code = (uint32_t *)anonymous(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, 0);
    for (int i = 0; i < 3; i++) {
        write_code(code, 5 + i);
        OK(call(code) == 5 + i);
    }
    signal(SIGSEGV, on_fault);
    OK(mprotect(code, PAGE, PROT_READ) == 0);
    int got = sigsetjmp(back, 1);
    if (got == 0)
        OK(call(code) == -1);
    OK(got == SIGSEGV);
    OK(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0);
    OK(call(code) == 7);
    /* Other code at the same place, without a word to the caches: mmap is word enough. */
    FILE *f = tmpfile();
    uint32_t other[] = {0x52800000 | 99 << 5, 0xd65f03c0};
    fwrite(other, 1, sizeof(other), f);
    fflush(f);
    OK(mmap(code, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fileno(f), 0) == code);
    OK(call(code) == 99);
    OK(munmap(code, PAGE) == 0);
    got = sigsetjmp(back, 1);
    if (got == 0)
        OK(call(code) == -1);
    OK(got == SIGSEGV);
    signal(SIGSEGV, SIG_DFL);
    fclose(f);
}

int main(void)
{
    test_map();
    test_hints();
    test_protect();
    test_remap();
    test_brk();
    test_advice();
    test_lock_all();
    test_shared();
    test_other_memory();
    test_not_ours();
    test_code();
    return tally_end();
}
