/* syscalls.h: the arm64 system call table, one row a call.
 *
 * X(number, name, kind, arguments): kind CALL has a handler linux_sys_NAME(); kind PASS goes to the
 * host's call of the same name with the same arguments; kind NONE does not exist for arm64 programs
 * here and returns ENOSYS. `arguments` is how strace.c prints them, a letter each.
 *
 * Source: Linux 6.1, include/uapi/asm-generic/unistd.h as arch/arm64 uses it.
 */
#ifndef PENG_CORE_LINUX_SYSCALLS_H
#define PENG_CORE_LINUX_SYSCALLS_H

/* clang-format off */
#define LINUX_CALLS(X, PASS, CALL, NONE)                                                           \
    X(64, write, PASS, "dbu")                                                                      \
    X(93, exit, CALL, "d")                                                                         \
    X(94, exit_group, CALL, "d")
/* clang-format on */

#endif
