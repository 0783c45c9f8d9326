/* ptrace_regs.h: the registers that ptrace.c needs, by the same names on both architectures. */
#ifndef PENG_TESTS_LINUX_PTRACE_REGS_H
#define PENG_TESTS_LINUX_PTRACE_REGS_H

#include <elf.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#ifdef __aarch64__

typedef struct user_regs_struct registers;
enum { BREAK_BYTES = 4, BREAK_LEAVES_PC = 0 };
static const uint32_t break_instruction = 0xd4200000;

static inline uint64_t *reg_pc(registers *r)
{
    return (uint64_t *)&r->pc;
}
static inline uint64_t *reg_result(registers *r)
{
    return (uint64_t *)&r->regs[0];
}
static inline void set_call(int pid, registers *r, int number)
{
    struct iovec iov = {&number, sizeof(number)};
    ptrace(PTRACE_SETREGSET, pid, 0x404, &iov); /* NT_ARM_SYSTEM_CALL */
}

#else

typedef struct user_regs_struct registers;
enum { BREAK_BYTES = 1, BREAK_LEAVES_PC = 1 };
static const uint8_t break_instruction = 0xcc;

static inline uint64_t *reg_pc(registers *r)
{
    return (uint64_t *)&r->rip;
}
static inline uint64_t *reg_result(registers *r)
{
    return (uint64_t *)&r->rax;
}
static inline void set_call(int pid, registers *r, int number)
{
    struct iovec iov = {r, sizeof(*r)};
    r->orig_rax = (unsigned long)(long)number;
    ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov);
}

#endif

static inline long get_registers(int pid, registers *r)
{
    struct iovec iov = {r, sizeof(*r)};
    return ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov);
}
static inline long set_registers(int pid, registers *r)
{
    struct iovec iov = {r, sizeof(*r)};
    return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov);
}

#endif
