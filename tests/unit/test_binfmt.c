/* test_binfmt.c: handlers of arm64 programs, on a root of plain files where nothing is registered
 * but what is written there. tests/user/binfmt.py has the kernel itself. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tools/cli/binfmt.h"

#define MAGIC                                                                                      \
    "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00"
#define MASK                                                                                       \
    "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff"   \
    "\\xff\\xff"
#define OTHER_LINE ":qemu-aarch64:M::" MAGIC ":" MASK ":/usr/bin/qemu-aarch64-static:F"
#define OTHER_TEXT                                                                                 \
    "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: F\noffset 0\n"                      \
    "magic 7f454c460201010000000000000000000200b700\n"                                             \
    "mask ffffffffffffff00fffffffffffffffffeffffff\n"

#define MISC "/proc/sys/fs/binfmt_misc"

static char root[64];

static void write_file(const char *path, const char *text)
{
    char name[256];
    snprintf(name, sizeof(name), "%s%s", root, path);
    FILE *out = fopen(name, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static const char *read_file(const char *path)
{
    static char text[4096];
    char name[256];
    snprintf(name, sizeof(name), "%s%s", root, path);
    FILE *in = fopen(name, "r");
    if (!in)
        return NULL;
    text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
    fclose(in);
    return text;
}

static int make_root(void **state)
{
    static const char *const folders[] = {"/proc", "/proc/sys", "/proc/sys/fs",      MISC,  "/etc",
                                          "/usr",  "/usr/lib",  "/usr/lib/binfmt.d", "/run"};
    strcpy(root, "/tmp/test-binfmt.XXXXXX");
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        char name[256];
        snprintf(name, sizeof(name), "%s%s", root, folders[i]);
        assert_int_equal(mkdir(name, 0755), 0);
    }
    write_file(MISC "/register", "");
    write_file(MISC "/status", "enabled\n");
    return 0;
}

static int remove_root(void **state)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static int install(bool replace, bool temporary, struct err *e)
{
    /* A static program of this host: any file with the right headers does. */
    static const uint8_t program[64] = {0x7f, 'E',      'L',       'F',       2,        1,
                                        1,    [16] = 2, [18] = 62, [32] = 64, [54] = 56};
    char binary[128];
    snprintf(binary, sizeof(binary), "%s/peng-arm64", root);
    int fd = open(binary, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    assert_int_equal(write(fd, program, sizeof(program)), sizeof(program));
    close(fd);
    const struct binfmt_install options = {binary, replace, temporary};
    return binfmt_install(root, &options, e);
}

