/* arch.h: what differs between the two architectures in a test's own sight. */
#ifndef PENG_TESTS_LINUX_ARCH_H
#define PENG_TESTS_LINUX_ARCH_H

#include <linux/audit.h>

#ifdef __aarch64__
#define ARCH_AUDIT      AUDIT_ARCH_AARCH64
#define ARCH_PC(uc)     ((uc)->uc_mcontext.pc)
#define ARCH_RESULT(uc) ((uc)->uc_mcontext.regs[0])
#else
#define ARCH_AUDIT      AUDIT_ARCH_X86_64
#define ARCH_PC(uc)     ((uc)->uc_mcontext.gregs[REG_RIP])
#define ARCH_RESULT(uc) ((uc)->uc_mcontext.gregs[REG_RAX])
#endif

#endif
