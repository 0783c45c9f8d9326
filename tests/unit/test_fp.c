/* test_fp.c: Arm floating point against the host's for ordinary numbers in every rounding mode, and
 * directed cases from the Arm manual for what is Arm's own: NaNs, flushing, half precision, flags.
 *
 * The whole instruction set is compared with qemu-aarch64 in tests/isa.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fenv.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/arm64/fp.h"

static uint64_t next_random(uint64_t *state) /* xorshift64* */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}

/* Any bits, but often with an exponent near 1's or at an end, or with few bits set. */
static uint64_t random_number(uint64_t *state, enum a64_fpfmt f)
{
    unsigned fraction_bits = f == A64_FP64 ? 52 : 23;
    uint64_t r = next_random(state), bias = f == A64_FP64 ? 1023 : 127;
    uint64_t fraction = next_random(state), exponent;
    switch (r & 3) {
    case 0:
        exponent = bias + (r >> 8) % 8 - 4;
        break;
    case 1:
        exponent = (r >> 8) % 4 + (r & 4 ? 0 : 2 * bias - 3);
        break;
    case 2:
        exponent = bias + (r >> 8) % (2 * fraction_bits) - fraction_bits;
        fraction &= next_random(state) & next_random(state);
        break;
    default:
        exponent = r >> 8;
        break;
    }
    if (r & 8)
        fraction &= ~0ull << (r >> 32) % fraction_bits;
    return bits(r >> 63 << (8u * (1u << f) - 1) |
                    bits(exponent, 0, f == A64_FP64 ? 11 : 8) << fraction_bits |
                    bits(fraction, 0, fraction_bits),
                0, 8u << f);
}

static double as_double(uint64_t v)
{
    double d;
    memcpy(&d, &v, sizeof(d));
    return d;
}

static float as_float(uint64_t v)
{
    float d;
    memcpy(&d, &v, sizeof(d));
    return d;
}

static uint64_t double_bits(double d)
{
    uint64_t v;
    memcpy(&v, &d, sizeof(v));
    return v;
}

static uint64_t float_bits(float d)
{
    return load_le(&d, sizeof(d));
}

/* One operation on both sides. The volatile operands keep the compiler from folding it. */
struct host_op {
    const char *name;
    a64_fp_binary *ours;
    double (*on_double)(volatile double a, volatile double b);
    float (*on_float)(volatile float a, volatile float b);
};

static double double_add(volatile double a, volatile double b)
{
    return a + b;
}
static double double_sub(volatile double a, volatile double b)
{
    return a - b;
}
static double double_mul(volatile double a, volatile double b)
{
    return a * b;
}
static double double_div(volatile double a, volatile double b)
{
    return a / b;
}
static double double_sqrt(volatile double a, volatile double b)
{
    return sqrt(a);
}
static double double_rint(volatile double a, volatile double b)
{
    return rint(a);
}
static float float_add(volatile float a, volatile float b)
{
    return a + b;
}
static float float_sub(volatile float a, volatile float b)
{
    return a - b;
}
static float float_mul(volatile float a, volatile float b)
{
    return a * b;
}
static float float_div(volatile float a, volatile float b)
{
    return a / b;
}
static float float_sqrt(volatile float a, volatile float b)
{
    return sqrtf(a);
}
static float float_rint(volatile float a, volatile float b)
{
    return rintf(a);
}

static uint64_t our_sqrt(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return a64_fp_sqrt(c, f, a);
}
static uint64_t our_rint(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return a64_fp_round_int(c, f, a, a64_fp_rounding(c), true);
}

static const struct host_op host_ops[] = {
    {"add", a64_fp_add, double_add, float_add},  {"sub", a64_fp_sub, double_sub, float_sub},
    {"mul", a64_fp_mul, double_mul, float_mul},  {"div", a64_fp_div, double_div, float_div},
    {"sqrt", our_sqrt, double_sqrt, float_sqrt}, {"rint", our_rint, double_rint, float_rint},
};

/* By FPCR.RMode. */
static const int host_rounding[4] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

static uint32_t host_flags(void)
{
    int f = fetestexcept(FE_ALL_EXCEPT);
    return (f & FE_INVALID ? A64_FPSR_IOC : 0u) | (f & FE_DIVBYZERO ? A64_FPSR_DZC : 0u) |
           (f & FE_OVERFLOW ? A64_FPSR_OFC : 0u) | (f & FE_UNDERFLOW ? A64_FPSR_UFC : 0u) |
           (f & FE_INEXACT ? A64_FPSR_IXC : 0u);
}

