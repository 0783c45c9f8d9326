/* hostcpu_aarch64.c: an arm64 host. It has no x86-64 features, and no translator that would use
 * them; what it has is told by the kernel's bits (Documentation/arm64/elf_hwcaps.rst).
 */
#include "hardware/hostcpu.h"

#include <asm/hwcap.h>
#include <errno.h>
#include <stdio.h>
#include <sys/auxv.h>

#include "base/bytes.h"

void hostcpu_detect(struct hostcpu *cpu)
{
    *cpu = (struct hostcpu){0};
}

int hostcpu_parse(const char *list, struct hostcpu *ret_cpu, struct err *e)
{
    return err_set(e, ENOTSUP, "the translator takes it, and this build for arm64 has none");
}

enum hostcpu_virtualization hostcpu_virtualization(void)
{
    return HOSTCPU_EL2;
}

void hostcpu_set_gs(const void *base)
{
}

void hostcpu_restrict(struct hostcpu *cpu, const struct hostcpu *allowed)
{
}

void hostcpu_describe(char *text, size_t size)
{
    static const struct {
        const char *name;
        unsigned long bit;
    } names[] = {
        {"fp", HWCAP_FP},           {"asimd", HWCAP_ASIMD},     {"aes", HWCAP_AES},
        {"pmull", HWCAP_PMULL},     {"sha1", HWCAP_SHA1},       {"sha2", HWCAP_SHA2},
        {"crc32", HWCAP_CRC32},     {"atomics", HWCAP_ATOMICS}, {"fphp", HWCAP_FPHP},
        {"asimdhp", HWCAP_ASIMDHP}, {"lrcpc", HWCAP_LRCPC},     {"sve", HWCAP_SVE},
    };
    unsigned long has = getauxval(AT_HWCAP);
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < ARRAY_SIZE(names) && used < size; i++)
        if (has & names[i].bit)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", names[i].name);
}
