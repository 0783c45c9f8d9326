/* kept.c: enough code for several pages of translations, with an answer that depends on all of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* On a page of its own, behind the file's first: kept.py changes the number in it. */
static unsigned __attribute__((aligned(4096), noinline)) next_of(unsigned seed)
{
    return seed * 1103515245 + 12345;
}

int main(void)
{
    static int numbers[2000];
    char text[64];
    double sum = 0;
    unsigned seed = 1;
    for (int i = 0; i < 2000; i++) {
        seed = next_of(seed);
        numbers[i] = (int)(seed >> 8);
        snprintf(text, sizeof(text), "%d %.3f", numbers[i], numbers[i] / 7.0);
        sum += strtod(strchr(text, ' '), NULL);
    }
    qsort(numbers, 2000, sizeof(numbers[0]), by_value);
    printf("%d %d %.3f\n", numbers[0], numbers[1999], sum);
    return 0;
}
