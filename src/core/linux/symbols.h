/* symbols.h: names of functions in program files, for --profile.
 *
 * Source: System V ABI, chapters 4 and 5.
 */
#ifndef PENG_CORE_LINUX_SYMBOLS_H
#define PENG_CORE_LINUX_SYMBOLS_H

#include <stdint.h>

struct symbols;

/* The functions of an ELF file, from its .symtab and .dynsym. NULL: it cannot be read, is none, or
 * names none. */
struct symbols *symbols_read(const char *path);
void symbols_free(struct symbols *symbols);

/* The function that has the byte at `offset` of the file, and how far into it that is; NULL: none
 * does. The name belongs to `symbols`. */
const char *symbols_find(const struct symbols *symbols, uint64_t offset, uint64_t *ret_into);

#endif
