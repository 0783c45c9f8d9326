/* linux.h: Linux user mode: one arm64 process run on an x86-64 kernel, system calls and signals
 * included.
 *
 * Guest addresses are host addresses, guest threads are host threads, guest file descriptors are
 * host file descriptors, and the kernel's own idea of the process (pid, credentials, limits, signal
 * dispositions as far as they go) is the guest's. What differs between the two architectures is
 * converted; everything else passes through.
 *
 * Source: Linux 6.1, include/uapi and arch/arm64.
 */
#ifndef PENG_CORE_LINUX_LINUX_H
#define PENG_CORE_LINUX_LINUX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct linux_gdb_ops;

struct linux_config {
    const char *program;       /* file to run, as the user or binfmt_misc named it */
    int program_fd;            /* open on it, which is taken over; or -1 */
    const char *exec_name;     /* AT_EXECFN; NULL: `program` */
    char **argv, **envp;       /* the guest's, ended by NULL */
    const char *sysroot;       /* looked in first for absolute paths (-L); NULL: none */
    const char *cpu;           /* model name; NULL: the default */
    const char *release;       /* uname -r to report; NULL: the host's */
    const char *host_features; /* hostcpu_parse(): translate for no more than these; NULL: all */
    uint64_t host_cpu;         /* hostcpu_pack(), as the program before found it; 0: look */
    uint64_t stack_bytes;      /* 0: as RLIMIT_STACK says */
    uint64_t code_cache_bytes; /* for translations; 0: the default */
    int profile_fd;            /* where --profile prints; -1: standard error */
    int report_fd;             /* where --strace and --stats print; -1: standard error */
    const char *self_name;     /* where this program's own file was found; NULL: /proc tells */
    int self_fd;    /* this program's own file, close-on-exec, for running itself; -1: use /proc */
    int seccomp_fd; /* filters of the program before this one (seccomp.c), or -1 */
    bool interpreter; /* run on the interpreter instead of the translator */
    bool strace;
    bool profile;
    bool stats;                      /* print the translator's statistics on exit, to stderr */
    const struct linux_gdb_ops *gdb; /* borrowed; who debugs it from its first instruction on
                                        (gdb.h), NULL: nobody */
    const struct log *log;
};

/* Runs the program; its exit ends this process. Returns only where it could not be started:
 * -ENOENT (no such file: the shell's 127), -EACCES, -ENOEXEC, -ENOMEM ... (126); `e` says why in
 * one line. */
int linux_run(const struct linux_config *config, struct err *e);

#endif
