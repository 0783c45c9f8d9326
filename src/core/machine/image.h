/* image.h: files that go into guest memory: the arm64 Image format, initrds, firmware. */
#ifndef PENG_CORE_MACHINE_IMAGE_H
#define PENG_CORE_MACHINE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A file's bytes, kept for as long as the machine lives so that a reset needs no file. */
struct image {
    uint8_t *data;
    size_t size_bytes;
};

enum { IMAGE_BYTES_MAX = 1 << 30 };

/* Reads a whole file. Errors name `flag` and `path`; ENOENT, EISDIR, EFBIG ... */
int image_read(const char *flag, const char *path, struct image *ret_image, struct err *e);
void image_free(struct image *image);

/* What the kernel asks for in its header (Linux, Documentation/arm64/booting.rst). */
struct arm64_kernel {
    uint64_t text_offset; /* from a 2 MiB boundary */
    uint64_t size_bytes;  /* of memory from there on, the .bss included */
};

/* Checks that `image` is an arm64 kernel, and unpacks it in place where it is gzip'ed. Errors:
 * ENOEXEC with what it is instead. */
int image_check_arm64(struct image *image, const char *path, struct arm64_kernel *ret_kernel,
                      struct err *e);

#endif
