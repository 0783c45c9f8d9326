/* cmd_profile.c: peng profile FILE: prints what `peng-arm64 --profile=FILE` wrote, with the code of
 * the units that took most of the time disassembled: the guest's, then the host's. peng-arm64
 * itself holds no disassembler, which would make every start of it slower.
 */
#include <capstone/capstone.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/cli/cli.h"

/* A line "KIND 0xADDRESS: HEX HEX ..." */
static const struct code_kind {
    const char *name;
    cs_arch arch;
    cs_mode mode;
} kinds[] = {
    {"guest", CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN},
    {"host", CS_ARCH_X86, CS_MODE_64},
};

static const struct code_kind *kind_of(const char *line)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i].name);
        if (strncmp(line, kinds[i].name, n) == 0 && line[n] == ' ')
            return &kinds[i];
    }
    return NULL;
}

/* The digits in place, as bytes. Returns how many, stopping at what is no digit. */
static size_t bytes_of(char *text)
{
    uint8_t *out = (uint8_t *)text;
    size_t count = 0;
    unsigned high = 0, value;
    bool have_high = false;
    for (const char *at = text; *at && *at != '\n'; at++) {
        if (*at == ' ')
            continue;
        if (sscanf((const char[]){*at, 0}, "%x", &value) != 1)
            break;
        if (have_high)
            out[count++] = (uint8_t)(high << 4 | value);
        high = value;
        have_high = !have_high;
    }
    return count;
}

static int print_code(const struct code_kind *kind, char *line)
{
    csh capstone;
    cs_insn *list;
    char *colon = strchr(line, ':');
    if (!colon || cs_open(kind->arch, kind->mode, &capstone) != CS_ERR_OK)
        return -EINVAL;
    uint64_t address = strtoull(line + strlen(kind->name), NULL, 0);
    size_t bytes = bytes_of(colon + 1);
    cs_option(capstone, CS_OPT_SKIPDATA, CS_OPT_ON);
    size_t n = cs_disasm(capstone, (const uint8_t *)colon + 1, bytes, address, 0, &list);
    printf("  %s:\n", kind->name);
    for (size_t i = 0; i < n; i++)
        printf("    %12llx  %-8s %s\n", (unsigned long long)list[i].address, list[i].mnemonic,
               list[i].op_str);
    if (n)
        cs_free(list, n);
    cs_close(&capstone);
    return 0;
}

int cmd_profile(int argc, char **argv)
{
    struct err e = {0};
    if (argc != 2) {
        err_set(&e, EINVAL, "profile: one FILE that peng-arm64 --profile=FILE wrote");
        return cli_fail(&e);
    }
    FILE *in = strcmp(argv[1], "-") == 0 ? stdin : fopen(argv[1], "re");
    if (!in) {
        err_set_errno(&e, errno, "profile: %s", argv[1]);
        return cli_fail(&e);
    }
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, in) > 0) {
        const struct code_kind *kind = kind_of(line);
        if (!kind || print_code(kind, line) < 0)
            fputs(line, stdout);
    }
    free(line);
    if (in != stdin)
        fclose(in);
    return EXIT_OK;
}
