/* store.c: one file of records behind a table of slots, read with pread(), written under flock().
 *
 *   offset 0        struct header
 *   offset 4096     rows of SLOT_PROBES slots, by hash of page bytes and context
 *   behind them     records, 64-byte aligned, one behind the other
 *
 * A writer appends records, then moves header.end, then publishes slots. A reader believes a slot
 * only if the record it names has the right checksum and holds the very page that was asked for, so
 * a writer may be killed, or the power may fail, at any point. Reading by pread() means that a file
 * cut short under a reader is a miss, not a fault.
 *
 * While programs run the file is open for reading only, and is opened by its name to be written: in
 * user mode a guest has every descriptor there is, and one that gave up its user's rights must not
 * be able to change what that user's other programs will run.
 */
#include "core/translator/store_int.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"

enum {
    SLOTS_MAX = 1 << 17,
    SLOTS_MIN = 1 << 8,
    SLOT_PROBES = 8,
    HEADER_BYTES = 4096,
    RECORD_ALIGN = 64,
    IMAGE_SHARE = 4, /* of the limit, that one image may take at most */
};

#define RECORD_MAGIC 0x64636552u

struct slot {
    uint64_t key;
    uint32_t at;    /* record's offset / RECORD_ALIGN; 0: empty */
    uint16_t check; /* low bits of the record's checksum */
    uint16_t units; /* of RECORD_ALIGN bytes that the record takes */
};

struct row {
    struct slot slots[SLOT_PROBES];
};

struct record {
    uint32_t magic, context;
    uint64_t bytes; /* of data, behind this struct */
    uint64_t sum;   /* hash of page and data */
    uint8_t page[4096];
};

static_assert((sizeof(struct record) + STORE_RECORD_MAX) / RECORD_ALIGN < UINT16_MAX, "slot.units");
static_assert(sizeof(struct slot) == 16 && sizeof(struct record) == 24 + 4096, "as in the file");

struct file {
    int fd; /* -1: none */
    dev_t device;
    ino_t inode;
};

struct store {
    struct file now, old; /* for reading */
    struct file writing;  /* the same as `now`, between begin and end */
    char directory[480], path[512], old_path[516];
    struct translator_fds fds;
    uint64_t version, limit_bytes, half_bytes;
    uint32_t slots;
    struct store_header header; /* between begin and end */
    uint64_t seed[2], boot;     /* of the next header */
    struct record *record;
    size_t record_room;
};

static uint64_t key_of(const uint8_t *page, uint32_t context)
{
    return hash_bytes(page, 4096, context);
}

/* A slot for every record that a full file may hold. */
static uint32_t slots_for(uint64_t file_bytes)
{
    uint32_t slots = SLOTS_MAX;
    while (slots > SLOTS_MIN && slots > file_bytes / sizeof(((struct record *)NULL)->page))
        slots /= 2;
    return slots;
}

static uint64_t row_offset(const struct store *store, uint64_t key)
{
    return HEADER_BYTES + key % (store->slots / SLOT_PROBES) * sizeof(struct row);
}

static uint64_t records_start(const struct store *store)
{
    return align_up(HEADER_BYTES + store->slots * sizeof(struct slot), RECORD_ALIGN);
}

