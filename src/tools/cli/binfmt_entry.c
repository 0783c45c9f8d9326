/* binfmt_entry.c: handlers of binfmt_misc as the kernel shows them, and as they are registered.
 *
 * The kernel shows a handler as lines ("interpreter PATH", "magic HEX" ...) and takes one as a line
 * of fields between delimiters, the delimiter being its first character, with \xHH in magic and
 * mask. systemd's binfmt.d holds such lines, and comments. Only handlers by magic matter here: no
 * handler by extension can take an arm64 program that has no such name.
 *
 * Source: Linux, fs/binfmt_misc.c (create_entry, entry_status); binfmt.d(5).
 */
#include "tools/cli/binfmt_entry.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* An arm64 program's first bytes: ELF, 64 bits, little-endian, any version of the System V ABI's
 * padding; ET_EXEC or ET_DYN; EM_AARCH64. The mask is the one that distributions register with: it
 * leaves EI_OSABI open. */
enum { HEADER_BYTES = 20, HEADER_TYPE = 16, TYPE_EXEC = 2, TYPE_DYN = 3 };
static const uint8_t arm64_magic[HEADER_BYTES] = {
    0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, TYPE_EXEC, 0, 0xb7, 0,
};
static const uint8_t arm64_mask[HEADER_BYTES] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff,
};

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

/* Hexadecimal digits up to the end or a line's end; the count of bytes, or -1. */
static int read_hex(const char *text, uint8_t bytes[BINFMT_MAGIC_MAX])
{
    int count = 0;
    for (; *text && *text != '\n'; text += 2, count++) {
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0 || count == BINFMT_MAGIC_MAX)
            return -1;
        bytes[count] = (uint8_t)(high << 4 | low);
    }
    return count;
}

/* Characters and \xHH of [text, text + length); the count of bytes, or -1. */
static int read_escaped(const char *text, size_t length, uint8_t bytes[BINFMT_MAGIC_MAX])
{
    int count = 0;
    for (size_t i = 0; i < length; count++) {
        if (count == BINFMT_MAGIC_MAX)
            return -1;
        if (length - i >= 4 && text[i] == '\\' && text[i + 1] == 'x') {
            int high = hex_digit(text[i + 2]), low = hex_digit(text[i + 3]);
            if (high < 0 || low < 0)
                return -1;
            bytes[count] = (uint8_t)(high << 4 | low);
            i += 4;
        } else {
            bytes[count] = (uint8_t)text[i++];
        }
    }
    return count;
}

/* The rest of the line in `text` that begins with `key`, copied; false where there is none. */
static bool find_line(const char *text, const char *key, char *value, size_t size_bytes)
{
    size_t key_length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += line != text;
        if (strncmp(line, key, key_length) != 0)
            continue;
        size_t length = strcspn(line + key_length, "\n");
        if (length >= size_bytes)
            return false;
        memcpy(value, line + key_length, length);
        value[length] = '\0';
        return true;
    }
    return false;
}

bool binfmt_entry_from_kernel(struct binfmt_entry *entry, const char *name, const char *text)
{
    char number[16], hex[2 * BINFMT_MAGIC_MAX + 1];
    *entry = (struct binfmt_entry){.enabled = strncmp(text, "enabled", 7) == 0};
    if (strlen(name) > BINFMT_NAME_MAX)
        return false;
    strcpy(entry->name, name);
    if (!find_line(text, "interpreter ", entry->interpreter, sizeof(entry->interpreter)) ||
        !find_line(text, "flags: ", entry->flags, sizeof(entry->flags)) ||
        !find_line(text, "offset ", number, sizeof(number)) ||
        !find_line(text, "magic ", hex, sizeof(hex)))
        return false;
    entry->offset = (unsigned)strtoul(number, NULL, 10);
    int count = read_hex(hex, entry->magic);
    if (count <= 0 || entry->offset > BINFMT_MAGIC_MAX)
        return false;
    entry->magic_bytes = (unsigned)count;
    memset(entry->mask, 0xff, sizeof(entry->mask));
    return !find_line(text, "mask ", hex, sizeof(hex)) || read_hex(hex, entry->mask) == count;
}

