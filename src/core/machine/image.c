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

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/bytes.h"

int image_open(const char *flag, const char *path, struct image *ret_image, struct err *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set_errno(e, errno, "%s %s", flag, path);
    int rc = 0;
    if (fstat(fd, &st) < 0)
        rc = err_set_errno(e, errno, "%s %s", flag, path);
    else if (!S_ISREG(st.st_mode))
        rc = err_set(e, EINVAL, "%s %s: not a regular file", flag, path);
    else if (st.st_size == 0)
        rc = err_set(e, EINVAL, "%s %s: empty file", flag, path);
    else if ((uint64_t)st.st_size > IMAGE_BYTES_MAX)
        rc = err_set(e, EFBIG, "%s %s: larger than 1 GiB", flag, path);
    if (rc < 0)
        close(fd);
    else
        *ret_image = (struct image){fd, (uint64_t)st.st_size};
    return rc;
}

/* Up to `size` bytes from `offset`; fewer where the file ends. Negative errno. */
static ssize_t read_at(const struct image *image, uint64_t offset, void *out, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = pread(image->fd, (uint8_t *)out + have, size - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

bool image_read(const struct image *image, uint64_t offset, void *out, size_t size_bytes)
{
    return offset <= IMAGE_BYTES_MAX &&
           read_at(image, offset, out, size_bytes) == (ssize_t)size_bytes;
}

static bool is_zero(const uint8_t *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

int image_load_part(const struct image *image, const char *what, uint64_t offset,
                    uint64_t size_bytes, void *out, struct err *e)
{
    uint8_t chunk[16 << 10], *to = out;
    for (uint64_t at = 0; at < size_bytes; at += sizeof(chunk)) {
        uint64_t left = size_bytes - at;
        size_t size = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
        ssize_t n = read_at(image, offset + at, chunk, size);
        if (n < 0)
            return err_set_errno(e, (int)n, "%s", what);
        if ((size_t)n < size)
            return err_set(e, EIO, "%s: became shorter", what);
        /* A firmware image is mostly padding, for which the host need not find pages. Nor is the
         * memory looked at: it would then get small pages, not huge ones, when it is written. */
        if (!is_zero(chunk, size))
            memcpy(to + at, chunk, size);
    }
    return 0;
}

int image_load(const struct image *image, const char *what, void *out, struct err *e)
{
    return image_load_part(image, what, 0, image->size_bytes, out, e);
}

void image_close(struct image *image)
{
    if (image->size_bytes)
        close(image->fd);
    *image = (struct image){0};
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* Unpacks into `fd`. Returns what is wrong, or NULL. */
static const char *inflate_to(const struct image *image, int fd, uint64_t *ret_size)
{
    enum { CHUNK = 64 << 10 };
    static const char damaged[] = "damaged gzip file";
    uint8_t in[CHUNK], out[CHUNK];
    uint64_t read_bytes = 0, size = 0;
    const char *problem = NULL;
    z_stream z = {0};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        abort();
    for (int status = Z_OK; status != Z_STREAM_END && !problem;) {
        if (z.avail_in == 0) {
            ssize_t n = read_at(image, read_bytes, in, sizeof(in));
            read_bytes += n > 0 ? (uint64_t)n : 0;
            z.next_in = in;
            z.avail_in = n > 0 ? (uInt)n : 0;
        }
        z.next_out = out;
        z.avail_out = sizeof(out);
        status = inflate(&z, Z_NO_FLUSH); /* Z_BUF_ERROR where the input ended early */
        size_t made = sizeof(out) - z.avail_out;
        size += made;
        if (status != Z_OK && status != Z_STREAM_END)
            problem = damaged;
        else if (size > IMAGE_BYTES_MAX)
            problem = "unpacks to more than 1 GiB";
        else if (!write_all(fd, out, made))
            problem = "no memory to unpack it";
    }
    inflateEnd(&z);
    *ret_size = size;
    return problem || size > 0 ? problem : damaged;
}

/* Replaces a gzip'ed image by what is in it. */
static int unpack_gzip(struct image *image, const char *path, struct err *e)
{
    int fd = memfd_create("peng-kernel", MFD_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, errno, "--kernel %s", path);
    uint64_t size = 0;
    const char *problem = inflate_to(image, fd, &size);
    if (problem) {
        close(fd);
        return err_set(e, ENOEXEC, "--kernel %s: %s", path, problem);
    }
    image_close(image);
    *image = (struct image){fd, size};
    return 0;
}

/* The start of a file, as far as telling formats apart goes. */
struct head {
    uint8_t data[0x206];
    size_t size_bytes;
};

static bool starts_with(const struct head *head, size_t offset, const void *magic, size_t size)
{
    return head->size_bytes >= offset + size && memcmp(head->data + offset, magic, size) == 0;
}

static void read_head(const struct image *image, struct head *head)
{
    ssize_t n = read_at(image, 0, head->data, sizeof(head->data));
    head->size_bytes = n > 0 ? (size_t)n : 0;
}

/* What people pass by mistake. */
static const char *foreign_format(const struct head *head)
{
    static const char x86_setup[] = "HdrS"; /* Documentation/x86/boot.rst, at 0x202 */
    if (starts_with(head, 0x202, x86_setup, 4))
        return "an x86 kernel, not an arm64 kernel";
    if (starts_with(head, 0, "\177ELF", 4)) {
        unsigned machine = head->size_bytes >= 20 ? (unsigned)load_le(head->data + 18, 2) : 0;
        return machine == 183 ? "an ELF file; an arm64 kernel is wanted in its Image format"
                              : "an ELF file for another machine, not an arm64 kernel";
    }
    if (starts_with(head, 4, "zimg", 4))
        return "a compressed EFI image (zboot), which only --firmware can start";
    return "not an arm64 kernel (no Image header)";
}

const char *image_arch(const char *path)
{
    struct image image;
    if (image_open("--kernel", path, &image, NULL) < 0)
        return NULL;
    struct head head;
    read_head(&image, &head);
    image_close(&image);
    unsigned elf_machine = starts_with(&head, 0, "\177ELF", 4) && head.size_bytes >= 20
                               ? (unsigned)load_le(head.data + 18, 2)
                               : 0;
    if (starts_with(&head, 0x202, "HdrS", 4) || elf_machine == EM_X86_64)
        return "x86_64";
    /* Of what is packed, only arm64's kernels are unpacked by us. */
    if (starts_with(&head, 56, "ARM\x64", 4) || starts_with(&head, 0, "\x1f\x8b", 2))
        return "arm64";
    return NULL;
}

const char *image_firmware_arch(const char *path)
{
    struct image image;
    if (image_open("--firmware", path, &image, NULL) < 0)
        return NULL;
    struct head head;
    read_head(&image, &head);
    image_close(&image);
    static const char zeros[16];
    return starts_with(&head, 0, zeros, sizeof(zeros)) ? "x86_64" : NULL;
}

/* Where the file must end at least by the sections of its EFI header (the Microsoft PE format,
 * "Section Table"), which a kernel has that firmware can start; 0: it has none. */
static uint64_t end_of_sections(const struct image *image, const struct head *head)
{
    enum { PE_AT = 0x3c, PE_HEADER = 24, SECTION = 40, SECTIONS_MAX = 16 };
    uint8_t pe[PE_HEADER], section[SECTION];
    if (!starts_with(head, 0, "MZ", 2))
        return 0;
    uint64_t at = load_le(head->data + PE_AT, 4), end = 0;
    if (!image_read(image, at, pe, sizeof(pe)) || memcmp(pe, "PE\0", 4) != 0)
        return 0;
    unsigned count = (unsigned)load_le(pe + 6, 2);
    at += PE_HEADER + load_le(pe + 20, 2); /* behind the optional header */
    for (unsigned i = 0; i < count && i < SECTIONS_MAX; i++, at += SECTION) {
        if (!image_read(image, at, section, sizeof(section)))
            break;
        uint64_t section_end = load_le(section + 16, 4) + load_le(section + 20, 4);
        end = section_end > end ? section_end : end;
    }
    return end;
}

int image_check_arm64(struct image *image, const char *path, struct arm64_kernel *ret_kernel,
                      struct err *e)
{
    struct head head;
    read_head(image, &head);
    if (starts_with(&head, 0, "\x1f\x8b", 2)) {
        int rc = unpack_gzip(image, path, e);
        if (rc < 0)
            return rc;
        read_head(image, &head);
    }
    if (!starts_with(&head, 56, "ARM\x64", 4) || head.size_bytes < 64)
        return err_set(e, ENOEXEC, "--kernel %s: %s", path, foreign_format(&head));
    uint64_t text_offset = load_le(head.data + 8, 8);
    uint64_t memory = load_le(head.data + 16, 8);
    uint64_t flags = load_le(head.data + 24, 8);
    uint64_t file_bytes = end_of_sections(image, &head);
    if (file_bytes > image->size_bytes)
        return err_set(e, ENOEXEC, "--kernel %s: truncated: %llu bytes of %llu", path,
                       (unsigned long long)image->size_bytes, (unsigned long long)file_bytes);
    if (flags & 1)
        return err_set(e, ENOEXEC, "--kernel %s: a big-endian arm64 kernel", path);
    if (memory == 0) /* before Linux 3.17: the size is unknown, the offset fixed */
        text_offset = 0x80000;
    if (memory < image->size_bytes)
        memory = image->size_bytes;
    if (text_offset >= 2 << 20 || text_offset % 8 || memory > 2 * IMAGE_BYTES_MAX)
        return err_set(e, ENOEXEC, "--kernel %s: bad Image header", path);
    *ret_kernel = (struct arm64_kernel){text_offset, memory};
    return 0;
}
