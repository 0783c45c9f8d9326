/* firmware.S: the smallest firmware that peng starts on x86: 96 KiB, so that 32 KiB of flash below are its
 * variables. From the reset vector it goes to flat protected mode and says on the serial port what
 * fw_cfg is called ("QEMU") and whether the clock's battery is good. In the first byte of its
 * variables it remembers that it was here: where it was not, it programs it and resets the machine
 * by the chipset's port; else it switches off as OVMF does.
 */
        .set    VARIABLES, 0xfffe0000

        .text
base:   .set    LAST_64K, base + 0x8000 /* what CS reaches at reset */
        .fill   16, 1, 0                /* as the volumes of firmware for x86 begin */

        .code32
flat:   movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x8000, %esp

        movw    $0x510, %dx             /* fw_cfg: the signature, four bytes */
        xorl    %eax, %eax
        outw    %ax, %dx
        movl    $4, %ecx
1:      movw    $0x511, %dx
        inb     %dx, %al
        movw    $0x3f8, %dx
        outb    %al, %dx
        loop    1b

        movb    $13, %al                /* CMOS, register D */
        outb    %al, $0x70
        inb     $0x71, %al
        movl    $clock, %esi
        cmpb    $0x80, %al
        jne     2f
        call    say

2:      movl    $kept, %esi
        cmpb    $'K', VARIABLES
        je      3f
        movb    $0x10, VARIABLES        /* program a byte */
        movb    $'K', VARIABLES
        movb    $0xff, VARIABLES        /* show the array again */
        movl    $new, %esi
        call    say
        movw    $0xcf9, %dx
        movb    $6, %al
        outb    %al, %dx
        hlt
3:      call    say
        movw    $0x604, %dx             /* PM1a_CNT */
        movw    $0x2000, %ax
        outw    %ax, %dx
4:      hlt
        jmp     4b

say:    movw    $0x3f8, %dx
5:      movb    (%esi), %al
        testb   %al, %al
        jz      6f
        outb    %al, %dx
        incl    %esi
        jmp     5b
6:      ret

clock:  .asciz  ", clock"
new:    .asciz  ", new\n"
kept:   .asciz  ", kept\n"

        .org    0x17f80
gdt:    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
table:  .word   . - gdt - 1
        .long   gdt
        .code16
real:   cli
        lgdtl   %cs:(table - LAST_64K)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $8, $flat

        .org    0x17ff0                 /* the reset vector */
        jmp     real
        .org    0x18000
        .section .note.GNU-stack, "", @progbits
