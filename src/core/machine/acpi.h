/* acpi.h: builds ACPI tables and AML (ACPI 6.5, chapters 5 and 20).
 *
 * Everything is appended to one buffer, which becomes a piece of guest memory: a caller notes where
 * a table began and has its address. Things that enclose others are opened and closed.
 */
#ifndef PENG_CORE_MACHINE_ACPI_H
#define PENG_CORE_MACHINE_ACPI_H

#include <stddef.h>
#include <stdint.h>

/* What is left to whoever places the tables: pointers, which are offsets in the buffer for now, and
 * checksums, which are zero. In the order in which it must be done. */
enum { ACPI_LINKS_MAX = 32 };
struct acpi_link {
    uint32_t at;        /* the pointer, or the checksum's byte */
    uint8_t size_bytes; /* of the pointer; 0: a checksum */
    uint32_t sum_start, sum_bytes;
};
struct acpi_links {
    struct acpi_link links[ACPI_LINKS_MAX];
    unsigned count;
};

/* Appends while there is room; `needed` goes on counting, so that one check at the end finds an
 * overflow. */
struct acpi {
    uint8_t *bytes; /* borrowed */
    size_t capacity, needed;
    uint64_t
        address; /* guest-physical, of bytes[0]; 0: not known yet, so that pointers are offsets */
    struct acpi_links *links; /* filled in where it is not NULL; borrowed */
};

void acpi_bytes(struct acpi *a, const void *data, size_t size);
void acpi_int(struct acpi *a, unsigned size_bytes, uint64_t value);
/* The address of something in the same buffer. */
void acpi_pointer(struct acpi *a, unsigned size_bytes, uint64_t value);
void acpi_zeros(struct acpi *a, size_t size);
void acpi_align(struct acpi *a, size_t to);
/* The guest-physical address of what is appended next. */
uint64_t acpi_here(const struct acpi *a);
/* Sets the byte at `sum_at` so that [start, start + size) sums to zero. Offsets in the buffer. */
void acpi_checksum(struct acpi *a, size_t start, size_t size, size_t sum_at);

/* A table's 36-byte header; returns what acpi_table_end() wants, which fills in length and
 * checksum. */
size_t acpi_table(struct acpi *a, const char signature[4], uint8_t revision);
void acpi_table_end(struct acpi *a, size_t table);
/* Generic address structure (5.2.3.2) of an I/O port. */
void acpi_port(struct acpi *a, uint64_t port, unsigned size_bytes);

/* --- AML --- */

/* Closes what aml_device(), aml_scope() and aml_package() opened. */
void aml_close(struct acpi *a, size_t opened);
size_t aml_device(struct acpi *a, const char name[4]);
size_t aml_scope(struct acpi *a, const char *root_path); /* as "_SB_", below the root */
size_t aml_package(struct acpi *a, uint8_t elements);
/* NameOp and the name: the object comes next. */
void aml_name(struct acpi *a, const char name[4]);
void aml_integer(struct acpi *a, uint64_t value);
void aml_name_integer(struct acpi *a, const char name[4], uint64_t value);
/* Name (_HID, EisaId (id)): "PNP0501". */
void aml_name_eisa(struct acpi *a, const char name[4], const char *id);

/* Name (name, ResourceTemplate () {...}): resources between the two. */
struct aml_resources {
    size_t buffer, size_at, start;
};
struct aml_resources aml_resources(struct acpi *a, const char name[4]);
void aml_resources_end(struct acpi *a, const struct aml_resources *r);
void aml_io(struct acpi *a, uint16_t port, uint8_t size);
void aml_irq(struct acpi *a, unsigned line); /* an ISA interrupt: edge, active high */
void aml_memory32(struct acpi *a, uint32_t address, uint32_t size);
/* What a bridge passes on. */
enum aml_window { AML_WINDOW_MEMORY = 0, AML_WINDOW_IO = 1, AML_WINDOW_BUSES = 2 };
void aml_window(struct acpi *a, enum aml_window kind, uint64_t base, uint64_t size);

#endif
