/* gdb_packet.h: framing of GDB's remote serial protocol: bytes in, packets out, and back.
 *
 * Source: "Debugging with GDB", appendix E (Remote Protocol), section Overview. `$data#cc`, with cc
 * the sum of data's bytes; `}` escapes the byte behind it by 0x20; 0x03 outside of a packet is
 * Ctrl-C.
 */
#ifndef PENG_INTERFACE_GDB_PACKET_H
#define PENG_INTERFACE_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GDB_PACKET_MAX = 16384 }; /* of data, as told to gdb by PacketSize */

enum gdb_input {
    GDB_INPUT_NONE,      /* the byte completed nothing */
    GDB_INPUT_PACKET,    /* data[0 .. length) is a packet with a right checksum */
    GDB_INPUT_BAD,       /* a packet with a wrong checksum, or too long: ask for it again */
    GDB_INPUT_INTERRUPT, /* Ctrl-C */
    GDB_INPUT_RESEND,    /* gdb did not understand our last packet */
};

struct gdb_reader {
    enum { GDB_IDLE, GDB_DATA, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW } state;
    uint8_t sum, claimed;
    bool bad;
    size_t length;
    char data[GDB_PACKET_MAX + 1]; /* unescaped, and ended by a zero */
};

/* Takes one byte. What a packet holds is valid until the next byte. */
enum gdb_input gdb_reader_byte(struct gdb_reader *r, uint8_t byte);

/* A packet being written: data first, then gdb_reply_finish(). What does not fit is dropped and
 * marks the reply as overflowed; it then finishes as an error reply. */
struct gdb_reply {
    size_t length;
    bool overflow;
    char data[GDB_PACKET_MAX + 8];
};

void gdb_reply_begin(struct gdb_reply *reply);
void gdb_reply_text(struct gdb_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gdb_reply_hex(struct gdb_reply *reply, const void *bytes, size_t size_bytes);
/* Raw bytes, escaped where they must be. */
void gdb_reply_binary(struct gdb_reply *reply, const void *bytes, size_t size_bytes);
/* Completes the frame; data[0 .. length) is what goes over the wire. */
void gdb_reply_finish(struct gdb_reply *reply);

/* Hexadecimal text to a number: advances *text over the digits; false without a digit, or with more
 * than 16. */
bool gdb_parse_hex(const char **text, uint64_t *ret);
/* 2 * size_bytes digits to bytes; false where others stand there. Advances *text. */
bool gdb_parse_bytes(const char **text, void *bytes, size_t size_bytes);

#endif
