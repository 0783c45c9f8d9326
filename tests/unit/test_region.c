/* test_region.c: regions as text: what is lifted of a loop, where NZCV is wanted, which registers
 * are worth having.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "core/translator/lift.h"
#include "core/translator/lift_int.h"
#include "core/x86_64/emit.h"

enum { START = 2048 };

/* From START on: a loop, one with a way out in the middle, and one in another. */
static const uint32_t code[] = {
    0xf8408549, /* 0: ldr x9, [x10], #8 */
    0x8b09016b, /* 4: add x11, x11, x9 */
    0xf100058c, /* 8: subs x12, x12, #1 */
    0x54ffffa1, /* c: b.ne 0 */
    0xd65f03c0, /* 10: ret */
    0x384015cd, /* 14: ldrb w13, [x14], #1 */
    0x3400006d, /* 18: cbz w13, 24 */
    0x6b0f01bf, /* 1c: cmp w13, w15 */
    0x54ffffa1, /* 20: b.ne 14 */
    0xd65f03c0, /* 24: ret */
    0xaa1103f0, /* 28: mov x16, x17 */
    0xf1000610, /* 2c: subs x16, x16, #1 */
    0x54ffffe8, /* 30: b.hi 2c */
    0xba090129, /* 34: adcs x9, x9, x9 */
    0xf100054a, /* 38: subs x10, x10, #1 */
    0x54ffff61, /* 3c: b.ne 28 */
    0xd65f03c0, /* 40: ret */
};

static struct ir_unit unit;
static struct lift_extent extent;

static bool lift(unsigned at)
{
    static struct lift_table table;
    static uint8_t page[4096];
    lift_table_init(&table);
    memcpy(page + START, code, sizeof(code));
    struct lift_source source = {.table = &table,
                                 .page = page,
                                 .offset = START + at,
                                 .context = LIFT_FP | LIFT_FP_PLAIN,
                                 .features = UINT32_MAX,
                                 .max_insns = IR_REGION_INSNS};
    return lift_region(&source, false, &unit, &extent);
}

/* Names of the ops but INSN, with where branches and labels are from START, `live` where NZCV is
 * wanted behind, `dead` where it is not at the target. */
static const char *shape(void)
{
    static char text[1024];
    size_t n = 0;
    for (unsigned i = 0; i < unit.count; i++) {
        const struct ir_op *o = &unit.ops[i];
        const struct ir_op_info *info = &ir_op_info[o->op];
        if (o->op == IR_INSN)
            continue;
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", info->name);
        if (o->op == IR_LABEL || info->attributes & (IR_SIDE_EXIT | IR_ENDS))
            n += (size_t)snprintf(text + n, sizeof(text) - n, " %llx",
                                  (unsigned long long)o->imm - START);
        n += (size_t)snprintf(
            text + n, sizeof(text) - n, "%s%s%s\n", o->op == IR_LABEL && o->x ? " back" : "",
            o->flags & IR_FLAGS_LIVE && !(info->attributes & IR_ENDS) ? " live" : "",
            o->flags & IR_FLAGS_DEAD_OUT ? " dead" : "");
    }
    return text;
}

static void test_loop(void **state)
{
    (void)state;
    assert_true(lift(0));
    assert_int_equal(extent.start, START);
    assert_int_equal(extent.end, START + 0x10);
    assert_string_equal(shape(), "LABEL 0 back\nLOAD\nADD\nADD\nSUBS live\n"
                                 "BCC 0 live dead\nJUMP 10\n");
}

static void test_way_out(void **state)
{
    (void)state;
    assert_true(lift(0x14));
    assert_string_equal(shape(), "LABEL 14 back live\nLOAD live\nADD live\nCBZ 24\n"
                                 "SUBS live\nBCC 14 live\nJUMP 24\n");
}

/* The ADCS reads what the inner loop's comparison leaves, on the way that falls through. */
static void test_nested(void **state)
{
    (void)state;
    assert_true(lift(0x28));
    assert_string_equal(shape(), "LABEL 28 back\nMOV\nLABEL 2c back\nSUBS live\n"
                                 "BCC 2c live dead\nADCS\nSUBS live\nBCC 28 live dead\nJUMP 40\n");
    struct ir_region_use use;
    ir_region_use(&unit, &use);
    assert_int_equal(use.weight[16], 8 + 64 + 64); /* once outside, twice within */
    assert_int_equal(use.weight[17], 8);
    assert_int_equal(use.written, 1 << 16 | 1 << 9 | 1 << 10);
}

static void test_inner_alone(void **state)
{
    (void)state;
    assert_true(lift(0x2c)); /* the head of the inner one has the outer one around it */
    assert_int_equal(extent.start, START + 0x28);
    assert_false(lift(0x10)); /* a return */
    assert_false(lift(0x24));
}

static void test_registers(void **state)
{
    (void)state;
    struct ir_region_use use = {.weight = {[0] = 5, [9] = 100, [10] = 7, [30] = 50}};
    struct emit_region region;
    emit_region_registers(&use, 8, &region);
    assert_int_not_equal(region.gpr[9], X86_NONE);
    assert_int_not_equal(region.gpr[30], X86_NONE);
    assert_int_equal(region.gpr[10], X86_NONE); /* not worth the moves */
    assert_int_equal(region.gpr[0], emit_gpr[0]);
    unsigned in_registers = 0;
    for (unsigned v = 0; v < 32; v++)
        in_registers += region.gpr[v] != X86_NONE;
    assert_int_equal(in_registers, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop),      cmocka_unit_test(test_way_out),
        cmocka_unit_test(test_nested),    cmocka_unit_test(test_inner_alone),
        cmocka_unit_test(test_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
