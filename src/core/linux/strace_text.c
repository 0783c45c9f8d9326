/* strace_text.c: how values of one kind look: names, strings, structures, arrays, signals.
 *
 * Everything that a pointer names is read once, through linux_read(), into a buffer of limited
 * size; what cannot be read is printed as the pointer.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/linux/strace_int.h"

void strace_add(struct strace_text *s, const char *format, ...)
{
    size_t room = sizeof s->text - s->used;
    va_list list;
    va_start(list, format);
    int length = vsnprintf(s->text + s->used, room, format, list);
    va_end(list);
    if (length > 0)
        s->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* Prints the names that fit and returns what is left of `value`. */
static uint64_t add_names(struct strace_text *s, const struct strace_name *names, uint64_t value)
{
    const char *between = "";
    uint64_t rest = value;
    for (; names->name[0]; names++) {
        if ((names->mask == ~0ull ? value : rest & names->mask) != names->value)
            continue;
        strace_add(s, "%s%s", between, names->name);
        if (names->mask == ~0ull)
            return 0;
        between = "|";
        rest &= ~names->mask;
    }
    return rest;
}

void strace_names(struct strace_text *s, const struct strace_name *names, uint64_t value)
{
    size_t start = s->used;
    uint64_t rest = add_names(s, names, value);
    if (rest || s->used == start)
        strace_add(s, "%s%s%lx", s->used == start ? "" : "|", rest ? "0x" : "", rest);
}

void strace_mode(struct strace_text *s, uint64_t mode)
{
    size_t start = s->used;
    uint64_t rest = add_names(s, strace_mode_types, mode);
    strace_add(s, "%s%#03lo", s->used == start ? "" : "|", rest);
}

void strace_pointer(struct strace_text *s, uint64_t address)
{
    if (address)
        strace_add(s, "%#lx", address);
    else
        strace_add(s, "NULL");
}

void strace_quote(struct strace_text *s, const char *bytes, size_t size, bool cut)
{
    static const char escapes[] = "\aa\bb\tt\nn\vv\ff\rr\"\"\\\\";
    strace_add(s, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        const char *escape = c ? strchr(escapes, c) : NULL;
        bool digit_follows = i + 1 < size && bytes[i + 1] >= '0' && bytes[i + 1] <= '9';
        if (c < ' ' && escape)
            strace_add(s, "\\%c", escape[1]);
        else if (c == '"' || c == '\\')
            strace_add(s, "\\%c", c);
        else if (c >= ' ' && c < 127)
            strace_add(s, "%c", c);
        else
            strace_add(s, digit_follows ? "\\%03o" : "\\%o", c);
    }
    strace_add(s, cut ? "\"..." : "\"");
}

void strace_bytes(struct strace_text *s, uint64_t address, uint64_t size)
{
    char bytes[STRACE_STRING_MAX];
    size_t length = size < sizeof bytes ? size : sizeof bytes;
    if (!address || linux_read(address, bytes, length) < 0)
        strace_pointer(s, address);
    else
        strace_quote(s, bytes, length, size > length);
}

void strace_string(struct strace_text *s, uint64_t address, size_t limit)
{
    char bytes[STRACE_LINE_MAX];
    assert(limit < sizeof bytes);
    ssize_t length = address ? linux_read_string(address, bytes, limit + 1) : -EFAULT;
    if (length == -ENAMETOOLONG)
        strace_quote(s, bytes, limit, true);
    else if (length < 0)
        strace_pointer(s, address);
    else
        strace_quote(s, bytes, (size_t)length, false);
}

static void add_field(struct strace_text *s, const struct strace_field *field, const uint8_t *at)
{
    uint64_t value = field->size_bytes <= 8 ? load_le(at, field->size_bytes) : 0;
    switch (field->kind) {
    case STRACE_SIGNED:
        strace_add(s, "%ld", sign_extend(value, field->size_bytes * 8));
        break;
    case STRACE_UNSIGNED:
        strace_add(s, "%lu", value);
        break;
    case STRACE_HEX:
        strace_add(s, "%#lx", value);
        break;
    case STRACE_OCTAL:
        strace_add(s, "%#03lo", value);
        break;
    case STRACE_NAMES:
        strace_names(s, field->names, value);
        break;
    case STRACE_MODE:
        strace_mode(s, value);
        break;
    case STRACE_CHARS:
        strace_quote(s, (const char *)at, strnlen((const char *)at, field->size_bytes), false);
        break;
    case STRACE_NESTED:
        strace_struct_local(s, field->type, at);
        break;
    }
}

