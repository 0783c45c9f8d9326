/* test_virtio_p9.c: the 9P server on its own, ways out of its directory, and the virtio device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/device/virtio/p9.h"
#include "core/device/virtio/p9_int.h"
#include "shared_tree.h"
#include "virtio_guest.h"

enum {
    TSTATFS = 8,
    TLOPEN = 12,
    TLCREATE = 14,
    TSYMLINK = 16,
    TMKNOD = 18,
    TRENAME = 20,
    TREADLINK = 22,
    TGETATTR = 24,
    TSETATTR = 26,
    TXATTRWALK = 30,
    TREADDIR = 40,
    TFSYNC = 50,
    TLOCK = 52,
    TGETLOCK = 54,
    TLINK = 70,
    TMKDIR = 72,
    TRENAMEAT = 74,
    TUNLINKAT = 76,
    TVERSION = 100,
    TATTACH = 104,
    TWALK = 110,
    TREAD = 116,
    TWRITE = 118,
    TCLUNK = 120,
    TREMOVE = 122,
};

enum { ROOT = 0, BUFFER = 16384 };

struct fixture {
    struct shared_tree tree;
    struct p9_server server;
    uint8_t request[BUFFER], reply[BUFFER];
    struct p9_reader in; /* the reply's fields, after call() */
};

/* Builds a message: "1" "2" "4" "8" numbers of that size, "s" a string; sends it. Returns 0 or the
 * error number of Rlerror. */
static int call(struct fixture *f, uint8_t type, const char *format, ...)
{
    struct p9_writer out = {f->request, f->request + P9_HEADER_BYTES, f->request + BUFFER, false};
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format == 's') {
            const char *text = va_arg(args, const char *);
            p9_put_string(&out, text, strlen(text));
        } else if (*format == '8') {
            p9_put(&out, 8, va_arg(args, uint64_t));
        } else {
            p9_put(&out, (unsigned)(*format - '0'), va_arg(args, uint32_t));
        }
    }
    va_end(args);
    size_t size = (size_t)(out.next - f->request);
    store_le(f->request, 4, size);
    store_le(f->request + 4, 1, type);
    store_le(f->request + 5, 2, 77);
    size_t got = p9_server_handle(&f->server, f->request, size, f->reply, BUFFER);
    assert_int_equal(load_le(f->reply, 4), got);
    assert_int_equal(load_le(f->reply + 5, 2), 77);
    f->in = (struct p9_reader){f->reply + P9_HEADER_BYTES, f->reply + got, false};
    if (f->reply[4] == 7)
        return (int)p9_get32(&f->in);
    assert_int_equal(f->reply[4], type + 1);
    return 0;
}

static void attach(struct fixture *f)
{
    assert_int_equal(call(f, TVERSION, "4s", 8192u, "9P2000.L"), 0);
    assert_int_equal(p9_get32(&f->in), 8192);
    assert_int_equal(call(f, TATTACH, "44ss4", (uint32_t)ROOT, UINT32_MAX, "root", "", 0u), 0);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    shared_tree_make(&f.tree);
    *state = &f;
    return 0;
}

static int setup_server(void **state)
{
    setup(state);
    struct fixture *f = *state;
    struct err e;
    if (p9_server_open(&f->server, f->tree.directory, false, &e) < 0)
        fail_msg("%s", e.text);
    attach(f);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    return shared_tree_remove(&f->tree);
}

static int teardown_server(void **state)
{
    struct fixture *f = *state;
    p9_server_close(&f->server);
    assert_int_equal(f->server.share.fds, 0); /* nothing leaked */
    return teardown(state);
}

static int walk1(struct fixture *f, uint32_t from, uint32_t to, const char *name)
{
    return call(f, TWALK, "442s", from, to, 1u, name);
}

