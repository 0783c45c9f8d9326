/* virt.c: the arm64 virt board: RAM, GICv3, PL011, PL031, PL061 power key, flash, fw_cfg and either
 * 32 virtio-mmio slots or a PCI host bridge, built in visible order at the addresses of virt_int.h.
 *
 * A kernel is started as Linux's Documentation/arm64/booting.rst says: the device tree at the start
 * of RAM, the kernel at the next 2 MiB boundary, the initrd behind it; x0 points to the tree.
 * Firmware starts at address 0 in flash and finds the tree at the start of RAM.
 */
#include "core/machine/virt_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/device/gicv3.h"
#include "core/device/gicv3_its.h"
#include "core/device/pci.h"
#include "core/device/pl011.h"
#include "core/device/pl031.h"
#include "core/device/pl061.h"
#include "core/device/virtio/transport_mmio.h"
#include "core/device/virtio/transport_pci.h"
#include "core/machine/devices.h"

#define MIB (1ull << 20)

static_assert(VIRT_GICR + (uint64_t)VIRT_CPUS_MAX * GICV3_REDIST_BYTES <= VIRT_PL011,
              "the redistributors end before the UART");
static_assert(VIRT_PCI_LOW + VIRT_PCI_LOW_BYTES <= VIRT_PCI_IO &&
                  VIRT_PCI_IO + VIRT_PCI_IO_BYTES <= VIRT_RAM,
              "PCI's low windows end before RAM");
static_assert(VIRT_SPI_VIRTIO + VIRT_VIRTIO_SLOTS <= VIRT_SPIS, "every slot has an interrupt");

/* MPIDR_EL1 by the number KVM's API gives it. */
#define REG_MPIDR ENGINE_REG_SYS(0xc005)

/* --- what the engine asks ----------------------------------------------------------------------
 */

static bool on_hypercall(void *ctx, struct vcpu *vcpu, bool smc, uint64_t args[8])
{
    struct virt *virt = ((struct machine *)ctx)->board_state;
    return psci_call(&virt->psci, vcpu, args);
}

static uint64_t on_icc_read(void *ctx, unsigned vcpu_index, uint16_t key)
{
    struct virt *virt = ((struct machine *)ctx)->board_state;
    return gicv3_icc_read(virt->gic, vcpu_index, key);
}

static void on_icc_write(void *ctx, unsigned vcpu_index, uint16_t key, uint64_t value)
{
    struct virt *virt = ((struct machine *)ctx)->board_state;
    gicv3_icc_write(virt->gic, vcpu_index, key, value);
}

static void on_icc_deactivate(void *ctx, unsigned vcpu_index, unsigned intid)
{
    struct virt *virt = ((struct machine *)ctx)->board_state;
    gicv3_deactivate(virt->gic, vcpu_index, intid);
}

static void on_ppi(void *ctx, unsigned vcpu_index, unsigned intid, bool level)
{
    struct virt *virt = ((struct machine *)ctx)->board_state;
    gicv3_set_ppi(virt->gic, vcpu_index, intid, level);
}

static void on_gic_line(void *ctx, unsigned cpu_index, enum vcpu_line line, bool level)
{
    struct machine *machine = ctx;
    machine->config.engine->set_line(machine->vcpus[cpu_index].vcpu, line, level);
}

static void on_system_off(void *ctx)
{
    machine_raise(ctx, MACHINE_EVENT_POWEROFF);
}

static void on_system_reset(void *ctx)
{
    machine_raise(ctx, MACHINE_EVENT_RESET);
}

/* --- interrupts --------------------------------------------------------------------------------
 */

/* The engine's controllers, if it brings them; else NULL. */
static const struct engine_irqchip *irqchip(const struct machine *machine)
{
    return machine->config.engine->irqchip;
}

bool virt_slot_is_edge(const struct machine *machine)
{
    return irqchip(machine);
}

/* A device's way to shared peripheral interrupt `spi`, counted from 0. */
static struct irq_line spi_line(struct machine *machine, unsigned spi)
{
    struct virt *virt = machine->board_state;
    if (irqchip(machine))
        return machine_engine_line(machine, spi);
    return gicv3_spi_line(virt->gic, spi);
}

/* --- building ----------------------------------------------------------------------------------
 */

