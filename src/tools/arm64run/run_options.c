/* run_options.c: options by table: a row has the letter that qemu-aarch64 gave it, the long name,
 * and the environment variable that stands for it: PENG_NAME, or QEMU_NAME where that is not set,
 * so that scripts written for qemu-user go on working. Options win over variables.
 *
 * As in qemu, one dash or two are the same, and the first word without one is the program. A value
 * in brackets may be left out; else it follows behind "=".
 */
#include "tools/arm64run/run_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/bytes.h"
#include "base/size.h"
#include "hardware/codemem.h"
#include "hardware/hostcpu.h"

struct run_row {
    const char *letter, *name; /* without dashes; NULL: none */
    const char *variable;      /* behind PENG_ and QEMU_; NULL: none */
    const char *value;         /* what the help calls it; NULL: takes none */
    const char *help;          /* NULL: taken for qemu's sake, and not listed */
    int (*take)(struct run_options *o, const char *value);
};

/* --- environment -------------------------------------------------------------------------------
 */

static size_t name_length(const char *variable)
{
    return strcspn(variable, "=");
}

static void unset_variable(struct run_options *o, const char *name, size_t length)
{
    size_t kept = 0;
    for (size_t i = 0; i < o->env_count; i++)
        if (name_length(o->envp[i]) != length || strncmp(o->envp[i], name, length) != 0)
            o->envp[kept++] = o->envp[i];
    o->env_count = kept;
    o->envp[kept] = NULL;
}

static int make_room(struct run_options *o, size_t room)
{
    char **more = realloc(o->envp, room * sizeof(*more));
    if (!more)
        return -ENOMEM;
    o->envp = more;
    o->env_room = room;
    return 0;
}

static int add_variable(struct run_options *o, char *variable)
{
    if (o->env_count + 1 >= o->env_room && make_room(o, o->env_room * 2) < 0)
        return -ENOMEM;
    o->envp[o->env_count++] = variable;
    o->envp[o->env_count] = NULL;
    return 0;
}

struct run_text {
    struct run_text *next;
    char text[];
};

void run_options_done(struct run_options *o)
{
    for (struct run_text *text = o->texts, *next; text; text = next) {
        next = text->next;
        free(text);
    }
    free(o->envp);
}

/* Calls take() for each part between commas, as getsubopt(3) cuts them. */
static int for_each_part(struct run_options *o, const char *value,
                         int (*take)(struct run_options *o, char *part))
{
    size_t bytes = strlen(value) + 1;
    struct run_text *copy = malloc(sizeof(*copy) + bytes); /* lives on in the environment */
    if (!copy)
        return -ENOMEM;
    copy->next = o->texts;
    o->texts = copy;
    char *at = memcpy(copy->text, value, bytes), *part;
    int rc = 0;
    while (rc == 0 && (part = strsep(&at, ",")))
        rc = take(o, part);
    return rc;
}

static int set_part(struct run_options *o, char *part)
{
    if (!strchr(part, '='))
        return err_set(o->e, EINVAL, "%s is not VARIABLE=VALUE", part);
    unset_variable(o, part, name_length(part));
    return add_variable(o, part);
}

static int unset_part(struct run_options *o, char *part)
{
    if (strchr(part, '='))
        return err_set(o->e, EINVAL, "%s is not the name of a variable", part);
    unset_variable(o, part, strlen(part));
    return 0;
}

static int take_env(struct run_options *o, const char *value)
{
    return for_each_part(o, value, set_part);
}

static int take_unset(struct run_options *o, const char *value)
{
    return for_each_part(o, value, unset_part);
}

/* --- the others --------------------------------------------------------------------------------
 */

static int take_sysroot(struct run_options *o, const char *value)
{
    o->config.sysroot = value[0] && strcmp(value, "/") != 0 ? value : NULL;
    return 0;
}

static int take_argv0(struct run_options *o, const char *value)
{
    o->argv0 = (char *)value;
    return 0;
}

static int take_cpu(struct run_options *o, const char *value)
{
    if (strcmp(value, "help") == 0 || strcmp(value, "?") == 0)
        o->verb = RUN_CPU_HELP;
    o->config.cpu = value;
    return 0;
}

static int take_gdb(struct run_options *o, const char *value)
{
    char *end;
    unsigned long port = strtoul(value, &end, 10);
    if (*end || port == 0 || port > UINT16_MAX)
        return err_set(o->e, EINVAL, "%s is not a port", value);
    o->gdb_port = (uint16_t)port;
    return 0;
}

