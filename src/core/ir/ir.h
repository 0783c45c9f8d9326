/* ir.h: the micro-op intermediate representation: what a stretch of guest code does, host-neutral.
 *
 * A unit is a linear array of fixed-size ops in an arena that is reset for each unit. Values are
 * not in single-assignment form: integer values 0..31 are the guest's X0..X30 and SP, IR_ZERO reads
 * as zero and swallows writes, temporaries follow; vector values 0..31 are V0..V31. Keeping guest
 * registers by name is what lets the first tier emit code in one pass with registers pinned across
 * units; the second tier renames them itself.
 */
#ifndef PENG_CORE_IR_IR_H
#define PENG_CORE_IR_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/ir/ops.h"

enum ir_opcode {
#define IR_ENUM(name, operands, reads, writes, attributes) IR_##name,
    IR_OPS(IR_ENUM)
#undef IR_ENUM
        IR_OPCODE_COUNT
};

enum ir_attributes {
    IR_MAY_FAULT = 1, /* may take a guest exception; state must be exact before it */
    IR_SIDE_EXIT = 2, /* may leave the unit */
    IR_ENDS = 4,      /* always leaves */
    IR_FP = 8,        /* host floating point under the guest's rounding mode */
    IR_JOINS = 16,    /* other ways lead here */
};

enum ir_value {
    IR_SP = 31,
    IR_ZERO = 32,
    IR_IMM = 33,
    IR_NO_INDEX = 34,
    IR_PAGE = 35,
    /* as base: address of the running page */
};

enum ir_type { IR_I32, IR_I64, IR_F32, IR_F64, IR_F16, IR_B8, IR_H16, IR_S32, IR_D64 };

enum ir_flags {
    IR_FLAGS_LIVE = 1, /* NZCV as it is after this op is read later (set by ir_liveness) */
    IR_SIGNED = 2,
    IR_CALL = 2,            /* JUMP, JUMPR: X30 is the address of what follows */
    IR_RETURN = 4,          /* JUMPR: most likely to where a call came from */
    IR_UNPRIV = 4,          /* memory: with EL0's rights */
    IR_SCALAR = 4,          /* vectors: the lowest lane alone, the rest zeroed */
    IR_ALIGNED = 8,         /* memory: must be naturally aligned */
    IR_ORDERED = 16,        /* memory: a store that later loads must not pass (STLR) */
    IR_Q = 32,              /* vectors: 128 bits, else 64 and the upper half zeroed */
    IR_FLAGS_DEAD_OUT = 64, /* exits: the target overwrites NZCV before reading it */
    IR_SAFE = 128, /* INTERPRET: only touches vector registers and FPSR, cannot fault or branch */
};

/* What happens to operand b first: kind in the high bits, amount in the low six. */
enum ir_mod {
    IR_MOD_NONE = 0,
    IR_MOD_LSL = 1 << 6,
    IR_MOD_LSR = 2 << 6,
    IR_MOD_ASR = 3 << 6,
    IR_MOD_ROR = 4 << 6,
    IR_MOD_UXTB = 5 << 6, /* extensions: then shifted left by the amount */
    IR_MOD_UXTH = 6 << 6,
    IR_MOD_UXTW = 7 << 6,
    IR_MOD_UXTX = 8 << 6,
    IR_MOD_SXTB = 9 << 6,
    IR_MOD_SXTH = 10 << 6,
    IR_MOD_SXTW = 11 << 6,
    IR_MOD_SXTX = 12 << 6,
};
#define IR_MOD_KIND(mod)   ((mod) & ~63)
#define IR_MOD_AMOUNT(mod) ((mod)&63)

enum ir_atomic {
    IR_ATOMIC_ADD,
    IR_ATOMIC_CLR,
    IR_ATOMIC_EOR,
    IR_ATOMIC_SET,
    IR_ATOMIC_SMAX,
    IR_ATOMIC_SMIN,
    IR_ATOMIC_UMAX,
    IR_ATOMIC_UMIN,
    IR_ATOMIC_SWAP,
};

