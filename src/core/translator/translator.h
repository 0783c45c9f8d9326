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

enum { TRANSLATOR_CACHE_MIB_DEFAULT = 128, TRANSLATOR_CACHE_MIB_MIN = 4 };

struct translator_config {
    struct a64_system *system; /* borrowed; its CPUs exist, all of one model */
    size_t cache_bytes;        /* code memory; 0: the default */
    unsigned max_insns;        /* per unit, for tests; 0: the default */
    /* For tests: a lesser host than this one (borrowed while translator_new() runs). NULL: this
     * one. */
    const struct hostcpu *host;
};

/* Whether this host can run generated code: 0 or -ENOTSUP. */
int translator_check_host(struct err *e);

/* Errors: ENOTSUP (the host CPU lacks AVX2, BMI2 or FSGSBASE), ENOMEM. */
int translator_new(const struct translator_config *config, struct translator **ret_translator,
                   struct err *e);
void translator_free(struct translator *t);

/* Runs guest code on this CPU until it halts, is powered off, or must look at a stop request.
 * Brackets itself with a64_enter_guest/a64_leave_guest. */
void translator_run(struct translator *t, struct a64_cpu *cpu);

/* Code in the physical page may have changed (UINT64_MAX: anywhere). On the thread of `cpu`, or
 * with no CPU running and `cpu` NULL. */
void translator_code_changed(struct translator *t, struct a64_cpu *cpu, uint64_t page);

/* "name: value" lines. */
void translator_print_stats(struct translator *t, FILE *out);

#endif
