/* neon.c: vector loops by intrinsics: bytes, 32-bit integers and single-precision floats. */
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>

enum { BYTES = 1 << 16, ROUNDS = 1200 };

static uint8_t a[BYTES], b[BYTES];
static float f[BYTES / 4], g[BYTES / 4];

static uint64_t bytes(void)
{
    uint64_t sum = 0;
    for (int r = 0; r < ROUNDS; r++) {
        uint32x4_t total = vdupq_n_u32(0);
        for (int i = 0; i < BYTES; i += 16) {
            uint8x16_t x = vld1q_u8(a + i), y = vld1q_u8(b + i);
            uint8x16_t d = vabdq_u8(x, y);
            uint8x16_t m = vbslq_u8(vcgtq_u8(x, y), vqaddq_u8(x, d), vrhaddq_u8(y, d));
            total = vpadalq_u16(total, vpaddlq_u8(m));
            vst1q_u8(a + i, veorq_u8(m, vextq_u8(x, y, 3)));
        }
        sum = sum * 31 + vaddvq_u32(total);
    }
    return sum;
}

static uint64_t words(void)
{
    uint32x4_t total = vdupq_n_u32(1);
    const uint32_t *p = (const uint32_t *)a;
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < BYTES / 4; i += 8) {
            uint32x4_t x = vld1q_u32(p + i), y = vld1q_u32(p + i + 4);
            total = vmlaq_u32(total, x, vzip1q_u32(x, y));
            total = veorq_u32(total, vshlq_n_u32(vrev64q_u32(y), 3));
        }
    return vaddvq_u32(total);
}

static double floats(void)
{
    float32x4_t total = vdupq_n_f32(0);
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < BYTES / 4; i += 4) {
            float32x4_t x = vld1q_f32(f + i), y = vld1q_f32(g + i);
            total = vfmaq_f32(total, x, y);
            total = vmulq_n_f32(vaddq_f32(total, vminq_f32(x, y)), 0.5f);
        }
    return vaddvq_f32(total);
}

int main(void)
{
    for (int i = 0; i < BYTES; i++) {
        a[i] = (uint8_t)(i * 37);
        b[i] = (uint8_t)(i * 91 + 5);
    }
    for (int i = 0; i < BYTES / 4; i++) {
        f[i] = (float)i / 1000;
        g[i] = 1.0f / (float)(i + 1);
    }
    printf("%llx %llx %.6g\n", (unsigned long long)bytes(), (unsigned long long)words(), floats());
    return 0;
}
