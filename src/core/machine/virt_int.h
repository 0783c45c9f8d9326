/* virt_int.h: the arm64 virt board's memory map and state, for virt.c and virt_fdt.c.
 *
 * The map is the one that Arm virtual firmware (Debian's qemu-efi-aarch64) expects.
 */
#ifndef PENG_CORE_MACHINE_VIRT_INT_H
#define PENG_CORE_MACHINE_VIRT_INT_H

#include "base/bytes.h"
#include "core/device/pci.h"
#include "core/machine/firmware.h"
#include "core/machine/image.h"
#include "core/machine/machine_int.h"
#include "core/machine/psci.h"

#define VIRT_FLASH0     0x00000000ull /* firmware */
#define VIRT_FLASH1     0x04000000ull /* its variables */
#define VIRT_FLASH_SIZE 0x04000000ull
#define VIRT_GICD       0x08000000ull
#define VIRT_ITS        0x08080000ull
#define VIRT_GICR       0x080a0000ull
#define VIRT_PL011      0x09000000ull
#define VIRT_PL031      0x09010000ull
#define VIRT_FW_CFG     0x09020000ull
#define VIRT_PL061      0x09030000ull
#define VIRT_VIRTIO     0x0a000000ull
#define VIRT_PCI_LOW    0x10000000ull /* PCI's window for 32-bit BARs */
#define VIRT_PCI_IO     0x3eff0000ull /* and for I/O ports, which no device has */
#define VIRT_RAM        0x40000000ull

#define VIRT_PCI_LOW_BYTES  0x2eff0000ull
#define VIRT_PCI_IO_BYTES   0x10000ull
#define VIRT_PCI_ECAM_BYTES 0x10000000ull /* of 256 buses */
#define VIRT_PCI_HIGH_BYTES 0x8000000000ull

/* Shared peripheral interrupts, counted from 0 (INTID 32). */
enum {
    VIRT_SPI_PL011 = 1,
    VIRT_SPI_PL031 = 2,
    VIRT_SPI_PCI = 3, /* to 6: INTA# to INTD# */
    VIRT_SPI_PL061 = 7,
    VIRT_SPI_VIRTIO = 16, /* + slot */
    VIRT_SPIS = 288,
};

enum {
    VIRT_VIRTIO_SLOTS = 32,
    VIRT_CPUS_MAX = 64,
    VIRT_COMMAND_MAX = 2047,   /* COMMAND_LINE_SIZE of arch/arm64, without its NUL */
    VIRT_FDT_BYTES = 64 << 10, /* at the start of RAM; the kernel comes 2 MiB later */
};

#define VIRT_MEMORY_MAX (1ull << 42) /* RAM ends well inside 48 bits */

struct virt {
    uint64_t affinities[VIRT_CPUS_MAX]; /* MPIDR_EL1's affinity fields */
    struct gicv3 *gic;
    struct gicv3_its *its;
    struct pl011 *uart;
    struct pl031 *rtc;
    struct pl061 *gpio;
    struct virtio_mmio *slots[VIRT_VIRTIO_SLOTS];
    unsigned slot_count;             /* slots that hold a device; the rest are empty */
    int slot_fds[VIRT_VIRTIO_SLOTS]; /* eventfds of the slots' interrupts */
    unsigned slot_fd_count;
    /* with MACHINE_VIRTIO_PCI, in place of the slots: */
    struct pci_host *pci_host; /* NULL: none */
    struct virtio_pci *functions[PCI_SLOTS];
    unsigned function_count;
    struct psci psci;
    struct image kernel, initrd;
    struct firmware firmware;
    struct arm64_kernel kernel_header;
};

/* Where PCI's configuration space and its window for 64-bit BARs are: above 256 GiB, or above RAM
 * where that reaches as far, aligned to their sizes. */
struct virt_pci_map {
    uint64_t ecam, high;
};

static inline struct virt_pci_map virt_pci_map(uint64_t memory_bytes)
{
    uint64_t low_end = 1ull << 38, ram_end = align_up(VIRT_RAM + memory_bytes, low_end);
    /* 256 MiB below are for more redistributors, as other boards of this kind have there */
    uint64_t ecam = (ram_end > low_end ? ram_end : low_end) + VIRT_PCI_ECAM_BYTES;
    return (struct virt_pci_map){ecam, align_up(ecam, VIRT_PCI_HIGH_BYTES)};
}

/* Whether virtio-mmio's interrupts are edges, not levels: the device tree has to say so. */
bool virt_slot_is_edge(const struct machine *machine);

/* What the device tree's /chosen says about the images. */
struct virt_chosen {
    const char *append;          /* may be NULL */
    uint64_t initrd, initrd_end; /* equal: none */
};

/* Writes the device tree into `blob`. Errors: ENOSPC. */
int virt_fdt_make(const struct machine *machine, const struct virt_chosen *chosen,
                  uint8_t blob[VIRT_FDT_BYTES], struct err *e);

#endif
