/* fuzz_image_x86.c: files that claim to be x86-64 kernels. What is accepted must lie where the boot
 * protocols allow it, so that a board can add its sizes up, and must load or give one line of
 * error.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/machine/image_x86.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) /* image_open() refuses those */
        return 0;
    struct image image = {.fd = memfd_create("fuzz-image", MFD_CLOEXEC), .size_bytes = size};
    struct x86_kernel kernel = {0};
    struct err e = {0};
    if (image.fd < 0 || write(image.fd, data, size) != (ssize_t)size) {
        image_close(&image);
        return 0;
    }
    struct guestmem mem;
    guestmem_init(&mem, (struct guestmem_mmio){0});
    if (guestmem_add_ram(&mem, 0, 32 << 20, false, NULL) == 0) {
        int rc = image_check_x86(&image, "kernel", &kernel, &e);
        if (rc == 0) {
            assert(kernel.base >= 1 << 20 && kernel.base <= UINT32_MAX);
            assert(kernel.memory_bytes <= UINT32_MAX && kernel.entry >= kernel.base);
            assert(kernel.setup_bytes <= sizeof(kernel.setup));
            rc = image_load_x86(&image, &kernel, &mem, &e);
        }
        assert(rc == 0 || (e.text[0] && !strchr(e.text, '\n')));
    }
    guestmem_done(&mem);
    image_close(&image);
    return 0;
}