static void test_read_write(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(walk1(f, ROOT, 1, "hello"), 0);
    assert_int_equal(call(f, TREAD, "484", 1u, (uint64_t)0, 100u), EBADF); /* not open */
    assert_int_equal(call(f, TLOPEN, "44", 1u, (uint32_t)O_RDWR), 0);
    assert_int_equal(call(f, TREAD, "484", 1u, (uint64_t)7, 100u), 0);
    assert_int_equal(p9_get32(&f->in), 6);
    assert_memory_equal(f->in.next, "world\n", 6);
    assert_int_equal(call(f, TWRITE, "4841111", 1u, (uint64_t)0, 4u, 'J', 'A', 'P', 'S'), 0);
    assert_int_equal(call(f, TWRITE, "4841111", 1u, (uint64_t)0, 5u, 'J', 'A', 'P', 'S'), EINVAL);
    assert_int_equal(call(f, TFSYNC, "44", 1u, 1u), 0);
    assert_int_equal(call(f, TREAD, "484", 1u, (uint64_t)0, 100000u), 0);
    assert_int_equal(p9_get32(&f->in), 13);
    assert_memory_equal(f->in.next, "JAPSo, world\n", 13);
    assert_int_equal(call(f, TREAD, "484", 1u, UINT64_MAX, 1u), EINVAL);
    assert_int_equal(call(f, TGETATTR, "48", 1u, (uint64_t)0x7ff), 0);
    p9_get64(&f->in);
    for (unsigned i = 0; i < P9_QID_BYTES; i++)
        p9_get(&f->in, 1);
    assert_true(S_ISREG(p9_get32(&f->in)));
    assert_int_equal(call(f, TSTATFS, "4", 1u), 0);
    assert_int_equal(call(f, TLOCK, "414884s", 1u, 1u, 0u, (uint64_t)0, (uint64_t)0, 1u, "x"), 0);
    assert_int_equal(call(f, TXATTRWALK, "44s", 1u, 9u, "user.x"), EOPNOTSUPP);
    assert_int_equal(call(f, TCLUNK, "4", 1u), 0);
    assert_int_equal(call(f, TCLUNK, "4", 1u), EBADF);
}

static void test_create_and_remove(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    char path[256];
    umask(077);
    assert_int_equal(call(f, TMKDIR, "4s44", (uint32_t)ROOT, "new", 0775u, 0u), 0);
    assert_int_equal(walk1(f, ROOT, 1, "new"), 0);
    assert_int_equal(walk1(f, ROOT, 2, "new"), 0);
    assert_int_equal(
        call(f, TLCREATE, "4s444", 2u, "file", (uint32_t)(O_RDWR | O_CREAT), 0464u, 0u), 0);
    assert_int_equal(call(f, TWRITE, "4841", 2u, (uint64_t)9, 1u, 'x'), 0);
    snprintf(path, sizeof(path), "%s/new/file", f->tree.directory);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 10);
    assert_int_equal(st.st_mode & 07777, 0464);
    assert_int_equal(call(f, TSETATTR, "4444488888", 2u, 1u | 8u, 0600u, 0u, 0u, (uint64_t)3,
                          (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0),
                     0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(call(f, TSYMLINK, "4ss4", 1u, "ln", "../../secret", 0u), 0);
    assert_int_equal(walk1(f, 1, 3, "ln"), 0);
    assert_int_equal(call(f, TREADLINK, "4", 3u), 0);
    char target[64];
    assert_int_equal(p9_get_string(&f->in, target, sizeof(target)), 0);
    assert_string_equal(target, "../../secret");
    assert_int_equal(call(f, TLINK, "44s", 1u, 2u, "hard"), 0);
    assert_int_equal(call(f, TMKNOD, "4s4444", 1u, "fifo", (uint32_t)S_IFIFO | 0644, 0u, 0u, 0u),
                     0);
    assert_int_equal(call(f, TRENAMEAT, "4s4s", 1u, "hard", (uint32_t)ROOT, "moved"), 0);
    assert_int_equal(call(f, TRENAME, "44s", 2u, (uint32_t)ROOT, "moved2"), 0);
    assert_int_equal(call(f, TUNLINKAT, "4s4", (uint32_t)ROOT, "moved", 0u), 0);
    assert_int_equal(call(f, TUNLINKAT, "4s4", (uint32_t)ROOT, "new", 0x200u), ENOTEMPTY);
    assert_int_equal(call(f, TREMOVE, "4", 2u), 0);
    assert_int_equal(call(f, TCLUNK, "4", 2u), EBADF);
    assert_int_equal(call(f, TREMOVE, "4", 3u), 0);
    assert_int_equal(call(f, TUNLINKAT, "4s4", 1u, "fifo", 0u), 0);
    assert_int_equal(call(f, TUNLINKAT, "4s4", (uint32_t)ROOT, "new", 0x200u), 0);
}

static void test_readdir(void **state)
{
    struct fixture *f = *state;
    char name[P9_NAME_MAX + 1];
    unsigned seen = 0;
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "file-%03u", i);
        assert_int_equal(
            call(f, TMKNOD, "4s4444", (uint32_t)ROOT, name, (uint32_t)S_IFREG | 0644, 0u, 0u, 0u),
            0);
    }
    assert_int_equal(call(f, TWALK, "442", (uint32_t)ROOT, 1u, 0u), 0);
    assert_int_equal(call(f, TLOPEN, "44", 1u, 0u), 0);
    uint64_t offset = 0;
    for (;;) {
        assert_int_equal(call(f, TREADDIR, "484", 1u, offset, 300u), 0);
        uint32_t bytes = p9_get32(&f->in);
        assert_true(bytes <= 300);
        if (bytes == 0)
            break;
        while (f->in.next < f->in.end) {
            for (unsigned i = 0; i < P9_QID_BYTES; i++)
                p9_get(&f->in, 1);
            offset = p9_get64(&f->in);
            p9_get(&f->in, 1);
            assert_int_equal(p9_get_string(&f->in, name, sizeof(name)), 0);
            seen += strncmp(name, "file-", 5) == 0;
        }
    }
    assert_int_equal(seen, 200);
    assert_int_equal(call(f, TREADDIR, "484", 1u, (uint64_t)0, 20u), EINVAL);
}

