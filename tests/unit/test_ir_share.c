/* test_ir_share.c: which accesses share a check of their page (ir/share.c), by hand-made units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "core/ir/ir.h"

static struct ir_unit unit;

static struct ir_op *access(enum ir_opcode op, unsigned value, unsigned base, int64_t at,
                            unsigned size)
{
    struct ir_op *o = ir_emit(&unit, op, IR_I64);
    *(op == IR_LOAD || op == IR_LOADP ? &o->d : &o->c) = (uint8_t)value;
    if (op == IR_LOADP || op == IR_STOREP)
        o->d = o->c = (uint8_t)value;
    o->a = (uint8_t)base;
    o->b = IR_NO_INDEX;
    o->imm = at;
    o->size = (uint8_t)size;
    return o;
}

static struct ir_op *add(unsigned reg, int64_t by)
{
    struct ir_op *o = ir_emit(&unit, IR_ADD, IR_I64);
    o->d = o->a = (uint8_t)reg;
    o->b = IR_IMM;
    o->imm = by;
    return o;
}

static bool leads(const struct ir_op *o, unsigned before, unsigned range)
{
    return o->share & IR_SHARE_LEADER && o->x == before && o->y == range;
}

static bool follows(const struct ir_op *o, const struct ir_op *leader)
{
    return o->share & IR_SHARE_FOLLOWER && !(o->share & IR_SHARE_LEADER) &&
           ((o->share ^ leader->share) & IR_SHARE_SLOT) == 0;
}

static bool is_alone(const struct ir_op *o)
{
    return !(o->share & (IR_SHARE_LEADER | IR_SHARE_FOLLOWER));
}

static int begin(void **state)
{
    (void)state;
    unit.count = 0;
    return 0;
}

static void test_frame(void **state)
{
    struct ir_op *first = access(IR_STOREP, 29, IR_SP, -48, 8);
    add(IR_SP, -48);
    struct ir_op *second = access(IR_STOREP, 19, IR_SP, 16, 8);
    struct ir_op *third = access(IR_STORE, 21, IR_SP, 32, 8);
    struct ir_op *load = access(IR_LOAD, 5, IR_SP, 48 - 8, 4);
    ir_share_checks(&unit);
    assert_true(leads(first, 0, 44));
    assert_true(follows(second, first) && follows(third, first) && follows(load, first));
}

static void test_before_the_leader(void **state)
{
    struct ir_op *first = access(IR_LOAD, 0, 1, 16, 8);
    struct ir_op *second = access(IR_LOAD, 2, 1, -8, 4);
    ir_share_checks(&unit);
    assert_true(leads(first, 24, 32) && follows(second, first));
}

static void test_alone(void **state)
{
    struct ir_op *one = access(IR_LOAD, 0, 1, 0, 8), *other = access(IR_LOAD, 3, 2, 0, 8);
    ir_share_checks(&unit);
    assert_true(is_alone(one));
    assert_true(is_alone(other));
}

static void leave_on_zero(unsigned v)
{
    ir_emit(&unit, IR_CBZ, IR_I64)->a = (uint8_t)v;
}

/* Who comes by the load may leave before the store. */
static void test_uncertain_store_does_not_follow_load(void **state)
{
    struct ir_op *load = access(IR_LOAD, 0, 1, 0, 8);
    leave_on_zero(0);
    struct ir_op *store = access(IR_STORE, 0, 1, 8, 8);
    struct ir_op *again = access(IR_LOAD, 2, 1, 16, 8);
    ir_share_checks(&unit);
    assert_true(is_alone(load));
    assert_true(leads(store, 0, 16) && follows(again, store));
}

static void test_certain_store_follows_load(void **state)
{
    struct ir_op *load = access(IR_LOAD, 0, 1, 0, 8), *store = access(IR_STORE, 0, 1, 8, 8);
    leave_on_zero(0);
    struct ir_op *late = access(IR_STORE, 0, 1, 16, 8);
    ir_share_checks(&unit);
    assert_true(leads(load, 0, 24) && load->share & IR_SHARE_WRITES);
    assert_true(follows(store, load) && follows(late, load));
}

static void test_loads_check_no_right_to_write(void **state)
{
    struct ir_op *first = access(IR_LOAD, 0, 1, 0, 8), *second = access(IR_LOAD, 2, 1, 8, 8);
    ir_share_checks(&unit);
    assert_true(leads(first, 0, 16) && follows(second, first));
    assert_false(first->share & IR_SHARE_WRITES);
}

static struct ir_op *indexed(enum ir_opcode op, unsigned value, unsigned index, unsigned mod)
{
    struct ir_op *o = access(op, value, 1, 0, 4);
    o->b = (uint8_t)index;
    o->mod = (uint16_t)mod;
    return o;
}

static void test_element(void **state)
{
    struct ir_op *load = indexed(IR_LOAD, 0, 2, IR_MOD_LSL | 2);
    struct ir_op *other = indexed(IR_LOAD, 3, 4, IR_MOD_LSL | 2);
    struct ir_op *unscaled = indexed(IR_LOAD, 3, 2, IR_MOD_LSL);
    struct ir_op *store = indexed(IR_STORE, 0, 2, IR_MOD_LSL | 2);
    ir_share_checks(&unit);
    assert_true(leads(load, 0, 4) && load->share & IR_SHARE_WRITES && follows(store, load));
    assert_true(is_alone(other) && is_alone(unscaled));
}

