/* head.S: the arm64 Image header, the way from reset to C on every CPU, and the exception vectors.
 *
 * Linked at and loaded to RAM + 2 MiB (the header asks for text_offset 0). x0 holds the device tree on the
 * first CPU and PSCI's context identifier on the others, which is the address of their struct cpu.
 */
#include "../registers.S"
    .section .head, "ax"
    .global _start
_start:
    b boot
    .word 0
    .quad 0                     /* text_offset */
    .quad image_end - _start    /* image_size, .bss included */
    .quad 0xa                   /* flags: little-endian, 4 KiB pages, anywhere */
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .word 0

boot:
    ldr x1, =bss_start
    ldr x2, =image_end
0:  stp xzr, xzr, [x1], #16
    cmp x1, x2
    b.lo 0b
    ldr x0, =cpus
    b start_cpu

    .global secondary_entry
secondary_entry:
start_cpu: /* x0: struct cpu */
    mrs x1, currentel
    cmp x1, #2 << 2
    b.ne 0f
    ldr x1, =(1 << 34 | 1 << 31 | 1 << 27) /* E2H, RW, TGE: the names below are EL2's registers */
    msr hcr_el2, x1
    isb
0:
    msr tpidr_el1, x0
    ldr x1, =vectors
    msr vbar_el1, x1
    msr spsel, #1
    ldr x1, [x0]                /* stack_top; not set yet for the first CPU */
    ldr x2, =first_stack + 16384
    cmp x1, #0
    csel x1, x1, x2, ne
    mov sp, x1
    mov x1, #3 << 20
    msr cpacr_el1, x1
    isb
    bl cpu_main
1:  wfi
    b 1b

/* One entry: all registers to a frame of 36 words, then exception(frame, vector number). */
    .macro entry number
    .balign 128
    sub sp, sp, #288
    stp x0, x1, [sp]
    mov x0, #\number
    b save_frame
    .endm

    .balign 2048
    .global vectors
vectors:
    .set k, 0
    .rept 16
    entry k
    .set k, k + 1
    .endr

save_frame:
    pairs stp, x, 2, 29, sp, 16
    mrs x1, elr_el1
    stp x30, x1, [sp, #240]
    mrs x1, spsr_el1
    mrs x2, esr_el1
    stp x1, x2, [sp, #256]
    mrs x1, far_el1
    stp x1, x0, [sp, #272]
    mov x0, sp
    bl exception
    ldp x30, x1, [sp, #240]
    msr elr_el1, x1
    ldr x1, [sp, #256]
    msr spsr_el1, x1
    pairs ldp, x, 2, 29, sp, 16
    ldp x0, x1, [sp]
    add sp, sp, #288
    eret

/* void enter(uint64_t pc, uint64_t spsr, uint64_t sp_el0, uint64_t x0): ERETs there with the callee-saved
 * registers kept in struct cpu; leave() comes back as if enter() had returned. */
    .global enter
enter:
    mrs x9, tpidr_el1
    add x9, x9, #16
    pairs stp, x, 19, 30, x9, 0
    mov x10, sp
    str x10, [x9, #96]
    msr elr_el1, x0
    msr spsr_el1, x1
    msr sp_el0, x2
    mov x0, x3
    eret

    .global leave
leave: /* on the exception stack of this CPU */
    mrs x9, tpidr_el1
    add x9, x9, #16
    pairs ldp, x, 19, 30, x9, 0
    ldr x10, [x9, #96]
    msr spsel, #1
    mov sp, x10
    ret

    .section .bss
    .balign 16
first_stack:
    .skip 16384