static int build_memory(struct machine *machine, struct err *e)
{
    struct virt *virt = machine->board_state;
    const struct machine_config *config = &machine->config;
    int rc = guestmem_add_ram(&machine->mem, VIRT_RAM, config->memory_bytes, false, e);
    if (rc == 0 && config->firmware)
        rc = firmware_open(machine, VIRT_FLASH_SIZE, &virt->firmware, e);
    if (rc < 0 || !config->firmware)
        return rc;
    return guestmem_add_ram(&machine->mem, VIRT_FLASH0, VIRT_FLASH_SIZE, true, e);
}

static int build_engine(struct machine *machine, struct err *e)
{
    struct virt *virt = machine->board_state;
    const struct machine_config *config = &machine->config;
    const struct engine_host host = {
        .ctx = machine,
        .event = machine_on_engine_event,
        .gic = {VIRT_GICD, VIRT_GICR, VIRT_ITS, VIRT_SPIS},
        .hypercall = on_hypercall,
        .icc_read = on_icc_read,
        .icc_write = on_icc_write,
        .icc_deactivate = on_icc_deactivate,
        .ppi = on_ppi,
    };
    if (config->virtualization && irqchip(machine))
        return err_set(e, ENOTSUP, "--virtualization: not with --engine %s", config->engine->name);
    int rc = machine_make_engine(machine, &host, e);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < config->cpus; i++) {
        uint64_t mpidr = i;
        config->engine->get_reg(machine->vcpus[i].vcpu, REG_MPIDR, &mpidr);
        virt->affinities[i] = mpidr & PSCI_AFFINITY_MASK;
    }
    virt->psci = (struct psci){
        .engine = config->engine,
        .cpus = machine->engine,
        .cpu_count = config->cpus,
        .affinities = virt->affinities,
        .mem = &machine->mem,
        .ctx = machine,
        .system_off = on_system_off,
        .system_reset = on_system_reset,
    };
    pthread_mutex_init(&virt->psci.lock, NULL);
    return 0;
}

static int build_gic(struct machine *machine, struct err *e)
{
    struct virt *virt = machine->board_state;
    uint32_t affinities[VIRT_CPUS_MAX];
    if (irqchip(machine))
        return 0;
    for (unsigned i = 0; i < machine->config.cpus; i++)
        affinities[i] =
            (uint32_t)(virt->affinities[i] >> 32 << 24 | (virt->affinities[i] & 0xffffff));
    const struct gicv3_config config = {
        .cpus = machine->config.cpus,
        .spis = VIRT_SPIS,
        .affinities = affinities,
        .set_line = on_gic_line,
        .ctx = machine,
        .mem = &machine->mem,
    };
    int rc = gicv3_new(&config, &virt->gic, e);
    if (rc == 0)
        rc = bus_add(&machine->bus, "gicd", VIRT_GICD, GICV3_DIST_BYTES, &gicv3_dist_ops, virt->gic,
                     e);
    if (rc == 0)
        rc = bus_add(&machine->bus, "gicr", VIRT_GICR,
                     (uint64_t)GICV3_REDIST_BYTES * machine->config.cpus, &gicv3_redist_ops,
                     virt->gic, e);
    if (rc == 0)
        rc = gicv3_its_new(virt->gic, &virt->its, e);
    if (rc == 0)
        rc = bus_add(&machine->bus, "its", VIRT_ITS, GICV3_ITS_BYTES, &gicv3_its_ops, virt->its, e);
    return rc;
}

static int build_primecells(struct machine *machine, struct err *e)
{
    struct virt *virt = machine->board_state;
    struct evloop *loop = machine->config.loop;
    const struct pl011_config uart = {
        .loop = loop,
        .irq = spi_line(machine, VIRT_SPI_PL011),
        .back = machine->config.console_virtio ? (struct chardev){0} : machine->config.console,
    };
    int rc = pl011_new(&uart, &virt->uart, e);
    if (rc == 0)
        rc = bus_add(&machine->bus, "pl011", VIRT_PL011, PL011_BYTES, &pl011_ops, virt->uart, e);
    if (rc == 0)
        rc = pl031_new(loop, spi_line(machine, VIRT_SPI_PL031), &virt->rtc, e);
    if (rc == 0)
        rc = bus_add(&machine->bus, "pl031", VIRT_PL031, PL031_BYTES, &pl031_ops, virt->rtc, e);
    if (rc == 0)
        rc = pl061_new(loop, spi_line(machine, VIRT_SPI_PL061), &virt->gpio, e);
    if (rc == 0)
        rc = bus_add(&machine->bus, "pl061", VIRT_PL061, PL061_BYTES, &pl061_ops, virt->gpio, e);
    return rc;
}

