/* registers.S: a row of registers to or from consecutive memory, for tests' assembler files to include. */
    .macro pair op, kind, first, second, base, offset
    \op \kind\first, \kind\second, [\base, #\offset]
    .endm

/* stp or ldp of registers `first` to `last` (an even number of them) of `kind` x, d or q, of `size` bytes each,
 * at `base` + `offset`. */
    .macro pairs op, kind, first, last, base, offset, size=8
    .altmacro
    .set number, \first
    .rept (\last - \first + 1) / 2
    pair \op, \kind, %number, %(number + 1), \base, %(\offset + (number - \first) * \size)
    .set number, number + 2
    .endr
    .noaltmacro
    .endm
