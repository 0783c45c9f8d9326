/* uart16550.c: the serial port of a PC (National Semiconductor PC16550D data sheet, section 8).
 *
 * What is written is sent at once, so the transmitter is always empty; a transmit interrupt is
 * pending from when it is enabled, or a byte is written, until IIR is read. Received bytes wait in
 * the FIFO of 16, or in the one holding register while the FIFOs are off.
 *
 * In loopback mode (MCR bit 4), which drivers use to see whether a port is there, modem outputs and
 * bytes come back as inputs and nothing leaves.
 *
 * Limits: no line speed, parity or framing errors; breaks are not sent; the trigger level counts as
 * reached with the first byte, so the character timeout never has to ring.
 */
#include "core/device/uart16550.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/device/charout.h"

enum {
    RBR_THR = 0, /* divisor's low half while LCR's DLAB is set */
    IER = 1,     /* and its high half */
    IIR_FCR = 2,
    LCR = 3,
    MCR = 4,
    LSR = 5,
    MSR = 6,
    SCR = 7,

    IER_RECEIVED = 1 << 0,
    IER_EMPTY = 1 << 1,
    IER_LINE = 1 << 2,

    IIR_NONE = 1,
    IIR_EMPTY = 2,
    IIR_RECEIVED = 4,
    IIR_LINE = 6,
    IIR_FIFOS_ON = 0xc0,

    FCR_ENABLE = 1 << 0,
    FCR_CLEAR_RECEIVED = 1 << 1,

    LCR_DLAB = 1 << 7,
    MCR_LOOP = 1 << 4,
    MCR_WRITABLE = 0x1f,

    LSR_READY = 1 << 0,
    LSR_OVERRUN = 1 << 1,
    LSR_EMPTY = 3 << 5, /* holding and shift register */

    MSR_CTS_DSR_DCD = 0xb0,

    FIFO_DEPTH = 16,
};

struct uart16550 {
    pthread_mutex_t lock;
    struct uart16550_config config;
    struct charout out;

    uint8_t ier, lcr, mcr, scratch;
    uint16_t divisor;
    bool fifos_on;
    bool empty_pending; /* the transmit interrupt, until IIR is read */
    bool overrun;
    uint8_t fifo[FIFO_DEPTH];
    unsigned first, count;
    bool refused; /* the back end waits for resume() */
};

/* --- interrupts: the pending one of highest priority ---------------------------------------------
 */

static uint8_t pending(const struct uart16550 *u)
{
    if (u->ier & IER_LINE && u->overrun)
        return IIR_LINE;
    if (u->ier & IER_RECEIVED && u->count > 0)
        return IIR_RECEIVED;
    if (u->ier & IER_EMPTY && u->empty_pending)
        return IIR_EMPTY;
    return IIR_NONE;
}

static void update_irq(struct uart16550 *u)
{
    irq_set(&u->config.irq, pending(u) != IIR_NONE);
}

/* --- bytes -------------------------------------------------------------------------------------
 */

static unsigned depth(const struct uart16550 *u)
{
    return u->fifos_on ? FIFO_DEPTH : 1;
}

static bool put(struct uart16550 *u, uint8_t byte)
{
    if (u->count >= depth(u))
        return false;
    u->fifo[(u->first + u->count++) % FIFO_DEPTH] = byte;
    return true;
}

static size_t receive(void *ctx, const void *data, size_t size_bytes)
{
    struct uart16550 *u = ctx;
    const uint8_t *bytes = data;
    size_t taken = 0;
    pthread_mutex_lock(&u->lock);
    while (!(u->mcr & MCR_LOOP) && taken < size_bytes && put(u, bytes[taken]))
        taken++;
    u->refused = taken < size_bytes;
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
    return taken;
}

/* Tells the back end, once, that there is room. */
static void invite(struct uart16550 *u)
{
    if (u->refused && u->count == 0 && !(u->mcr & MCR_LOOP)) {
        u->refused = false;
        chardev_resume(&u->config.back);
    }
}

static uint8_t take_byte(struct uart16550 *u)
{
    uint8_t byte = u->fifo[u->first];
    if (u->count > 0) {
        u->first = (u->first + 1) % FIFO_DEPTH;
        u->count--;
    }
    invite(u);
    return byte;
}

static void send_byte(struct uart16550 *u, uint8_t byte)
{
    if (!(u->mcr & MCR_LOOP))
        charout_put(&u->out, byte);
    else if (!put(u, byte))
        u->overrun = true;
    u->empty_pending = true;
}

/* --- registers ---------------------------------------------------------------------------------
 */

