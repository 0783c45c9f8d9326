/* gdb_packet.c: a state machine that is fed byte by byte, so that it makes no difference how TCP
 * cuts the stream, and bounded buffers on both sides.
 *
 * Limits: run-length encoding is not sent, and gdb does not send it.
 */
#include "interface/gdb_packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { INTERRUPT = 0x03, ESCAPE = '}', ESCAPE_XOR = 0x20 };

static const char hex_digits[] = "0123456789abcdef";

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static enum gdb_input idle_byte(struct gdb_reader *r, uint8_t byte)
{
    switch (byte) {
    case '$':
        r->state = GDB_DATA;
        r->length = 0;
        r->sum = 0;
        r->bad = false;
        return GDB_INPUT_NONE;
    case INTERRUPT:
        return GDB_INPUT_INTERRUPT;
    case '-':
        return GDB_INPUT_RESEND;
    default: /* acknowledgements, and noise between packets */
        return GDB_INPUT_NONE;
    }
}

static void add_data(struct gdb_reader *r, uint8_t byte)
{
    if (r->length == GDB_PACKET_MAX)
        r->bad = true;
    else
        r->data[r->length++] = (char)byte;
}

static void data_byte(struct gdb_reader *r, uint8_t byte)
{
    if (byte == '#') {
        r->state = GDB_SUM_HIGH;
        return;
    }
    r->sum = (uint8_t)(r->sum + byte);
    if (byte == ESCAPE)
        r->state = GDB_ESCAPED;
    else
        add_data(r, byte);
}

enum gdb_input gdb_reader_byte(struct gdb_reader *r, uint8_t byte)
{
    switch (r->state) {
    case GDB_IDLE:
        return idle_byte(r, byte);
    case GDB_DATA:
        data_byte(r, byte);
        return GDB_INPUT_NONE;
    case GDB_ESCAPED:
        r->sum = (uint8_t)(r->sum + byte);
        add_data(r, byte ^ ESCAPE_XOR);
        r->state = GDB_DATA;
        return GDB_INPUT_NONE;
    case GDB_SUM_HIGH:
        r->bad |= hex_value((char)byte) < 0;
        r->claimed = (uint8_t)(hex_value((char)byte) << 4);
        r->state = GDB_SUM_LOW;
        return GDB_INPUT_NONE;
    case GDB_SUM_LOW:
        break;
    }
    r->bad |= hex_value((char)byte) < 0;
    r->claimed |= (uint8_t)(hex_value((char)byte) & 15);
    r->state = GDB_IDLE;
    r->data[r->length] = 0;
    return r->bad || r->claimed != r->sum ? GDB_INPUT_BAD : GDB_INPUT_PACKET;
}

void gdb_reply_begin(struct gdb_reply *reply)
{
    reply->data[0] = '$';
    reply->length = 1;
    reply->overflow = false;
}

/* Room for `size_bytes` more, or NULL. */
static char *reserve(struct gdb_reply *reply, size_t size_bytes)
{
    if (reply->overflow || size_bytes > GDB_PACKET_MAX - reply->length) {
        reply->overflow = true;
        return NULL;
    }
    char *at = reply->data + reply->length;
    reply->length += size_bytes;
    return at;
}

void gdb_reply_text(struct gdb_reply *reply, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text) {
        reply->overflow = true;
        return;
    }
    char *at = reserve(reply, (size_t)length);
    if (at)
        memcpy(at, text, (size_t)length);
}

void gdb_reply_hex(struct gdb_reply *reply, const void *bytes, size_t size_bytes)
{
    const uint8_t *from = bytes;
    char *at = size_bytes > GDB_PACKET_MAX ? NULL : reserve(reply, size_bytes * 2);
    if (!at) {
        reply->overflow = true;
        return;
    }
    for (size_t i = 0; i < size_bytes; i++) {
        *at++ = hex_digits[from[i] >> 4];
        *at++ = hex_digits[from[i] & 15];
    }
}

void gdb_reply_binary(struct gdb_reply *reply, const void *bytes, size_t size_bytes)
{
    const uint8_t *from = bytes;
    for (size_t i = 0; i < size_bytes; i++) {
        bool special = from[i] && strchr("#$}*", from[i]);
        char *at = reserve(reply, special ? 2 : 1);
        if (!at)
            return;
        if (special)
            *at++ = ESCAPE;
        *at = (char)(special ? from[i] ^ ESCAPE_XOR : from[i]);
    }
}

void gdb_reply_finish(struct gdb_reply *reply)
{
    uint8_t sum = 0;
    if (reply->overflow) {
        gdb_reply_begin(reply);
        gdb_reply_text(reply, "E07"); /* E2BIG */
    }
    for (size_t i = 1; i < reply->length; i++)
        sum = (uint8_t)(sum + (uint8_t)reply->data[i]);
    reply->data[reply->length++] = '#';
    reply->data[reply->length++] = hex_digits[sum >> 4];
    reply->data[reply->length++] = hex_digits[sum & 15];
}

bool gdb_parse_hex(const char **text, uint64_t *ret)
{
    uint64_t value = 0;
    unsigned digits = 0;
    for (; hex_value(**text) >= 0; ++*text, digits++)
        value = value << 4 | (uint64_t)hex_value(**text);
    if (digits == 0 || digits > 16)
        return false;
    *ret = value;
    return true;
}

bool gdb_parse_bytes(const char **text, void *bytes, size_t size_bytes)
{
    uint8_t *to = bytes;
    for (size_t i = 0; i < size_bytes; i++) {
        int high = hex_value((*text)[0]), low = high < 0 ? -1 : hex_value((*text)[1]);
        if (low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
        *text += 2;
    }
    return true;
}
