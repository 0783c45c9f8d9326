/* replay.c: the main() of a fuzz target where libFuzzer is not the driver: a regression test.
 *
 * It feeds every file of the folders (or files) named on the command line to the target, then
 * PENG_FUZZ_RUNS (default 20000) inputs made from them by a seeded generator: flipped bits,
 * boundary values, cut, doubled and spliced pieces, or plain noise. PENG_SEED changes the seed. The
 * same seed gives the same inputs on every machine. An input that kills the target or runs for
 * longer than INPUT_SECONDS is written to "crash-input" in the working directory, to be added to
 * the corpus.
 *
 * Limits: no coverage feedback. That is what the libFuzzer build is for (see meson.build).
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 8192, SEEDS_MAX = 512, INPUT_SECONDS = 10, RUNS_DEFAULT = 20000 };

struct seed {
    uint8_t *data;
    size_t size;
};

struct replay {
    struct seed seeds[SEEDS_MAX];
    unsigned seed_count;
    uint64_t random;
};

/* What a fatal signal's handler may touch; the one global of a test's main file. */
static struct {
    uint8_t data[INPUT_MAX];
    volatile size_t size;
} current;

static uint64_t next_random(struct replay *r) /* xorshift64* */
{
    r->random ^= r->random >> 12;
    r->random ^= r->random << 25;
    r->random ^= r->random >> 27;
    return r->random * 0x2545f4914f6cdd1dull;
}

static size_t below(struct replay *r, size_t limit)
{
    return limit ? next_random(r) % limit : 0;
}

static void on_fatal_signal(int number)
{
    static const char text[] = "fuzz: the target failed; the input is in ./crash-input\n";
    int fd = open("crash-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0) {
        ssize_t written = write(fd, current.data, current.size);
        written += write(STDERR_FILENO, text, sizeof text - 1);
        (void)written;
        close(fd);
    }
    signal(number == SIGALRM ? SIGABRT : number, SIG_DFL);
    raise(number == SIGALRM ? SIGABRT : number);
}

static void run_current(void)
{
    /* An exact copy on the heap, so that a sanitizer sees a read behind its end. */
    uint8_t *copy = malloc(current.size ? current.size : 1);
    if (!copy)
        abort();
    memcpy(copy, current.data, current.size);
    alarm(INPUT_SECONDS);
    LLVMFuzzerTestOneInput(copy, current.size);
    alarm(0);
    free(copy);
}

static void add_file(struct replay *r, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || r->seed_count == SEEDS_MAX) {
        fprintf(stderr, "fuzz: cannot take %s\n", path);
        exit(1);
    }
    struct seed *seed = &r->seeds[r->seed_count++];
    seed->data = malloc(INPUT_MAX);
    seed->size = seed->data ? fread(seed->data, 1, INPUT_MAX, f) : 0;
    fclose(f);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_path(struct replay *r, const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        add_file(r, path);
        return;
    }
    struct dirent **names;
    int count = scandir(path, &names, NULL, by_name);
    if (count < 0) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            add_file(r, file);
        free(names[i]);
    }
    free(names);
}

static void start_from_seed(struct replay *r)
{
    current.size = 0;
    if (r->seed_count && below(r, 16) != 0) {
        const struct seed *seed = &r->seeds[below(r, r->seed_count)];
        current.size = seed->size;
        memcpy(current.data, seed->data, seed->size);
        return;
    }
    current.size = below(r, 256);
    for (size_t i = 0; i < current.size; i++)
        current.data[i] = (uint8_t)next_random(r);
}

/* Opens a gap of `length` at `at`; false where there is no room. */
static bool insert_gap(size_t at, size_t length)
{
    if (length > INPUT_MAX - current.size)
        return false;
    memmove(current.data + at + length, current.data + at, current.size - at);
    current.size += length;
    return true;
}

static void mutate_once(struct replay *r)
{
    static const uint64_t edges[] = {0,          1,          0x7f,       0x80,
                                     0xff,       0x7fff,     0x8000,     0xffff,
                                     0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
                                     1ull << 63, ~0ull};
    size_t size = current.size, at = below(r, size);
    switch (below(r, 7)) {
    case 0:
        if (size)
            current.data[at] ^= (uint8_t)(1u << below(r, 8));
        break;
    case 1:
        if (size)
            current.data[at] = (uint8_t)next_random(r);
        break;
    case 2: {
        unsigned width = 1u << below(r, 4);
        if (size >= width)
            store_le(current.data + below(r, size - width + 1), width,
                     edges[below(r, ARRAY_SIZE(edges))]);
        break;
    }
    case 3:
        current.size = below(r, size + 1);
        break;
    case 4: { /* cut a piece out */
        size_t length = below(r, size - at + 1);
        memmove(current.data + at, current.data + at + length, size - at - length);
        current.size = size - length;
        break;
    }
    case 5: { /* repeat a piece */
        size_t length = below(r, size - at + 1);
        if (insert_gap(at, length))
            memcpy(current.data + at, current.data + at + length, length);
        break;
    }
    default: { /* splice in a piece of another seed */
        if (!r->seed_count)
            break;
        const struct seed *other = &r->seeds[below(r, r->seed_count)];
        size_t from = below(r, other->size), length = below(r, other->size - from + 1);
        if (insert_gap(at, length))
            memcpy(current.data + at, other->data + from, length);
        break;
    }
    }
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
    static struct replay r;
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM};
    for (unsigned i = 0; i < ARRAY_SIZE(fatal); i++)
        signal(fatal[i], on_fatal_signal);
    for (int i = 1; i < argc; i++)
        add_path(&r, argv[i]);
    for (unsigned i = 0; i < r.seed_count; i++) {
        current.size = r.seeds[i].size;
        memcpy(current.data, r.seeds[i].data, current.size);
        run_current();
    }
    r.random = from_environment("PENG_SEED", 1) * 0x9e3779b97f4a7c15ull | 1;
    uint64_t runs = from_environment("PENG_FUZZ_RUNS", RUNS_DEFAULT);
    for (uint64_t i = 0; i < runs; i++) {
        start_from_seed(&r);
        for (size_t n = below(&r, 8); n > 0; n--)
            mutate_once(&r);
        run_current();
    }
    for (unsigned i = 0; i < r.seed_count; i++)
        free(r.seeds[i].data);
    printf("%u seeds, %llu mutations\n", r.seed_count, (unsigned long long)runs);
    return 0;
}
