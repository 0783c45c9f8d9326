/* p9_wire.h: the fields of 9P messages: little-endian numbers and counted strings.
 *
 * A reader that runs past the end turns bad and gives zeroes; a writer that runs past the end turns
 * full and drops the rest. Both are asked once, at the end.
 */
#ifndef PENG_CORE_DEVICE_VIRTIO_P9_WIRE_H
#define PENG_CORE_DEVICE_VIRTIO_P9_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum { P9_NAME_MAX = 255, P9_QID_BYTES = 13 };

struct p9_reader {
    const uint8_t *next, *end;
    bool bad;
};

struct p9_writer {
    uint8_t *start, *next, *end;
    bool full;
};

/* Section 5 of the 9P manual's intro: type, version and path of a file. */
struct p9_qid {
    uint8_t type;
    uint32_t version;
    uint64_t path;
};

static inline uint64_t p9_get(struct p9_reader *in, unsigned size_bytes)
{
    if (in->bad || (size_t)(in->end - in->next) < size_bytes) {
        in->bad = true;
        return 0;
    }
    uint64_t value = load_le(in->next, size_bytes);
    in->next += size_bytes;
    return value;
}

static inline uint32_t p9_get32(struct p9_reader *in)
{
    return (uint32_t)p9_get(in, 4);
}

static inline uint64_t p9_get64(struct p9_reader *in)
{
    return p9_get(in, 8);
}

/* A string of at most room - 1 bytes without NUL, terminated; 0, -EINVAL or -ENAMETOOLONG. */
int p9_get_string(struct p9_reader *in, char *out, size_t room);
/* As that, for the name of a directory entry. */
static inline int p9_get_name(struct p9_reader *in, char out[P9_NAME_MAX + 1])
{
    return p9_get_string(in, out, P9_NAME_MAX + 1);
}

/* Room for `size_bytes` at the end, or NULL. */
uint8_t *p9_reserve(struct p9_writer *out, size_t size_bytes);
void p9_put(struct p9_writer *out, unsigned size_bytes, uint64_t value);
void p9_put_string(struct p9_writer *out, const char *text, size_t size_bytes);
void p9_put_qid(struct p9_writer *out, const struct p9_qid *qid);

static inline size_t p9_room(const struct p9_writer *out)
{
    return out->full ? 0 : (size_t)(out->end - out->next);
}

#endif
