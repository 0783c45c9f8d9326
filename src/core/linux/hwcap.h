/* hwcap.h: what Linux tells programs about the CPU: AT_HWCAP, AT_HWCAP2, /proc/cpuinfo. */
#ifndef PENG_CORE_LINUX_HWCAP_H
#define PENG_CORE_LINUX_HWCAP_H

#include <stdint.h>
#include <stdio.h>

struct a64_model;

/* AT_HWCAP (word 0) or AT_HWCAP2 (word 1) of this model. */
uint64_t hwcap(const struct a64_model *model, unsigned word);
/* The model's features by name, as the "Features" line of /proc/cpuinfo has them. */
void hwcap_print(const struct a64_model *model, FILE *out);
/* The value of an ID register (enum a64_sysreg); 0 where the model does not say. */
uint64_t hwcap_id(const struct a64_model *model, unsigned reg);

#endif
