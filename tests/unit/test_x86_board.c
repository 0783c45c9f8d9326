/* test_x86_board.c: what the x86_64 board is made of: kernels as files, the boot block, ACPI tables
 * (with ACPICA's iasl as the oracle), the serial port and the power management registers.
 */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/acpi_pm.h"
#include "core/device/uart16550.h"
#include "core/machine/acpi.h"
#include "core/machine/x86_int.h"

enum { FILE_BYTES = 8192, CPUS = 3 };

/* --- kernels -----------------------------------------------------------------------------------
 */

static struct image make_image(const void *data, size_t size_bytes)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size_bytes), size_bytes);
    return (struct image){fd, size_bytes};
}

static int check(const void *data, size_t size_bytes, struct x86_kernel *kernel, struct err *e)
{
    struct image image = make_image(data, size_bytes);
    int rc = image_check_x86(&image, "k", kernel, e);
    image_close(&image);
    return rc;
}

static void fill_bzimage(uint8_t data[FILE_BYTES])
{
    memset(data, 0, FILE_BYTES);
    data[0x1f1] = 3;
    data[0x201] = 0x6a;
    memcpy(data + 0x202, "HdrS", 4);
    store_le(data + 0x206, 2, 0x20f);
    data[0x211] = 1;
    store_le(data + 0x22c, 4, 0x7fffffff);
    store_le(data + 0x236, 2, 0x3f);
    store_le(data + 0x238, 4, 2047);
    store_le(data + 0x258, 8, 0x1000000);
    store_le(data + 0x260, 4, 0x300000);
}

static void bzimage_headers(void **state)
{
    uint8_t data[FILE_BYTES];
    struct x86_kernel k;
    struct err e = {0};
    fill_bzimage(data);
    assert_int_equal(check(data, FILE_BYTES, &k, &e), 0);
    assert_false(k.pvh);
    assert_int_equal(k.entry, 0x1000200);
    assert_int_equal(k.base, 0x1000000);
    assert_int_equal(k.payload_at, 4 * 512);
    assert_int_equal(k.memory_bytes, 0x300000);
    assert_int_equal(k.initrd_max, 0x7fffffff);
    assert_int_equal(k.setup_bytes, 0x26c - 0x1f1);

    store_le(data + 0x236, 2, 0); /* a 32-bit kernel */
    assert_int_equal(check(data, FILE_BYTES, &k, &e), -ENOEXEC);
    assert_non_null(strstr(e.text, "64-bit entry"));
    fill_bzimage(data);
    data[0x1f1] = 200; /* the payload would begin behind the end */
    assert_int_equal(check(data, FILE_BYTES, &k, &e), -ENOEXEC);
    fill_bzimage(data);
    store_le(data + 0x260, 4, 16); /* less memory than the file has */
    assert_int_equal(check(data, FILE_BYTES, &k, &e), -ENOEXEC);
    assert_int_equal(check(data, 100, &k, &e), -ENOEXEC);
    memset(data, 0, sizeof(data));
    assert_int_equal(check(data, FILE_BYTES, &k, &e), -ENOEXEC);
}

struct elf_kernel {
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[2];
    struct {
        Elf64_Nhdr head;
        char name[4];
        uint32_t entry;
    } note;
    uint8_t code[64];
};

static struct elf_kernel make_elf(void)
{
    struct elf_kernel k = {
        .ehdr = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
                 .e_machine = EM_X86_64,
                 .e_phoff = sizeof(Elf64_Ehdr),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .phdr = {{.p_type = PT_NOTE,
                  .p_offset = offsetof(struct elf_kernel, note),
                  .p_filesz = 20,
                  .p_memsz = 20},
                 {.p_type = PT_LOAD,
                  .p_offset = offsetof(struct elf_kernel, code),
                  .p_paddr = 0x200000,
                  .p_filesz = 64,
                  .p_memsz = 0x5000}},
        .note = {.head = {4, 4, 18}, .name = "Xen", .entry = 0x200010},
    };
    memset(k.code, 0x90, sizeof(k.code));
    return k;
}

