/* test_strace.c: how --strace prints arguments: every word of the call table, numbers, names,
 * structures, strings, and pointers that lead nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "core/linux/strace_int.h"

/* What user mode's handler does: a fault in a copy of guest memory ends the copy. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *pc = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    uintptr_t fixed = linux_access_fixup((uintptr_t)*pc);
    if (!fixed)
        _exit(1);
    *pc = (greg_t)fixed;
}

static uint64_t pointer(const void *p)
{
    return (uintptr_t)p;
}

/* Argument 0 of `call`, before it or after it. */
static const char *print(struct strace_text *s, const char *word, struct strace_call call)
{
    const struct strace_word *found = strace_word_find(word, strlen(word));
    assert_non_null(found);
    s->used = 0;
    s->text[0] = 0;
    call.out = s;
    call.name = call.name ?: "";
    strace_argument(&call, found, 0);
    return s->text;
}

#define ASSERT_PRINTS(expected, word, ...)                                                         \
    assert_string_equal(print(&text, word, (struct strace_call){__VA_ARGS__}), expected)

/* As many words as a call has arguments, all known, and no more than one for the result. */
static void test_table(void **state)
{
    static const struct {
        const char *name, *arguments;
    } rows[] = {
#define ROW(number, name, kind, arguments) {#name, arguments},
        LINUX_CALLS(ROW)};
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *at = rows[i].arguments, *word;
        unsigned count = 0;
        for (size_t length; (length = strace_word_next(&at, &word)) > 0;) {
            if (word[0] == '=') {
                assert_int_equal(strcspn(at, " ="), 0);
                continue;
            }
            if (!strace_word_find(word, length))
                fail_msg("%s: %.*s is not in strace_args.c", rows[i].name, (int)length, word);
            count++;
        }
        assert_true(count <= LINUX_CALL_ARGUMENTS);
    }
}

static void test_options(void **state)
{
    const struct strace_option *tables[] = {strace_fcntls, strace_ioctls, strace_prctls};
    for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
        for (const struct strace_option *o = tables[i]; o->name; o++) {
            const char *at = o->words, *word;
            for (size_t length; (length = strace_word_next(&at, &word)) > 0;) {
                bool result = word[0] == '=';
                if (!strace_word_find(word + result, length - result))
                    fail_msg("%s: %.*s", o->name, (int)length, word);
            }
        }
}

static void test_numbers(void **state)
{
    struct strace_text text;
    ASSERT_PRINTS("-1", "int", .a = {0xffffffff});
    ASSERT_PRINTS("4294967295", "uint", .a = {0xffffffff});
    ASSERT_PRINTS("-2", "off", .a = {-2ull});
    ASSERT_PRINTS("0", "hex", .a = {0});
    ASSERT_PRINTS("NULL", "ptr", .a = {0});
    ASSERT_PRINTS("0755", "mode", .a = {0755});
    ASSERT_PRINTS("AT_FDCWD", "dirfd", .a = {(uint32_t)-100});
    ASSERT_PRINTS("SIGSEGV", "signal", .a = {11});
    ASSERT_PRINTS("SIGRT_2", "signal", .a = {34});
}

static void test_names(void **state)
{
    struct strace_text text;
    ASSERT_PRINTS("O_RDONLY", "openflags", .a = {0});
    /* arm64's own numbers */
    ASSERT_PRINTS("O_RDONLY|O_DIRECTORY|O_CLOEXEC", "openflags", .a = {02040000});
    ASSERT_PRINTS("O_WRONLY|O_NOFOLLOW", "openflags", .a = {0100001});
    ASSERT_PRINTS("PROT_NONE", "prot", .a = {0});
    ASSERT_PRINTS("PROT_READ|PROT_EXEC|PROT_BTI", "prot", .a = {0x15});
    ASSERT_PRINTS("MAP_PRIVATE|MAP_ANONYMOUS", "mmapflags", .a = {0x22});
    ASSERT_PRINTS("FUTEX_WAIT|FUTEX_PRIVATE_FLAG", "futexop", .a = {128});
    ASSERT_PRINTS("SOCK_STREAM|SOCK_CLOEXEC", "socktype", .a = {02000001});
    ASSERT_PRINTS("0", "atflags", .a = {0});
    ASSERT_PRINTS("AT_EMPTY_PATH|0x40000", "atflags", .a = {0x41000});
    ASSERT_PRINTS("CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD", "clone", .a = {0x1200011});
    ASSERT_PRINTS("CLOCK_MONOTONIC", "clock", .a = {1});
}

