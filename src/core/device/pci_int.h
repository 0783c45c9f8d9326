/* pci_int.h: a PCI function's state, shared by pci_config.c, pci_irq.c and pci_host.c. */
#ifndef PENG_CORE_DEVICE_PCI_INT_H
#define PENG_CORE_DEVICE_PCI_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/device/pci.h"

/* Configuration space header, type 0. */
enum {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09, /* three bytes */
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM = 0x2e,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_HEADER_BYTES = 0x40,

    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_PARITY = 1 << 6,
    PCI_COMMAND_SERR = 1 << 8,
    PCI_COMMAND_INTX_OFF = 1 << 10,
    PCI_STATUS_INTX = 1 << 3,
    PCI_STATUS_CAPABILITIES = 1 << 4,
};

struct pci_bar {
    uint64_t size_bytes; /* 0: there is none, or it is the upper half of the one before */
    bool is_64;
    const struct bus_device_ops *ops;
    void *ctx;
    _Atomic uint64_t address; /* where it answers; PCI_UNMAPPED: nowhere */
};

struct msix_entry {
    uint64_t address;
    uint32_t data, control; /* control bit 0 masks */
};

/* A vector's way past the device's thread, where the board has one (pci_host_config.message_fd). */
struct msix_wire {
    int fd;          /* an eventfd; -1: none */
    bool set, works; /* told once, and the board took it */
    uint64_t address;
    uint32_t data; /* what it was told last */
};

struct pci_function {
    const struct pci_function_ops *ops;
    void *ctx;
    struct pci_host *host; /* borrowed; NULL while not plugged */
    unsigned slot;

    pthread_mutex_t lock; /* guards the three below */
    uint8_t config[PCI_CONFIG_BYTES];
    uint8_t writable[PCI_CONFIG_BYTES]; /* a bit each; constant once built */
    uint8_t initial[PCI_CONFIG_BYTES];  /* what reset puts back; as config while being built */
    unsigned capabilities_end;          /* next free byte */
    unsigned last_link;                 /* where the last capability's link is */
    unsigned msix_capability;           /* its offset; 0: none */
    struct pci_bar bars[PCI_BARS];

    pthread_mutex_t irq_lock; /* guards the rest; inside the device's locks */
    bool bus_master, intx_off, msix_on, msix_masked; /* copies of what configuration space says */
    bool intx_wanted, intx_level;
    unsigned vectors;
    struct msix_entry table[PCI_MSIX_VECTORS_MAX];
    struct msix_wire wires[PCI_MSIX_VECTORS_MAX];
    uint64_t pending; /* a bit a vector */
};

/* While a device is built: a register of 1 to 8 bytes outside header and capabilities, with the
 * bits that the guest may write. */
void pci_add_register(struct pci_function *fn, unsigned offset, unsigned size_bytes, uint64_t value,
                      uint64_t writable);

/* The guest's accesses to configuration space. `offset` and size may be anything: what is not an
 * aligned access of 1, 2 or 4 bytes inside of it reads as all ones and writes nothing. */
uint32_t pci_function_config_read(struct pci_function *fn, unsigned offset, unsigned size_bytes);
void pci_function_config_write(struct pci_function *fn, unsigned offset, unsigned size_bytes,
                               uint32_t value);

/* Configuration space changed: takes over what concerns interrupts. */
void pci_irq_update(struct pci_function *fn);
void pci_irq_reset(struct pci_function *fn);
/* The function got its host: eventfds for its vectors, if the host takes them. Errors: the host's.
 */
int pci_irq_plug(struct pci_function *fn, struct err *e);
void pci_irq_done(struct pci_function *fn);
/* From the function, with its interrupt lock held. */
void pci_host_set_pin(struct pci_host *host, unsigned slot, bool level);
/* ECAM answers at `address` from now on, or nowhere (PCI_UNMAPPED). With the configuration lock of
 * the bridge's function held. */
void pci_host_move_ecam(struct pci_host *host, uint64_t address);
void pci_host_send(struct pci_host *host, unsigned slot, uint64_t address, uint32_t data);
bool pci_host_has_message_fds(const struct pci_host *host);
bool pci_host_set_message_fd(struct pci_host *host, unsigned slot, int fd, uint64_t address,
                             uint32_t data);

#endif