static void lines_are_read(void **state)
{
    static const struct {
        const char *line;
        bool valid, arm64;
    } cases[] = {
        {OTHER_LINE, true, true},
        {",qemu,M,," MAGIC ",,/usr/bin/q,OPF", true, true},
        {":any-elf:M::\\x7fELF::/bin/any:", true, true},
        {":machine:M:18:\\xb7\\x00::/bin/any:F", true, true},
        {":arm:M::\\x7fELF\\x01::/usr/bin/qemu-arm:F", true, false},
        {":python3.11:M::\\xa7\\x0d\\x0d\\x0a::/usr/bin/python3.11:", true, false},
        {":jar:E::jar::/usr/bin/jexec:", false, false},
        {":short:M::\\x7fELF", false, false},
        {":mask:M::\\x7fELF:\\xff:/bin/any:", false, false},
        {":bad:M::\\xzz::/bin/any:", false, false},
        {"::M::\\x7fELF::/bin/any:", false, false},
        {"# :qemu-aarch64:", false, false},
        {"", false, false},
        {":", false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct binfmt_entry entry;
        bool valid = binfmt_entry_from_line(&entry, cases[i].line);
        assert_int_equal(valid, cases[i].valid);
        assert_int_equal(valid && binfmt_entry_takes_arm64(&entry), cases[i].arm64);
    }
}

static void kernels_text_gives_the_line_back(void **state)
{
    struct binfmt_entry entry, again;
    char line[BINFMT_LINE_MAX + 1];
    assert_true(binfmt_entry_from_kernel(&entry, "qemu-aarch64", OTHER_TEXT));
    assert_true(entry.enabled);
    assert_true(binfmt_entry_line(&entry, line));
    assert_true(binfmt_entry_from_line(&again, line));
    assert_memory_equal(&entry, &again, sizeof(entry));
    assert_false(binfmt_entry_from_kernel(&entry, "x", "enabled\ninterpreter /bin/x\n"));
    assert_false(binfmt_entry_from_kernel(
        &entry, "x", "enabled\ninterpreter /bin/x\nflags: \noffset 0\nmagic 7f4\n"));
    assert_false(binfmt_entry_from_kernel(&entry, "x", ""));
}

static void installs_and_removes(void **state)
{
    struct err e = {0};
    char expected[256];
    assert_int_equal(install(false, false, &e), 0);
    snprintf(expected, sizeof(expected), ":%s/peng-arm64:POCF", root);
    assert_non_null(strstr(read_file(MISC "/register"), expected));
    assert_non_null(strstr(read_file("/usr/lib/binfmt.d/peng-arm64.conf"), expected));
    struct binfmt_list boot;
    binfmt_list_boot(root, &boot);
    assert_int_equal(boot.count, 1);
    assert_true(boot.items[0].ours);
    binfmt_list_done(&boot);
    assert_int_equal(binfmt_remove(root, &e), 0);
    assert_null(read_file("/usr/lib/binfmt.d/peng-arm64.conf"));
    assert_int_equal(binfmt_remove(root, &e), -ENOENT);
}

static void another_handler_is_named(void **state)
{
    struct err e = {0};
    write_file(MISC "/qemu-aarch64", OTHER_TEXT);
    assert_int_equal(install(false, true, &e), -EEXIST);
    assert_non_null(strstr(e.text, "qemu-aarch64"));
    assert_string_equal(read_file(MISC "/register"), "");
    write_file(MISC "/qemu-aarch64", "disabled\n");
    write_file("/usr/lib/binfmt.d/qemu-aarch64.conf", "# made by hand\n" OTHER_LINE "\n");
    assert_int_equal(install(false, true, &e), 0); /* boot is no concern of this one */
    assert_int_equal(binfmt_remove(root, &e), 0);
    assert_int_equal(install(false, false, &e), -EEXIST);
    assert_non_null(strstr(e.text, "/usr/lib/binfmt.d/qemu-aarch64.conf"));
}

static void replaced_handlers_come_back(void **state)
{
    struct err e = {0};
    struct binfmt_list boot;
    write_file(MISC "/qemu-aarch64", OTHER_TEXT);
    write_file("/usr/lib/binfmt.d/qemu-aarch64.conf", OTHER_LINE "\n");
    assert_int_equal(install(true, false, &e), 0);
    assert_non_null(strstr(read_file(MISC "/register"), "peng-arm64"));
    assert_memory_equal(read_file(MISC "/qemu-aarch64"), "-1", 2);
    binfmt_list_boot(root, &boot);
    assert_int_equal(boot.count, 1);
    assert_true(boot.items[0].ours);
    binfmt_list_done(&boot);

    write_file(MISC "/register", "");
    assert_int_equal(binfmt_remove(root, &e), 0);
    assert_non_null(strstr(read_file(MISC "/register"), ":/usr/bin/qemu-aarch64-static:F"));
    binfmt_list_boot(root, &boot);
    assert_int_equal(boot.count, 1);
    assert_false(boot.items[0].ours);
    binfmt_list_done(&boot);
}

static void errors_change_nothing(void **state)
{
    struct err e = {0};
    static const char *const binaries[] = {"relative", "/none", "/dev/null", "/bin/sh", "/a:b"};
    for (size_t i = 0; i < ARRAY_SIZE(binaries); i++) {
        const struct binfmt_install options = {.binary = binaries[i]};
        assert_true(binfmt_install(root, &options, &e) < 0);
        assert_null(strchr(e.text, '\n'));
        assert_string_equal(read_file(MISC "/register"), "");
        assert_null(read_file("/usr/lib/binfmt.d/peng-arm64.conf"));
    }
    char name[256];
    snprintf(name, sizeof(name), "%s" MISC "/register", root);
    unlink(name);
    assert_false(binfmt_mounted(root));
    assert_int_equal(install(false, false, &e), -ENOSYS);
}

#define ON_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),     cmocka_unit_test(kernels_text_gives_the_line_back),
        ON_ROOT(installs_and_removes),        ON_ROOT(another_handler_is_named),
        ON_ROOT(replaced_handlers_come_back), ON_ROOT(errors_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
