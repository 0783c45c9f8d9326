/* oracle_entry.S: the way into a vector with every register loaded, and the ways back out.
 *
 * oracle_enter(slot address, state) saves the caller's registers, loads all of the vector's but x0 and jumps to
 * the slot's first word; the slot itself loads x0 (oracle_arm64.c writes that code). Each landing pad branches to
 * its own stub in oracle_stubs, which parks x0 in TPIDR_EL0 and saves everything to the area of that word.
 */
#define STATE_HI 0x0600
#define HOST_HI  0x0700 /* where the caller's registers wait */

    .text
    .global oracle_enter
oracle_enter:
    mov x9, #HOST_HI
    lsl x9, x9, #16
    stp x19, x20, [x9]
    stp x21, x22, [x9, #16]
    stp x23, x24, [x9, #32]
    stp x25, x26, [x9, #48]
    stp x27, x28, [x9, #64]
    stp x29, x30, [x9, #80]
    mov x10, sp
    mrs x11, tpidr_el0
    stp x10, x11, [x9, #96]
    stp d8, d9, [x9, #112]
    stp d10, d11, [x9, #128]
    stp d12, d13, [x9, #144]
    stp d14, d15, [x9, #160]
    clrex
    add x2, x1, #256
    ldp q0, q1, [x2]
    ldp q2, q3, [x2, #32]
    ldp q4, q5, [x2, #64]
    ldp q6, q7, [x2, #96]
    ldp q8, q9, [x2, #128]
    ldp q10, q11, [x2, #160]
    ldp q12, q13, [x2, #192]
    ldp q14, q15, [x2, #224]
    ldp q16, q17, [x2, #256]
    ldp q18, q19, [x2, #288]
    ldp q20, q21, [x2, #320]
    ldp q22, q23, [x2, #352]
    ldp q24, q25, [x2, #384]
    ldp q26, q27, [x2, #416]
    ldp q28, q29, [x2, #448]
    ldp q30, q31, [x2, #480]
    add x2, x1, #768
    ldp x3, x4, [x2]
    ldr x5, [x2, #16]
    msr nzcv, x3
    msr fpcr, x4
    msr fpsr, x5
    ldr x3, [x1, #248]
    mov sp, x3
    ldp x2, x3, [x1, #16]
    ldp x4, x5, [x1, #32]
    ldp x6, x7, [x1, #48]
    ldp x8, x9, [x1, #64]
    ldp x10, x11, [x1, #80]
    ldp x12, x13, [x1, #96]
    ldp x14, x15, [x1, #112]
    ldp x16, x17, [x1, #128]
    ldp x18, x19, [x1, #144]
    ldp x20, x21, [x1, #160]
    ldp x22, x23, [x1, #176]
    ldp x24, x25, [x1, #192]
    ldp x26, x27, [x1, #208]
    ldp x28, x29, [x1, #224]
    ldr x30, [x1, #240]
    ldr x1, [x1, #8]
    br x0

    /* x0: the area. The vector's x0 is in TPIDR_EL0. */
oracle_save:
    stp x1, x2, [x0, #8]
    stp x3, x4, [x0, #24]
    stp x5, x6, [x0, #40]
    stp x7, x8, [x0, #56]
    stp x9, x10, [x0, #72]
    stp x11, x12, [x0, #88]
    stp x13, x14, [x0, #104]
    stp x15, x16, [x0, #120]
    stp x17, x18, [x0, #136]
    stp x19, x20, [x0, #152]
    stp x21, x22, [x0, #168]
    stp x23, x24, [x0, #184]
    stp x25, x26, [x0, #200]
    stp x27, x28, [x0, #216]
    stp x29, x30, [x0, #232]
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
    stp q0, q1, [x2]
    stp q2, q3, [x2, #32]
    stp q4, q5, [x2, #64]
    stp q6, q7, [x2, #96]
    stp q8, q9, [x2, #128]
    stp q10, q11, [x2, #160]
    stp q12, q13, [x2, #192]
    stp q14, q15, [x2, #224]
    stp q16, q17, [x2, #256]
    stp q18, q19, [x2, #288]
    stp q20, q21, [x2, #320]
    stp q22, q23, [x2, #352]
    stp q24, q25, [x2, #384]
    stp q26, q27, [x2, #416]
    stp q28, q29, [x2, #448]
    stp q30, q31, [x2, #480]

    /* Back to oracle_enter's caller with x0 as the result; also where the signal handler goes. */
    .global oracle_return
oracle_return:
    msr fpcr, xzr
    mov x9, #HOST_HI
    lsl x9, x9, #16
    ldp x10, x11, [x9, #96]
    mov sp, x10
    msr tpidr_el0, x11
    ldp x19, x20, [x9]
    ldp x21, x22, [x9, #16]
    ldp x23, x24, [x9, #32]
    ldp x25, x26, [x9, #48]
    ldp x27, x28, [x9, #64]
    ldp x29, x30, [x9, #80]
    ldp d8, d9, [x9, #112]
    ldp d10, d11, [x9, #128]
    ldp d12, d13, [x9, #144]
    ldp d14, d15, [x9, #160]
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
