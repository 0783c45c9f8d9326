/* profile.c: --profile: which functions of the guest's take the time, and what they were translated
 * to.
 *
 * A thread of ours wakes every millisecond and sends each thread that is in guest code a SIGTRAP
 * that nobody else can send: with a value that is an address of ours. Fault signals are never
 * blocked on the host, so the guest's masks and handlers do not matter to it, nor it to them. The
 * host's handler looks which unit the program counter is in and counts that. When the process ends
 * the units are given names from the symbol tables of the files that are mapped there.
 *
 * The report is text. Of the units with the most samples it has the guest's and the host's code, in
 * hexadecimal: `peng profile` prints it disassembled.
 *
 * The child of a fork counts anew, by a thread of its own, and reports by itself.
 *
 * Limits: the child of a vfork is not profiled until it execs. A signal may meet a thread that has
 * just left guest code and begun a call; the call then fails with EINTR as if stopped and
 * continued. Where the whole table is full (HITS units) samples count as elsewhere.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/linux/linux_int.h"
#include "core/linux/symbols.h"

enum {
    HITS = 1 << 16, /* a power of two */
    PROBES_MAX = 64,
    FUNCTIONS_SHOWN = 30,
    UNITS_SHOWN = 10,
    FILES_MAX = 256,
    INTERVAL_NS = 1000000,
};

struct linux_profile {
    FILE *out; /* while the report is being written */
    pthread_t sampler;
    _Atomic uint64_t inside, elsewhere; /* samples */
    struct hit {
        _Atomic uint64_t address; /* of a unit; 0: free */
        _Atomic uint64_t count;
    } hits[HITS];
};

/* --- sampling --------------------------------------------------------------------------------- */

static void ask(struct linux_profile *profile, const struct linux_thread *t)
{
    siginfo_t info = {.si_signo = SIGTRAP, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_value.sival_ptr = profile;
    syscall(SYS_rt_tgsigqueueinfo, getpid(), t->tid, SIGTRAP, &info);
}

static void *sample(void *arg)
{
    struct linux_process *p = arg;
    const struct timespec interval = {.tv_nsec = INTERVAL_NS};
    for (;;) {
        nanosleep(&interval, NULL);
        pthread_mutex_lock(&p->threads_lock);
        for (const struct linux_thread *t = p->threads; t; t = t->next)
            if (atomic_load(&t->cpu->signals.in_guest))
                ask(p->profile, t);
        pthread_mutex_unlock(&p->threads_lock);
    }
    return NULL;
}

static void count(struct linux_profile *profile, uint64_t address)
{
    size_t at = (size_t)(address >> 2) * 0x9e3779b1u;
    for (unsigned probe = 0; probe < PROBES_MAX; probe++, at++) {
        struct hit *hit = &profile->hits[at % HITS];
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&hit->address, &there, address) || there == address) {
            atomic_fetch_add(&hit->count, 1);
            atomic_fetch_add(&profile->inside, 1);
            return;
        }
    }
    atomic_fetch_add(&profile->elsewhere, 1);
}

bool linux_profile_handler(struct linux_thread *t, const siginfo_t *info, const void *context)
{
    struct linux_profile *profile = t ? t->process->profile : NULL;
    if (!profile || info->si_code != SI_QUEUE || info->si_value.sival_ptr != profile ||
        info->si_pid != getpid())
        return false;
    const ucontext_t *uc = context;
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    uint64_t address = translator_unit_at(t->process->translator, pc);
    if (address)
        count(profile, address);
    else
        atomic_fetch_add(&profile->elsewhere, 1);
    return true;
}

int linux_profile_new(struct linux_process *p, struct err *e)
{
    sigset_t all, before;
    struct linux_profile *profile = calloc(1, sizeof(*profile));
    if (!profile)
        return err_set_errno(e, ENOMEM, "--profile");
    p->profile = profile;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&profile->sampler, NULL, sample, p);
    if (error == 0)
        pthread_setname_np(profile->sampler, "profile0");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return 0;
    p->profile = NULL;
    free(profile);
    return err_set_errno(e, error, "--profile");
}

void linux_profile_forked(struct linux_process *p)
{
    free(p->profile);
    p->profile = NULL;
    linux_profile_new(p, NULL); /* or it goes on unseen */
}

/* --- names ------------------------------------------------------------------------------------ */

struct mapping {
    uint64_t start, end, offset;
    char *path;
    struct symbols *symbols;
};

struct mappings {
    struct mapping list[FILES_MAX];
    unsigned count;
};

/* What is mapped with PROT_EXEC from files. */
static void read_mappings(struct mappings *m)
{
    FILE *in = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t room = 0;
    while (in && m->count < FILES_MAX && getline(&line, &room, in) > 0) {
        unsigned long long start, end, offset;
        char rights[8];
        int path_at = 0;
        if (sscanf(line, "%llx-%llx %7s %llx %*s %*s %n", &start, &end, rights, &offset, &path_at) <
                4 ||
            !path_at || line[path_at] != '/' || !strchr(rights, 'r'))
            continue;
        line[strcspn(line, "\n")] = '\0';
        m->list[m->count++] = (struct mapping){start, end, offset, strdup(line + path_at), NULL};
    }
    free(line);
    if (in)
        fclose(in);
}

static void free_mappings(struct mappings *m)
{
    for (unsigned i = 0; i < m->count; i++) {
        symbols_free(m->list[i].symbols);
        free(m->list[i].path);
    }
    free(m);
}