/* Flash and fw_cfg: only firmware looks at them. */
static int build_firmware(struct machine *machine, struct err *e)
{
    struct virt *virt = machine->board_state;
    if (!machine->config.firmware)
        return 0;
    const struct firmware_bank bank = {.base = VIRT_FLASH1, .size_bytes = VIRT_FLASH_SIZE};
    int rc =
        bus_add(&machine->bus, "flash-code", VIRT_FLASH0, VIRT_FLASH_SIZE, &cfi_rom_ops, NULL, e);
    if (rc == 0)
        rc = firmware_make_config(machine, &virt->firmware, e);
    if (rc == 0)
        rc = bus_add(&machine->bus, "fw-cfg", VIRT_FW_CFG, FW_CFG_BYTES, &fw_cfg_ops,
                     virt->firmware.fw_cfg, e);
    if (rc == 0)
        rc = firmware_add_variables(machine, &virt->firmware, &bank, e);
    return rc;
}

/* A slot's interrupt: where the engine has the controllers, by eventfd, as an edge. */
static int slot_line(struct machine *machine, unsigned slot, struct irq_line *ret_line,
                     struct err *e)
{
    struct virt *virt = machine->board_state;
    if (!virt_slot_is_edge(machine)) {
        *ret_line = spi_line(machine, VIRT_SPI_VIRTIO + slot);
        return 0;
    }
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return err_set_errno(e, errno, "a virtio device's interrupt");
    virt->slot_fds[virt->slot_fd_count++] = fd;
    return machine_engine_edge(machine, VIRT_SPI_VIRTIO + slot, fd, ret_line, e);
}

/* Puts a device into a virtio-mmio slot; NULL leaves it empty. */
static int add_slot(struct machine *machine, unsigned slot, struct virtio_device *dev,
                    struct err *e)
{
    struct virt *virt = machine->board_state;
    const uint64_t base = VIRT_VIRTIO + (uint64_t)slot * VIRTIO_MMIO_BYTES;
    struct irq_line line = {0};
    assert(slot < VIRT_VIRTIO_SLOTS);
    int rc = dev ? slot_line(machine, slot, &line, e) : 0;
    if (rc < 0) {
        virtio_device_free(dev);
        return rc;
    }
    rc = virtio_mmio_new(dev, &machine->bus, base, line, &virt->slots[slot], e);
    /* One doorbell for all queues. Where the engine takes none, kicks are writes as all others. */
    if (rc == 0 && dev && irqchip(machine))
        machine_engine_doorbell(machine, base + VIRTIO_MMIO_NOTIFY, VIRTIO_MMIO_NOTIFY_BYTES,
                                virtio_device_kick_fd(dev), true);
    return rc;
}

/* Puts a device into the next slot of the transport that the operator chose. */
static int add_virtio(struct machine *machine, struct virtio_device *dev, struct err *e)
{
    struct virt *virt = machine->board_state;
    if (virt->pci_host) {
        int rc = virtio_pci_new(dev, virt->pci_host, &virt->functions[virt->function_count], e);
        virt->function_count += rc == 0;
        return rc;
    }
    if (virt->slot_count == VIRT_VIRTIO_SLOTS) {
        virtio_device_free(dev);
        return err_set(e, ENOSPC, "more than %d virtio devices", VIRT_VIRTIO_SLOTS);
    }
    int rc = add_slot(machine, virt->slot_count, dev, e);
    virt->slot_count += rc == 0;
    return rc;
}

/* A message that a PCI device sends: the ITS alone takes them on this board. */
static void on_msi(void *ctx, uint64_t address, uint32_t data, uint32_t requester)
{
    struct machine *machine = ctx;
    struct virt *virt = machine->board_state;
    if (address != VIRT_ITS + GICV3_ITS_TRANSLATER)
        return;
    if (irqchip(machine))
        machine_engine_msi(machine, address, data, requester);
    else
        gicv3_its_msi(virt->its, requester, data);
}

