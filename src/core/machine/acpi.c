/* acpi.c: a writer of ACPI tables and of as much AML as a board without methods needs: names,
 * packages, devices and resource templates.
 *
 * Lengths of AML packages (20.2.4) are always written in three bytes, whatever they turn out to be,
 * so that they can be filled in when the package is closed without moving what is inside.
 */
#include "core/machine/acpi.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

enum {
    NAME_OP = 0x08,
    BYTE_PREFIX = 0x0a,
    WORD_PREFIX = 0x0b,
    DWORD_PREFIX = 0x0c,
    QWORD_PREFIX = 0x0e,
    SCOPE_OP = 0x10,
    BUFFER_OP = 0x11,
    PACKAGE_OP = 0x12,
    DEVICE_OP = 0x5b82,
    PKG_LENGTH_BYTES = 3,
    HEADER_BYTES = 36,
};

/* --- bytes and tables --------------------------------------------------------------------------
 */

void acpi_bytes(struct acpi *a, const void *data, size_t size)
{
    if (a->needed + size <= a->capacity)
        memcpy(a->bytes + a->needed, data, size);
    a->needed += size;
}

void acpi_int(struct acpi *a, unsigned size_bytes, uint64_t value)
{
    uint8_t bytes[8];
    store_le(bytes, 8, value);
    acpi_bytes(a, bytes, size_bytes);
}

static void add_link(struct acpi *a, const struct acpi_link *link)
{
    if (!a->links)
        return;
    assert(a->links->count < ACPI_LINKS_MAX);
    a->links->links[a->links->count++] = *link;
}

void acpi_pointer(struct acpi *a, unsigned size_bytes, uint64_t value)
{
    add_link(a, &(struct acpi_link){.at = (uint32_t)a->needed, .size_bytes = (uint8_t)size_bytes});
    acpi_int(a, size_bytes, value);
}

void acpi_zeros(struct acpi *a, size_t size)
{
    for (size_t i = 0; i < size; i++)
        acpi_int(a, 1, 0);
}

void acpi_align(struct acpi *a, size_t to)
{
    acpi_zeros(a, align_up(a->needed, to) - a->needed);
}

uint64_t acpi_here(const struct acpi *a)
{
    return a->address + a->needed;
}

/* Overwrites what was appended before. */
static void patch(struct acpi *a, size_t at, unsigned size_bytes, uint64_t value)
{
    if (at + size_bytes <= a->capacity)
        store_le(a->bytes + at, size_bytes, value);
}

void acpi_checksum(struct acpi *a, size_t start, size_t size, size_t sum_at)
{
    add_link(a, &(struct acpi_link){(uint32_t)sum_at, 0, (uint32_t)start, (uint32_t)size});
    patch(a, sum_at, 1, 0);
    if (a->links || start + size > a->capacity)
        return;
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + a->bytes[start + i]);
    a->bytes[sum_at] = (uint8_t)-sum;
}

size_t acpi_table(struct acpi *a, const char signature[4], uint8_t revision)
{
    acpi_align(a, 16);
    size_t table = a->needed;
    acpi_bytes(a, signature, 4);
    acpi_int(a, 4, 0); /* length */
    acpi_int(a, 1, revision);
    acpi_int(a, 1, 0); /* checksum */
    acpi_bytes(a, "PENG  ", 6);
    acpi_bytes(a, "PENGVIRT", 8);
    acpi_int(a, 4, 1);
    acpi_bytes(a, "PENG", 4); /* who made the table */
    acpi_int(a, 4, 1);
    assert(a->needed - table == HEADER_BYTES);
    return table;
}

void acpi_table_end(struct acpi *a, size_t table)
{
    patch(a, table + 4, 4, a->needed - table);
    acpi_checksum(a, table, a->needed - table, table + 9);
}

void acpi_port(struct acpi *a, uint64_t port, unsigned size_bytes)
{
    unsigned access = 1; /* 1: bytes, 2: words, 3: double words */
    while (1u << (access - 1) < size_bytes)
        access++;
    acpi_int(a, 1, 1); /* system I/O */
    acpi_int(a, 1, size_bytes * 8);
    acpi_int(a, 1, 0);
    acpi_int(a, 1, access);
    acpi_int(a, 8, port);
}

/* --- AML ---------------------------------------------------------------------------------------
 */

/* An op that has a length: opened with its op bytes (at most two), closed by aml_close(). */
static size_t aml_open(struct acpi *a, unsigned op)
{
    if (op > 0xff)
        acpi_int(a, 1, op >> 8);
    acpi_int(a, 1, op & 0xff);
    size_t opened = a->needed;
    acpi_zeros(a, PKG_LENGTH_BYTES);
    return opened;
}

void aml_close(struct acpi *a, size_t opened)
{
    size_t length = a->needed - opened; /* counts itself */
    assert(length < 1u << 20);
    patch(a, opened, 1, 0x80 | (length & 0xf)); /* two bytes follow */
    patch(a, opened + 1, 2, length >> 4);
}

