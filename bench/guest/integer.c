/* integer.c: a sieve, a hash table and a sort; prints a checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIEVE = 12000000, TABLE = 1 << 16, SORT = 400000 };

static unsigned sieve(void)
{
    static uint8_t composite[SIEVE];
    unsigned primes = 0;
    for (unsigned i = 2; i < SIEVE; i++) {
        if (composite[i])
            continue;
        primes++;
        for (uint64_t j = (uint64_t)i * i; j < SIEVE; j += i)
            composite[j] = 1;
    }
    return primes;
}

static uint64_t hash(void)
{
    static uint64_t keys[TABLE], sum;
    uint64_t x = 88172645463325252ull;
    for (unsigned i = 0; i < 30000000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        unsigned slot = (unsigned)(x * 0x9e3779b97f4a7c15ull >> 48);
        sum += keys[slot] % 1009;
        keys[slot] = x + i;
    }
    return sum;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint64_t sort(void)
{
    static uint32_t values[SORT];
    uint32_t x = 1;
    for (unsigned i = 0; i < SORT; i++)
        values[i] = x = x * 1664525 + 1013904223;
    qsort(values, SORT, sizeof(values[0]), compare);
    uint64_t sum = 0;
    for (unsigned i = 0; i < SORT; i += 1000)
        sum = sum * 31 + values[i];
    return sum;
}

int main(void)
{
    printf("%u %llx %llx\n", sieve(), (unsigned long long)hash(), (unsigned long long)sort());
    return 0;
}