/* --- ways out --- */

static void test_names_are_single(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "/", "../secret", "sub/../../secret"};
    struct fixture *f = *state;
    assert_int_equal(walk1(f, ROOT, 1, "sub"), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *name = bad[i];
        if (strcmp(name, "..") != 0)
            assert_int_equal(walk1(f, ROOT, 2, name), EINVAL);
        assert_int_equal(call(f, TLCREATE, "4s444", 1u, name, 2u, 0644u, 0u), EINVAL);
        assert_int_equal(call(f, TMKDIR, "4s44", 1u, name, 0755u, 0u), EINVAL);
        assert_int_equal(call(f, TSYMLINK, "4ss4", 1u, name, "x", 0u), EINVAL);
        assert_int_equal(call(f, TMKNOD, "4s4444", 1u, name, (uint32_t)S_IFREG, 0u, 0u, 0u),
                         EINVAL);
        assert_int_equal(call(f, TLINK, "44s", 1u, 1u, name), EINVAL);
        assert_int_equal(call(f, TUNLINKAT, "4s4", 1u, name, 0u), EINVAL);
        assert_int_equal(call(f, TRENAMEAT, "4s4s", 1u, "inner", 1u, name), EINVAL);
        assert_int_equal(call(f, TRENAMEAT, "4s4s", 1u, name, 1u, "x"), EINVAL);
        assert_int_equal(call(f, TRENAME, "44s", 1u, 1u, name), EINVAL);
    }
    char path[256];
    snprintf(path, sizeof(path), "%s/secret", f->tree.top);
    assert_int_equal(access(path, F_OK), 0);
}

static uint64_t qid_path_at(struct fixture *f)
{
    p9_get(&f->in, 1);
    p9_get32(&f->in);
    return p9_get64(&f->in);
}

static void test_dot_dot_stops_at_root(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, TWALK, "442ssss", (uint32_t)ROOT, 1u, 4u, "sub", "..", "..", ".."), 0);
    assert_int_equal(p9_get(&f->in, 2), 4);
    qid_path_at(f);
    uint64_t root = qid_path_at(f);
    assert_int_equal(qid_path_at(f), root);
    assert_int_equal(qid_path_at(f), root);
    assert_int_equal(walk1(f, 1, 2, "secret"), ENOENT);
    assert_int_equal(walk1(f, 1, 2, "hello"), 0);
}