static bool is_nan(enum a64_fpfmt f, uint64_t v)
{
    return f == A64_FP64 ? isnan(as_double(v)) : isnan(as_float(v));
}

static void check_host_op(const struct host_op *op, enum a64_fpfmt f, unsigned mode, uint64_t a,
                          uint64_t b)
{
    uint64_t expected;
    fesetround(host_rounding[mode]);
    feclearexcept(FE_ALL_EXCEPT);
    if (f == A64_FP64)
        expected = double_bits(op->on_double(as_double(a), as_double(b)));
    else
        expected = float_bits(op->on_float(as_float(a), as_float(b)));
    uint32_t flags = host_flags();
    fesetround(FE_TONEAREST);

    struct a64_fpctx c = {mode << A64_FPCR_RMODE_SHIFT, 0};
    uint64_t result = op->ours(&c, f, a, b);
    /* With the sticky flag set there is a shorter way, to the same end. */
    struct a64_fpctx sticky = {c.fpcr, A64_FPSR_IXC};
    assert_int_equal(op->ours(&sticky, f, a, b), result);
    assert_int_equal(sticky.fpsr, c.fpsr | A64_FPSR_IXC);
    if (is_nan(f, expected)) { /* which NaN is Arm's own affair */
        assert_true(is_nan(f, result));
        assert_int_equal(c.fpsr, flags);
        return;
    }
    /* Hosts may judge tininess after rounding: then the smallest normal result has not underflowed.
     */
    uint64_t smallest_normal = f == A64_FP64 ? 1ull << 52 : 1ull << 23;
    if ((result & ~(1ull << ((8u << f) - 1))) == smallest_normal)
        flags |= c.fpsr & A64_FPSR_UFC;
    if (result != expected || c.fpsr != flags)
        fail_msg("%s mode %u %#llx %#llx: %#llx flags %#x, expected %#llx flags %#x", op->name,
                 mode, (unsigned long long)a, (unsigned long long)b, (unsigned long long)result,
                 c.fpsr, (unsigned long long)expected, flags);
}

static void test_against_host(void **state)
{
    uint64_t random = 20231;
    for (unsigned i = 0; i < ARRAY_SIZE(host_ops); i++)
        for (enum a64_fpfmt f = A64_FP32; f <= A64_FP64; f++)
            for (unsigned k = 0; k < 20000; k++) {
                uint64_t a = random_number(&random, f), b = random_number(&random, f);
                check_host_op(&host_ops[i], f, k & 3, a, b);
            }
}

/* Conversions between single and double, and to and from 64-bit integers. */
static void test_conversions_against_host(void **state)
{
    uint64_t random = 977;
    for (unsigned k = 0; k < 40000; k++) {
        unsigned mode = k & 3;
        struct a64_fpctx c = {mode << A64_FPCR_RMODE_SHIFT, 0};
        uint64_t a = random_number(&random, A64_FP64), integer = next_random(&random) >> (k % 64);
        fesetround(host_rounding[mode]);
        volatile double d = as_double(a);
        volatile float narrow = (float)d;
        volatile int64_t i = (int64_t)integer;
        volatile double from_integer = (double)i;
        volatile double integral = nearbyint(d);
        fesetround(FE_TONEAREST);
        if (isnan(d))
            continue;
        assert_int_equal(a64_fp_convert(&c, A64_FP32, A64_FP64, a, a64_fp_rounding(&c)),
                         float_bits(narrow));
        assert_int_equal(
            a64_fp_from_fixed(&c, A64_FP64, integer, 64, 0, false, a64_fp_rounding(&c)),
            double_bits(from_integer));
        if (fabs(d) < 0x1p62)
            assert_int_equal(a64_fp_to_fixed(&c, A64_FP64, a, 64, 0, false, a64_fp_rounding(&c)),
                             (uint64_t)(int64_t)integral);
    }
}

/* fma() of the host's library is exact in every mode. */
static void test_muladd_against_host(void **state)
{
    uint64_t random = 4242;
    for (unsigned k = 0; k < 40000; k++) {
        unsigned mode = k & 3;
        uint64_t a = random_number(&random, A64_FP64), b = random_number(&random, A64_FP64);
        uint64_t addend = random_number(&random, A64_FP64);
        if (k & 4) /* near the negated product: cancellation */
            addend = double_bits(-as_double(a) * as_double(b)) + next_random(&random) % 5 - 2;
        fesetround(host_rounding[mode]);
        volatile double va = as_double(a), vb = as_double(b), vc = as_double(addend);
        volatile double expected = fma(va, vb, vc);
        fesetround(FE_TONEAREST);
        struct a64_fpctx c = {mode << A64_FPCR_RMODE_SHIFT, 0};
        uint64_t result = a64_fp_muladd(&c, A64_FP64, addend, a, b);
        struct a64_fpctx sticky = {c.fpcr, A64_FPSR_IXC};
        assert_int_equal(a64_fp_muladd(&sticky, A64_FP64, addend, a, b), result);
        assert_int_equal(sticky.fpsr, c.fpsr | A64_FPSR_IXC);
        if (isnan(expected))
            assert_true(isnan(as_double(result)));
        else
            assert_int_equal(result, double_bits(expected));
    }
}

