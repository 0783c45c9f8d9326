/* cfi_flash.c: the Intel command set over a mapping of the bank's content.
 *
 * All chips of a bank get every command and answer alike, so there is one state machine; of two
 * 16-bit chips, what one says is seen twice in a 32-bit word. Operations take no time: status is
 * always ready. As in the real part, programming can only clear bits and erasing sets a whole
 * sector to ones; after either the bank shows its status until it is sent back to the array.
 *
 * The content is a mapping of the operator's file, shared where changes are to be kept, so that
 * what the guest has programmed survives the end of this process, however it ends. Such a file is
 * open and locked for as long as the bank lives.
 *
 * Limits: sectors are never locked (the lock commands are accepted); no suspend, no one-time
 * programmable area; a write narrower than the bus counts as a command by its lowest byte.
 */
#include "core/device/cfi_flash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hardware/filelock.h"

enum command {
    CMD_PROGRAM_ALT = 0x10,
    CMD_ERASE = 0x20,
    CMD_PROGRAM = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK_SETUP = 0x60,
    CMD_READ_STATUS = 0x70,
    CMD_READ_ID = 0x90,
    CMD_READ_QUERY = 0x98,
    CMD_CONFIRM = 0xd0,
    CMD_BUFFER = 0xe8,
    CMD_READ_ARRAY = 0xff,
};

enum {
    STATUS_READY = 1 << 7,
    STATUS_ERASE_ERROR = 1 << 5,
    STATUS_PROGRAM_ERROR = 1 << 4,
    STATUS_SEQUENCE_ERROR = STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR,

    MANUFACTURER_INTEL = 0x89,
    DEVICE_P30 = 0x18,

    BUFFER_LOG2 = 6, /* bytes of a chip's write buffer */
    BUFFER_BYTES_MAX = 2 << BUFFER_LOG2,
    MIB = 1 << 20,
    BANK_BYTES_MAX = 256 * MIB,
};

/* How a bank is made. */
static const struct layout {
    unsigned chips, chip_bytes; /* the width of a chip's data bus */
    unsigned sector_bytes;      /* of the bank */
    /* What "clear status" leaves. The data sheet's chip goes on being ready; the x8 chip that
     * virtual firmware for x86 knows shows nothing until the next operation, and by that the
     * firmware tells it from RAM and from ROM. */
    uint8_t cleared;
} layouts[] = {
    [CFI_FLASH_TWO_X16] = {2, 2, CFI_FLASH_SECTOR_BYTES, STATUS_READY},
    [CFI_FLASH_ONE_X8] = {1, 1, CFI_FLASH_X8_SECTOR_BYTES, 0},
};

enum read_mode { READ_ARRAY, READ_STATUS, READ_ID, READ_QUERY };

/* What the next write means. */
enum write_mode {
    WRITE_COMMAND,
    WRITE_WORD,       /* data to program */
    WRITE_COUNT,      /* words in the buffer, less one */
    WRITE_BUFFER,     /* data for the buffer */
    WRITE_BUFFER_END, /* confirmation */
    WRITE_ERASE_END,
    WRITE_LOCK_END,
};

struct cfi_flash {
    pthread_mutex_t lock;
    const struct layout *layout;
    unsigned bus_bytes, buffer_bytes;
    uint8_t *content;
    uint64_t flip; /* all ones where `content` is kept inverted */
    uint64_t size_bytes;
    int fd;              /* of a file to write back, with its lock; else negative */
    uint8_t query[0x40]; /* by word offset */

    enum read_mode read_mode;
    enum write_mode write_mode;
    void (*show)(void *ctx, uint8_t *content, bool on); /* as configured */
    void *show_ctx;
    bool shown; /* show() was told so last */
    uint8_t status;
    uint64_t buffer_base; /* aligned address of the buffer, once its first word came */
    unsigned buffer_words, buffer_left;
    uint8_t buffer[BUFFER_BYTES_MAX];
};

/* --- reading -----------------------------------------------------------------------------------
 */