bool binfmt_entry_from_line(struct binfmt_entry *entry, const char *line)
{
    enum { NAME, TYPE, OFFSET, MAGIC, MASK, INTERPRETER, FLAGS, FIELDS };
    const char *field[FIELDS];
    size_t length[FIELDS];
    char delimiter = line[0];
    *entry = (struct binfmt_entry){.enabled = true};
    if (delimiter == '\0' || strchr("#;\n", delimiter) || strlen(line) > BINFMT_LINE_MAX)
        return false;
    const char *at = line;
    for (unsigned i = 0; i < FIELDS; i++) {
        if (*at != delimiter)
            return false;
        field[i] = ++at;
        for (; *at && *at != '\n' && *at != delimiter; at++) {
        }
        length[i] = (size_t)(at - field[i]);
    }
    if (length[NAME] == 0 || length[NAME] > BINFMT_NAME_MAX || length[TYPE] != 1 ||
        *field[TYPE] != 'M' || length[INTERPRETER] == 0 || length[FLAGS] >= sizeof(entry->flags))
        return false;
    memcpy(entry->name, field[NAME], length[NAME]);
    memcpy(entry->interpreter, field[INTERPRETER], length[INTERPRETER]);
    memcpy(entry->flags, field[FLAGS], length[FLAGS]);
    unsigned long offset = strtoul(field[OFFSET], NULL, 10); /* empty: 0 */
    int count = read_escaped(field[MAGIC], length[MAGIC], entry->magic);
    if (count <= 0 || offset > BINFMT_MAGIC_MAX)
        return false;
    entry->offset = (unsigned)offset;
    entry->magic_bytes = (unsigned)count;
    memset(entry->mask, 0xff, sizeof(entry->mask));
    return length[MASK] == 0 || read_escaped(field[MASK], length[MASK], entry->mask) == count;
}

bool binfmt_entry_line(const struct binfmt_entry *entry, char line[BINFMT_LINE_MAX + 1])
{
    char *text = NULL;
    size_t size_bytes = 0;
    FILE *out = open_memstream(&text, &size_bytes);
    if (!out)
        abort();
    fprintf(out, ":%s:M:", entry->name);
    if (entry->offset)
        fprintf(out, "%u", entry->offset);
    const uint8_t *parts[] = {entry->magic, entry->mask};
    for (size_t part = 0; part < ARRAY_SIZE(parts); part++) {
        fputc(':', out);
        for (unsigned i = 0; i < entry->magic_bytes; i++)
            fprintf(out, "\\x%02x", parts[part][i]);
    }
    fprintf(out, ":%s:%s", entry->interpreter, entry->flags);
    fclose(out);
    bool fits = size_bytes <= BINFMT_LINE_MAX;
    if (fits)
        memcpy(line, text, size_bytes + 1);
    free(text);
    return fits;
}

bool binfmt_entry_takes_arm64(const struct binfmt_entry *entry)
{
    for (uint8_t type = TYPE_EXEC; type <= TYPE_DYN; type++) {
        bool takes = true;
        for (unsigned i = 0; takes && i < entry->magic_bytes; i++) {
            unsigned at = entry->offset + i;
            uint8_t byte = at == HEADER_TYPE ? type : at < HEADER_BYTES ? arm64_magic[at] : 0;
            /* What lies behind the header's known part differs between programs. */
            takes = at >= HEADER_BYTES || !((byte ^ entry->magic[i]) & entry->mask[i]);
        }
        if (takes)
            return true;
    }
    return false;
}

void binfmt_entry_ours(struct binfmt_entry *entry, const char *interpreter)
{
    *entry = (struct binfmt_entry){
        .name = "peng-arm64", .flags = "POCF", .enabled = true, .magic_bytes = HEADER_BYTES};
    snprintf(entry->interpreter, sizeof(entry->interpreter), "%s", interpreter);
    memcpy(entry->magic, arm64_magic, HEADER_BYTES);
    memcpy(entry->mask, arm64_mask, HEADER_BYTES);
}
