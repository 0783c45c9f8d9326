/* translator.h: runs Arm64 guest code on an x86-64 host by translating it, a unit at a time.
 *
 * One translator serves all CPUs of a machine. A CPU's thread calls translator_run(); everything a
 * unit does not do itself (system instructions, faults, TLB misses, MMIO) is done by the
 * interpreter on the same CPU struct.
 */
#ifndef PENG_CORE_TRANSLATOR_TRANSLATOR_H
#define PENG_CORE_TRANSLATOR_TRANSLATOR_H

#include <stdio.h>

#include "core/arm64/cpu.h"

struct translator;
struct hostcpu;

/* A machine runs many programs; one of gcc's size takes 60 MiB. */
enum { TRANSLATOR_CACHE_MIB_DEFAULT = 256, TRANSLATOR_USER_CACHE_MIB_DEFAULT = 128 };

/* User mode: descriptors of ours lie among the guest's; its owner keeps them out of each other's
 * way (fds.c). */
struct translator_fds {
    int (*keep)(void *ctx, int fd); /* takes over `fd`: its new number, or -errno */
    void (*drop)(void *ctx, int fd);
    void *ctx;
};

/* For tests: one tier alone. PENG_TIER=1 or 2 in the environment asks for that. */
enum translator_tiers { TRANSLATOR_BOTH_TIERS, TRANSLATOR_FIRST_TIER, TRANSLATOR_SECOND_TIER };
enum translator_tiers translator_tiers_of_environment(void);

/* Whether translations are kept between runs, and where, if PENG_CACHE does not say (place.h). */
enum translator_keep {
    TRANSLATOR_KEEP_NOTHING,
    TRANSLATOR_KEEP_IN_CACHE,  /* the user's cache directory */
    TRANSLATOR_KEEP_IN_MEMORY, /* /dev/shm */
};

struct translator_config {
    struct a64_system *system; /* borrowed; its CPUs exist, all of one model */
    size_t cache_bytes;        /* code memory, CODEMEM_MIB_MIN at least; 0: the default */
    unsigned max_insns;        /* per unit, for tests; 0: the default */
    const char *host_features; /* hostcpu_parse(): use no more than these; NULL: all */
    uint64_t host_cpu;         /* hostcpu_pack(), where it is known; else 0 */
    /* The second alone: all code is regions, loop or not, at once. Machines keep nothing then. */
    enum translator_tiers tiers;
    const struct a64_model *model; /* user mode: of the CPUs to come */
    enum translator_keep keep;
    bool stats;                /* takes times for translator_print_stats() */
    const struct log *log;     /* borrowed while translator_new() runs */
    struct translator_fds fds; /* {0}: descriptors stay where they are */
    /* User mode: CPUs are made by a64_cpu_new_user() and announced by translator_attach(). */
    bool user;
};

/* Whether this host can run generated code: 0 or -ENOTSUP. */
int translator_check_host(struct err *e);

/* Errors: ENOTSUP (the host CPU lacks SSE4.2), ENOMEM. */
int translator_new(const struct translator_config *config, struct translator **ret_translator,
                   struct err *e);
void translator_free(struct translator *t);

/* A CPU that is going to run, and one that has run its last. Machines' CPUs are attached by
 * translator_new(). On any thread that is out of the guest. */
void translator_attach(struct translator *t, struct a64_cpu *cpu);
void translator_detach(struct translator *t, struct a64_cpu *cpu);

/* Runs guest code on this CPU until it halts, is powered off, or must look at a stop request.
 * Brackets itself with a64_enter_guest/a64_leave_guest. */
void translator_run(struct translator *t, struct a64_cpu *cpu);

/* Code in the physical page may have changed (UINT64_MAX: anywhere). On the thread of `cpu`, or
 * with no CPU running and `cpu` NULL. */
void translator_code_changed(struct translator *t, struct a64_cpu *cpu, uint64_t page);

/* User mode: the same for the bytes [start, end). */
void translator_code_changed_range(struct translator *t, struct a64_cpu *cpu, uint64_t start,
                                   uint64_t end);

/* User mode: the secret that all programs which share translations place their code by, so that
 * each finds itself again at the same addresses. False: there is none, let them lie anywhere. */
bool translator_seed(const struct translator *t, uint64_t *ret_seed);
/* User mode, before anything runs: what was translated in the last run of a program with this key,
 * made of its contents, is there again. */
void translator_thaw(struct translator *t, uint64_t key);

/* Writes new translations to the store. From out of the guest, before the process ends or becomes
 * another program. */
void translator_save(struct translator *t);

/* What it makes code for: hostcpu_pack(). */
uint64_t translator_host_cpu(const struct translator *t);
/* The store's folder; NULL: translations are not kept. */
const char *translator_folder(const struct translator *t);

/* User mode: a host fault at `pc`, with EFLAGS `flags`. True where that is in a unit: the CPU's
 * state is then exact but for what is in registers, and goes on at the new `pc` with `rax`, from
 * where the run loop executes the faulting instruction with the interpreter. For signal handlers.
 */
struct translator_fault {
    uintptr_t pc;
    uintptr_t address; /* of the data */
    uint32_t flags;
    uint64_t rax, sp;
    bool aborted; /* false at first: true where it is the guest's */
};
bool translator_recover(struct translator *t, struct a64_cpu *cpu, struct translator_fault *fault);

/* User mode, for signal handlers: the guest address of the unit whose code holds `host_pc`, 0: none
 * does. */
uint64_t translator_unit_at(struct translator *t, uintptr_t host_pc);

/* User mode: a copy of the code of the unit at `address`, which the caller frees. False: there is
 * none now. */
struct translator_unit {
    uint64_t address; /* where it runs */
    uint8_t *code;    /* the part that is not cold */
    size_t code_bytes;
    unsigned insns;  /* from its address on; a region's may lie before, too: */
    unsigned before; /* bytes */
    struct translator_mark {
        uint32_t code_at; /* from here to the next mark the code is of ... */
        uint64_t address; /* ... this instruction */
    } * marks;            /* which the caller frees */
    unsigned mark_count;  /* 0: what belongs to what is not known */
};
bool translator_unit_copy(struct translator *t, uint64_t address, struct translator_unit *ret);

/* User mode: around fork(), on the thread that forks, out of the guest. In the child `cpu` is the
 * only one left. */
void translator_before_fork(struct translator *t);
void translator_after_fork(struct translator *t, struct a64_cpu *cpu, bool in_child);

/* "name: value" lines; docs/TRANSLATOR.md says what they mean. CPUs rest or are the caller's. */
void translator_print_stats(struct translator *t, FILE *out);

#endif
