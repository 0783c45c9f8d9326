/* pci.h: a PCI host bridge with one root bus, and the functions on it.
 *
 * Source: PCI Local Bus 3.0 chapter 6 (configuration space, BARs, MSI-X 6.8), PCI Express Base 7.2
 * (ECAM). A board makes a host, plugs functions made by devices into it, and puts its windows on
 * the board's bus. How a message becomes an interrupt is the board's: struct pci_host_config.msi.
 *
 * Threads: configuration space is guarded by a lock of each function, MSI-X and INTx by another.
 * Lock order: configuration, the device's own locks, the function's interrupts, the controller's.
 */
#ifndef PENG_CORE_DEVICE_PCI_H
#define PENG_CORE_DEVICE_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/device/bus.h"

enum {
    PCI_SLOTS = 32, /* of the root bus; each holds one function, number 0 */
    PCI_BARS = 6,
    PCI_PINS = 4,                 /* INTA# to INTD# */
    PCI_CONFIG_BYTES = 256,       /* of a function; the rest of its 4 KiB of ECAM reads as zero */
    PCI_ECAM_BUS_BYTES = 1 << 20, /* ECAM of one bus */
    PCI_CONFIG_PORTS = 0xcf8,     /* configuration mechanism #1 on x86: address and data */
    PCI_CONFIG_PORTS_BYTES = 8,
    PCI_RESET_PORT = 0xcf9, /* among them: the chipset's reset control register */
    PCI_RESET_COLD = 6,     /* what starts it */
    PCI_MSIX_VECTORS_MAX = 64,
};

struct pci_host;
struct pci_function;

/* --- a function: made by a device, owned by it, plugged by the board --- */

struct pci_identity {
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem;
    uint32_t class_code; /* base class, subclass, interface: 24 bits */
    uint8_t revision;
    bool has_pin; /* uses INTA# where the guest enables no MSI-X */
};

/* What a function asks of its device; each may be NULL. The function's configuration lock is
 * held. */
struct pci_function_ops {
    /* The guest is about to read, or has written, `size_bytes` of configuration space: for
     * capabilities that do something. pci_config_bytes() has them. */
    void (*config_read)(void *ctx, unsigned offset, unsigned size_bytes);
    void (*config_written)(void *ctx, unsigned offset, unsigned size_bytes);
    /* The guest moved a BAR: it now answers at `address`, or nowhere (PCI_UNMAPPED). For doorbells
     * that the kernel watches (KVM_IOEVENTFD). */
    void (*moved)(void *ctx, unsigned bar, uint64_t address);
};
#define PCI_UNMAPPED UINT64_MAX

struct pci_function *pci_function_new(const struct pci_identity *identity,
                                      const struct pci_function_ops *ops, void *ctx);
void pci_function_free(struct pci_function *fn); /* NULL is a no-op */

/* While a device is built: a BAR of memory, a power of two of 4 KiB or more, answered by `ops`. A
 * 64-bit one takes `bar` and the next. */
void pci_add_bar(struct pci_function *fn, unsigned bar, uint64_t size_bytes, bool is_64,
                 const struct bus_device_ops *ops, void *ctx);
/* Appends a capability: `body` follows its ID and link; `writable` has a bit for each bit of body
 * that the guest may write, NULL for none. Returns its offset in configuration space. */
unsigned pci_add_capability(struct pci_function *fn, uint8_t id, const void *body,
                            const void *writable, unsigned body_bytes);
/* The MSI-X capability; table and pending bits lie in `bar` at the two offsets, and the device
 * passes accesses there to pci_msix_table_read() and so on. */
void pci_add_msix(struct pci_function *fn, unsigned bar, unsigned vectors, uint32_t table_offset,
                  uint32_t pending_offset);
/* Configuration space itself, for config_read and config_written. */
uint8_t *pci_config_bytes(struct pci_function *fn);
/* An access to a BAR by way of the device, wherever it is mapped: reads of nothing give all ones.
 */
uint64_t pci_bar_read(struct pci_function *fn, unsigned bar, uint64_t offset, unsigned size_bytes);
void pci_bar_write(struct pci_function *fn, unsigned bar, uint64_t offset, unsigned size_bytes,
                   uint64_t value);

/* See struct pci_host_config.doorbell; for `moved`. False where the board has none. */
bool pci_has_doorbells(const struct pci_function *fn);
bool pci_set_doorbell(struct pci_function *fn, uint64_t address, unsigned size_bytes, int fd,
                      bool on);