static int build_pci(struct machine *machine, struct err *e)
{
    struct virt *virt = machine->board_state;
    if (machine->config.virtio_transport != MACHINE_VIRTIO_PCI)
        return 0;
    const struct virt_pci_map map = virt_pci_map(machine->config.memory_bytes);
    struct pci_host_config config = {
        .ecam = {map.ecam, VIRT_PCI_ECAM_BYTES},
        .low = {VIRT_PCI_LOW, VIRT_PCI_LOW_BYTES},
        .high = {map.high, VIRT_PCI_HIGH_BYTES},
        .io = {VIRT_PCI_IO, VIRT_PCI_IO_BYTES},
        .ctx = machine,
        .msi = on_msi,
        .message_fd = irqchip(machine) ? machine_engine_message_fd : NULL,
        .doorbell = irqchip(machine) ? machine_engine_doorbell : NULL,
    };
    for (unsigned i = 0; i < PCI_PINS; i++)
        config.wires[i] = spi_line(machine, VIRT_SPI_PCI + i);
    return pci_host_new(&config, &machine->bus, &virt->pci_host, e);
}

static int build_virtio(struct machine *machine, struct err *e)
{
    struct virt *virt = machine->board_state;
    int rc = machine_add_devices(machine, add_virtio, e);
    for (unsigned i = virt->slot_count; rc == 0 && !virt->pci_host && i < VIRT_VIRTIO_SLOTS; i++)
        rc = add_slot(machine, i, NULL, e);
    return rc;
}

static int open_images(struct machine *machine, struct err *e)
{
    struct virt *virt = machine->board_state;
    const struct machine_config *config = &machine->config;
    if (!config->kernel)
        return 0;
    if (config->append && strlen(config->append) > VIRT_COMMAND_MAX)
        return err_set(e, E2BIG, "--append: longer than the %d bytes that arm64 kernels take",
                       VIRT_COMMAND_MAX);
    int rc = image_open("--kernel", config->kernel, &virt->kernel, e);
    if (rc == 0)
        rc = image_check_arm64(&virt->kernel, config->kernel, &virt->kernel_header, e);
    if (rc == 0 && config->initrd)
        rc = image_open("--initrd", config->initrd, &virt->initrd, e);
    return rc;
}

static int virt_build(struct machine *machine, struct err *e)
{
    struct virt *virt = calloc(1, sizeof(*virt));
    if (!virt)
        abort();
    machine->board_state = virt;
    const struct machine_config *config = &machine->config;
    if (config->cpus < 1 || config->cpus > VIRT_CPUS_MAX)
        return err_set(e, EINVAL, "--cpus %u: from 1 to %u", config->cpus, VIRT_CPUS_MAX);
    if (config->memory_bytes < 16 * MIB || config->memory_bytes > VIRT_MEMORY_MAX)
        return err_set(e, EINVAL, "--memory %llu MiB: from 16 MiB to 4 TiB",
                       (unsigned long long)(config->memory_bytes / MIB));

    static int (*const steps[])(struct machine *, struct err *) = {
        open_images,      build_memory, build_engine, build_gic,
        build_primecells, build_pci,    build_virtio, build_firmware, /* the last may make a file */
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(steps); i++)
        rc = steps[i](machine, e);
    return rc;
}

/* --- loading -----------------------------------------------------------------------------------
 */

/* Where the parts of a direct boot go; checked against the size of RAM. */
static int place(const struct machine *machine, uint64_t *ret_kernel, struct virt_chosen *chosen,
                 struct err *e)
{
    const struct virt *virt = machine->board_state;
    uint64_t kernel = VIRT_RAM + 2 * MIB + virt->kernel_header.text_offset;
    uint64_t end = align_up(kernel + virt->kernel_header.size_bytes, 2 * MIB);
    chosen->initrd = end;
    chosen->initrd_end = end + virt->initrd.size_bytes;
    /* Some room to work in: the kernel's page tables, and an initrd unpacks to a multiple. */
    uint64_t needed = chosen->initrd_end - VIRT_RAM + 16 * MIB;
    if (machine->config.memory_bytes < needed)
        return err_set(e, ENOMEM,
                       "--memory %llu MiB: too little for this kernel and initrd, which "
                       "need %llu MiB at least",
                       (unsigned long long)(machine->config.memory_bytes / MIB),
                       (unsigned long long)(align_up(needed, MIB) / MIB));
    *ret_kernel = kernel;
    return 0;
}

