/* runner_process.c: the arm64 program under somebody's user mode, as a child that shares the batch:
 * qemu-aarch64 as an oracle, and peng-arm64 as what is tested, signals included.
 *
 * A byte over a pipe starts a batch, a byte back ends it; vectors and results lie in a memfd that
 * both processes map.
 *
 * Limits: QEMU 7.2 itself. Where it and the Arm manual part ways, known_differences in isa_test.c
 * says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

enum { BATCH_FD = 3 };

struct process {
    pid_t child;
    int to, from;
    struct vector_batch *shared;
};

static void become_oracle(const char *emulator, const char *program, int batch, int in, int out,
                          const char *option, const char *value)
{
    /* Above everything first: a pipe may have got the number that the batch must have. */
    int high_batch = dup(batch), high_in = dup(in), high_out = dup(out);
    if (dup2(high_in, STDIN_FILENO) < 0 || dup2(high_out, STDOUT_FILENO) < 0 ||
        dup2(high_batch, BATCH_FD) < 0)
        _exit(126);
    for (int fd = BATCH_FD + 1; fd < 64; fd++)
        close(fd);
    execlp(emulator, emulator, option, value, program, (char *)NULL);
    perror(emulator);
    _exit(127);
}

static bool process_run(void *ctx, struct vector_batch *batch, struct vector_result *results)
{
    struct process *q = ctx;
    q->shared->count = batch->count;
    memcpy(q->shared->vectors, batch->vectors, batch->count * sizeof batch->vectors[0]);
    char byte = 1;
    if (write(q->to, &byte, 1) != 1 || read(q->from, &byte, 1) != 1) {
        fprintf(stderr, "isa: the arm64 program died under its emulator\n");
        return false;
    }
    memcpy(results, q->shared->results, batch->count * sizeof results[0]);
    return true;
}

static void process_close(void *ctx)
{
    struct process *q = ctx;
    close(q->to);
    close(q->from);
    waitpid(q->child, NULL, 0);
    munmap(q->shared, sizeof *q->shared);
    free(q);
}

static bool start(struct runner *ret, const char *name, const char *emulator, const char *program,
                  const char *option, const char *value)
{
    struct process *q = calloc(1, sizeof *q);
    int to[2], from[2], batch = memfd_create("isa-batch", 0);
    if (!q || batch < 0 || ftruncate(batch, sizeof *q->shared) || pipe(to) || pipe(from)) {
        perror("isa: qemu oracle");
        free(q);
        return false;
    }
    q->shared = mmap(NULL, sizeof *q->shared, PROT_READ | PROT_WRITE, MAP_SHARED, batch, 0);
    q->child = q->shared == MAP_FAILED ? -1 : fork();
    if (q->child == 0)
        become_oracle(emulator, program, batch, to[0], from[1], option, value);
    close(batch);
    close(to[0]);
    close(from[1]);
    if (q->child < 0) {
        perror("isa: qemu oracle");
        free(q);
        return false;
    }
    q->to = to[1];
    q->from = from[0];
    *ret = (struct runner){.name = name, .ctx = q, .run = process_run, .close = process_close};
    return true;
}

/* -cpu max knows all of Armv8.2 and more; without pointer authentication its hints are NOPs, as
 * they are on the CPUs Peng models. */
bool runner_qemu(struct runner *ret, const char *emulator, const char *program)
{
    return start(ret, "qemu-aarch64", emulator, program, "-cpu", "max,pauth=off,sve=off");
}

bool runner_user(struct runner *ret, const char *emulator, const char *program)
{
    bool started = start(ret, "peng-arm64", emulator, program, "--engine", "translator");
    ret->dead_flags_inexact = true;
    return started;
}
