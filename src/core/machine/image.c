/* image.c: reads kernel files and tells what they are.
 *
 * The arm64 Image header (Documentation/arm64/booting.rst) is 64 bytes: text_offset at 8,
 * image_size at 16, flags at 24, the magic "ARM\x64" at 56. An EFI stub in front ("MZ") is part of
 * the format and of no interest here. Everything else is refused with a guess at what it is,
 * because giving an x86 kernel is the mistake that people make.
 *
 * Limits: files of up to 1 GiB; gzip is the only compression unpacked, and EFI zboot images are
 * not.
 */
#include "core/machine/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/bytes.h"

int image_read(const char *flag, const char *path, struct image *ret_image, struct err *e)
{
    int rc = 0;
    uint8_t *data = NULL;
    size_t have = 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set_errno(e, errno, "%s %s", flag, path);
    if (fstat(fd, &st) < 0) {
        rc = err_set_errno(e, errno, "%s %s", flag, path);
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        rc = err_set(e, EINVAL, "%s %s: not a regular file", flag, path);
        goto out;
    }
    if (st.st_size > IMAGE_BYTES_MAX || st.st_size == 0) {
        rc = err_set(e, st.st_size ? EFBIG : EINVAL, "%s %s: %s", flag, path,
                     st.st_size ? "larger than 1 GiB" : "empty file");
        goto out;
    }
    data = malloc((size_t)st.st_size);
    if (!data)
        abort();
    while (have < (size_t)st.st_size) {
        ssize_t n = read(fd, data + have, (size_t)st.st_size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            rc = n < 0 ? err_set_errno(e, errno, "%s %s", flag, path)
                       : err_set(e, EIO, "%s %s: became shorter", flag, path);
            goto out;
        }
        have += (size_t)n;
    }
    *ret_image = (struct image){data, have};
    data = NULL;
out:
    free(data);
    close(fd);
    return rc;
}

void image_free(struct image *image)
{
    free(image->data);
    *image = (struct image){0};
}

static bool starts_with(const struct image *image, size_t offset, const void *magic, size_t size)
{
    return image->size_bytes >= offset + size && memcmp(image->data + offset, magic, size) == 0;
}

/* Replaces a gzip'ed image by what is in it. */
static int unpack_gzip(struct image *image, const char *path, struct err *e)
{
    z_stream z = {.next_in = image->data, .avail_in = (uInt)image->size_bytes};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        abort();
    size_t room = image->size_bytes * 4 + (1 << 20), size = 0;
    uint8_t *out = NULL;
    int status = Z_OK;
    while (status == Z_OK) {
        out = realloc(out, room);
        if (!out)
            abort();
        z.next_out = out + size;
        z.avail_out = (uInt)(room - size);
        status = inflate(&z, Z_NO_FLUSH);
        size = room - z.avail_out;
        if (status == Z_OK && z.avail_out > 0)
            status = Z_DATA_ERROR; /* the input ended early */
        if (status == Z_OK && room >= IMAGE_BYTES_MAX)
            status = Z_MEM_ERROR;
        room = room > IMAGE_BYTES_MAX / 2 ? IMAGE_BYTES_MAX : room * 2;
    }
    inflateEnd(&z);
    if (status != Z_STREAM_END) {
        free(out);
        return err_set(e, ENOEXEC, "--kernel %s: %s", path,
                       status == Z_MEM_ERROR ? "unpacks to more than 1 GiB" : "damaged gzip file");
    }
    free(image->data);
    *image = (struct image){out, size};
    return 0;
}

/* What people pass by mistake. */
static const char *foreign_format(const struct image *image)
{
    static const char x86_setup[] = "HdrS"; /* Documentation/x86/boot.rst, at 0x202 */
    if (starts_with(image, 0x202, x86_setup, 4))
        return "an x86 kernel, not an arm64 kernel";
    if (starts_with(image, 0, "\177ELF", 4)) {
        unsigned machine = image->size_bytes >= 20 ? (unsigned)load_le(image->data + 18, 2) : 0;
        return machine == 183 ? "an ELF file; an arm64 kernel is wanted in its Image format"
                              : "an ELF file for another machine, not an arm64 kernel";
    }
    if (starts_with(image, 4, "zimg", 4))
        return "a compressed EFI image (zboot), which only --firmware can start";
    return "not an arm64 kernel (no Image header)";
}

int image_check_arm64(struct image *image, const char *path, struct arm64_kernel *ret_kernel,
                      struct err *e)
{
    if (starts_with(image, 0, "\x1f\x8b", 2)) {
        int rc = unpack_gzip(image, path, e);
        if (rc < 0)
            return rc;
    }
    if (!starts_with(image, 56, "ARM\x64", 4) || image->size_bytes < 64)
        return err_set(e, ENOEXEC, "--kernel %s: %s", path, foreign_format(image));
    uint64_t text_offset = load_le(image->data + 8, 8);
    uint64_t memory = load_le(image->data + 16, 8);
    uint64_t flags = load_le(image->data + 24, 8);
    if (flags & 1)
        return err_set(e, ENOEXEC, "--kernel %s: a big-endian arm64 kernel", path);
    if (memory == 0) /* before Linux 3.17: the size is unknown, the offset fixed */
        text_offset = 0x80000;
    if (memory < image->size_bytes)
        memory = image->size_bytes;
    if (text_offset >= 2 << 20 || text_offset % 8 || memory > 2ull * IMAGE_BYTES_MAX)
        return err_set(e, ENOEXEC, "--kernel %s: bad Image header", path);
    *ret_kernel = (struct arm64_kernel){text_offset, memory};
    return 0;
}
