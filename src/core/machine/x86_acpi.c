/* x86_acpi.c: the ACPI tables of the x86_64 board (ACPI 6.5, chapter 5): RSDP, XSDT, FADT, MADT,
 * MCFG and a DSDT without methods.
 *
 * FADT says what is not there: VGA, a keyboard controller. The DSDT has the PCI host with its
 * windows and the wires of INTA# to INTD#, the serial port, the clock, and _S5, by which an
 * operating system switches the machine off. Where firmware is to place the tables they are built
 * as if they began at address 0 (x86_firmware.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/device/acpi_pm.h"
#include "core/device/cmos.h"
#include "core/device/uart16550.h"
#include "core/machine/acpi.h"
#include "core/machine/x86_int.h"

enum { RSDP_BYTES = 36, RSDP_V1_BYTES = 20, FACS_BYTES = 64 };

/* 5.2.12: interrupt controller structures. */
enum { MADT_LOCAL_APIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_NMI = 4 };
enum { LEVEL_ACTIVE_HIGH = 0xd, MADT_PCAT_COMPAT = 1 };

/* FADT's boot architecture and feature flags (tables 5.9 to 5.11). */
enum {
    BOOT_LEGACY_DEVICES = 1 << 0,
    BOOT_NO_VGA = 1 << 2,
    FADT_WBINVD = 1 << 0,
    FADT_SLEEP_BUTTON_IS_NONE = 1 << 5,
    FADT_NO_FIXED_RTC = 1 << 6,
    FADT_TIMER_32 = 1 << 8,
    FADT_RESET = 1 << 10,
};

/* --- DSDT --------------------------------------------------------------------------------------
 */

/* Pin n of slot s is wire (n + s) % 4. */
static void put_pci_wires(struct acpi *a)
{
    aml_name(a, "_PRT");
    size_t all = aml_package(a, PCI_SLOTS * PCI_PINS);
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < PCI_PINS; pin++) {
            size_t row = aml_package(a, 4);
            aml_integer(a, (uint64_t)slot << 16 | 0xffff);
            aml_integer(a, pin);
            aml_integer(a, 0); /* a line of the IOAPIC, no link device */
            aml_integer(a, X86_LINE_PCI + (slot + pin) % PCI_PINS);
            aml_close(a, row);
        }
    }
    aml_close(a, all);
}

/* Where ECAM may come to lie in the middle of the low window there are always two parts of it, so
 * that the tables' size is the same wherever it is. */
static void put_windows(struct acpi *a, const struct x86_pci_map *map)
{
    const uint64_t low = map->low.base, end = low + map->low.size_bytes;
    uint64_t hole = map->ecam.base, hole_end = hole + map->ecam.size_bytes;
    if (hole <= low || hole_end >= end)
        hole = hole_end = X86_PCI_ECAM;
    if (low < X86_PCI_ECAM) {
        aml_window(a, AML_WINDOW_MEMORY, low, hole - low);
        aml_window(a, AML_WINDOW_MEMORY, hole_end, end - hole_end);
    } else {
        aml_window(a, AML_WINDOW_MEMORY, low, end - low);
    }
    aml_window(a, AML_WINDOW_MEMORY, map->high.base, map->high.size_bytes);
}

static void put_pci(struct acpi *a, const struct x86_pci_map *map)
{
    size_t device = aml_device(a, "PCI0");
    aml_name_eisa(a, "_HID", "PNP0A08");
    aml_name_eisa(a, "_CID", "PNP0A03");
    aml_name_integer(a, "_UID", 0);
    aml_name_integer(a, "_SEG", 0);
    aml_name_integer(a, "_BBN", 0);
    aml_name_integer(a, "_CCA", 1);
    struct aml_resources r = aml_resources(a, "_CRS");
    aml_window(a, AML_WINDOW_BUSES, 0, X86_ECAM_BUSES);
    aml_io(a, PCI_CONFIG_PORTS, PCI_CONFIG_PORTS_BYTES);
    aml_window(a, AML_WINDOW_IO, 0, PCI_CONFIG_PORTS); /* ports of the LPC bridge */
    aml_window(a, AML_WINDOW_IO, PCI_CONFIG_PORTS + PCI_CONFIG_PORTS_BYTES,
               0x10000 - PCI_CONFIG_PORTS - PCI_CONFIG_PORTS_BYTES);
    put_windows(a, map);
    aml_resources_end(a, &r);
    put_pci_wires(a);
    aml_close(a, device);

    /* ECAM is reserved by a device of its own: PCI Firmware Specification 4.1.2. */
    device = aml_device(a, "MCFG");
    aml_name_eisa(a, "_HID", "PNP0C02");
    aml_name_integer(a, "_UID", 1);
    r = aml_resources(a, "_CRS");
    aml_memory32(a, (uint32_t)map->ecam.base, (uint32_t)map->ecam.size_bytes);
    aml_resources_end(a, &r);
    aml_close(a, device);
}

