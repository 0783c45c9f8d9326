/* vdso.h: the page that the kernel gives every process: where handlers return to. */
#ifndef PENG_CORE_LINUX_VDSO_H
#define PENG_CORE_LINUX_VDSO_H

#include "core/linux/linux_int.h"

/* Books the page as the guest's and notes where it is in p->layout. */
void linux_vdso_map(struct linux_process *p);

#endif
