/* test_gdb_session.c: packets of a debugger against a target made up of two threads: what is asked
 * of the target, and what is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interface/gdb_session.h"

enum { FIRST = 100, SECOND = 200, MEMORY_AT = 0x1000, MEMORY_BYTES = 64 };

struct rig {
    struct gdb_session session;
    struct gdb_action actions[GDB_ACTIONS_MAX];
    unsigned action_count;
    uint64_t passed, breakpoint;
    uint64_t x0[2];
    uint8_t memory[MEMORY_BYTES];
    bool killed, answered_before_kill;
    size_t sent_bytes;
    char sent[GDB_PACKET_MAX + 16];
};

static unsigned threads(void *ctx, uint32_t *ret_threads, unsigned max)
{
    const uint32_t all[] = {FIRST, SECOND};
    unsigned n = max < 2 ? max : 2;
    memcpy(ret_threads, all, n * sizeof(all[0]));
    return n;
}

static void name(void *ctx, uint32_t thread, char *text, size_t size_bytes)
{
    snprintf(text, size_bytes, "t%u", thread);
}

static bool read_reg(void *ctx, uint32_t thread, unsigned number, void *value)
{
    struct rig *rig = ctx;
    memset(value, 0, gdb_arm64.reg_size(number));
    if (number == GDB_REG_X0)
        memcpy(value, &rig->x0[thread == SECOND], 8);
    return true;
}

static bool write_reg(void *ctx, uint32_t thread, unsigned number, const void *value)
{
    struct rig *rig = ctx;
    if (number == GDB_REG_X0)
        memcpy(&rig->x0[thread == SECOND], value, 8);
    return number == GDB_REG_X0;
}

static bool access_memory(void *ctx, uint32_t thread, uint64_t va, void *data, size_t bytes,
                          bool write)
{
    struct rig *rig = ctx;
    uint8_t *at = rig->memory + (va - MEMORY_AT);
    if (va < MEMORY_AT || va - MEMORY_AT > MEMORY_BYTES || bytes > MEMORY_BYTES - (va - MEMORY_AT))
        return false;
    memcpy(write ? at : data, write ? data : at, bytes);
    return true;
}

static bool breakpoint(void *ctx, uint64_t va, bool set)
{
    ((struct rig *)ctx)->breakpoint = set ? va : 0;
    return true;
}

static void resume(void *ctx, const struct gdb_action *actions, unsigned count)
{
    struct rig *rig = ctx;
    memcpy(rig->actions, actions, count * sizeof(actions[0]));
    rig->action_count = count;
}

static void interrupt(void *ctx)
{
}

static void kill_target(void *ctx)
{
    struct rig *rig = ctx;
    rig->killed = true;
    rig->answered_before_kill = rig->sent_bytes > 1;
}

static bool object(void *ctx, const char *what, const char *annex, uint64_t offset, void *data,
                   size_t *size_bytes)
{
    static const char text[] = "0123456789";
    if (strcmp(what, "auxv") != 0 || annex[0])
        return false;
    size_t left = offset < 10 ? 10 - offset : 0;
    *size_bytes = *size_bytes < left ? *size_bytes : left;
    memcpy(data, text + 10 - left, *size_bytes);
    return true;
}

static int open_file(void *ctx, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void pass_signals(void *ctx, const uint64_t signals[GDB_PASS_WORDS])
{
    ((struct rig *)ctx)->passed = signals[0];
}

static void on_send(void *ctx, const char *bytes, size_t length)
{
    struct rig *rig = ctx;
    assert_true(rig->sent_bytes + length < sizeof(rig->sent));
    memcpy(rig->sent + rig->sent_bytes, bytes, length);
    rig->sent_bytes += length;
    rig->sent[rig->sent_bytes] = 0;
}

/* Sends a packet; returns what was answered to it, without frame. "" where there is no answer. */
static const char *ask(struct rig *rig, const char *text)
{
    char packet[512];
    uint8_t sum = 0;
    for (const char *c = text; *c; c++)
        sum = (uint8_t)(sum + (uint8_t)*c);
    int length = snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
    rig->sent_bytes = 0;
    gdb_session_input(&rig->session, (const uint8_t *)packet, (size_t)length, on_send, rig);
    assert_int_equal(rig->sent[0], '+');
    if (rig->sent_bytes == 1)
        return "";
    assert_int_equal(rig->sent[1], '$');
    *strrchr(rig->sent, '#') = 0;
    return rig->sent + 2;
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    const struct gdb_target target = {.ctx = rig,
                                      .arch = &gdb_arm64,
                                      .spawned = true,
                                      .threads = threads,
                                      .name = name,
                                      .read_reg = read_reg,
                                      .write_reg = write_reg,
                                      .memory = access_memory,
                                      .breakpoint = breakpoint,
                                      .resume = resume,
                                      .interrupt = interrupt,
                                      .kill = kill_target,
                                      .object = object,
                                      .objects = "qXfer:auxv:read+",
                                      .open = open_file,
                                      .pass_signals = pass_signals};
    gdb_session_init(&rig->session, &target);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    gdb_session_done(&rig->session);
    free(rig);
    return 0;
}

