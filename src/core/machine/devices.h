/* devices.h: a machine's virtio devices, whatever its board and their transport. */
#ifndef PENG_CORE_MACHINE_DEVICES_H
#define PENG_CORE_MACHINE_DEVICES_H

#include "core/machine/machine_int.h"

/* Puts `dev` (owned from here on, also on failure) where the guest finds it. */
typedef int machine_add_device(struct machine *machine, struct virtio_device *dev, struct err *e);

/* Makes every device of machine->config and gives each to `add`. Errors: the operator's, with the
 * option's name; `add`'s. */
int machine_add_devices(struct machine *machine, machine_add_device *add, struct err *e);

#endif