static bool read_all(int fd, void *to, size_t bytes, uint64_t offset)
{
    return pread(fd, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

static bool write_all(int fd, const void *from, size_t bytes, uint64_t offset)
{
    return pwrite(fd, from, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* --- opening ------------------------------------------------------------------------------------
 */

static int make_directory(const char *path, struct err *e)
{
    char parent[512];
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (errno != ENOENT || !slash || slash == parent)
        return err_set_errno(e, errno, "%s", path);
    *slash = 0;
    if (make_directory(parent, e) < 0)
        return -1;
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : err_set_errno(e, errno, "%s", path);
}

/* Ours alone: translations are code that runs with our rights. */
static int check_owner(const char *path, const struct stat *st, bool directory, struct err *e)
{
    if (st->st_uid != geteuid() || (st->st_mode & 077 & (directory ? 022 : 077)) ||
        !(directory ? S_ISDIR(st->st_mode) : S_ISREG(st->st_mode)))
        return err_set(e, EPERM, "%s is not this user's own: not used", path);
    return 0;
}

static int open_file(const struct store *store, const char *path, int flags, struct file *ret,
                     struct err *e)
{
    struct stat st;
    ret->fd = -1;
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set_errno(e, errno, "%s", path);
    if (fstat(fd, &st) < 0 || check_owner(path, &st, false, e) < 0) {
        close(fd);
        return -EPERM;
    }
    if (store->fds.keep)
        fd = store->fds.keep(store->fds.ctx, fd);
    *ret = (struct file){fd, st.st_dev, st.st_ino};
    return fd < 0 ? err_set_errno(e, fd, "%s", path) : 0;
}

static bool read_header(const struct store *store, const struct file *file, struct store_header *h)
{
    return read_all(file->fd, h, sizeof(*h), 0) && h->magic == STORE_MAGIC &&
           h->version == store->version && h->end >= records_start(store);
}

/* Still the file that we opened? In user mode the child of a vfork has our memory, but descriptors
 * of its own; and io_uring closes any. */
static bool is_same(const struct file *file)
{
    struct stat st;
    return file->fd >= 0 && fstat(file->fd, &st) == 0 && st.st_dev == file->device &&
           st.st_ino == file->inode;
}

static void close_file(const struct store *store, struct file *file)
{
    bool same = is_same(file);
    if (same && store->fds.drop)
        store->fds.drop(store->fds.ctx, file->fd);
    else if (same)
        close(file->fd);
    file->fd = -1;
}

int store_open(const struct store_config *config, struct store **ret_store, struct err *e)
{
    struct stat st;
    int r = 0;
    if (stat(config->directory, &st) < 0) {
        r = make_directory(config->directory, e);
        if (r < 0)
            return r;
        if (stat(config->directory, &st) < 0)
            return err_set_errno(e, errno, "%s", config->directory);
    }
    r = check_owner(config->directory, &st, true, e);
    if (r < 0)
        return r;
    struct store *store = calloc(1, sizeof(*store));
    if (!store)
        abort();
    uint64_t limit =
        config->limit_bytes ? config->limit_bytes : (uint64_t)STORE_LIMIT_MIB_DEFAULT << 20;
    store->fds = config->fds;
    store->limit_bytes = limit;
    store->half_bytes = config->images ? limit / 4 : limit / 2;
    store->slots = slots_for(store->half_bytes);
    store->version = hash_mix(config->version ^ store->slots); /* other files for other limits */
    snprintf(store->directory, sizeof(store->directory), "%s", config->directory);
    snprintf(store->path, sizeof(store->path), "%s/code-%016llx", config->directory,
             (unsigned long long)store->version);
    snprintf(store->old_path, sizeof(store->old_path), "%s.old", store->path);
    r = open_file(store, store->path, O_RDONLY | O_CREAT, &store->now, e);
    if (r < 0) {
        free(store);
        return r;
    }
    open_file(store, store->old_path, O_RDONLY, &store->old, NULL);
    store->writing.fd = -1;
    *ret_store = store;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    close_file(store, &store->now);
    close_file(store, &store->old);
    free(store->record);
    free(store);
}

const char *store_directory(const struct store *store)
{
    return store->directory;
}

/* --- finding ------------------------------------------------------------------------------------
 */

static uint64_t sum_of(const struct record *r)
{
    return hash_bytes(r->page, sizeof(r->page) + r->bytes, r->context ^ r->bytes << 32);
}

static bool make_room(struct store *store, size_t data_bytes)
{
    size_t need = sizeof(struct record) + data_bytes;
    if (need <= store->record_room)
        return true;
    struct record *record = realloc(store->record, need);
    if (!record)
        return false;
    store->record = record;
    store->record_room = need;
    return true;
}

static bool load_record(struct store *store, const struct file *file, const struct slot *slot,
                        const uint8_t *page, uint32_t context)
{
    size_t bytes = slot->units * (size_t)RECORD_ALIGN; /* or less, at the file's end */
    if (bytes < sizeof(struct record) || !make_room(store, bytes - sizeof(struct record)))
        return false;
    struct record *r = store->record;
    ssize_t n = pread(file->fd, r, bytes, (off_t)slot->at * RECORD_ALIGN);
    return n >= (ssize_t)sizeof(*r) && r->magic == RECORD_MAGIC && r->context == context &&
           r->bytes <= (size_t)n - sizeof(*r) && (uint16_t)r->sum == slot->check &&
           memcmp(r->page, page, sizeof(r->page)) == 0 && sum_of(r) == r->sum;
}

/* A sound record for the page in one file, which is not the one at *known. */
static bool find_in(struct store *store, const struct file *file, const uint8_t *page,
                    uint32_t context, uint64_t key, uint32_t *known)
{
    if (!is_same(file))
        return false;
    struct row row;
    if (!read_all(file->fd, &row, sizeof(row), row_offset(store, key)))
        return false;
    for (unsigned i = 0; i < SLOT_PROBES && row.slots[i].at; i++) {
        const struct slot *slot = &row.slots[i];
        if (slot->key != key)
            continue;
        if (slot->at == *known || !load_record(store, file, slot, page, context))
            return false;
        *known = slot->at;
        return true;
    }
    return false;
}

const void *store_find(struct store *store, const uint8_t page[4096], uint32_t context,
                       uint32_t *known, size_t *ret_bytes, bool *ret_old)
{
    uint64_t key = key_of(page, context);
    *ret_old = false;
    bool found = find_in(store, &store->now, page, context, key, known);
    if (!found)
        found = *ret_old = find_in(store, &store->old, page, context, key, known);
    if (!found)
        return NULL;
    *ret_bytes = store->record->bytes;
    return store->record + 1;
}

/* --- adding -------------------------------------------------------------------------------------
 */

static const char *own_name(const struct store *store)
{
    return strrchr(store->path, '/') + 1;
}

static bool start_file(struct store *store)
{
    store_evict(store->directory, own_name(store), store->limit_bytes);
    if (!store->seed[0] && getrandom(store->seed, sizeof(store->seed), 0) != sizeof(store->seed))
        abort(); /* so few bytes are given whole (getrandom(2)) */
    store->header = (struct store_header){.magic = STORE_MAGIC,
                                          .version = store->version,
                                          .end = records_start(store),
                                          .seed = {store->seed[0], store->seed[1]},
                                          .boot = store->boot};
    return ftruncate(store->writing.fd, 0) == 0 &&
           ftruncate(store->writing.fd, (off_t)records_start(store)) == 0 &&
           write_all(store->writing.fd, &store->header, sizeof(store->header), 0);
}

/* `writing` has the file's lock: whether it is still the one of that name, which `now` reads. */
static bool is_current(struct store *store)
{
    struct stat st;
    if (stat(store->path, &st) < 0 || st.st_dev != store->writing.device ||
        st.st_ino != store->writing.inode)
        return false; /* somebody else has just turned it over */
    if (is_same(&store->now) && store->now.device == store->writing.device &&
        store->now.inode == store->writing.inode)
        return true;
    close_file(store, &store->now);
    return open_file(store, store->path, O_RDONLY, &store->now, NULL) == 0;
}

static bool open_for_writing(struct store *store)
{
    if (open_file(store, store->path, O_RDWR | O_CREAT, &store->writing, NULL) < 0)
        return false;
    if (flock(store->writing.fd, LOCK_EX | LOCK_NB) == 0 && is_current(store) &&
        (read_header(store, &store->writing, &store->header) || start_file(store)))
        return true;
    store_end(store);
    return false;
}

/* The full file becomes the old one; the new one is open for writing then. */
static bool turn_over(struct store *store)
{
    if (rename(store->path, store->old_path) < 0) {
        store_end(store);
        return false;
    }
    close_file(store, &store->old);
    store->old = store->now;
    store->now.fd = -1;
    store_end(store);
    return open_for_writing(store);
}

/* A file that grows beyond the limit would bring the process SIGXFSZ. */
static bool files_may_grow(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

bool store_begin(struct store *store)
{
    if (!files_may_grow())
        return false;
    if (!open_for_writing(store))
        return false;
    return store->header.end <= store->half_bytes || turn_over(store);
}

static void publish(struct store *store, uint64_t key, const struct slot *slot)
{
    struct row row;
    uint64_t at = row_offset(store, key);
    unsigned i = 0;
    if (!read_all(store->writing.fd, &row, sizeof(row), at))
        return;
    while (i < SLOT_PROBES && row.slots[i].at && row.slots[i].key != key)
        i++;
    if (i == SLOT_PROBES)
        i = (unsigned)(slot->at % SLOT_PROBES); /* the row is full: any is given up */
    write_all(store->writing.fd, slot, sizeof(*slot), at + i * sizeof(*slot));
}

void store_put(struct store *store, const uint8_t page[4096], uint32_t context, const void *data,
               size_t bytes)
{
    uint64_t at = store->header.end;
    if (bytes > STORE_RECORD_MAX || !make_room(store, bytes) || at / RECORD_ALIGN > UINT32_MAX ||
        at + bytes > store->half_bytes * 2)
        return;
    struct record *r = store->record;
    r->magic = RECORD_MAGIC;
    r->context = context;
    r->bytes = bytes;
    memcpy(r->page, page, sizeof(r->page));
    memcpy(r + 1, data, bytes);
    r->sum = sum_of(r);
    if (!write_all(store->writing.fd, r, sizeof(*r) + bytes, at))
        return;
    struct store_header next = store->header;
    next.end = align_up(at + sizeof(*r) + bytes, RECORD_ALIGN);
    next.records++;
    if (!write_all(store->writing.fd, &next, sizeof(next), 0))
        return;
    store->header = next;
    uint64_t key = key_of(page, context);
    publish(store, key,
            &(struct slot){.key = key,
                           .at = (uint32_t)(at / RECORD_ALIGN),
                           .check = (uint16_t)r->sum,
                           .units = (uint16_t)((store->header.end - at) / RECORD_ALIGN)});
}

void store_end(struct store *store)
{
    close_file(store, &store->writing); /* and the lock goes with it */
}

/* --- images -------------------------------------------------------------------------------------
 */

/* The host's boot, or 0. */
static uint64_t this_boot(void)
{
    char id[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, id, sizeof(id));
    if (fd >= 0)
        close(fd);
    return n > 0 ? hash_bytes(id, (size_t)n, 0) : 0;
}

/* The seed of a header, if it is of this boot. */
static bool take_seed(struct store *store, const struct store_header *h)
{
    if (!h->seed[0] || (store->boot && h->boot != store->boot))
        return false;
    memcpy(store->seed, h->seed, sizeof(store->seed));
    store->boot = h->boot;
    return true;
}

bool store_seed(struct store *store, uint64_t ret_seed[2])
{
    struct store_header h;
    store->boot = this_boot();
    bool known = read_header(store, &store->now, &h) && take_seed(store, &h);
    if (!known && store_begin(store)) { /* which begins a file, if need be */
        known = take_seed(store, &store->header);
        if (!known && getrandom(store->seed, sizeof(store->seed), 0) == sizeof(store->seed)) {
            memcpy(store->header.seed, store->seed, sizeof(store->seed));
            store->header.boot = store->boot;
            known = write_all(store->writing.fd, &store->header, sizeof(store->header), 0);
        }
        store_end(store);
    }
    if (known)
        memcpy(ret_seed, store->seed, sizeof(store->seed));
    return known;
}

static void image_path(const struct store *store, uint64_t key, char path[544])
{
    snprintf(path, 544, "%s.%016llx", store->path, (unsigned long long)key);
}

int store_image_open(const struct store *store, uint64_t key, struct err *e)
{
    struct store plain = {.fds = {0}};
    struct file file;
    char path[544];
    image_path(store, key, path);
    int r = open_file(&plain, path, O_RDONLY, &file, e);
    return r < 0 ? r : file.fd;
}

int store_image_begin(const struct store *store, uint64_t bytes)
{
    struct store plain = {.fds = {0}};
    struct file file;
    char path[544];
    if (bytes > store->limit_bytes / IMAGE_SHARE)
        return -EFBIG;
    store_evict(store->directory, own_name(store), store->limit_bytes - bytes);
    snprintf(path, sizeof(path), "%s.new", store->path);
    int r = open_file(&plain, path, O_RDWR | O_CREAT | O_TRUNC, &file, NULL);
    return r < 0 ? r : file.fd;
}

bool store_image_end(const struct store *store, uint64_t key, int fd, bool good)
{
    char path[544], made[544];
    image_path(store, key, path);
    snprintf(made, sizeof(made), "%s.new", store->path);
    close(fd);
    if (good && rename(made, path) == 0)
        return true;
    unlink(made);
    return false;
}

void store_image_drop(const struct store *store, uint64_t key)
{
    char path[544];
    image_path(store, key, path);
    unlink(path);
}
