/* fused.c: fused multiply-add on numbers that are hard to round: prints a hash of results and FPSR
 * for each instruction and rounding mode, to be compared with qemu-aarch64's.
 *
 * The addend is the product's negative, rounded, or some last digits beside it, or far above or
 * below it; operands have few digits, or are zeros, denormals, infinities. tests/isa has single
 * instructions of all kinds; what this is for, hosts without FMA, needs numbers by the million.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 20000, MODES = 4 };

struct random {
    uint64_t state;
};

static uint64_t random_bits(struct random *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state;
}

/* Of a format with that many digits behind the point and bits of exponent. */
static uint64_t number(struct random *r, unsigned digits, unsigned exponent_bits)
{
    uint64_t kind = random_bits(r) % 16, fraction = random_bits(r) & ((1ull << digits) - 1);
    uint64_t top = (1ull << exponent_bits) - 1, one = top / 2, exponent = one - 4;
    exponent += random_bits(r) % 9;
    if (kind == 0)
        exponent = fraction = 0;
    else if (kind <= 2)
        fraction &= ~0ull << random_bits(r) % digits;
    else if (kind == 3)
        exponent = random_bits(r) % top;
    else if (kind == 4)
        exponent = random_bits(r) % 3;
    else if (kind == 5)
        exponent = one / 2 + random_bits(r) % 4;
    else if (kind == 6 && random_bits(r) % 8 == 0)
        exponent = top;
    return random_bits(r) << (digits + exponent_bits) | exponent << digits | fraction;
}

static double number_64(struct random *r)
{
    uint64_t bits = number(r, 52, 11);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static float number_32(struct random *r)
{
    uint32_t bits = (uint32_t)number(r, 23, 8);
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static double addend_64(struct random *r, double product)
{
    uint64_t kind = random_bits(r) % 6, bits;
    double value = -product;
    if (kind == 0)
        value = product * 0x1p52;
    else if (kind == 1)
        value = product * 0x1p-53;
    memcpy(&bits, &value, sizeof(bits));
    if (kind == 2)
        bits += random_bits(r) % 5 - 2;
    memcpy(&value, &bits, sizeof(value));
    return kind <= 3 ? value : number_64(r);
}

static float addend_32(struct random *r, float product)
{
    uint64_t kind = random_bits(r) % 6;
    float value = -product;
    uint32_t bits;
    if (kind == 0)
        value = product * 0x1p23f;
    else if (kind == 1)
        value = product * 0x1p-24f;
    memcpy(&bits, &value, sizeof(bits));
    if (kind == 2)
        bits += (uint32_t)(random_bits(r) % 5 - 2);
    memcpy(&value, &bits, sizeof(value));
    return kind <= 3 ? value : number_32(r);
}

/* v0 = v0 +- v1 * v2 of 16 bytes; FPSR begins with Inexact or without. */
struct operands {
    _Alignas(16) uint8_t v[3][16];
    uint64_t fpsr;
};

#define FUSED(name, instruction)                                                                   \
    static void name(struct operands *o)                                                           \
    {                                                                                              \
        __asm__ volatile("msr fpsr, %1\n ldp q0, q1, [%2]\n ldr q2, [%2, 32]\n" instruction        \
                         "\n str q0, [%2]\n mrs %0, fpsr"                                          \
                         : "=r"(o->fpsr)                                                           \
                         : "0"(o->fpsr), "r"(o->v)                                                 \
                         : "v0", "v1", "v2", "memory");                                            \
    }
FUSED(fmadd_d, "fmadd d0, d1, d2, d0")
FUSED(fmsub_d, "fmsub d0, d1, d2, d0")
FUSED(fnmadd_d, "fnmadd d0, d1, d2, d0")
FUSED(fnmsub_d, "fnmsub d0, d1, d2, d0")
FUSED(fmla_2d, "fmla v0.2d, v1.2d, v2.2d")
FUSED(fmls_2d, "fmls v0.2d, v1.2d, v2.d[1]")
FUSED(fmadd_s, "fmadd s0, s1, s2, s0")
FUSED(fmsub_s, "fmsub s0, s1, s2, s0")
FUSED(fnmadd_s, "fnmadd s0, s1, s2, s0")
FUSED(fnmsub_s, "fnmsub s0, s1, s2, s0")
FUSED(fmla_4s, "fmla v0.4s, v1.4s, v2.4s")
FUSED(fmls_2s, "fmls v0.2s, v1.2s, v2.s[1]")

static const struct {
    const char *name;
    void (*run)(struct operands *o);
    int is_64;
} instructions[] = {
    {"fmadd d", fmadd_d, 1},   {"fmsub d", fmsub_d, 1}, {"fnmadd d", fnmadd_d, 1},
    {"fnmsub d", fnmsub_d, 1}, {"fmla 2d", fmla_2d, 1}, {"fmls 2d", fmls_2d, 1},
    {"fmadd s", fmadd_s, 0},   {"fmsub s", fmsub_s, 0}, {"fnmadd s", fnmadd_s, 0},
    {"fnmsub s", fnmsub_s, 0}, {"fmla 4s", fmla_4s, 0}, {"fmls 2s", fmls_2s, 0},
};

static void fill(struct operands *o, struct random *r, int is_64)
{
    for (unsigned lane = 0; lane < (is_64 ? 2 : 4); lane++) {
        if (is_64) {
            double a = number_64(r), b = number_64(r), c = addend_64(r, a * b);
            memcpy(&o->v[0][lane * 8], &c, 8);
            memcpy(&o->v[1][lane * 8], &a, 8);
            memcpy(&o->v[2][lane * 8], &b, 8);
        } else {
            float a = number_32(r), b = number_32(r), c = addend_32(r, a * b);
            memcpy(&o->v[0][lane * 4], &c, 4);
            memcpy(&o->v[1][lane * 4], &a, 4);
            memcpy(&o->v[2][lane * 4], &b, 4);
        }
    }
    o->fpsr = random_bits(r) & 0x10;
}

static uint64_t mixed(uint64_t hash, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3ull;
    return hash;
}

int main(void)
{
    for (uint64_t mode = 0; mode < MODES; mode++) {
        for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
            struct random r = {88172645463325252ull + i};
            uint64_t hash = 0xcbf29ce484222325ull;
            __asm__ volatile("msr fpcr, %0" ::"r"(mode << 22));
            for (int n = 0; n < ROUNDS; n++) {
                struct operands o;
                fill(&o, &r, instructions[i].is_64);
                instructions[i].run(&o);
                hash = mixed(mixed(hash, o.v[0], 16), &o.fpsr, sizeof(o.fpsr));
            }
            printf("%s, mode %d: %016llx\n", instructions[i].name, (int)mode,
                   (unsigned long long)hash);
        }
    }
    return 0;
}
