/* kvm_routes.c: messages by irqfd: which eventfd stands for which message of a PCI device.
 *
 * KVM has one table of routes a machine, from numbers (GSIs) to what is interrupted, and an irqfd
 * raises a number (api.rst 4.52, 4.75). The lowest numbers are the lines, as KVM routes them by
 * itself; from KVM_MESSAGE_GSI on each eventfd that a device was given has one, whose route is the
 * message. A change of one is a new table, for which KVM waits until no CPU looks at the old one;
 * whoever calls does so only when a guest has changed a message that is sent.
 *
 * Limits: KVM_MESSAGES_MAX eventfds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/kvm_int.h"

enum { KVM_MESSAGE_GSI = KVM_LINE_ROUTES_MAX };

void kvm_routes_init(struct kvm_routes *routes)
{
    pthread_mutex_init(&routes->lock, NULL);
    for (unsigned i = 0; i < KVM_MESSAGES_MAX; i++)
        routes->messages[i].fd = -1;
}

void kvm_routes_done(struct kvm_routes *routes)
{
    pthread_mutex_destroy(&routes->lock);
}

/* The entry of `fd`, or the first that is free (-1); KVM_MESSAGES_MAX where there is none. */
static unsigned find(const struct kvm_routes *routes, int fd)
{
    unsigned i = 0;
    while (i < KVM_MESSAGES_MAX && routes->messages[i].fd != fd)
        i++;
    return i;
}

static struct kvm_irq_routing_entry message_route(unsigned index,
                                                  const struct engine_message *message)
{
    struct kvm_irq_routing_entry entry = {
        .gsi = KVM_MESSAGE_GSI + index,
        .type = KVM_IRQ_ROUTING_MSI,
        .u.msi = {.address_lo = (uint32_t)message->address,
                  .address_hi = (uint32_t)(message->address >> 32),
                  .data = message->data},
    };
    if (kvm_arch_message_flags & KVM_MSI_VALID_DEVID) {
        entry.flags = KVM_MSI_VALID_DEVID;
        entry.u.msi.devid = message->requester;
    }
    return entry;
}

/* Tells KVM the whole table. */
static int tell(struct engine *engine, struct err *e)
{
    const struct kvm_routes *routes = &engine->routes;
    struct kvm_irq_routing *table = calloc(
        1, sizeof(*table) + (KVM_LINE_ROUTES_MAX + KVM_MESSAGES_MAX) * sizeof(table->entries[0]));
    if (!table)
        abort();
    table->nr = kvm_arch_line_routes(engine, table->entries);
    for (unsigned i = 0; i < KVM_MESSAGES_MAX; i++)
        if (routes->messages[i].fd >= 0)
            table->entries[table->nr++] = message_route(i, &routes->messages[i].message);
    int rc = kvm_call(engine->vm.fd, KVM_SET_GSI_ROUTING, table);
    free(table);
    return rc < 0 ? err_set_errno(e, rc, "KVM takes no routes for messages") : 0;
}

/* A new eventfd, at a free entry. */
static int add(struct engine *engine, unsigned index, int fd, const struct engine_message *message,
               struct err *e)
{
    struct kvm_message *own = &engine->routes.messages[index];
    *own = (struct kvm_message){fd, *message};
    int rc = tell(engine, e);
    if (rc == 0)
        rc = kvm_set_irqfd(&engine->vm, fd, KVM_MESSAGE_GSI + index, true, e);
    if (rc < 0)
        own->fd = -1;
    return rc;
}

static int change(struct engine *engine, int fd, const struct engine_message *message,
                  struct err *e)
{
    struct kvm_routes *routes = &engine->routes;
    unsigned index = find(routes, fd);
    if (index < KVM_MESSAGES_MAX && message) {
        routes->messages[index].message = *message;
        return tell(engine, e);
    }
    if (index < KVM_MESSAGES_MAX) { /* its route stays until the next table: nothing raises it */
        routes->messages[index].fd = -1;
        return kvm_set_irqfd(&engine->vm, fd, KVM_MESSAGE_GSI + index, false, e);
    }
    if (!message)
        return 0;
    index = find(routes, -1);
    if (index == KVM_MESSAGES_MAX)
        return err_set(e, ENOSPC, "more than %d interrupts of PCI devices", KVM_MESSAGES_MAX);
    return add(engine, index, fd, message, e);
}

int kvm_engine_set_message_fd(struct engine *engine, int fd, const struct engine_message *message,
                              struct err *e)
{
    pthread_mutex_lock(&engine->routes.lock);
    int rc = change(engine, fd, message, e);
    pthread_mutex_unlock(&engine->routes.lock);
    return rc;
}
