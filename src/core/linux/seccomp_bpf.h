/* seccomp_bpf.h: the classic BPF programs that seccomp filters are.
 *
 * Source: Linux 6.1, net/core/filter.c (bpf_check_classic) and kernel/seccomp.c
 * (seccomp_check_filter).
 */
#ifndef PENG_CORE_LINUX_SECCOMP_BPF_H
#define PENG_CORE_LINUX_SECCOMP_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* 0, or -EINVAL: not a program that seccomp takes. A program that passes ends, and reads nothing
 * but the data, its 16 words and what it wrote to them. */
int seccomp_bpf_check(const struct sock_filter *program, size_t length);

/* What a checked program returns. */
uint32_t seccomp_bpf_run(const struct sock_filter *program, const struct seccomp_data *data);

#endif