static void test_threads(void **state)
{
    struct rig *rig = *state;
    assert_string_equal(ask(rig, "?"), "T05thread:64;");
    assert_string_equal(ask(rig, "qfThreadInfo"), "m64,c8");
    assert_string_equal(ask(rig, "qsThreadInfo"), "l");
    assert_string_equal(ask(rig, "qThreadExtraInfo,c8"), "74323030"); /* t200 */
    assert_string_equal(ask(rig, "Tc8"), "OK");
    assert_string_equal(ask(rig, "Tc9"), "E01");
    assert_string_equal(ask(rig, "Hgc8"), "OK");
    assert_string_equal(ask(rig, "qC"), "QCc8");
    assert_string_equal(ask(rig, "qAttached"), "0");
}

static void test_registers_and_memory(void **state)
{
    struct rig *rig = *state;
    assert_string_equal(ask(rig, "Hgc8"), "OK");
    assert_string_equal(ask(rig, "P0=0807060504030201"), "OK");
    assert_int_equal(rig->x0[1], 0x0102030405060708);
    assert_string_equal(ask(rig, "p0"), "0807060504030201");
    assert_string_equal(ask(rig, "P20=0000000000000000"), "E01");
    assert_string_equal(ask(rig, "M1004,2:abcd"), "OK");
    assert_string_equal(ask(rig, "m1003,4"), "00abcd00");
    assert_string_equal(ask(rig, "m2000,4"), "E0e");
    assert_string_equal(ask(rig, "Z0,1008,4"), "OK");
    assert_int_equal(rig->breakpoint, 0x1008);
    assert_string_equal(ask(rig, "z0,1008,4"), "OK");
    assert_int_equal(rig->breakpoint, 0);
    assert_string_equal(ask(rig, "Z2,1008,4"), "");
}

static void stop(struct rig *rig, uint32_t thread, unsigned signal)
{
    rig->sent_bytes = 0;
    gdb_session_stopped(&rig->session, thread, signal, on_send, rig);
}

static void test_going_on(void **state)
{
    struct rig *rig = *state;
    assert_string_equal(ask(rig, "vCont?"), "vCont;c;C;s;S");
    assert_string_equal(ask(rig, "vCont;S0f:c8;c"), "");
    assert_int_equal(rig->action_count, 2);
    assert_int_equal(rig->actions[0].thread, SECOND);
    assert_true(rig->actions[0].step);
    assert_int_equal(rig->actions[0].signal, 15);
    assert_int_equal(rig->actions[1].thread, 0);
    assert_false(rig->actions[1].step);
    stop(rig, SECOND, 11);
    assert_string_equal(rig->sent, "$T0bthread:c8;#6e");
    assert_string_equal(ask(rig, "vCont;c:1"), "E01"); /* no such thread */
    assert_string_equal(ask(rig, "vCont;x"), "E01");
    assert_string_equal(ask(rig, "C1e"), "");
    assert_int_equal(rig->actions[0].thread, SECOND);
    assert_int_equal(rig->actions[0].signal, 0x1e);
    stop(rig, FIRST, 5);
    assert_string_equal(ask(rig, "s"), "");
    assert_true(rig->actions[0].thread == FIRST && rig->actions[0].step);
    stop(rig, FIRST, 5);
    assert_string_equal(ask(rig, "QPassSignals:e;14"), "OK");
    assert_int_equal(rig->passed, 1 << 14 | 1 << 20);
}

static void test_objects_and_files(void **state)
{
    struct rig *rig = *state;
    assert_non_null(strstr(ask(rig, "qSupported:xmlRegisters=i386"), ";qXfer:auxv:read+"));
    assert_string_equal(ask(rig, "qXfer:auxv:read::0,4"), "m0123");
    assert_string_equal(ask(rig, "qXfer:auxv:read::8,4"), "l89");
    assert_string_equal(ask(rig, "qXfer:auxv:read::a,4"), "l");
    assert_string_equal(ask(rig, "qXfer:none:read::0,4"), "E00");
    assert_string_equal(ask(rig, "qXfer:features:read:other.xml:0,4"), "E00");
    assert_string_equal(ask(rig, "qXfer:features:read:target.xml:0,5"), "m<?xml");
    char path[] = "/tmp/peng-test-XXXXXX", packet[128];
    int fd = mkstemp(path), n = snprintf(packet, sizeof(packet), "vFile:open:");
    assert_int_equal(write(fd, "hello", 5), 5);
    close(fd);
    for (const char *c = path; *c; c++)
        n += snprintf(packet + n, sizeof(packet) - (size_t)n, "%02x", (uint8_t)*c);
    snprintf(packet + n, sizeof(packet) - (size_t)n, ",0,0");
    assert_string_equal(ask(rig, packet), "F0");
    assert_string_equal(ask(rig, "vFile:pread:0,64,1"), "F4;ello");
    assert_string_equal(ask(rig, "vFile:pread:1,64,1"), "F-1,16");
    assert_string_equal(ask(rig, "vFile:close:0"), "F0");
    assert_string_equal(ask(rig, "vFile:close:0"), "F-1,9");
    unlink(path);
    assert_string_equal(ask(rig, packet), "F-1,2");
    assert_string_equal(ask(rig, "vFile:unlink:2f"), "");
}

static void test_ends(void **state)
{
    struct rig *rig = *state;
    rig->sent_bytes = 0;
    gdb_session_exited(&rig->session, 42, 0, on_send, rig);
    assert_string_equal(rig->sent, "$W2a#ea");
    rig->sent_bytes = 0;
    gdb_session_exited(&rig->session, 0, 15, on_send, rig);
    assert_string_equal(rig->sent, "$X0f#ee");
    assert_string_equal(ask(rig, "vKill;64"), "OK");
    assert_true(rig->killed && rig->answered_before_kill && rig->session.detached);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_registers_and_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_going_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_objects_and_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