static int take_release(struct run_options *o, const char *value)
{
    o->config.release = value;
    return 0;
}

static int take_stack(struct run_options *o, const char *value)
{
    return size_parse(value, &o->config.stack_bytes, o->e);
}

static int take_strace(struct run_options *o, const char *value)
{
    o->config.strace = true;
    return 0;
}

static int take_host_features(struct run_options *o, const char *value)
{
    struct hostcpu parsed;
    o->config.host_features = value;
    return hostcpu_parse(value, &parsed, o->e);
}

/* The name itself, where no file is given: to standard error. */
static int take_profile(struct run_options *o, const char *value)
{
    o->config.profile = true;
    if (value[0] == '-')
        return 0;
    o->config.profile_fd = open(value, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    return o->config.profile_fd < 0 ? err_set_errno(o->e, errno, "%s", value) : 0;
}

static int take_stats(struct run_options *o, const char *value)
{
    o->config.stats = true;
    return 0;
}

static int take_engine(struct run_options *o, const char *value)
{
    if (strcmp(value, "interpreter") != 0 && strcmp(value, "translator") != 0)
        return err_set(o->e, EINVAL, "%s is neither translator nor interpreter", value);
    o->config.interpreter = value[0] == 'i';
    return 0;
}

static int take_code_cache(struct run_options *o, const char *value)
{
    return size_parse_mib(value, CODEMEM_MIB_MIN, CODEMEM_MIB_MAX, &o->config.code_cache_bytes,
                          o->e);
}

static int take_version(struct run_options *o, const char *value)
{
    o->verb = RUN_VERSION;
    return 0;
}

static int take_help(struct run_options *o, const char *value)
{
    o->verb = RUN_HELP;
    return 0;
}

/* Means nothing here and changes no result. */
static int take_nothing(struct run_options *o, const char *value)
{
    return 0;
}

static int take_logging(struct run_options *o, const char *value)
{
    log_warn(o->config.log, "-d %s: there is no such log here; --strace prints system calls",
             value);
    return 0;
}

static int take_unknown(struct run_options *o, const char *value)
{
    return err_set(o->e, EINVAL, "%s: qemu has this option, peng-arm64 does not", value);
}

// clang-format off
static const struct run_row rows[] = {
    {"L", "sysroot", "LD_PREFIX", "PATH", "look there first for the dynamic linker and absolute paths", take_sysroot},
    {"E", "env", "SET_ENV", "VAR=VALUE[,...]", "set variables of the program's environment", take_env},
    {"U", "unset", "UNSET_ENV", "VAR[,...]", "take variables out of it", take_unset},
    {"0", "argv0", "ARGV0", "NAME", "the program's argv[0]", take_argv0},
    {"cpu", "cpu", "CPU", "MODEL", "CPU model; help lists them", take_cpu},
    {"g", "gdb", "GDB", "PORT", "wait for gdb on that TCP port before the first instruction", take_gdb},
    {"r", "release", "UNAME", "RELEASE", "what uname -r says", take_release},
    {"s", "stack", "STACK_SIZE", "SIZE", "size of the main stack (default: ulimit -s)", take_stack},
    {"strace", "strace", "STRACE", NULL, "print system calls to stderr", take_strace},
    {NULL, "engine", "ENGINE", "ENGINE", "translator (default) or interpreter", take_engine},
    {NULL, "host-features", "HOST_FEATURES", "LIST", "translate for a host CPU with no more than sse4_2,...", take_host_features},
    {NULL, "code-cache", "CODE_CACHE", "SIZE", "memory for translated code", take_code_cache},
    {NULL, "stats", "STATS", NULL, "print the translator's figures on exit", take_stats},
    {NULL, "profile", "PROFILE", "[FILE]", "on exit, print where the time went: see peng profile", take_profile},
    {"version", "version", NULL, NULL, "print the version", take_version},
    {"h", "help", NULL, NULL, "print this help", take_help},
    {"d", "log", NULL, "ITEMS", NULL, take_logging},
    {"D", NULL, NULL, "FILE", NULL, take_nothing},
    {"p", NULL, NULL, "SIZE", NULL, take_nothing},
    {"seed", NULL, NULL, "SEED", NULL, take_nothing},
    {"singlestep", NULL, NULL, NULL, NULL, take_nothing},
    {"one-insn-per-tb", NULL, NULL, NULL, NULL, take_nothing},
    {"B", NULL, NULL, "ADDRESS", NULL, take_unknown},
    {"R", NULL, NULL, "SIZE", NULL, take_unknown},
    {"plugin", NULL, NULL, "FILE", NULL, take_unknown},
};
// clang-format on

static const struct run_row *find_row(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *names[] = {rows[i].letter, rows[i].name};
        for (size_t k = 0; k < ARRAY_SIZE(names); k++)
            if (names[k] && strlen(names[k]) == length && memcmp(names[k], name, length) == 0)
                return &rows[i];
    }
    return NULL;
}

