/* test_blk.c: opening disks: what is refused and how that reads, and locks between processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/block/blk.h"

struct fixture {
    char directory[32], image[64];
};

static int setup(void **state)
{
    static struct fixture f;
    strcpy(f.directory, "peng-disk-XXXXXX");
    assert_non_null(mkdtemp(f.directory));
    snprintf(f.image, sizeof(f.image), "%s/a.img", f.directory);
    FILE *file = fopen(f.image, "w");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 1 << 20), 0);
    fclose(file);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", f->directory);
    return system(command);
}

static void refuse(const char *path, bool read_only, int code, const char *part)
{
    struct blk *blk = NULL;
    struct err e;
    assert_int_equal(
        blk_open(&(struct blk_options){.path = path, .read_only = read_only}, &blk, &e), code);
    assert_null(blk);
    if (!strstr(e.text, part) || !strstr(e.text, path) || strchr(e.text, '\n'))
        fail_msg("unexpected: %s", e.text);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/none", f->directory);
    refuse(path, false, -ENOENT, "No such file");
    refuse(f->directory, true, -EISDIR, "is a directory");
    snprintf(path, sizeof(path), "%s/fifo", f->directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse(path, false, -EINVAL, "neither a file nor a block device");
    refuse("/dev/null", false, -EINVAL, "neither a file nor a block device");
    snprintf(path, sizeof(path), "%s/odd", f->directory);
    FILE *file = fopen(path, "w");
    fclose(file);
    refuse(path, false, -EINVAL, "is empty");
    assert_int_equal(truncate(path, 1000), 0);
    refuse(path, false, -EINVAL, "not a multiple of 512");
    static const char *const foreign[][2] = {
        {"qcow2", "QFI\xfb"}, {"VHDX", "vhdxfile"}, {"zstd", "\x28\xb5\x2f\xfd"}};
    assert_int_equal(truncate(path, 4096), 0);
    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
        struct blk *blk;
        file = fopen(path, "r+");
        fputs(foreign[i][1], file);
        fclose(file);
        refuse(path, true, -EINVAL, foreign[i][0]);
        assert_int_equal(blk_open(&(struct blk_options){.path = path, .raw = true}, &blk, NULL), 0);
        blk_free(blk);
    }
    if (geteuid() != 0) {
        chmod(f->image, 0400);
        refuse(f->image, false, -EACCES, "cannot be opened for writing");
    }
}

/* Another process opens the image and holds it until told to go. */
static pid_t hold(const char *path, bool read_only, int *ret_go)
{
    int ready[2], go[2];
    char byte = 0;
    assert_int_equal(pipe(ready) + pipe(go), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct blk *blk;
        close(go[1]);
        if (blk_open(&(struct blk_options){.path = path, .read_only = read_only}, &blk, NULL) < 0)
            _exit(1);
        if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) < 0)
            _exit(2);
        _exit(0);
    }
    close(ready[1]);
    close(go[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *ret_go = go[1];
    return pid;
}

static void test_lock_between_processes(void **state)
{
    struct fixture *f = *state;
    struct blk *blk;
    int go;
    pid_t pid = hold(f->image, false, &go);
    refuse(f->image, false, -EBUSY, "is in use by another machine");
    refuse(f->image, true, -EBUSY, "is in use by another machine");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(go);
    assert_int_equal(blk_open(&(struct blk_options){.path = f->image}, &blk, NULL), 0);
    blk_free(blk);

    pid = hold(f->image, true, &go);
    refuse(f->image, false, -EBUSY, "is in use by another machine");
    assert_int_equal(
        blk_open(&(struct blk_options){.path = f->image, .read_only = true}, &blk, NULL), 0);
    blk_free(blk);
    assert_int_equal(
        blk_open(&(struct blk_options){.path = f->image, .snapshot = true}, &blk, NULL), 0);
    blk_free(blk);
    close(go);
    waitpid(pid, NULL, 0);
}

/* Two machines in one process exclude each other as well. */
static void test_lock_in_process(void **state)
{
    struct fixture *f = *state;
    struct blk *blk;
    assert_int_equal(blk_open(&(struct blk_options){.path = f->image}, &blk, NULL), 0);
    refuse(f->image, false, -EBUSY, "is in use by another machine");
    blk_free(blk);
    assert_int_equal(blk_open(&(struct blk_options){.path = f->image}, &blk, NULL), 0);
    blk_free(blk);
}

static void test_bounds(void **state)
{
    struct fixture *f = *state;
    struct blk *blk;
    uint8_t sector[512];
    struct iovec iov = {sector, sizeof(sector)};
    struct blk_request r = {.op = BLK_READ, .size_bytes = 512, .iov = &iov, .iov_count = 1};
    assert_int_equal(
        blk_open(&(struct blk_options){.path = f->image, .read_only = true}, &blk, NULL), 0);
    assert_int_equal(blk_run(blk, &r), 0);
    r.offset = (1 << 20) - 511;
    assert_int_equal(blk_run(blk, &r), -EINVAL);
    r.offset = UINT64_MAX - 10;
    assert_int_equal(blk_run(blk, &r), -EINVAL);
    r.offset = 0;
    r.op = BLK_WRITE;
    assert_int_equal(blk_run(blk, &r), -EROFS);
    r.op = BLK_DISCARD;
    assert_int_equal(blk_run(blk, &r), -EROFS);
    /* the file shrinks under the machine */
    assert_int_equal(truncate(f->image, 256), 0);
    r.op = BLK_READ;
    assert_int_equal(blk_run(blk, &r), -EIO);
    blk_free(blk);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_refused),
        T(test_lock_between_processes),
        T(test_lock_in_process),
        T(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
