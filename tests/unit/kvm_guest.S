/* kvm_guest.S: what test_kvm.c runs in a guest: 32-bit protected mode, flat, without paging. Each
 * program is copied to guest address 0x1000 and ends by a write to port 0xf4.
 */
        .macro program name
        .globl guest_\name
        .balign 16
guest_\name:
        .endm
        .macro finish name
        movb    $0, %al
        outb    %al, $0xf4
1:      hlt
        jmp     1b
        .globl guest_\name\()_end
guest_\name\()_end:
        .endm

        .section .rodata
        .code32

/* Ports and device memory of each width; the argument; a string of bytes to a port. */
        program io
        movl    %ebx, 0x3000
        movb    $0x5a, %al
        outb    %al, $0x10
        inb     $0x11, %al
        outb    %al, $0x10
        inl     $0x12, %eax
        movl    %eax, 0x3004
        movl    0xd0000000, %eax
        incl    %eax
        movl    %eax, 0xd0000004
        movb    $0x12, 0xd0000008
        movw    $0x3456, 0xd000000a
        movl    $0x77665544, 0xd0000ffd /* across pages: three bytes and one */
        movl    $0x3000, %esi
        movl    $4, %ecx
        movw    $0x10, %dx
        cld
        rep outsb
        inb     $0x99, %al              /* nobody is there */
        movb    %al, 0x3008
        finish  io

/* Writes to the doorbell at 0xd0001000 that only the second matches. */
        program doorbell
        movl    $6, 0xd0001000
        movl    $7, 0xd0001000
        finish  doorbell

/* Writes a byte in pages 0x10 and 0x12 of memory and reads page 0x11. */
        program dirty
        movb    $1, 0x10000
        movb    0x11000, %al
        movb    $2, 0x12fff
        finish  dirty

/* Writes a byte in each page from the second megabyte to the address in EBX. */
        program fill
        movl    $0x100000, %edi
1:      movb    $1, (%edi)
        addl    $0x1000, %edi
        cmpl    %ebx, %edi
        jb      1b
        finish  fill

/* Counts at 0x3000 for ever. No interrupt reaches it: STI holds them back for one instruction more.
 * Bochs looks for the host's only where a guest changes its mask. */
        program count
1:      incl    0x3000
        sti
        cli
        jmp     1b
        finish  count

/* An interrupt from line 5 of the first 8259, by vector 0x25: counts at 0x3000 and asks for the next
 * by port 0x20; after the third it ends. The descriptor tables are the test's: see test_kvm.c. */
        program interrupt
        movl    $0x8000, %esp
        lgdt    0x2000
        lidt    0x2008
        ljmp    $0x10, $0x1000 + (2f - guest_interrupt)
2:      movb    $0x11, %al
        outb    %al, $0x20
        movb    $0x20, %al
        outb    %al, $0x21
        movb    $4, %al
        outb    %al, $0x21
        movb    $1, %al
        outb    %al, $0x21
        movb    $0xdf, %al
        outb    %al, $0x21
        movb    $0, %al
        outb    %al, $0x10              /* ready */
3:      sti
        hlt
        cli
        cmpl    $3, 0x3000
        jb      3b
        finish  interrupt
        .globl guest_interrupt_handler
guest_interrupt_handler:
        incl    0x3000
        movb    $0x20, %al
        outb    %al, $0x20
        movb    0x3000, %al
        outb    %al, $0x10
        popl    %eax                    /* no IRET: software KVMs do not all have it here */
        addl    $8, %esp
        jmp     *%eax
        .globl guest_interrupt_handler_end
guest_interrupt_handler_end:

/* The same by messages to the local APIC. */
        program message
        movl    $0x8000, %esp
        lgdt    0x2000
        lidt    0x2008
        ljmp    $0x10, $0x1000 + (2f - guest_message)
2:      movl    $0x1ff, 0xfee000f0      /* the APIC on; spurious ones by vector 0xff */
        movb    $0, %al
        outb    %al, $0x10
3:      sti
        hlt
        cli
        cmpl    $3, 0x3000
        jb      3b
        finish  message
        .globl guest_message_handler
guest_message_handler:
        incl    0x3000
        movl    $0, 0xfee000b0          /* EOI */
        movb    0x3000, %al
        outb    %al, $0x10
        popl    %eax
        addl    $8, %esp
        jmp     *%eax
        .globl guest_message_handler_end
guest_message_handler_end:

/* Each general register has a value of its own; ends, and goes on to tell their sum. */
        program state
        movl    $0x11111111, %eax
        movl    $0x02020202, %ebx
        movl    $0x30303030, %ecx
        movl    $0x00400400, %edx
        movl    $0x5, %esi
        movl    $0x6, %edi
        movl    $0x7, %ebp
        outb    %al, $0xf4
        addl    %ebx, %eax
        addl    %ecx, %eax
        addl    %edx, %eax
        addl    %esi, %eax
        addl    %edi, %eax
        addl    %ebp, %eax
        movl    %eax, 0x3000
        finish  state

/* For a machine that is saved at its first write to 0xf4 and goes on elsewhere. Until then: the APIC
 * in x2APIC mode, its timer running towards vector 0x25, an interrupt to itself by vector 0x26
 * pending, XMM1 loaded from 0x3020. Then both interrupts are taken (each ORs its bit into 0x3000)
 * and XMM1 is stored to 0x3030. */
        .macro  write_msr number, value
        movl    $\number, %ecx
        movl    $\value, %eax
        xorl    %edx, %edx
        wrmsr
        .endm
        program saved
        movl    $0x8000, %esp
        lgdt    0x2000
        lidt    0x2008
        ljmp    $0x10, $0x1000 + (2f - guest_saved)
2:      movl    $0x600, %eax            /* SSE */
        movl    %eax, %cr4
        movl    $0x1b, %ecx
        rdmsr
        orl     $0xc00, %eax            /* x2APIC */
        wrmsr
        write_msr 0x80f, 0x1ff
        write_msr 0x83e, 0x3            /* divided by 16 */
        write_msr 0x832, 0x25           /* once */
        write_msr 0x838, 0x400000
        movaps  0x3020, %xmm1
        write_msr 0x83f, 0x26
        movl    $0x12345678, %esi
        outb    %al, $0xf4
        movaps  %xmm1, 0x3030
        movl    %esi, 0x3004
3:      sti
        hlt
        cli
        cmpl    $3, 0x3000
        jb      3b
        finish  saved
        .globl guest_timer_handler
guest_timer_handler:
        orl     $1, 0x3000
        write_msr 0x80b, 0
        popl    %eax
        addl    $8, %esp
        jmp     *%eax
        .globl guest_timer_handler_end
guest_timer_handler_end:
        .globl guest_self_handler
guest_self_handler:
        orl     $2, 0x3000
        write_msr 0x80b, 0
        popl    %eax
        addl    $8, %esp
        jmp     *%eax
        .globl guest_self_handler_end
guest_self_handler_end:

        .section .note.GNU-stack, "", @progbits