enum ir_fbin {
    IR_FADD,
    IR_FSUB,
    IR_FMUL,
    IR_FNMUL,
    IR_FDIV,
    IR_FMAX,
    IR_FMIN,
    IR_FMLA, /* the rest: vectors alone */
    IR_FMLS,
    IR_FABD,
    IR_FMULX,
    IR_FRECPS,
    IR_FRSQRTS,
    IR_FADDP, /* in scalar form: of A's two lowest elements */
    IR_FMAXP,
    IR_FMINP,
    IR_FMLAL, /* of halves, the lower or (x) upper ones, to singles; type F32 */
    IR_FMLSL,
    IR_FCADD, /* complex, B turned by x right angles */
    IR_FCMLA,
    IR_FCMEQ,
    IR_FCMGE,
    IR_FCMGT,
    IR_FCMLE, /* with zero alone */
    IR_FCMLT,
    IR_FACGE,
    IR_FACGT,
};
enum ir_structure {
    IR_CONSECUTIVE, /* x registers, one after the other */
    IR_INTERLEAVED, /* x registers, lane by lane */
    IR_LANE,        /* lane c of each */
    IR_REPLICATE,   /* one value for each, in all its lanes */
};
enum ir_crypto {
    IR_AESE,
    IR_AESD,
    IR_AESE_MC, /* with AESMC of the result */
    IR_AESD_IMC,
    IR_AESMC,
    IR_AESIMC,
    IR_SHA1C,
    IR_SHA1P,
    IR_SHA1M,
    IR_SHA1H,
    IR_SHA1SU0,
    IR_SHA1SU1,
    IR_SHA256H,
    IR_SHA256H2,
    IR_SHA256_BOTH, /* H of D, A and B, and H2 of A, V[c] as D was, and B: writes D and A */
    IR_SHA256SU0,
    IR_SHA256SU1,
    IR_PMULL_1Q,
};
enum ir_funary {
    IR_F_SQRT,
    IR_F_ABS,
    IR_F_NEG,
    IR_F_RINT, /* rounding x; y: raises Inexact */
    IR_F_FROM_SIGNED,
    IR_F_FROM_UNSIGNED,
    IR_F_TO_SIGNED, /* rounding x; c bits behind the point, also of those from integers */
    IR_F_TO_UNSIGNED,
    IR_F_LONG, /* single to double, from the lower half or (IR_Q) the upper */
    IR_F_NARROW,
    IR_F_RECPE,
    IR_F_RSQRTE,
    IR_F_MAXV,
    IR_F_MINV,
};
enum ir_fma { IR_FMADD, IR_FMSUB, IR_FNMADD, IR_FNMSUB };

/* What VEC3, VEC2, VSHIFT and VLOGIC do, named like the instructions. The first group is one x86
 * instruction each, where the lane size has one. */
enum ir_vec {
    IR_V_ADD,
    IR_V_SUB,
    IR_V_MUL,
    IR_V_SMAX,
    IR_V_SMIN,
    IR_V_UMAX,
    IR_V_UMIN,
    IR_V_CMEQ,
    IR_V_CMGT,
    IR_V_SQADD,
    IR_V_SQSUB,
    IR_V_UQADD,
    IR_V_UQSUB,
    IR_V_ZIP1,
    IR_V_ZIP2,
    IR_V_AND,
    IR_V_ORR,
    IR_V_EOR,
    IR_V_BIC, /* as x86 has it: ~a & b */
    IR_V_ABS,
    IR_V_LANE_COUNT,
    IR_V_CMGE = IR_V_LANE_COUNT,
    IR_V_CMHI,
    IR_V_CMHS,
    IR_V_CMLE, /* with zero alone */
    IR_V_CMLT,
    IR_V_CMTST,
    IR_V_ORN,
    IR_V_BSL,
    IR_V_BIT,
    IR_V_BIF,
    IR_V_NOT,
    IR_V_NEG,
    IR_V_MLA,
    IR_V_MLS,
    IR_V_SHADD, /* in this order: vec_halve() */
    IR_V_UHADD,
    IR_V_SRHADD,
    IR_V_URHADD,
    IR_V_SHSUB,
    IR_V_UHSUB,
    IR_V_SDOT,
    IR_V_UDOT,
    IR_V_SQABS,
    IR_V_SQNEG,
    IR_V_SUQADD,
    IR_V_USQADD,
    IR_V_SQDMULH,
    IR_V_SQRDMULH,
    IR_V_SQRDMLAH,
    IR_V_SQRDMLSH,
    IR_V_SQDMULL,
    IR_V_SQDMLAL,
    IR_V_SQDMLSL,
    IR_V_SABD,
    IR_V_UABD,
    IR_V_SABA,
    IR_V_UABA,
    IR_V_ADDP,
    IR_V_SMAXP,
    IR_V_SMINP,
    IR_V_UMAXP,
    IR_V_UMINP,
    IR_V_UZP1,
    IR_V_UZP2,
    IR_V_TRN1,
    IR_V_TRN2,
    IR_V_USHL,
    IR_V_SSHL,
    IR_V_URSHL,
    IR_V_SRSHL,
    IR_V_UQSHL,
    IR_V_SQSHL,
    IR_V_UQRSHL,
    IR_V_SQRSHL,
    IR_V_REV16,
    IR_V_REV32,
    IR_V_REV64,
    IR_V_CNT,
    IR_V_RBIT,
    IR_V_CLZ,
    IR_V_CLS,
    IR_V_ADDV,
    IR_V_SMAXV,
    IR_V_SMINV,
    IR_V_UMAXV,
    IR_V_UMINV,
    IR_V_SADDLV,
    IR_V_UADDLV,
    IR_V_SADDLP,
    IR_V_UADDLP,
    IR_V_SADALP,
    IR_V_UADALP,
    IR_V_ADDHN,
    IR_V_RADDHN,
    IR_V_SUBHN,
    IR_V_RSUBHN,
    IR_V_SHL,
    IR_V_USHR,
    IR_V_SSHR,
    IR_V_USRA,
    IR_V_SSRA,
    IR_V_URSHR,
    IR_V_SRSHR,
    IR_V_URSRA,
    IR_V_SRSRA,
    IR_V_SLI,
    IR_V_SRI,
    IR_V_SQSHL_imm,
    IR_V_UQSHL_imm,
    IR_V_SQSHLU_imm,
    IR_V_SHRN, /* XTN, SQXTN and kin are these with a shift by zero */
    IR_V_RSHRN,
    IR_V_SQSHRN,
    IR_V_SQRSHRN,
    IR_V_UQSHRN,
    IR_V_UQRSHRN,
    IR_V_SQSHRUN,
    IR_V_SQRSHRUN,
    IR_V_USHLL,
    IR_V_SSHLL,
    /* of different lengths: order matters, see emit_simd_wide.c */
    IR_V_SADDL,
    IR_V_UADDL,
    IR_V_SSUBL,
    IR_V_USUBL,
    IR_V_SADDW,
    IR_V_UADDW,
    IR_V_SSUBW,
    IR_V_USUBW,
    IR_V_SMULL,
    IR_V_UMULL,
    IR_V_SMLAL,
    IR_V_UMLAL,
    IR_V_SMLSL,
    IR_V_UMLSL,
    IR_V_SABDL,
    IR_V_UABDL,
    IR_V_SABAL,
    IR_V_UABAL,
    IR_V_PMUL, /* products of polynomials; long ones */
    IR_V_PMULL,
    IR_V_COUNT
};

