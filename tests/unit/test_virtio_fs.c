/* test_virtio_fs.c: the FUSE server of a share: files, ids that were never given, ways out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/virtio/fs.h"
#include "core/device/virtio/fuse_server.h"
#include "shared_tree.h"
#include "virtio_guest.h"

enum { REPLY_BYTES = 8192 };

struct fixture {
    struct shared_tree tree;
    struct fuse_server server;
    _Alignas(8) uint8_t reply[REPLY_BYTES]; /* its payload, after call() */
};

/* One request; `extra` follows the arguments. Returns 0 or the error number. */
static int call(struct fixture *f, uint32_t opcode, uint64_t node, const void *arguments,
                size_t argument_bytes, const char *extra, size_t extra_bytes)
{
    struct fuse_in_header header = {.len =
                                        (uint32_t)(sizeof(header) + argument_bytes + extra_bytes),
                                    .opcode = opcode,
                                    .unique = 42,
                                    .nodeid = node};
    struct fuse_out_header out = {0};
    const struct iovec readable[] = {{&header, sizeof(header)},
                                     {(void *)(uintptr_t)arguments, argument_bytes},
                                     {(void *)(uintptr_t)extra, extra_bytes}};
    const struct iovec writable[] = {{&out, sizeof(out)}, {f->reply, sizeof(f->reply)}};
    struct service_request request = {.readable = readable,
                                      .writable = writable,
                                      .readable_count = 3,
                                      .writable_count = 2,
                                      .readable_bytes = header.len,
                                      .writable_bytes = sizeof(out) + sizeof(f->reply)};
    memset(f->reply, 0, sizeof(f->reply));
    size_t got = fuse_server_handle(&f->server, &request);
    assert_int_equal(got, out.len);
    assert_int_equal(out.unique, 42);
    return -out.error;
}

static int call_name(struct fixture *f, uint32_t opcode, uint64_t node, const char *name)
{
    return call(f, opcode, node, NULL, 0, name, strlen(name) + 1);
}

/* The node id of a name, or 0 and *error. */
static uint64_t lookup(struct fixture *f, uint64_t node, const char *name, int *error)
{
    int r = call_name(f, FUSE_LOOKUP, node, name);
    if (error)
        *error = r;
    return r ? 0 : ((struct fuse_entry_out *)f->reply)->nodeid;
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    shared_tree_make(&f.tree);
    assert_int_equal(fuse_server_open(&f.server, f.tree.directory, false, NULL), 0);
    struct fuse_init_in init = {.major = 7, .minor = 38, .flags = ~0u};
    assert_int_equal(call(&f, FUSE_INIT, 0, &init, sizeof(init), NULL, 0), 0);
    assert_int_equal(((struct fuse_init_out *)f.reply)->major, 7);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fuse_server_close(&f->server);
    assert_int_equal(f->server.share.fds, 0); /* nothing leaked */
    return shared_tree_remove(&f->tree);
}