/* Loads an image to RAM or flash that place() or build_memory() made sure of. */
static int put(struct machine *machine, uint64_t address, const struct image *image,
               const char *what, struct err *e)
{
    if (!image->size_bytes)
        return 0;
    void *room = guestmem_ptr(&machine->mem, address, image->size_bytes, false);
    assert(room);
    return image_load(image, what, room, e);
}

static int virt_load(struct machine *machine, struct engine_start *ret_start, struct err *e)
{
    struct virt *virt = machine->board_state;
    struct virt_chosen chosen = {.append = machine->config.append};
    uint64_t kernel = 0;
    int rc = virt->kernel.size_bytes ? place(machine, &kernel, &chosen, e) : 0;
    if (rc < 0)
        return rc;
    uint8_t *fdt = calloc(1, VIRT_FDT_BYTES);
    if (!fdt)
        abort();
    rc = virt_fdt_make(machine, &chosen, fdt, e);
    if (rc == 0)
        guestmem_write(&machine->mem, VIRT_RAM, fdt, VIRT_FDT_BYTES);
    free(fdt);
    if (rc == 0)
        rc = put(machine, VIRT_FLASH0, &virt->firmware.image, "--firmware", e);
    if (rc == 0)
        rc = put(machine, kernel, &virt->kernel, "--kernel", e);
    if (rc == 0)
        rc = put(machine, chosen.initrd, &virt->initrd, "--initrd", e);
    if (rc < 0)
        return rc;
    ret_start->pc = virt->firmware.image.size_bytes ? VIRT_FLASH0 : kernel;
    ret_start->argument = virt->firmware.image.size_bytes ? 0 : VIRT_RAM;
    return 0;
}

/* --- the rest of a life ------------------------------------------------------------------------
 */

static void virt_reset(struct machine *machine)
{
    struct virt *virt = machine->board_state;
    for (unsigned i = 0; i < virt->slot_count; i++)
        virtio_mmio_reset(virt->slots[i]);
    for (unsigned i = 0; i < virt->function_count; i++)
        virtio_pci_reset(virt->functions[i]);
    if (virt->pci_host)
        pci_host_reset(virt->pci_host);
    firmware_reset(&virt->firmware);
    pl061_reset(virt->gpio);
    pl031_reset(virt->rtc);
    pl011_reset(virt->uart);
    if (irqchip(machine))
        return; /* the engine resets its own */
    gicv3_its_reset(virt->its);
    gicv3_reset(virt->gic);
}

static void virt_press_power(struct machine *machine)
{
    struct virt *virt = machine->board_state;
    pl061_press_power(virt->gpio);
}

static void virt_free(struct machine *machine)
{
    struct virt *virt = machine->board_state;
    if (!virt)
        return;
    for (unsigned i = 0; i < VIRT_VIRTIO_SLOTS; i++)
        virtio_mmio_free(virt->slots[i]);
    for (unsigned i = 0; i < virt->slot_fd_count; i++)
        close(virt->slot_fds[i]);
    for (unsigned i = 0; i < virt->function_count; i++)
        virtio_pci_free(virt->functions[i]);
    pci_host_free(virt->pci_host);
    firmware_done(&virt->firmware);
    pl061_free(virt->gpio);
    pl031_free(virt->rtc);
    pl011_free(virt->uart);
    gicv3_its_free(virt->its);
    gicv3_free(virt->gic);
    if (virt->psci.engine)
        pthread_mutex_destroy(&virt->psci.lock);
    image_close(&virt->kernel);
    image_close(&virt->initrd);
    free(virt);
}

const struct board_ops virt_board_ops = {
    .arch = "arm64",
    .build = virt_build,
    .load = virt_load,
    .reset = virt_reset,
    .press_power = virt_press_power,
    .free = virt_free,
};