/* CFI query structure (JESD68.01) with Intel's primary table at 0x31. */
static void fill_query(struct cfi_flash *f)
{
    static const uint8_t fixed[0x40] = {
        [0x10] = 'Q',
        'R',
        'Y',
        [0x13] = 0x01,
        0, /* Intel's extended command set */
        [0x15] = 0x31,
        0, /* its table */
        [0x1b] = 0x17,
        0x20, /* Vcc 1.7 to 2.0 V */
        [0x1f] = 0x08,
        0x09,
        0x0a,
        0, /* typical times, log2: us for a word and a buffer, ms */
        [0x23] = 0x01,
        0x01,
        0x02,
        0, /* maximum, log2 multiples of typical */
        [0x2a] = BUFFER_LOG2,
        0,
        [0x2c] = 1, /* regions of equal sectors */
        [0x31] = 'P',
        'R',
        'I',
        '1',
        '0',
        [0x3d] = 0x18, /* best Vcc 1.8 V */
    };
    memcpy(f->query, fixed, sizeof(fixed));
    uint64_t chip_bytes = f->size_bytes / f->layout->chips;
    uint64_t sector_bytes = f->layout->sector_bytes / f->layout->chips;
    f->query[0x27] = (uint8_t)(64 - __builtin_clzll(chip_bytes - 1)); /* rounded up */
    f->query[0x28] = f->layout->chip_bytes - 1;
    store_le(&f->query[0x2d], 2, chip_bytes / sector_bytes - 1);
    store_le(&f->query[0x2f], 2, sector_bytes / 256);
}

/* What one chip drives on its data bus for word `index`. */
static uint16_t chip_word(const struct cfi_flash *f, uint64_t index)
{
    switch (f->read_mode) {
    case READ_STATUS:
        return f->status;
    case READ_ID: {
        /* repeats in every sector; offset 2 is the sector's lock state: not locked */
        uint64_t at = index % (f->layout->sector_bytes / f->bus_bytes);
        return at == 0 ? MANUFACTURER_INTEL : at == 1 ? DEVICE_P30 : 0;
    }
    case READ_QUERY:
        return index < sizeof(f->query) ? f->query[index] : 0;
    case READ_ARRAY:
        break;
    }
    return 0;
}

static uint64_t read_bank(const struct cfi_flash *f, uint64_t offset, unsigned size_bytes)
{
    if (f->read_mode == READ_ARRAY)
        return bits(load_le(f->content + offset, size_bytes) ^ f->flip, 0, 8 * size_bytes);
    uint64_t v = 0;
    for (unsigned i = 0; i < size_bytes; i++) {
        uint16_t word = chip_word(f, (offset + i) / f->bus_bytes);
        v |= (uint64_t)(word >> (offset + i) % f->layout->chip_bytes * 8 & 0xff) << (8 * i);
    }
    return v;
}

/* --- programming -------------------------------------------------------------------------------
 */

static void program(struct cfi_flash *f, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    uint8_t *p = f->content + offset;
    store_le(p, size_bytes, ((load_le(p, size_bytes) ^ f->flip) & value) ^ f->flip);
}

static void finish(struct cfi_flash *f, uint8_t errors)
{
    f->status |= errors | STATUS_READY;
    f->write_mode = WRITE_COMMAND;
    f->read_mode = READ_STATUS;
}

static void erase(struct cfi_flash *f, uint64_t offset)
{
    uint64_t sector_bytes = f->layout->sector_bytes;
    memset(f->content + align_down(offset, sector_bytes), f->flip ? 0 : 0xff, sector_bytes);
}

static void buffer_start(struct cfi_flash *f, uint64_t count)
{
    if (count >= f->buffer_bytes / f->bus_bytes) {
        finish(f, STATUS_SEQUENCE_ERROR);
        return;
    }
    f->buffer_words = f->buffer_left = (unsigned)count + 1;
    memset(f->buffer, 0xff, sizeof(f->buffer));
    f->write_mode = WRITE_BUFFER;
}

/* The first word says where the buffer lies: words must follow in one aligned buffer. */
static void buffer_word(struct cfi_flash *f, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    unsigned bytes = f->buffer_bytes;
    if (f->buffer_left == f->buffer_words)
        f->buffer_base = align_down(offset, bytes);
    if (align_down(offset, bytes) != f->buffer_base || offset % bytes + size_bytes > bytes) {
        finish(f, STATUS_SEQUENCE_ERROR);
        return;
    }
    store_le(f->buffer + offset % bytes, size_bytes, value);
    if (--f->buffer_left == 0)
        f->write_mode = WRITE_BUFFER_END;
}

static void buffer_program(struct cfi_flash *f)
{
    for (unsigned i = 0; i < f->buffer_bytes; i += 8)
        program(f, f->buffer_base + i, 8, load_le(f->buffer + i, 8));
}

