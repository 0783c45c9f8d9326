/* rseq.c: restartable sequences.
 *
 * Linux promises a thread that the critical section it announced in struct rseq either runs to its
 * commit without another thread running on the same CPU number meanwhile, or goes on at its abort
 * address. The host preempts our threads in the middle of translated code without a word, so the
 * promise is kept in another way: a section runs whole, by the interpreter, under a lock that
 * belongs to the thread's CPU number. Numbers are labels then: each thread's is read from the host
 * now and again, and only at system calls, never between the guest's look at it and its section. A
 * signal or a fault inside a section aborts it, and so does a section that runs on and on.
 *
 * A section has to be noticed before it runs. Its descriptor's address is what the guest stores
 * into struct rseq, and the code before the first instruction makes that address with ADRP and ADD:
 * both are looked for in code as it is fetched, and what they point at must be a descriptor, with
 * the registered signature in front of its abort address. A section found this way begins, for the
 * engines, with an undefined instruction, whose trap comes here. Descriptors made in other ways are
 * learned when the thread makes a system call or gets a signal with one in struct rseq.
 *
 *     adrp x2, descriptor          <- seen while this page is translated; `first` becomes UDF
 *     add  x2, x2, :lo12:descriptor
 *     str  x2, [x1, #8]
 *     first: ldr w3, [x1, #4] ...  <- traps; locked, interpreted up to the commit, unlocked
 *
 * Limits: the promise holds among the threads of one process, not for memory shared between two. A
 * section whose descriptor's address is made in another way is not protected before it was learned.
 *
 * Source: Linux 6.1, kernel/rseq.c, include/uapi/linux/rseq.h.
 */
#include <assert.h>
#include <errno.h>
#include <linux/rseq.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arm64/interpreter.h"
#include "core/linux/linux_int.h"

enum {
    SECTIONS = 1024, /* a process's; further ones run unprotected */
    LOCKS = 64,      /* by CPU number, modulo */
    BYTES = 32,      /* of struct rseq and of a descriptor, and how both are aligned */
    STEPS_MAX = 10000,
    PAGES = 512,           /* that were looked through, by page number, modulo */
    LOOK_EVERY = 8,        /* system calls */
    ADD_MASK = 0xffc07c00, /* bits 14:10 are the low ones of the immediate */
    UDF = 0,               /* an instruction that is undefined for good */
};

struct linux_rseq {
    _Atomic uint32_t signature, count;
    struct {
        _Atomic uint64_t start, descriptor; /* start 0: free; descriptor 0: forgotten */
    } sections[SECTIONS];
    pthread_mutex_t locks[LOCKS];
    /* A page of code is fetched for each unit in it: the page and the turn in which it was looked
     * through, which ends when memory changes. */
    _Atomic uint64_t turn, looked_through[PAGES];
};

/* --- sections -----------------------------------------------------------------------------------
 */

/* Most of what is looked at is none, and names addresses where nothing is: a fault costs time. */
static bool read_descriptor(struct linux_process *p, uint64_t at, struct rseq_cs *ret)
{
    uint32_t signature;
    if (at % BYTES || linux_read(at, ret, BYTES) < 0)
        return false;
    return ret->version == 0 && ret->start_ip && !((ret->start_ip | ret->abort_ip) & 3) &&
           ret->post_commit_offset - 1 < LINUX_PAGE &&
           ret->abort_ip - ret->start_ip >= ret->post_commit_offset &&
           linux_memory_executable(p, ret->abort_ip - 4) &&
           linux_read(ret->abort_ip - 4, &signature, 4) == 0 &&
           signature == atomic_load(&atomic_load(&p->rseq)->signature);
}

static unsigned slot_of(uint64_t start)
{
    return (uint32_t)(start >> 2) * 0x9e3779b1u >> 22;
}
static_assert(SECTIONS == 1 << 10, "slot_of() gives ten bits");

/* The descriptor of the section that starts there; 0: none. */
static uint64_t find(struct linux_rseq *r, uint64_t start)
{
    if (!atomic_load_explicit(&r->count, memory_order_acquire))
        return 0;
    for (unsigned i = 0; i < SECTIONS; i++) {
        unsigned slot = (slot_of(start) + i) % SECTIONS;
        uint64_t at = atomic_load(&r->sections[slot].start);
        if (at == start)
            return atomic_load(&r->sections[slot].descriptor);
        if (!at)
            break;
    }
    return 0;
}

static bool insert(struct linux_rseq *r, uint64_t start, uint64_t descriptor)
{
    for (unsigned i = 0; i < SECTIONS; i++) {
        unsigned slot = (slot_of(start) + i) % SECTIONS;
        uint64_t at = 0;
        if (!atomic_compare_exchange_strong(&r->sections[slot].start, &at, start) && at != start)
            continue;
        atomic_store(&r->sections[slot].descriptor, descriptor);
        atomic_fetch_add(&r->count, 1);
        return true;
    }
    return false;
}

/* True: `at` is a descriptor that was not known before. */
static bool learn(struct linux_process *p, uint64_t at, struct rseq_cs *cs)
{
    struct linux_rseq *r = atomic_load(&p->rseq);
    return read_descriptor(p, at, cs) && !find(r, cs->start_ip) && insert(r, cs->start_ip, at);
}

