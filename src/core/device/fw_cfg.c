/* fw_cfg.c: a selector, a byte stream, and a DMA engine over a table of blobs.
 *
 *   0x00 data      reads the selected item onwards, as bytes; past its end zeros
 *   0x08 selector  16 bits, big-endian
 *   0x10 DMA       64 bits, big-endian, or two halves of 32, the low one starts: the guest-physical
 *                  address of { be32 control, be32 length, be64 address }
 *
 * At I/O ports the selector is at 0 and little-endian, the data at 1, DMA at 4.
 *
 * Files get keys from 0x20 on and are listed in the directory item. A transfer whose target is not
 * wholly RAM fails with the error bit, nothing is half done. Nothing is writable by the guest.
 */
#include "core/device/fw_cfg.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {
    KEY_SIGNATURE = 0x00,
    KEY_ID = 0x01,
    KEY_FILE_DIR = 0x19,
    KEY_FILE_FIRST = 0x20,
    KEY_COUNT = KEY_FILE_FIRST + FW_CFG_FILES_MAX,
    KEY_WRITE = 0x4000, /* a bit of the selector that says nothing any more */

    ID_TRADITIONAL = 1 << 0,
    ID_DMA = 1 << 1,

    REG_DATA_END = 0x08,
    REG_SELECTOR = 0x08,
    REG_DMA = 0x10,

    PORT_SELECTOR = 0,
    PORT_DATA = 1,
    PORT_DMA = 4,

    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SKIP = 1 << 2,
    DMA_SELECT = 1 << 3,
    DMA_WRITE = 1 << 4,
};

#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG" */

struct item {
    const uint8_t *data;
    size_t size_bytes;
    bool owned;
};

struct directory_entry {
    uint32_t size_bytes; /* big-endian, as all of it */
    uint16_t key;
    uint16_t reserved;
    char name[FW_CFG_NAME_SIZE];
};

struct directory {
    uint32_t count;
    struct directory_entry files[FW_CFG_FILES_MAX];
};

struct dma_access {
    uint32_t control; /* big-endian, as all of it */
    uint32_t length;
    uint64_t address;
};

static_assert(sizeof(struct directory_entry) == 64, "as the specification lays it out");
static_assert(sizeof(struct dma_access) == 16, "as the specification lays it out");

struct fw_cfg {
    pthread_mutex_t lock;
    const struct guestmem *mem; /* borrowed */
    struct item items[KEY_COUNT];
    struct directory directory;
    unsigned file_count;

    uint16_t key;
    uint64_t at;       /* next byte of the item */
    uint32_t dma_high; /* first half of the address */
};

/* --- content -----------------------------------------------------------------------------------
 */

static const struct item *selected(const struct fw_cfg *c)
{
    static const struct item nothing = {NULL, 0, false};
    return c->key < KEY_COUNT ? &c->items[c->key] : &nothing;
}

static void select_key(struct fw_cfg *c, uint16_t key)
{
    c->key = key & ~KEY_WRITE;
    c->at = 0;
}

static uint64_t left(const struct fw_cfg *c)
{
    size_t size_bytes = selected(c)->size_bytes;
    return c->at < size_bytes ? size_bytes - c->at : 0;
}

static uint8_t next_byte(struct fw_cfg *c)
{
    return left(c) > 0 ? selected(c)->data[c->at++] : 0;
}

/* --- DMA ---------------------------------------------------------------------------------------
 */

static bool dma_read(struct fw_cfg *c, uint64_t address, uint32_t length)
{
    uint8_t *to = guestmem_ptr(c->mem, address, length, true);
    if (!to)
        return false;
    uint64_t have = left(c) < length ? left(c) : length;
    if (have > 0)
        memcpy(to, selected(c)->data + c->at, have);
    memset(to + have, 0, length - have);
    c->at += have;
    return true;
}

static void dma_run(struct fw_cfg *c, uint64_t at)
{
    struct dma_access a;
    if (!guestmem_ptr(c->mem, at, sizeof(a), true) || !guestmem_read(c->mem, at, &a, sizeof(a)))
        return; /* nowhere to say so */
    uint32_t control = be32toh(a.control), length = be32toh(a.length);
    bool good = true;
    if (control & DMA_SELECT)
        select_key(c, (uint16_t)(control >> 16));
    if (control & DMA_READ)
        good = length == 0 || dma_read(c, be64toh(a.address), length);
    else if (control & DMA_WRITE)
        good = false;
    else if (control & DMA_SKIP)
        c->at += left(c) < length ? left(c) : length;
    uint32_t result = htobe32(good ? 0 : DMA_ERROR);
    guestmem_write(c->mem, at, &result, sizeof(result));
}

/* --- registers ---------------------------------------------------------------------------------
 */

static uint64_t swap(uint64_t v, unsigned size_bytes)
{
    return htobe64(v) >> (64 - 8 * size_bytes);
}

static uint64_t fw_cfg_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct fw_cfg *c = ctx;
    uint64_t v = 0;
    pthread_mutex_lock(&c->lock);
    if (offset < REG_DATA_END) {
        for (unsigned i = 0; i < size_bytes; i++)
            v |= (uint64_t)next_byte(c) << (8 * i);
    } else if (offset >= REG_DMA) {
        unsigned first = (unsigned)(offset - REG_DMA);
        v = bits(htobe64(DMA_SIGNATURE) >> (8 * first), 0, 8 * size_bytes);
    }
    pthread_mutex_unlock(&c->lock);
    return v;
}

