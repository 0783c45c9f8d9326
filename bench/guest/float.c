/* float.c: double-precision loops: planets, a Mandelbrot set, and a matrix product. */
#include <math.h>
#include <stdio.h>

enum { BODIES = 5, MATRIX = 160 };

static double planets(int steps)
{
    double p[BODIES][3], v[BODIES][3], mass[BODIES];
    for (int i = 0; i < BODIES; i++) {
        mass[i] = 1.0 / (i + 1);
        for (int k = 0; k < 3; k++) {
            p[i][k] = i * 1.7 + k * 0.3;
            v[i][k] = 0.01 * (k - i);
        }
    }
    for (int s = 0; s < steps; s++) {
        for (int i = 0; i < BODIES; i++)
            for (int j = i + 1; j < BODIES; j++) {
                double d[3], r2 = 0.01;
                for (int k = 0; k < 3; k++) {
                    d[k] = p[i][k] - p[j][k];
                    r2 += d[k] * d[k];
                }
                double m = 0.001 / (r2 * sqrt(r2));
                for (int k = 0; k < 3; k++) {
                    v[i][k] -= d[k] * mass[j] * m;
                    v[j][k] += d[k] * mass[i] * m;
                }
            }
        for (int i = 0; i < BODIES; i++)
            for (int k = 0; k < 3; k++)
                p[i][k] += 0.001 * v[i][k];
    }
    return p[0][0] + p[4][2];
}

static int mandelbrot(int size)
{
    int inside = 0;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            double cr = 3.0 * x / size - 2, ci = 2.0 * y / size - 1, zr = 0, zi = 0;
            int i = 0;
            for (; i < 100 && zr * zr + zi * zi < 4; i++) {
                double t = zr * zr - zi * zi + cr;
                zi = 2 * zr * zi + ci;
                zr = t;
            }
            inside += i == 100;
        }
    return inside;
}

static double product(void)
{
    static double a[MATRIX][MATRIX], b[MATRIX][MATRIX], c[MATRIX][MATRIX];
    for (int i = 0; i < MATRIX; i++)
        for (int j = 0; j < MATRIX; j++) {
            a[i][j] = i / (j + 1.0);
            b[i][j] = j / (i + 2.0);
        }
    for (int i = 0; i < MATRIX; i++)
        for (int j = 0; j < MATRIX; j++)
            for (int k = 0; k < MATRIX; k++)
                c[i][j] += a[i][k] * b[k][j];
    return c[MATRIX / 2][MATRIX / 3];
}

int main(void)
{
    printf("%.12g %d %.12g\n", planets(400000), mandelbrot(700), product());
    return 0;
}
