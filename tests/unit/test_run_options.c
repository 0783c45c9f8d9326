/* test_run_options.c: peng-arm64's command line where no program needs to run, and what one run
 * hands to the next.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/linux/handover.h"
#include "tools/arm64run/run_options.h"

static int read_line(struct run_options *o, char **envp, struct err *e, char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    *o = (struct run_options){.config = {.program_fd = -1, .self_fd = -1, .seccomp_fd = -1}};
    return run_options_read(o, argc, argv, envp, e);
}

#define ARGS(...) ((char *[]){"peng-arm64", __VA_ARGS__, NULL})

static void test_options(void **state)
{
    struct run_options o;
    struct err e;
    char *envp[] = {"A=1", "B=2", NULL};
    assert_int_equal(read_line(&o, envp, &e,
                               ARGS("-L", "/root", "--stack=2M", "-E", "A=3,C=4", "-U", "B",
                                    "-strace", "prog", "-L", "x")),
                     0);
    assert_string_equal(o.config.sysroot, "/root");
    assert_int_equal(o.config.stack_bytes, 2 << 20);
    assert_true(o.config.strace);
    assert_string_equal(o.config.program, "prog");
    assert_string_equal(o.config.argv[1], "-L");
    assert_string_equal(o.config.envp[0], "A=3");
    assert_string_equal(o.config.envp[1], "C=4");
    assert_null(o.config.envp[2]);
    assert_string_equal(envp[1], "B=2"); /* the process's own is left alone */
    run_options_done(&o);

    assert_int_equal(read_line(&o, envp, &e, ARGS("-L", "/", "-0", "zero", "--", "-prog")), 0);
    assert_null(o.config.sysroot);
    assert_string_equal(o.config.program, "-prog");
    assert_string_equal(o.config.argv[0], "zero");
    run_options_done(&o);
}

static void test_variables(void **state)
{
    struct run_options o;
    struct err e;
    char *envp[] = {"PENG_LD_PREFIX=/ours", "QEMU_LD_PREFIX=/theirs", "QEMU_UNAME=1.2",
                    "PENG_STRACE=",         "PENGUIN=bird",           NULL};
    assert_int_equal(read_line(&o, envp, &e, ARGS("prog")), 0);
    assert_string_equal(o.config.sysroot, "/ours");
    assert_string_equal(o.config.release, "1.2");
    assert_false(o.config.strace); /* empty is as good as not there */
    run_options_done(&o);
    char *bad[] = {"PENG_GDB=none", NULL};
    assert_int_equal(read_line(&o, bad, &e, ARGS("prog")), -EINVAL);
    assert_string_equal(e.text, "PENG_GDB: none is not a port");
    run_options_done(&o);
}

static void test_handover(void **state)
{
    char text[HANDOVER_MAX], first[] = "A=1";
    char *envp[] = {first, text, NULL};
    const struct linux_config from = {.program_fd = 5,
                                      .self_fd = 6,
                                      .seccomp_fd = -1,
                                      .stack_bytes = 12345,
                                      .host_cpu = 0x1fffff,
                                      .interpreter = true,
                                      .sysroot = "/root of it",
                                      .exec_name = "./name\x1fwith"};
    assert_true(handover_write(text, sizeof(text), &from) > 0);
    struct linux_config to = {.program_fd = -1};
    assert_true(handover_read(envp, &to));
    assert_null(envp[1]);
    assert_int_equal(to.program_fd, 5);
    assert_int_equal(to.self_fd, 6);
    assert_int_equal(to.seccomp_fd, -1);
    assert_int_equal(to.stack_bytes, 12345);
    assert_int_equal(to.host_cpu, 0x1fffff);
    assert_true(to.interpreter && !to.strace && !to.stats);
    assert_null(to.cpu);
    assert_string_equal(to.sysroot, "/root of it");
    assert_string_equal(to.exec_name, "./name\x1fwith");
    assert_int_equal(handover_write(text, 20, &from), 0); /* no room */
}

/* What is not for this process, or is none, is left where it is. */
static void test_no_handover(void **state)
{
    char other[64], *const texts[] = {"PENG_HANDOVER=", "PENG_HANDOVER=1 2 3", other, "A=1"};
    snprintf(other, sizeof(other), "PENG_HANDOVER=%d 1 2 3 4 5 0 0 0 \x1f\x1f\x1f\x1f\x1f",
             getppid());
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *envp[] = {texts[i], NULL};
        struct linux_config config = {.program_fd = -1};
        assert_false(handover_read(envp, &config));
        assert_ptr_equal(envp[0], texts[i]);
        assert_int_equal(config.program_fd, -1);
    }
    char *none[] = {NULL};
    assert_false(handover_read(none, &(struct linux_config){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_handover),
        cmocka_unit_test(test_no_handover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