/* A device of the ISA bus: ports and an interrupt. */
static void put_isa(struct acpi *a, const char name[4], const char *id, uint16_t port,
                    uint8_t port_bytes, unsigned line)
{
    size_t device = aml_device(a, name);
    aml_name_eisa(a, "_HID", id);
    aml_name_integer(a, "_UID", 1);
    struct aml_resources r = aml_resources(a, "_CRS");
    aml_io(a, port, port_bytes);
    aml_irq(a, line);
    aml_resources_end(a, &r);
    aml_close(a, device);
}

static uint64_t put_dsdt(struct acpi *a, const struct x86_pci_map *map)
{
    size_t table = acpi_table(a, "DSDT", 2);
    uint64_t address = a->address + table;
    aml_name(a, "_S5_"); /* SLP_TYPa, SLP_TYPb, and two that are reserved: 7.4.2 */
    size_t package = aml_package(a, 4);
    aml_integer(a, ACPI_PM_S5);
    aml_integer(a, ACPI_PM_S5);
    aml_integer(a, 0);
    aml_integer(a, 0);
    aml_close(a, package);
    size_t scope = aml_scope(a, "_SB_");
    put_pci(a, map);
    put_isa(a, "COM1", "PNP0501", X86_COM1, UART16550_BYTES, X86_LINE_COM1);
    put_isa(a, "RTC0", "PNP0B00", X86_CMOS, CMOS_PORTS_BYTES, X86_LINE_CMOS);
    aml_close(a, scope);
    acpi_table_end(a, table);
    return address;
}

/* --- the rest ----------------------------------------------------------------------------------
 */

static uint64_t put_facs(struct acpi *a)
{
    acpi_align(a, 64);
    uint64_t address = acpi_here(a);
    acpi_bytes(a, "FACS", 4);
    acpi_int(a, 4, FACS_BYTES);
    acpi_zeros(a, 24);
    acpi_int(a, 1, 2); /* version */
    acpi_zeros(a, FACS_BYTES - 33);
    return address;
}

/* 5.2.9, in the order of table 5.9. */
static uint64_t put_fadt(struct acpi *a, uint64_t facs, uint64_t dsdt)
{
    size_t table = acpi_table(a, "FACP", 6);
    acpi_pointer(a, 4, facs);
    acpi_pointer(a, 4, dsdt);
    acpi_int(a, 1, 0);
    acpi_int(a, 1, 4); /* preferred profile: enterprise server */
    acpi_int(a, 2, X86_LINE_SCI);
    acpi_zeros(a, 8); /* no SMI command: ACPI is always on */
    acpi_int(a, 4, X86_ACPI_PM + ACPI_PM_EVENT);
    acpi_int(a, 4, 0);
    acpi_int(a, 4, X86_ACPI_PM + ACPI_PM_CONTROL);
    acpi_int(a, 4, 0);
    acpi_int(a, 4, 0);
    acpi_int(a, 4, X86_ACPI_PM + ACPI_PM_TIMER);
    acpi_zeros(a, 8); /* no general purpose events */
    acpi_int(a, 1, 4);
    acpi_int(a, 1, 2);
    acpi_int(a, 1, 0);
    acpi_int(a, 1, 4);
    acpi_zeros(a, 4);
    acpi_int(a, 2, 0xfff); /* no C2 */
    acpi_int(a, 2, 0xfff); /* no C3 */
    acpi_zeros(a, 8);      /* flush sizes, duty cycle, alarms */
    acpi_int(a, 1, CMOS_CENTURY);
    acpi_int(a, 2, BOOT_LEGACY_DEVICES | BOOT_NO_VGA);
    acpi_int(a, 1, 0);
    acpi_int(a, 4,
             FADT_WBINVD | FADT_SLEEP_BUTTON_IS_NONE | FADT_NO_FIXED_RTC | FADT_TIMER_32 |
                 FADT_RESET);
    acpi_port(a, I8042_COMMAND, 1);
    acpi_int(a, 1, I8042_RESET);
    acpi_int(a, 2, 0);
    acpi_int(a, 1, 5); /* minor version */
    acpi_pointer(a, 8, facs);
    acpi_pointer(a, 8, dsdt);
    acpi_port(a, X86_ACPI_PM + ACPI_PM_EVENT, 4);
    acpi_zeros(a, 12);
    acpi_port(a, X86_ACPI_PM + ACPI_PM_CONTROL, 2);
    acpi_zeros(a, 12 + 12);
    acpi_port(a, X86_ACPI_PM + ACPI_PM_TIMER, 4);
    acpi_zeros(a, 2 * 12 + 2 * 12); /* events; sleep registers of reduced hardware */
    acpi_bytes(a, "PENG    ", 8);   /* the hypervisor's vendor */
    acpi_table_end(a, table);
    return a->address + table;
}

