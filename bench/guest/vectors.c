/* vectors.c: loops in plain C that the compiler vectorizes, the same for every architecture.
 *
 * "integer": pixels and samples of 8, 16 and 32 bits: blending, sums of differences, products of
 * twice the size, saturation, smallest and largest, counting. "float": a scaled sum, a matrix
 * product, a stencil and a polynomial in single precision, and a dot product of doubles. Prints a
 * sum over all results.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 1 << 14, MATRIX = 96, SIDE = 128 };

static uint8_t pixels_a[COUNT], pixels_b[COUNT], blended[COUNT];
static int16_t samples[COUNT], mixed[COUNT];
static uint32_t words[COUNT];
static float x[COUNT], y[COUNT];
static float ma[MATRIX][MATRIX], mb[MATRIX][MATRIX], mc[MATRIX][MATRIX];
static float grid[SIDE][SIDE], next[SIDE][SIDE];
static double wide[COUNT];

/* Nothing is kept from one round to the next but by memory. */
static void forget(void)
{
    __asm__ volatile("" ::: "memory");
}

static uint32_t pixels(void)
{
    uint32_t difference = 0, darkest = 255, brightest = 0;
    for (int i = 0; i < COUNT; i++)
        blended[i] = (uint8_t)((pixels_a[i] * 77 + pixels_b[i] * 179 + 128) >> 8);
    for (int i = 0; i < COUNT; i++) {
        int d = pixels_a[i] - pixels_b[i];
        difference += (uint32_t)(d < 0 ? -d : d);
    }
    uint8_t low = 255, high = 0;
    for (int i = 0; i < COUNT; i++) {
        low = blended[i] < low ? blended[i] : low;
        high = blended[i] > high ? blended[i] : high;
    }
    darkest = low;
    brightest = high;
    return difference + darkest * 3 + brightest;
}

static uint32_t sound(void)
{
    int32_t energy = 0;
    for (int i = 0; i < COUNT; i++) {
        int32_t s = samples[i] * 3 / 2 + 100;
        mixed[i] = (int16_t)(s > 32767 ? 32767 : s < -32768 ? -32768 : s);
    }
    for (int i = 0; i < COUNT; i++)
        energy += (samples[i] * mixed[i]) >> 12;
    return (uint32_t)energy;
}

static uint32_t numbers(void)
{
    uint32_t sum = 0, above = 0;
    for (int i = 0; i < COUNT; i++) {
        uint32_t w = words[i];
        w ^= w << 13;
        w ^= w >> 17;
        w ^= w << 5;
        words[i] = w;
        sum += w * 2654435761u;
    }
    for (int i = 0; i < COUNT; i++)
        above += words[i] > 0x40000000;
    return sum + above;
}

static uint64_t integers(int rounds)
{
    uint64_t sum = 0;
    for (int i = 0; i < COUNT; i++) {
        pixels_a[i] = (uint8_t)(i * 37);
        pixels_b[i] = (uint8_t)(i * 91 + 5);
        samples[i] = (int16_t)(i * 1543);
        words[i] = (uint32_t)i * 2246822519u + 1;
    }
    for (int r = 0; r < rounds; r++) {
        sum = sum * 31 + pixels();
        sum = sum * 31 + sound();
        sum = sum * 31 + numbers();
        forget();
    }
    return sum;
}

static void product(void)
{
    memset(mc, 0, sizeof(mc));
    for (int i = 0; i < MATRIX; i++)
        for (int k = 0; k < MATRIX; k++)
            for (int j = 0; j < MATRIX; j++)
                mc[i][j] += ma[i][k] * mb[k][j];
}

static void heat(void)
{
    for (int i = 1; i < SIDE - 1; i++)
        for (int j = 1; j < SIDE - 1; j++)
            next[i][j] =
                grid[i][j] * 0.5f +
                (grid[i - 1][j] + grid[i + 1][j] + grid[i][j - 1] + grid[i][j + 1]) * 0.125f;
    memcpy(grid, next, sizeof(grid));
}

static double floats(int rounds)
{
    double sum = 0;
    for (int i = 0; i < COUNT; i++) {
        x[i] = (float)(i % 1000) / 1000;
        y[i] = 1;
        wide[i] = 1.0 / (i + 1);
    }
    for (int i = 0; i < MATRIX; i++)
        for (int j = 0; j < MATRIX; j++) {
            ma[i][j] = (float)(i + 1) / (float)(j + 2);
            mb[i][j] = (float)(j + 1) / (float)(i + 3);
        }
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            grid[i][j] = (float)(i * j % 17);
    for (int r = 0; r < rounds; r++) {
        double part[4] = {0, 0, 0, 0};
        for (int i = 0; i < COUNT; i++)
            y[i] += 0.25f * x[i];
        for (int i = 0; i < COUNT; i++)
            y[i] = ((x[i] * 0.5f - 0.25f) * x[i] + 0.125f) * x[i] + y[i] * 0.5f;
        for (int i = 0; i < COUNT; i += 4)
            for (int k = 0; k < 4; k++)
                part[k] += wide[i + k] * wide[i + k];
        product();
        heat();
        forget();
        sum += part[0] + part[1] + part[2] + part[3] + y[r % COUNT] + mc[r % MATRIX][5];
    }
    return sum + grid[SIDE / 2][SIDE / 3];
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "float") == 0)
        printf("%.5g\n", floats(400));
    else
        printf("%llx\n", (unsigned long long)integers(6000));
    return 0;
}
