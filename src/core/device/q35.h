/* q35.h: the two PCI functions by which PC firmware knows what machine it is on: the memory
 * controller of Intel's Q35 (device 29c0h, slot 0) and the LPC bridge of its ICH9 (2918h, slot 31).
 *
 * Sources: Intel 3 Series Express Chipset Family datasheet (document 316966), 5.1; Intel I/O
 * Controller Hub 9 datasheet (316972), 13.1.
 */
#ifndef PENG_CORE_DEVICE_Q35_H
#define PENG_CORE_DEVICE_Q35_H

#include "core/device/pci.h"

enum { Q35_LPC_SLOT = 31, Q35_ECAM_BYTES = 256 * PCI_ECAM_BUS_BYTES };

/* For struct pci_host_config.bridge: its PCIEXBAR register says where ECAM is, at reset nowhere. */
struct pci_function *q35_memory_controller_new(void);
/* For slot Q35_LPC_SLOT; the caller frees it. Its PMBASE says that ACPI's registers are at port
 * `pm_base`, a multiple of 128, and cannot be moved. */
struct pci_function *q35_lpc_new(uint16_t pm_base);

#endif