static void pvh_kernels(void **state)
{
    union {
        struct elf_kernel elf;
        uint8_t bytes[FILE_BYTES];
    } file = {.elf = make_elf()};
    struct x86_kernel k;
    struct err e = {0};
    assert_int_equal(check(&file, FILE_BYTES, &k, &e), 0);
    assert_true(k.pvh);
    assert_int_equal(k.entry, 0x200010);
    assert_int_equal(k.base, 0x200000);
    assert_int_equal(k.memory_bytes, 0x5000);

    struct guestmem mem;
    guestmem_init(&mem, (struct guestmem_mmio){0});
    assert_int_equal(guestmem_add_ram(&mem, 0, 4 << 20, false, &e), 0);
    assert_int_equal((uintptr_t)guestmem_ptr(&mem, 0, 1, true) % (2 << 20), 0); /* huge pages fit */
    struct image image = make_image(&file, FILE_BYTES);
    assert_int_equal(image_load_x86(&image, &k, &mem, &e), 0);
    image_close(&image);
    assert_memory_equal(guestmem_ptr(&mem, 0x200000, 64, false), file.elf.code, 64);
    guestmem_done(&mem);

    file.elf.phdr[1].p_paddr = UINT64_MAX - 16; /* wraps */
    assert_int_equal(check(&file, FILE_BYTES, &k, &e), -ENOEXEC);
    file.elf = make_elf();
    file.elf.note.head.n_type = 6;
    assert_int_equal(check(&file, FILE_BYTES, &k, &e), -ENOEXEC);
    assert_non_null(strstr(e.text, "PVH"));
    file.elf = make_elf();
    file.elf.note.entry = 0x300000; /* outside */
    assert_int_equal(check(&file, FILE_BYTES, &k, &e), -ENOEXEC);
    file.elf = make_elf();
    file.elf.note.head.n_namesz = UINT32_MAX;
    assert_int_equal(check(&file, FILE_BYTES, &k, &e), -ENOEXEC);
    file.elf = make_elf();
    file.elf.ehdr.e_phoff = UINT64_MAX - 8;
    assert_int_equal(check(&file, FILE_BYTES, &k, &e), -ENOEXEC);
}

/* --- a machine without an engine: memory and a configuration -------------------------------------
 */

struct rig {
    struct machine machine;
    struct x86 x86;
};

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->machine.board_state = &rig->x86;
    rig->machine.config =
        (struct machine_config){.cpus = CPUS, .memory_bytes = 64 << 20, .append = "console=ttyS0"};
    rig->x86.pci = x86_pci_map(&rig->machine.config);
    guestmem_init(&rig->machine.mem, (struct guestmem_mmio){0});
    assert_int_equal(guestmem_add_ram(&rig->machine.mem, 0, 64 << 20, false, NULL), 0);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    guestmem_done(&rig->machine.mem);
    free(rig);
    return 0;
}

static uint64_t guest(const struct rig *rig, uint64_t address, unsigned size_bytes)
{
    const void *p = guestmem_ptr(&rig->machine.mem, address, size_bytes, false);
    assert_non_null(p);
    return load_le(p, size_bytes);
}