/* Arm's own rules, one a line: FPCR, format, operands, result, flags. */
struct directed {
    a64_fp_binary *op;
    enum a64_fpfmt f;
    uint32_t fpcr;
    uint64_t a, b, result;
    uint32_t fpsr;
};

/* clang-format off */
static const struct directed directed[] = {
    /* NaNs: signalling first, then by operand order; made quiet; or the default NaN */
    {a64_fp_add, A64_FP32, 0, 0x7fc00001, 0x7f800002, 0x7fc00002, A64_FPSR_IOC},
    {a64_fp_add, A64_FP32, 0, 0xff800003, 0x7f800002, 0xffc00003, A64_FPSR_IOC},
    {a64_fp_add, A64_FP32, 0, 0x7fc00001, 0xffc00002, 0x7fc00001, 0},
    {a64_fp_add, A64_FP32, 0, 0x3f800000, 0xffc00002, 0xffc00002, 0},
    {a64_fp_add, A64_FP32, A64_FPCR_DN, 0x3f800000, 0xffc00002, 0x7fc00000, 0},
    {a64_fp_sub, A64_FP64, 0, 0x7ff0000000000000, 0x7ff0000000000000, 0x7ff8000000000000, A64_FPSR_IOC},
    {a64_fp_mul, A64_FP16, 0, 0x7c00, 0x8000, 0x7e00, A64_FPSR_IOC},
    {a64_fp_mulx, A64_FP16, 0, 0x7c00, 0x8000, 0xc000, 0},
    {a64_fp_nmul, A64_FP32, 0, 0x7fc00001, 0x3f800000, 0xffc00001, 0},
    /* maxNum: one quiet NaN loses, a signalling one does not */
    {a64_fp_maxnm, A64_FP32, 0, 0x7fc00001, 0x3f800000, 0x3f800000, 0},
    {a64_fp_maxnm, A64_FP32, 0, 0x7f800001, 0x3f800000, 0x7fc00001, A64_FPSR_IOC},
    {a64_fp_max, A64_FP32, 0, 0x80000000, 0x00000000, 0x00000000, 0},
    {a64_fp_min, A64_FP32, 0, 0x00000000, 0x80000000, 0x80000000, 0},
    /* flushing: single and double operands raise IDC, halves nothing; results raise UFC alone */
    {a64_fp_add, A64_FP32, A64_FPCR_FZ, 0x00000001, 0x80000000, 0x00000000, A64_FPSR_IDC},
    {a64_fp_add, A64_FP16, A64_FPCR_FZ16, 0x0001, 0x0001, 0x0000, 0},
    {a64_fp_add, A64_FP16, A64_FPCR_FZ, 0x0001, 0x0001, 0x0002, 0},
    {a64_fp_mul, A64_FP32, A64_FPCR_FZ, 0x00800000, 0x3f000000, 0x00000000, A64_FPSR_UFC},
    {a64_fp_mul, A64_FP16, A64_FPCR_FZ16, 0x8400, 0x3800, 0x8000, A64_FPSR_UFC},
    /* tininess before rounding: the result is the smallest normal and yet underflows */
    {a64_fp_mul, A64_FP32, 0, 0x00ffffff, 0x3f000000, 0x00800000, A64_FPSR_UFC | A64_FPSR_IXC},
    {a64_fp_mul, A64_FP32, 0, 0x00800000, 0x3f000000, 0x00400000, 0},
    /* zero sums */
    {a64_fp_sub, A64_FP32, 0, 0x3f800000, 0x3f800000, 0x00000000, 0},
    {a64_fp_sub, A64_FP32, 2u << A64_FPCR_RMODE_SHIFT, 0x3f800000, 0x3f800000, 0x80000000, 0},
    {a64_fp_div, A64_FP32, 0, 0xbf800000, 0x00000000, 0xff800000, A64_FPSR_DZC},
    /* Newton steps: infinity times zero is as zero; the first operand's sign flips, a NaN's too */
    {a64_fp_recps, A64_FP32, 0, 0x7f800000, 0x00000000, 0x40000000, 0},
    {a64_fp_rsqrts, A64_FP64, 0, 0x7ff0000000000000, 0, 0x3ff8000000000000, 0},
    {a64_fp_recps, A64_FP32, 0, 0x7fc00001, 0x3f800000, 0xffc00001, 0},
    /* comparisons: equality is quiet, order is not */
    {a64_fp_cmeq, A64_FP32, 0, 0x7fc00000, 0x3f800000, 0, 0},
    {a64_fp_cmge, A64_FP32, 0, 0x7fc00000, 0x3f800000, 0, A64_FPSR_IOC},
    {a64_fp_acgt, A64_FP16, 0, 0xc000, 0x3c00, 0xffff, 0},
};
/* clang-format on */

