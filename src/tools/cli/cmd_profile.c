/* cmd_profile.c: peng profile FILE: prints what `peng-arm64 --profile=FILE` wrote, with the code of
 * the units that took most of the time disassembled: each
 * instruction of the guest's beside the host's that it became, or, where the code was gone when the
 * report was written, the one after the other. peng-arm64 itself holds no disassembler, which would
 * make every start of it slower.
 */
#include <capstone/capstone.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/cli/cli.h"

enum { MARKS_MAX = 1024, LEFT_WIDTH = 46 };

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

/* Code of one kind, disassembled. */
struct listing {
    cs_insn *list;
    size_t count;
};

/* What a unit's lines have told so far; the host's is its last. */
struct shown {
    struct listing guest;
    struct mark {
        uint64_t host, guest; /* addresses: from `host` on it is made of `guest` */
    } marks[MARKS_MAX];
    size_t mark_count;
};

static void listing_free(struct listing *l)
{
    if (l->count)
        cs_free(l->list, l->count);
    *l = (struct listing){0};
}

static int disassemble(const struct code_kind *kind, char *line, struct listing *ret)
{
    csh capstone;
    char *colon = strchr(line, ':');
    if (!colon || cs_open(kind->arch, kind->mode, &capstone) != CS_ERR_OK)
        return -EINVAL;
    uint64_t address = strtoull(line + strlen(kind->name), NULL, 0);
    size_t bytes = bytes_of(colon + 1);
    cs_option(capstone, CS_OPT_SKIPDATA, CS_OPT_ON);
    ret->count = cs_disasm(capstone, (const uint8_t *)colon + 1, bytes, address, 0, &ret->list);
    cs_close(&capstone);
    return 0;
}

static void print_listing(const char *name, const struct listing *l)
{
    printf("  %s:\n", name);
    for (size_t i = 0; i < l->count; i++)
        printf("    %12llx  %-8s %s\n", (unsigned long long)l->list[i].address, l->list[i].mnemonic,
               l->list[i].op_str);
}

/* "marks: HOST=GUEST ...", in the order of the host's code. */
static void read_marks(struct shown *shown, const char *at)
{
    unsigned long long host, guest;
    int taken;
    shown->mark_count = 0;
    while (shown->mark_count < MARKS_MAX &&
           sscanf(at, " %llx=%llx%n", &host, &guest, &taken) == 2) {
        shown->marks[shown->mark_count++] = (struct mark){host, guest};
        at += taken;
    }
}

static const cs_insn *guest_at(const struct shown *shown, uint64_t address)
{
    for (size_t i = 0; i < shown->guest.count; i++)
        if (shown->guest.list[i].address == address)
            return &shown->guest.list[i];
    return NULL;
}

/* One line: an instruction of the guest's, if one begins here, and one of the host's, if any. */
static void print_pair(const cs_insn *guest, const cs_insn *host)
{
    char left[256] = "";
    if (guest)
        snprintf(left, sizeof(left), "%12llx  %-7s %s", (unsigned long long)guest->address,
                 guest->mnemonic, guest->op_str);
    printf("    %-*s", LEFT_WIDTH, left);
    if (host)
        printf("  %12llx  %-8s %s", (unsigned long long)host->address, host->mnemonic,
               host->op_str);
    putchar('\n');
}

/* Each instruction of the guest's beside what it became; what comes before the first is the unit's
 * entry. */
static void print_side_by_side(const struct shown *shown, const struct listing *host)
{
    size_t mark = 0;
    puts("  guest and host:");
    for (size_t i = 0; i < host->count; i++) {
        const cs_insn *guest = NULL;
        for (; mark < shown->mark_count && shown->marks[mark].host <= host->list[i].address;
             mark++) {
            if (guest) /* became nothing */
                print_pair(guest, NULL);
            guest = guest_at(shown, shown->marks[mark].guest);
        }
        print_pair(guest, &host->list[i]);
    }
}

/* A line of the report: printed as it is, or what it stands for. */
static void show_line(struct shown *shown, char *line)
{
    const struct code_kind *kind = kind_of(line);
    struct listing listing = {0};
    if (strncmp(line, "marks:", 6) == 0) {
        read_marks(shown, line + 6);
    } else if (!kind || disassemble(kind, line, &listing) < 0) {
        fputs(line, stdout);
    } else if (kind == &kinds[0]) {
        listing_free(&shown->guest);
        shown->mark_count = 0;
        shown->guest = listing;
    } else {
        if (shown->mark_count) {
            print_side_by_side(shown, &listing);
        } else {
            print_listing("guest", &shown->guest);
            print_listing("host", &listing);
        }
        listing_free(&listing);
        listing_free(&shown->guest);
        shown->mark_count = 0;
    }
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
    struct shown *shown = calloc(1, sizeof(*shown));
    if (!shown)
        abort();
    while (getline(&line, &room, in) > 0)
        show_line(shown, line);
    listing_free(&shown->guest);
    free(shown);
    free(line);
    if (in != stdin)
        fclose(in);
    return EXIT_OK;
}
