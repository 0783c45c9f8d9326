/* x86.c: the x86_64 board: RAM, a serial port, ACPI's power management, and a PCI host with the
 * virtio devices, for engines that bring the interrupt controllers (KVM).
 *
 * RAM lies below 2 GiB and, what is more, from 4 GiB on; between them are PCI's windows and the
 * APICs (x86_int.h). A kernel is started without firmware: the board puts kernel, tables and BARs
 * where firmware would have (x86_boot.c, x86_acpi.c). Firmware starts at the reset vector and finds
 * the two functions of a Q35 by which it knows its way (q35.h), flash and fw_cfg (x86_firmware.c).
 */
#include "core/machine/x86_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/device/acpi_pm.h"
#include "core/device/cmos.h"
#include "core/device/q35.h"
#include "core/device/uart16550.h"
#include "core/device/virtio/transport_pci.h"
#include "core/machine/devices.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static_assert(X86_RAM_LOW_MAX <= X86_PCI_ECAM && X86_PCI_ECAM + X86_PCI_ECAM_SIZE <= X86_PCI_LOW,
              "RAM, ECAM and PCI's window lie one behind the other");

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

static void on_ecam_moved(void *ctx)
{
    struct machine *machine = ctx;
    struct x86 *x86 = machine->board_state;
    uint64_t ecam = pci_host_ecam(x86->pci_host);
    if (ecam == PCI_UNMAPPED)
        return;
    x86->pci.ecam.base = ecam;
    x86_firmware_renew(machine);
}

/* --- building ----------------------------------------------------------------------------------
 */

static int open_images(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    const struct machine_config *config = &machine->config;
    if (!config->kernel)
        return 0;
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
    return rc == 0 && machine->config.firmware ? x86_firmware_memory(machine, e) : rc;
}

struct x86_pci_map x86_pci_map(const struct machine_config *config)
{
    const uint64_t ram = config->memory_bytes;
    const uint64_t low = config->firmware ? X86_RAM_LOW_MAX : X86_PCI_LOW;
    const uint64_t high =
        align_up(X86_RAM_HIGH + (ram > X86_RAM_LOW_MAX ? ram - X86_RAM_LOW_MAX : 0), GIB);
    return (struct x86_pci_map){
        .ecam = {X86_PCI_ECAM, X86_PCI_ECAM_SIZE},
        .low = {low, X86_IOAPIC - low},
        .high = {high, X86_HIGH_END - high},
    };
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
        .type_0_is_off = machine->config.firmware,
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
    if (rc == 0)
        rc = cmos_new(machine->config.loop, machine_engine_line(machine, X86_LINE_CMOS), &x86->cmos,
                      e);
    if (rc == 0)
        rc = bus_add(ports, "cmos", X86_CMOS, CMOS_PORTS_BYTES, &cmos_ops, x86->cmos, e);
    return rc;
}

static int build_pci(struct machine *machine, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    x86->pci = x86_pci_map(&machine->config);
    struct pci_host_config config = {
        .ecam = x86->pci.ecam,
        .low = x86->pci.low,
        .high = x86->pci.high,
        .ctx = machine,
        .msi = machine_engine_msi,
        .message_fd = machine_engine_message_fd,
        .doorbell = machine_engine_doorbell,
        .reset = on_reset,
    };
    if (machine->config.firmware) {
        config.ecam.base = PCI_UNMAPPED;
        config.bridge = q35_memory_controller_new();
        config.ecam_moved = on_ecam_moved;
    }
    for (unsigned i = 0; i < PCI_PINS; i++)
        config.wires[i] = machine_engine_line(machine, X86_LINE_PCI + i);
    int rc = pci_host_new(&config, &machine->bus, &x86->pci_host, e);
    if (rc == 0)
        rc = bus_add(&machine->ports, "pci-config", PCI_CONFIG_PORTS, PCI_CONFIG_PORTS_BYTES,
                     &pci_config_ports_ops, x86->pci_host, e);
    if (rc == 0 && machine->config.firmware) {
        x86->lpc = q35_lpc_new(X86_ACPI_PM);
        pci_host_plug_at(x86->pci_host, Q35_LPC_SLOT, x86->lpc);
    }
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

static int build_firmware(struct machine *machine, struct err *e)
{
    return machine->config.firmware ? x86_firmware_build(machine, e) : 0;
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
        open_images, build_memory, build_engine,   build_legacy,
        build_pci,   build_virtio, build_firmware, /* may make a file */
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(steps); i++)
        rc = steps[i](machine, e);
    return rc;
}

/* --- the rest of a life ------------------------------------------------------------------------
 */

/* What a PC's set-up leaves in CMOS about RAM, each with as much as its field can say: KiB below
 * 640 KiB, KiB from 1 MiB on (twice), units of 64 KiB from 16 MiB and from 4 GiB on. */
static void put_memory_sizes(struct machine *machine)
{
    struct x86 *x86 = machine->board_state;
    const uint64_t low = machine->mem.regions[0].size_bytes;
    const struct {
        unsigned index, count;
        uint64_t value, max;
    } fields[] = {
        {0x15, 2, X86_LOW_END >> 10, 0xffff},
        {0x17, 2, (low - X86_HIGH_START) >> 10, 0xfc00},
        {0x30, 2, (low - X86_HIGH_START) >> 10, 0xfc00},
        {0x34, 2, (low - 16 * MIB) >> 16, 0xffff},
        {0x5b, 3, (machine->config.memory_bytes - low) >> 16, 0xffffff},
    };
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        uint64_t value = fields[i].value < fields[i].max ? fields[i].value : fields[i].max;
        for (unsigned byte = 0; byte < fields[i].count; byte++)
            cmos_set(x86->cmos, fields[i].index + byte, (uint8_t)(value >> 8 * byte));
    }
}

static int x86_load(struct machine *machine, struct engine_start *ret_start, struct err *e)
{
    struct x86 *x86 = machine->board_state;
    put_memory_sizes(machine);
    if (machine->config.firmware) {
        ret_start->at_reset_vector = true;
        return x86_firmware_load(machine, e);
    }
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
    firmware_reset(&x86->firmware);
    if (x86->lpc)
        pci_function_reset(x86->lpc);
    cmos_reset(x86->cmos);
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
    pci_function_free(x86->lpc);
    x86_firmware_done(x86);
    cmos_free(x86->cmos);
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
