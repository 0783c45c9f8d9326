/* kvm_x86_probe.c: tells a KVM with hardware behind it from one that only imitates it.
 *
 * Some virtual machines offer a /dev/kvm that runs guests without the CPU's help. Small guests work
 * there, but privileged code is interpreted, so that an operating system takes minutes to boot. No
 * capability says so; time does. A guest of one loop of 2^20 rounds takes a CPU less than a
 * millisecond, and an emulated CPU (KVM inside an emulator) some twenty; an interpreter inside the
 * kernel takes a second, and is stopped after LIMIT_NS.
 *
 * The answer holds until the next boot, so it is kept in a file named after this boot in the
 * directory where translations are kept too. A file that cannot be written costs the next start
 * another probe.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/engine/kvm_int.h"
#include "core/translator/place.h"

enum {
    RAM_BYTES = 64 << 10,
    ENTRY = 0x1000,
    LIMIT_NS = 100000000,
    LOOK_NS = 10000000,
    WALL_LIMIT_NS = 1000000000
};
#define DEVICE 0xd0000000ull /* outside RAM: the guest writes there when it is done */

static const uint8_t program[] = {
    0xb9, 0x00, 0x00, 0x10, 0x00, /* mov $1 << 20, %ecx */
    0x49,                         /* dec %ecx */
    0x75, 0xfd,                   /* jnz .-1 */
    0x89, 0x0b,                   /* mov %ecx, (%ebx) */
    0xf4,                         /* hlt */
    0xeb, 0xfd,                   /* jmp .-1 */
};

struct probe {
    struct vcpu *vcpu;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    clockid_t clock;   /* of the thread that the guest runs on */
    uint64_t start_ns; /* of it */
    bool over;         /* the guest is out */
    bool finished;     /* by itself */
};

static bool on_write(void *ctx, uint64_t address, unsigned size_bytes, uint64_t value)
{
    struct probe *probe = ctx;
    probe->finished = true;
    kvm_engine.request_stop(probe->vcpu);
    return true;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Asks the guest out when its time is over: that of the thread it runs on, as the host may have
 * other work; and at last that of the clock on the wall. */
static void *watch(void *arg)
{
    struct probe *probe = arg;
    const uint64_t last = clock_ns(CLOCK_MONOTONIC) + WALL_LIMIT_NS;
    pthread_mutex_lock(&probe->lock);
    while (!probe->over) {
        uint64_t next = clock_ns(CLOCK_REALTIME) + LOOK_NS;
        const struct timespec wait = {(time_t)(next / 1000000000), (long)(next % 1000000000)};
        pthread_cond_timedwait(&probe->changed, &probe->lock, &wait);
        if (!probe->over && (clock_ns(probe->clock) - probe->start_ns >= LIMIT_NS ||
                             clock_ns(CLOCK_MONOTONIC) >= last)) {
            kvm_engine.request_stop(probe->vcpu);
            break;
        }
    }
    pthread_mutex_unlock(&probe->lock);
    return NULL;
}

static int run(struct probe *probe, struct err *e)
{
    pthread_t watcher;
    int rc = pthread_getcpuclockid(pthread_self(), &probe->clock);
    if (rc)
        return err_set_errno(e, rc, "cannot measure a thread's time");
    probe->start_ns = clock_ns(probe->clock);
    rc = pthread_create(&watcher, NULL, watch, probe);
    if (rc)
        return err_set_errno(e, rc, "cannot start a thread");
    enum vcpu_stop stop = kvm_engine.run(probe->vcpu, e);
    pthread_mutex_lock(&probe->lock);
    probe->over = true;
    pthread_cond_signal(&probe->changed);
    pthread_mutex_unlock(&probe->lock);
    pthread_join(watcher, NULL);
    return stop == VCPU_STOP_FAILED ? -EIO : 0;
}

static int measure(bool *ret_fast, struct err *e)
{
    struct probe probe = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct guestmem mem;
    guestmem_init(&mem, (struct guestmem_mmio){.ctx = &probe, .write = on_write});
    const struct engine_config config = {.vcpus = 1, .mem = &mem, .dirty_log = ENGINE_DIRTY_BITMAP};
    struct engine *engine;
    int rc = guestmem_add_ram(&mem, 0, RAM_BYTES, false, e);
    if (rc == 0)
        rc = kvm_engine.create(&config, &engine, e);
    if (rc == 0) {
        probe.vcpu = kvm_engine.vcpu(engine, 0);
        guestmem_write(&mem, ENTRY, program, sizeof(program));
        kvm_engine.reset(engine, &(struct engine_start){.pc = ENTRY, .argument = DEVICE});
        rc = run(&probe, e);
        kvm_engine.free(engine);
    }
    guestmem_done(&mem);
    *ret_fast = probe.finished;
    return rc;
}

/* --- what is kept ------------------------------------------------------------------------------
 */

/* The file's path and what it begins with: this boot. False: nothing is kept. */
static bool kept_name(char path[PATH_MAX], char boot[64])
{
    struct place place;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, boot, 63);
    if (fd >= 0)
        close(fd);
    if (n <= 0 || !place_chosen(&place))
        return false;
    boot[n] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    n = snprintf(path, PATH_MAX, "%s/kvm-probe", place.directory);
    mkdir(place.directory, 0700); /* or it is there */
    return n > 0 && n < PATH_MAX;
}

/* 1: fast, 0: slow, -1: not known. */
static int recall(void)
{
    char path[PATH_MAX], boot[64], text[80] = {0}, wanted[80];
    if (!kept_name(path, boot))
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return -1;
    snprintf(wanted, sizeof(wanted), "%s fast\n", boot);
    if (strcmp(text, wanted) == 0)
        return 1;
    snprintf(wanted, sizeof(wanted), "%s slow\n", boot);
    return strcmp(text, wanted) == 0 ? 0 : -1;
}

static void remember(bool fast)
{
    char path[PATH_MAX], boot[64];
    if (!kept_name(path, boot))
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    if (dprintf(fd, "%s %s\n", boot, fast ? "fast" : "slow") < 0)
        unlink(path);
    close(fd);
}

int kvm_arch_fast(struct err *e)
{
    int known = recall();
    bool fast = known == 1;
    if (known < 0) {
        int rc = measure(&fast, e);
        if (rc < 0)
            return rc;
        remember(fast);
    }
    if (fast)
        return 0;
    return err_set(
        e, ETIME,
        "/dev/kvm here is a KVM in software, on which an operating system takes minutes to "
        "start; ask whoever runs this machine for nested virtualization");
}
