/* kvm.h: Linux's /dev/kvm as plain functions: what the engine (core/engine/kvm_*.c) asks of it.
 *
 * Calls whose argument is a structure of Linux's that the caller fills anyway (KVM_SET_SREGS,
 * KVM_GET_MSRS ...) go through kvm_call(); the functions below are those that need more than one
 * ioctl, or an argument made. All descriptors are close-on-exec.
 *
 * Source: Linux, Documentation/virt/kvm/api.rst; the numbers in comments are its sections.
 */
#ifndef PENG_HARDWARE_KVM_H
#define PENG_HARDWARE_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kvm_vm {
    int device_fd, fd;
    size_t run_bytes; /* of each vCPU's shared page(s) */
};

struct kvm_vcpu {
    int fd;
    struct kvm_run *run; /* shared with the kernel */
    size_t run_bytes;
    struct kvm_dirty_gfn *ring; /* of written pages, shared with the kernel; NULL: none */
    size_t ring_bytes;
};

/* An ioctl, again where a signal interrupted it. Returns what it returned, or a negative errno. */
int kvm_call(int fd, unsigned long request, void *argument);
/* As kvm_call, for those whose argument is a number. */
int kvm_call_number(int fd, unsigned long request, unsigned long argument);

/* Opens /dev/kvm and checks its version. Returns the descriptor. Errors, each with what to do about
 * it: ENOENT (no device: no module, or no virtualization in the CPU), EACCES, ENOTSUP (old API or a
 * capability that the engine needs is missing), and the host's. */
int kvm_open(struct err *e);
/* Value of a capability (4.4) of the device or a VM; 0: it is not there. */
int kvm_capability(int fd, unsigned capability);

/* Makes a virtual machine; `type` is 4.2's. The device stays open with it. */
int kvm_vm_open(unsigned long type, struct kvm_vm *ret_vm, struct err *e);
void kvm_vm_close(struct kvm_vm *vm); /* all zero is a no-op, and so is one closed before */

/* 4.35: puts host memory into a slot of the guest's address space; size_bytes 0 takes it out.
 * `flags`: KVM_MEM_READONLY, KVM_MEM_LOG_DIRTY_PAGES. */
int kvm_set_memory(const struct kvm_vm *vm, unsigned slot, uint32_t flags, uint64_t guest,
                   uint64_t size_bytes, void *host, struct err *e);
/* 4.8: a bit a page of the slot that was written since the last call, which it clears. `bitmap` has
 * room for the slot's pages, in whole 64-bit words. */
int kvm_take_dirty_log(const struct kvm_vm *vm, unsigned slot, void *bitmap, struct err *e);

/* 8.29: from now on written pages are told in a ring of `bytes` for each vCPU (a power of two), and
 * with `bitmap` also by kvm_take_dirty_log, for those that no vCPU wrote. Before memory and vCPUs
 * are there. Sets *ret_bytes to a ring's size; 0: this kernel has none such. Errors: the host's. */
int kvm_enable_dirty_ring(const struct kvm_vm *vm, size_t bytes, bool bitmap, size_t *ret_bytes);
/* Maps a vCPU's ring, until kvm_vcpu_close(). */
int kvm_map_dirty_ring(struct kvm_vcpu *vcpu, size_t bytes, struct err *e);

int kvm_vcpu_open(const struct kvm_vm *vm, unsigned long id, struct kvm_vcpu *ret_vcpu,
                  struct err *e);
void kvm_vcpu_close(struct kvm_vcpu *vcpu); /* as kvm_vm_close */
/* 4.10: runs until an exit (0, see vcpu->run), a signal or run->immediate_exit (-EINTR). */
int kvm_vcpu_run(const struct kvm_vcpu *vcpu);

/* 4.68, 4.69: one register by its id; `value` has the size that the id names. */
int kvm_get_reg(const struct kvm_vcpu *vcpu, uint64_t id, void *value);
int kvm_set_reg(const struct kvm_vcpu *vcpu, uint64_t id, const void *value);

/* 4.25, for in-kernel interrupt controllers. Any thread. */
int kvm_set_irq(const struct kvm_vm *vm, uint32_t irq, bool level);
/* 4.71: a message-signalled interrupt, at once. Any thread. */
int kvm_send_msi(const struct kvm_vm *vm, const struct kvm_msi *msi);
/* 4.75: writing to eventfd `fd` raises `gsi` (an edge). */
int kvm_set_irqfd(const struct kvm_vm *vm, int fd, uint32_t gsi, bool add, struct err *e);

/* 4.59: guest writes that signal an eventfd instead of leaving the guest. */
struct kvm_doorbell {
    uint64_t address;
    unsigned size_bytes; /* 1, 2, 4, 8; 0: any */
    bool match;          /* only writes of `value` */
    bool pio;            /* an x86 port, not memory */
    uint64_t value;
    int fd;
};
int kvm_set_doorbell(const struct kvm_vm *vm, const struct kvm_doorbell *doorbell, bool add,
                     struct err *e);

#endif