/* MSI-X, any thread. Offsets count from the table's and the pending bits' start. */
uint64_t pci_msix_table_read(struct pci_function *fn, uint64_t offset, unsigned size_bytes);
void pci_msix_table_write(struct pci_function *fn, uint64_t offset, unsigned size_bytes,
                          uint64_t value);
uint64_t pci_msix_pending_read(struct pci_function *fn, uint64_t offset, unsigned size_bytes);
bool pci_msix_enabled(struct pci_function *fn);
unsigned pci_msix_vectors(const struct pci_function *fn);
/* Sends the vector's message, or leaves it pending while the guest masks it. Vectors that are not
 * there are ignored. */
void pci_msix_raise(struct pci_function *fn, unsigned vector);
/* The function's wish for INTA#: it reaches the wire unless MSI-X is on or the guest disabled it.
 */
void pci_intx_set(struct pci_function *fn, bool level);

/* As at power-on, with the vCPUs stopped: BARs unmapped, MSI-X off, INTA# low. */
void pci_function_reset(struct pci_function *fn);

/* --- the host --- */

struct pci_window {
    uint64_t base, size_bytes; /* size 0: there is none */
};

struct pci_host_config {
    /* A multiple of PCI_ECAM_BUS_BYTES; only bus 0 has functions. Its base is PCI_UNMAPPED where
     * the bridge has a register for it: then the guest puts it into the low window. */
    struct pci_window ecam;
    struct pci_window low;  /* memory below 4 GiB, for 32-bit BARs */
    struct pci_window high; /* memory for 64-bit BARs */
    struct pci_window io;   /* I/O space where a board has it in memory: nothing is there */
    /* The function in slot 0, the host's from now on; NULL: that of a plain host bridge. */
    struct pci_function *bridge;
    /* Pin n of slot s is wire (n + s) % 4. A wire without `set` goes nowhere. */
    struct irq_line wires[PCI_PINS];
    void *ctx;
    /* Delivers a message: a write of `data` to `address` by `requester` (bus, device and function
     * as PCI numbers them: ITS device ID, KVM_SIGNAL_MSI's devid). Any thread, with the function's
     * interrupt lock held: it must not call back. */
    void (*msi)(void *ctx, uint64_t address, uint32_t data, uint32_t requester);
    /* Makes writes to eventfd `fd` send that message from now on. False: the engine cannot. NULL:
     * never. Threads and locks as for `msi`. */
    bool (*message_fd)(void *ctx, int fd, uint64_t address, uint32_t data, uint32_t requester);
    /* Lets guest writes of `size_bytes` to `address` signal eventfd `fd` instead of reaching the
     * device, or (`on` false) no longer. False: the engine cannot, and they do reach it. NULL:
     * never. Called with the function's configuration lock held. */
    bool (*doorbell)(void *ctx, uint64_t address, unsigned size_bytes, int fd, bool on);
    /* The guest resets the machine by the port between those of configuration mechanism #1. NULL:
     * it cannot. */
    void (*reset)(void *ctx);
    /* The guest moved ECAM: see pci_host_ecam(). May be NULL. */
    void (*ecam_moved)(void *ctx);
};

/* Makes the host with its own function in slot 0, and adds ECAM and windows to `bus`. Errors:
 * bus_add's (the bridge is freed then too). */
int pci_host_new(const struct pci_host_config *config, struct bus *bus, struct pci_host **ret_host,
                 struct err *e);
void pci_host_free(struct pci_host *host); /* not its functions but slot 0; NULL is a no-op */
/* Resets the bridge's own function; devices reset theirs. */
void pci_host_reset(struct pci_host *host);
/* Puts `fn` (borrowed) into the first free slot. Errors: ENOSPC; EMFILE and other reasons for which
 * its vectors get no eventfds. */
int pci_host_plug(struct pci_host *host, struct pci_function *fn, struct err *e);
/* As pci_host_plug, into this slot, which is free; of functions without MSI-X. */
void pci_host_plug_at(struct pci_host *host, unsigned slot, struct pci_function *fn);
/* Where ECAM is, or PCI_UNMAPPED. */
uint64_t pci_host_ecam(const struct pci_host *host);
/* What firmware does: gives every BAR an address in the windows, the low one first, and switches
 * decoding on. For guests that expect to find it done (x86 without firmware). No vCPU runs. */
void pci_host_assign(struct pci_host *host);

/* Configuration mechanism #1; ctx is the host. For a board with I/O ports. */
extern const struct bus_device_ops pci_config_ports_ops;

#endif
