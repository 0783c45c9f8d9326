/* crash.c: a program for a debugger: a global, a call chain, and a store that faults if asked for.
 */
#include <stdio.h>

int answer = 42;

__attribute__((noinline)) int inner(int depth, int *where)
{
    *where = depth * answer;
    return depth ? inner(depth - 1, where) : *where;
}

int main(int argc, char **argv)
{
    int place = 1;
    printf("result %d\n", inner(3, argc > 1 ? (int *)0x10 : &place));
    return 5;
}
