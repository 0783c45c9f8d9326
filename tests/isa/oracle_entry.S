/* oracle_entry.S: the way into a vector with every register loaded, and the ways back out.
 *
 * oracle_enter(slot address, state) saves the caller's registers, loads all of the vector's but x0 and jumps to
 * the slot's first word; the slot itself loads x0 (oracle_arm64.c writes that code). Each landing pad branches to
 * its own stub in oracle_stubs, which parks x0 in TPIDR_EL0 and saves everything to the area of that word.
 */
#include "../registers.S"
#define STATE_HI 0x0600
#define HOST_HI  0x0700 /* where the caller's registers wait */

    .text
    .global oracle_enter
oracle_enter:
    mov x9, #HOST_HI
    lsl x9, x9, #16
    pairs stp, x, 19, 30, x9, 0
    mov x10, sp
    mrs x11, tpidr_el0
    stp x10, x11, [x9, #96]
    pairs stp, d, 8, 15, x9, 112
    clrex
    add x2, x1, #256
    pairs ldp, q, 0, 31, x2, 0, 16
    add x2, x1, #768
    ldp x3, x4, [x2]
    ldr x5, [x2, #16]
    msr nzcv, x3
    msr fpcr, x4
    msr fpsr, x5
    ldr x3, [x1, #248]
    mov sp, x3
    pairs ldp, x, 2, 29, x1, 16
    ldr x30, [x1, #240]
    ldr x1, [x1, #8]
    br x0

    /* x0: the area. The vector's x0 is in TPIDR_EL0. */
oracle_save:
    pairs stp, x, 1, 30, x0, 8
    mrs x1, tpidr_el0
    str x1, [x0]
    mov x1, sp
    str x1, [x0, #248]
    mrs x1, nzcv
    mrs x2, fpcr
    mrs x3, fpsr
    add x4, x0, #768
    stp x1, x2, [x4]
    str x3, [x4, #16]
    add x2, x0, #256
    pairs stp, q, 0, 31, x2, 0, 16

    /* Back to oracle_enter's caller with x0 as the result; also where the signal handler goes. */
    .global oracle_return
oracle_return:
    msr fpcr, xzr
    mov x9, #HOST_HI
    lsl x9, x9, #16
    ldp x10, x11, [x9, #96]
    mov sp, x10
    msr tpidr_el0, x11
    pairs ldp, x, 19, 30, x9, 0
    pairs ldp, d, 8, 15, x9, 112
    ret

    .global oracle_stubs
oracle_stubs: /* 16 bytes each, one a word of the slot */
    .set k, 0
    .rept 64
    msr tpidr_el0, x0
    mov x0, #(k * 1024)
    movk x0, #STATE_HI, lsl #16
    b oracle_save
    .set k, k + 1
    .endr

    .section .note.GNU-stack, "", %progbits
