/* fuzz_image.c: files that claim to be arm64 kernels.
 *
 * What is accepted must have sizes that a board can add up without overflow; everything else must
 * give one line of error.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/machine/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) /* image_open() refuses those */
        return 0;
    struct image image = {.fd = memfd_create("fuzz-image", MFD_CLOEXEC), .size_bytes = size};
    struct arm64_kernel kernel = {0};
    struct err e = {0};
    if (image.fd < 0 || write(image.fd, data, size) != (ssize_t)size) {
        image_close(&image);
        return 0;
    }
    int rc = image_check_arm64(&image, "kernel", &kernel, &e);
    if (rc < 0) {
        assert(e.text[0] && !strchr(e.text, '\n'));
    } else {
        assert(kernel.text_offset < 2 << 20 && kernel.size_bytes >= image.size_bytes);
        assert(kernel.size_bytes <= 2 * IMAGE_BYTES_MAX);
    }
    image_close(&image);
    return 0;
}
