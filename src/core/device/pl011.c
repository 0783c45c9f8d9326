/* pl011.c: the UART (Arm DDI 0183), revision r1p5 with FIFOs of 32.
 *
 * Sending takes no time: the transmit FIFO is always empty, and its interrupt rises with every
 * write. Bytes gather in a buffer that goes to the back end at a newline, when it is full, or a
 * millisecond after its first byte, so that a boot log costs one host write a line and an echo is
 * still prompt.
 *
 * Received bytes that do not reach the FIFO's trigger raise the receive timeout interrupt at once
 * instead of 32 bit times later. What finds no room stays with the back end until the guest reads.
 * Nothing is taken in while the receiver is off; output goes out even so, as early consoles rely on
 * firmware that enabled the UART.
 *
 * Limits: no modem lines but CTS, DSR and DCD held high, no break, no DMA, no infrared; the line's
 * speed and format are kept and mean nothing.
 */
#include "core/device/pl011.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/device/charout.h"
#include "core/device/primecell.h"

enum {
    UARTDR = 0x00,
    UARTRSR = 0x04, /* reads status, writes clear errors (UARTECR) */
    UARTFR = 0x18,
    UARTILPR = 0x20,
    UARTIBRD = 0x24,
    UARTFBRD = 0x28,
    UARTLCR_H = 0x2c,
    UARTCR = 0x30,
    UARTIFLS = 0x34,
    UARTIMSC = 0x38,
    UARTRIS = 0x3c,
    UARTMIS = 0x40,
    UARTICR = 0x44,
    UARTDMACR = 0x48,
    REGISTERS = 0x4c / 4,

    FR_CTS_DSR_DCD = 7,
    FR_RXFE = 1 << 4,
    FR_RXFF = 1 << 6,
    FR_TXFE = 1 << 7,

    LCR_H_FEN = 1 << 4,
    CR_UARTEN = 1 << 0,
    CR_LBE = 1 << 7,
    CR_TXE = 1 << 8,
    CR_RXE = 1 << 9,
    IFLS_RESET = 0x12, /* both FIFOs half full */

    INT_RX = 1 << 4,
    INT_TX = 1 << 5,
    INT_RT = 1 << 6,
    INT_OE = 1 << 10,

    DR_OE = 1 << 11, /* in UARTDR; bit 3 of UARTRSR */
    RSR_OE = 1 << 3,

    FIFO_DEPTH = 32,
};

struct pl011 {
    pthread_mutex_t lock;
    struct pl011_config config;
    struct charout out;

    uint32_t reg[REGISTERS]; /* those that only keep what was written */
    uint32_t raw;            /* UARTRIS */
    uint32_t rsr;
    uint8_t fifo[FIFO_DEPTH];
    unsigned first, count;
    bool overrun; /* the next byte is read with DR_OE */
    bool refused; /* the back end waits for resume() */
};

/* Which bits of a plain register can be set. */
static const uint32_t writable[REGISTERS] = {
    [UARTILPR / 4] = 0xff, [UARTIBRD / 4] = 0xffff, [UARTFBRD / 4] = 0x3f,  [UARTLCR_H / 4] = 0xff,
    [UARTCR / 4] = 0xff87, [UARTIFLS / 4] = 0x3f,   [UARTIMSC / 4] = 0x7ff, [UARTDMACR / 4] = 7,
};

static void update_irq(struct pl011 *u)
{
    irq_set(&u->config.irq, u->raw & u->reg[UARTIMSC / 4]);
}

/* --- output ------------------------------------------------------------------------------------
 */

void pl011_flush(struct pl011 *u)
{
    pthread_mutex_lock(&u->lock);
    charout_flush(&u->out);
    pthread_mutex_unlock(&u->lock);
}

/* --- input -------------------------------------------------------------------------------------
 */

static unsigned depth(const struct pl011 *u)
{
    return u->reg[UARTLCR_H / 4] & LCR_H_FEN ? FIFO_DEPTH : 1;
}

static unsigned trigger(const struct pl011 *u)
{
    static const uint8_t eighths[8] = {1, 2, 4, 6, 7, 4, 4, 4}; /* from 5 on: reserved */
    return depth(u) == 1 ? 1 : FIFO_DEPTH / 8 * eighths[u->reg[UARTIFLS / 4] >> 3 & 7];
}

static bool put(struct pl011 *u, uint8_t byte)
{
    if (u->count >= depth(u))
        return false;
    u->fifo[(u->first + u->count++) % FIFO_DEPTH] = byte;
    u->raw |= u->count >= trigger(u) ? INT_RX : INT_RT;
    return true;
}

static bool receiver_on(const struct pl011 *u)
{
    return (u->reg[UARTCR / 4] & (CR_UARTEN | CR_RXE)) == (CR_UARTEN | CR_RXE);
}

