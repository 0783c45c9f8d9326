/* overlay.c: copy-on-write: writes go to an unlinked temporary file, the disk below stays as it is.
 *
 * A bit for each cluster of 64 KiB says which of the two has it. A write that first touches a
 * cluster copies the parts of it that it does not cover. Bits change under the write lock only;
 * transfers that find all their clusters present need just the read lock and run side by side.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/iov.h"
#include "core/block/blk_int.h"
#include "core/block/fileio.h"

enum { CLUSTER_BYTES = 64 * 1024 };

struct overlay {
    struct blk blk;
    struct blk *below;
    int fd;
    pthread_rwlock_t lock; /* guards `present` and the first writing of a cluster */
    uint8_t *present;      /* a bit a cluster */
};

static bool is_present(const struct overlay *o, uint64_t cluster)
{
    return o->present[cluster / 8] >> (cluster % 8) & 1;
}

/* Bytes from `offset`, at most size_bytes, that are all present or all not. */
static uint64_t run_length(const struct overlay *o, uint64_t offset, uint64_t size_bytes,
                           bool *ret_present)
{
    uint64_t cluster = offset / CLUSTER_BYTES, end = offset + size_bytes;
    *ret_present = is_present(o, cluster);
    while (cluster * CLUSTER_BYTES < end && is_present(o, cluster) == *ret_present)
        cluster++;
    uint64_t stop = cluster * CLUSTER_BYTES;
    return (stop < end ? stop : end) - offset;
}

static bool all_present(const struct overlay *o, uint64_t offset, uint64_t size_bytes)
{
    bool present;
    return run_length(o, offset, size_bytes, &present) == size_bytes && present;
}

/* Copies [from, to), within one cluster, up from below. */
static int copy_up(struct overlay *o, uint64_t from, uint64_t to)
{
    if (from >= to)
        return 0;
    uint8_t *buffer = malloc(CLUSTER_BYTES);
    if (!buffer)
        return -ENOMEM;
    struct iovec piece = {buffer, (size_t)(to - from)};
    struct blk_request read = {
        .op = BLK_READ, .offset = from, .size_bytes = to - from, .iov = &piece, .iov_count = 1};
    int r = blk_run(o->below, &read);
    if (r == 0)
        r = file_writev(o->fd, &piece, 1, from);
    free(buffer);
    return r;
}

/* Write lock held: brings up what a change of the range leaves of its first and last cluster. */
static int copy_edges(struct overlay *o, uint64_t offset, uint64_t size_bytes)
{
    uint64_t end = offset + size_bytes;
    uint64_t first = align_down(offset, CLUSTER_BYTES);
    uint64_t last = align_down(end - 1, CLUSTER_BYTES), last_end = last + CLUSTER_BYTES;
    if (last_end > o->blk.size_bytes)
        last_end = o->blk.size_bytes;
    int r = 0;
    if (!is_present(o, first / CLUSTER_BYTES))
        r = copy_up(o, first, offset);
    if (r == 0 && !is_present(o, last / CLUSTER_BYTES))
        r = copy_up(o, end, last_end);
    return r;
}

static void mark_present(struct overlay *o, uint64_t offset, uint64_t size_bytes)
{
    for (uint64_t c = offset / CLUSTER_BYTES; c * CLUSTER_BYTES < offset + size_bytes; c++)
        o->present[c / 8] |= (uint8_t)(1u << (c % 8));
}

static int change_file(struct overlay *o, const struct blk_request *request)
{
    if (request->op == BLK_WRITE)
        return file_writev(o->fd, request->iov, request->iov_count, request->offset);
    return file_zero(o->fd, request->offset, request->size_bytes, true);
}

static int overlay_change(struct overlay *o, const struct blk_request *request)
{
    if (request->size_bytes == 0)
        return 0;
    pthread_rwlock_rdlock(&o->lock);
    bool present = all_present(o, request->offset, request->size_bytes);
    int r = present ? change_file(o, request) : 0;
    pthread_rwlock_unlock(&o->lock);
    if (present)
        return r;
    pthread_rwlock_wrlock(&o->lock);
    r = copy_edges(o, request->offset, request->size_bytes);
    if (r == 0)
        r = change_file(o, request);
    if (r == 0)
        mark_present(o, request->offset, request->size_bytes);
    pthread_rwlock_unlock(&o->lock);
    return r;
}

