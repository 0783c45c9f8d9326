/* image.h: files that go into guest memory: the arm64 Image format, initrds, firmware. */
#ifndef PENG_CORE_MACHINE_IMAGE_H
#define PENG_CORE_MACHINE_IMAGE_H

#include <stdbool.h>
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
/* Exactly `size_bytes` from `offset` of it; false: it has fewer, or cannot be read. For headers. */
bool image_read(const struct image *image, uint64_t offset, void *out, size_t size_bytes);
/* Which architecture's kernel a file is, by its first bytes: "arm64", "x86_64", or NULL where it
 * cannot be read or is neither. */
const char *image_arch(const char *path);
/* As image_arch(), of firmware: "x86_64" or NULL, unknown. An Arm CPU begins at a volume's first
 * word, which is thus an instruction; x86's volumes have nothing in their first sixteen bytes. */
const char *image_firmware_arch(const char *path);
/* A part of the file, as image_load(). */
int image_load_part(const struct image *image, const char *what, uint64_t offset,
                    uint64_t size_bytes, void *out, struct err *e);
/* The whole file to `out`, which has room for size_bytes and holds zeros. Errors: the host's,
 * naming `what`. */
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