void run_options_print(void *file)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct run_row *r = &rows[i];
        char left[64], variable[32] = "";
        if (!r->help)
            continue;
        snprintf(left, sizeof(left), "%s%s%s--%s%s%s", r->letter ? "-" : "    ",
                 r->letter ? r->letter : "", r->letter ? ", " : "", r->name,
                 r->value ? (r->value[0] == '[' ? "=" : " ") : "", r->value ? r->value : "");
        if (r->variable)
            snprintf(variable, sizeof(variable), " (PENG_%s)", r->variable);
        fprintf(file, "  %-32s %s%s\n", left, r->help, variable);
    }
}

/* --- reading -----------------------------------------------------------------------------------
 */

static const char *variable_of(char **envp, const char *prefix, const char *name)
{
    size_t a = strlen(prefix), b = strlen(name);
    for (; *envp; envp++)
        if (strncmp(*envp, prefix, a) == 0 && strncmp(*envp + a, name, b) == 0 &&
            (*envp)[a + b] == '=')
            return *envp + a + b + 1;
    return NULL;
}

/* Most environments have none of ours; one pass tells. */
static bool any_variable(char **envp)
{
    for (; *envp; envp++)
        if (strncmp(*envp, "PENG_", 5) == 0 || strncmp(*envp, "QEMU_", 5) == 0)
            return true;
    return false;
}

/* Not for a program that runs with other rights than its caller's: the caller could have any
 * dynamic linker run with them. */
static int read_variables(struct run_options *o, char **envp)
{
    if (getauxval(AT_SECURE) || !any_variable(envp))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!rows[i].variable)
            continue;
        const char *value = variable_of(envp, "PENG_", rows[i].variable);
        if (!value)
            value = variable_of(envp, "QEMU_", rows[i].variable);
        if (!value || !value[0])
            continue;
        int rc = rows[i].take(o, value);
        if (rc < 0)
            return err_prefix(o->e, "PENG_%s", rows[i].variable);
    }
    return 0;
}

/* The option at argv[*i]; steps over what it takes. */
static int read_option(struct run_options *o, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *name = arg + (arg[1] == '-' ? 2 : 1);
    size_t length = strcspn(name, "=");
    const struct run_row *row = find_row(name, length);
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    if (!row)
        return err_set(o->e, EINVAL, "%s: no such option (see peng-arm64 -h)", arg);
    if (value && !row->value)
        return err_set(o->e, EINVAL, "%.*s takes no value", (int)(name + length - arg), arg);
    bool optional = row->value && row->value[0] == '[';
    if (row->value && !value && !optional && ++*i >= argc)
        return err_set(o->e, EINVAL, "%s needs a value: %s", arg, row->value);
    if (row->take(o, value ? value : row->value && !optional ? argv[*i] : arg) < 0)
        return err_prefix(o->e, "%.*s", (int)(name + length - arg), arg);
    return 0;
}

int run_options_read_environment(struct run_options *o, char **envp, struct err *e)
{
    size_t count = 0;
    while (envp[count])
        count++;
    o->e = e;
    int rc = make_room(o, count + 16);
    if (rc == 0) {
        memcpy(o->envp, envp, (count + 1) * sizeof(*envp));
        o->env_count = count;
    }
    return rc < 0 ? err_set_errno(e, ENOMEM, "environment") : read_variables(o, envp);
}

int run_options_read(struct run_options *o, int argc, char **argv, char **envp, struct err *e)
{
    int i = 1, rc = run_options_read_environment(o, envp, e);
    for (; rc == 0 && i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        rc = read_option(o, argc, argv, &i);
    }
    if (rc < 0 || o->verb != RUN_PROGRAM)
        return rc;
    if (i >= argc)
        return err_set(e, EINVAL, "a program is missing (see peng-arm64 -h)");
    o->config.program = argv[i];
    o->config.argv = argv + i;
    if (o->argv0)
        argv[i] = o->argv0;
    o->config.envp = o->envp;
    return 0;
}
