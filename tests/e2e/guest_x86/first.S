/* first.S: its first instructions say that it runs: one byte on the serial port, then it halts. */
        .section .note.pvh, "a", @note
        .align  4
        .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   start

        .text
        .code32
        .globl  start
start:  movw    $0x3f8, %dx
        movb    $'!', %al
        outb    %al, %dx
        cli
1:      hlt
        jmp     1b