static void test_read_write(void **state)
{
    struct fixture *f = *state;
    uint64_t id = lookup(f, FUSE_ROOT_ID, "hello", NULL);
    assert_true(id > FUSE_ROOT_ID);
    assert_int_equal(lookup(f, FUSE_ROOT_ID, "hello", NULL), id);
    struct fuse_open_in open = {.flags = O_RDWR};
    assert_int_equal(call(f, FUSE_OPEN, id, &open, sizeof(open), NULL, 0), 0);
    uint64_t fh = ((struct fuse_open_out *)f->reply)->fh;
    struct fuse_write_in out = {.fh = fh, .offset = 7, .size = 5};
    assert_int_equal(call(f, FUSE_WRITE, id, &out, sizeof(out), "WORLD", 5), 0);
    assert_int_equal(((struct fuse_write_out *)f->reply)->size, 5);
    out.size = 6; /* more than the request has */
    assert_int_equal(call(f, FUSE_WRITE, id, &out, sizeof(out), "WORLD", 5), EINVAL);
    struct fuse_read_in in = {.fh = fh, .offset = 0, .size = 4096};
    assert_int_equal(call(f, FUSE_READ, id, &in, sizeof(in), NULL, 0), 0);
    assert_memory_equal(f->reply, "hello, WORLD\n", 14);
    in.size = REPLY_BYTES + 1;
    assert_int_equal(call(f, FUSE_READ, id, &in, sizeof(in), NULL, 0), EINVAL);
    in.fh = 1000;
    in.size = 1;
    assert_int_equal(call(f, FUSE_READ, id, &in, sizeof(in), NULL, 0), EBADF);
    struct fuse_setattr_in set = {.valid = FATTR_SIZE | FATTR_MODE, .size = 3, .mode = 0600};
    assert_int_equal(call(f, FUSE_SETATTR, id, &set, sizeof(set), NULL, 0), 0);
    assert_int_equal(((struct fuse_attr_out *)f->reply)->attr.size, 3);
    assert_int_equal(((struct fuse_attr_out *)f->reply)->attr.mode, S_IFREG | 0600);
    struct fuse_release_in release = {.fh = fh};
    assert_int_equal(call(f, FUSE_RELEASE, id, &release, sizeof(release), NULL, 0), 0);
    assert_int_equal(call(f, FUSE_READ, id, &in, sizeof(in), NULL, 0), EBADF);
    struct fuse_forget_in forget = {.nlookup = 1};
    call(f, FUSE_FORGET, id, &forget, sizeof(forget), NULL, 0);
    assert_int_equal(call(f, FUSE_GETATTR, id, NULL, 0, NULL, 0), 0);
    forget.nlookup = UINT64_MAX;
    call(f, FUSE_FORGET, id, &forget, sizeof(forget), NULL, 0);
    assert_int_equal(call(f, FUSE_GETATTR, id, NULL, 0, NULL, 0), ESTALE);
}

static void test_entries(void **state)
{
    struct fixture *f = *state;
    struct fuse_mkdir_in mkdir_in = {.mode = 0750};
    assert_int_equal(call(f, FUSE_MKDIR, FUSE_ROOT_ID, &mkdir_in, sizeof(mkdir_in), "d", 2), 0);
    uint64_t d = ((struct fuse_entry_out *)f->reply)->nodeid;
    struct fuse_create_in create = {.flags = O_RDWR | O_CREAT, .mode = 0640};
    assert_int_equal(call(f, FUSE_CREATE, d, &create, sizeof(create), "f", 2), 0);
    uint64_t file = ((struct fuse_entry_out *)f->reply)->nodeid;
    struct fuse_link_in link_in = {.oldnodeid = file};
    assert_int_equal(call(f, FUSE_LINK, FUSE_ROOT_ID, &link_in, sizeof(link_in), "g", 2), 0);
    assert_int_equal(((struct fuse_entry_out *)f->reply)->nodeid, file); /* one file, one id */
    assert_int_equal(((struct fuse_entry_out *)f->reply)->attr.nlink, 2);
    assert_int_equal(call(f, FUSE_SYMLINK, d, NULL, 0, "l\0../../secret", 15), 0);
    uint64_t l = ((struct fuse_entry_out *)f->reply)->nodeid;
    assert_int_equal(call(f, FUSE_READLINK, l, NULL, 0, NULL, 0), 0);
    assert_string_equal((char *)f->reply, "../../secret");
    struct fuse_rename2_in rename_in = {.newdir = d, .flags = RENAME_NOREPLACE};
    assert_int_equal(call(f, FUSE_RENAME2, FUSE_ROOT_ID, &rename_in, sizeof(rename_in), "g\0f", 4),
                     EEXIST);
    assert_int_equal(call(f, FUSE_RENAME2, FUSE_ROOT_ID, &rename_in, sizeof(rename_in), "g\0h", 4),
                     0);
    struct fuse_open_in open = {0};
    assert_int_equal(call(f, FUSE_OPENDIR, d, &open, sizeof(open), NULL, 0), 0);
    struct fuse_read_in in = {.fh = ((struct fuse_open_out *)f->reply)->fh, .size = 4096};
    assert_int_equal(call(f, FUSE_READDIR, d, &in, sizeof(in), NULL, 0), 0);
    unsigned entries = 0;
    for (size_t at = 0; ((struct fuse_dirent *)(f->reply + at))->namelen; entries++)
        at += FUSE_DIRENT_SIZE((struct fuse_dirent *)(f->reply + at));
    assert_int_equal(entries, 5); /* . .. f h l */
    assert_int_equal(call_name(f, FUSE_RMDIR, FUSE_ROOT_ID, "d"), ENOTEMPTY);
    assert_int_equal(call_name(f, FUSE_UNLINK, d, "f"), 0);
    assert_int_equal(call_name(f, FUSE_UNLINK, d, "h"), 0);
    assert_int_equal(call_name(f, FUSE_UNLINK, d, "l"), 0);
    assert_int_equal(call_name(f, FUSE_RMDIR, FUSE_ROOT_ID, "d"), 0);
}