size_t aml_device(struct acpi *a, const char name[4])
{
    size_t opened = aml_open(a, DEVICE_OP);
    acpi_bytes(a, name, 4);
    return opened;
}

size_t aml_scope(struct acpi *a, const char *root_path)
{
    size_t opened = aml_open(a, SCOPE_OP);
    acpi_bytes(a, "\\", 1);
    acpi_bytes(a, root_path, strlen(root_path));
    return opened;
}

size_t aml_package(struct acpi *a, uint8_t elements)
{
    size_t opened = aml_open(a, PACKAGE_OP);
    acpi_int(a, 1, elements);
    return opened;
}

void aml_name(struct acpi *a, const char name[4])
{
    acpi_int(a, 1, NAME_OP);
    acpi_bytes(a, name, 4);
}

void aml_integer(struct acpi *a, uint64_t value)
{
    static const struct {
        uint8_t prefix, size_bytes;
    } forms[] = {{BYTE_PREFIX, 1}, {WORD_PREFIX, 2}, {DWORD_PREFIX, 4}, {QWORD_PREFIX, 8}};
    if (value <= 1) { /* ZeroOp, OneOp */
        acpi_int(a, 1, value);
        return;
    }
    unsigned i = 0;
    while (i < 3 && value >> 8 * forms[i].size_bytes)
        i++;
    acpi_int(a, 1, forms[i].prefix);
    acpi_int(a, forms[i].size_bytes, value);
}

void aml_name_integer(struct acpi *a, const char name[4], uint64_t value)
{
    aml_name(a, name);
    aml_integer(a, value);
}

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A' + 10);
}

/* 19.3.4: three letters of five bits, four hexadecimal digits, big-endian. */
void aml_name_eisa(struct acpi *a, const char name[4], const char *id)
{
    assert(strlen(id) == 7);
    unsigned letters = 0, digits = 0;
    for (unsigned i = 0; i < 3; i++)
        letters = letters << 5 | (unsigned)(id[i] - 'A' + 1);
    for (unsigned i = 3; i < 7; i++)
        digits = digits << 4 | hex_digit(id[i]);
    aml_name(a, name);
    acpi_int(a, 1, DWORD_PREFIX);
    acpi_int(a, 4, __builtin_bswap32(letters << 16 | digits));
}

/* --- resources (6.4) ---------------------------------------------------------------------------
 */

struct aml_resources aml_resources(struct acpi *a, const char name[4])
{
    struct aml_resources r;
    aml_name(a, name);
    r.buffer = aml_open(a, BUFFER_OP);
    acpi_int(a, 1, WORD_PREFIX);
    r.size_at = a->needed;
    acpi_int(a, 2, 0);
    r.start = a->needed;
    return r;
}

void aml_resources_end(struct acpi *a, const struct aml_resources *r)
{
    acpi_int(a, 2, 0x79); /* end tag; a checksum of zero stands for any */
    patch(a, r->size_at, 2, a->needed - r->start);
    aml_close(a, r->buffer);
}

void aml_io(struct acpi *a, uint16_t port, uint8_t size)
{
    acpi_int(a, 1, 0x47);
    acpi_int(a, 1, 1); /* decodes 16 bits */
    acpi_int(a, 2, port);
    acpi_int(a, 2, port);
    acpi_int(a, 1, 1);
    acpi_int(a, 1, size);
}

void aml_irq(struct acpi *a, unsigned line)
{
    acpi_int(a, 1, 0x22);
    acpi_int(a, 2, 1u << line);
}

void aml_memory32(struct acpi *a, uint32_t address, uint32_t size)
{
    acpi_int(a, 1, 0x86);
    acpi_int(a, 2, 9);
    acpi_int(a, 1, 1); /* can be written */
    acpi_int(a, 4, address);
    acpi_int(a, 4, size);
}

/* Address space descriptors of the smallest width that holds the window. */
void aml_window(struct acpi *a, enum aml_window kind, uint64_t base, uint64_t size)
{
    static const struct {
        uint8_t tag, width;
    } forms[] = {{0x88, 2}, {0x87, 4}, {0x8a, 8}};
    static const uint8_t flags[] = {
        [AML_WINDOW_MEMORY] = 1, /* can be written */
        [AML_WINDOW_IO] = 3,     /* the whole range */
        [AML_WINDOW_BUSES] = 0,
    };
    unsigned form = kind == AML_WINDOW_MEMORY ? 1 : 0;
    if ((base + size - 1) >> 32)
        form = 2;
    unsigned width = forms[form].width;
    acpi_int(a, 1, forms[form].tag);
    acpi_int(a, 2, 3 + 5 * width);
    acpi_int(a, 1, kind);
    acpi_int(a, 1, 0xc); /* minimum and maximum are fixed; the bridge passes it on */
    acpi_int(a, 1, flags[kind]);
    acpi_int(a, width, 0); /* granularity */
    acpi_int(a, width, base);
    acpi_int(a, width, base + size - 1);
    acpi_int(a, width, 0); /* translation */
    acpi_int(a, width, size);
}