static void test_strings(void **state)
{
    struct strace_text text;
    static const char nasty[] = "a\"b\\\n\001"
                                "2\177\200";
    char many[200];
    memset(many, 'x', sizeof many);
    ASSERT_PRINTS("\"a\\\"b\\\\\\n\\0012\\177\\200\"", "path", .a = {pointer(nasty)});
    ASSERT_PRINTS("\"a\\\"\"", "buf", .a = {pointer(nasty), 2});
    ASSERT_PRINTS("\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"...", "buf", .a = {pointer(many), 200});
    ASSERT_PRINTS("\"xxx\"", "buf>", .a = {pointer(many), 200}, .result = 3, .done = true);
    ASSERT_PRINTS("\"\"", "buf", .a = {pointer(many), 0});
    const char *argv[] = {"ls", "-l", NULL};
    ASSERT_PRINTS("[\"ls\", \"-l\"]", "argv", .a = {pointer(argv)});
}

static void test_bad_pointers(void **state)
{
    static const char *const words[] = {"path",    "buf",      "timespec", "sigaction", "iovec",
                                        "pollfds", "sockaddr", "msghdr",   "stat",      "argv"};
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    struct strace_text text;
    sigaction(SIGSEGV, &fault, NULL); /* cmocka's own goes in before each test */
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        bool empty = strcmp(words[i], "argv") == 0; /* counted first */
        ASSERT_PRINTS(empty ? "[]" : "0x10", words[i], .a = {16, 4});
        ASSERT_PRINTS(empty ? "[]" : "0xfffffffffffffff0", words[i], .a = {-16ull, 4});
    }
}

static void test_structures(void **state)
{
    struct strace_text text;
    struct timespec times[2] = {{1, 2}, {3, 4}};
    ASSERT_PRINTS("{tv_sec=1, tv_nsec=2}", "timespec", .a = {pointer(times)});
    ASSERT_PRINTS("[{tv_sec=1, tv_nsec=2}, {tv_sec=3, tv_nsec=4}]", "timespec2",
                  .a = {pointer(times)});
    ASSERT_PRINTS("NULL", "timespec", .a = {0});
    /* offsets of asm-generic/stat.h: st_mode at 16, st_size at 48 */
    uint8_t st[128] = {0};
    store_le(st + 16, 4, 0100644);
    store_le(st + 48, 8, 1234);
    ASSERT_PRINTS("{st_mode=S_IFREG|0644, st_size=1234, st_ino=0, st_nlink=0, st_uid=0, st_gid=0}",
                  "stat", .a = {pointer(st)});
    struct linux_sigaction action = {.handler = 1, .flags = 0x10000000, .mask = 1ull << 9};
    ASSERT_PRINTS("{sa_handler=SIG_IGN, sa_mask=[USR1], sa_flags=SA_RESTART}", "sigaction",
                  .a = {pointer(&action)});
    struct pollfd fds[] = {{.fd = 3, .events = POLLIN | POLLOUT}};
    ASSERT_PRINTS("[{fd=3, events=POLLIN|POLLOUT}]", "pollfds", .a = {pointer(fds), 1});
    uint64_t all_but_hup = ~1ull;
    ASSERT_PRINTS("~[HUP]", "sigset", .a = {pointer(&all_but_hup)});
}

static void test_sockets(void **state)
{
    struct strace_text text;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
    ASSERT_PRINTS("{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}",
                  "sockaddr", .a = {pointer(&in), sizeof in});
    ASSERT_PRINTS("{sa_family=AF_UNIX, sun_path=\"/run/x\"}", "sockaddr",
                  .a = {pointer(&un), sizeof un});
    ASSERT_PRINTS("{sa_family=AF_UNIX}", "sockaddr", .a = {pointer(&un), 2});
}

static void test_signals(void **state)
{
    struct strace_text text = {.used = 0};
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
    info.si_addr = (void *)8;
    strace_siginfo(&text, &info);
    assert_string_equal(text.text, "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8}");
    text.used = 0;
    info = (siginfo_t){.si_signo = SIGTERM, .si_code = SI_USER};
    info.si_pid = 7;
    strace_siginfo(&text, &info);
    assert_string_equal(text.text, "{si_signo=SIGTERM, si_code=SI_USER, si_pid=7, si_uid=0}");
}

/* A line that is full stays whole: nothing is written behind it. */
static void test_full_line(void **state)
{
    struct strace_text text = {.used = 0};
    for (unsigned i = 0; i < 2 * STRACE_LINE_MAX; i++)
        strace_add(&text, "%c", 'a');
    assert_int_equal(text.used, STRACE_LINE_MAX - 1);
    assert_int_equal(text.text[STRACE_LINE_MAX - 1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),      cmocka_unit_test(test_options),
        cmocka_unit_test(test_numbers),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_strings),    cmocka_unit_test(test_bad_pointers),
        cmocka_unit_test(test_structures), cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_signals),    cmocka_unit_test(test_full_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