/* Whether a section starts at `pc` still: code comes and goes. */
static bool starts_at(struct linux_process *p, uint64_t pc, struct rseq_cs *ret)
{
    uint64_t at = find(atomic_load(&p->rseq), pc);
    return at && read_descriptor(p, at, ret) && ret->start_ip == pc;
}

/* --- code as it is fetched ----------------------------------------------------------------------
 */

/* Where ADRP at `pc` and ADD behind it, both into one register, lead; 0: they are something else.
 */
static uint64_t address_made(uint64_t pc, uint32_t adrp, uint32_t add)
{
    if ((adrp & 0x9f000000) != 0x90000000 || (add & 0xffc00000) != 0x91000000 ||
        (add >> 5 & 31) != (adrp & 31))
        return 0;
    uint64_t pages = (uint64_t)sign_extend((adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3), 21);
    return align_down(pc, LINUX_PAGE) + pages * LINUX_PAGE + (add >> 10 & 0xfff);
}

/* Most such pairs lead elsewhere, and a fault here would be seen by who traces this process. */
static void look_at_pair(struct linux_process *p, uint64_t pc, uint32_t adrp, uint32_t add)
{
    struct rseq_cs cs;
    uint64_t start, end, at = address_made(pc, adrp, add);
    if (at && at % BYTES == 0 && linux_memory_next(p, at, &start, &end) && start <= at)
        learn(p, at, &cs);
}

static void look_through(struct linux_process *p, uint64_t va, const uint32_t *words, size_t count)
{
    enum { BEFORE = 4 };
    uint32_t before[BEFORE];
    /* The pair may lie in front of this page, or of this one instruction. */
    bool alone = count == 1 && (words[0] & ADD_MASK) != 0x91000000;
    if (!alone && linux_memory_executable(p, va - sizeof(before)) &&
        linux_read(va - sizeof(before), before, sizeof(before)) == 0) {
        for (unsigned i = 0; i + 1 < BEFORE; i++)
            look_at_pair(p, va - sizeof(before) + i * 4, before[i], before[i + 1]);
        look_at_pair(p, va - 4, before[BEFORE - 1], words[0]);
    }
    for (size_t i = 0; i + 1 < count; i++)
        if ((words[i + 1] & ADD_MASK) == 0x91000000) /* ADD of a multiple of BYTES */
            look_at_pair(p, va + i * 4, words[i], words[i + 1]);
}

uint64_t linux_rseq_turn(struct linux_process *p)
{
    struct linux_rseq *r = atomic_load_explicit(&p->rseq, memory_order_acquire);
    return r ? atomic_load(&r->turn) : 0;
}

void linux_rseq_memory_changed(struct linux_process *p)
{
    struct linux_rseq *r = atomic_load_explicit(&p->rseq, memory_order_acquire);
    if (r)
        atomic_fetch_add(&r->turn, 1);
}

void linux_rseq_fetched(struct linux_process *p, uint64_t va, void *code, size_t size_bytes,
                        uint64_t turn)
{
    enum { TURN_BITS = 28 }; /* beside the page's number; it comes round too late to matter */
    uint32_t *words = code;
    struct rseq_cs cs;
    struct linux_rseq *r = atomic_load_explicit(&p->rseq, memory_order_acquire);
    struct linux_thread *t = linux_self;
    size_t count = size_bytes / 4;
    if (!r || (t && t->rseq.lock))
        return;
    uint64_t page = va / LINUX_PAGE, seen = page << TURN_BITS | (turn & ((1u << TURN_BITS) - 1));
    _Atomic uint64_t *slot = &r->looked_through[page % PAGES];
    bool whole = size_bytes == LINUX_PAGE && va % LINUX_PAGE == 0;
    if (!whole || atomic_load(slot) != seen)
        look_through(p, va, words, count);
    if (whole)
        atomic_store(slot, seen);
    for (size_t i = 0; atomic_load(&r->count) && i < count; i++)
        if (starts_at(p, va + i * 4, &cs))
            words[i] = UDF;
}

/* --- running one --------------------------------------------------------------------------------
 */

static void init_locks(struct linux_rseq *r)
{
    for (unsigned i = 0; i < LOCKS; i++)
        pthread_mutex_init(&r->locks[i], NULL);
}

void linux_rseq_forked(struct linux_process *p)
{
    struct linux_rseq *r = atomic_load(&p->rseq);
    if (r)
        init_locks(r);
}

static pthread_mutex_t *lock_for(struct linux_rseq *r, uint32_t cpu)
{
    pthread_mutex_t *lock = &r->locks[cpu % LOCKS];
    pthread_mutex_lock(lock);
    return lock;
}

void linux_rseq_leave(struct linux_thread *t)
{
    if (t->rseq.lock)
        pthread_mutex_unlock(t->rseq.lock);
    t->rseq.lock = NULL;
}

