/* elf_file.h: what a Linux arm64 program file says about itself, checked.
 *
 * Source: System V ABI, chapters 4 and 5; ELF for the Arm 64-bit architecture (IHI 0056); Linux
 * 6.1, fs/binfmt_elf.c.
 */
#ifndef PENG_CORE_LINUX_ELF_FILE_H
#define PENG_CORE_LINUX_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* As many program headers as the kernel takes: they fill no more than 64 KiB. */
enum { ELF_PHDRS_MAX = 65536 / 56, ELF_INTERPRETER_MAX = 4096 };

/* One PT_LOAD. */
struct elf_load {
    uint64_t address, memory_bytes; /* memory_bytes > 0; address + memory_bytes < 2^47 */
    uint64_t offset, file_bytes;    /* inside the file; congruent with address modulo 4096 */
    bool read, write, execute;
};

struct elf_file {
    bool relocatable; /* ET_DYN: may lie anywhere */
    uint64_t entry;
    uint64_t phdrs; /* address of the program headers as AT_PHDR wants it, 0: not in memory */
    unsigned phdr_count;
    uint64_t start, end;   /* span of the loads, whole pages */
    uint64_t align;        /* largest of the loads, a power of two, at least a page */
    bool stack_executable; /* PT_GNU_STACK says so */
    char interpreter[ELF_INTERPRETER_MAX]; /* PT_INTERP, empty: none */
    unsigned load_count;
    struct elf_load *loads; /* ascending, disjoint; elf_free() */
};

/* What the first bytes of a file say it is, for exec. */
enum elf_kind { ELF_NOT, ELF_ARM64, ELF_FOREIGN };
enum elf_kind elf_kind(const void *head, size_t head_bytes);

/* Reads and checks `fd`, `file_bytes` long, whose first bytes are in `head`. Errors, with a text
 * that does not name the file: ENOEXEC (not an arm64 program, or corrupt), EIO and the like,
 * ENOMEM. */
int elf_read(int fd, uint64_t file_bytes, const void *head, size_t head_bytes,
             struct elf_file *ret_file, struct err *e);
void elf_free(struct elf_file *file);

#endif
