/* virt_fdt.c: the virt board described as a device tree, written front to back by libfdt's
 * sequential writer.
 *
 * Source: Devicetree Specification 0.4 and Linux's bindings for each node. The first error sticks
 * in struct tree, so that the description reads as a list.
 */
#include "core/machine/virt_int.h"

#include <assert.h>
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "core/device/fw_cfg.h"
#include "core/device/gicv3.h"
#include "core/device/gicv3_its.h"
#include "core/device/pl011.h"
#include "core/device/pl031.h"
#include "core/device/pl061.h"
#include "core/device/virtio/transport_mmio.h"

enum { PHANDLE_GIC = 1, PHANDLE_CLOCK = 2, PHANDLE_GPIO = 3, PHANDLE_ITS = 4 };

/* Interrupt specifiers of arm,gic-v3: kind, number within the kind, flags. */
enum { GIC_SPI = 0, GIC_PPI = 1, EDGE_RISING = 1, LEVEL_HIGH = 4 };

enum { CELLS_MAX = 160 }; /* of one property */

enum { KEY_POWER = 116 }; /* Linux input event code */

struct tree {
    void *fdt;
    int error; /* libfdt's, the first one */
};

static void note(struct tree *t, int rc)
{
    if (t->error == 0)
        t->error = rc;
}

static void begin(struct tree *t, const char *format, uint64_t address)
{
    char name[64];
    if (strchr(format, '@'))
        snprintf(name, sizeof(name), "%s%llx", format, (unsigned long long)address);
    else
        snprintf(name, sizeof(name), "%s", format);
    note(t, fdt_begin_node(t->fdt, name));
}

static void end(struct tree *t)
{
    note(t, fdt_end_node(t->fdt));
}

static void text(struct tree *t, const char *name, const char *value)
{
    note(t, fdt_property_string(t->fdt, name, value));
}

static void flag(struct tree *t, const char *name)
{
    note(t, fdt_property(t->fdt, name, NULL, 0));
}

static void bytes(struct tree *t, const char *name, const void *data, size_t size)
{
    note(t, fdt_property(t->fdt, name, data, (int)size));
}

static void cells(struct tree *t, const char *name, const uint32_t *values, size_t count)
{
    fdt32_t out[CELLS_MAX];
    assert(count <= CELLS_MAX);
    for (size_t i = 0; i < count; i++)
        out[i] = cpu_to_fdt32(values[i]);
    bytes(t, name, out, count * sizeof(out[0]));
}

#define CELLS(t, name, ...)                                                                        \
    cells(t, name, (const uint32_t[]){__VA_ARGS__},                                                \
          sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))
#define HI_LO(v) (uint32_t)((v) >> 32), (uint32_t)(v)

static void cell(struct tree *t, const char *name, uint32_t value)
{
    cells(t, name, &value, 1);
}

static void interrupt(struct tree *t, unsigned spi)
{
    CELLS(t, "interrupts", GIC_SPI, spi, LEVEL_HIGH);
}

/* --- nodes -------------------------------------------------------------------------------------
 */

static void put_chosen(struct tree *t, const struct virt_chosen *chosen)
{
    uint8_t seed[64];
    uint64_t kaslr_seed;
    begin(t, "chosen", 0);
    text(t, "stdout-path", "/pl011@9000000");
    if (chosen->append)
        text(t, "bootargs", chosen->append);
    if (chosen->initrd_end > chosen->initrd) {
        CELLS(t, "linux,initrd-start", HI_LO(chosen->initrd));
        CELLS(t, "linux,initrd-end", HI_LO(chosen->initrd_end));
    }
    if (getrandom(seed, sizeof(seed), 0) == sizeof(seed))
        bytes(t, "rng-seed", seed, sizeof(seed));
    if (getrandom(&kaslr_seed, sizeof(kaslr_seed), 0) == sizeof(kaslr_seed))
        CELLS(t, "kaslr-seed", HI_LO(kaslr_seed));
    end(t);
}