static void put_override(struct acpi *a, unsigned isa, unsigned line, unsigned flags)
{
    acpi_int(a, 1, MADT_OVERRIDE);
    acpi_int(a, 1, 10);
    acpi_int(a, 1, 0);
    acpi_int(a, 1, isa);
    acpi_int(a, 4, line);
    acpi_int(a, 2, flags);
}

static uint64_t put_madt(struct acpi *a, unsigned cpus)
{
    size_t table = acpi_table(a, "APIC", 5);
    acpi_int(a, 4, X86_LOCAL_APIC);
    acpi_int(a, 4, MADT_PCAT_COMPAT);
    for (unsigned i = 0; i < cpus; i++) {
        acpi_int(a, 1, MADT_LOCAL_APIC);
        acpi_int(a, 1, 8);
        acpi_int(a, 1, i); /* processor and APIC id */
        acpi_int(a, 1, i);
        acpi_int(a, 4, 1); /* enabled */
    }
    acpi_int(a, 1, MADT_IOAPIC);
    acpi_int(a, 1, 12);
    acpi_int(a, 1, 0);
    acpi_int(a, 1, 0);
    acpi_int(a, 4, X86_IOAPIC);
    acpi_int(a, 4, 0);
    put_override(a, 0, 2, 0); /* the 8254 is on line 2 */
    put_override(a, X86_LINE_SCI, X86_LINE_SCI, LEVEL_ACTIVE_HIGH);
    acpi_int(a, 1, MADT_NMI);
    acpi_int(a, 1, 6);
    acpi_int(a, 1, 0xff); /* all processors */
    acpi_int(a, 2, 0);
    acpi_int(a, 1, 1); /* LINT1 */
    acpi_table_end(a, table);
    return a->address + table;
}

/* PCI Firmware Specification 3.3, 4.1.2. */
static uint64_t put_mcfg(struct acpi *a, const struct x86_pci_map *map)
{
    size_t table = acpi_table(a, "MCFG", 1);
    acpi_zeros(a, 8);
    acpi_int(a, 8, map->ecam.base);
    acpi_int(a, 2, 0);
    acpi_int(a, 1, 0);
    acpi_int(a, 1, X86_ECAM_BUSES - 1);
    acpi_zeros(a, 4);
    acpi_table_end(a, table);
    return a->address + table;
}

static uint64_t put_xsdt(struct acpi *a, const uint64_t *tables, unsigned count)
{
    size_t table = acpi_table(a, "XSDT", 1);
    for (unsigned i = 0; i < count; i++)
        acpi_pointer(a, 8, tables[i]);
    acpi_table_end(a, table);
    return a->address + table;
}

/* 5.2.5.3; it lies first, where put_tables() left room. */
static void put_rsdp(uint8_t *bytes, uint64_t xsdt)
{
    struct acpi a = {.bytes = bytes, .capacity = RSDP_BYTES};
    acpi_bytes(&a, "RSD PTR ", 8);
    acpi_int(&a, 1, 0);
    acpi_bytes(&a, "PENG  ", 6);
    acpi_int(&a, 1, 2); /* ACPI 2.0 and later */
    acpi_int(&a, 4, 0); /* no RSDT */
    acpi_int(&a, 4, RSDP_BYTES);
    acpi_int(&a, 8, xsdt);
    acpi_zeros(&a, 4);
    acpi_checksum(&a, 0, RSDP_V1_BYTES, 8);
    acpi_checksum(&a, 0, RSDP_BYTES, 32);
}

uint64_t x86_acpi_put(const struct machine *machine, struct acpi *a)
{
    const struct x86 *x86 = machine->board_state;
    uint64_t facs = put_facs(a), dsdt = put_dsdt(a, &x86->pci);
    const uint64_t tables[] = {
        put_fadt(a, facs, dsdt),
        put_madt(a, machine->config.cpus),
        put_mcfg(a, &x86->pci),
    };
    return put_xsdt(a, tables, ARRAY_SIZE(tables));
}

int x86_acpi_make(const struct machine *machine, struct err *e)
{
    const size_t room = X86_ACPI_END - X86_ACPI;
    uint8_t *bytes = guestmem_ptr(&machine->mem, X86_ACPI, room, true);
    struct acpi a = {.bytes = bytes, .capacity = room, .address = X86_ACPI};
    acpi_zeros(&a, RSDP_BYTES);
    uint64_t xsdt = x86_acpi_put(machine, &a);
    if (a.needed > a.capacity)
        return err_set(e, ENOSPC, "the ACPI tables need %zu bytes, more than there are", a.needed);
    put_rsdp(bytes, xsdt);
    return 0;
}
