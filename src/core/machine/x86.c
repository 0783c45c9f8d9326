/* x86.c: the x86_64 board: RAM, a serial port, ACPI's power management, and a PCI host with the
 * virtio devices, for engines that bring the interrupt controllers (KVM).
 *
 * RAM lies below 3 GiB and, what is more, from 4 GiB on; between them are PCI's windows and the
 * APICs (x86_int.h). There is no firmware: the board puts kernel, tables and BARs where firmware
 * would have (x86_boot.c, x86_acpi.c).
 *
 * Limits: direct kernel boot only; no clock in CMOS (kvmclock tells the time).
 */
#include "core/machine/x86_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/device/acpi_pm.h"
#include "core/device/uart16550.h"
#include "core/device/virtio/transport_pci.h"
#include "core/machine/devices.h"

#define MIB (1ull << 20)

static_assert(X86_PCI_LOW + X86_PCI_LOW_SIZE <= X86_PCI_ECAM &&
                  X86_PCI_ECAM + X86_PCI_ECAM_SIZE <= X86_IOAPIC,
              "PCI's windows end before the APICs");

/* --- what engine and devices ask ---------------------------------------------------------------
 */

static void on_power_off(void *ctx)
{
    machine_raise(ctx, MACHINE_EVENT_POWEROFF);
}

static void on_reset(void *ctx)
{
    machine_raise(ctx, MACHINE_EVENT_RESET);
}

/* --- building ----------------------------------------------------------------------------------
 */

static int open_images(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    const struct machine_config *config = &machine->config;
    if (!config->kernel)
        return err_set(e, ENOTSUP, "--firmware: the x86_64 board starts kernels only");
    int rc = image_open("--kernel", config->kernel, &x86->kernel, e);
    if (rc == 0)
        rc = image_check_x86(&x86->kernel, config->kernel, &x86->kernel_header, e);
    if (rc == 0 && config->initrd)
        rc = image_open("--initrd", config->initrd, &x86->initrd, e);
    return rc;
}

static int build_memory(struct machine *machine, struct err *e)
{
    uint64_t bytes = machine->config.memory_bytes;
    uint64_t low = bytes < X86_RAM_LOW_MAX ? bytes : X86_RAM_LOW_MAX;
    int rc = guestmem_add_ram(&machine->mem, 0, low, false, e);
    if (rc == 0 && bytes > low)
        rc = guestmem_add_ram(&machine->mem, X86_RAM_HIGH, bytes - low, false, e);
    return rc;
}

unsigned x86_memory_ranges(const struct machine *machine, struct x86_range ranges[X86_RANGES_MAX])
{
    const struct guestmem *mem = &machine->mem;
    const uint64_t low = mem->regions[0].size_bytes;
    unsigned n = 0;
    ranges[n++] = (struct x86_range){0, X86_LOW_END, X86_RANGE_RAM};
    ranges[n++] = (struct x86_range){X86_ACPI, X86_ACPI_END - X86_ACPI, X86_RANGE_RESERVED};
    ranges[n++] = (struct x86_range){X86_HIGH_START, low - X86_HIGH_START, X86_RANGE_RAM};
    ranges[n++] = (struct x86_range){X86_PCI_ECAM, X86_PCI_ECAM_SIZE, X86_RANGE_RESERVED};
    if (mem->region_count > 1)
        ranges[n++] = (struct x86_range){X86_RAM_HIGH, mem->regions[1].size_bytes, X86_RANGE_RAM};
    return n;
}

static int build_engine(struct machine *machine, struct err *e)
{
    const struct engine_host host = {
        .ctx = machine,
        .event = machine_on_engine_event,
        .ports = {&machine->ports, bus_read, bus_write},
    };
    if (!machine->config.engine->irqchip)
        return err_set(e, ENOTSUP, "--engine %s: has no interrupt controllers for the x86_64 board",
                       machine->config.engine->name);
    return machine_make_engine(machine, &host, e);
}

