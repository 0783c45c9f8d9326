/* oracle_arm64.c: runs test vectors on whatever CPU runs this program: qemu-aarch64, or a real one.
 *
 * An arm64 Linux program. It maps the batch that its parent shares with it (descriptor BATCH_FD),
 * and for each byte that comes in on stdin runs all vectors of the batch and answers with a byte on
 * stdout. The code of all vectors is written before the first one runs, which spares the emulator a
 * flush a vector.
 *
 * Limits: EL0 only, so no privileged instruction; SVC must not be in a vector.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "vector.h"

enum { BATCH_FD = 3, TIME_LIMIT_SECONDS = 5 };
#define HOST_SAVE_BASE 0x07000000u

uint64_t oracle_enter(uint64_t slot, const struct vector_state *state);
void oracle_return(void);
extern const char oracle_stubs[];

static_assert(offsetof(struct vector_state, sp) == 248, "oracle_entry.S counts on it");
static_assert(offsetof(struct vector_state, v) == 256, "oracle_entry.S counts on it");
static_assert(offsetof(struct vector_state, nzcv) == 768, "oracle_entry.S counts on it");
static_assert(sizeof(struct vector_state) <= 1024, "an area is 1 KiB");

static struct vector_result *running;
static uint64_t running_slot;

static uint32_t branch(uint64_t from, uint64_t to)
{
    return 0x14000000u | ((to - from) >> 2 & 0x3ffffff);
}

static void write_slot(const struct vector *t)
{
    uint64_t base = VECTOR_CODE_BASE + (uint64_t)t->slot * SLOT_BYTES;
    uint32_t *words = (uint32_t *)base;
    for (unsigned i = 0; i < SLOT_WORDS; i++)
        words[i] = branch(base + i * 4, (uint64_t)oracle_stubs + i * 16);
    for (unsigned i = 0; i < t->count; i++)
        words[SLOT_START + i] = t->insn[i];
    /* The way in: movz x0, #STATE_HI + 1, lsl #16; ldr x0, [x0]; b start. The input's x0 waits
     * there. */
    words[0] = 0xd2a00000u | ((VECTOR_STATE_BASE >> 16) + 1) << 5;
    words[1] = 0xf9400000u;
    words[2] = branch(base + 8, base + SLOT_START * 4);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)info;
    ucontext_t *uc = context;
    struct vector_result *r = running;
    memcpy(r->out.x, uc->uc_mcontext.regs, sizeof r->out.x);
    r->out.sp = uc->uc_mcontext.sp;
    r->out.nzcv = uc->uc_mcontext.pstate & 0xf0000000u;
    const struct fpsimd_context *fp = (const void *)uc->uc_mcontext.__reserved;
    r->out.fpcr = fp->fpcr;
    r->out.fpsr = fp->fpsr;
    memcpy(r->out.v, fp->vregs, sizeof r->out.v);
    r->word = (uc->uc_mcontext.pc - running_slot) / 4;
    r->end = number == SIGILL    ? VECTOR_UNDEFINED
             : number == SIGTRAP ? VECTOR_TRAPPED
             : number == SIGALRM ? VECTOR_LOST
                                 : VECTOR_FAULTED;
    uc->uc_mcontext.pc = (uint64_t)oracle_return;
    uc->uc_mcontext.regs[0] = 0;
}

static void run(const struct vector *t, struct vector_result *r)
{
    running = r;
    running_slot = VECTOR_CODE_BASE + (uint64_t)t->slot * SLOT_BYTES;
    vector_fill_scratch(t->scratch_seed, (uint8_t *)(uint64_t)VECTOR_SCRATCH_BASE);
    *(uint64_t *)(uint64_t)(VECTOR_STATE_BASE + 0x10000) = t->in.x[0];
    uint64_t area = oracle_enter(running_slot, &t->in);
    if (area) {
        memcpy(&r->out, (const void *)area, sizeof r->out);
        r->word = (area - VECTOR_STATE_BASE) / 1024;
        r->end = VECTOR_LANDED;
    }
    memcpy(r->scratch, (const void *)(uint64_t)VECTOR_SCRATCH_BASE, SCRATCH_BYTES);
}

static void *map_at(uint64_t base, size_t size, int protection)
{
    void *p = mmap((void *)base, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (p == MAP_FAILED) {
        perror("oracle: mmap");
        exit(1);
    }
    return p;
}

int main(void)
{
    map_at(VECTOR_CODE_BASE, BATCH_VECTORS * SLOT_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC);
    map_at(VECTOR_SCRATCH_BASE, SCRATCH_BYTES, PROT_READ | PROT_WRITE);
    map_at(VECTOR_STATE_BASE, 0x20000, PROT_READ | PROT_WRITE);
    map_at(HOST_SAVE_BASE, 4096, PROT_READ | PROT_WRITE);
    struct vector_batch *batch =
        mmap(NULL, sizeof *batch, PROT_READ | PROT_WRITE, MAP_SHARED, BATCH_FD, 0);
    if (batch == MAP_FAILED) {
        perror("oracle: mmap of the batch");
        return 1;
    }
    stack_t alternative = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&alternative, NULL);
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    static const int signals[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE, SIGALRM};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
    char go;
    while (read(STDIN_FILENO, &go, 1) == 1) {
        for (unsigned i = 0; i < batch->count; i++)
            write_slot(&batch->vectors[i]);
        __builtin___clear_cache((char *)(uint64_t)VECTOR_CODE_BASE,
                                (char *)(uint64_t)VECTOR_CODE_BASE + BATCH_VECTORS * SLOT_BYTES);
        for (unsigned i = 0; i < batch->count; i++) {
            alarm(TIME_LIMIT_SECONDS);
            run(&batch->vectors[i], &batch->results[i]);
        }
        alarm(0);
        if (write(STDOUT_FILENO, &go, 1) != 1)
            break;
    }
    return 0;
}
