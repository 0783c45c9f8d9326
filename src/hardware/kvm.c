/* kvm.c: thin wrappers over the ioctls of /dev/kvm.
 *
 * What can be wrong with a host's KVM is told in words that say what to do: no device, no
 * permission, an API other than 12 (the only one since Linux 2.6.22), a capability too few.
 */
#include "hardware/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hardware/hostcpu.h"

#define KVM_DEVICE "/dev/kvm"

/* What Debian 12's headers for arm64 lack (Linux 6.3). */
enum { CAP_DIRTY_LOG_RING_WITH_BITMAP = 225, DIRTY_RING_PAGE = 64 /* KVM_DIRTY_LOG_PAGE_OFFSET */ };

int kvm_call_number(int fd, unsigned long request, unsigned long argument)
{
    int rc;
    do
        rc = ioctl(fd, request, argument);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

int kvm_call(int fd, unsigned long request, void *argument)
{
    return kvm_call_number(fd, request, (unsigned long)(uintptr_t)argument);
}

int kvm_capability(int fd, unsigned capability)
{
    int rc = kvm_call_number(fd, KVM_CHECK_EXTENSION, capability);
    return rc < 0 ? 0 : rc;
}

static int check_device(int fd, struct err *e)
{
    static const struct {
        unsigned number;
        const char *what;
    } needed[] = {
        {KVM_CAP_USER_MEMORY, "memory slots"},
        {KVM_CAP_IRQCHIP, "interrupt controllers in the kernel"},
        {KVM_CAP_IRQFD, "irqfd"},
        {KVM_CAP_IOEVENTFD, "ioeventfd"},
        {KVM_CAP_IMMEDIATE_EXIT, "immediate exit (Linux 4.13)"},
    };
    int version = kvm_call_number(fd, KVM_GET_API_VERSION, 0);
    if (version < 0)
        return err_set_errno(e, version, KVM_DEVICE " is no KVM");
    if (version != KVM_API_VERSION)
        return err_set(e, ENOTSUP, KVM_DEVICE ": API version %d, not %d", version, KVM_API_VERSION);
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (!kvm_capability(fd, needed[i].number))
            return err_set(e, ENOTSUP, KVM_DEVICE ": this kernel's KVM lacks %s", needed[i].what);
    return 0;
}

/* What to do where there is no device. */
static const char *const remedies[] = {
    [HOSTCPU_NO_VIRTUALIZATION] =
        "this CPU does not virtualize, or its firmware hides that it does: "
        "look into the firmware's setup",
    [HOSTCPU_NONE_IN_VM] = "this host is a virtual machine whose CPU does not virtualize: ask "
                           "whoever runs it for nested virtualization",
    [HOSTCPU_VMX] = "load the module (modprobe kvm_intel); if that says it is disabled, switch "
                    "VT-x on in the firmware's setup",
    [HOSTCPU_SVM] = "load the module (modprobe kvm_amd); if that says it is disabled, switch "
                    "SVM on in the firmware's setup",
    [HOSTCPU_EL2] = "the kernel must have KVM and be started at EL2; in a virtual machine, ask "
                    "whoever runs it for nested virtualization",
};

int kvm_open(struct err *e)
{
    int fd = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
        return err_set(e, errno, "no " KVM_DEVICE ": %s", remedies[hostcpu_virtualization()]);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return err_set(e, errno,
                       "no permission for " KVM_DEVICE ": be root or in the device's group "
                       "(usually kvm)");
    if (fd < 0)
        return err_set_errno(e, errno, KVM_DEVICE);
    int rc = check_device(fd, e);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

int kvm_vm_open(unsigned long type, struct kvm_vm *ret_vm, struct err *e)
{
    int device_fd = kvm_open(e);
    if (device_fd < 0)
        return device_fd;
    int fd = kvm_call_number(device_fd, KVM_CREATE_VM, type);
    int run_bytes = fd < 0 ? fd : kvm_call_number(device_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (run_bytes < 0) {
        err_set_errno(e, run_bytes, KVM_DEVICE ": cannot make a virtual machine");
        if (fd >= 0)
            close(fd);
        close(device_fd);
        return run_bytes;
    }
    *ret_vm = (struct kvm_vm){device_fd, fd, (size_t)run_bytes};
    return 0;
}

void kvm_vm_close(struct kvm_vm *vm)
{
    if (vm->run_bytes) {
        close(vm->fd);
        close(vm->device_fd);
    }
    *vm = (struct kvm_vm){0};
}

int kvm_set_memory(const struct kvm_vm *vm, unsigned slot, uint32_t flags, uint64_t guest,
                   uint64_t size_bytes, void *host, struct err *e)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot,
        .flags = flags,
        .guest_phys_addr = guest,
        .memory_size = size_bytes,
        .userspace_addr = (uintptr_t)host,
    };
    int rc = kvm_call(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
    return rc < 0 ? err_set_errno(e, rc, "KVM takes no memory at 0x%llx", (unsigned long long)guest)
                  : 0;
}

int kvm_take_dirty_log(const struct kvm_vm *vm, unsigned slot, void *bitmap, struct err *e)
{
    struct kvm_dirty_log log = {.slot = slot, .dirty_bitmap = bitmap};
    int rc = kvm_call(vm->fd, KVM_GET_DIRTY_LOG, &log);
    return rc < 0 ? err_set_errno(e, rc, "KVM's log of written pages") : 0;
}

static int enable(const struct kvm_vm *vm, uint32_t capability, uint64_t argument)
{
    struct kvm_enable_cap cap = {.cap = capability, .args = {argument}};
    return kvm_call(vm->fd, KVM_ENABLE_CAP, &cap);
}

int kvm_enable_dirty_ring(const struct kvm_vm *vm, size_t bytes, bool bitmap, size_t *ret_bytes)
{
    /* The second is the first on CPUs that order their stores by themselves. */
    static const uint32_t rings[] = {KVM_CAP_DIRTY_LOG_RING_ACQ_REL, KVM_CAP_DIRTY_LOG_RING};
    *ret_bytes = 0;
    if (bitmap && !kvm_capability(vm->fd, CAP_DIRTY_LOG_RING_WITH_BITMAP))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
        size_t most = (size_t)kvm_capability(vm->fd, rings[i]);
        if (!most)
            continue;
        bytes = bytes < most ? bytes : most;
        int rc = enable(vm, rings[i], bytes);
        if (rc >= 0 && bitmap)
            rc = enable(vm, CAP_DIRTY_LOG_RING_WITH_BITMAP, 0);
        if (rc >= 0)
            *ret_bytes = bytes;
        return rc < 0 ? rc : 0;
    }
    return 0;
}

int kvm_map_dirty_ring(struct kvm_vcpu *vcpu, size_t bytes, struct err *e)
{
    void *ring = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd,
                      DIRTY_RING_PAGE * sysconf(_SC_PAGESIZE));
    if (ring == MAP_FAILED)
        return err_set_errno(e, errno, "cannot map KVM's ring of written pages");
    vcpu->ring = ring;
    vcpu->ring_bytes = bytes;
    return 0;
}

