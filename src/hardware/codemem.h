/* codemem.h: memory for generated code, mapped twice: written through one address, run from
 * another, so that no page is ever both writable and executable (W^X).
 */
#ifndef PENG_HARDWARE_CODEMEM_H
#define PENG_HARDWARE_CODEMEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct codemem {
    uint8_t *write; /* read-write view */
    uint8_t *run;   /* read-execute view of the same bytes */
    size_t size_bytes;
};

int codemem_init(struct codemem *mem, size_t size_bytes, struct err *e);
void codemem_done(struct codemem *mem);

#endif