static void test_directed(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(directed); i++) {
        const struct directed *d = &directed[i];
        struct a64_fpctx c = {d->fpcr, 0};
        uint64_t result = d->op(&c, d->f, d->a, d->b);
        if (result != d->result || c.fpsr != d->fpsr)
            fail_msg("row %u: %#llx flags %#x", i, (unsigned long long)result, c.fpsr);
    }
}

static void test_muladd_hides_no_invalid(void **state)
{
    struct a64_fpctx c = {0, 0};
    /* Infinity times zero plus a quiet NaN: the default NaN, invalid. */
    assert_int_equal(a64_fp_muladd(&c, A64_FP32, 0x7fc00005, 0x7f800000, 0), 0x7fc00000);
    assert_int_equal(c.fpsr, A64_FPSR_IOC);
    /* A signalling addend comes first. */
    assert_int_equal(a64_fp_muladd(&c, A64_FP32, 0x7f800005, 0x7f800000, 0), 0x7fc00005);
    /* A half NaN keeps its payload, left-aligned. */
    assert_int_equal(a64_fp_muladd_half(&c, 0x3f800000, 0x7e01, 0x3c00), 0x7fc02000);
}

static void test_half_conversions(void **state)
{
    struct a64_fpctx ieee = {0, 0}, alternative = {A64_FPCR_AHP, 0};
    /* 65536 is past the half's range, but not past the alternative one's. */
    assert_int_equal(a64_fp_convert(&ieee, A64_FP16, A64_FP32, 0x47800000, A64_ROUND_TIEEVEN),
                     0x7c00);
    assert_int_equal(ieee.fpsr, A64_FPSR_OFC | A64_FPSR_IXC);
    assert_int_equal(
        a64_fp_convert(&alternative, A64_FP16, A64_FP32, 0x47800000, A64_ROUND_TIEEVEN), 0x7c00);
    assert_int_equal(alternative.fpsr, 0);
    /* The alternative format has no infinity and no NaN. */
    assert_int_equal(
        a64_fp_convert(&alternative, A64_FP16, A64_FP32, 0xff800000, A64_ROUND_TIEEVEN), 0xffff);
    assert_int_equal(
        a64_fp_convert(&alternative, A64_FP16, A64_FP32, 0x7fc00000, A64_ROUND_TIEEVEN), 0);
    assert_int_equal(alternative.fpsr, A64_FPSR_IOC);
    assert_int_equal(a64_fp_convert(&alternative, A64_FP32, A64_FP16, 0x7fff, A64_ROUND_TIEEVEN),
                     0x47ffe000);
    /* Conversions never flush halves. */
    ieee = (struct a64_fpctx){A64_FPCR_FZ16 | A64_FPCR_FZ, 0};
    assert_int_equal(a64_fp_convert(&ieee, A64_FP32, A64_FP16, 1, A64_ROUND_TIEEVEN), 0x33800000);
    assert_int_equal(ieee.fpsr, 0);
    /* Round to odd: an inexact result ends in one, and never overflows. */
    assert_int_equal(a64_fp_convert(&ieee, A64_FP32, A64_FP64, 0x3ff0000000000001, A64_ROUND_ODD),
                     0x3f800001);
    assert_int_equal(a64_fp_convert(&ieee, A64_FP32, A64_FP64, 0x7fe0000000000000, A64_ROUND_ODD),
                     0x7f7fffff);
}