int kvm_vcpu_open(const struct kvm_vm *vm, unsigned long id, struct kvm_vcpu *ret_vcpu,
                  struct err *e)
{
    int fd = kvm_call_number(vm->fd, KVM_CREATE_VCPU, id);
    if (fd < 0)
        return err_set_errno(e, fd, "KVM makes no CPU %lu", id);
    void *run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (run == MAP_FAILED) {
        int rc = err_set_errno(e, errno, "cannot map KVM's CPU %lu", id);
        close(fd);
        return rc;
    }
    *ret_vcpu = (struct kvm_vcpu){.fd = fd, .run = run, .run_bytes = vm->run_bytes};
    return 0;
}

void kvm_vcpu_close(struct kvm_vcpu *vcpu)
{
    if (vcpu->ring)
        munmap(vcpu->ring, vcpu->ring_bytes);
    if (vcpu->run) {
        munmap(vcpu->run, vcpu->run_bytes);
        close(vcpu->fd);
    }
    *vcpu = (struct kvm_vcpu){0};
}

int kvm_vcpu_run(const struct kvm_vcpu *vcpu)
{
    return ioctl(vcpu->fd, KVM_RUN, 0) < 0 ? -errno : 0;
}

int kvm_get_reg(const struct kvm_vcpu *vcpu, uint64_t id, void *value)
{
    struct kvm_one_reg reg = {id, (uintptr_t)value};
    return kvm_call(vcpu->fd, KVM_GET_ONE_REG, &reg);
}

int kvm_set_reg(const struct kvm_vcpu *vcpu, uint64_t id, const void *value)
{
    struct kvm_one_reg reg = {id, (uintptr_t)value};
    return kvm_call(vcpu->fd, KVM_SET_ONE_REG, &reg);
}

int kvm_set_irq(const struct kvm_vm *vm, uint32_t irq, bool level)
{
    struct kvm_irq_level line = {.irq = irq, .level = level};
    return kvm_call(vm->fd, KVM_IRQ_LINE, &line);
}

int kvm_send_msi(const struct kvm_vm *vm, const struct kvm_msi *msi)
{
    struct kvm_msi copy = *msi;
    return kvm_call(vm->fd, KVM_SIGNAL_MSI, &copy);
}

int kvm_set_irqfd(const struct kvm_vm *vm, int fd, uint32_t gsi, bool add, struct err *e)
{
    struct kvm_irqfd irqfd = {
        .fd = (uint32_t)fd,
        .gsi = gsi,
        .flags = add ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
    };
    int rc = kvm_call(vm->fd, KVM_IRQFD, &irqfd);
    return rc < 0 ? err_set_errno(e, rc, "KVM takes no irqfd for interrupt %u", gsi) : 0;
}

int kvm_set_doorbell(const struct kvm_vm *vm, const struct kvm_doorbell *doorbell, bool add,
                     struct err *e)
{
    struct kvm_ioeventfd event = {
        .datamatch = doorbell->value,
        .addr = doorbell->address,
        .len = doorbell->size_bytes,
        .fd = doorbell->fd,
        .flags = (doorbell->match ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0u) |
                 (doorbell->pio ? KVM_IOEVENTFD_FLAG_PIO : 0u) |
                 (add ? 0u : KVM_IOEVENTFD_FLAG_DEASSIGN),
    };
    int rc = kvm_call(vm->fd, KVM_IOEVENTFD, &event);
    return rc < 0 ? err_set_errno(e, rc, "KVM takes no ioeventfd at 0x%llx",
                                  (unsigned long long)doorbell->address)
                  : 0;
}