/* Read lock held: one run of clusters, from where it is. */
static int read_run(struct overlay *o, bool present, const struct iovec *iov, unsigned count,
                    uint64_t offset, uint64_t size_bytes, bool try)
{
    if (present)
        return (try ? file_try_readv : file_readv)(o->fd, iov, count, offset);
    struct blk_request read = {
        .op = BLK_READ, .offset = offset, .size_bytes = size_bytes, .iov = iov, .iov_count = count};
    return (try ? blk_try_run : blk_run)(o->below, &read);
}

static int overlay_read(struct overlay *o, const struct blk_request *request)
{
    struct iovec part[FILEIO_IOV_MAX];
    uint64_t done = 0;
    int r = 0;
    pthread_rwlock_rdlock(&o->lock);
    while (r == 0 && done < request->size_bytes) {
        bool present;
        uint64_t offset = request->offset + done;
        uint64_t length = run_length(o, offset, request->size_bytes - done, &present);
        unsigned count = iov_slice(request->iov, request->iov_count, done, length, part);
        r = read_run(o, present, part, count, offset, length, false);
        done += length;
    }
    pthread_rwlock_unlock(&o->lock);
    return r;
}

static int overlay_run(struct blk *blk, const struct blk_request *request)
{
    struct overlay *o = (struct overlay *)blk;
    switch (request->op) {
    case BLK_READ:
        return overlay_read(o, request);
    case BLK_WRITE:
    case BLK_WRITE_ZEROES:
        return overlay_change(o, request);
    case BLK_FLUSH:   /* nothing of it outlives the machine */
    case BLK_DISCARD: /* a hint */
        return 0;
    }
    return -EOPNOTSUPP;
}

/* Reads of one run only; writes need the long way anyhow when they are the first. */
static int overlay_try_run(struct blk *blk, const struct blk_request *request)
{
    struct overlay *o = (struct overlay *)blk;
    if (request->op == BLK_FLUSH || request->op == BLK_DISCARD || request->size_bytes == 0)
        return 0;
    if (request->op != BLK_READ || pthread_rwlock_tryrdlock(&o->lock) != 0)
        return -EAGAIN;
    bool present;
    int r = -EAGAIN;
    if (run_length(o, request->offset, request->size_bytes, &present) == request->size_bytes)
        r = read_run(o, present, request->iov, request->iov_count, request->offset,
                     request->size_bytes, true);
    pthread_rwlock_unlock(&o->lock);
    return r == 0 ? 0 : -EAGAIN;
}

static void overlay_free(struct blk *blk)
{
    struct overlay *o = (struct overlay *)blk;
    blk_free(o->below);
    if (o->fd >= 0)
        close(o->fd);
    pthread_rwlock_destroy(&o->lock);
    free(o->present);
    free(o);
}

static const struct blk_ops overlay_ops = {overlay_run, overlay_try_run, overlay_free};

/* /var/tmp rather than /tmp: changes to a disk may be more than fits into memory. */
static int open_temporary(struct err *e)
{
    const char *directory = getenv("TMPDIR");
    if (!directory || !*directory)
        directory = "/var/tmp";
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd >= 0)
        return fd;
    char path[4096];
    snprintf(path, sizeof(path), "%s/peng-snapshot-XXXXXX", directory);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, errno, "temporary file in %s for a snapshot", directory);
    unlink(path);
    return fd;
}

int blk_overlay_new(struct blk *below, struct blk **ret_blk, struct err *e)
{
    struct overlay *o = calloc(1, sizeof(*o));
    if (!o)
        abort();
    o->blk = *below;
    o->blk.ops = &overlay_ops;
    o->blk.read_only = false;
    o->blk.can_discard = true;
    o->below = below;
    pthread_rwlock_init(&o->lock, NULL);
    uint64_t clusters = (below->size_bytes + CLUSTER_BYTES - 1) / CLUSTER_BYTES;
    o->present = calloc((size_t)(clusters + 7) / 8, 1);
    o->fd = open_temporary(e);
    int r = o->fd < 0 ? o->fd : 0;
    if (r == 0 && !o->present)
        r = err_set(e, ENOMEM, "no memory for a snapshot of %llu bytes",
                    (unsigned long long)below->size_bytes);
    /* holes read as zeroes, and the end of the file is where the disk ends */
    if (r == 0 && ftruncate(o->fd, (off_t)below->size_bytes) < 0)
        r = err_set_errno(e, errno, "temporary file of %llu bytes for a snapshot",
                          (unsigned long long)below->size_bytes);
    if (r < 0) {
        overlay_free(&o->blk);
        return r;
    }
    *ret_blk = &o->blk;
    return 0;
}
