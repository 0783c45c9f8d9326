/* test_store.c: the store of translations: found again, by other processes too; and whatever is
 * wrong with the file is a miss.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/translator/store.h"

enum { VERSION = 7, CONTEXT = 3, DATA_BYTES = 3000 };

struct place {
    char top[64], directory[96];
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    strcpy(p->top, "/tmp/peng-store-XXXXXX");
    assert_non_null(mkdtemp(p->top));
    snprintf(p->directory, sizeof(p->directory), "%s/a/b", p->top);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", p->top);
    int r = system(command);
    free(p);
    return r;
}

static struct store *open_store(const struct place *p, uint64_t limit_bytes)
{
    struct store_config config = {
        .directory = p->directory, .version = VERSION, .limit_bytes = limit_bytes};
    struct store *store = NULL;
    struct err e = {0};
    if (store_open(&config, &store, &e) < 0)
        print_message("%s\n", e.text);
    return store;
}

static void make_page(unsigned n, uint8_t page[4096])
{
    for (unsigned i = 0; i < 4096; i++)
        page[i] = (uint8_t)(n * 31 + i * (n + 1) + (i >> 8));
    memcpy(page, &n, sizeof(n));
}

static void make_data(unsigned n, uint8_t data[DATA_BYTES])
{
    for (unsigned i = 0; i < DATA_BYTES; i++)
        data[i] = (uint8_t)(n + i * 7);
}

static void put(struct store *store, unsigned n)
{
    uint8_t page[4096], data[DATA_BYTES];
    make_page(n, page);
    make_data(n, data);
    store_put(store, page, CONTEXT, data, sizeof(data));
}

static bool has(struct store *store, unsigned n)
{
    uint8_t page[4096], data[DATA_BYTES];
    size_t bytes = 0;
    bool old;
    make_page(n, page);
    make_data(n, data);
    uint32_t known = 0;
    const void *found = store_find(store, page, CONTEXT, &known, &bytes, &old);
    if (found) { /* what is found is right, whatever happened to the file */
        assert_int_equal(bytes, sizeof(data));
        assert_memory_equal(found, data, bytes);
    }
    return found;
}

static void put_some(const struct place *p, unsigned first, unsigned count)
{
    struct store *store = open_store(p, 0);
    assert_true(store_begin(store));
    for (unsigned i = 0; i < count; i++)
        put(store, first + i);
    store_end(store);
    store_close(store);
}

static void the_file(const struct place *p, char path[512])
{
    glob_t found;
    char pattern[256];
    snprintf(pattern, sizeof(pattern), "%s/code-*", p->directory);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    snprintf(path, 512, "%s", found.gl_pathv[0]);
    globfree(&found);
}

static void test_finds_what_was_put(void **state)
{
    put_some(*state, 0, 50);
    struct store *store = open_store(*state, 0);
    for (unsigned i = 0; i < 50; i++)
        assert_true(has(store, i));
    assert_false(has(store, 50));
    uint8_t page[4096];
    size_t bytes;
    bool old;
    make_page(1, page);
    uint32_t known = 0;
    assert_null(store_find(store, page, CONTEXT + 1, &known, &bytes, &old)); /* another context */
    assert_int_equal(known, 0);
    assert_non_null(store_find(store, page, CONTEXT, &known, &bytes, &old));
    assert_null(store_find(store, page, CONTEXT, &known, &bytes, &old)); /* the same again */
    put_some(*state, 1, 1);
    assert_non_null(store_find(store, page, CONTEXT, &known, &bytes, &old)); /* a newer one */
    store_close(store);
}

static void test_another_version_finds_nothing(void **state)
{
    const struct place *p = *state;
    put_some(p, 0, 1);
    struct store_config config = {.directory = p->directory, .version = VERSION + 1};
    struct store *store;
    assert_int_equal(store_open(&config, &store, NULL), 0);
    assert_false(has(store, 0));
    store_close(store);
}

