/* hostcpu_leaves.h: the bits of CPUID of which hostcpu.h has features, without those that the
 * operating system does not let programs use (AVX and AVX-512 by XCR0).
 *
 * CPUID itself is slow where the host is a virtual machine: each is an exit to its hypervisor, 2 to
 * 70 microseconds. So where the C library has asked already (hostcpu_leaves_glibc.c) it is not
 * asked again. hostcpu_leaves_cpuid.c asks.
 */
#ifndef PENG_HARDWARE_HOSTCPU_LEAVES_H
#define PENG_HARDWARE_HOSTCPU_LEAVES_H

#include <stdint.h>

struct hostcpu_leaves {
    uint32_t basic_ecx;          /* leaf 1 */
    uint32_t more_ebx, more_ecx; /* leaf 7 */
    uint32_t extended_ecx;       /* leaf 0x80000001 */
};

void hostcpu_leaves(struct hostcpu_leaves *ret);

#endif
