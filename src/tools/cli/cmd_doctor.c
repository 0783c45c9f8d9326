/* cmd_doctor.c: what this host offers, one line a fact: what a report about a problem should hold,
 * and, where an engine cannot be used or is slow, what to do about it.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/engine/engine.h"
#include "hardware/hostcpu.h"
#include "hardware/hostmem.h"
#include "hardware/jail/jail.h"
#include "tools/cli/cli.h"

static const char *yes_no(bool yes)
{
    return yes ? "yes" : "no";
}

/* Each engine: whose guests it runs, and what keeps it from doing so; then what --engine auto takes
 * for each architecture. */
static void print_engines(void)
{
    static const char *const archs[] = {"arm64", "x86_64"};
    for (size_t i = 0; engines[i]; i++) {
        const struct engine_ops *engine = engines[i];
        struct err why = {0};
        bool usable = !engine->usable || engine->usable(&why) == 0;
        bool fast = usable && (!engine->fast || engine->fast(&why) == 0);
        printf("engine %s (%s guests): %s%s\n", engine->name, engine->arch,
               fast     ? "usable"
               : usable ? "slow: "
                        : "not usable: ",
               fast ? "" : why.text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
        struct err why;
        const struct engine_ops *engine = engine_choose(archs[i], &why);
        printf("%s guests: %s\n", archs[i], engine ? engine->name : "none");
    }
}

int cmd_doctor(int argc, char **argv)
{
    static const struct option_row none[] = {{0}};
    struct err e;
    if (options_parse(none, argc, argv, NULL, NULL, &e) < 0) {
        err_prefix(&e, "doctor");
        return cli_fail(&e);
    }
    char features[200];
    hostcpu_describe(features, sizeof(features));
    printf("version: %s\n", PENG_VERSION);
    printf("host CPUs: %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    printf("host memory: %llu MiB\n", (unsigned long long)(hostmem_total_bytes() >> 20));
    printf("host features: %s\n", features);
    print_engines();
    char jail[120];
    jail_describe(jail, sizeof(jail));
    printf("jail: %s\n", jail);
    printf("tap networking: %s\n", yes_no(access("/dev/net/tun", R_OK | W_OK) == 0));
    return EXIT_OK;
}
