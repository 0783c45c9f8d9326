/* ops.h: every micro-op, once.
 *
 * X(NAME, "operands", flags read, flags written, attributes)
 *   operands, in order of struct ir_op's fields: d destination, a b c sources (integer); D A B C
 * the same for vectors; i immediate; m memory address (base a, index b, see ir_op); t target flags:
 * NZCV read (1) or written (1) whatever the operands say attributes: enum ir_attributes
 *
 * Integer ops work on 32 or 64 bits by `type`; 32-bit results are zero-extended. `b` may carry a
 * modifier (shift or extension, ir_op.mod) or be the immediate (IR_IMM).
 */
#ifndef PENG_CORE_IR_OPS_H
#define PENG_CORE_IR_OPS_H

#define IR_OPS(X)                                                                                  \
    /* bookkeeping */                                                                              \
    X(INSN, "i", 0, 0, 0)         /* a guest instruction starts; imm: its offset in the page; x:   \
                                     what it does is in part the ops' before it, or they theirs    \
                                     behind it, so that it cannot be begun with */                 \
    X(LABEL, "i", 0, 0, IR_JOINS) /* regions: jumped to from others; imm: its page offset, x:      \
                                     jumped to backwards, too */                                   \
    /* moves and arithmetic */                                                                     \
    X(MOVI, "di", 0, 0, 0)                                                                         \
    X(MOV, "da", 0, 0, 0)                                                                          \
    X(PCREL, "di", 0, 0, 0) /* address of the running page + imm */                                \
    X(ADD, "dab", 0, 0, 0)                                                                         \
    X(SUB, "dab", 0, 0, 0)                                                                         \
    X(AND, "dab", 0, 0, 0)                                                                         \
    X(OR, "dab", 0, 0, 0)                                                                          \
    X(XOR, "dab", 0, 0, 0)                                                                         \
    X(ANDN, "dab", 0, 0, 0) /* a & ~b */                                                           \
    X(ORN, "dab", 0, 0, 0)                                                                         \
    X(XORN, "dab", 0, 0, 0)                                                                        \
    X(ADDS, "dab", 0, 1, 0)                                                                        \
    X(SUBS, "dab", 0, 1, 0)                                                                        \
    X(ANDS, "dab", 0, 1, 0)                                                                        \
    X(ANDNS, "dab", 0, 1, 0)                                                                       \
    X(ADC, "dab", 1, 0, 0)                                                                         \
    X(SBC, "dab", 1, 0, 0)                                                                         \
    X(ADCS, "dab", 1, 1, 0)                                                                        \
    X(SBCS, "dab", 1, 1, 0)                                                                        \
    X(SHL, "dab", 0, 0, 0) /* by register or immediate, modulo the width */                        \
    X(SHR, "dab", 0, 0, 0)                                                                         \
    X(SAR, "dab", 0, 0, 0)                                                                         \
    X(ROR, "dab", 0, 0, 0)                                                                         \
    X(UBFX, "da", 0, 0, 0) /* d = a[lsb +: width], zero-extended; lsb = x, width = y */            \
    X(SBFX, "da", 0, 0, 0)                                                                         \
    X(UBFIZ, "da", 0, 0, 0) /* d = a[0 +: width] << lsb */                                         \
    X(SBFIZ, "da", 0, 0, 0)                                                                        \
    X(BFI, "da", 0, 0, 0)   /* d[lsb +: width] = a[0 +: width] */                                  \
    X(BFXIL, "da", 0, 0, 0) /* d[0 +: width] = a[lsb +: width] */                                  \
    X(EXTR, "dabi", 0, 0, 0)                                                                       \
    X(MADD, "dabc", 0, 0, 0) /* d = c + a * b */                                                   \
    X(MSUB, "dabc", 0, 0, 0)                                                                       \
    X(SMADDL, "dabc", 0, 0, 0)                                                                     \
    X(SMSUBL, "dabc", 0, 0, 0)                                                                     \
    X(UMADDL, "dabc", 0, 0, 0)                                                                     \
    X(UMSUBL, "dabc", 0, 0, 0)                                                                     \
    X(SMULH, "dab", 0, 0, 0)                                                                       \
    X(UMULH, "dab", 0, 0, 0)                                                                       \
    X(UDIV, "dab", 0, 0, 0)                                                                        \
    X(SDIV, "dab", 0, 0, 0)                                                                        \
    X(CLZ, "da", 0, 0, 0)                                                                          \
    X(CLS, "da", 0, 0, 0)                                                                          \
    X(CTZ, "da", 0, 0, 0) /* RBIT, then CLZ */                                                     \
    X(RBIT, "da", 0, 0, 0)                                                                         \
    X(REV16, "da", 0, 0, 0)                                                                        \
    X(REV32, "da", 0, 0, 0) /* bytes of each 32-bit half of 64 bits */                             \
    X(REV, "da", 0, 0, 0)                                                                          \
    X(CSEL, "dab", 1, 0, 0)  /* d = cond ? a : b; cond = x */                                      \
    X(CSINC, "dab", 1, 0, 0) /* else b + 1 */                                                      \
    X(CSINV, "dab", 1, 0, 0)                                                                       \
    X(CSNEG, "dab", 1, 0, 0)                                                                       \
    X(CCMP, "ab", 1, 1, 0) /* cond x ? flags of a - b : y */                                       \
    X(CCMN, "ab", 1, 1, 0)                                                                         \
    X(CRC32, "dab", 0, 0, 0)  /* CRC32C of size bytes of b, onto a */                              \
    X(CRC32P, "dab", 0, 0, 0) /* the same with the polynomial of CRC32 */                          \
    X(GETFLAGS, "d", 1, 0, 0)                                                                      \
    X(SETFLAGS, "a", 0, 1, 0)                                                                      \
    /* memory; size = bytes, type = width of the result, IR_SIGNED: sign-extend */                 \
    X(LOAD, "dm", 0, 0, IR_MAY_FAULT)                                                              \
    X(STORE, "cm", 0, 0, IR_MAY_FAULT)                                                             \
    X(LOADP, "dcm", 0, 0, IR_MAY_FAULT) /* d and c from consecutive addresses */                   \
    X(STOREP, "dcm", 0, 0, IR_MAY_FAULT)                                                           \
    X(VLOAD, "Dm", 0, 0, IR_MAY_FAULT) /* 1 to 16 bytes, the rest of D zero */                     \
    X(VSTORE, "Cm", 0, 0, IR_MAY_FAULT)                                                            \
    X(VLOADP, "DCm", 0, 0, IR_MAY_FAULT)                                                           \
    X(VSTOREP, "DCm", 0, 0, IR_MAY_FAULT)                                                          \
    X(VLOADS, "Dm", 0, 0, IR_MAY_FAULT)  /* registers from D on; sub: enum ir_structure */         \
    X(VSTORES, "Dm", 0, 0, IR_MAY_FAULT) /* lanes of 1 << y bytes, registers of size */            \
    X(ATOMIC, "dcm", 0, 0, IR_MAY_FAULT) /* d = old; x: enum ir_atomic; operand c */               \
    X(CAS, "dcm", 0, 0, IR_MAY_FAULT)    /* d: compared with, gets old; c: new */                  \
    X(CASP, "dcm", 0, 0, IR_MAY_FAULT)   /* of pairs: d and x; new: c and y */                     \
    X(LOADX, "dm", 0, 0, IR_MAY_FAULT)   /* load exclusive: also arms the monitor */               \
    X(STOREX, "dcm", 0, 0,                                                                         \
      IR_MAY_FAULT)                 /* store exclusive of c: d = 0 where it happened, else 1 */    \
    X(ZVA, "m", 0, 0, IR_MAY_FAULT) /* zero the 64-byte block around the address */                \
    X(FENCE, "", 0, 0, 0)           /* x: DSB; leaves to imm while other CPUs owe it something */  \
    /* vectors and general registers; y, x, size: see the emitters */                              \
    X(VCONST, "Di", 0, 0, 0)                                                                       \
    X(VTOG, "dA", 0, 0, 0)                                                                         \
    X(VINSG, "Da", 0, 0, 0)                                                                        \
    X(VFROMG, "Da", 0, 0, 0)                                                                       \
    X(VDUPG, "Da", 0, 0, 0)                                                                        \
    /* vectors; lanes of 1 << y bytes, IR_Q; sub: enum ir_vec. D may be a source too */            \
    X(VEC3, "DAB", 0, 0, 0)                                                                        \
    X(VEC2, "DA", 0, 0, 0)                                                                         \
    X(VSHIFT, "DA", 0, 0, 0) /* by x bits */                                                       \
    X(VLOGIC, "Di", 0, 0, 0) /* D with the constant imm in both halves */                          \
    X(VDUP, "DA", 0, 0, 0)   /* element x, in all lanes or (size 1) alone */                       \
    X(VINS, "DA", 0, 0, 0)   /* element x of A to element size of D */                             \
    X(VEXT, "DAB", 0, 0, 0)  /* from byte x on */                                                  \
    X(VTBL, "DAB", 0, 0, 0)  /* x: registers of the table, less one; sub: TBX */                   \
    /* scalar floating point, type F32 or F64 */                                                   \
    X(FBIN, "DAB", 0, 0, IR_FP) /* sub: enum ir_fbin */                                            \
    X(FMA, "DABC", 0, 0, IR_FP) /* sub: enum ir_fma */                                             \
    X(FMOV, "DA", 0, 0, 0)                                                                         \
    X(FABS, "DA", 0, 0, 0)                                                                         \
    X(FNEG, "DA", 0, 0, 0)                                                                         \
    X(FSQRT, "DA", 0, 0, IR_FP)                                                                    \
    X(FRINT, "DA", 0, 0, IR_FP) /* rounding x; y: raises Inexact */                                \
    X(FCVT, "DA", 0, 0, IR_FP)  /* from `type` to type sub */                                      \
    X(FTOI, "dA", 0, 0, IR_FP) /* from `size` bytes to type I32 or I64; rounding x; y: unsigned */ \
    X(FJCVT, "dA", 0, 1, IR_FP) /* from double, modulo 2^32 towards zero; Z: exact */              \
    X(ITOF, "Da", 0, 0, IR_FP)  /* from `size` bytes; y: unsigned */                               \
    X(FCMP, "AB", 0, 1, IR_FP)  /* b may be IR_IMM: zero; y: FCMPE */                              \
    X(FCCMP, "AB", 1, 1, IR_FP) /* cond x; y: NZCV << 1 | FCCMPE */                                \
    X(FCSEL, "DAB", 1, 0, 0)                                                                       \
    /* the same on vectors; y = 1 (VFP3): one lane alone; size: element of B + 1, or 0 */          \
    X(VFP3, "DAB", 0, 0, IR_FP) /* sub: enum ir_fbin */                                            \
    X(VFP2, "DA", 0, 0, IR_FP)  /* sub: enum ir_funary */                                          \
    X(CRYPTO, "DAB", 0, 0, 0)   /* sub: enum ir_crypto */                                          \
    /* state */                                                                                    \
    X(GETSTATE, "di", 0, 0, 0) /* 8 or 4 bytes at imm of the CPU struct */                         \
    X(SETSTATE, "ai", 0, 0, 0)                                                                     \
    X(GETDAIF, "d", 0, 0, 0) /* the interrupt masks, as MRS DAIF */                                \
    X(SETDAIF, "a", 0, 0, 0) /* ... then leaves to imm (a page offset) if a line is up */          \
    X(DAIFSET, "i", 0, 0, 0) /* masks |= x */                                                      \
    X(DAIFCLR, "i", 0, 0, 0) /* masks &= ~x, then as SETDAIF */                                    \
    X(INTERPRET, "i", 1, 1, IR_MAY_FAULT) /* the interpreter executes instruction word imm */      \
    /* leaving; targets are offsets from the start of the running page, maybe outside of it */     \
    X(BCC, "t", 1, 0, IR_SIDE_EXIT) /* to the target if cond x */                                  \
    X(CBZ, "at", 0, 0, IR_SIDE_EXIT)                                                               \
    X(CBNZ, "at", 0, 0, IR_SIDE_EXIT)                                                              \
    X(TBZ, "at", 0, 0, IR_SIDE_EXIT) /* bit x */                                                   \
    X(TBNZ, "at", 0, 0, IR_SIDE_EXIT)                                                              \
    X(JUMP, "t", 0, 0, IR_ENDS)                                                                    \
    X(JUMPR, "a", 0, 0, IR_ENDS) /* to the address in a */                                         \
    X(LEAVE, "i", 1, 1, IR_ENDS) /* the run loop interprets the instruction at page offset imm */

#endif
