/* image_x86.h: x86-64 kernels as files: bzImage, and ELF with a PVH entry. */
#ifndef PENG_CORE_MACHINE_IMAGE_X86_H
#define PENG_CORE_MACHINE_IMAGE_X86_H

#include <stdbool.h>

#include "core/machine/image.h"
#include "core/memory/guestmem.h"

/* What the kernel asks for. */
struct x86_kernel {
    bool pvh;       /* an ELF file with Xen's PVH note; else a bzImage */
    uint64_t entry; /* guest-physical: 64-bit for a bzImage, 32-bit for PVH */
    uint64_t base;  /* of the memory that it needs */
    uint64_t memory_bytes;
    uint64_t payload_at;          /* bzImage: in the file, what goes to `base` */
    uint64_t initrd_max;          /* the last byte that an initrd may have */
    uint32_t command_max;         /* bytes of command line, without its NUL */
    uint8_t setup[0x290 - 0x1f1]; /* bzImage: the setup header, at 0x1f1 of the zero page */
    unsigned setup_bytes;
};

/* Checks that `image` is an x86-64 kernel. Errors: ENOEXEC with what it is instead. */
int image_check_x86(const struct image *image, const char *path, struct x86_kernel *ret_kernel,
                    struct err *e);
/* Puts it where its header says; RAM is there. Errors: the file's, and ENOEXEC for ELF segments
 * outside RAM. */
int image_load_x86(const struct image *image, const struct x86_kernel *kernel,
                   const struct guestmem *mem, struct err *e);

#endif
