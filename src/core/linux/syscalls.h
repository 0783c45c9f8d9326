/* syscalls.h: the arm64 system call table, one row a call.
 *
 * X(number, name, kind, arguments): kind CALL has a handler linux_sys_NAME(); kind PASS goes to the
 * host's call of the same name with the same arguments; kind NONE does not exist for arm64 programs
 * here and returns ENOSYS. `arguments` is how strace.c prints them: a word each, from the table in
 * strace_args.c; a word that ends in `>` is printed after the call, as it is an output.
 *
 * Source: Linux 6.1, include/uapi/asm-generic/unistd.h as arch/arm64 uses it.
 */
#ifndef PENG_CORE_LINUX_SYSCALLS_H
#define PENG_CORE_LINUX_SYSCALLS_H

/* clang-format off */
#define LINUX_CALLS(X, PASS, CALL, NONE)                                                           \
    X(64, write, PASS, "fd buf size")                                                                      \
    X(93, exit, CALL, "int")                                                                         \
    X(94, exit_group, CALL, "int")
/* clang-format on */

#endif
