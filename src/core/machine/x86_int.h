/* x86_int.h: the x86_64 board's memory map and state, for x86*.c. */
#ifndef PENG_CORE_MACHINE_X86_INT_H
#define PENG_CORE_MACHINE_X86_INT_H

#include "core/device/pci.h"
#include "core/machine/image.h"
#include "core/machine/image_x86.h"
#include "core/machine/machine_int.h"

/* Below 1 MiB, as PCs have it; what is placed there is of use until the kernel has its own. */
#define X86_PVH_INFO    0x6000ull
#define X86_ZERO_PAGE   0x7000ull
#define X86_PAGE_TABLES 0x9000ull /* six pages */
#define X86_COMMAND     0x20000ull
#define X86_LOW_END     0xa0000ull /* of RAM below the hole for video and ROMs */
#define X86_ACPI        0xe0000ull /* where kernels look for the RSDP */
#define X86_ACPI_END    0x100000ull
#define X86_HIGH_START  0x100000ull

/* RAM is below 3 GiB and from 4 GiB on. */
#define X86_RAM_LOW_MAX  0xc0000000ull
#define X86_RAM_HIGH     0x100000000ull
#define X86_PCI_LOW      0xc0000000ull
#define X86_PCI_LOW_SIZE 0x20000000ull
#define X86_PCI_ECAM     0xe0000000ull
#define X86_IOAPIC       0xfec00000ull
#define X86_LOCAL_APIC   0xfee00000ull

#define X86_MEMORY_MAX (1ull << 40)

enum {
    X86_CPUS_MAX = 64,
    X86_ECAM_BUSES = 1,
    X86_PCI_ECAM_SIZE = X86_ECAM_BUSES * PCI_ECAM_BUS_BYTES,

    X86_COM1 = 0x3f8,
    X86_ACPI_PM = 0x600,

    X86_LINE_COM1 = 4,
    X86_LINE_SCI = 9,
    X86_LINE_PCI = 16, /* to 19: INTA# to INTD# */
};

struct x86 {
    struct uart16550 *uart;
    struct acpi_pm *pm;
    struct pci_host *pci_host;
    struct virtio_pci *functions[PCI_SLOTS];
    unsigned function_count;
    struct image kernel, initrd;
    struct x86_kernel kernel_header;
};

/* RAM as e820 tells it. */
enum x86_range_type { X86_RANGE_RAM = 1, X86_RANGE_RESERVED = 2 };
struct x86_range {
    uint64_t base, size_bytes;
    uint32_t type;
};
enum { X86_RANGES_MAX = 8 };
unsigned x86_memory_ranges(const struct machine *machine, struct x86_range ranges[X86_RANGES_MAX]);

/* Writes the ACPI tables into [X86_ACPI, X86_ACPI_END), the RSDP first. Errors: ENOSPC. */
int x86_acpi_make(const struct machine *machine, struct err *e);

/* Puts the kernel, the initrd, the command line and what the boot protocol wants beside them. */
int x86_boot(struct machine *machine, struct engine_start *ret_start, struct err *e);

#endif
