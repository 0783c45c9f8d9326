/* q35.c: as much of the Q35's memory controller and of the ICH9's LPC bridge as firmware and
 * kernels look at.
 *
 * Firmware tells boards apart by the device in slot 0. On a Q35 it puts ECAM where it wants it
 * (PCIEXBAR), finds the power management registers by the LPC bridge (PMBASE, ACPI_CNTL), and takes
 * an ISA bridge as the sign of a serial port. Everything else of the two chips reads as zero, which
 * stands for "not there" or "off".
 *
 * Limits: the power management registers stay where the board has them; PCIEXBAR takes only its
 * length of 256 MiB; no PAM (all below 1 MiB is RAM), no SMRAM, no PIRQ routing (interrupts are the
 * IOAPIC's), no RCRB.
 */
#include "core/device/q35.h"

#include "base/bytes.h"
#include "core/device/pci_int.h"

enum {
    PCIEXBAR = 0x60, /* 64 bits: address from bit 28 on, length in bits 2:1, bit 0 enables */
    PCIEXBAR_ENABLE = 1,
    PCIEXBAR_LENGTH = 6,

    COMMAND_LPC =
        7, /* I/O, memory and bus master, always: firmware wants the first of an ISA bridge */

    PMBASE = 0x40,
    PMBASE_IO = 1, /* it is a port's number */
    ACPI_CNTL = 0x44,
    ACPI_CNTL_ENABLE = 1 << 7,
};
#define PCIEXBAR_ADDRESS 0xff0000000ull
#define PCIEXBAR_RESET   0xe0000000ull

static void bridge_written(void *ctx, unsigned offset, unsigned size_bytes)
{
    struct pci_function *fn = ctx;
    if (offset + size_bytes <= PCIEXBAR || offset >= PCIEXBAR + 8)
        return;
    uint64_t value = load_le(fn->config + PCIEXBAR, 8);
    bool on = value & PCIEXBAR_ENABLE && !(value & PCIEXBAR_LENGTH);
    pci_host_move_ecam(fn->host, on ? value & PCIEXBAR_ADDRESS : PCI_UNMAPPED);
}

struct pci_function *q35_memory_controller_new(void)
{
    static const struct pci_identity identity = {
        .vendor = 0x8086,
        .device = 0x29c0,
        .subsystem_vendor = 0x1af4,
        .subsystem = 0x1100,
        .class_code = 0x060000,
    };
    static const struct pci_function_ops ops = {.config_written = bridge_written};
    struct pci_function *fn = pci_function_new(&identity, &ops, NULL);
    fn->ctx = fn;
    pci_add_register(fn, PCIEXBAR, 8, PCIEXBAR_RESET,
                     PCIEXBAR_ADDRESS | PCIEXBAR_LENGTH | PCIEXBAR_ENABLE);
    return fn;
}

struct pci_function *q35_lpc_new(uint16_t pm_base)
{
    static const struct pci_identity identity = {
        .vendor = 0x8086,
        .device = 0x2918,
        .subsystem_vendor = 0x1af4,
        .subsystem = 0x1100,
        .class_code = 0x060100,
        .revision = 2,
    };
    struct pci_function *fn = pci_function_new(&identity, NULL, NULL);
    pci_add_register(fn, PCI_COMMAND, 2, COMMAND_LPC, 0);
    pci_add_register(fn, PMBASE, 4, pm_base | PMBASE_IO, 0);
    pci_add_register(fn, ACPI_CNTL, 1, 0, ACPI_CNTL_ENABLE);
    return fn;
}
