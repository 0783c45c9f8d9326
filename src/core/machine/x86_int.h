/* x86_int.h: the x86_64 board's memory map and state, for x86*.c. */
#ifndef PENG_CORE_MACHINE_X86_INT_H
#define PENG_CORE_MACHINE_X86_INT_H

#include "core/device/pci.h"
#include "core/machine/acpi.h"
#include "core/machine/firmware.h"
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

/* RAM is below 2 GiB and from 4 GiB on, as on the machines for which OVMF was made. */
#define X86_RAM_LOW_MAX 0x80000000ull
#define X86_RAM_HIGH    0x100000000ull
#define X86_PCI_ECAM    0xb0000000ull /* of 256 buses; firmware puts it where it likes */
#define X86_PCI_LOW     0xc0000000ull /* with firmware: from the end of RAM on, around ECAM */
#define X86_IOAPIC      0xfec00000ull
#define X86_LOCAL_APIC  0xfee00000ull
#define X86_FLASH_MAX   0x01000000ull /* of firmware: it ends at 4 GiB */
#define X86_HIGH_END    (1ull << 47)  /* of PCI's window above RAM */

#define X86_MEMORY_MAX (1ull << 40)

enum {
    X86_CPUS_MAX = 64,
    X86_ECAM_BUSES = 256,
    X86_PCI_ECAM_SIZE = X86_ECAM_BUSES * PCI_ECAM_BUS_BYTES,

    X86_CMOS = 0x70,
    X86_COM1 = 0x3f8,
    X86_ACPI_PM = 0x600,

    X86_LINE_COM1 = 4,
    X86_LINE_CMOS = 8,
    X86_LINE_SCI = 9,
    X86_LINE_PCI = 16, /* to 19: INTA# to INTD# */
};

/* What PCI has of the address space. */
struct x86_pci_map {
    struct pci_window ecam, low, high;
};
struct x86_pci_map x86_pci_map(const struct machine_config *config);

/* What firmware is given of ACPI: tables, and the script by which it places them. */
struct x86_files {
    uint8_t *tables, *script;
    size_t tables_bytes, script_bytes;
};

struct x86 {
    struct cmos *cmos;
    struct uart16550 *uart;
    struct acpi_pm *pm;
    struct pci_host *pci_host;
    struct x86_pci_map pci;
    struct pci_function *lpc; /* with firmware */
    struct virtio_pci *functions[PCI_SLOTS];
    unsigned function_count;
    struct image kernel, initrd;
    struct x86_kernel kernel_header;
    struct firmware firmware;
    struct x86_files files;
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
/* Appends all tables but the RSDP; returns the XSDT's address. */
uint64_t x86_acpi_put(const struct machine *machine, struct acpi *a);

/* With firmware. Opens it and adds the part of its flash that holds code: */
int x86_firmware_memory(struct machine *machine, struct err *e);
/* the rest of the flash, and what it reads of the machine, after everything else; */
int x86_firmware_build(struct machine *machine, struct err *e);
/* puts its code into the flash: at each start of the machine; */
int x86_firmware_load(struct machine *machine, struct err *e);
/* of that, the ACPI tables with their script; fw_cfg is there; */
int x86_firmware_add_tables(struct machine *machine, struct err *e);
/* and the tables again after the guest has moved ECAM. */
void x86_firmware_renew(struct machine *machine);
void x86_firmware_done(struct x86 *x86);

/* Puts the kernel, the initrd, the command line and what the boot protocol wants beside them. */
int x86_boot(struct machine *machine, struct engine_start *ret_start, struct err *e);

#endif