static void test_element_moves(void **state)
{
    struct ir_op *first = indexed(IR_LOAD, 0, 2, IR_MOD_LSL);
    add(2, 8);
    struct ir_op *second = indexed(IR_LOAD, 0, 2, IR_MOD_LSL);
    add(1, 8);
    struct ir_op *third = indexed(IR_LOAD, 0, 2, IR_MOD_LSL);
    ir_share_checks(&unit);
    assert_true(is_alone(first) && is_alone(second) && is_alone(third));
}

/* A loop's next turn comes by the LABEL, not by the leader. */
/* Where the interpreter is needed the unit can be gone on with only if no follower comes. */
static void test_within(void **state)
{
    struct ir_op *before = access(IR_LOAD, 20, 5, 0, 8);
    struct ir_op *first = access(IR_LOAD, 0, 1, 0, 8), *other = access(IR_LOAD, 2, 3, 8, 8);
    struct ir_op *second = access(IR_LOAD, 4, 1, 8, 8), *after = access(IR_LOAD, 2, 3, 200, 8);
    ir_share_checks(&unit);
    assert_true(leads(first, 0, 16) && follows(second, first));
    assert_true(first->share & IR_SHARE_WITHIN && other->share & IR_SHARE_WITHIN);
    assert_false((before->share | second->share | after->share) & IR_SHARE_WITHIN);
}

static void test_label_ends_all(void **state)
{
    struct ir_op *before = access(IR_LOAD, 0, 1, 0, 8);
    ir_emit(&unit, IR_LABEL, IR_I64);
    struct ir_op *first = access(IR_LOAD, 0, 1, 0, 8), *second = access(IR_LOAD, 2, 1, 8, 8);
    ir_share_checks(&unit);
    assert_true(is_alone(before));
    assert_true(leads(first, 0, 16) && follows(second, first));
}

static void test_base_overwritten(void **state)
{
    struct ir_op *first = access(IR_LOAD, 0, 1, 0, 8), *last = access(IR_LOAD, 1, 1, 8, 8);
    struct ir_op *after = access(IR_LOAD, 2, 1, 16, 8);
    access(IR_LOADP, 1, 3, 0, 8);
    ir_share_checks(&unit);
    assert_true(leads(first, 0, 16) && follows(last, first));
    assert_true(is_alone(after));
}

static void test_interpreter_ends_all(void **state)
{
    struct ir_op *first = access(IR_LOAD, 0, 1, 0, 8);
    ir_emit(&unit, IR_INTERPRET, IR_I64);
    struct ir_op *second = access(IR_LOAD, 2, 1, 8, 8);
    ir_share_checks(&unit);
    assert_true(is_alone(first) && is_alone(second));
}

static void test_limits(void **state)
{
    struct ir_op *first = access(IR_LOAD, 0, 1, 0, 8);
    struct ir_op *far = access(IR_LOAD, 2, 1, IR_SHARE_BYTES - 4, 8);
    struct ir_op *aligned = access(IR_LOAD, 2, 1, IR_SHARE_BYTES, 8);
    aligned->flags = IR_ALIGNED;
    struct ir_op *unprivileged = access(IR_LOAD, 2, 1, IR_SHARE_BYTES, 8);
    unprivileged->flags = IR_UNPRIV;
    ir_share_checks(&unit);
    assert_true(is_alone(first) && is_alone(far) && is_alone(aligned) && is_alone(unprivileged));
}

static void test_more_bases_than_slots(void **state)
{
    struct ir_op *first[IR_SHARE_SLOTS + 1], *second[IR_SHARE_SLOTS + 1];
    for (unsigned i = 0; i <= IR_SHARE_SLOTS; i++)
        first[i] = access(IR_LOAD, 20, i, 0, 8);
    for (unsigned i = 1; i <= IR_SHARE_SLOTS; i++)
        second[i] = access(IR_LOAD, 20, i, 8, 8);
    ir_share_checks(&unit);
    assert_true(is_alone(first[0]));
    for (unsigned i = 1; i <= IR_SHARE_SLOTS; i++)
        assert_true(leads(first[i], 0, 16) && follows(second[i], first[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_frame, begin),
        cmocka_unit_test_setup(test_before_the_leader, begin),
        cmocka_unit_test_setup(test_alone, begin),
        cmocka_unit_test_setup(test_uncertain_store_does_not_follow_load, begin),
        cmocka_unit_test_setup(test_certain_store_follows_load, begin),
        cmocka_unit_test_setup(test_loads_check_no_right_to_write, begin),
        cmocka_unit_test_setup(test_element, begin),
        cmocka_unit_test_setup(test_element_moves, begin),
        cmocka_unit_test_setup(test_within, begin),
        cmocka_unit_test_setup(test_label_ends_all, begin),
        cmocka_unit_test_setup(test_base_overwritten, begin),
        cmocka_unit_test_setup(test_interpreter_ends_all, begin),
        cmocka_unit_test_setup(test_limits, begin),
        cmocka_unit_test_setup(test_more_bases_than_slots, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
