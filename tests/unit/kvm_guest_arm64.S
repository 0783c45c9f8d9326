/* kvm_guest_arm64.S: what test_kvm_arm64.c runs at EL1 without the MMU. A write to offset 0 of the
 * device at 0x0a000000 stops the machine, those to other places are noted.
 */
        .section .rodata
        .balign 4
        .globl  guest_saved, guest_saved_end

/* Opens the CPU interface and stops; then tells which interrupt is pending, and what it kept in
 * registers of several kinds. */
guest_saved:
        mov     x0, #7
        msr     S3_0_C12_C12_5, x0      /* ICC_SRE_EL1 */
        isb
        mov     x0, #0xf0
        msr     S3_0_C4_C6_0, x0        /* ICC_PMR_EL1 */
        mov     x0, #1
        msr     S3_0_C12_C12_7, x0      /* ICC_IGRPEN1_EL1 */
        mov     x0, #3 << 20            /* floating point */
        msr     cpacr_el1, x0
        isb
        movz    x1, #0x0a00, lsl #16
        movz    x9, #0x1234
        fmov    d9, x9
        msr     tpidr_el1, x9
        str     w9, [x1]
        mrs     x3, S3_0_C12_C12_0      /* ICC_IAR1_EL1 */
        str     w3, [x1, #4]
        fmov    x4, d9
        str     w4, [x1, #8]
        movz    x10, #0x4000, lsl #16
        movk    x10, #0x800
        str     w9, [x10]
        mrs     x5, tpidr_el1
        str     w5, [x1, #12]
        str     w9, [x1]
        b       .
guest_saved_end:
        .section .note.GNU-stack, "", %progbits