static void test_links_are_not_followed(void **state)
{
    static const char *const links[] = {"up", "abs", "updir"};
    struct fixture *f = *state;
    for (uint32_t i = 0; i < ARRAY_SIZE(links); i++) {
        assert_int_equal(walk1(f, ROOT, 10 + i, links[i]), 0);
        assert_int_equal(call(f, TLOPEN, "44", 10 + i, 0u), ELOOP);
        assert_int_equal(walk1(f, 10 + i, 20, "secret"), ENOTDIR);
        assert_int_equal(call(f, TWALK, "442ss", (uint32_t)ROOT, 20u, 2u, links[i], "passwd"), 0);
        assert_int_equal(p9_get(&f->in, 2), 1); /* one step done: no fid made */
        assert_int_equal(call(f, TCLUNK, "4", 20u), EBADF);
        /* neither by creating through it, nor by changing what it points at */
        assert_int_equal(call(f, TMKDIR, "4s44", 10 + i, "x", 0755u, 0u), ENOTDIR);
        assert_int_equal(call(f, TSETATTR, "4444488888", 10 + i, 1u, 0777u, 0u, 0u, (uint64_t)0,
                              (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0),
                         EOPNOTSUPP);
        assert_int_equal(call(f, TSETATTR, "4444488888", 10 + i, 8u, 0u, 0u, 0u, (uint64_t)0,
                              (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0),
                         EINVAL);
    }
    assert_int_equal(call(f, TWALK, "442", (uint32_t)ROOT, 30u, 0u), 0);
    assert_int_equal(call(f, TLCREATE, "4s444", 30u, "up", (uint32_t)O_RDWR, 0644u, 0u), ELOOP);
}

static void test_devices_and_fifos(void **state)
{
    struct fixture *f = *state;
    char path[256];
    assert_int_equal(
        call(f, TMKNOD, "4s4444", (uint32_t)ROOT, "disk", (uint32_t)S_IFBLK | 0600, 8u, 0u, 0u),
        EPERM);
    assert_int_equal(
        call(f, TMKNOD, "4s4444", (uint32_t)ROOT, "null", (uint32_t)S_IFCHR | 0600, 1u, 3u, 0u),
        EPERM);
    snprintf(path, sizeof(path), "%s/fifo", f->tree.directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(walk1(f, ROOT, 1, "fifo"), 0);
    assert_int_equal(call(f, TLOPEN, "44", 1u, 0u), EPERM); /* and does not wait for a writer */
    assert_int_equal(call(f, TWALK, "442", (uint32_t)ROOT, 2u, 0u), 0);
    assert_int_equal(call(f, TLCREATE, "4s444", 2u, "fifo", 0u, 0644u, 0u), EPERM);
}

/* Somebody swaps a directory for a link to the outside while the guest walks. */
static void *swap(void *ctx)
{
    struct fixture *f = ctx;
    char sub[256], aside[256], link[256];
    snprintf(sub, sizeof(sub), "%s/sub", f->tree.directory);
    snprintf(aside, sizeof(aside), "%s/aside", f->tree.directory);
    snprintf(link, sizeof(link), "%s/outside", f->tree.directory);
    assert_int_equal(symlink("..", link), 0);
    for (unsigned i = 0; i < 2000; i++) {
        rename(sub, aside);
        rename(link, sub);
        rename(sub, link);
        rename(aside, sub);
    }
    return NULL;
}

static void test_racing_renames(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    pthread_create(&thread, NULL, swap, f);
    for (unsigned i = 0; i < 4000; i++) {
        int r = call(f, TWALK, "442ss", (uint32_t)ROOT, 1u, 2u, "sub", "secret");
        assert_true(r != 0 || p9_get(&f->in, 2) < 2);
        r = call(f, TWALK, "442sss", (uint32_t)ROOT, 1u, 3u, "sub", "..", "secret");
        assert_true(r != 0 || p9_get(&f->in, 2) < 3);
    }
    pthread_join(thread, NULL);
}

/* A circle in what fids believe of their parents must not hold files open. */
static void test_rename_circle(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, TMKDIR, "4s44", (uint32_t)ROOT, "a", 0755u, 0u), 0);
    assert_int_equal(walk1(f, ROOT, 1, "a"), 0);
    assert_int_equal(call(f, TMKDIR, "4s44", 1u, "b", 0755u, 0u), 0);
    assert_int_equal(walk1(f, 1, 2, "b"), 0);
    assert_int_equal(call(f, TRENAMEAT, "4s4s", 1u, "b", (uint32_t)ROOT, "b"), 0);
    assert_int_equal(call(f, TRENAME, "44s", 1u, 2u, "a"), 0);
}

static void test_read_only(void **state)
{
    struct fixture *f = *state;
    f->server.share.read_only = true;
    assert_int_equal(walk1(f, ROOT, 1, "hello"), 0);
    assert_int_equal(call(f, TLOPEN, "44", 1u, (uint32_t)O_RDWR), EROFS);
    assert_int_equal(call(f, TLOPEN, "44", 1u, (uint32_t)O_TRUNC), EROFS);
    assert_int_equal(call(f, TUNLINKAT, "4s4", (uint32_t)ROOT, "hello", 0u), EROFS);
    assert_int_equal(call(f, TMKDIR, "4s44", (uint32_t)ROOT, "x", 0755u, 0u), EROFS);
    assert_int_equal(call(f, TLOPEN, "44", 1u, 0u), 0);
    assert_int_equal(call(f, TWRITE, "4841", 1u, (uint64_t)0, 1u, 'x'), EROFS);
    assert_int_equal(call(f, TREMOVE, "4", 1u), EROFS);
}

/* --- malformed --- */

static void test_malformed(void **state)
{
    struct fixture *f = *state;
    for (unsigned type = 0; type < 256; type++) {
        for (unsigned size = P9_HEADER_BYTES; size < 80; size++) {
            memset(f->request, (int)(size * 37), sizeof(f->request));
            store_le(f->request, 4, size);
            f->request[4] = (uint8_t)type;
            size_t got = p9_server_handle(&f->server, f->request, size, f->reply, BUFFER);
            assert_true(got >= P9_HEADER_BYTES && got <= BUFFER);
        }
    }
    attach(f);
    store_le(f->request, 4, 1000); /* says more than there is */
    p9_server_handle(&f->server, f->request, 20, f->reply, BUFFER);
    assert_int_equal(f->reply[4], 7);
    assert_int_equal(call(f, TATTACH, "44ss4", (uint32_t)ROOT, UINT32_MAX, "r", "", 0u), EBADF);
    assert_int_equal(call(f, TVERSION, "4s", 100u, "9P2000.L"), EINVAL);
    assert_int_equal(call(f, TWALK, "442", (uint32_t)ROOT, 1u, 17u), EINVAL);
}

static void test_too_many_fids(void **state)
{
    struct fixture *f = *state;
    f->server.share.fds_max = 20;
    uint32_t fid = 1;
    while (walk1(f, ROOT, fid, "hello") == 0)
        fid++;
    assert_int_equal(fid, 20);
    assert_int_equal(walk1(f, ROOT, fid, "hello"), EMFILE);
    assert_int_equal(call(f, TLOPEN, "44", 1u, 0u), EMFILE);
    assert_int_equal(call(f, TCLUNK, "4", 2u), 0);
    assert_int_equal(call(f, TLOPEN, "44", 1u, 0u), 0);
}

/* --- through the device --- */

static void test_device(void **state)
{
    struct fixture *f = *state;
    struct guest g;
    struct virtio_device *dev;
    struct err e;
    guest_init(&g);
    assert_int_equal(
        virtio_p9_new(&g.env, &(struct virtio_p9_options){"nowhere", "t", false}, &dev, &e),
        -ENOENT);
    assert_int_equal(
        virtio_p9_new(&g.env, &(struct virtio_p9_options){f->tree.directory, "", false}, &dev, &e),
        -EINVAL);
    assert_int_equal(virtio_p9_new(&g.env,
                                   &(struct virtio_p9_options){f->tree.directory, "files", false},
                                   &dev, &e),
                     0);
    guest_start(&g, dev, ~0ull, 1, 16);
    assert_int_equal(guest_reg(&g, 0x100), 5 | 'f' << 16 | 'i' << 24);
    static const uint8_t version[] = {19, 0, 0, 0,   100, 255, 255, 0,   32, 0,
                                      0,  6, 0, '9', 'P', '2', '0', '0', '0'};
    uint64_t request = guest_copy(&g, version, sizeof(version)), reply = guest_alloc(&g, 4096);
    struct guest_buffer buffers[] = {{request, 7, false},
                                     {request + 7, sizeof(version) - 7, false},
                                     {reply, 12, true},
                                     {reply + 12, 4000, true}};
    assert_int_equal(guest_do(&g, 0, buffers, 4), 7 + 4 + 2 + 7);
    assert_memory_equal((char *)guest_host(&g, reply) + 13, "unknown", 7);
    guest_add(&g, 0, (struct guest_buffer[]){{request, 19, false}, {reply, 10, true}}, 2);
    guest_notify(&g, 0);
    assert_true(guest_wait_status(&g, VIRTIO_STATUS_NEEDS_RESET));
    guest_done(&g);
}

int main(void)
{
#define S(name) cmocka_unit_test_setup_teardown(name, setup_server, teardown_server)
    const struct CMUnitTest tests[] = {
        S(test_read_write),
        S(test_create_and_remove),
        S(test_readdir),
        S(test_names_are_single),
        S(test_dot_dot_stops_at_root),
        S(test_links_are_not_followed),
        S(test_devices_and_fifos),
        S(test_racing_renames),
        S(test_rename_circle),
        S(test_read_only),
        S(test_malformed),
        S(test_too_many_fids),
        cmocka_unit_test_setup_teardown(test_device, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