static size_t receive(void *ctx, const void *data, size_t size_bytes)
{
    struct pl011 *u = ctx;
    const uint8_t *bytes = data;
    size_t taken = 0;
    pthread_mutex_lock(&u->lock);
    while (receiver_on(u) && taken < size_bytes && put(u, bytes[taken]))
        taken++;
    u->refused = taken < size_bytes;
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
    return taken;
}

/* Tells the back end, once, that there is room. */
static void invite(struct pl011 *u)
{
    if (u->refused && receiver_on(u) && u->count < depth(u)) {
        u->refused = false;
        chardev_resume(&u->config.back);
    }
}

static uint32_t read_data(struct pl011 *u)
{
    uint32_t v = u->fifo[u->first];
    if (u->count > 0) {
        u->first = (u->first + 1) % FIFO_DEPTH;
        u->count--;
    }
    if (u->overrun)
        v |= DR_OE;
    u->overrun = false;
    if (u->count < trigger(u))
        u->raw &= ~(uint32_t)INT_RX;
    if (u->count == 0)
        u->raw &= ~(uint32_t)INT_RT;
    update_irq(u);
    if (u->count == 0)
        invite(u);
    return v;
}

static void write_data(struct pl011 *u, uint8_t byte)
{
    if (!(u->reg[UARTCR / 4] & CR_LBE)) {
        charout_put(&u->out, byte);
    } else if (!put(u, byte)) {
        u->overrun = true;
        u->rsr |= RSR_OE;
        u->raw |= INT_OE;
    }
    u->raw |= INT_TX;
    update_irq(u);
}

/* --- registers ---------------------------------------------------------------------------------
 */

static uint32_t flags(const struct pl011 *u)
{
    return FR_CTS_DSR_DCD | FR_TXFE | (u->count == 0 ? FR_RXFE : 0) |
           (u->count >= depth(u) ? FR_RXFF : 0);
}

static uint32_t read_register(struct pl011 *u, uint64_t offset)
{
    switch (offset) {
    case UARTDR:
        return read_data(u);
    case UARTRSR:
        return u->rsr;
    case UARTFR:
        return flags(u);
    case UARTRIS:
        return u->raw;
    case UARTMIS:
        return u->raw & u->reg[UARTIMSC / 4];
    default:
        if (offset >= PRIMECELL_ID)
            return primecell_id(0x011, 3, offset);
        return offset / 4 < REGISTERS ? u->reg[offset / 4] : 0;
    }
}

static void write_register(struct pl011 *u, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case UARTDR:
        write_data(u, (uint8_t)value);
        break;
    case UARTRSR:
        u->rsr = 0;
        break;
    case UARTICR:
        u->raw &= ~value;
        update_irq(u);
        break;
    default:
        if (offset / 4 >= REGISTERS)
            return;
        u->reg[offset / 4] = value & writable[offset / 4];
        update_irq(u);
        invite(u);
        break;
    }
}

static uint64_t pl011_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct pl011 *u = ctx;
    if (offset % 4 || size_bytes > 4)
        return 0;
    pthread_mutex_lock(&u->lock);
    uint64_t v = read_register(u, offset);
    pthread_mutex_unlock(&u->lock);
    return bits(v, 0, 8 * size_bytes);
}

static void pl011_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct pl011 *u = ctx;
    if (offset % 4 || size_bytes > 4)
        return;
    pthread_mutex_lock(&u->lock);
    write_register(u, offset, (uint32_t)bits(value, 0, 8 * size_bytes));
    pthread_mutex_unlock(&u->lock);
}

const struct bus_device_ops pl011_ops = {pl011_read, pl011_write};

/* --- life cycle --------------------------------------------------------------------------------
 */

void pl011_reset(struct pl011 *u)
{
    pthread_mutex_lock(&u->lock);
    charout_flush(&u->out);
    memset(u->reg, 0, sizeof(u->reg));
    u->reg[UARTCR / 4] = CR_TXE | CR_RXE;
    u->reg[UARTIFLS / 4] = IFLS_RESET;
    u->raw = u->rsr = 0;
    u->first = u->count = 0;
    u->overrun = false;
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

int pl011_new(const struct pl011_config *config, struct pl011 **ret_uart, struct err *e)
{
    struct pl011 *u = calloc(1, sizeof(*u));
    if (!u)
        abort();
    u->config = *config;
    pthread_mutex_init(&u->lock, NULL);
    int r = charout_init(&u->out, config->loop, &u->lock, &u->config.back, e);
    if (r < 0) {
        pthread_mutex_destroy(&u->lock);
        free(u);
        return err_prefix(e, "serial port");
    }
    pl011_reset(u);
    chardev_attach(&u->config.back, (struct chardev_front){u, receive});
    *ret_uart = u;
    return 0;
}

void pl011_free(struct pl011 *u)
{
    if (!u)
        return;
    chardev_attach(&u->config.back, (struct chardev_front){0});
    pl011_flush(u);
    charout_done(&u->out);
    pthread_mutex_destroy(&u->lock);
    free(u);
}