static uint8_t read_iir(struct uart16550 *u)
{
    uint8_t cause = pending(u);
    if (cause == IIR_EMPTY)
        u->empty_pending = false;
    return cause | (u->fifos_on ? IIR_FIFOS_ON : 0);
}

static uint8_t read_lsr(struct uart16550 *u)
{
    uint8_t value = LSR_EMPTY | (u->count > 0 ? LSR_READY : 0) | (u->overrun ? LSR_OVERRUN : 0);
    u->overrun = false;
    return value;
}

/* In loopback the outputs DTR, RTS, OUT1, OUT2 are the inputs DSR, CTS, RI, DCD. */
static uint8_t read_msr(const struct uart16550 *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS_DSR_DCD;
    return (uint8_t)((u->mcr & 1) << 5 | (u->mcr & 2) << 3 | (u->mcr & 4) << 4 | (u->mcr & 8) << 4);
}

static uint8_t read_register(struct uart16550 *u, uint64_t offset)
{
    bool dlab = u->lcr & LCR_DLAB;
    switch (offset) {
    case RBR_THR:
        return dlab ? (uint8_t)u->divisor : take_byte(u);
    case IER:
        return dlab ? (uint8_t)(u->divisor >> 8) : u->ier;
    case IIR_FCR:
        return read_iir(u);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        return read_lsr(u);
    case MSR:
        return read_msr(u);
    default:
        return u->scratch;
    }
}

static void write_ier(struct uart16550 *u, uint8_t value)
{
    if (value & ~u->ier & IER_EMPTY)
        u->empty_pending = true;
    u->ier = value & 0xf;
}

static void write_fcr(struct uart16550 *u, uint8_t value)
{
    bool on = value & FCR_ENABLE;
    if (on != u->fifos_on || value & FCR_CLEAR_RECEIVED)
        u->first = u->count = 0;
    u->fifos_on = on;
    invite(u);
}

static void write_register(struct uart16550 *u, uint64_t offset, uint8_t value)
{
    bool dlab = u->lcr & LCR_DLAB;
    switch (offset) {
    case RBR_THR:
        if (dlab)
            u->divisor = (uint16_t)((u->divisor & 0xff00) | value);
        else
            send_byte(u, value);
        break;
    case IER:
        if (dlab)
            u->divisor = (uint16_t)((u->divisor & 0xff) | value << 8);
        else
            write_ier(u, value);
        break;
    case IIR_FCR:
        write_fcr(u, value);
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        u->mcr = value & MCR_WRITABLE;
        invite(u);
        break;
    case SCR:
        u->scratch = value;
        break;
    default: /* LSR and MSR are read-only */
        break;
    }
}

/* Registers are bytes; a wider access reaches as many, the lowest first. */
static uint64_t uart_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct uart16550 *u = ctx;
    uint64_t value = 0;
    pthread_mutex_lock(&u->lock);
    for (unsigned i = 0; i < size_bytes; i++)
        value |= (uint64_t)read_register(u, offset + i) << 8 * i;
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
    return value;
}

static void uart_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct uart16550 *u = ctx;
    pthread_mutex_lock(&u->lock);
    for (unsigned i = 0; i < size_bytes; i++)
        write_register(u, offset + i, (uint8_t)(value >> 8 * i));
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

const struct bus_device_ops uart16550_ops = {uart_read, uart_write};

/* --- life cycle --------------------------------------------------------------------------------
 */

void uart16550_reset(struct uart16550 *u)
{
    pthread_mutex_lock(&u->lock);
    charout_flush(&u->out);
    u->ier = u->lcr = u->mcr = u->scratch = 0;
    u->divisor = 12; /* 9600 baud */
    u->fifos_on = u->empty_pending = u->overrun = false;
    u->first = u->count = 0;
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

int uart16550_new(const struct uart16550_config *config, struct uart16550 **ret_uart, struct err *e)
{
    struct uart16550 *u = calloc(1, sizeof(*u));
    if (!u)
        abort();
    u->config = *config;
    pthread_mutex_init(&u->lock, NULL);
    int rc = charout_init(&u->out, config->loop, &u->lock, &u->config.back, e);
    if (rc < 0) {
        pthread_mutex_destroy(&u->lock);
        free(u);
        return err_prefix(e, "serial port");
    }
    uart16550_reset(u);
    chardev_attach(&u->config.back, (struct chardev_front){u, receive});
    *ret_uart = u;
    return 0;
}

void uart16550_free(struct uart16550 *u)
{
    if (!u)
        return;
    chardev_attach(&u->config.back, (struct chardev_front){0});
    pthread_mutex_lock(&u->lock);
    charout_flush(&u->out);
    pthread_mutex_unlock(&u->lock);
    charout_done(&u->out);
    pthread_mutex_destroy(&u->lock);
    free(u);
}
