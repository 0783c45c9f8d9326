/* paged.S: a PVH kernel for the debugger's test: it switches to 64-bit mode, goes on at `high` by an
 * address 0xffffffff80000000 above where it is loaded, works on `counter` there, says "done" and
 * switches the machine off.
 */
        .set    OFFSET, 0xffffffff80000000
        .set    TABLES, 0x300000        /* PML4, two PDPTs, one directory */

        .section .note.pvh, "a", @note
        .align  4
        .long   4, 4, 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz  "Xen"
        .long   start

        .text
        .code32
        .globl  start, far, high, last, counter
start:  movl    $TABLES + 0x1003, TABLES                /* low: as it is */
        movl    $TABLES + 0x2003, TABLES + 511 * 8      /* high */
        movl    $TABLES + 0x3003, TABLES + 0x1000
        movl    $TABLES + 0x3003, TABLES + 0x2000 + 510 * 8
        movl    $0x000083, TABLES + 0x3000              /* two large pages */
        movl    $0x200083, TABLES + 0x3008
        movl    $TABLES, %eax
        movl    %eax, %cr3
        movl    $0x220, %eax            /* PAE, and SSE */
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       /* EFER: long mode */
        rdmsr
        orl     $0x100, %eax
        wrmsr
        lgdt    pointer
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        ljmp    $0x10, $far

        .code64
far:    movabsq $high + OFFSET, %rax
        jmp     *%rax
high:   movabsq $0x1122334455667788, %r15
        movl    $7, counter(%rip)
2:      incl    counter(%rip)
        cmpl    $12, counter(%rip)
        jb      2b
last:   movw    $0x3f8, %dx
        leaq    text(%rip), %rsi
3:      movb    (%rsi), %al
        testb   %al, %al
        jz      4f
        outb    %al, %dx
        incq    %rsi
        jmp     3b
4:      movw    $0x604, %dx             /* PM1a_CNT: S5 */
        movw    $0x3400, %ax
        outw    %ax, %dx
5:      hlt
        jmp     5b

        .align  8
gdt:    .quad   0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
pointer:
        .word   . - gdt - 1
        .long   gdt
counter:
        .long   0
text:   .asciz  "done\n"
        .section .note.GNU-stack, "", @progbits
