/* pl061.c: general purpose input and output, eight lines (Arm DDI 0190).
 *
 * Address bits [9:2] of the data register are a mask of the lines that an access sees. An edge that
 * a line waits for is latched; a level shows through for as long as it lasts. Outputs go nowhere.
 */
#include "core/device/pl061.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/device/primecell.h"

enum {
    GPIODATA_END = 0x400,
    GPIODIR = 0x400,
    GPIOIS = 0x404,
    GPIOIBE = 0x408,
    GPIOIEV = 0x40c,
    GPIOIE = 0x410,
    GPIORIS = 0x414,
    GPIOMIS = 0x418,
    GPIOIC = 0x41c,
    GPIOAFSEL = 0x420,
    POWER_KEY_NS = 100000000, /* longer than what drivers wait for contacts to settle */
};

struct pl061_registers {
    uint8_t output;
    uint8_t direction;   /* 1: output */
    uint8_t level_sense; /* GPIOIS: 1: a level, 0: an edge interrupts */
    uint8_t both_edges;
    uint8_t event; /* GPIOIEV: 1: rising edge or high level */
    uint8_t enable;
    uint8_t latched; /* edges seen */
    uint8_t alternate;
};

struct pl061 {
    pthread_mutex_t lock;
    struct irq_line irq;
    struct evtimer *release; /* of the power key */
    struct pl061_registers r;
    uint8_t input;
};

static uint8_t raw_status(const struct pl061 *g)
{
    uint8_t at_level = (uint8_t) ~(g->input ^ g->r.event);
    return (uint8_t)((g->r.latched & ~g->r.level_sense) |
                     (at_level & g->r.level_sense & ~g->r.direction));
}

static void update_irq(struct pl061 *g)
{
    irq_set(&g->irq, raw_status(g) & g->r.enable);
}

static uint8_t *plain_register(struct pl061 *g, uint64_t offset)
{
    switch (offset) {
    case GPIODIR:
        return &g->r.direction;
    case GPIOIS:
        return &g->r.level_sense;
    case GPIOIBE:
        return &g->r.both_edges;
    case GPIOIEV:
        return &g->r.event;
    case GPIOIE:
        return &g->r.enable;
    case GPIOAFSEL:
        return &g->r.alternate;
    default:
        return NULL;
    }
}

static uint32_t read_register(struct pl061 *g, uint64_t offset)
{
    if (offset < GPIODATA_END)
        return ((g->r.output & g->r.direction) | (g->input & ~g->r.direction)) & (offset >> 2);
    if (offset >= PRIMECELL_ID)
        return primecell_id(0x061, 0, offset);
    if (offset == GPIORIS)
        return raw_status(g);
    if (offset == GPIOMIS)
        return raw_status(g) & g->r.enable;
    const uint8_t *plain = plain_register(g, offset);
    return plain ? *plain : 0;
}

static void write_register(struct pl061 *g, uint64_t offset, uint8_t value)
{
    if (offset < GPIODATA_END) {
        uint8_t mask = (uint8_t)(offset >> 2) & g->r.direction;
        g->r.output = (uint8_t)((g->r.output & ~mask) | (value & mask));
        return;
    }
    uint8_t *plain = plain_register(g, offset);
    if (plain)
        *plain = value;
    else if (offset == GPIOIC)
        g->r.latched &= (uint8_t)~value;
    update_irq(g);
}

static uint64_t pl061_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct pl061 *g = ctx;
    if (offset % 4 || size_bytes > 4)
        return 0;
    pthread_mutex_lock(&g->lock);
    uint64_t v = read_register(g, offset);
    pthread_mutex_unlock(&g->lock);
    return v;
}

static void pl061_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct pl061 *g = ctx;
    if (offset % 4 || size_bytes > 4)
        return;
    pthread_mutex_lock(&g->lock);
    write_register(g, offset, (uint8_t)value);
    pthread_mutex_unlock(&g->lock);
}

const struct bus_device_ops pl061_ops = {pl061_read, pl061_write};

void pl061_set_input(struct pl061 *g, unsigned line, bool level)
{
    uint8_t bit = (uint8_t)(1u << line);
    pthread_mutex_lock(&g->lock);
    if (!(g->input & bit) != !level) {
        g->input ^= bit;
        bool wanted = g->r.both_edges & bit || !(g->r.event & bit) == !level;
        if (wanted && !(g->r.direction & bit) && !(g->r.level_sense & bit))
            g->r.latched |= bit;
        update_irq(g);
    }
    pthread_mutex_unlock(&g->lock);
}

static void release_power(void *ctx)
{
    pl061_set_input(ctx, PL061_POWER_KEY, false);
}

void pl061_press_power(struct pl061 *g)
{
    pl061_set_input(g, PL061_POWER_KEY, true);
    evtimer_set(g->release, clock_now_ns() + POWER_KEY_NS);
}

void pl061_reset(struct pl061 *g)
{
    pthread_mutex_lock(&g->lock);
    g->r = (struct pl061_registers){0};
    update_irq(g);
    pthread_mutex_unlock(&g->lock);
}

int pl061_new(struct evloop *loop, struct irq_line irq, struct pl061 **ret_gpio, struct err *e)
{
    struct pl061 *g = calloc(1, sizeof(*g));
    if (!g)
        abort();
    g->irq = irq;
    if (evtimer_new(loop, release_power, g, &g->release, e) < 0) {
        free(g);
        return err_prefix(e, "power key");
    }
    pthread_mutex_init(&g->lock, NULL);
    *ret_gpio = g;
    return 0;
}

void pl061_free(struct pl061 *g)
{
    if (!g)
        return;
    evtimer_free(g->release);
    pthread_mutex_destroy(&g->lock);
    free(g);
}