static void the_zero_page(void **state)
{
    struct rig *rig = *state;
    uint8_t data[FILE_BYTES];
    struct err e = {0};
    struct engine_start start = {0};
    fill_bzimage(data);
    memset(data + 2048, 0xc3, FILE_BYTES - 2048);
    rig->x86.kernel = make_image(data, FILE_BYTES);
    rig->x86.initrd = make_image("initrd", 6);
    assert_int_equal(image_check_x86(&rig->x86.kernel, "k", &rig->x86.kernel_header, &e), 0);
    if (x86_boot(&rig->machine, &start, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(start.pc, 0x1000200);
    assert_int_equal(start.argument, X86_ZERO_PAGE);
    assert_int_equal(guest(rig, start.pc, 1), 0xc3);
    uint64_t initrd = guest(rig, X86_ZERO_PAGE + 0x218, 4);
    assert_int_equal(guest(rig, X86_ZERO_PAGE + 0x21c, 4), 6);
    assert_memory_equal(guestmem_ptr(&rig->machine.mem, initrd, 6, false), "initrd", 6);
    assert_string_equal(
        guestmem_ptr(&rig->machine.mem, guest(rig, X86_ZERO_PAGE + 0x228, 4), 16, false),
        "console=ttyS0");
    /* The tables map the entry one to one: PML4, directory pointers, a page of 2 MiB. */
    uint64_t pointers = guest(rig, start.page_table, 8) & ~0xfffull;
    uint64_t directory = guest(rig, pointers + 3 * 8, 8) & ~0xfffull;
    assert_int_equal(guest(rig, directory + 511 * 8, 8), 0xffe00000 | 0x83);

    rig->machine.config.memory_bytes = 16 << 20;
    guestmem_done(&rig->machine.mem);
    assert_int_equal(guestmem_add_ram(&rig->machine.mem, 0, 16 << 20, false, NULL), 0);
    assert_int_equal(x86_boot(&rig->machine, &start, &e), -ENOMEM);
    assert_non_null(strstr(e.text, "--memory"));
    image_close(&rig->x86.kernel);
    image_close(&rig->x86.initrd);
}

/* --- ACPI --------------------------------------------------------------------------------------
 */

static unsigned sum(const struct rig *rig, uint64_t address, uint64_t size_bytes)
{
    const uint8_t *p = guestmem_ptr(&rig->machine.mem, address, size_bytes, false);
    unsigned total = 0;
    assert_non_null(p);
    for (uint64_t i = 0; i < size_bytes; i++)
        total += p[i];
    return total & 0xff;
}

/* Disassembles a table and, if it is code, compiles it again. */
static void ask_iasl(const struct rig *rig, const char *directory, uint64_t table)
{
    char path[256], command[1024], name[5] = "";
    uint64_t size_bytes = guest(rig, table + 4, 4);
    const void *bytes = guestmem_ptr(&rig->machine.mem, table, size_bytes, false);
    assert_non_null(bytes);
    store_le((uint8_t *)name, 4, guest(rig, table, 4));
    bool code = strcmp(name, "DSDT") == 0;
    snprintf(path, sizeof(path), "%s/%s.dat", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    fclose(file);
    snprintf(command, sizeof(command),
             "cd %s && iasl -d %s.dat >log 2>&1 && ! grep -iE 'error|invalid|truncat|warning' "
             "log %s.dsl",
             directory, name, name);
    assert_int_equal(system(command), 0);
    if (!code)
        return;
    snprintf(command, sizeof(command),
             "cd %s && iasl -p again DSDT.dsl >log 2>&1; grep -q ' 0 Errors, 0 Warnings' log || "
             "{ cat log; false; } && grep -q 'Name (_S5, Package (0x04)' DSDT.dsl && "
             "grep -q '\"PNP0A08\"' DSDT.dsl && grep -q 'PNP0501' DSDT.dsl && "
             "grep -q 'PNP0B00' DSDT.dsl",
             directory);
    assert_int_equal(system(command), 0);
}

static void acpi_tables(void **state)
{
    struct rig *rig = *state;
    struct err e = {0};
    assert_int_equal(x86_acpi_make(&rig->machine, &e), 0);
    assert_memory_equal(guestmem_ptr(&rig->machine.mem, X86_ACPI, 8, false), "RSD PTR ", 8);
    assert_int_equal(sum(rig, X86_ACPI, 20), 0);
    assert_int_equal(sum(rig, X86_ACPI, 36), 0);
    uint64_t xsdt = guest(rig, X86_ACPI + 24, 8);
    assert_memory_equal(guestmem_ptr(&rig->machine.mem, xsdt, 4, false), "XSDT", 4);
    uint64_t count = (guest(rig, xsdt + 4, 4) - 36) / 8;
    assert_int_equal(count, 3);

    char directory[] = "/tmp/peng-acpi-XXXXXX", command[64];
    bool has_iasl = system("command -v iasl >/dev/null") == 0;
    assert_non_null(mkdtemp(directory));
    uint64_t tables[8] = {xsdt};
    for (uint64_t i = 0; i < count; i++)
        tables[i + 1] = guest(rig, xsdt + 36 + 8 * i, 8);
    tables[count + 1] = guest(rig, tables[1] + 140, 8); /* FADT's X_DSDT */
    assert_int_equal(guest(rig, tables[1] + 40, 4), tables[count + 1]);
    assert_int_equal(guest(rig, tables[1] + 4, 4), 276);
    for (uint64_t i = 0; i < count + 2; i++) {
        assert_int_equal(sum(rig, tables[i], guest(rig, tables[i] + 4, 4)), 0);
        if (has_iasl)
            ask_iasl(rig, directory, tables[i]);
    }
    if (!has_iasl)
        print_message("no iasl (acpica-tools): the tables' contents were not looked at\n");
    snprintf(command, sizeof(command), "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

/* Does what the script says, as firmware would, and compares with tables made for that place. */
static void tables_placed_by_firmware(void **state)
{
    struct rig *rig = *state;
    struct err e = {0};
    const uint64_t place = 0x123000;
    rig->machine.config.firmware = "firmware";
    rig->x86.pci = x86_pci_map(&rig->machine.config);
    assert_int_equal(fw_cfg_new(&rig->machine.mem, &rig->x86.firmware.fw_cfg, &e), 0);
    assert_int_equal(x86_firmware_add_tables(&rig->machine, &e), 0);
    rig->x86.pci.ecam.base = 0xe0000000; /* firmware put it there */
    x86_firmware_renew(&rig->machine);
    const struct x86_files *files = &rig->x86.files;
    uint8_t *blob = guestmem_ptr(&rig->machine.mem, place, files->tables_bytes, true);
    memcpy(blob, files->tables, files->tables_bytes);
    assert_int_equal(files->script_bytes % 128, 0);
    for (const uint8_t *p = files->script; p < files->script + files->script_bytes; p += 128) {
        assert_string_equal((const char *)p + 4, "etc/acpi/tables");
        uint64_t command = load_le(p, 4), at = load_le(p + 60, 4), start = load_le(p + 64, 4);
        if (command == 2) {
            assert_string_equal((const char *)p + 60, "etc/acpi/tables");
            uint8_t *pointer = blob + load_le(p + 116, 4);
            assert_true(load_le(pointer, p[120]) < files->tables_bytes);
            store_le(pointer, p[120], load_le(pointer, p[120]) + place);
        } else if (command == 3) {
            blob[at] = (uint8_t)-sum(rig, place + start, load_le(p + 68, 4));
        } else {
            assert_ptr_equal(p, files->script);
            assert_int_equal(command, 1);
        }
    }
    uint8_t wanted[0x10000];
    struct acpi a = {.bytes = wanted, .capacity = sizeof(wanted), .address = place};
    x86_acpi_put(&rig->machine, &a);
    assert_int_equal(a.needed, files->tables_bytes);
    assert_memory_equal(blob, wanted, a.needed);
    x86_firmware_done(&rig->x86);
}

static void integers_and_lengths_of_aml(void **state)
{
    uint8_t bytes[64];
    struct acpi a = {.bytes = bytes, .capacity = sizeof(bytes)};
    aml_integer(&a, 0);
    aml_integer(&a, 1);
    aml_integer(&a, 0xff);
    aml_integer(&a, 0x100);
    aml_integer(&a, 0x10000);
    aml_integer(&a, 0x100000000);
    static const uint8_t wanted[] = {0, 1,    0x0a, 0xff, 0x0b, 0, 1, 0x0c, 0, 0, 1,
                                     0, 0x0e, 0,    0,    0,    0, 1, 0,    0, 0};
    assert_int_equal(a.needed, sizeof(wanted));
    assert_memory_equal(bytes, wanted, sizeof(wanted));
    acpi_zeros(&a, 100); /* beyond the end: counted, not written */
    assert_int_equal(a.needed, sizeof(wanted) + 100);
    a.needed = 0;
    aml_name_eisa(&a, "_HID", "PNP0A03"); /* as every DSDT of a PC has it */
    static const uint8_t hid[] = {0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x03};
    assert_memory_equal(bytes, hid, sizeof(hid));
}

/* --- the serial port ---------------------------------------------------------------------------
 */

struct port {
    struct evloop *loop;
    struct uart16550 *uart;
    struct chardev_front front;
    char out[64];
    size_t out_bytes;
    unsigned resumed;
    bool irq;
};

static void back_write(void *ctx, const void *data, size_t size_bytes)
{
    struct port *p = ctx;
    assert_true(p->out_bytes + size_bytes <= sizeof(p->out));
    memcpy(p->out + p->out_bytes, data, size_bytes);
    p->out_bytes += size_bytes;
}

static void back_attach(void *ctx, struct chardev_front front)
{
    ((struct port *)ctx)->front = front;
}

static void back_resume(void *ctx)
{
    ((struct port *)ctx)->resumed++;
}

static void on_irq(void *ctx, unsigned number, bool level)
{
    ((struct port *)ctx)->irq = level;
}

static int port_setup(void **state)
{
    struct port *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    assert_int_equal(evloop_new(&p->loop, NULL), 0);
    const struct uart16550_config config = {
        p->loop, {on_irq, p, 4}, {p, back_write, back_attach, back_resume}};
    assert_int_equal(uart16550_new(&config, &p->uart, NULL), 0);
    *state = p;
    return 0;
}

static int port_teardown(void **state)
{
    struct port *p = *state;
    uart16550_free(p->uart);
    evloop_free(p->loop);
    free(p);
    return 0;
}

static uint8_t in(struct port *p, unsigned reg)
{
    return (uint8_t)uart16550_ops.read(p->uart, reg, 1);
}

static void out(struct port *p, unsigned reg, uint8_t value)
{
    uart16550_ops.write(p->uart, reg, 1, value);
}

static void serial_output(void **state)
{
    struct port *p = *state;
    out(p, 3, 0x83); /* DLAB: the divisor, not bytes */
    out(p, 0, 1);
    out(p, 1, 2);
    assert_int_equal(in(p, 0) | in(p, 1) << 8, 0x201);
    out(p, 3, 3);
    for (const char *c = "hello\n"; *c; c++) {
        assert_int_equal(in(p, 5) & 0x60, 0x60);
        out(p, 0, (uint8_t)*c);
    }
    assert_int_equal(p->out_bytes, 6);
    assert_memory_equal(p->out, "hello\n", 6);
    assert_false(p->irq);
    out(p, 1, 2); /* the transmit interrupt: at once, until IIR is read */
    assert_true(p->irq);
    assert_int_equal(in(p, 2), 2);
    assert_false(p->irq);
    out(p, 0, 'x');
    assert_true(p->irq);
}

static void serial_input(void **state)
{
    struct port *p = *state;
    static const char text[] = "0123456789abcdefgh";
    out(p, 2, 1);
    out(p, 1, 1);
    assert_int_equal(p->front.receive(p->front.ctx, text, 18), 16);
    assert_true(p->irq);
    assert_int_equal(in(p, 2), 0xc4);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(in(p, 5) & 1, 1);
        assert_int_equal(in(p, 0), text[i]);
    }
    assert_int_equal(in(p, 5) & 1, 0);
    assert_false(p->irq);
    assert_int_equal(p->resumed, 1);
    out(p, 2, 0); /* without FIFOs there is room for one */
    assert_int_equal(p->front.receive(p->front.ctx, text, 18), 1);
    out(p, 2, 3);
    assert_int_equal(in(p, 5) & 1, 0);
}

static void serial_loopback(void **state)
{
    struct port *p = *state;
    out(p, 4, 0x1a); /* how Linux looks for a port */
    assert_int_equal(in(p, 6) & 0xf0, 0x90);
    out(p, 0, 'z');
    assert_int_equal(in(p, 0), 'z');
    assert_int_equal(p->out_bytes, 0);
    out(p, 7, 0x5a);
    assert_int_equal(in(p, 7), 0x5a);
    uart16550_reset(p->uart);
    assert_int_equal(in(p, 4) | in(p, 7), 0);
}

/* --- power management --------------------------------------------------------------------------
 */

struct power {
    bool sci;
    unsigned offs, resets;
};

static void on_sci(void *ctx, unsigned number, bool level)
{
    ((struct power *)ctx)->sci = level;
}

static void count_off(void *ctx)
{
    ((struct power *)ctx)->offs++;
}

static void count_reset(void *ctx)
{
    ((struct power *)ctx)->resets++;
}

static void power_management(void **state)
{
    struct power power = {0};
    const struct acpi_pm_config config = {
        .sci = {on_sci, &power, 9}, .ctx = &power, .power_off = count_off, .reset = count_reset};
    struct acpi_pm *pm = acpi_pm_new(&config);
    assert_int_equal(acpi_pm_ops.read(pm, 4, 2) & 1, 1); /* SCI_EN */
    acpi_pm_press_power(pm);
    assert_false(power.sci);
    acpi_pm_ops.write(pm, 2, 2, 1 << 8);
    assert_true(power.sci);
    assert_int_equal(acpi_pm_ops.read(pm, 0, 2), 1 << 8);
    acpi_pm_ops.write(pm, 4, 2, 1); /* another register leaves the status alone */
    assert_true(power.sci);
    acpi_pm_ops.write(pm, 0, 2, 1 << 8);
    assert_false(power.sci);
    acpi_pm_ops.write(pm, 4, 2, 5 << 10); /* no SLP_EN */
    acpi_pm_ops.write(pm, 4, 2, 1 << 13);
    assert_int_equal(power.offs, 0);
    acpi_pm_ops.write(pm, 4, 2, 1 << 13 | 5 << 10);
    assert_int_equal(power.offs, 1);
    i8042_ops.write(pm, 0, 1, 0xd1);
    assert_int_equal(power.resets, 0);
    i8042_ops.write(pm, 0, 1, 0xfe);
    assert_int_equal(power.resets, 1);
    acpi_pm_free(pm);
    struct acpi_pm_config with_firmware = config;
    with_firmware.type_0_is_off = true;
    pm = acpi_pm_new(&with_firmware);
    acpi_pm_ops.write(pm, 4, 2, 1 << 13 | 1 << 10);
    assert_int_equal(power.offs, 1);
    acpi_pm_ops.write(pm, 4, 2, 1 << 13);
    assert_int_equal(power.offs, 2);
    uint64_t before = acpi_pm_ops.read(pm, 8, 4);
    usleep(2000); /* at least 7159 ticks of 3.58 MHz */
    uint64_t ticks = (acpi_pm_ops.read(pm, 8, 4) - before) & 0xffffffff;
    assert_in_range(ticks, 7000, 36000000);
    acpi_pm_free(pm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bzimage_headers),
        cmocka_unit_test(pvh_kernels),
        cmocka_unit_test_setup_teardown(the_zero_page, setup, teardown),
        cmocka_unit_test_setup_teardown(acpi_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_placed_by_firmware, setup, teardown),
        cmocka_unit_test(integers_and_lengths_of_aml),
        cmocka_unit_test_setup_teardown(serial_output, port_setup, port_teardown),
        cmocka_unit_test_setup_teardown(serial_input, port_setup, port_teardown),
        cmocka_unit_test_setup_teardown(serial_loopback, port_setup, port_teardown),
        cmocka_unit_test(power_management),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
