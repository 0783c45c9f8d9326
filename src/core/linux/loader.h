/* loader.h: the parts of starting a program: files to segments (loader.c), arguments to a stack
 * (stack.c).
 */
#ifndef PENG_CORE_LINUX_LOADER_H
#define PENG_CORE_LINUX_LOADER_H

#include "core/linux/linux_int.h"

/* What the stack tells the program about itself. */
struct linux_start {
    char *const *argv, *const *envp;
    const char *exec_name; /* AT_EXECFN */
    uint64_t phdrs, interpreter_base, entry;
    unsigned phdr_count;
    bool stack_executable;
    bool randomize;
    uint8_t random[32]; /* 16 for AT_RANDOM, the others for addresses */
};

/* Maps the stack and fills it; sets the layout and the stack pointer. */
int linux_stack_build(struct linux_process *p, struct linux_thread *t,
                      const struct linux_start *start, struct err *e);

/* Tells the host kernel where the guest's arguments, environment and auxiliary vector are, so that
 * /proc/PID/cmdline and ps are right for everybody who asks; names the process (procfs.c). */
void linux_proc_publish(struct linux_process *p);

/* Opens an absolute path in the sysroot, where there is one that has it, else as it is: descriptor
 * or -errno. */
int linux_open_file(const struct linux_config *config, const char *path);

#endif