static void fw_cfg_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct fw_cfg *c = ctx;
    pthread_mutex_lock(&c->lock);
    uint64_t v = swap(value, size_bytes);
    if (offset == REG_SELECTOR && size_bytes == 2) {
        select_key(c, (uint16_t)v);
    } else if (offset == REG_DMA && size_bytes == 8) {
        dma_run(c, v);
    } else if (offset == REG_DMA && size_bytes == 4) {
        c->dma_high = (uint32_t)v;
    } else if (offset == REG_DMA + 4 && size_bytes == 4) {
        uint64_t at = (uint64_t)c->dma_high << 32 | v;
        c->dma_high = 0;
        dma_run(c, at);
    }
    pthread_mutex_unlock(&c->lock);
}

const struct bus_device_ops fw_cfg_ops = {fw_cfg_read, fw_cfg_write};

/* The registers in memory do the same, but for the selector's byte order. */
static uint64_t ports_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    if (offset == PORT_DATA && size_bytes == 1)
        return fw_cfg_read(ctx, 0, 1);
    if (offset >= PORT_DMA)
        return fw_cfg_read(ctx, offset - PORT_DMA + REG_DMA, size_bytes);
    return bits(UINT64_MAX, 0, 8 * size_bytes);
}

static void ports_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    if (offset == PORT_SELECTOR && size_bytes == 2)
        fw_cfg_write(ctx, REG_SELECTOR, 2, swap(value, 2));
    else if (offset >= PORT_DMA)
        fw_cfg_write(ctx, offset - PORT_DMA + REG_DMA, size_bytes, value);
}

const struct bus_device_ops fw_cfg_ports_ops = {ports_read, ports_write};

/* --- building ----------------------------------------------------------------------------------
 */

static int set_item(struct fw_cfg *c, unsigned key, const void *data, size_t size_bytes,
                    bool borrow, struct err *e)
{
    struct item *item = &c->items[key];
    if (item->data)
        return err_set(e, EEXIST, "firmware configuration item 0x%x is there already", key);
    if (size_bytes > UINT32_MAX)
        return err_set(e, EFBIG, "firmware configuration item 0x%x is too large", key);
    const uint8_t *kept = data;
    if (!borrow) {
        uint8_t *copy = malloc(size_bytes + 1); /* so that an empty item is not NULL */
        if (!copy)
            abort();
        memcpy(copy, data, size_bytes);
        kept = copy;
    }
    *item = (struct item){kept, size_bytes, !borrow};
    return 0;
}

int fw_cfg_add_item(struct fw_cfg *c, enum fw_cfg_key key, const void *data, size_t size_bytes,
                    bool borrow, struct err *e)
{
    return set_item(c, key, data, size_bytes, borrow, e);
}

int fw_cfg_add_u16(struct fw_cfg *c, enum fw_cfg_key key, uint16_t value, struct err *e)
{
    uint16_t v = htole16(value);
    return set_item(c, key, &v, sizeof(v), false, e);
}

int fw_cfg_add_u32(struct fw_cfg *c, enum fw_cfg_key key, uint32_t value, struct err *e)
{
    uint32_t v = htole32(value);
    return set_item(c, key, &v, sizeof(v), false, e);
}

int fw_cfg_add_file(struct fw_cfg *c, const char *name, const void *data, size_t size_bytes,
                    bool borrow, struct err *e)
{
    size_t length = strlen(name);
    if (length == 0 || length >= FW_CFG_NAME_SIZE)
        return err_set(e, EINVAL, "firmware file name \"%s\" is empty or too long", name);
    if (c->file_count == FW_CFG_FILES_MAX)
        return err_set(e, ENOSPC, "%s: too many firmware files", name);
    for (unsigned i = 0; i < c->file_count; i++)
        if (strcmp(c->directory.files[i].name, name) == 0)
            return err_set(e, EEXIST, "firmware file %s is there already", name);
    unsigned key = KEY_FILE_FIRST + c->file_count;
    int r = set_item(c, key, data, size_bytes, borrow, e);
    if (r < 0)
        return r;
    struct directory_entry *entry = &c->directory.files[c->file_count++];
    entry->size_bytes = htobe32((uint32_t)size_bytes);
    entry->key = htobe16((uint16_t)key);
    memcpy(entry->name, name, length);
    c->directory.count = htobe32(c->file_count);
    c->items[KEY_FILE_DIR].size_bytes =
        offsetof(struct directory, files) + c->file_count * sizeof(struct directory_entry);
    return 0;
}

void fw_cfg_reset(struct fw_cfg *c)
{
    pthread_mutex_lock(&c->lock);
    c->key = 0;
    c->at = 0;
    c->dma_high = 0;
    pthread_mutex_unlock(&c->lock);
}

int fw_cfg_new(const struct guestmem *mem, struct fw_cfg **ret_cfg, struct err *e)
{
    static const uint32_t features = ID_TRADITIONAL | ID_DMA; /* little-endian on our hosts */
    struct fw_cfg *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->mem = mem;
    pthread_mutex_init(&c->lock, NULL);
    c->items[KEY_SIGNATURE] = (struct item){(const uint8_t *)"QEMU", 4, false};
    c->items[KEY_ID] = (struct item){(const uint8_t *)&features, sizeof(features), false};
    c->items[KEY_FILE_DIR] =
        (struct item){(const uint8_t *)&c->directory, offsetof(struct directory, files), false};
    *ret_cfg = c;
    return 0;
}

void fw_cfg_free(struct fw_cfg *c)
{
    if (!c)
        return;
    for (unsigned key = 0; key < KEY_COUNT; key++)
        if (c->items[key].owned)
            free((void *)c->items[key].data);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
