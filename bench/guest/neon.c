/* neon.c: vector loops by intrinsics, for what no compiler finds by itself.
 *
 * "integer": saturation, table lookups, interleaving, products of twice the size, shifts and
 * narrowing, bits. "float": fused products by lane, pairwise sums, smallest and largest,
 * reciprocals, conversions. Prints a sum over all results.
 */
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 1 << 14 };

static uint8_t a[BYTES], b[BYTES];
static float f[BYTES / 4], g[BYTES / 4];

/* Blends with saturation; a running sum. */
static uint32_t saturation(void)
{
    uint32x4_t total = vdupq_n_u32(0);
    for (int i = 0; i < BYTES; i += 16) {
        uint8x16_t x = vld1q_u8(a + i), y = vld1q_u8(b + i);
        uint8x16_t d = vabdq_u8(x, y);
        uint8x16_t m = vbslq_u8(vcgtq_u8(x, y), vqaddq_u8(x, d), vrhaddq_u8(y, d));
        total = vpadalq_u16(total, vpaddlq_u8(m));
        vst1q_u8(a + i, veorq_u8(m, vextq_u8(x, y, 3)));
    }
    return vaddvq_u32(total);
}

/* Hexadecimal digits by table; how many bits are set. */
static uint32_t tables(void)
{
    static const uint8_t digits[] = "0123456789abcdef";
    uint8x16_t table = vld1q_u8(digits), low = vdupq_n_u8(15);
    uint16x8_t bits = vdupq_n_u16(0);
    uint8x16_t text = vdupq_n_u8(0);
    for (int i = 0; i < BYTES; i += 16) {
        uint8x16_t x = vld1q_u8(a + i);
        uint8x16_t high = vqtbl1q_u8(table, vshrq_n_u8(x, 4));
        uint8x16x2_t pair = vzipq_u8(high, vqtbl1q_u8(table, vandq_u8(x, low)));
        bits = vpadalq_u8(bits, vcntq_u8(vrbitq_u8(x)));
        text = veorq_u8(text, vaddq_u8(pair.val[0], vrev64q_u8(pair.val[1])));
    }
    return vaddlvq_u16(bits) + vaddlvq_u8(text);
}

/* Colours of three planes to grey, by products of twice the size. */
static uint32_t colours(void)
{
    uint32x4_t total = vdupq_n_u32(0);
    uint8x8_t red = vdup_n_u8(77), green = vdup_n_u8(150), blue = vdup_n_u8(29);
    for (int i = 0; i + 48 <= BYTES; i += 24) {
        uint8x8x3_t rgb = vld3_u8(b + i);
        uint16x8_t sum = vmull_u8(rgb.val[0], red);
        sum = vmlal_u8(sum, rgb.val[1], green);
        sum = vmlal_u8(sum, rgb.val[2], blue);
        uint8x8_t grey = vqrshrn_n_u16(sum, 8);
        total = vpadalq_u16(total, vmovl_u8(grey));
    }
    return vaddvq_u32(total);
}

/* A filter over 16-bit samples in fixed point. */
static uint32_t filter(void)
{
    const int16_t *p = (const int16_t *)(const void *)b;
    int32x4_t total = vdupq_n_s32(0);
    for (int i = 0; i + 16 <= BYTES / 2; i += 8) {
        int16x8_t x = vld1q_s16(p + i), y = vld1q_s16(p + i + 8);
        int16x8_t high = vqrdmulhq_n_s16(x, 23170), sum = vqaddq_s16(high, vshrq_n_s16(y, 1));
        int16x8x2_t sorted = vuzpq_s16(sum, vmaxq_s16(x, y));
        total = vmlal_s16(total, vget_low_s16(sorted.val[0]), vget_high_s16(sorted.val[1]));
        total = vaddq_s32(total, vshll_n_s16(vqmovn_s32(total), 2));
    }
    return (uint32_t)vaddvq_s32(total);
}

static uint32_t words(void)
{
    uint32x4_t total = vdupq_n_u32(1);
    const uint32_t *p = (const uint32_t *)(const void *)b;
    for (int i = 0; i < BYTES / 4; i += 8) {
        uint32x4_t x = vld1q_u32(p + i), y = vld1q_u32(p + i + 4);
        total = vmlaq_u32(total, x, vzip1q_u32(x, y));
        total = veorq_u32(total, vshlq_n_u32(vrev64q_u32(y), 3));
        total = vsliq_n_u32(total, vtrn2q_u32(x, total), 7);
    }
    return vaddvq_u32(total);
}

static uint64_t integers(int rounds)
{
    uint64_t sum = 0;
    for (int i = 0; i < BYTES; i++) {
        a[i] = (uint8_t)(i * 37);
        b[i] = (uint8_t)(i * 91 + 5);
    }
    for (int r = 0; r < rounds; r++) {
        sum = sum * 31 + saturation();
        sum = sum * 31 + tables();
        sum = sum * 31 + colours();
        sum = sum * 31 + filter();
        sum = sum * 31 + words();
    }
    return sum;
}

static double floats(int rounds)
{
    float32x4_t total = vdupq_n_f32(0), turned = vdupq_n_f32(0), near = vdupq_n_f32(0);
    float64x2_t wide = vdupq_n_f64(0);
    for (int i = 0; i < BYTES / 4; i++) {
        f[i] = (float)i / 1000;
        g[i] = 1.0f / (float)(i + 1);
    }
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < BYTES / 4; i += 8) {
            float32x4_t x = vld1q_f32(f + i), y = vld1q_f32(g + i);
            float32x4_t z = vld1q_f32(f + i + 4), w = vld1q_f32(g + i + 4);
            total = vfmaq_f32(total, x, y);
            total = vmulq_n_f32(vaddq_f32(total, vminq_f32(z, w)), 0.5f);
            turned = vfmaq_laneq_f32(vpaddq_f32(turned, w), z, y, 2);
            turned = vmulq_f32(turned, vdupq_n_f32(0.25f));
            float32x4_t guess = vrecpeq_f32(vaddq_f32(x, w));
            near = vmaxq_f32(vmulq_f32(guess, vrecpsq_f32(guess, z)), vabsq_f32(near));
            near = vaddq_f32(near, vcvtq_f32_s32(vcvtq_s32_f32(x)));
            near = vbslq_f32(vcgtq_f32(near, vdupq_n_f32(1000)), y, near);
            wide = vfmaq_f64(wide, vcvt_f64_f32(vget_low_f32(y)), vcvt_high_f64_f32(w));
        }
    return vaddvq_f32(total) + vaddvq_f32(turned) + vaddvq_f32(near) + vaddvq_f64(wide);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "float") == 0)
        printf("%.6g\n", floats(12000));
    else
        printf("%llx\n", (unsigned long long)integers(15000));
    return 0;
}