/* Every byte of a small store is flipped once: never a wrong answer, and never a crash. */
static void test_flipped_bits(void **state)
{
    char path[512];
    put_some(*state, 0, 3);
    the_file(*state, path);
    int fd = open(path, O_RDWR);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    unsigned lost = 0;
    for (off_t at = 0; at < st.st_size; at += at < 4096 || at > (2 << 20) ? 13 : 1021) {
        uint8_t byte, flipped;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        flipped = byte ^ (uint8_t)(1 << at % 8);
        assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
        struct store *store = open_store(*state, 0);
        for (unsigned i = 0; i < 3; i++)
            lost += !has(store, i);
        store_close(store);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
    assert_true(lost > 100); /* the damage was where it counts */
    struct store *store = open_store(*state, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_true(has(store, i));
    store_close(store);
}

static void test_cut_short(void **state)
{
    char path[512];
    put_some(*state, 0, 4);
    the_file(*state, path);
    struct store *store = open_store(*state, 0);
    struct stat st;
    stat(path, &st);
    for (off_t size = st.st_size; size > 0; size -= 5003) {
        assert_int_equal(truncate(path, size), 0);
        for (unsigned i = 0; i < 4; i++)
            has(store, i);
    }
    store_close(store);
    put_some(*state, 0, 4); /* it is begun anew */
    store = open_store(*state, 0);
    assert_true(has(store, 3));
    store_close(store);
}

/* Other people's directory or file: not used, and one line says so. */
static void test_other_rights(void **state)
{
    const struct place *p = *state;
    char path[512];
    struct store *store = NULL;
    struct err e = {0};
    struct store_config config = {.directory = p->directory, .version = VERSION};
    put_some(p, 0, 1);
    the_file(p, path);
    chmod(path, 0644);
    assert_int_equal(store_open(&config, &store, &e), -EPERM);
    assert_non_null(strstr(e.text, "not used"));
    chmod(path, 0600);
    chmod(p->directory, 0777);
    assert_int_equal(store_open(&config, &store, &e), -EPERM);
    chmod(p->directory, 0700);
    unlink(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_true(store_open(&config, &store, &e) < 0);
    if (geteuid() == 0) {
        unlink(path);
        int fd = open(path, O_CREAT | O_RDWR, 0600);
        assert_int_equal(fchown(fd, 12345, 12345), 0);
        close(fd);
        assert_int_equal(store_open(&config, &store, &e), -EPERM);
    }
    assert_null(store);
}

/* Writers are killed at any point while others read and write. */
static void test_killed_writers(void **state)
{
    enum { WRITERS = 40, PAGES = 400 };
    put_some(*state, 0, 1);
    for (unsigned w = 0; w < WRITERS; w++) {
        pid_t child = fork();
        if (child == 0) {
            struct store *store = open_store(*state, 0);
            for (unsigned i = 0;; i = (i + 1) % PAGES)
                if (store_begin(store)) {
                    put(store, i);
                    store_end(store);
                }
        }
        usleep(1000 + w * 137 % 3000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        struct store *store = open_store(*state, 0);
        assert_true(has(store, 0));
        for (unsigned i = 0; i < PAGES; i += 7)
            has(store, i);
        store_close(store);
    }
    put_some(*state, 0, PAGES);
    struct store *store = open_store(*state, 0);
    for (unsigned i = 0; i < PAGES; i++)
        assert_true(has(store, i));
    store_close(store);
}

/* Beyond the limit the oldest go; what is used stays, if it is put again when it is found old. */
/* Files of versions that are no more go, the oldest first, when there is too much of all together.
 */
static void test_other_versions(void **state)
{
    const struct place *p = *state;
    char path[512];
    put_some(p, 0, 1);
    for (unsigned i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "%s/code-%016x", p->directory, 100 + i);
        int fd = open(path, O_CREAT | O_RDWR, 0600);
        for (unsigned n = 0; n < 4 << 20; n += DATA_BYTES) {
            uint8_t data[DATA_BYTES];
            make_data(n, data);
            assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
        }
        struct timespec times[2] = {{1000 + i, 0}, {1000 + i, 0}};
        futimens(fd, times);
        close(fd);
    }
    struct store_config config = {.directory = p->directory, .version = 9, .limit_bytes = 12 << 20};
    struct store *store;
    assert_int_equal(store_open(&config, &store, NULL), 0);
    assert_true(store_begin(store)); /* a new file: now is the time */
    store_end(store);
    store_close(store);
    for (unsigned i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "%s/code-%016x", p->directory, 100 + i);
        assert_int_equal(access(path, F_OK), i < 3 ? -1 : 0);
    }
    struct store *ours = open_store(p, 0);
    assert_true(has(ours, 0));
    store_close(ours);
}

static void test_limit(void **state)
{
    const struct place *p = *state;
    const uint64_t limit = 16 << 20;
    struct store *store = open_store(p, limit);
    struct store_info info;
    for (unsigned i = 1; i < 6000; i++) {
        uint8_t page[4096];
        size_t bytes;
        bool old = false;
        make_page(0, page);
        uint32_t known = 0;
        bool found = store_find(store, page, CONTEXT, &known, &bytes, &old);
        assert_true(store_begin(store));
        if (!found || old)
            put(store, 0);
        put(store, i);
        store_end(store);
        assert_true(i == 1 || found);
    }
    assert_true(has(store, 5999));
    assert_false(has(store, 1));
    store_close(store);
    assert_int_equal(store_info(p->directory, &info, NULL), 0);
    assert_true(info.bytes <= limit + (1 << 20));
    assert_int_equal(info.files, 2);
    assert_int_equal(store_clear(p->directory, NULL), 0);
    assert_int_equal(store_info(p->directory, &info, NULL), 0);
    assert_int_equal(info.files, 0);
}

/* One for all who open the store, another one for each version. */
static void test_seed(void **state)
{
    const struct place *p = *state;
    struct store *first = open_store(p, 0), *second = open_store(p, 0), *other = NULL;
    struct store_config config = {.directory = p->directory, .version = VERSION + 1};
    uint64_t seeds[3][2];
    assert_int_equal(store_open(&config, &other, NULL), 0);
    assert_true(store_seed(first, seeds[0]));
    assert_true(store_seed(second, seeds[1]));
    assert_true(store_seed(other, seeds[2]));
    assert_memory_equal(seeds[0], seeds[1], sizeof(seeds[0]));
    assert_memory_not_equal(seeds[0], seeds[2], sizeof(seeds[0]));
    store_close(other);
    assert_true(store_begin(second)); /* it is still there when there are records */
    put(second, 1);
    store_end(second);
    store_close(second);
    assert_true(store_seed(first, seeds[1]));
    assert_memory_equal(seeds[0], seeds[1], sizeof(seeds[0]));
    store_close(first);
}

static bool put_image(struct store *store, uint64_t key, uint8_t *bytes, size_t count, bool good)
{
    assert_true(store_begin(store));
    int fd = store_image_begin(store, count);
    bool written = fd >= 0 && write(fd, bytes, count) == (ssize_t)count;
    struct timespec used[2] = {{.tv_sec = (time_t)(1000 + key)}, {.tv_sec = 1}};
    if (fd >= 0) {
        futimens(fd, used);
        written = store_image_end(store, key, fd, good) && written;
    }
    store_end(store);
    return written;
}

static bool has_image(struct store *store, uint64_t key)
{
    int fd = store_image_open(store, key, NULL);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Those used longest ago go, by the time of access; what was not finished takes no place. */
static void test_images(void **state)
{
    enum { MIB = 1 << 20, COUNT = 30 };
    const struct place *p = *state;
    const uint64_t limit = 16 * MIB;
    struct store *store = open_store(p, limit);
    struct store_info info;
    uint8_t *bytes = malloc(8 * MIB);
    memset(bytes, 0x5a, 8 * MIB);
    assert_false(put_image(store, 1, bytes, 8 * MIB, true)); /* more than a quarter of all */
    assert_false(put_image(store, 1, bytes, MIB, false));
    assert_false(has_image(store, 1));
    for (uint64_t key = 1; key <= COUNT; key++) {
        if (has_image(store, 2)) { /* is used all the time */
            struct timespec now[2] = {{.tv_sec = (time_t)(2000 + key)}, {.tv_sec = 1}};
            int fd = store_image_open(store, 2, NULL);
            futimens(fd, now);
            close(fd);
        }
        assert_true(put_image(store, key, bytes, MIB, true));
        assert_true(has_image(store, key));
    }
    free(bytes);
    assert_true(has_image(store, 2));
    assert_false(has_image(store, 3));
    assert_true(has_image(store, COUNT - 5));
    assert_int_equal(store_info(p->directory, &info, NULL), 0);
    assert_true(info.bytes <= limit && info.programs > 10 && info.programs < COUNT);
    store_image_drop(store, 2);
    assert_false(has_image(store, 2));
    store_close(store);
    assert_int_equal(store_clear(p->directory, NULL), 0);
    assert_int_equal(store_info(p->directory, &info, NULL), 0);
    assert_int_equal(info.programs + info.files, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_finds_what_was_put),
        CASE(test_another_version_finds_nothing),
        CASE(test_flipped_bits),
        CASE(test_cut_short),
        CASE(test_other_rights),
        CASE(test_killed_writers),
        CASE(test_other_versions),
        CASE(test_limit),
        CASE(test_seed),
        CASE(test_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
