/* test_codemem.c: both views show the same bytes, before and after huge pages were asked for, and
 * neither may do what the other is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "hardware/codemem.h"

enum { MIB = 1 << 20 };

static void fill(struct codemem *mem)
{
    for (size_t i = 0; i < mem->size_bytes; i += 509)
        mem->write[i] = (uint8_t)(i * 7 + 1);
}

static void check(const struct codemem *mem)
{
    for (size_t i = 0; i < mem->size_bytes; i += 509)
        assert_int_equal(mem->run[i], (uint8_t)(i * 7 + 1));
}

/* Asks until the end is reached, as one who writes code does. */
static void prepare_all(struct codemem *mem, uint8_t *at, const uint8_t *end)
{
    for (unsigned steps = 0; at < end; steps++) {
        uint8_t *next = codemem_prepare(mem, at, end);
        assert_true(next > at && steps < 1000);
        at = next;
    }
}

static void test_prepare(void **state)
{
    static const size_t sizes[] = {4096, MIB, 2 * MIB, 4 * MIB + 4096, 16 * MIB - 4096};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct codemem mem;
        assert_int_equal(codemem_init(&mem, sizes[i], NULL), 0);
        uint8_t *end = mem.write + mem.size_bytes;
        prepare_all(&mem, mem.write, end);
        fill(&mem);
        check(&mem);
        prepare_all(&mem, mem.write + mem.size_bytes / 2, end); /* what is there stays */
        check(&mem);
        codemem_done(&mem);
        assert_null(mem.write);
    }
}

static void test_private(void **state)
{
    struct codemem mem;
    assert_int_equal(codemem_init_private(&mem, NULL, 8 * MIB, NULL), 0);
    assert_ptr_equal(mem.write, mem.run);
    prepare_all(&mem, mem.write, mem.write + mem.size_bytes);
    fill(&mem);
    check(&mem);
    codemem_done(&mem);
}

/* The kernel's word for the mapping that begins at `at`. */
static void rights_of(const void *at, char rights[5])
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    rights[0] = 0;
    while (fgets(line, sizeof(line), maps)) {
        unsigned long start;
        char found[5];
        if (sscanf(line, "%lx-%*x %4s", &start, found) == 2 && start == (uintptr_t)at)
            memcpy(rights, found, sizeof(found));
    }
    fclose(maps);
}

static void test_rights(void **state)
{
    struct codemem mem;
    char rights[5];
    assert_int_equal(codemem_init(&mem, 4 * MIB, NULL), 0);
    codemem_prepare(&mem, mem.write, mem.write + mem.size_bytes);
    rights_of(mem.write, rights);
    assert_string_equal(rights, "rw-s");
    rights_of(mem.run, rights);
    assert_string_equal(rights, "r-xs");
    codemem_done(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_prepare),
                                       cmocka_unit_test(test_private),
                                       cmocka_unit_test(test_rights)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
