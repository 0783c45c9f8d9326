/* host_thread.S: the ends of a host thread's life for which there is no stack to stand on.
 */
    .text
    .globl linux_host_clone, linux_host_leave
    .hidden linux_host_clone, linux_host_leave

/* long linux_host_clone(long number, a0, a1, a2, a3, a4): clone or clone3 onto a stack that ends in
 * a function and its argument; the child calls it. */
    .type linux_host_clone, @function
linux_host_clone:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    syscall
    test %rax, %rax
    jz 1f
    ret
1:  xor %ebp, %ebp
    pop %rax
    pop %rdi
    call *%rax
    ud2
    .size linux_host_clone, . - linux_host_clone

/* void linux_host_leave(void *stack, size_t size_bytes, int status): unmaps the stack that it runs
 * on and ends the thread. Signals are blocked. */
    .type linux_host_leave, @function
linux_host_leave:
    mov %edx, %r12d
    mov $11, %eax /* munmap */
    syscall
    mov %r12d, %edi
    mov $60, %eax /* exit */
    syscall
    ud2
    .size linux_host_leave, . - linux_host_leave

    .section .note.GNU-stack, "", @progbits