static void test_no_way_out(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "/etc", "../secret"};
    struct fixture *f = *state;
    int error;
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(lookup(f, FUSE_ROOT_ID, bad[i], &error), 0);
        assert_int_equal(error, EINVAL);
        assert_int_equal(call_name(f, FUSE_UNLINK, FUSE_ROOT_ID, bad[i]), EINVAL);
    }
    uint64_t up = lookup(f, FUSE_ROOT_ID, "up", NULL);
    struct fuse_open_in open = {0};
    assert_int_equal(call(f, FUSE_OPEN, up, &open, sizeof(open), NULL, 0), ELOOP);
    assert_int_equal(call(f, FUSE_OPENDIR, up, &open, sizeof(open), NULL, 0), ENOTDIR);
    assert_int_equal(lookup(f, up, "x", &error), 0);
    assert_int_equal(error, ENOTDIR);
    struct fuse_create_in create = {.flags = O_RDWR, .mode = 0640};
    assert_int_equal(call(f, FUSE_CREATE, FUSE_ROOT_ID, &create, sizeof(create), "up", 3), ELOOP);
    struct fuse_mknod_in node = {.mode = S_IFBLK | 0600, .rdev = 8 << 8};
    assert_int_equal(call(f, FUSE_MKNOD, FUSE_ROOT_ID, &node, sizeof(node), "disk", 5), EPERM);
    struct fuse_setattr_in set = {.valid = FATTR_MODE, .mode = 0777};
    assert_int_equal(call(f, FUSE_SETATTR, up, &set, sizeof(set), NULL, 0), EOPNOTSUPP);
    assert_int_equal(call(f, FUSE_GETATTR, 0, NULL, 0, NULL, 0), ESTALE);
    assert_int_equal(call(f, FUSE_GETATTR, UINT64_MAX, NULL, 0, NULL, 0), ESTALE);
    assert_int_equal(call(f, FUSE_GETXATTR, FUSE_ROOT_ID, NULL, 0, NULL, 0), ENOSYS);
    assert_int_equal(call(f, FUSE_LOOKUP, FUSE_ROOT_ID, NULL, 0, "no end", 6), EINVAL);
    f->server.share.read_only = true;
    assert_int_equal(call_name(f, FUSE_UNLINK, FUSE_ROOT_ID, "hello"), EROFS);
    open.flags = O_WRONLY;
    assert_int_equal(
        call(f, FUSE_OPEN, lookup(f, FUSE_ROOT_ID, "hello", NULL), &open, sizeof(open), NULL, 0),
        EROFS);
}

static void test_device(void **state)
{
    struct fixture *f = *state;
    struct guest g;
    struct virtio_device *dev;
    struct err e;
    guest_init(&g);
    struct virtio_fs_options options = {"nowhere", "t", false};
    assert_int_equal(virtio_fs_new(&g.env, &options, &dev, &e), -ENOENT);
    options = (struct virtio_fs_options){f->tree.directory, "files", false};
    assert_int_equal(virtio_fs_new(&g.env, &options, &dev, &e), 0);
    guest_start(&g, dev, ~0ull, 2, 16);
    assert_int_equal(guest_reg(&g, 0x08), 26);
    assert_int_equal(guest_reg(&g, 0x124), 1);
    struct fuse_in_header header = {.len = 40, .opcode = FUSE_GETATTR, .unique = 5, .nodeid = 1};
    uint64_t request = guest_copy(&g, &header, sizeof(header)), reply = guest_alloc(&g, 256);
    assert_int_equal(
        guest_do(&g, 1, (struct guest_buffer[]){{request, 40, false}, {reply, 256, true}}, 2),
        sizeof(struct fuse_out_header) + sizeof(struct fuse_attr_out));
    guest_add(&g, 1, (struct guest_buffer[]){{request, 39, false}, {reply, 256, true}}, 2);
    guest_notify(&g, 1);
    assert_true(guest_wait_status(&g, VIRTIO_STATUS_NEEDS_RESET));
    guest_done(&g);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_read_write),
        T(test_entries),
        T(test_no_way_out),
        T(test_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