enum ir_rounding { IR_RN, IR_RP, IR_RM, IR_RZ, IR_RA, IR_RCURRENT };

/* What an access has to do with others to the same page (share.c). */
enum ir_share {
    IR_SHARE_SLOT = 7,
    IR_SHARE_LEADER = 8, /* x: bytes of the range before the address; y: all of them */
    IR_SHARE_FOLLOWER = 16,
    IR_SHARE_WRITES = 32, /* the leader is a load, and a store follows for certain */
    IR_SHARE_WITHIN = 64, /* any op: it, or one before it, leads what comes behind it */
    IR_SHARE_SLOTS = 8,
    IR_SHARE_BYTES = 128, /* a longer range lies over a page's end too often */
};

struct ir_op {
    uint8_t op;   /* enum ir_opcode */
    uint8_t type; /* enum ir_type */
    uint8_t d, a, b, c;
    uint8_t x, y;   /* small numbers by op: condition, bit, lane, rounding ... */
    uint8_t size;   /* memory access, bytes */
    uint8_t flags;  /* enum ir_flags */
    uint16_t mod;   /* enum ir_mod | amount, for b (also of the address's index) */
    uint16_t sub;   /* vector operation */
    uint16_t share; /* memory: enum ir_share | slot */
    int64_t imm;    /* immediate, or the address's displacement */
};

enum { IR_UNIT_OPS = 2560, IR_UNIT_INSNS = 128, IR_REGION_INSNS = 512 };

struct ir_unit {
    struct ir_op ops[IR_UNIT_OPS];
    unsigned count;
    unsigned insns; /* guest instructions */
};

struct ir_op_info {
    char name[16], operands[8];
    uint8_t reads_flags, writes_flags, attributes;
};
extern const struct ir_op_info ir_op_info[IR_OPCODE_COUNT];

static inline struct ir_op *ir_emit(struct ir_unit *unit, enum ir_opcode op, enum ir_type type)
{
    struct ir_op *o = &unit->ops[unit->count++];
    *o = (struct ir_op){.op = (uint8_t)op, .type = (uint8_t)type};
    return o;
}

/* One backward pass: sets IR_FLAGS_LIVE on every op after which NZCV is still wanted. */
void ir_liveness(struct ir_unit *unit);

/* NZCV is wanted (or not) after `o`, which is noted there: whether it is before. */
bool ir_live_before(struct ir_op *o, bool live);

/* After ir_liveness(): moves comparisons down to their readers (sink.c). True where it changed the
 * unit, whose liveness is then to be found again. */
bool ir_sink_flags(struct ir_unit *unit);

/* Marks accesses that one check of their page does for. */
void ir_share_checks(struct ir_unit *unit);

/* One op a line. */
void ir_print(const struct ir_unit *unit, FILE *out);

#endif