bool linux_rseq_run(struct linux_thread *t)
{
    struct a64_cpu *cpu = t->cpu;
    struct linux_rseq *r = atomic_load(&t->process->rseq);
    uint64_t pc = cpu->pc;
    struct rseq_cs cs;
    if (!r || !find(r, pc))
        return false;
    if (!starts_at(t->process, pc, &cs)) { /* other code came there: run what it is */
        insert(r, pc, 0);
        linux_memory_changed(t->process, pc, pc + 4);
        return true;
    }
    t->rseq.lock = lock_for(r, t->rseq.cpu);
    bool inside;
    unsigned steps = 0;
    do {
        a64_interpret(cpu, 1);
        inside = cpu->pc - cs.start_ip < cs.post_commit_offset;
    } while (inside && ++steps < STEPS_MAX && !cpu->trapped && !atomic_load(&cpu->signals.stop));
    linux_rseq_leave(t);
    if (inside && !cpu->trapped) /* a trap's signal aborts it when it is delivered */
        linux_rseq_abort(t);
    return true;
}

void linux_rseq_abort(struct linux_thread *t)
{
    const uint64_t none = 0, field = t->rseq.address + offsetof(struct rseq, rseq_cs);
    struct rseq_cs cs;
    uint64_t at;
    if (!t->rseq.address || linux_read(field, &at, sizeof(at)) < 0 || !at)
        return;
    if (read_descriptor(t->process, at, &cs) && t->cpu->pc - cs.start_ip < cs.post_commit_offset)
        t->cpu->pc = cs.abort_ip;
    (void)linux_write(field, &none, sizeof(none));
}

/* --- the call -----------------------------------------------------------------------------------
 */

static void tell_cpu(struct linux_thread *t)
{
    int now = sched_getcpu();
    uint32_t cpu = (uint32_t)now;
    if (now < 0 || cpu == t->rseq.cpu)
        return;
    const uint32_t both[2] = {cpu, cpu}; /* cpu_id_start, cpu_id */
    t->rseq.cpu = cpu;
    (void)linux_write(t->rseq.address, both, sizeof(both));
}

void linux_rseq_look(struct linux_thread *t)
{
    enum { SCHED_SETAFFINITY = 122 };
    struct rseq_cs cs;
    uint64_t at;
    if (++t->rseq.calls % LOOK_EVERY && t->call != SCHED_SETAFFINITY)
        return;
    tell_cpu(t);
    if (linux_read(t->rseq.address + offsetof(struct rseq, rseq_cs), &at, sizeof(at)) == 0 && at &&
        learn(t->process, at, &cs))
        linux_memory_changed(t->process, cs.start_ip, cs.start_ip + 4);
}

void linux_rseq_barrier(struct linux_process *p)
{
    struct linux_rseq *r = atomic_load(&p->rseq);
    for (unsigned i = 0; r && i < LOCKS; i++)
        pthread_mutex_unlock(lock_for(r, i));
}

static int64_t leave_registration(struct linux_thread *t, const uint64_t a[6])
{
    const uint32_t both[2] = {0, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED};
    if ((uint32_t)a[2] & ~(uint32_t)RSEQ_FLAG_UNREGISTER || !t->rseq.address ||
        a[0] != t->rseq.address || (uint32_t)a[1] != BYTES)
        return -EINVAL;
    if ((uint32_t)a[3] != t->rseq.signature)
        return -EPERM;
    if (linux_write(a[0], both, sizeof(both)) < 0)
        return -EFAULT;
    t->rseq.address = 0;
    return 0;
}

static struct linux_rseq *of_process(struct linux_process *p)
{
    struct linux_rseq *r = atomic_load(&p->rseq), *none = NULL;
    if (r)
        return r;
    r = calloc(1, sizeof(*r));
    if (r) {
        init_locks(r);
        atomic_store(&r->turn, 1); /* what was fetched before was not looked through */
    }
    if (r && !atomic_compare_exchange_strong(&p->rseq, &none, r)) {
        free(r);
        r = none;
    }
    return r;
}

int64_t linux_sys_rseq(struct linux_thread *t, const uint64_t a[6])
{
    uint32_t signature = (uint32_t)a[3], zero[4] = {0};
    if ((uint32_t)a[2] & RSEQ_FLAG_UNREGISTER)
        return leave_registration(t, a);
    if ((uint32_t)a[2])
        return -EINVAL;
    if (t->rseq.address) {
        if (a[0] != t->rseq.address || (uint32_t)a[1] != BYTES)
            return -EINVAL;
        return signature == t->rseq.signature ? -EBUSY : -EPERM;
    }
    if (a[0] % BYTES || (uint32_t)a[1] != BYTES)
        return -EINVAL;
    if (!a[0] || linux_write(a[0], zero, sizeof(zero)) < 0)
        return -EFAULT;
    struct linux_rseq *r = of_process(t->process);
    if (!r)
        return -ENOMEM;
    if (atomic_exchange(&r->signature, signature) != signature)
        linux_rseq_memory_changed(t->process); /* other descriptors count now */
    t->rseq.address = a[0];
    t->rseq.signature = signature;
    t->rseq.cpu = UINT32_MAX;
    tell_cpu(t);
    return 0;
}