void strace_struct_local(struct strace_text *s, const struct strace_type *type, const void *at)
{
    strace_add(s, "{");
    for (const struct strace_field *field = type->fields; field->name[0]; field++) {
        strace_add(s, "%s%s=", field == type->fields ? "" : ", ", field->name);
        add_field(s, field, (const uint8_t *)at + field->offset);
    }
    strace_add(s, "}");
}

void strace_struct(struct strace_text *s, const struct strace_type *type, uint64_t address)
{
    uint8_t bytes[STRACE_TYPE_MAX];
    assert(type->size_bytes <= sizeof bytes);
    if (!address || linux_read(address, bytes, type->size_bytes) < 0)
        strace_pointer(s, address);
    else
        strace_struct_local(s, type, bytes);
}

void strace_array(struct strace_text *s, uint64_t address, uint64_t count, size_t size_bytes,
                  void (*item)(struct strace_text *s, const void *at))
{
    uint8_t bytes[STRACE_TYPE_MAX];
    size_t start = s->used;
    assert(size_bytes <= sizeof bytes);
    strace_add(s, "[");
    for (uint64_t i = 0; i < count; i++) {
        if (i == STRACE_ITEMS_MAX) {
            strace_add(s, ", ...");
            break;
        }
        if (!address || linux_read(address + i * size_bytes, bytes, size_bytes) < 0) {
            s->used = start;
            strace_pointer(s, address);
            return;
        }
        if (i > 0)
            strace_add(s, ", ");
        item(s, bytes);
    }
    strace_add(s, "]");
}

void strace_iovecs(struct strace_text *s, uint64_t address, uint64_t count, int64_t filled)
{
    size_t start = s->used;
    strace_add(s, "[");
    for (uint64_t i = 0; i < count; i++) {
        uint64_t part[2]; /* struct iovec: base, length */
        if (i == STRACE_ITEMS_MAX) {
            strace_add(s, ", ...");
            break;
        }
        if (linux_read(address + i * sizeof part, part, sizeof part) < 0) {
            s->used = start;
            strace_pointer(s, address);
            return;
        }
        uint64_t used = (uint64_t)filled < part[1] ? (uint64_t)filled : part[1];
        strace_add(s, "%s{iov_base=", i ? ", " : "");
        strace_bytes(s, part[0], used);
        strace_add(s, ", iov_len=%lu}", part[1]);
        filled -= (int64_t)used;
    }
    strace_add(s, "]");
}

/* --- signals ------------------------------------------------------------------------------------
 */

