/* test_relocate.c: code whose parts are moved by different distances leads where it led before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "core/translator/relocate.h"

enum { HOT_BYTES = 32, COLD_BYTES = 32, LINE = 64 };

/* Code memory: what is outside of units at its start, one piece of a unit, then the two areas. */
struct memory {
    uint8_t outside[64], unit[HOT_BYTES + COLD_BYTES], hot[256], cold[256];
};

static const uint8_t *leads_to(const uint8_t *disp)
{
    return disp + 4 + (int32_t)load_le(disp, 4);
}

static void write_disp(uint8_t *disp, const uint8_t *target)
{
    store_le(disp, 4, (uint32_t)(target - (disp + 4)));
}

static void test_displacements(void **state)
{
    (void)state;
    static struct memory m;
    enum { TO_COLD = 0, TO_STUB = 8, BACK = HOT_BYTES + 4, COLD_TO_STUB = HOT_BYTES + 12 };
    write_disp(m.unit + TO_COLD, m.unit + HOT_BYTES + 20);
    write_disp(m.unit + TO_STUB, m.outside + 5);
    write_disp(m.unit + BACK, m.unit + 16);
    write_disp(m.unit + COLD_TO_STUB, m.outside + 6);
    const struct x86_fixup fixups[] = {{TO_COLD, X86_FIXUP_CROSS},
                                       {TO_STUB, X86_FIXUP_OUTSIDE},
                                       {BACK, X86_FIXUP_CROSS},
                                       {COLD_TO_STUB, X86_FIXUP_OUTSIDE}};
    const struct code_parts parts = {m.hot + 24, m.cold + 9, HOT_BYTES};
    memcpy(parts.hot, m.unit, HOT_BYTES);
    memcpy(parts.cold, m.unit + HOT_BYTES, COLD_BYTES);
    const struct code_move move = {.hot = parts.hot - m.unit,
                                   .cold = parts.cold - (m.unit + HOT_BYTES)};
    assert_true(relocate(&parts, fixups, ARRAY_SIZE(fixups), &move));
    assert_ptr_equal(leads_to(parts.hot + TO_COLD), parts.cold + 20);
    assert_ptr_equal(leads_to(parts.hot + TO_STUB), m.outside + 5);
    assert_ptr_equal(leads_to(parts.cold + BACK - HOT_BYTES), parts.hot + 16);
    assert_ptr_equal(leads_to(parts.cold + COLD_TO_STUB - HOT_BYTES), m.outside + 6);
}

static void test_pages(void **state)
{
    (void)state;
    uint8_t code[16];
    const struct x86_fixup fixups[] = {{0, X86_FIXUP_PAGE32}, {8, X86_FIXUP_PAGE64}};
    const struct code_parts parts = {code, code + sizeof(code), sizeof(code)};
    store_le(code, 4, 0x3ff010); /* below its page */
    store_le(code + 8, 8, 0x7f1234567010);
    const struct code_move to_none = {.page = -0x400000}, back = {.page = 0x400000},
                           other = {.page = 0x600000}, low = {.page = 0x1000},
                           high = {.page = 0x7f0000000000};
    assert_true(relocate(&parts, fixups, 2, &to_none));
    assert_true(relocate(&parts, fixups, 2, &back));
    assert_int_equal(load_le(code, 4), 0x3ff010);
    assert_int_equal(load_le(code + 8, 8), 0x7f1234567010);
    assert_true(relocate(&parts, fixups, 2, &to_none));
    assert_true(relocate(&parts, fixups, 1, &other));
    assert_int_equal(load_le(code, 4), 0x5ff010);
    store_le(code, 4, (uint32_t)-0xff0);
    assert_true(relocate(&parts, fixups, 1, &low));
    assert_int_equal(load_le(code, 4), 0x10);
    store_le(code, 4, (uint32_t)-0x1ff0); /* would be negative */
    assert_false(relocate(&parts, fixups, 1, &low));
    store_le(code, 4, 0x10); /* would have more than 31 bits */
    assert_false(relocate(&parts, fixups, 1, &high));
}

static void test_lines(void **state)
{
    (void)state;
    static uint8_t memory[4 * LINE] __attribute__((aligned(64)));
    const uint32_t sites[] = {1, 62, 120};
    for (unsigned start = 0; start < LINE; start++) {
        uint8_t *at = relocate_fit(memory + start, 1, sites, ARRAY_SIZE(sites));
        assert_in_range(at - memory, start, start + LINE - 1);
        for (unsigned i = 0; i < ARRAY_SIZE(sites); i++)
            assert_true((size_t)(at + sites[i] - memory) % LINE <= LINE - 4);
    }
    assert_ptr_equal(relocate_fit(memory + 3, 8, NULL, 0), memory + 8);
    const uint32_t last[] = {60 - 8};
    assert_ptr_equal(relocate_fit(memory, 8, last, 1), memory);
    assert_ptr_equal(relocate_fit(memory + 16, 8, last, 1), memory + 16);
    const uint32_t odd[] = {61 - 8};
    assert_ptr_equal(relocate_fit(memory + 8, 8, odd, 1), memory + 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_displacements),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
