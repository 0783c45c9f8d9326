/* codemem.h: memory for generated code.
 *
 * For machines it is mapped twice: written through one address, run from another, so that no page
 * is ever both writable and executable (W^X). For a process in user mode it is one private mapping,
 * since fork() must give the child a copy; what can write to it there is the guest program, which
 * can write to all of the process anyway.
 */
#ifndef PENG_HARDWARE_CODEMEM_H
#define PENG_HARDWARE_CODEMEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "hardware/lazymem.h"

enum { CODEMEM_MIB_MIN = 4, CODEMEM_MIB_MAX = 2048 }; /* what --code-cache takes */

struct codemem {
    uint8_t *write; /* read-write view */
    uint8_t *run;   /* executable view of the same bytes; private: the same address */
    size_t size_bytes;
    struct lazymem both; /* where one mapping is both */
};

int codemem_init(struct codemem *mem, size_t size_bytes, struct err *e);
/* `where`: as lazymem_init() has it. */
int codemem_init_private(struct codemem *mem, void *where, size_t size_bytes, struct err *e);
/* Code is going to be written from `at` on, in the end up to `end` (of the write view): asks for
 * huge pages for the next few MiB. Returns up to where, from where it is to be asked again. */
uint8_t *codemem_prepare(struct codemem *mem, uint8_t *at, const uint8_t *end);
void codemem_done(struct codemem *mem);

#endif