static const char *const signal_names[] = {
    NULL,   "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};
static_assert(ARRAY_SIZE(signal_names) == 32, "those before SIGRTMIN");

void strace_signal_name(struct strace_text *s, uint64_t signal)
{
    const char *name = signal < ARRAY_SIZE(signal_names) ? signal_names[signal] : NULL;
    if (name)
        strace_add(s, "SIG%s", name);
    else if (signal >= 32 && signal <= LINUX_SIGNALS) /* the kernel's SIGRTMIN, not the library's */
        strace_add(s, signal == 32 ? "SIGRTMIN" : "SIGRT_%lu", signal - 32);
    else
        strace_add(s, "%d", (int)signal);
}

void strace_sigset(struct strace_text *s, uint64_t set)
{
    bool many = __builtin_popcountll(set) > LINUX_SIGNALS / 2; /* ~[...]: all but these */
    const char *between = "";
    strace_add(s, many ? "~[" : "[");
    for (uint64_t rest = many ? ~set : set; rest; rest &= rest - 1) {
        struct strace_text name = {.used = 0};
        strace_signal_name(&name, (uint64_t)__builtin_ctzll(rest) + 1);
        strace_add(s, "%s%s", between, name.text + (strncmp(name.text, "SIG", 3) ? 0 : 3));
        between = " ";
    }
    strace_add(s, "]");
}

/* si_code, whose meaning depends on the signal (include/uapi/asm-generic/siginfo.h). */
static const struct {
    int signal, code; /* signal 0: any */
    const char *name;
} codes[] = {
    {0, SI_USER, "SI_USER"},
    {0, SI_KERNEL, "SI_KERNEL"},
    {0, SI_QUEUE, "SI_QUEUE"},
    {0, SI_TIMER, "SI_TIMER"},
    {0, SI_MESGQ, "SI_MESGQ"},
    {0, SI_ASYNCIO, "SI_ASYNCIO"},
    {0, SI_SIGIO, "SI_SIGIO"},
    {0, SI_TKILL, "SI_TKILL"},
    {SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR"},
    {SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR"},
    {SIGBUS, BUS_ADRALN, "BUS_ADRALN"},
    {SIGBUS, BUS_ADRERR, "BUS_ADRERR"},
    {SIGBUS, BUS_OBJERR, "BUS_OBJERR"},
    {SIGILL, ILL_ILLOPC, "ILL_ILLOPC"},
    {SIGFPE, FPE_FLTINV, "FPE_FLTINV"},
    {SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT"},
    {SIGTRAP, TRAP_TRACE, "TRAP_TRACE"},
    {SIGTRAP, TRAP_HWBKPT, "TRAP_HWBKPT"},
    {SIGCHLD, CLD_EXITED, "CLD_EXITED"},
    {SIGCHLD, CLD_KILLED, "CLD_KILLED"},
    {SIGCHLD, CLD_DUMPED, "CLD_DUMPED"},
    {SIGCHLD, CLD_TRAPPED, "CLD_TRAPPED"},
    {SIGCHLD, CLD_STOPPED, "CLD_STOPPED"},
    {SIGCHLD, CLD_CONTINUED, "CLD_CONTINUED"},
    {SIGSYS, 1, "SYS_SECCOMP"},
};

static void add_code(struct strace_text *s, int signal, int code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
        if (codes[i].code == code && (!codes[i].signal || codes[i].signal == signal)) {
            strace_add(s, "%s", codes[i].name);
            return;
        }
    strace_add(s, "%d", code);
}

static void add_child(struct strace_text *s, const siginfo_t *info)
{
    strace_add(s, ", si_pid=%d, si_uid=%u, si_status=", info->si_pid, info->si_uid);
    if (info->si_code == CLD_EXITED)
        strace_add(s, "%d", info->si_status);
    else
        strace_signal_name(s, (uint64_t)info->si_status);
}

void strace_siginfo(struct strace_text *s, const siginfo_t *info)
{
    int signal = info->si_signo;
    strace_add(s, "{si_signo=");
    strace_signal_name(s, (uint64_t)signal);
    strace_add(s, ", si_code=");
    add_code(s, signal, info->si_code);
    bool from_kernel = info->si_code > 0 && info->si_code != SI_KERNEL;
    if (signal == SIGCHLD && from_kernel)
        add_child(s, info);
    else if (signal == SIGSYS && from_kernel)
        strace_add(s, ", si_call_addr=%p, si_syscall=%d, si_arch=%#x", info->si_call_addr,
                   info->si_syscall, info->si_arch);
    else if (from_kernel && (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
                             signal == SIGFPE || signal == SIGTRAP))
        strace_add(s, ", si_addr=%p", info->si_addr);
    else if (info->si_code == SI_TIMER)
        strace_add(s, ", si_timerid=%d, si_overrun=%d, si_value=%p", info->si_timerid,
                   info->si_overrun, info->si_value.sival_ptr);
    else if (info->si_code <= 0)
        strace_add(s, ", si_pid=%d, si_uid=%u", info->si_pid, info->si_uid);
    strace_add(s, "}");
}
