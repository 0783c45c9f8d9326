/* hello.S: the smallest kernel that peng starts on x86: PVH, 32-bit, without paging. It says on the
 * serial port what it got (the magic of the start block, the command line) and switches the machine
 * off; with "reset" as the command line it resets it instead, by the keyboard controller, and with
 * "fault" by three faults.
 */
        .section .note.pvh, "a", @note
        .align  4
        .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   start

        .text
        .code32
        .globl  start
start:  movl    $0x8000, %esp
        cmpl    $0x336ec578, (%ebx)
        jne     off
        movl    $hello, %esi
        call    say
        movl    24(%ebx), %esi          /* the command line */
        movl    (%esi), %ebp
        call    say
        movl    $newline, %esi
        call    say
        cmpl    $0x65736572, %ebp       /* "rese" */
        je      reset
        cmpl    $0x6c756166, %ebp       /* "faul" */
        je      fault
off:    movw    $0x604, %dx             /* PM1a_CNT: S5 */
        movw    $0x3400, %ax
        outw    %ax, %dx
1:      hlt
        jmp     1b
reset:  movb    $0xfe, %al
        outb    %al, $0x64
        jmp     1b
fault:  ud2

say:    movw    $0x3f8, %dx
2:      movb    (%esi), %al
        testb   %al, %al
        jz      3f
        outb    %al, %dx
        incl    %esi
        jmp     2b
3:      ret

hello:  .asciz  "hello, "
newline:
        .asciz  "\n"
        .section .note.GNU-stack, "", @progbits