static void test_to_integers(void **state)
{
    struct a64_fpctx c = {0, 0};
    const uint64_t half_up = 0x4004000000000000; /* 2.5 */
    assert_int_equal(a64_fp_to_fixed(&c, A64_FP64, half_up, 32, 0, false, A64_ROUND_TIEEVEN), 2);
    assert_int_equal(a64_fp_to_fixed(&c, A64_FP64, half_up, 32, 0, false, A64_ROUND_TIEAWAY), 3);
    assert_int_equal(c.fpsr, A64_FPSR_IXC);
    assert_int_equal(a64_fp_to_fixed(&c, A64_FP64, half_up, 32, 4, false, A64_ROUND_ZERO), 40);
    c.fpsr = 0;
    /* Saturation is invalid and not inexact; NaN is zero. */
    assert_int_equal(
        a64_fp_to_fixed(&c, A64_FP64, 0x41e0000000000000, 32, 0, false, A64_ROUND_ZERO),
        0x7fffffff);
    assert_int_equal(a64_fp_to_fixed(&c, A64_FP64, 0xbff8000000000000, 64, 0, true, A64_ROUND_ZERO),
                     0);
    assert_int_equal(
        a64_fp_to_fixed(&c, A64_FP64, 0x7ff8000000000000, 64, 0, false, A64_ROUND_ZERO), 0);
    assert_int_equal(c.fpsr, A64_FPSR_IOC);
}

/* FJCVTZS: modulo 2^32; Z tells that JavaScript's integer equals the number. */
static void test_javascript_conversion(void **state)
{
    static const struct {
        uint64_t a;
        uint32_t fpcr, result;
        bool z;
        uint32_t fpsr;
    } cases[] = {
        {0x41f0000000100000, 0, 1, false, A64_FPSR_IOC}, /* 2^32 + 1 */
        {0xc1e0000000000000, 0, 0x80000000, true, 0},
        {0x43f0000000000001, 0, 0x1000, false, A64_FPSR_IOC},
        {0x47e0000000000001, 0, 0, false, A64_FPSR_IOC}, /* beyond 2^127 */
        {0xbff8000000000000, 0, 0xffffffff, false, A64_FPSR_IXC},
        {0x8000000000000000, 0, 0, false, 0},
        {0x0000000000000000, 0, 0, true, 0},
        {0x7ff0000000000000, 0, 0, false, A64_FPSR_IOC},
        /* A flushed subnormal is not exact. QEMU 7.2 says it is. */
        {0x0000000000000001, A64_FPCR_FZ, 0, false, A64_FPSR_IDC},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct a64_fpctx c = {cases[i].fpcr, 0};
        bool z;
        assert_int_equal(a64_fp_to_int_js(&c, cases[i].a, &z), cases[i].result);
        assert_int_equal(z, cases[i].z);
        assert_int_equal(c.fpsr, cases[i].fpsr);
    }
}

static void test_estimates(void **state)
{
    struct a64_fpctx c = {0, 0};
    assert_int_equal(a64_fp_recpe(&c, A64_FP32, 0x3f800000), 0x3f7f8000);
    assert_int_equal(a64_fp_rsqrte(&c, A64_FP32, 0x40800000), 0x3eff8000);
    assert_int_equal(a64_unsigned_recpe(0x80000000), 0xff800000);
    assert_int_equal(a64_unsigned_rsqrte(0x40000000), 0xff800000);
    assert_int_equal(a64_unsigned_recpe(0x7fffffff), 0xffffffff);
    assert_int_equal(a64_fp_recpx(&c, A64_FP32, 0x00000001), 0x7f000000);
    assert_int_equal(c.fpsr, 0);
    /* The reciprocal of the smallest numbers overflows, of the largest is subnormal or flushed. */
    assert_int_equal(a64_fp_recpe(&c, A64_FP32, 0x00100000), 0x7f800000);
    assert_int_equal(c.fpsr, A64_FPSR_OFC | A64_FPSR_IXC);
    c = (struct a64_fpctx){A64_FPCR_FZ, 0};
    assert_int_equal(a64_fp_recpe(&c, A64_FP32, 0x7e800000), 0);
    assert_int_equal(c.fpsr, A64_FPSR_UFC);
}

static void test_immediates(void **state)
{
    assert_int_equal(a64_fp_expand_imm(A64_FP64, 0x70), 0x3ff0000000000000);
    assert_int_equal(a64_fp_expand_imm(A64_FP32, 0x80), 0xc0000000);
    assert_int_equal(a64_fp_expand_imm(A64_FP16, 0x3f), 0x4fc0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_host),
        cmocka_unit_test(test_conversions_against_host),
        cmocka_unit_test(test_muladd_against_host),
        cmocka_unit_test(test_directed),
        cmocka_unit_test(test_muladd_hides_no_invalid),
        cmocka_unit_test(test_half_conversions),
        cmocka_unit_test(test_to_integers),
        cmocka_unit_test(test_javascript_conversion),
        cmocka_unit_test(test_estimates),
        cmocka_unit_test(test_immediates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