static const struct {
    uint8_t command;
    enum write_mode then;
    enum read_mode shows;
} commands[] = {
    {CMD_READ_ARRAY, WRITE_COMMAND, READ_ARRAY},   {CMD_READ_STATUS, WRITE_COMMAND, READ_STATUS},
    {CMD_READ_ID, WRITE_COMMAND, READ_ID},         {CMD_READ_QUERY, WRITE_COMMAND, READ_QUERY},
    {CMD_PROGRAM, WRITE_WORD, READ_STATUS},        {CMD_PROGRAM_ALT, WRITE_WORD, READ_STATUS},
    {CMD_BUFFER, WRITE_COUNT, READ_STATUS},        {CMD_ERASE, WRITE_ERASE_END, READ_STATUS},
    {CMD_LOCK_SETUP, WRITE_LOCK_END, READ_STATUS},
};

static void start_command(struct cfi_flash *f, uint8_t command)
{
    if (command == CMD_CLEAR_STATUS) {
        f->status = f->layout->cleared;
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].command != command)
            continue;
        f->write_mode = commands[i].then;
        f->read_mode = commands[i].shows;
        return;
    }
    f->read_mode = READ_ARRAY; /* unknown */
}

static void write_bank(struct cfi_flash *f, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    uint8_t command = (uint8_t)value;
    switch (f->write_mode) {
    case WRITE_COMMAND:
        start_command(f, command);
        break;
    case WRITE_WORD:
        program(f, offset, size_bytes, value);
        finish(f, 0);
        break;
    case WRITE_COUNT:
        buffer_start(f, value & 0xffff);
        break;
    case WRITE_BUFFER:
        buffer_word(f, offset, size_bytes, value);
        break;
    case WRITE_BUFFER_END:
        if (command == CMD_CONFIRM)
            buffer_program(f);
        finish(f, command == CMD_CONFIRM ? 0 : STATUS_SEQUENCE_ERROR);
        break;
    case WRITE_ERASE_END:
        if (command == CMD_CONFIRM)
            erase(f, offset);
        finish(f, command == CMD_CONFIRM ? 0 : STATUS_SEQUENCE_ERROR);
        break;
    case WRITE_LOCK_END:
        finish(f, 0);
        break;
    }
}

/* --- the bus -----------------------------------------------------------------------------------
 */

static void tell_mode(struct cfi_flash *f)
{
    bool on = f->read_mode == READ_ARRAY;
    if (!f->show || f->flip || on == f->shown)
        return;
    f->shown = on;
    f->show(f->show_ctx, f->content, on);
}

static uint64_t cfi_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct cfi_flash *f = ctx;
    pthread_mutex_lock(&f->lock);
    uint64_t v = read_bank(f, offset, size_bytes);
    pthread_mutex_unlock(&f->lock);
    return v;
}

static void cfi_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct cfi_flash *f = ctx;
    pthread_mutex_lock(&f->lock);
    unsigned at_once = size_bytes < f->bus_bytes ? size_bytes : f->bus_bytes;
    for (unsigned i = 0; i < size_bytes; i += at_once)
        write_bank(f, offset + i, at_once, value >> (8 * i));
    tell_mode(f);
    pthread_mutex_unlock(&f->lock);
}

const struct bus_device_ops cfi_flash_ops = {cfi_read, cfi_write};

static uint64_t rom_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    return 0;
}

static void rom_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
}

const struct bus_device_ops cfi_rom_ops = {rom_read, rom_write};

/* --- life cycle --------------------------------------------------------------------------------
 */

void cfi_flash_reset(struct cfi_flash *f)
{
    pthread_mutex_lock(&f->lock);
    f->read_mode = READ_ARRAY;
    f->write_mode = WRITE_COMMAND;
    f->status = STATUS_READY;
    tell_mode(f);
    pthread_mutex_unlock(&f->lock);
}

