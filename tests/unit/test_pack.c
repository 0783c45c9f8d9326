/* test_pack.c: a page's units come back from a record in the order in which they were made, which
 * is how the code lies that runs one behind the other; and those that are there already stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/translator/cache_int.h"
#include "core/translator/pack.h"

enum { CODE_BYTES = 4 << 20, UNIT_BYTES = 24, CONTEXT = 1 };
#define PAGE 0x40001000ull

static const uint8_t page[4096] = {1, 2, 3};
static const uint16_t made[] = {0x800, 0x10, 0xffc, 0x0, 0x400, 0x14};
enum { MADE = sizeof(made) / sizeof(made[0]) };

static void cache_new(struct cache *cache)
{
    assert_int_equal(cache_init(cache, CODE_BYTES, false, NULL, NULL), 0);
    cache_start(cache);
}

/* Its code tells which it is. */
static struct unit *add(struct cache *cache, unsigned offset)
{
    uint8_t code[UNIT_BYTES];
    memset(code, (int)(offset >> 2 & 0xff), sizeof(code));
    const struct unit_parts parts = {.pa = PAGE + offset,
                                     .context = CONTEXT,
                                     .insns = 1,
                                     .code_bytes = UNIT_BYTES,
                                     .hot_bytes = UNIT_BYTES,
                                     .page_hash = cache_page_hash(cache, page),
                                     .code = code};
    struct unit *unit = cache_add(cache, &parts);
    assert_non_null(unit);
    return unit;
}

/* The units from the `from`th on, in the order of their code. */
static void check_order(const struct cache *cache, unsigned from, unsigned count)
{
    const struct generation *g = &cache->generations[0];
    const uint8_t *last = NULL;
    unsigned n = 0;
    for (struct unit *unit = NULL; (unit = next_unit(g, unit)); n++) {
        assert_true(n < from + count);
        assert_true(unit->code.hot > last);
        last = unit->code.hot;
        if (n < from)
            continue;
        assert_int_equal(unit->pa, PAGE + made[n - from]);
        assert_int_equal(unit->code.hot[0], (uint8_t)(made[n - from] >> 2));
    }
    assert_int_equal(n, from + count);
}

static void test_order(void **state)
{
    static uint8_t record[64 << 10];
    struct cache first, second;
    cache_new(&first);
    for (unsigned i = 0; i < MADE; i++)
        add(&first, made[i]);
    size_t bytes = pack_page(&first, PAGE, CONTEXT, page, record, sizeof(record));
    assert_true(bytes > MADE * UNIT_BYTES);
    for (unsigned round = 0; round < 2; round++) { /* what came from a record goes into the next */
        cache_new(&second);
        uint64_t page_hash = cache_page_hash(&second, page);
        assert_int_equal(unpack_page(&second, PAGE, CONTEXT, page_hash, record, bytes), MADE);
        check_order(&second, 0, MADE);
        assert_int_equal(unpack_page(&second, PAGE, CONTEXT, page_hash, record, bytes), 0);
        assert_int_equal(pack_page(&second, PAGE, CONTEXT, page, record, sizeof(record)), bytes);
        cache_done(&second);
    }
    cache_done(&first);
}

static void test_some_there(void **state)
{
    static uint8_t record[64 << 10];
    struct cache first, second;
    cache_new(&first);
    cache_new(&second);
    for (unsigned i = 0; i < MADE; i++)
        add(&first, made[i]);
    size_t bytes = pack_page(&first, PAGE, CONTEXT, page, record, sizeof(record));
    struct unit *there = add(&second, made[MADE - 1]);
    uint64_t page_hash = cache_page_hash(&second, page);
    assert_int_equal(unpack_page(&second, PAGE, CONTEXT, page_hash, record, bytes), MADE - 1);
    check_order(&second, 1, MADE - 1);
    assert_ptr_equal(cache_find(&second, there->pa, CONTEXT), there);
    /* Units of another content of the page are no part of it. */
    uint8_t other[4096] = {9};
    assert_int_equal(pack_page(&second, PAGE, CONTEXT, other, record, sizeof(record)), 0);
    cache_done(&second);
    cache_done(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_some_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