/* A unit with what is known of it. */
struct found {
    uint64_t address, count;
    const char *function, *path; /* NULL: unknown */
    uint64_t into;               /* the function */
};

static void name(struct mappings *m, struct found *found)
{
    for (unsigned i = 0; i < m->count; i++) {
        struct mapping *map = &m->list[i];
        if (found->address < map->start || found->address >= map->end)
            continue;
        if (!map->symbols)
            map->symbols = symbols_read(map->path);
        found->path = map->path;
        if (map->symbols)
            found->function =
                symbols_find(map->symbols, found->address - map->start + map->offset, &found->into);
        return;
    }
}

static int by_function(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order = strcmp(x->function ?: "", y->function ?: "");
    return order ? order : strcmp(x->path ?: "", y->path ?: "");
}

static int by_count(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->count > y->count ? -1 : x->count < y->count;
}

/* --- the report ------------------------------------------------------------------------------- */

/* Names are the guest's: nothing in them may reach a terminal as a command. */
static void print_text(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(*text >= ' ' && *text != 0x7f ? *text : '?', out);
}

static void print_share(const struct linux_profile *profile, const struct found *found)
{
    uint64_t all = profile->inside + profile->elsewhere;
    fprintf(profile->out, "%5.1f %% %7lu  ", 100.0 * (double)found->count / (double)all,
            found->count);
    print_text(profile->out, found->function ?: "?");
}

/* Changes the order of `units`, and sums them up to one of each function. */
static void print_functions(const struct linux_profile *profile, struct found *units, size_t count)
{
    size_t functions = 0;
    qsort(units, count, sizeof(*units), by_function);
    for (size_t i = 0; i < count; i++) {
        if (functions && by_function(&units[functions - 1], &units[i]) == 0)
            units[functions - 1].count += units[i].count;
        else
            units[functions++] = units[i];
    }
    qsort(units, functions, sizeof(*units), by_count);
    for (size_t i = 0; i < functions && i < FUNCTIONS_SHOWN; i++) {
        print_share(profile, &units[i]);
        fputs("  ", profile->out);
        print_text(profile->out, units[i].path ?: "[generated]");
        fputc('\n', profile->out);
    }
}

static void print_code(FILE *out, const char *kind, uint64_t address, const uint8_t *code,
                       size_t bytes)
{
    fprintf(out, "%s %#lx:", kind, address);
    for (size_t i = 0; i < bytes; i++)
        fprintf(out, "%s%02x", i % 4 ? "" : " ", code[i]);
    fputc('\n', out);
}

/* Which of the host's code belongs to which of the guest's. */
static void print_marks(FILE *out, const struct translator_unit *unit)
{
    if (!unit->mark_count)
        return;
    fputs("marks:", out);
    for (unsigned i = 0; i < unit->mark_count; i++)
        fprintf(out, " %#lx=%#lx", unit->address + unit->marks[i].code_at, unit->marks[i].address);
    fputc('\n', out);
}

static void print_unit(struct linux_process *p, const struct found *found)
{
    struct translator_unit unit;
    uint8_t guest[LINUX_PAGE];
    fputs("unit ", p->profile->out);
    print_share(p->profile, found);
    fprintf(p->profile->out, "+%#lx\n", found->into);
    if (!translator_unit_copy(p->translator, found->address, &unit))
        return;
    uint64_t start = found->address - unit.before;
    size_t bytes = unit.before + unit.insns * 4;
    if (bytes <= sizeof(guest) && linux_read(start, guest, bytes) == 0)
        print_code(p->profile->out, "guest", start, guest, bytes);
    print_marks(p->profile->out, &unit);
    print_code(p->profile->out, "host", unit.address, unit.code, unit.code_bytes);
    free(unit.marks);
    free(unit.code);
}

static void print_report(struct linux_process *p)
{
    struct linux_profile *profile = p->profile;
    struct found *units = calloc(HITS, sizeof(*units)), top[UNITS_SHOWN];
    struct mappings *m = calloc(1, sizeof(*m));
    size_t count = 0;
    if (!units || !m)
        abort();
    read_mappings(m);
    for (size_t i = 0; i < HITS; i++) {
        units[count].address = atomic_load(&profile->hits[i].address);
        units[count].count = atomic_load(&profile->hits[i].count);
        if (units[count].count)
            name(m, &units[count++]);
    }
    fprintf(profile->out, "profile of process %d: ", getpid());
    print_text(profile->out, p->layout.program_path);
    fprintf(profile->out, "\nsamples in translated code: %lu\n", profile->inside);
    fprintf(profile->out, "samples elsewhere: %lu\n", profile->elsewhere);
    qsort(units, count, sizeof(*units), by_count);
    memcpy(top, units, sizeof(top));
    print_functions(profile, units, count);
    for (size_t i = 0; i < count && i < UNITS_SHOWN; i++)
        print_unit(p, &top[i]);
    free_mappings(m);
    free(units);
}

/* In one piece: other processes may write to the same file. */
void linux_profile_print(struct linux_process *p)
{
    char *text = NULL;
    size_t bytes = 0;
    p->profile->out = open_memstream(&text, &bytes);
    if (!p->profile->out)
        return;
    print_report(p);
    fclose(p->profile->out);
    for (size_t done = 0; done < bytes;) {
        ssize_t n = write(p->profile_fd, text + done, bytes - done);
        if (n <= 0 && errno != EINTR) {
            log_warn(p->config->log, "--profile: %s", n < 0 ? strerror(errno) : "not written");
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    free(text);
}
