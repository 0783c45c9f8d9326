/* fuzz_elf.c: files that claim to be arm64 programs, their symbols, and first lines of scripts.
 *
 * What is accepted must be numbers that a loader can map without looking again: segments inside the
 * file, in order, below the end of addresses. Everything else must give one line of error.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/linux/elf_file.h"
#include "core/linux/script.h"
#include "core/linux/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct elf_file *f, size_t size)
{
    uint64_t last = 0;
    assert(f->load_count > 0 && f->load_count <= f->phdr_count && f->phdr_count <= ELF_PHDRS_MAX);
    assert((f->align & (f->align - 1)) == 0 && f->align >= 4096);
    assert(f->start % 4096 == 0 && f->end % 4096 == 0 && f->start < f->end);
    for (unsigned i = 0; i < f->load_count; i++) {
        const struct elf_load *l = &f->loads[i];
        assert(l->memory_bytes && l->file_bytes <= l->memory_bytes);
        assert(l->offset <= size && l->file_bytes <= size - l->offset);
        assert(l->address >= last && l->address + l->memory_bytes <= 1ull << 47);
        assert((l->address ^ l->offset) % 4096 == 0);
        last = l->address + l->memory_bytes;
    }
    assert(f->end >= last && strnlen(f->interpreter, ELF_INTERPRETER_MAX) < ELF_INTERPRETER_MAX);
}

static void check_symbols(int fd, size_t size)
{
    char path[40];
    uint64_t into;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct symbols *symbols = symbols_read(path);
    for (size_t at = 0; symbols && at < size; at += 1 + size / 64) {
        const char *name = symbols_find(symbols, at, &into);
        assert(!name || (strlen(name) < size && into <= at));
    }
    symbols_free(symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_file f = {0};
    struct script s;
    struct err e = {0};
    if (script_parse((const char *)data, size, &s) == 0)
        assert(s.interpreter[0] && !strchr(s.interpreter, '\n'));
    int fd = memfd_create("fuzz-elf", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, data, size) == (ssize_t)size) {
        if (elf_read(fd, size, data, size < 1024 ? size : 1024, &f, &e) == 0)
            check(&f, size);
        else
            assert(e.text[0] && !strchr(e.text, '\n'));
        elf_free(&f);
        check_symbols(fd, size);
    }
    close(fd);
    return 0;
}
