/* returns.c: calls and returns that do not match: deep recursion, calls that never return, returns
 * past the caller. A translator may keep a stack of its own for them, which must not overflow.
 */
#include "guest.h"

enum { DEEP = 100000, STACK_64K = DEEP * 8 / 65536 + 1 };

static void test_unequal_calls(void)
{
    uint64_t left = DEEP, returned = 0, *saved = page_alloc(STACK_64K);
    __asm__ volatile("bl 1f\nb 3f\n"
                     "1: str x30, [%2], #8\nsubs %0, %0, #1\nb.eq 2f\nbl 1b\nadd %1, %1, #1\n"
                     "2: ldr x30, [%2, #-8]!\nret\n3:"
                     : "+r"(left), "+r"(returned), "+r"(saved)::"x30", "cc", "memory");
    check_eq("as many returns as calls", returned, DEEP - 1);
    left = DEEP;
    __asm__ volatile("1: subs %0, %0, #1\nb.eq 2f\nbl 1b\n2:" : "+r"(left)::"x30", "cc");
    check_eq("calls that never return", left, 0);
    uint64_t passed = 0;
    for (unsigned i = 0; i < 1000; i++)
        __asm__ volatile("bl 1f\nadd %0, %0, #1\nb 3f\n"
                         "1: mov x10, x30\nbl 2f\nadd %0, %0, #16\nb 3f\n"
                         "2: mov x30, x10\nret\n3:"
                         : "+r"(passed)::"x10", "x30");
    check_eq("returns to a caller's caller", passed, 1000);
}

void guest_tests(void)
{
    test_unequal_calls();
}
