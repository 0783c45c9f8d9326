/* fuzz_pc.c: a hostile guest at what the x86_64 board has at its ports: serial port with someone
 * typing, power management, the clock, fw_cfg, and the Q35's bridge with ECAM where it is put.
 */
#include <assert.h>

#include "core/device/acpi_pm.h"
#include "core/device/cmos.h"
#include "core/device/fw_cfg.h"
#include "core/device/q35.h"
#include "core/device/uart16550.h"
#include "mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LOW       0x80000000ull
#define LOW_BYTES 0x7ec00000ull

struct rig {
    struct evloop *loop;
    struct chardev_front front;
    struct uart16550 *uart;
    struct acpi_pm *pm;
    struct cmos *cmos;
    struct guestmem mem;
    struct fw_cfg *fw_cfg;
    struct bus bus;
    struct pci_host *host;
    struct pci_function *lpc;
};

static void attach(void *ctx, struct chardev_front front)
{
    *(struct chardev_front *)ctx = front;
}

static void ignore(void *ctx)
{
}

static bool set_up(struct rig *rig)
{
    if (evloop_new(&rig->loop, NULL) < 0)
        return false;
    const struct uart16550_config uart = {.loop = rig->loop,
                                          .back = {.ctx = &rig->front, .attach = attach}};
    const struct acpi_pm_config pm = {.power_off = ignore, .reset = ignore};
    const struct pci_host_config host = {
        .ecam = {PCI_UNMAPPED, Q35_ECAM_BYTES},
        .low = {LOW, LOW_BYTES},
        .bridge = q35_memory_controller_new(),
        .reset = ignore,
    };
    guestmem_init(&rig->mem, (struct guestmem_mmio){0});
    rig->pm = acpi_pm_new(&pm);
    rig->lpc = q35_lpc_new(0x600);
    if (uart16550_new(&uart, &rig->uart, NULL) < 0 ||
        cmos_new(rig->loop, (struct irq_line){0}, &rig->cmos, NULL) < 0 ||
        guestmem_add_ram(&rig->mem, 0, 1 << 16, false, NULL) < 0 ||
        fw_cfg_new(&rig->mem, &rig->fw_cfg, NULL) < 0 ||
        pci_host_new(&host, &rig->bus, &rig->host, NULL) < 0)
        assert(!"cannot be built");
    pci_host_plug_at(rig->host, Q35_LPC_SLOT, rig->lpc);
    return true;
}

static void tear_down(struct rig *rig)
{
    pci_host_free(rig->host);
    pci_function_free(rig->lpc);
    fw_cfg_free(rig->fw_cfg);
    guestmem_done(&rig->mem);
    cmos_free(rig->cmos);
    uart16550_free(rig->uart);
    acpi_pm_free(rig->pm);
    evloop_free(rig->loop);
}

/* Configuration space of the two functions, wherever ECAM is, or a place nearby. */
static void access_ecam(struct rig *rig, const struct mmio_request *r)
{
    uint64_t base = pci_host_ecam(rig->host), value;
    uint64_t slot = r->where >> 16 & 1 ? Q35_LPC_SLOT : 0;
    uint64_t address = (base == PCI_UNMAPPED ? LOW : base) + (slot << 15) + (r->where & 0xffff);
    if (r->write)
        bus_write(&rig->bus, address, r->size_bytes, bits(r->value, 0, 8 * r->size_bytes));
    else
        bus_read(&rig->bus, address, r->size_bytes, &value);
}

static void do_request(struct rig *rig, const struct mmio_request *r, const uint8_t *data)
{
    switch (r->kind) {
    case 0:
        mmio_do(&acpi_pm_ops, rig->pm, ACPI_PM_BYTES, r);
        break;
    case 1:
        mmio_do(&i8042_ops, rig->pm, 1, r);
        break;
    case 2:
        assert(rig->front.receive(rig->front.ctx, data, r->where % 8) <= r->where % 8);
        break;
    case 3:
        acpi_pm_press_power(rig->pm);
        break;
    case 8:
    case 9:
        mmio_do(&cmos_ops, rig->cmos, CMOS_PORTS_BYTES, r);
        break;
    case 10:
        cmos_reset(rig->cmos);
        break;
    case 11:
        mmio_do(&fw_cfg_ports_ops, rig->fw_cfg, FW_CFG_PORTS_BYTES, r);
        break;
    case 12:
    case 13:
        mmio_do(&pci_config_ports_ops, rig->host, PCI_CONFIG_PORTS_BYTES, r);
        break;
    case 14:
        access_ecam(rig, r);
        break;
    default:
        mmio_do(&uart16550_ops, rig->uart, UART16550_BYTES, r);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig rig = {0};
    if (!set_up(&rig))
        return 0;
    for (; size >= MMIO_REQUEST_BYTES; data += MMIO_REQUEST_BYTES, size -= MMIO_REQUEST_BYTES) {
        const struct mmio_request r = mmio_request(data);
        do_request(&rig, &r, data);
    }
    tear_down(&rig);
    return 0;
}
