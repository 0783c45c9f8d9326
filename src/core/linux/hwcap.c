/* hwcap.c: from the model's ID registers to Linux's bits and names: one row a bit.
 *
 * Source: Linux 6.1, arch/arm64/include/uapi/asm/hwcap.h, kernel/cpufeature.c (arm64_elf_hwcaps)
 * and kernel/cpuinfo.c (hwcap_str).
 */
#include "core/linux/hwcap.h"

#include "base/bytes.h"
#include "core/arm64/cpu.h"

struct row {
    uint8_t word, bit;
    uint8_t shift, least; /* set where the field of four bits at `shift` is at least `least` */
    enum a64_sysreg reg;  /* A64_SYSREG_COUNT: set on every model */
    const char *name;
};

#define ALWAYS A64_SYSREG_COUNT

/* FP and ASIMD count from -1 (absent): their fields are signed. */
static const struct row rows[] = {
    {0, 0, 16, 0, A64_ID_AA64PFR0_EL1, "fp"},
    {0, 1, 20, 0, A64_ID_AA64PFR0_EL1, "asimd"},
    {0, 2, 0, 0, ALWAYS, "evtstrm"},
    {0, 3, 4, 1, A64_ID_AA64ISAR0_EL1, "aes"},
    {0, 4, 4, 2, A64_ID_AA64ISAR0_EL1, "pmull"},
    {0, 5, 8, 1, A64_ID_AA64ISAR0_EL1, "sha1"},
    {0, 6, 12, 1, A64_ID_AA64ISAR0_EL1, "sha2"},
    {0, 7, 16, 1, A64_ID_AA64ISAR0_EL1, "crc32"},
    {0, 8, 20, 2, A64_ID_AA64ISAR0_EL1, "atomics"},
    {0, 9, 16, 1, A64_ID_AA64PFR0_EL1, "fphp"},
    {0, 10, 20, 1, A64_ID_AA64PFR0_EL1, "asimdhp"},
    {0, 11, 0, 0, ALWAYS, "cpuid"},
    {0, 12, 28, 1, A64_ID_AA64ISAR0_EL1, "asimdrdm"},
    {0, 13, 12, 1, A64_ID_AA64ISAR1_EL1, "jscvt"},
    {0, 14, 16, 1, A64_ID_AA64ISAR1_EL1, "fcma"},
    {0, 15, 20, 1, A64_ID_AA64ISAR1_EL1, "lrcpc"},
    {0, 16, 0, 1, A64_ID_AA64ISAR1_EL1, "dcpop"},
    {0, 17, 32, 1, A64_ID_AA64ISAR0_EL1, "sha3"},
    {0, 18, 36, 1, A64_ID_AA64ISAR0_EL1, "sm3"},
    {0, 19, 40, 1, A64_ID_AA64ISAR0_EL1, "sm4"},
    {0, 20, 44, 1, A64_ID_AA64ISAR0_EL1, "asimddp"},
    {0, 21, 12, 2, A64_ID_AA64ISAR0_EL1, "sha512"},
    {0, 23, 48, 1, A64_ID_AA64ISAR0_EL1, "asimdfhm"},
    {0, 24, 48, 1, A64_ID_AA64PFR0_EL1, "dit"},
    {0, 25, 32, 1, A64_ID_AA64MMFR2_EL1, "uscat"},
    {0, 26, 20, 2, A64_ID_AA64ISAR1_EL1, "ilrcpc"},
    {0, 27, 52, 1, A64_ID_AA64ISAR0_EL1, "flagm"},
    {0, 29, 36, 1, A64_ID_AA64ISAR1_EL1, "sb"},
    {1, 0, 0, 2, A64_ID_AA64ISAR1_EL1, "dcpodp"},
    {1, 7, 52, 2, A64_ID_AA64ISAR0_EL1, "flagm2"},
    {1, 8, 32, 1, A64_ID_AA64ISAR1_EL1, "frint"},
    {1, 13, 52, 1, A64_ID_AA64ISAR1_EL1, "i8mm"},
    {1, 14, 44, 1, A64_ID_AA64ISAR1_EL1, "bf16"},
};

uint64_t hwcap_id(const struct a64_model *model, unsigned reg)
{
    for (unsigned i = 0; model->id[i].reg != A64_SYSREG_COUNT; i++)
        if (model->id[i].reg == reg)
            return model->id[i].value;
    return 0;
}

static bool has(const struct a64_model *model, const struct row *row)
{
    if (row->reg == ALWAYS)
        return true;
    uint64_t field = bits(hwcap_id(model, row->reg), row->shift, 4);
    return field != 15 && field >= row->least;
}

uint64_t hwcap(const struct a64_model *model, unsigned word)
{
    uint64_t caps = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].word == word && has(model, &rows[i]))
            caps |= 1ull << rows[i].bit;
    return caps;
}

void hwcap_print(const struct a64_model *model, FILE *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (has(model, &rows[i]))
            fprintf(out, " %s", rows[i].name);
}
