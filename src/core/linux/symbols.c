/* symbols.c: both symbol tables of a file as one array, sorted by where functions lie in the file.
 *
 * The file is the guest's: whatever it says is checked against what was read. Limits: a table of
 * more than TABLE_BYTES_MAX is left out; of several names of one function the first is taken.
 */
#include "core/linux/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLE_BYTES_MAX = 64 << 20, HEADERS_MAX = 4096, LOADS_MAX = 16 };

struct symbol {
    uint64_t offset, bytes; /* in the file */
    const char *name;
};

struct symbols {
    struct symbol *list;
    size_t count;
    char *names[2]; /* of .symtab and .dynsym */
    Elf64_Phdr loads[LOADS_MAX];
    unsigned load_count;
};

/* `bytes` of the file in memory of its own, with a zero behind; NULL where it has not as many. */
static void *read_part(int fd, uint64_t offset, uint64_t bytes)
{
    if (bytes > TABLE_BYTES_MAX)
        return NULL;
    char *data = malloc(bytes + 1);
    if (data && pread(fd, data, bytes, (off_t)offset) != (ssize_t)bytes) {
        free(data);
        return NULL;
    }
    if (data)
        data[bytes] = '\0';
    return data;
}

static void read_loads(struct symbols *s, int fd, const Elf64_Ehdr *eh)
{
    Elf64_Phdr *headers = read_part(fd, eh->e_phoff, eh->e_phnum * sizeof(*headers));
    for (unsigned i = 0; headers && i < eh->e_phnum && s->load_count < LOADS_MAX; i++)
        if (headers[i].p_type == PT_LOAD && headers[i].p_flags & PF_X)
            s->loads[s->load_count++] = headers[i];
    free(headers);
}

/* Where the file has what is at this address. */
static bool offset_of(const struct symbols *s, uint64_t address, uint64_t *ret_offset)
{
    for (unsigned i = 0; i < s->load_count; i++) {
        const Elf64_Phdr *load = &s->loads[i];
        if (address - load->p_vaddr >= load->p_filesz)
            continue;
        *ret_offset = address - load->p_vaddr + load->p_offset;
        return true;
    }
    return false;
}

static void add_symbols(struct symbols *s, const Elf64_Sym *table, size_t count, const char *names,
                        uint64_t names_bytes)
{
    if (count == 0)
        return; /* realloc() to nothing frees */
    struct symbol *list = realloc(s->list, (s->count + count) * sizeof(*list));
    if (!list)
        return;
    s->list = list;
    for (size_t i = 0; i < count; i++) {
        uint64_t offset;
        if (ELF64_ST_TYPE(table[i].st_info) != STT_FUNC || table[i].st_name >= names_bytes ||
            !offset_of(s, table[i].st_value, &offset))
            continue;
        list[s->count++] = (struct symbol){offset, table[i].st_size, names + table[i].st_name};
    }
}

static void read_tables(struct symbols *s, int fd, const Elf64_Shdr *headers, unsigned count)
{
    unsigned tables = 0;
    for (unsigned i = 0; i < count && tables < 2; i++) {
        const Elf64_Shdr *sh = &headers[i];
        if ((sh->sh_type != SHT_SYMTAB && sh->sh_type != SHT_DYNSYM) || sh->sh_link >= count)
            continue;
        const Elf64_Shdr *strings = &headers[sh->sh_link];
        Elf64_Sym *table = read_part(fd, sh->sh_offset, sh->sh_size);
        char *names = s->names[tables++] = read_part(fd, strings->sh_offset, strings->sh_size);
        if (table && names)
            add_symbols(s, table, sh->sh_size / sizeof(*table), names, strings->sh_size);
        free(table);
    }
}

static int by_offset(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void read_file(struct symbols *s, int fd)
{
    Elf64_Ehdr eh;
    if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
        eh.e_machine != EM_AARCH64 || eh.e_shnum > HEADERS_MAX || eh.e_phnum > HEADERS_MAX)
        return;
    read_loads(s, fd, &eh);
    Elf64_Shdr *headers = read_part(fd, eh.e_shoff, eh.e_shnum * sizeof(*headers));
    if (headers)
        read_tables(s, fd, headers, eh.e_shnum);
    free(headers);
    if (s->count)
        qsort(s->list, s->count, sizeof(*s->list), by_offset);
}

struct symbols *symbols_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct symbols *s = fd < 0 ? NULL : calloc(1, sizeof(*s));
    if (s)
        read_file(s, fd);
    if (fd >= 0)
        close(fd);
    if (s && s->count)
        return s;
    symbols_free(s);
    return NULL;
}

void symbols_free(struct symbols *s)
{
    if (!s)
        return;
    free(s->names[0]);
    free(s->names[1]);
    free(s->list);
    free(s);
}

const char *symbols_find(const struct symbols *s, uint64_t offset, uint64_t *ret_into)
{
    enum { NEAR = 8 }; /* functions nested in others, or of size 0, lie between */
    size_t low = 0, high = s->count;
    while (low < high) { /* the first that starts behind it */
        size_t middle = (low + high) / 2;
        if (s->list[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i-- > 0 && low - i <= NEAR;) {
        const struct symbol *f = &s->list[i];
        if (offset - f->offset >= (f->bytes ? f->bytes : 1))
            continue;
        while (i > 0 && s->list[i - 1].offset == f->offset && s->list[i - 1].bytes == f->bytes)
            f = &s->list[--i];
        *ret_into = offset - f->offset;
        return f->name;
    }
    return NULL;
}
