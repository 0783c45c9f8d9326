/* core_int.h: a core file in the making.
 */
#ifndef PENG_CORE_LINUX_CORE_INT_H
#define PENG_CORE_LINUX_CORE_INT_H

#include "core/linux/linux_int.h"

/* One mapping of the guest's, as /proc/self/smaps describes it. */
struct core_mapping {
    uint64_t start, end, offset, inode;
    char rights[5];
    bool dumped;      /* its contents are in the file */
    bool header_only; /* of that, the first page alone: it starts an ELF file */
    char name[256];   /* its file's, empty: none */
};

/* Bytes that grow. Where memory ends they are `failed` for good. */
struct core_bytes {
    uint8_t *data;
    size_t size, room;
    bool failed;
};

/* `data` NULL: zeros. */
void core_bytes_add(struct core_bytes *b, const void *data, size_t size_bytes);
void core_bytes_free(struct core_bytes *b);

enum { CORE_NAME_BYTES = 4096 };

/* What the file is to be called; false: none is wanted. */
bool core_name(struct linux_thread *t, int signal, char out[CORE_NAME_BYTES]);

/* The PT_NOTE segment: the process, then its threads, the one that dies first. */
void core_notes(struct core_bytes *b, struct linux_thread *dying, const siginfo_t *info,
                const struct core_mapping *mappings, size_t mapping_count);

#endif