/* Lays the file over the start of the reserved range; what it does not cover is erased. */
static int map_file(struct cfi_flash *f, int fd, bool shared, const char *path, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "%s: not a regular file", path);
    if ((uint64_t)st.st_size > f->size_bytes || (shared && (uint64_t)st.st_size != f->size_bytes))
        return err_set(e, EINVAL, "%s: a flash image must have %s%llu %s", path,
                       shared ? "" : "at most ",
                       (unsigned long long)f->size_bytes >> (f->size_bytes % MIB ? 10 : 20),
                       f->size_bytes % MIB ? "KiB" : "MiB");
    uint64_t covered = align_down((uint64_t)st.st_size, 4096);
    if (covered > 0 && mmap(f->content, covered, PROT_READ | PROT_WRITE,
                            MAP_FIXED | (shared ? MAP_SHARED : MAP_PRIVATE), fd, 0) == MAP_FAILED)
        return err_set_errno(e, errno, "%s: cannot map", path);
    if (covered < f->size_bytes) {
        memset(f->content + covered, 0xff, f->size_bytes - covered);
        if (pread(fd, f->content + covered, (size_t)st.st_size - covered, (off_t)covered) < 0)
            return err_set_errno(e, errno, "%s", path);
    }
    return 0;
}

static int map_copy(struct cfi_flash *f, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, errno, "%s", path);
    int r = map_file(f, fd, false, path, e);
    close(fd);
    return r;
}

/* Gives an empty file its first content, by way of the range that it is going to be mapped to. The
 * file is emptied again where not all of it can be written. */
static int fill_file(struct cfi_flash *f, const struct cfi_flash_config *config, struct err *e)
{
    int r = 0;
    if (config->template_path && access(config->template_path, F_OK) == 0)
        r = map_copy(f, config->template_path, e);
    else
        memset(f->content, 0xff, f->size_bytes);
    if (r < 0)
        return r;
    for (uint64_t done = 0; done < f->size_bytes;) {
        ssize_t n = pwrite(f->fd, f->content + done, f->size_bytes - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            r = err_set_errno(e, n < 0 ? errno : EIO, "%s: cannot be filled", config->path);
            return ftruncate(f->fd, 0) < 0 ? -errno : r;
        }
        done += (uint64_t)n;
    }
    return 0;
}

/* Opens, locks and maps the file that the guest's changes go to. */
static int map_kept(struct cfi_flash *f, const struct cfi_flash_config *config, struct err *e)
{
    const char *path = config->path;
    struct stat st;
    bool is_new = stat(path, &st) < 0 && errno == ENOENT;
    f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (f->fd < 0)
        return err_set_errno(e, errno, "%s", path);
    int r = filelock(f->fd, true, path, e);
    if (r == 0 && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        r = fill_file(f, config, e);
    if (r < 0 && r != -EBUSY && is_new)
        unlink(path);
    if (r == 0)
        r = map_file(f, f->fd, true, path, e);
    if (r < 0)
        return r;
    /* Holes get their blocks now: on a full file system a store to one would be a SIGBUS. */
    r = posix_fallocate(f->fd, 0, (off_t)f->size_bytes);
    return r ? err_set_errno(e, r, "%s", path) : 0;
}

int cfi_flash_new(const struct cfi_flash_config *config, struct cfi_flash **ret_flash,
                  struct err *e)
{
    const struct layout *layout = &layouts[config->kind];
    uint64_t size_bytes = config->size_bytes;
    if (size_bytes < 2 * layout->sector_bytes || size_bytes > BANK_BYTES_MAX ||
        size_bytes % layout->sector_bytes)
        return err_set(e, EINVAL, "flash of %llu bytes cannot be", (unsigned long long)size_bytes);
    uint8_t *content = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (content == MAP_FAILED)
        return err_set_errno(e, errno, "flash");
    struct cfi_flash *f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    f->layout = layout;
    f->bus_bytes = layout->chips * layout->chip_bytes;
    f->buffer_bytes = layout->chips << BUFFER_LOG2;
    f->content = content;
    f->size_bytes = size_bytes;
    f->fd = -1;
    pthread_mutex_init(&f->lock, NULL);
    int r = 0;
    if (!config->path)
        f->flip = UINT64_MAX;
    else if (config->write_back)
        r = map_kept(f, config, e);
    else
        r = map_copy(f, config->path, e);
    if (r < 0) {
        cfi_flash_free(f);
        return r;
    }
    fill_query(f);
    cfi_flash_reset(f);
    f->show = config->show; /* from the board's first reset on */
    f->show_ctx = config->show_ctx;
    *ret_flash = f;
    return 0;
}

void cfi_flash_free(struct cfi_flash *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        fdatasync(f->fd); /* writes what was changed by mapping, too */
    munmap(f->content, f->size_bytes);
    if (f->fd >= 0)
        close(f->fd); /* and with it the lock */
    pthread_mutex_destroy(&f->lock);
    free(f);
}
