/* profile.c: what profile.py looks at: three parts of the work in one function and one in another,
 * for about a second of the CPU's time. With an argument the child of a fork
 * does that.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline)) uint64_t three_parts(uint64_t x)
{
    for (int i = 0; i < 300000; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    return x;
}

__attribute__((noinline)) uint64_t one_part(uint64_t x)
{
    for (int i = 0; i < 100000; i++)
        x = x * 3202034522624059733u + 4354685564936845319u;
    return x;
}

int main(int argc, char **argv)
{
    uint64_t x = 1;
    if (argc > 1 && fork() != 0) /* the child does it all */
        return wait(NULL) < 0;
    while (clock() < CLOCKS_PER_SEC)
        x = one_part(three_parts(x));
    printf("%d\n", x != 0);
    return 0;
}
