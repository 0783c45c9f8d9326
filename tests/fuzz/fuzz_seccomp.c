/* fuzz_seccomp.c: seccomp's BPF: 64 bytes of data, then a program. What the check lets through must
 * end, inside its program and its words (the sanitizers watch), and the same way twice. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/linux/seccomp_bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct seccomp_data data = {0};
    size_t head = size < sizeof data ? size : sizeof data;
    memcpy(&data, bytes, head);
    size_t length = (size - head) / sizeof(struct sock_filter);
    struct sock_filter *program = malloc(length ? length * sizeof *program : 1);
    assert(program);
    memcpy(program, bytes + head, length * sizeof *program);
    if (seccomp_bpf_check(program, length) == 0) {
        assert(BPF_CLASS(program[length - 1].code) == BPF_RET);
        uint32_t once = seccomp_bpf_run(program, &data);
        assert(seccomp_bpf_run(program, &data) == once);
    }
    free(program);
    return 0;
}
