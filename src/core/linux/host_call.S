/* host_call.S: a system call that a signal either finds not begun or finds done.
 *
 * int64_t linux_host_call_window(const volatile int *pending, long number, a0 ... a5)
 *
 * Between `begin` and `end` the host's signal handler can tell by rip alone: before or at the
 * `syscall` instruction, which is also where the kernel puts rip when it wants the call made again,
 * it moves rip to `interrupted`. A signal that came before `begin` is seen by the test. So the call
 * is never made with a signal waiting that would have interrupted it.
 */
    .text
    .globl linux_host_call_window, linux_host_call_begin, linux_host_call_syscall
    .globl linux_host_call_end, linux_host_call_interrupted, linux_host_sigreturn
    .hidden linux_host_call_window, linux_host_call_begin, linux_host_call_syscall
    .hidden linux_host_call_end, linux_host_call_interrupted, linux_host_sigreturn
    .type linux_host_call_window, @function
linux_host_call_window:
    .cfi_startproc
    mov %rdi, %r11
    mov %rsi, %rax
    mov %rdx, %rdi
    mov %rcx, %rsi
    mov %r8, %rdx
    mov %r9, %r10
    mov 8(%rsp), %r8
    mov 16(%rsp), %r9
linux_host_call_begin:
    cmpl $0, (%r11)
    jne linux_host_call_interrupted
linux_host_call_syscall:
    syscall
linux_host_call_end:
    ret
linux_host_call_interrupted:
    mov $-512, %rax /* -LINUX_ERESTART */
    ret
    .cfi_endproc
    .size linux_host_call_window, . - linux_host_call_window

/* What the kernel wants as sa_restorer on x86-64: rt_sigreturn. */
    .type linux_host_sigreturn, @function
linux_host_sigreturn:
    mov $15, %eax
    syscall
    .size linux_host_sigreturn, . - linux_host_sigreturn

    .section .note.GNU-stack, "", @progbits
