/* transport_pci.h: virtio over PCI (virtio 1.2, section 4.1), modern devices only. */
#ifndef PENG_CORE_DEVICE_VIRTIO_TRANSPORT_PCI_H
#define PENG_CORE_DEVICE_VIRTIO_TRANSPORT_PCI_H

#include "base/err.h"
#include "core/device/pci.h"
#include "core/device/virtio/device.h"

/* Where things lie in BAR 0, a page each, so that a hypervisor can trap or map them one by one. */
enum {
    VIRTIO_PCI_COMMON = 0x0000,
    VIRTIO_PCI_ISR = 0x1000,
    VIRTIO_PCI_CONFIG = 0x2000,
    VIRTIO_PCI_NOTIFY = 0x3000,
    VIRTIO_PCI_MSIX_TABLE = 0x4000,
    VIRTIO_PCI_MSIX_PENDING = 0x5000,
    VIRTIO_PCI_BAR_BYTES = 0x8000,
    VIRTIO_PCI_NOTIFY_STEP = 4, /* bytes between two queues' doorbells */
};

struct virtio_pci;

/* Puts `dev` (owned from here on, also on failure) into the next free slot of `host`, which
 * outlives it. Errors: pci_host_plug's. */
int virtio_pci_new(struct virtio_device *dev, struct pci_host *host, struct virtio_pci **ret_pci,
                   struct err *e);
/* Frees it and its device, after the vCPUs and the event loop have stopped. NULL is a no-op. */
void virtio_pci_free(struct virtio_pci *pci);
/* As at power-on; for the machine's reset, with the vCPUs stopped. */
void virtio_pci_reset(struct virtio_pci *pci);

#endif
