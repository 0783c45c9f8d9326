/* bochs.S: starts a kernel in Bochs without a boot loader, as a ROM of 512 bytes that its BIOS calls when the
 * tables of ACPI are made and before it looks for anything to boot (bochs.py). In flat protected mode it
 * reads consecutive parts of the first ATA disk, which PARTS lists by address and sectors, and enters
 * the kernel as Linux's 32-bit boot protocol has it (Documentation/x86/boot.rst): selectors 0x10 and 0x18, the
 * boot parameters in ESI.
 */
        .set    ROM, 0xd0000            /* where bochs.py puts it */
        .set    PARAMETERS, 0xf00000
        .set    KERNEL, 0x1000000
        .set    ATA, 0x1f0
        .set    PARTS, 480              /* eight bytes each, the last is empty; filled in by bochs.py */

        .text
        .code16
rom:    .byte   0x55, 0xaa, 1           /* signature, one sector */
        cli
        movw    %cs, %ax
        movw    %ax, %ds
        inb     $0x92, %al
        orb     $2, %al                 /* A20 */
        outb    %al, $0x92
        lgdtl   table - rom
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $0x10, $ROM + (flat - rom)

        .code32
flat:   movw    $0x18, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x8000, %esp
        cld
        movl    $ROM + PARTS, %ebp
        xorl    %ebx, %ebx              /* the next sector of the disk */
part:   movl    (%ebp), %edi
        movl    4(%ebp), %esi           /* how many are left */
        addl    $8, %ebp
        testl   %esi, %esi
        jz      start
sector: call    ready
        movl    %ebx, %eax
        shrl    $24, %eax
        orb     $0xe0, %al              /* the first disk, by LBA */
        movw    $ATA + 6, %dx
        outb    %al, %dx
        movb    $1, %al
        movw    $ATA + 2, %dx
        outb    %al, %dx
        movl    %ebx, %eax
        movl    $3, %ecx
1:      incl    %edx                    /* LBA bits 0 to 23 */
        outb    %al, %dx
        shrl    $8, %eax
        loop    1b
        movb    $0x20, %al              /* READ SECTORS */
        movw    $ATA + 7, %dx
        outb    %al, %dx
2:      call    ready
        testb   $8, %al                 /* DRQ */
        jz      2b
        movl    $256, %ecx
        movw    $ATA, %dx
        rep insw
        incl    %ebx
        decl    %esi
        jnz     sector
        jmp     part

ready:  movw    $ATA + 7, %dx
1:      inb     %dx, %al
        testb   $0x80, %al              /* BSY */
        jnz     1b
        ret

start:  movl    $PARAMETERS, %esi
        movl    $KERNEL, %eax
        xorl    %ebx, %ebx
        xorl    %ebp, %ebp
        xorl    %edi, %edi
        jmp     *%eax

        .balign 8
gdt:    .quad   0, 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
table:  .word   . - gdt - 1
        .long   ROM + (gdt - rom)
        .fill   512 - (. - rom), 1, 0
