/* p9_wire.c: see p9_wire.h. */
#include "core/device/virtio/p9_wire.h"

#include <errno.h>
#include <string.h>

int p9_get_string(struct p9_reader *in, char *out, size_t room)
{
    size_t size = (size_t)p9_get(in, 2);
    if (in->bad || (size_t)(in->end - in->next) < size) {
        in->bad = true;
        return -EINVAL;
    }
    const uint8_t *text = in->next;
    in->next += size;
    if (size >= room)
        return -ENAMETOOLONG;
    if (memchr(text, 0, size))
        return -EINVAL;
    memcpy(out, text, size);
    out[size] = 0;
    return 0;
}

uint8_t *p9_reserve(struct p9_writer *out, size_t size_bytes)
{
    if (p9_room(out) < size_bytes) {
        out->full = true;
        return NULL;
    }
    uint8_t *p = out->next;
    out->next += size_bytes;
    return p;
}

void p9_put(struct p9_writer *out, unsigned size_bytes, uint64_t value)
{
    uint8_t *p = p9_reserve(out, size_bytes);
    if (p)
        store_le(p, size_bytes, value);
}

void p9_put_string(struct p9_writer *out, const char *text, size_t size_bytes)
{
    uint8_t *p = p9_reserve(out, 2 + size_bytes);
    if (p) {
        store_le(p, 2, size_bytes);
        memcpy(p + 2, text, size_bytes);
    }
}

void p9_put_qid(struct p9_writer *out, const struct p9_qid *qid)
{
    p9_put(out, 1, qid->type);
    p9_put(out, 4, qid->version);
    p9_put(out, 8, qid->path);
}
