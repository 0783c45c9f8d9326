/* translation_speed.c PROGRAM TIER: translates what translation_speed.py counts host instructions
 * of, in translate(), and prints how many guest instructions that were. PROGRAM is an arm64 ELF
 * file; code of some of its pages is cut into units as if it ran from each page's start; for tier 2
 * into regions, as if all of it were hot.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/translator/lift_int.h"
#include "core/translator/maker.h"

enum { PAGES = 60, INSNS_A_PAGE = 800, CODE_BYTES = 8 << 20 };

static uint64_t never(struct a64_cpu *cpu, uint64_t offset, uint32_t raw)
{
    (void)cpu, (void)offset, (void)raw;
    return 0;
}

struct text {
    uint8_t *bytes;
    size_t pages;
};

static bool read_at(FILE *file, uint64_t offset, void *out, size_t bytes)
{
    return fseek(file, (long)offset, SEEK_SET) == 0 && fread(out, bytes, 1, file) == 1;
}

/* The section with the most code, from its start, as whole pages. */
static bool read_text(FILE *file, struct text *ret)
{
    Elf64_Ehdr eh;
    Elf64_Shdr best = {0};
    if (!file || !read_at(file, 0, &eh, sizeof(eh)) || eh.e_machine != EM_AARCH64)
        return false;
    for (unsigned i = 0; i < eh.e_shnum; i++) {
        Elf64_Shdr sh;
        if (!read_at(file, eh.e_shoff + i * sizeof(sh), &sh, sizeof(sh)))
            return false;
        if (sh.sh_type == SHT_PROGBITS && sh.sh_flags & SHF_EXECINSTR && sh.sh_size > best.sh_size)
            best = sh;
    }
    ret->pages = best.sh_size / 4096;
    ret->bytes = malloc(best.sh_size + 1);
    return ret->bytes && ret->pages >= PAGES &&
           read_at(file, best.sh_offset, ret->bytes, best.sh_size);
}

struct bench {
    struct hostcpu host;
    struct lift_table lifts;
    struct emit_stubs stubs;
    struct cache cache;
    struct maker_pool makers;
    struct maker_config config;
    int tier;
};

static void bench_init(struct bench *b)
{
    if (hostcpu_parse("avx2,f16c,cx16,aes,pclmulqdq,sha_ni", &b->host, NULL) < 0 ||
        cache_init(&b->cache, CODE_BYTES, true, NULL, NULL) < 0)
        abort();
    lift_table_init(&b->lifts);
    emit_stubs(&b->cache.buf, &b->host, true, never, &b->stubs);
    cache_start(&b->cache);
    b->config = (struct maker_config){.lifts = &b->lifts,
                                      .host = &b->host,
                                      .stubs = &b->stubs,
                                      .cache = &b->cache,
                                      .features = UINT32_MAX,
                                      .max_insns = IR_UNIT_INSNS};
}

/* The region there, or the unit. */
static const struct unit_parts *make(struct bench *b, struct maker *maker, uint64_t address)
{
    const uint32_t context = LIFT_FP | LIFT_FP_PLAIN | LIFT_ZVA;
    const struct unit_parts *parts = NULL;
    if (b->tier == 2)
        parts = maker_make_region(maker, &b->config, address, context, true);
    return parts ? parts : maker_make(maker, &b->config, address, context);
}

/* One unit behind the other from the start of some pages. Returns how many instructions. */
__attribute__((noinline)) static unsigned translate(struct bench *b, struct maker *maker,
                                                    const struct text *text)
{
    unsigned insns = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        size_t page = i * text->pages / PAGES;
        memcpy(maker_page(maker), text->bytes + page * 4096, 4096);
        for (unsigned at = 0; at < INSNS_A_PAGE;) {
            const struct unit_parts *parts = make(b, maker, page * 4096 + at * 4);
            cache_add(&b->cache, parts);
            at += parts->insns;
            insns += parts->made_of;
        }
    }
    return insns;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct text text = {0};
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!read_text(file, &text)) {
        fprintf(stderr, "translation_speed: no arm64 program with %d pages of code\n", PAGES);
        return 1;
    }
    fclose(file);
    bench_init(&bench);
    bench.tier = atoi(argv[2]);
    struct maker *maker = maker_take(&bench.makers);
    printf("%u\n", translate(&bench, maker, &text));
    maker_give(&bench.makers, maker);
    maker_pool_done(&bench.makers);
    cache_done(&bench.cache);
    free(text.bytes);
    return 0;
}
