/* test_elf_file.c: program files, good and damaged; first lines of scripts; sets of addresses. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "core/linux/elf_file.h"
#include "core/linux/ranges.h"
#include "core/linux/script.h"

enum { FILE_BYTES = 0x3000, PHDRS = 5 };

/* A program with a text and a data segment, a linker's name and a stack note. */
struct program {
    union {
        uint8_t bytes[FILE_BYTES];
        struct {
            Elf64_Ehdr h;
            Elf64_Phdr p[PHDRS];
        };
    };
    size_t size_bytes;
};

static void fill(struct program *f)
{
    static const char linker[] = "/lib/ld-linux-aarch64.so.1";
    memset(f, 0, sizeof(*f));
    f->size_bytes = FILE_BYTES;
    f->h = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_AARCH64,
        .e_version = EV_CURRENT,
        .e_entry = 0x540,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = PHDRS,
    };
    f->p[0] = (Elf64_Phdr){.p_type = PT_PHDR, .p_vaddr = sizeof(Elf64_Ehdr)};
    f->p[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x800, .p_filesz = sizeof(linker)};
    f->p[2] = (Elf64_Phdr){.p_type = PT_LOAD,
                           .p_flags = PF_R | PF_X,
                           .p_filesz = 0x1800,
                           .p_memsz = 0x1800,
                           .p_align = 0x10000};
    f->p[3] = (Elf64_Phdr){.p_type = PT_LOAD,
                           .p_flags = PF_R | PF_W,
                           .p_offset = 0x1900,
                           .p_vaddr = 0x11900,
                           .p_filesz = 0x700,
                           .p_memsz = 0x5000,
                           .p_align = 0x10000};
    f->p[4] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
    memcpy(f->bytes + 0x800, linker, sizeof(linker));
}

static int read_back(const struct program *f, struct elf_file *ret, struct err *e)
{
    int fd = memfd_create("program", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, f->bytes, f->size_bytes), f->size_bytes);
    size_t head = f->size_bytes < 1024 ? f->size_bytes : 1024;
    int rc = elf_read(fd, f->size_bytes, f->bytes, head, ret, e);
    close(fd);
    return rc;
}

static void test_good(void **state)
{
    struct program f;
    struct elf_file elf;
    fill(&f);
    assert_int_equal(read_back(&f, &elf, NULL), 0);
    assert_true(elf.relocatable);
    assert_int_equal(elf.entry, 0x540);
    assert_int_equal(elf.phdrs, sizeof(Elf64_Ehdr));
    assert_int_equal(elf.load_count, 2);
    assert_int_equal(elf.start, 0);
    assert_int_equal(elf.end, 0x17000);
    assert_int_equal(elf.align, 0x10000);
    assert_false(elf.stack_executable);
    assert_string_equal(elf.interpreter, "/lib/ld-linux-aarch64.so.1");
    assert_true(elf.loads[0].execute && !elf.loads[0].write && elf.loads[1].write);
    elf_free(&elf);
    elf_free(NULL);
}

