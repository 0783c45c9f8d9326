/* cmd_doctor.c: what this host offers, one line a fact. Finds nothing wrong by itself yet: it
 * prints what a report about a problem should hold.
 */
#include <stdio.h>
#include <unistd.h>

#include "core/engine/engine.h"
#include "hardware/hostcpu.h"
#include "hardware/hostmem.h"
#include "tools/cli/cli.h"

static const char *yes_no(bool yes)
{
    return yes ? "yes" : "no";
}

int cmd_doctor(int argc, char **argv)
{
    char features[200];
    hostcpu_describe(features, sizeof(features));
    printf("version: %s\n", PENG_VERSION);
    printf("host CPUs: %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
    printf("host memory: %llu MiB\n", (unsigned long long)(hostmem_total_bytes() >> 20));
    printf("host features: %s\n", features);
    for (size_t i = 0; engines[i]; i++) {
        struct err why = {0};
        bool usable = !engines[i]->usable || engines[i]->usable(&why) == 0;
        printf("engine %s: %s\n", engines[i]->name, usable ? "usable" : why.text);
    }
    printf("tap networking: %s\n", yes_no(access("/dev/net/tun", R_OK | W_OK) == 0));
    return EXIT_OK;
}