static void put_cpus(struct tree *t, const struct machine *machine)
{
    const struct virt *virt = machine->board_state;
    begin(t, "cpus", 0);
    cell(t, "#address-cells", 2);
    cell(t, "#size-cells", 0);
    for (unsigned i = 0; i < machine->config.cpus; i++) {
        begin(t, "cpu@", virt->affinities[i]);
        text(t, "device_type", "cpu");
        text(t, "compatible", "arm,armv8");
        CELLS(t, "reg", HI_LO(virt->affinities[i]));
        text(t, "enable-method", "psci");
        end(t);
    }
    end(t);
}

/* With EL2 a hypervisor has HVC for itself: firmware answers SMC. */
static void put_psci(struct tree *t, const struct machine *machine)
{
    static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";
    begin(t, "psci", 0);
    bytes(t, "compatible", compatible, sizeof(compatible));
    text(t, "method", machine->config.virtualization ? "smc" : "hvc");
    cell(t, "cpu_suspend", PSCI_CPU_SUSPEND64);
    cell(t, "cpu_off", PSCI_CPU_OFF);
    cell(t, "cpu_on", PSCI_CPU_ON64);
    end(t);
}

static void put_timer(struct tree *t)
{
    begin(t, "timer", 0);
    text(t, "compatible", "arm,armv8-timer");
    /* Secure physical, physical, virtual, hypervisor: INTIDs 29, 30, 27, 26. */
    CELLS(t, "interrupts", GIC_PPI, 13, LEVEL_HIGH, GIC_PPI, 14, LEVEL_HIGH, GIC_PPI, 11,
          LEVEL_HIGH, GIC_PPI, 10, LEVEL_HIGH);
    flag(t, "always-on");
    end(t);
}

static void put_gic(struct tree *t, const struct machine *machine)
{
    uint64_t redist_bytes = (uint64_t)GICV3_REDIST_BYTES * machine->config.cpus;
    begin(t, "interrupt-controller@", VIRT_GICD);
    text(t, "compatible", "arm,gic-v3");
    if (machine->config.virtualization) /* maintenance of the virtual CPU interface: INTID 25 */
        CELLS(t, "interrupts", GIC_PPI, 9, LEVEL_HIGH);
    cell(t, "#interrupt-cells", 3);
    flag(t, "interrupt-controller");
    cell(t, "#address-cells", 2);
    cell(t, "#size-cells", 2);
    flag(t, "ranges");
    cell(t, "#redistributor-regions", 1);
    CELLS(t, "reg", HI_LO(VIRT_GICD), HI_LO((uint64_t)GICV3_DIST_BYTES), HI_LO(VIRT_GICR),
          HI_LO(redist_bytes));
    cell(t, "phandle", PHANDLE_GIC);
    begin(t, "msi-controller@", VIRT_ITS);
    text(t, "compatible", "arm,gic-v3-its");
    flag(t, "msi-controller");
    cell(t, "#msi-cells", 1);
    CELLS(t, "reg", HI_LO(VIRT_ITS), HI_LO((uint64_t)GICV3_ITS_BYTES));
    cell(t, "phandle", PHANDLE_ITS);
    end(t);
    end(t);
}

/* A PrimeCell: compatible is its own name and "arm,primecell". */
static void begin_primecell(struct tree *t, const char *name, uint64_t address, uint64_t size,
                            unsigned spi)
{
    char compatible[64];
    int first = snprintf(compatible, sizeof(compatible), "arm,%s", name) + 1;
    int second = snprintf(compatible + first, sizeof(compatible) - (size_t)first, "arm,primecell");
    char node[32];
    snprintf(node, sizeof(node), "%s@", name);
    begin(t, node, address);
    bytes(t, "compatible", compatible, (size_t)(first + second + 1));
    CELLS(t, "reg", HI_LO(address), HI_LO(size));
    interrupt(t, spi);
}

