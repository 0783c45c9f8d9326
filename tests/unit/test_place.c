/* test_place.c: where translations lie when they lie in memory: whatever others put there first is
 * left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/translator/place.h"

struct rig {
    char memory[64], own[128];
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    strcpy(rig->memory, PLACE_MEMORY "/peng-test-XXXXXX");
    *state = rig;
    if (mkdtemp(rig->memory))
        snprintf(rig->own, sizeof(rig->own), "%s/peng-%u", rig->memory, geteuid());
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", rig->memory);
    int r = system(command);
    free(rig);
    return r;
}

/* Machines without a tmpfs at /dev/shm keep nothing there. */
static const struct rig *rig_or_skip(void **state)
{
    struct statfs fs;
    if (statfs(PLACE_MEMORY, &fs) < 0 || fs.f_type != TMPFS_MAGIC)
        skip();
    return *state;
}

static int place_of(const struct rig *rig, bool make)
{
    struct place place = {0};
    struct err e = {0};
    int rc = place_in_memory(rig->memory, make, &place, &e);
    assert_true(rc == 0 || e.text[0]);
    if (rc == 0)
        assert_string_equal(place.directory, rig->own);
    return rc;
}

static void test_is_made_for_this_user_alone(void **state)
{
    const struct rig *rig = rig_or_skip(state);
    struct stat st;
    struct place place;
    assert_int_equal(place_of(rig, false), -ENOENT);
    assert_int_equal(place_of(rig, true), 0);
    assert_int_equal(stat(rig->own, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_int_equal(place_of(rig, true), 0);
    assert_int_equal(place_in_memory(rig->memory, false, &place, NULL), 0);
    assert_in_range(place.limit_bytes, 1, (uint64_t)PLACE_MEMORY_MIB_MAX << 20);
}

static void test_open_to_others(void **state)
{
    const struct rig *rig = rig_or_skip(state);
    static const mode_t modes[] = {0750, 0705, 0710, 0777};
    assert_int_equal(mkdir(rig->own, 0700), 0);
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(rig->own, modes[i]), 0);
        assert_int_equal(place_of(rig, true), -EPERM);
    }
}

static void test_no_directory(void **state)
{
    const struct rig *rig = rig_or_skip(state);
    char elsewhere[128];
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", rig->memory);
    assert_int_equal(mkdir(elsewhere, 0700), 0);
    assert_int_equal(symlink(elsewhere, rig->own), 0);
    assert_int_equal(place_of(rig, true), -EPERM);
    assert_int_equal(unlink(rig->own), 0);
    assert_int_equal(symlink("nowhere", rig->own), 0);
    assert_int_equal(place_of(rig, true), -EPERM);
    assert_int_equal(unlink(rig->own), 0);
    FILE *file = fopen(rig->own, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(chmod(rig->own, 0700), 0);
    assert_int_equal(place_of(rig, true), -EPERM);
}

static void test_somebody_elses(void **state)
{
    const struct rig *rig = rig_or_skip(state);
    if (geteuid() != 0)
        skip(); /* only root can give a directory away */
    assert_int_equal(mkdir(rig->own, 0700), 0);
    assert_int_equal(chown(rig->own, 65534, 65534), 0);
    assert_int_equal(place_of(rig, true), -EPERM);
}

static void test_others_may_rename(void **state)
{
    const struct rig *rig = rig_or_skip(state);
    assert_int_equal(chmod(rig->memory, 0777), 0);
    assert_int_equal(place_of(rig, true), -ENOTSUP);
    assert_int_equal(chmod(rig->memory, 01777), 0);
    assert_int_equal(place_of(rig, true), 0);
}

static void test_no_tmpfs(void **state)
{
    struct place place;
    assert_int_equal(place_in_memory("/proc", true, &place, NULL), -ENOTSUP);
    assert_int_equal(place_in_memory("/nowhere", true, &place, NULL), -ENOENT);
}

static void test_what_the_user_says(void **state)
{
    struct place place;
    setenv("HOME", "/home/kun", 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("PENG_CACHE");
    assert_true(place_wanted() && place_chosen(&place) && !place_is_named());
    assert_string_equal(place.directory, "/home/kun/.cache/peng");
    setenv("XDG_CACHE_HOME", "/cache", 1);
    assert_true(place_chosen(&place));
    assert_string_equal(place.directory, "/cache/peng");
    setenv("PENG_CACHE", "/there", 1);
    assert_true(place_wanted() && place_chosen(&place) && place_is_named());
    assert_string_equal(place.directory, "/there");
    setenv("PENG_CACHE", "off", 1);
    assert_false(place_wanted() || place_chosen(&place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_is_made_for_this_user_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open_to_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_somebody_elses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_others_may_rename, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_tmpfs, set_up, tear_down),
        cmocka_unit_test(test_what_the_user_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
