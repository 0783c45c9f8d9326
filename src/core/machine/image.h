/* image.h: files that go into guest memory: the arm64 Image format, initrds, firmware. */
#ifndef PENG_CORE_MACHINE_IMAGE_H
#define PENG_CORE_MACHINE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A file, kept open for as long as the machine lives, so that a reset finds it even where its name
 * is gone. All zero: none. */
struct image {
    int fd;
    uint64_t size_bytes; /* 0: none */
};

#define IMAGE_BYTES_MAX (1ull << 30)

/* Opens a regular file that is not empty. Errors name `flag` and `path`: ENOENT, EINVAL, EFBIG ...
 */
int image_open(const char *flag, const char *path, struct image *ret_image, struct err *e);
/* The whole file to `out`, which has room for size_bytes. Errors: the host's, naming `what`. */
int image_load(const struct image *image, const char *what, void *out, struct err *e);
void image_close(struct image *image); /* none is a no-op */

/* What the kernel asks for in its header (Linux, Documentation/arm64/booting.rst). */
struct arm64_kernel {
    uint64_t text_offset; /* from a 2 MiB boundary */
    uint64_t size_bytes;  /* of memory from there on, the .bss included */
};

/* Checks that `image` is an arm64 kernel; one that is gzip'ed becomes an unpacked one in memory.
 * Errors: ENOEXEC with what it is instead. */
int image_check_arm64(struct image *image, const char *path, struct arm64_kernel *ret_kernel,
                      struct err *e);

#endif