static void test_forms(void **state)
{
    struct program f;
    struct elf_file elf;
    fill(&f); /* fixed, without a linker, its headers found through a segment */
    f.h.e_type = ET_EXEC;
    f.p[0].p_type = f.p[1].p_type = PT_NULL;
    f.p[4].p_flags |= PF_X;
    assert_int_equal(read_back(&f, &elf, NULL), 0);
    assert_false(elf.relocatable);
    assert_int_equal(elf.phdrs, sizeof(Elf64_Ehdr));
    assert_true(elf.stack_executable);
    assert_string_equal(elf.interpreter, "");
    elf_free(&elf);

    fill(&f); /* headers behind what was read at first */
    memcpy(f.bytes + 0x2800, f.p, sizeof(f.p));
    memset(f.p, 0xff, sizeof(f.p));
    f.h.e_phoff = 0x2800;
    assert_int_equal(read_back(&f, &elf, NULL), 0);
    assert_int_equal(elf.load_count, 2);
    elf_free(&elf);

    fill(&f); /* segments may share a page, and be empty */
    f.p[3].p_vaddr = 0x1900;
    f.p[4] = (Elf64_Phdr){.p_type = PT_LOAD};
    assert_int_equal(read_back(&f, &elf, NULL), 0);
    assert_int_equal(elf.load_count, 2);
    elf_free(&elf);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void x86(struct program *f)
{
    f->h.e_machine = EM_X86_64;
}
static void arm32(struct program *f)
{
    f->h.e_ident[EI_CLASS] = ELFCLASS32;
    f->h.e_machine = EM_ARM;
}
static void big_endian(struct program *f)
{
    f->h.e_ident[EI_DATA] = ELFDATA2MSB;
    f->h.e_machine = __builtin_bswap16(EM_AARCH64);
}
static void ilp32(struct program *f)
{
    f->h.e_ident[EI_CLASS] = ELFCLASS32;
}
static void object(struct program *f)
{
    f->h.e_type = ET_REL;
}
static void unknown_machine(struct program *f)
{
    f->h.e_machine = 9999;
}
static void not_elf(struct program *f)
{
    memcpy(f->bytes, "text", 4);
}
static void short_header(struct program *f)
{
    f->size_bytes = 40;
}
static void no_phdrs(struct program *f)
{
    f->h.e_phnum = 0;
}
static void many_phdrs(struct program *f)
{
    f->h.e_phnum = 0xffff;
}
static void odd_phentsize(struct program *f)
{
    f->h.e_phentsize = 32;
}
static void phdrs_behind_file(struct program *f)
{
    f->h.e_phoff = FILE_BYTES - 8;
}
static void phdrs_far(struct program *f)
{
    f->h.e_phoff = UINT64_MAX - 8;
}
static void nothing_to_load(struct program *f)
{
    f->p[2].p_type = f->p[3].p_type = PT_NOTE;
}
static void file_above_memory(struct program *f)
{
    f->p[2].p_memsz = 0x100;
}
static void incongruent(struct program *f)
{
    f->p[2].p_vaddr = 8;
}
static void wraps(struct program *f)
{
    f->p[3].p_vaddr = UINT64_MAX - 0x6ff;
    f->p[3].p_offset = 0x1900;
}
static void too_high(struct program *f)
{
    f->p[3].p_vaddr = (1ull << 47) - 0x1000 + 0x900;
}
static void huge(struct program *f)
{
    f->p[3].p_memsz = UINT64_MAX;
}
static void overlap(struct program *f)
{
    f->p[3].p_vaddr = 0x900;
}
static void out_of_order(struct program *f)
{
    Elf64_Phdr first = f->p[2];
    f->p[2] = f->p[3];
    f->p[3] = first;
}
static void truncated(struct program *f)
{
    f->size_bytes = 0x1a00;
}
static void offset_wraps(struct program *f)
{
    f->p[3].p_offset = UINT64_MAX - 0x6ff;
}
static void linker_unended(struct program *f)
{
    f->p[1].p_filesz -= 1;
}
static void linker_long(struct program *f)
{
    f->p[1].p_filesz = 5000;
}
static void linker_empty(struct program *f)
{
    f->p[1].p_filesz = 0;
}
static void linker_behind_file(struct program *f)
{
    f->p[1].p_offset = FILE_BYTES - 4;
}

static void test_damaged(void **state)
{
    static const struct {
        void (*damage)(struct program *f);
        const char *says;
    } cases[] = {
        {x86, "x86-64 program, not arm64"},
        {arm32, "32-bit Arm program, not arm64"},
        {big_endian, "big-endian arm64 program"},
        {ilp32, "ILP32 arm64 program"},
        {object, "ELF type 1, not a program (an object file)"},
        {unknown_machine, "program for ELF machine 9999, not arm64"},
        {not_elf, "not an ELF program"},
        {short_header, "truncated ELF header"},
        {no_phdrs, "corrupt ELF header: 0 program headers of 56 bytes"},
        {many_phdrs, "corrupt ELF header: 65535 program headers of 56 bytes"},
        {odd_phentsize, "corrupt ELF header: 5 program headers of 32 bytes"},
        {phdrs_behind_file, "truncated: program headers missing"},
        {phdrs_far, "corrupt ELF header: program headers out of reach"},
        {nothing_to_load, "corrupt ELF header: nothing to load"},
        {file_above_memory, "corrupt program header: segment 0"},
        {incongruent, "corrupt program header: segment 0"},
        {wraps, "corrupt program header: segment 1"},
        {too_high, "corrupt program header: segment 1"},
        {huge, "corrupt program header: segment 1"},
        {overlap, "corrupt program headers: segments overlap or are not in order"},
        {out_of_order, "corrupt program headers: segments overlap or are not in order"},
        {truncated, "truncated: segment 1 ends behind the file's 6656 bytes"},
        {offset_wraps, "truncated: segment 1 ends behind the file's 12288 bytes"},
        {linker_unended, "corrupt name of the interpreter (PT_INTERP)"},
        {linker_long, "corrupt name of the interpreter (PT_INTERP)"},
        {linker_empty, "corrupt name of the interpreter (PT_INTERP)"},
        {linker_behind_file, "corrupt name of the interpreter (PT_INTERP)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct program f;
        struct elf_file elf;
        struct err e;
        fill(&f);
        cases[i].damage(&f);
        assert_int_equal(read_back(&f, &elf, &e), -ENOEXEC);
        assert_string_equal(e.text, cases[i].says);
    }
}

/* --- scripts ---------------------------------------------------------------------------------- */

static void test_scripts(void **state)
{
    static const struct {
        const char *line, *interpreter, *argument;
    } good[] = {
        {"#!/bin/sh\n", "/bin/sh", ""},
        {"#! /bin/sh  -e  -x \t\nrest", "/bin/sh", "-e  -x"},
        {"#!\t/usr/bin/env\tpython3\n", "/usr/bin/env", "python3"},
        {"#!/bin/sh", "/bin/sh", ""}, /* the file ends */
        {"#!sh\n", "sh", ""},
    };
    static const char *const bad[] = {"#!\n", "#!   \n", "#", "x!/bin/sh\n"};
    struct script s;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_int_equal(script_parse(good[i].line, strlen(good[i].line), &s), 0);
        assert_string_equal(s.interpreter, good[i].interpreter);
        assert_string_equal(s.argument, good[i].argument);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(script_parse(bad[i], strlen(bad[i]), &s), -ENOEXEC);

    char line[400] = "#!/bin/sh ";
    memset(line + 10, 'a', sizeof(line) - 10); /* the argument is cut off: fine */
    assert_int_equal(script_parse(line, sizeof(line), &s), 0);
    assert_string_equal(s.interpreter, "/bin/sh");
    memset(line + 2, 'a', sizeof(line) - 2); /* the name is: not fine */
    assert_int_equal(script_parse(line, sizeof(line), &s), -ENOEXEC);
}

static void test_script_arguments(void **state)
{
    struct script s = {"/bin/sh", "-e"};
    char *argv[] = {"name", "one", "two", NULL};
    char **list = script_argv(&s, "/path/script", argv);
    static const char *const expected[] = {"/bin/sh", "-e", "/path/script", "one", "two"};
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_string_equal(list[i], expected[i]);
    assert_null(list[ARRAY_SIZE(expected)]);
    free(list);
    s.argument[0] = 0;
    argv[1] = NULL;
    list = script_argv(&s, "/path/script", argv);
    assert_string_equal(list[1], "/path/script");
    assert_null(list[2]);
    free(list);
}

/* --- ranges ----------------------------------------------------------------------------------- */

/* Against a table of pages. */
static void test_ranges(void **state)
{
    enum { PAGES = 200, STEPS = 20000 };
    static struct ranges set;
    static bool model[PAGES];
    uint32_t seed = 1;
    ranges_init(&set);
    for (int i = 0; i < STEPS; i++) {
        seed = seed * 1664525 + 1013904223;
        uint64_t start = (seed >> 8) % PAGES, end = start + (seed >> 20) % 9;
        end = end > PAGES ? PAGES : end;
        bool add = seed >> 31;
        for (uint64_t p = start; p < end; p++)
            model[p] = add;
        (add ? ranges_add : ranges_remove)(&set, start, end);
        uint64_t at = (seed >> 4) % PAGES, s, e;
        assert_int_equal(ranges_contain(&set, at, at + 1), model[at]);
        assert_int_equal(ranges_touch(&set, at, at + 1), model[at]);
        if (ranges_next(&set, at, &s, &e)) {
            assert_true(e > at && s < e && model[s] && model[e - 1]);
            assert_true(s == 0 || s <= at || !model[s - 1]);
            assert_true(e == PAGES || !model[e]);
        }
    }
    for (uint64_t p = 1; p < set.count; p++)
        assert_true(set.list[p - 1].end < set.list[p].start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_forms),
        cmocka_unit_test(test_damaged), cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_ranges),  cmocka_unit_test(test_script_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
