/* fuzz_store.c: damaged files of the store of translations. Input: changes to a good file, each a
 * struct change. Whatever was changed, a page's translation is the one that was put, or is not
 * found; and the store can be written to again.
 */
#include <assert.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/translator/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAGES = 6, DATA_BYTES = 300, CONTEXT = 5, FILE_MAX = 64 << 10, CHANGES_MAX = 64 };

struct change {
    uint8_t kind;     /* bit 7: the file is cut here; else `bytes`, 1 to 8 of them, are written */
    uint8_t place;    /* 0: the header, 1: the slots, 2: the records' heads, else anywhere */
    uint8_t where[2]; /* little-endian, as is `value` */
    uint8_t value[8];
};

static_assert(sizeof(struct change) == 12, "as in the corpus");

/* Made by the first input: the file as it should be. */
static struct {
    char directory[64], path[128];
    uint8_t good[FILE_MAX];
    size_t good_bytes;
} made;

static void fill_page(unsigned n, uint8_t page[4096])
{
    for (unsigned i = 0; i < 4096; i++)
        page[i] = (uint8_t)(n * 7 + i * (n + 1));
}

static void fill_data(unsigned n, uint8_t data[DATA_BYTES])
{
    for (unsigned i = 0; i < DATA_BYTES; i++)
        data[i] = (uint8_t)(n + i);
}

static struct store *open_store(void)
{
    const struct store_config config = {
        .directory = made.directory, .version = 1, .limit_bytes = 1 << 20};
    struct store *store = NULL;
    store_open(&config, &store, NULL);
    return store;
}

static void put(struct store *store, unsigned from, unsigned to)
{
    uint8_t page[4096], data[DATA_BYTES];
    if (!store_begin(store))
        return;
    for (unsigned n = from; n < to; n++) {
        fill_page(n, page);
        fill_data(n, data);
        store_put(store, page, CONTEXT, data, sizeof(data));
    }
    store_end(store);
}

/* Whether it is there; and it must be right. */
static bool find(struct store *store, unsigned n)
{
    uint8_t page[4096], data[DATA_BYTES];
    uint32_t known = 0;
    size_t bytes;
    bool old;
    fill_page(n, page);
    fill_data(n, data);
    const void *found = store_find(store, page, CONTEXT, &known, &bytes, &old);
    assert(!found || (bytes == sizeof(data) && memcmp(found, data, bytes) == 0));
    return found;
}

static void remove_all(void)
{
    store_clear(made.directory, NULL);
    rmdir(made.directory);
}

static void make(void)
{
    glob_t files;
    strcpy(made.directory, "/dev/shm/peng-fuzz-store-XXXXXX"); /* a disk would be slow */
    if (!mkdtemp(made.directory))
        abort();
    atexit(remove_all);
    struct store *store = open_store();
    put(store, 0, PAGES);
    for (unsigned n = 0; n < PAGES; n++)
        assert(find(store, n));
    store_close(store);
    char pattern[80];
    snprintf(pattern, sizeof(pattern), "%s/code-*", made.directory);
    if (glob(pattern, 0, NULL, &files) != 0)
        abort();
    snprintf(made.path, sizeof(made.path), "%s", files.gl_pathv[0]);
    globfree(&files);
    int fd = open(made.path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, made.good, sizeof(made.good));
    assert(n > 0 && n < FILE_MAX);
    made.good_bytes = (size_t)n;
    close(fd);
}

/* The file's bytes as changed; returns its size. */
static size_t damage(const uint8_t *data, size_t size, uint8_t *file)
{
    static const unsigned starts[] = {0, 4096, 8192};
    size_t bytes = made.good_bytes;
    memcpy(file, made.good, made.good_bytes);
    memset(file + bytes, 0, FILE_MAX - bytes);
    for (unsigned i = 0; i < CHANGES_MAX && (i + 1) * sizeof(struct change) <= size; i++) {
        struct change c;
        memcpy(&c, data + i * sizeof(c), sizeof(c));
        unsigned at = (unsigned)load_le(c.where, 2);
        if (c.place < ARRAY_SIZE(starts))
            at = starts[c.place] + at % 4200;
        if (c.kind & 0x80)
            bytes = at;
        else if (at + 8 <= FILE_MAX)
            memcpy(file + at, c.value, c.kind % 8 + 1);
    }
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t file[FILE_MAX];
    if (!made.good_bytes)
        make();
    size_t bytes = damage(data, size, file);
    int fd = open(made.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, file, bytes) != (ssize_t)bytes)
        abort();
    close(fd);
    struct store_info info;
    uint64_t seed[2];
    store_info(made.directory, &info, NULL);
    struct store *store = open_store();
    assert(store);
    for (unsigned n = 0; n < PAGES; n++)
        find(store, n);
    store_seed(store, seed);
    put(store, PAGES - 2, PAGES + 2);
    for (unsigned n = 0; n < PAGES + 2; n++)
        find(store, n);
    store_close(store);
    return 0;
}
