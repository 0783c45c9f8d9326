/* hostmem.h: how much memory the host has. */
#ifndef PENG_HARDWARE_HOSTMEM_H
#define PENG_HARDWARE_HOSTMEM_H

#include <stdint.h>

uint64_t hostmem_total_bytes(void); /* installed; 0 where the host does not say */

#endif