static void put_primecells(struct tree *t)
{
    static const char uart_clocks[] = "uartclk\0apb_pclk";
    begin_primecell(t, "pl011", VIRT_PL011, PL011_BYTES, VIRT_SPI_PL011);
    CELLS(t, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
    bytes(t, "clock-names", uart_clocks, sizeof(uart_clocks));
    end(t);

    begin_primecell(t, "pl031", VIRT_PL031, PL031_BYTES, VIRT_SPI_PL031);
    cell(t, "clocks", PHANDLE_CLOCK);
    text(t, "clock-names", "apb_pclk");
    end(t);

    begin_primecell(t, "pl061", VIRT_PL061, PL061_BYTES, VIRT_SPI_PL061);
    cell(t, "clocks", PHANDLE_CLOCK);
    text(t, "clock-names", "apb_pclk");
    cell(t, "#gpio-cells", 2);
    flag(t, "gpio-controller");
    cell(t, "#interrupt-cells", 2);
    flag(t, "interrupt-controller");
    cell(t, "phandle", PHANDLE_GPIO);
    end(t);

    begin(t, "gpio-keys", 0);
    text(t, "compatible", "gpio-keys");
    begin(t, "poweroff", 0);
    text(t, "label", "GPIO Key Poweroff");
    cell(t, "linux,code", KEY_POWER);
    CELLS(t, "gpios", PHANDLE_GPIO, PL061_POWER_KEY, 0);
    end(t);
    end(t);
}

static void put_flash(struct tree *t)
{
    begin(t, "flash@", VIRT_FLASH1);
    text(t, "compatible", "cfi-flash");
    CELLS(t, "reg", HI_LO(VIRT_FLASH1), HI_LO(VIRT_FLASH_SIZE));
    cell(t, "bank-width", 4);
    end(t);
}

static void put_fw_cfg(struct tree *t)
{
    begin(t, "fw-cfg@", VIRT_FW_CFG);
    text(t, "compatible", "qemu,fw-cfg-mmio");
    CELLS(t, "reg", HI_LO(VIRT_FW_CFG), HI_LO((uint64_t)FW_CFG_BYTES));
    flag(t, "dma-coherent");
    end(t);
}

static void put_virtio(struct tree *t, const struct machine *machine, unsigned slot)
{
    uint64_t address = VIRT_VIRTIO + (uint64_t)slot * VIRTIO_MMIO_BYTES;
    begin(t, "virtio_mmio@", address);
    text(t, "compatible", "virtio,mmio");
    CELLS(t, "reg", HI_LO(address), HI_LO((uint64_t)VIRTIO_MMIO_BYTES));
    CELLS(t, "interrupts", GIC_SPI, VIRT_SPI_VIRTIO + slot,
          virt_slot_is_edge(machine) ? EDGE_RISING : LEVEL_HIGH);
    flag(t, "dma-coherent");
    end(t);
}

/* Linux's bindings pci/host-generic-pci.yaml and pci/pci-msi.txt; IEEE 1275's PCI binding for the
 * three cells of an address, the first of which has the space (01 I/O, 02 and 03 memory of 32 and
 * 64 bits) and a slot's number from bit 11 on. */
enum { PCI_CELL_IO = 0x01000000, PCI_CELL_MEMORY32 = 0x02000000, PCI_CELL_MEMORY64 = 0x03000000 };
enum { PCI_CELL_SLOT_SHIFT = 11 };

/* Pin n of slot s is wire (n + s) % 4: the map's mask leaves four slots. */
static void put_pci_wires(struct tree *t)
{
    enum { ROW = 10 };
    uint32_t map[PCI_PINS * PCI_PINS * ROW];
    uint32_t *row = map;
    for (unsigned slot = 0; slot < PCI_PINS; slot++) {
        for (unsigned pin = 0; pin < PCI_PINS; pin++, row += ROW) {
            const uint32_t cell[ROW] = {
                slot << PCI_CELL_SLOT_SHIFT,
                0,
                0,
                pin + 1, /* as the function says it */
                PHANDLE_GIC,
                0,
                0,
                GIC_SPI,
                VIRT_SPI_PCI + (slot + pin) % PCI_PINS,
                LEVEL_HIGH,
            };
            memcpy(row, cell, sizeof(cell));
        }
    }
    cells(t, "interrupt-map", map, ARRAY_SIZE(map));
    CELLS(t, "interrupt-map-mask", (PCI_PINS - 1) << PCI_CELL_SLOT_SHIFT, 0, 0, 7);
}

static void put_pci(struct tree *t, const struct machine *machine)
{
    const struct virt_pci_map map = virt_pci_map(machine->config.memory_bytes);
    begin(t, "pcie@", VIRT_PCI_LOW);
    text(t, "compatible", "pci-host-ecam-generic");
    text(t, "device_type", "pci");
    cell(t, "#address-cells", 3);
    cell(t, "#size-cells", 2);
    cell(t, "linux,pci-domain", 0);
    CELLS(t, "bus-range", 0, VIRT_PCI_ECAM_BYTES / PCI_ECAM_BUS_BYTES - 1);
    CELLS(t, "reg", HI_LO(map.ecam), HI_LO(VIRT_PCI_ECAM_BYTES));
    CELLS(t, "ranges", PCI_CELL_IO, 0, 0, HI_LO(VIRT_PCI_IO), HI_LO(VIRT_PCI_IO_BYTES),
          PCI_CELL_MEMORY32, HI_LO(VIRT_PCI_LOW), HI_LO(VIRT_PCI_LOW), HI_LO(VIRT_PCI_LOW_BYTES),
          PCI_CELL_MEMORY64, HI_LO(map.high), HI_LO(map.high), HI_LO(VIRT_PCI_HIGH_BYTES));
    /* every requester's ID is the ITS's device ID */
    CELLS(t, "msi-map", 0, PHANDLE_ITS, 0, 0x10000);
    cell(t, "#interrupt-cells", 1);
    put_pci_wires(t);
    flag(t, "dma-coherent");
    end(t);
}

static void put_root(struct tree *t, const struct machine *machine,
                     const struct virt_chosen *chosen)
{
    const struct virt *virt = machine->board_state;
    begin(t, "", 0);
    text(t, "compatible", "linux,dummy-virt");
    text(t, "model", "Peng virt");
    cell(t, "#address-cells", 2);
    cell(t, "#size-cells", 2);
    cell(t, "interrupt-parent", PHANDLE_GIC);
    flag(t, "dma-coherent");
    put_chosen(t, chosen);
    begin(t, "aliases", 0);
    text(t, "serial0", "/pl011@9000000");
    end(t);
    begin(t, "memory@", VIRT_RAM);
    text(t, "device_type", "memory");
    CELLS(t, "reg", HI_LO(VIRT_RAM), HI_LO(machine->config.memory_bytes));
    end(t);
    put_cpus(t, machine);
    put_psci(t, machine);
    put_timer(t);
    begin(t, "apb-pclk", 0);
    text(t, "compatible", "fixed-clock");
    cell(t, "#clock-cells", 0);
    cell(t, "clock-frequency", 24000000);
    text(t, "clock-output-names", "clk24mhz");
    cell(t, "phandle", PHANDLE_CLOCK);
    end(t);
    put_gic(t, machine);
    put_primecells(t);
    if (virt->firmware.variables)
        put_flash(t);
    if (virt->firmware.fw_cfg)
        put_fw_cfg(t);
    for (unsigned slot = 0; slot < virt->slot_count; slot++)
        put_virtio(t, machine, slot);
    if (virt->pci_host)
        put_pci(t, machine);
    end(t);
}

int virt_fdt_make(const struct machine *machine, const struct virt_chosen *chosen,
                  uint8_t blob[VIRT_FDT_BYTES], struct err *e)
{
    struct tree t = {.fdt = blob};
    note(&t, fdt_create(blob, VIRT_FDT_BYTES));
    note(&t, fdt_finish_reservemap(blob));
    put_root(&t, machine, chosen);
    note(&t, fdt_finish(blob));
    if (t.error)
        return err_set(e, ENOSPC, "device tree: %s", fdt_strerror(t.error));
    return 0;
}