static int build_legacy(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    const struct uart16550_config uart = {
        .loop = machine->config.loop,
        .irq = machine_engine_line(machine, X86_LINE_COM1),
        .back = machine->config.console_virtio ? (struct chardev){0} : machine->config.console,
    };
    const struct acpi_pm_config pm = {
        .sci = machine_engine_line(machine, X86_LINE_SCI),
        .ctx = machine,
        .power_off = on_power_off,
        .reset = on_reset,
    };
    struct bus *ports = &machine->ports;
    int rc = uart16550_new(&uart, &x86->uart, e);
    if (rc == 0)
        rc = bus_add(ports, "com1", X86_COM1, UART16550_BYTES, &uart16550_ops, x86->uart, e);
    x86->pm = acpi_pm_new(&pm);
    if (rc == 0)
        rc = bus_add(ports, "acpi-pm", X86_ACPI_PM, ACPI_PM_BYTES, &acpi_pm_ops, x86->pm, e);
    if (rc == 0)
        rc = bus_add(ports, "i8042", I8042_COMMAND, 1, &i8042_ops, x86->pm, e);
    return rc;
}

static int build_pci(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    struct pci_host_config config = {
        .ecam = {X86_PCI_ECAM, X86_PCI_ECAM_SIZE},
        .low = {X86_PCI_LOW, X86_PCI_LOW_SIZE},
        .ctx = machine,
        .msi = machine_engine_msi,
        .message_fd = machine_engine_message_fd,
        .doorbell = machine_engine_doorbell,
    };
    for (unsigned i = 0; i < PCI_PINS; i++)
        config.wires[i] = machine_engine_line(machine, X86_LINE_PCI + i);
    int rc = pci_host_new(&config, &machine->bus, &x86->pci_host, e);
    if (rc == 0)
        rc = bus_add(&machine->ports, "pci-config", PCI_CONFIG_PORTS, PCI_CONFIG_PORTS_BYTES,
                     &pci_config_ports_ops, x86->pci_host, e);
    return rc;
}

static int add_virtio(struct machine *machine, struct virtio_device *dev, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    int rc = virtio_pci_new(dev, x86->pci_host, &x86->functions[x86->function_count], e);
    x86->function_count += rc == 0;
    return rc;
}

static int build_virtio(struct machine *machine, struct err *e)
{
    return machine_add_devices(machine, add_virtio, e);
}

static int x86_build(struct machine *machine, struct err *e)
{
    struct x86 *x86 = calloc(1, sizeof(*x86));
    if (!x86)
        abort();
    machine->board_state = x86;
    const struct machine_config *config = &machine->config;
    if (config->cpus < 1 || config->cpus > X86_CPUS_MAX)
        return err_set(e, EINVAL, "--cpus %u: from 1 to %u", config->cpus, X86_CPUS_MAX);
    if (config->memory_bytes < 16 * MIB || config->memory_bytes > X86_MEMORY_MAX)
        return err_set(e, EINVAL, "--memory %llu MiB: from 16 MiB to 1 TiB",
                       (unsigned long long)(config->memory_bytes / MIB));
    if (config->virtio_transport == MACHINE_VIRTIO_MMIO)
        return err_set(e, ENOTSUP, "--virtio-transport mmio: the x86_64 board has PCI only");

    static int (*const steps[])(struct machine *, struct err *) = {
        open_images, build_memory, build_engine, build_legacy, build_pci, build_virtio,
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(steps); i++)
        rc = steps[i](machine, e);
    return rc;
}

/* --- the rest of a life ------------------------------------------------------------------------
 */

static int x86_load(struct machine *machine, struct engine_start *ret_start, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    pci_host_assign(x86->pci_host);
    int rc = x86_acpi_make(machine, e);
    return rc < 0 ? rc : x86_boot(machine, ret_start, e);
}

static void x86_reset(struct machine *machine)
{
    struct x86 *x86 = machine->board_state;
    for (unsigned i = 0; i < x86->function_count; i++)
        virtio_pci_reset(x86->functions[i]);
    pci_host_reset(x86->pci_host);
    acpi_pm_reset(x86->pm);
    uart16550_reset(x86->uart);
}

static void x86_press_power(struct machine *machine)
{
    struct x86 *x86 = machine->board_state;
    acpi_pm_press_power(x86->pm);
}

static void x86_free(struct machine *machine)
{
    struct x86 *x86 = machine->board_state;
    if (!x86)
        return;
    for (unsigned i = 0; i < x86->function_count; i++)
        virtio_pci_free(x86->functions[i]);
    pci_host_free(x86->pci_host);
    acpi_pm_free(x86->pm);
    uart16550_free(x86->uart);
    image_close(&x86->kernel);
    image_close(&x86->initrd);
    free(x86);
}

const struct board_ops x86_board_ops = {
    .arch = "x86_64",
    .build = x86_build,
    .load = x86_load,
    .reset = x86_reset,
    .press_power = x86_press_power,
    .free = x86_free,
};
