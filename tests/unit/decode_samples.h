/* decode_samples.h: instructions as aarch64-linux-gnu-as (binutils 2.40) assembles them, and the
 * operation that each is: at least one a name of the table, and the common aliases at the end. */
#ifndef PENG_TESTS_UNIT_DECODE_SAMPLES_H
#define PENG_TESTS_UNIT_DECODE_SAMPLES_H

#include "core/arm64/decode.h"

/* clang-format off */
static const struct {
    uint32_t raw;
    enum a64_op op;
} decode_samples[] = {
    {0x110827ce, A64_OP_ADD_imm}, /* add w14, w30, #0x209 */
    {0xb17a5ff1, A64_OP_ADDS_imm}, /* adds x17, sp, #0xe97, lsl #12 */
    {0xd13c7846, A64_OP_SUB_imm}, /* sub x6, x2, #0xf1e */
    {0x71520154, A64_OP_SUBS_imm}, /* subs w20, w10, #0x480, lsl #12 */
    {0x926a717e, A64_OP_AND_imm}, /* and x30, x11, #0x7ffffffc00000 */
    {0xb24ae121, A64_OP_ORR_imm}, /* orr x1, x9, #0xffc07fffffffffff */
    {0xf2595a80, A64_OP_ANDS_imm}, /* ands x0, x20, #0x3fffff8000000000 */
    {0x72a17b93, A64_OP_MOVK}, /* movk w19, #0xbdc, lsl #16 */
    {0x934f86a2, A64_OP_SBFM}, /* sbfx x2, x21, #15, #19 */
    {0xb359dba7, A64_OP_BFM}, /* bfxil x7, x29, #25, #30 */
    {0xd340145c, A64_OP_UBFM}, /* ubfx x28, x2, #0, #6 */
    {0x93db196b, A64_OP_EXTR}, /* extr x11, x11, x27, #6 */
    {0xd61f0300, A64_OP_BR}, /* br x24 */
    {0xd63f01e0, A64_OP_BLR}, /* blr x15 */
    {0xd65f0100, A64_OP_RET}, /* ret x8 */
    {0xd69f03e0, A64_OP_ERET}, /* eret */
    {0xd41536c1, A64_OP_SVC}, /* svc #0xa9b6 */
    {0xd4183ba2, A64_OP_HVC}, /* hvc #0xc1dd */
    {0xd40ae263, A64_OP_SMC}, /* smc #0x5713 */
    {0xd431d760, A64_OP_BRK}, /* brk #0x8ebb */
    {0xd441ac40, A64_OP_HLT}, /* hlt #0xd62 */
    {0xd503201f, A64_OP_NOP}, /* nop */
    {0xd503203f, A64_OP_YIELD}, /* yield */
    {0xd503205f, A64_OP_WFE}, /* wfe */
    {0xd503207f, A64_OP_WFI}, /* wfi */
    {0xd503209f, A64_OP_SEV}, /* sev */
    {0xd50320bf, A64_OP_SEVL}, /* sevl */
    {0xd503265f, A64_OP_HINT}, /* hint #0x32 */
    {0xd5033d5f, A64_OP_CLREX}, /* clrex #0xd */
    {0xd503309f, A64_OP_DSB}, /* ssbb */
    {0xd50331bf, A64_OP_DMB}, /* dmb oshld */
    {0xd5033adf, A64_OP_ISB}, /* isb #0xa */
    {0xd50349ff, A64_OP_MSR_imm}, /* msr daifclr, #0x9 */
    {0xd509b125, A64_OP_SYS}, /* sys #1, C11, C1, #1, x5 */
    {0xd5299d4f, A64_OP_SYSL}, /* sysl x15, #1, C9, C13, #2 */
    {0xd51d5a29, A64_OP_MSR}, /* msr s3_5_c5_c10_1, x9 */
    {0xd539f8ec, A64_OP_MRS}, /* mrs x12, s3_1_c15_c8_7 */
    {0x8a8319c5, A64_OP_AND_shift}, /* and x5, x14, x3, asr #6 */
    {0x0a7532da, A64_OP_BIC_shift}, /* bic w26, w22, w21, lsr #12 */
    {0x2a874007, A64_OP_ORR_shift}, /* orr w7, w0, w7, asr #16 */
    {0x2abd65b7, A64_OP_ORN_shift}, /* orn w23, w13, w29, asr #25 */
    {0xca546a63, A64_OP_EOR_shift}, /* eor x3, x19, x20, lsr #26 */
    {0xca2f64d3, A64_OP_EON_shift}, /* eon x19, x6, x15, lsl #25 */
    {0xea9e1f4a, A64_OP_ANDS_shift}, /* ands x10, x26, x30, asr #7 */
    {0xeaabfc6a, A64_OP_BICS_shift}, /* bics x10, x3, x11, asr #63 */
    {0x8b091428, A64_OP_ADD_shift}, /* add x8, x1, x9, lsl #5 */
    {0xab95e8ae, A64_OP_ADDS_shift}, /* adds x14, x5, x21, asr #58 */
    {0x4b104c4f, A64_OP_SUB_shift}, /* sub w15, w2, w16, lsl #19 */
    {0xeb90d528, A64_OP_SUBS_shift}, /* subs x8, x9, x16, asr #53 */
    {0x0b28e88f, A64_OP_ADD_ext}, /* add w15, w4, w8, sxtx #2 */
    {0xab3e409d, A64_OP_ADDS_ext}, /* adds x29, x4, w30, uxtw */
    {0xcb254f06, A64_OP_SUB_ext}, /* sub x6, x24, w5, uxtw #3 */
    {0xeb25c0ab, A64_OP_SUBS_ext}, /* subs x11, x5, w5, sxtw */
    {0x9a0401f6, A64_OP_ADC}, /* adc x22, x15, x4 */
    {0xba0002a1, A64_OP_ADCS}, /* adcs x1, x21, x0 */
    {0x5a0f0175, A64_OP_SBC}, /* sbc w21, w11, w15 */
    {0x7a0b0223, A64_OP_SBCS}, /* sbcs w3, w17, w11 */
    {0xba4bf16a, A64_OP_CCMN_reg}, /* ccmn x11, x11, #0xa, nv */
    {0xba586b68, A64_OP_CCMN_imm}, /* ccmn x27, #0x18, #0x8, vs */
    {0x7a4373e8, A64_OP_CCMP_reg}, /* ccmp wzr, w3, #0x8, vc */
    {0x7a4bfa84, A64_OP_CCMP_imm}, /* ccmp w20, #0xb, #0x4, nv */
    {0x9a8f706a, A64_OP_CSEL}, /* csel x10, x3, x15, vc */
    {0x1a9864c9, A64_OP_CSINC}, /* csinc w9, w6, w24, vs */
    {0xda98d31e, A64_OP_CSINV}, /* cinv x30, x24, gt */
    {0x5a9b65ac, A64_OP_CSNEG}, /* csneg w12, w13, w27, vs */
    {0x1ad008bd, A64_OP_UDIV}, /* udiv w29, w5, w16 */
    {0x1ade0fa0, A64_OP_SDIV}, /* sdiv w0, w29, w30 */
    {0x9ad42203, A64_OP_LSLV}, /* lsl x3, x16, x20 */
    {0x9acf2780, A64_OP_LSRV}, /* lsr x0, x28, x15 */
    {0x1ad629b7, A64_OP_ASRV}, /* asr w23, w13, w22 */
    {0x9acd2ec5, A64_OP_RORV}, /* ror x5, x22, x13 */
    {0x1ac042c6, A64_OP_CRC32}, /* crc32b w6, w22, w0 */
    {0x1ac35138, A64_OP_CRC32C}, /* crc32cb w24, w9, w3 */
    {0xdac002d8, A64_OP_RBIT}, /* rbit x24, x22 */
    {0xdac004ec, A64_OP_REV16}, /* rev16 x12, x7 */
    {0x5ac00b91, A64_OP_REV32}, /* rev w17, w28 */
    {0x5ac011a5, A64_OP_CLZ}, /* clz w5, w13 */
    {0x5ac015c8, A64_OP_CLS}, /* cls w8, w14 */
    {0xdac00dc8, A64_OP_REV64}, /* rev x8, x14 */
    {0x9b1b3ce8, A64_OP_MADD}, /* madd x8, x7, x27, x15 */
    {0x9b0cc672, A64_OP_MSUB}, /* msub x18, x19, x12, x17 */
    {0x9b276e42, A64_OP_SMADDL}, /* smaddl x2, w18, w7, x27 */
    {0x9b30dd5e, A64_OP_SMSUBL}, /* smsubl x30, w10, w16, x23 */
    {0x9bb23328, A64_OP_UMADDL}, /* umaddl x8, w25, w18, x12 */
    {0x9badbcb8, A64_OP_UMSUBL}, /* umsubl x24, w5, w13, x15 */
    {0x3900b102, A64_OP_STR_uimm}, /* strb w2, [x8, #44] */
    {0x795fab2a, A64_OP_LDR_uimm}, /* ldrh w10, [x25, #4052] */
    {0x39c3e1d0, A64_OP_LDRS_uimm}, /* ldrsb w16, [x14, #248] */
    {0xf98597c5, A64_OP_PRFM_uimm}, /* prfm pldl3strm, [x30, #2856] */
    {0x3d2edcd9, A64_OP_STR_v_uimm}, /* str b25, [x6, #2999] */
    {0x7d523442, A64_OP_LDR_v_uimm}, /* ldr h2, [x2, #2330] */
    {0x380c915f, A64_OP_STUR}, /* sturb wzr, [x10, #201] */
    {0x385f93b5, A64_OP_LDUR}, /* ldurb w21, [x29, #-7] */
    {0x78991180, A64_OP_LDURS}, /* ldursh x0, [x12, #-111] */
    {0xf88c8023, A64_OP_PRFUM}, /* prfum pldl2strm, [x1, #200] */
    {0x3c044234, A64_OP_STUR_v}, /* stur b20, [x17, #68] */
    {0xfc43a123, A64_OP_LDUR_v}, /* ldur d3, [x9, #58] */
    {0x781164ee, A64_OP_STR_post}, /* strh w14, [x7], #-234 */
    {0xf85f4768, A64_OP_LDR_post}, /* ldr x8, [x27], #-12 */
    {0x7899b624, A64_OP_LDRS_post}, /* ldrsh x4, [x17], #-101 */
    {0x3c0b1532, A64_OP_STR_v_post}, /* str b18, [x9], #177 */
    {0xbc59242d, A64_OP_LDR_v_post}, /* ldr s13, [x1], #-110 */
    {0xf817885b, A64_OP_STTR}, /* sttr x27, [x2, #-136] */
    {0x384dba2f, A64_OP_LDTR}, /* ldtrb w15, [x17, #219] */
    {0x388c4812, A64_OP_LDTRS}, /* ldtrsb x18, [x0, #196] */
    {0x381a6d19, A64_OP_STR_pre}, /* strb w25, [x8, #-90]! */
    {0x38500dce, A64_OP_LDR_pre}, /* ldrb w14, [x14, #-256]! */
    {0x38983df7, A64_OP_LDRS_pre}, /* ldrsb x23, [x15, #-125]! */
    {0x7c0fbd0b, A64_OP_STR_v_pre}, /* str h11, [x8, #251]! */
    {0x3c4cbf06, A64_OP_LDR_v_pre}, /* ldr b6, [x24, #203]! */
    {0x7835cb49, A64_OP_STR_reg}, /* strh w9, [x26, w21, sxtw] */
    {0xf879da43, A64_OP_LDR_reg}, /* ldr x3, [x18, w25, sxtw #3] */
    {0x38f17978, A64_OP_LDRS_reg}, /* ldrsb w24, [x11, x17, lsl #0] */
    {0xf8af7b70, A64_OP_PRFM_reg}, /* prfm pstl1keep, [x27, x15, lsl #3] */
    {0xfc2f6a49, A64_OP_STR_v_reg}, /* str d9, [x18, x15] */
    {0x3c61d920, A64_OP_LDR_v_reg}, /* ldr b0, [x9, w1, sxtw #0] */
    {0xa821fd6b, A64_OP_STNP}, /* stnp x11, xzr, [x11, #-488] */
    {0xa87c1a75, A64_OP_LDNP}, /* ldnp x21, x6, [x19, #-64] */
    {0x2c163236, A64_OP_STNP_v}, /* stnp s22, s12, [x17, #176] */
    {0x2c7f4a90, A64_OP_LDNP_v}, /* ldnp s16, s18, [x20, #-8] */
    {0x289003b9, A64_OP_STP_post}, /* stp w25, w0, [x29], #128 */
    {0x28ddc77d, A64_OP_LDP_post}, /* ldp w29, w17, [x27], #236 */
    {0x68d296b1, A64_OP_LDPSW_post}, /* ldpsw x17, x5, [x21], #148 */
    {0xac9a85cf, A64_OP_STP_v_post}, /* stp q15, q1, [x14], #848 */
    {0x6cf91e0f, A64_OP_LDP_v_post}, /* ldp d15, d7, [x16], #-112 */
    {0xa913baeb, A64_OP_STP_off}, /* stp x11, x14, [x23, #312] */
    {0x297208a2, A64_OP_LDP_off}, /* ldp w2, w2, [x5, #-112] */
    {0x696e4823, A64_OP_LDPSW_off}, /* ldpsw x3, x18, [x1, #-144] */
    {0xad29407b, A64_OP_STP_v_off}, /* stp q27, q16, [x3, #-736] */
    {0x6d528add, A64_OP_LDP_v_off}, /* ldp d29, d2, [x22, #296] */
    {0xa9ad1517, A64_OP_STP_pre}, /* stp x23, x5, [x8, #-304]! */
    {0x29c1c83d, A64_OP_LDP_pre}, /* ldp w29, w18, [x1, #12]! */
    {0x69fe6a11, A64_OP_LDPSW_pre}, /* ldpsw x17, x26, [x16, #-16]! */
    {0x2d9bd3e1, A64_OP_STP_v_pre}, /* stp s1, s20, [sp, #220]! */
    {0x2dfb6366, A64_OP_LDP_v_pre}, /* ldp s6, s24, [x27, #-40]! */
    {0xc8067c70, A64_OP_STXR}, /* stxr w6, x16, [x3] */
    {0xc82f2b24, A64_OP_STXP}, /* stxp w15, x4, x10, [x25] */
    {0x883eac21, A64_OP_STLXP}, /* stlxp w30, w1, w11, [x1] */
    {0x887fbe3c, A64_OP_LDAXP}, /* ldaxp w28, w15, [x17] */
    {0x08ea7fd6, A64_OP_CAS}, /* casab w10, w22, [x30] */
    {0x082a7f62, A64_OP_CASP}, /* casp w10, w11, w2, w3, [x27] */
    {0xf87e0154, A64_OP_LDADD}, /* ldaddl x30, x20, [x10] */
    {0xf83011d7, A64_OP_LDCLR}, /* ldclr x16, x23, [x14] */
    {0xf8fa2068, A64_OP_LDEOR}, /* ldeoral x26, x8, [x3] */
    {0x78fb3313, A64_OP_LDSET}, /* ldsetalh w27, w19, [x24] */
    {0x38fc4168, A64_OP_LDSMAX}, /* ldsmaxalb w28, w8, [x11] */
    {0x78615283, A64_OP_LDSMIN}, /* ldsminlh w1, w3, [x20] */
    {0xb82f62eb, A64_OP_LDUMAX}, /* ldumax w15, w11, [x23] */
    {0x782d71be, A64_OP_LDUMIN}, /* lduminh w13, w30, [x13] */
    {0xf8aa8137, A64_OP_SWP}, /* swpa x10, x23, [x9] */
    {0x4c0073b5, A64_OP_ST1}, /* st1 {v21.16b}, [x29] */
    {0x4c008c40, A64_OP_ST2}, /* st2 {v0.2d, v1.2d}, [x2] */
    {0x4c004bc6, A64_OP_ST3}, /* st3 {v6.4s-v8.4s}, [x30] */
    {0x4c000ae5, A64_OP_ST4}, /* st4 {v5.4s-v8.4s}, [x23] */
    {0x4c407638, A64_OP_LD1}, /* ld1 {v24.8h}, [x17] */
    {0x0c408232, A64_OP_LD2}, /* ld2 {v18.8b, v19.8b}, [x17] */
    {0x4c4046d8, A64_OP_LD3}, /* ld3 {v24.8h-v26.8h}, [x22] */
    {0x0c4000f2, A64_OP_LD4}, /* ld4 {v18.8b-v21.8b}, [x7] */
    {0x4c8871be, A64_OP_ST1_post}, /* st1 {v30.16b}, [x13], x8 */
    {0x0c948578, A64_OP_ST2_post}, /* st2 {v24.4h, v25.4h}, [x11], x20 */
    {0x0c9d404d, A64_OP_ST3_post}, /* st3 {v13.8b-v15.8b}, [x2], x29 */
    {0x4c860c41, A64_OP_ST4_post}, /* st4 {v1.2d-v4.2d}, [x2], x6 */
    {0x0cdc7af8, A64_OP_LD1_post}, /* ld1 {v24.2s}, [x23], x28 */
    {0x4cd28f3f, A64_OP_LD2_post}, /* ld2 {v31.2d, v0.2d}, [x25], x18 */
    {0x4cc641a5, A64_OP_LD3_post}, /* ld3 {v5.16b-v7.16b}, [x13], x6 */
    {0x4cc909ee, A64_OP_LD4_post}, /* ld4 {v14.4s-v17.4s}, [x15], x9 */
    {0x0d001167, A64_OP_ST1_lane}, /* st1 {v7.b}[4], [x11] */
    {0x0d201025, A64_OP_ST2_lane}, /* st2 {v5.b, v6.b}[4], [x1] */
    {0x0d0032b4, A64_OP_ST3_lane}, /* st3 {v20.b-v22.b}[4], [x21] */
    {0x4d2025fd, A64_OP_ST4_lane}, /* st4 {v29.b, v30.b, v31.b, v0.b}[9], [x15] */
    {0x0d400d98, A64_OP_LD1_lane}, /* ld1 {v24.b}[3], [x12] */
    {0x0d60031d, A64_OP_LD2_lane}, /* ld2 {v29.b, v30.b}[0], [x24] */
    {0x4d402f0c, A64_OP_LD3_lane}, /* ld3 {v12.b-v14.b}[11], [x24] */
    {0x0d602e46, A64_OP_LD4_lane}, /* ld4 {v6.b-v9.b}[3], [x18] */
    {0x0d40c71b, A64_OP_LD1R}, /* ld1r {v27.4h}, [x24] */
    {0x0d60c877, A64_OP_LD2R}, /* ld2r {v23.2s, v24.2s}, [x3] */
    {0x0d40e7f5, A64_OP_LD3R}, /* ld3r {v21.4h-v23.4h}, [sp] */
    {0x0d60e684, A64_OP_LD4R}, /* ld4r {v4.4h-v7.4h}, [x20] */
    {0x0d8310ec, A64_OP_ST1_lane_post}, /* st1 {v12.b}[4], [x7], x3 */
    {0x0db81164, A64_OP_ST2_lane_post}, /* st2 {v4.b, v5.b}[4], [x11], x24 */
    {0x0d98323d, A64_OP_ST3_lane_post}, /* st3 {v29.b-v31.b}[4], [x17], x24 */
    {0x4da232a3, A64_OP_ST4_lane_post}, /* st4 {v3.b-v6.b}[12], [x21], x2 */
    {0x4dd41725, A64_OP_LD1_lane_post}, /* ld1 {v5.b}[13], [x25], x20 */
    {0x4df31b39, A64_OP_LD2_lane_post}, /* ld2 {v25.b, v26.b}[14], [x25], x19 */
    {0x4dc42757, A64_OP_LD3_lane_post}, /* ld3 {v23.b-v25.b}[9], [x26], x4 */
    {0x0dec3eab, A64_OP_LD4_lane_post}, /* ld4 {v11.b-v14.b}[7], [x21], x12 */
    {0x0dd4c750, A64_OP_LD1R_post}, /* ld1r {v16.4h}, [x26], x20 */
    {0x0de0c7db, A64_OP_LD2R_post}, /* ld2r {v27.4h, v28.4h}, [x30], x0 */
    {0x4dc0ede7, A64_OP_LD3R_post}, /* ld3r {v7.2d-v9.2d}, [x15], x0 */
    {0x4de9ed4c, A64_OP_LD4R_post}, /* ld4r {v12.2d-v15.2d}, [x10], x9 */
    {0x9e42e4d7, A64_OP_SCVTF_fix}, /* scvtf d23, x6, #7 */
    {0x9e03daee, A64_OP_UCVTF_fix}, /* ucvtf s14, x23, #10 */
    {0x9ed8e589, A64_OP_FCVTZS_fix}, /* fcvtzs x9, h12, #7 */
    {0x1e19dc60, A64_OP_FCVTZU_fix}, /* fcvtzu w0, s3, #9 */
    {0x1e600080, A64_OP_FCVTNS}, /* fcvtns w0, d4 */
    {0x9e21001a, A64_OP_FCVTNU}, /* fcvtnu x26, s0 */
    {0x1e62013a, A64_OP_SCVTF}, /* scvtf d26, w9 */
    {0x1e6303cf, A64_OP_UCVTF}, /* ucvtf d15, w30 */
    {0x1e64002f, A64_OP_FCVTAS}, /* fcvtas w15, d1 */
    {0x1e2500d9, A64_OP_FCVTAU}, /* fcvtau w25, s6 */
    {0x1ee8036c, A64_OP_FCVTPS}, /* fcvtps w12, h27 */
    {0x1e290367, A64_OP_FCVTPU}, /* fcvtpu w7, s27 */
    {0x1ef00005, A64_OP_FCVTMS}, /* fcvtms w5, h0 */
    {0x9e310083, A64_OP_FCVTMU}, /* fcvtmu x3, s4 */
    {0x1e38030a, A64_OP_FCVTZS}, /* fcvtzs w10, s24 */
    {0x1e3902a2, A64_OP_FCVTZU}, /* fcvtzu w2, s21 */
    {0x9ee602d0, A64_OP_FMOV_to_gp}, /* fmov x16, h22 */
    {0x1e2702da, A64_OP_FMOV_from_gp}, /* fmov s26, w22 */
    {0x9eae00ab, A64_OP_FMOV_to_gp_top}, /* fmov x11, v5.d[1] */
    {0x9eaf019e, A64_OP_FMOV_from_gp_top}, /* fmov v30.d[1], x12 */
    {0x1e7e0138, A64_OP_FJCVTZS}, /* fjcvtzs w24, d9 */
    {0x1ee04148, A64_OP_FMOV}, /* fmov h8, h10 */
    {0x1e20c325, A64_OP_FABS}, /* fabs s5, s25 */
    {0x1e21414f, A64_OP_FNEG}, /* fneg s15, s10 */
    {0x1e61c375, A64_OP_FSQRT}, /* fsqrt d21, d27 */
    {0x1e24437f, A64_OP_FRINTN}, /* frintn s31, s27 */
    {0x1ee4c0ae, A64_OP_FRINTP}, /* frintp h14, h5 */
    {0x1e254077, A64_OP_FRINTM}, /* frintm s23, s3 */
    {0x1e65c3ec, A64_OP_FRINTZ}, /* frintz d12, d31 */
    {0x1e264209, A64_OP_FRINTA}, /* frinta s9, s16 */
    {0x1ee7415a, A64_OP_FRINTX}, /* frintx h26, h10 */
    {0x1e67c36d, A64_OP_FRINTI}, /* frinti d13, d27 */
    {0x1e22c14a, A64_OP_FCVT}, /* fcvt d10, s10 */
    {0x1e2a20a0, A64_OP_FCMP}, /* fcmp s5, s10 */
    {0x1e782190, A64_OP_FCMPE}, /* fcmpe d12, d24 */
    {0x1e602188, A64_OP_FCMP_zero}, /* fcmp d12, #0.0 */
    {0x1e267016, A64_OP_FMOV_imm}, /* fmov s22, #1.900000000000000000e+01 */
    {0x1e75c66e, A64_OP_FCCMP}, /* fccmp d19, d21, #0xe, gt */
    {0x1e24673f, A64_OP_FCCMPE}, /* fccmpe s25, s4, #0xf, vs */
    {0x1e386e0a, A64_OP_FCSEL}, /* fcsel s10, s16, s24, vs */
    {0x1e3009b8, A64_OP_FMUL}, /* fmul s24, s13, s16 */
    {0x1ef91ad1, A64_OP_FDIV}, /* fdiv h17, h22, h25 */
    {0x1ef428f4, A64_OP_FADD}, /* fadd h20, h7, h20 */
    {0x1e7b39f7, A64_OP_FSUB}, /* fsub d23, d15, d27 */
    {0x1efe4815, A64_OP_FMAX}, /* fmax h21, h0, h30 */
    {0x1e3c5a54, A64_OP_FMIN}, /* fmin s20, s18, s28 */
    {0x1e24690f, A64_OP_FMAXNM}, /* fmaxnm s15, s8, s4 */
    {0x1efb7a31, A64_OP_FMINNM}, /* fminnm h17, h17, h27 */
    {0x1e6e8803, A64_OP_FNMUL}, /* fnmul d3, d0, d14 */
    {0x1f0e2947, A64_OP_FMADD}, /* fmadd s7, s10, s14, s10 */
    {0x1fd79650, A64_OP_FMSUB}, /* fmsub h16, h18, h23, h5 */
    {0x1f773bc3, A64_OP_FNMADD}, /* fnmadd d3, d30, d23, d14 */
    {0x1f6fc83e, A64_OP_FNMSUB}, /* fnmsub d30, d1, d15, d18 */
    {0x0e7f04b0, A64_OP_SHADD_vec}, /* shadd v16.4h, v5.4h, v31.4h */
    {0x2e650436, A64_OP_UHADD_vec}, /* uhadd v22.4h, v1.4h, v5.4h */
    {0x0e340d2e, A64_OP_SQADD_vec}, /* sqadd v14.8b, v9.8b, v20.8b */
    {0x5e390f52, A64_OP_SQADD_sc}, /* sqadd b18, b26, b25 */
    {0x6eb60fb9, A64_OP_UQADD_vec}, /* uqadd v25.4s, v29.4s, v22.4s */
    {0x7e620dd8, A64_OP_UQADD_sc}, /* uqadd h24, h14, h2 */
    {0x0ea016ab, A64_OP_SRHADD_vec}, /* srhadd v11.2s, v21.2s, v0.2s */
    {0x2e60143c, A64_OP_URHADD_vec}, /* urhadd v28.4h, v1.4h, v0.4h */
    {0x4e60277a, A64_OP_SHSUB_vec}, /* shsub v26.8h, v27.8h, v0.8h */
    {0x2e3126a3, A64_OP_UHSUB_vec}, /* uhsub v3.8b, v21.8b, v17.8b */
    {0x4e3f2ee5, A64_OP_SQSUB_vec}, /* sqsub v5.16b, v23.16b, v31.16b */
    {0x5ef62f5b, A64_OP_SQSUB_sc}, /* sqsub d27, d26, d22 */
    {0x6e792cb9, A64_OP_UQSUB_vec}, /* uqsub v25.8h, v5.8h, v25.8h */
    {0x7eed2f20, A64_OP_UQSUB_sc}, /* uqsub d0, d25, d13 */
    {0x0e3f3660, A64_OP_CMGT_vec}, /* cmgt v0.8b, v19.8b, v31.8b */
    {0x5efe36b9, A64_OP_CMGT_sc}, /* cmgt d25, d21, d30 */
    {0x2e3036b5, A64_OP_CMHI_vec}, /* cmhi v21.8b, v21.8b, v16.8b */
    {0x7efd36e4, A64_OP_CMHI_sc}, /* cmhi d4, d23, d29 */
    {0x0ea93f5c, A64_OP_CMGE_vec}, /* cmge v28.2s, v26.2s, v9.2s */
    {0x5ef23ca4, A64_OP_CMGE_sc}, /* cmge d4, d5, d18 */
    {0x2eb13d68, A64_OP_CMHS_vec}, /* cmhs v8.2s, v11.2s, v17.2s */
    {0x7ee53d67, A64_OP_CMHS_sc}, /* cmhs d7, d11, d5 */
    {0x0ea7469b, A64_OP_SSHL_vec}, /* sshl v27.2s, v20.2s, v7.2s */
    {0x5efa47a0, A64_OP_SSHL_sc}, /* sshl d0, d29, d26 */
    {0x2eb74479, A64_OP_USHL_vec}, /* ushl v25.2s, v3.2s, v23.2s */
    {0x7ee545bd, A64_OP_USHL_sc}, /* ushl d29, d13, d5 */
    {0x0e3a4d1c, A64_OP_SQSHL_vec}, /* sqshl v28.8b, v8.8b, v26.8b */
    {0x5e754ea7, A64_OP_SQSHL_sc}, /* sqshl h7, h21, h21 */
    {0x6e364d39, A64_OP_UQSHL_vec}, /* uqshl v25.16b, v9.16b, v22.16b */
    {0x7efc4c22, A64_OP_UQSHL_sc}, /* uqshl d2, d1, d28 */
    {0x0e3b5423, A64_OP_SRSHL_vec}, /* srshl v3.8b, v1.8b, v27.8b */
    {0x5ee654c3, A64_OP_SRSHL_sc}, /* srshl d3, d6, d6 */
    {0x2eae5405, A64_OP_URSHL_vec}, /* urshl v5.2s, v0.2s, v14.2s */
    {0x7eed545b, A64_OP_URSHL_sc}, /* urshl d27, d2, d13 */
    {0x0eac5fdc, A64_OP_SQRSHL_vec}, /* sqrshl v28.2s, v30.2s, v12.2s */
    {0x5eeb5ef9, A64_OP_SQRSHL_sc}, /* sqrshl d25, d23, d11 */
    {0x6e6e5ebc, A64_OP_UQRSHL_vec}, /* uqrshl v28.8h, v21.8h, v14.8h */
    {0x7e305fef, A64_OP_UQRSHL_sc}, /* uqrshl b15, b31, b16 */
    {0x0e6b6586, A64_OP_SMAX_vec}, /* smax v6.4h, v12.4h, v11.4h */
    {0x2e296784, A64_OP_UMAX_vec}, /* umax v4.8b, v28.8b, v9.8b */
    {0x4eab6f4f, A64_OP_SMIN_vec}, /* smin v15.4s, v26.4s, v11.4s */
    {0x2ea76f2b, A64_OP_UMIN_vec}, /* umin v11.2s, v25.2s, v7.2s */
    {0x0e717584, A64_OP_SABD_vec}, /* sabd v4.4h, v12.4h, v17.4h */
    {0x6e247599, A64_OP_UABD_vec}, /* uabd v25.16b, v12.16b, v4.16b */
    {0x4e2c7d5e, A64_OP_SABA_vec}, /* saba v30.16b, v10.16b, v12.16b */
    {0x2eb87c02, A64_OP_UABA_vec}, /* uaba v2.2s, v0.2s, v24.2s */
    {0x0eb186e6, A64_OP_ADD_vec}, /* add v6.2s, v23.2s, v17.2s */
    {0x5eef8779, A64_OP_ADD_sc}, /* add d25, d27, d15 */
    {0x6e7685ef, A64_OP_SUB_vec}, /* sub v15.8h, v15.8h, v22.8h */
    {0x7ee785be, A64_OP_SUB_sc}, /* sub d30, d13, d7 */
    {0x0e6e8c2c, A64_OP_CMTST_vec}, /* cmtst v12.4h, v1.4h, v14.4h */
    {0x5ef18d4a, A64_OP_CMTST_sc}, /* cmtst d10, d10, d17 */
    {0x2e2a8c33, A64_OP_CMEQ_vec}, /* cmeq v19.8b, v1.8b, v10.8b */
    {0x7ef08c86, A64_OP_CMEQ_sc}, /* cmeq d6, d4, d16 */
    {0x4eab9587, A64_OP_MLA_vec}, /* mla v7.4s, v12.4s, v11.4s */
    {0x6e2697c9, A64_OP_MLS_vec}, /* mls v9.16b, v30.16b, v6.16b */
    {0x0eba9dc2, A64_OP_MUL_vec}, /* mul v2.2s, v14.2s, v26.2s */
    {0x2e2e9d06, A64_OP_PMUL_vec}, /* pmul v6.8b, v8.8b, v14.8b */
    {0x0ea7a56b, A64_OP_SMAXP_vec}, /* smaxp v11.2s, v11.2s, v7.2s */
    {0x6e61a752, A64_OP_UMAXP_vec}, /* umaxp v18.8h, v26.8h, v1.8h */
    {0x0ea1adba, A64_OP_SMINP_vec}, /* sminp v26.2s, v13.2s, v1.2s */
    {0x6e22ae04, A64_OP_UMINP_vec}, /* uminp v4.16b, v16.16b, v2.16b */
    {0x0e6eb48e, A64_OP_SQDMULH_vec}, /* sqdmulh v14.4h, v4.4h, v14.4h */
    {0x5ea0b761, A64_OP_SQDMULH_sc}, /* sqdmulh s1, s27, s0 */
    {0x2ea6b549, A64_OP_SQRDMULH_vec}, /* sqrdmulh v9.2s, v10.2s, v6.2s */
    {0x7ea5b699, A64_OP_SQRDMULH_sc}, /* sqrdmulh s25, s20, s5 */
    {0x0ea0bfda, A64_OP_ADDP_vec}, /* addp v26.2s, v30.2s, v0.2s */
    {0x0e331d04, A64_OP_AND_vec}, /* and v4.8b, v8.8b, v19.8b */
    {0x0e721ca4, A64_OP_BIC_vec}, /* bic v4.8b, v5.8b, v18.8b */
    {0x4ead1dcb, A64_OP_ORR_vec}, /* orr v11.16b, v14.16b, v13.16b */
    {0x4eeb1ef1, A64_OP_ORN_vec}, /* orn v17.16b, v23.16b, v11.16b */
    {0x2e3b1f05, A64_OP_EOR_vec}, /* eor v5.8b, v24.8b, v27.8b */
    {0x6e6e1c0a, A64_OP_BSL_vec}, /* bsl v10.16b, v0.16b, v14.16b */
    {0x2eb81cd6, A64_OP_BIT_vec}, /* bit v22.8b, v6.8b, v24.8b */
    {0x6ee41f70, A64_OP_BIF_vec}, /* bif v16.16b, v27.16b, v4.16b */
    {0x4e33c4b9, A64_OP_FMAXNM_vec}, /* fmaxnm v25.4s, v5.4s, v19.4s */
    {0x4e73cf53, A64_OP_FMLA_vec}, /* fmla v19.2d, v26.2d, v19.2d */
    {0x0e2dd45c, A64_OP_FADD_vec}, /* fadd v28.2s, v2.2s, v13.2s */
    {0x0e3add8f, A64_OP_FMULX_vec}, /* fmulx v15.2s, v12.2s, v26.2s */
    {0x5e71dec5, A64_OP_FMULX_sc}, /* fmulx d5, d22, d17 */
    {0x4e63e5da, A64_OP_FCMEQ_vec}, /* fcmeq v26.2d, v14.2d, v3.2d */
    {0x5e70e48f, A64_OP_FCMEQ_sc}, /* fcmeq d15, d4, d16 */
    {0x0e2ff58b, A64_OP_FMAX_vec}, /* fmax v11.2s, v12.2s, v15.2s */
    {0x4e7effa3, A64_OP_FRECPS_vec}, /* frecps v3.2d, v29.2d, v30.2d */
    {0x5e76ffc6, A64_OP_FRECPS_sc}, /* frecps d6, d30, d22 */
    {0x4eadc43a, A64_OP_FMINNM_vec}, /* fminnm v26.4s, v1.4s, v13.4s */
    {0x4ee9cd1e, A64_OP_FMLS_vec}, /* fmls v30.2d, v8.2d, v9.2d */
    {0x0eb0d669, A64_OP_FSUB_vec}, /* fsub v9.2s, v19.2s, v16.2s */
    {0x0ebbf70d, A64_OP_FMIN_vec}, /* fmin v13.2s, v24.2s, v27.2s */
    {0x4ea7fff6, A64_OP_FRSQRTS_vec}, /* frsqrts v22.4s, v31.4s, v7.4s */
    {0x5ea5ff07, A64_OP_FRSQRTS_sc}, /* frsqrts s7, s24, s5 */
    {0x6e62c460, A64_OP_FMAXNMP_vec}, /* fmaxnmp v0.2d, v3.2d, v2.2d */
    {0x6e79d69b, A64_OP_FADDP_vec}, /* faddp v27.2d, v20.2d, v25.2d */
    {0x6e39dce1, A64_OP_FMUL_vec}, /* fmul v1.4s, v7.4s, v25.4s */
    {0x6e37e45e, A64_OP_FCMGE_vec}, /* fcmge v30.4s, v2.4s, v23.4s */
    {0x7e2ae743, A64_OP_FCMGE_sc}, /* fcmge s3, s26, s10 */
    {0x6e7fec7c, A64_OP_FACGE_vec}, /* facge v28.2d, v3.2d, v31.2d */
    {0x7e7fee63, A64_OP_FACGE_sc}, /* facge d3, d19, d31 */
    {0x6e3df47f, A64_OP_FMAXP_vec}, /* fmaxp v31.4s, v3.4s, v29.4s */
    {0x6e3cfe7d, A64_OP_FDIV_vec}, /* fdiv v29.4s, v19.4s, v28.4s */
    {0x6effc739, A64_OP_FMINNMP_vec}, /* fminnmp v25.2d, v25.2d, v31.2d */
    {0x6eb0d7c3, A64_OP_FABD_vec}, /* fabd v3.4s, v30.4s, v16.4s */
    {0x7ee3d7bf, A64_OP_FABD_sc}, /* fabd d31, d29, d3 */
    {0x6efee5f2, A64_OP_FCMGT_vec}, /* fcmgt v18.2d, v15.2d, v30.2d */
    {0x7ea7e7eb, A64_OP_FCMGT_sc}, /* fcmgt s11, s31, s7 */
    {0x2eb7eda1, A64_OP_FACGT_vec}, /* facgt v1.2s, v13.2s, v23.2s */
    {0x7efdecb9, A64_OP_FACGT_sc}, /* facgt d25, d5, d29 */
    {0x6ef3f4a2, A64_OP_FMINP_vec}, /* fminp v2.2d, v5.2d, v19.2d */
    {0x0e2eedf3, A64_OP_FMLAL_vec}, /* fmlal v19.2s, v15.2h, v14.2h */
    {0x0ea6ec0b, A64_OP_FMLSL_vec}, /* fmlsl v11.2s, v0.2h, v6.2h */
    {0x2e2ccc96, A64_OP_FMLAL2_vec}, /* fmlal2 v22.2s, v4.2h, v12.2h */
    {0x2eb4cd69, A64_OP_FMLSL2_vec}, /* fmlsl2 v9.2s, v11.2h, v20.2h */
    {0x2e9884b6, A64_OP_SQRDMLAH_vec}, /* sqrdmlah v22.2s, v5.2s, v24.2s */
    {0x7e5f8502, A64_OP_SQRDMLAH_sc}, /* sqrdmlah h2, h8, h31 */
    {0x6e428c29, A64_OP_SQRDMLSH_vec}, /* sqrdmlsh v9.8h, v1.8h, v2.8h */
    {0x7e8d8c4e, A64_OP_SQRDMLSH_sc}, /* sqrdmlsh s14, s2, s13 */
    {0x0e979437, A64_OP_SDOT_vec}, /* sdot v23.2s, v1.8b, v23.8b */
    {0x2e9a950e, A64_OP_UDOT_vec}, /* udot v14.2s, v8.8b, v26.8b */
    {0x6ed2c4de, A64_OP_FCMLA_vec}, /* fcmla v30.2d, v6.2d, v18.2d, #0 */
    {0x2e52e484, A64_OP_FCADD_vec}, /* fcadd v4.4h, v4.4h, v18.4h, #90 */
    {0x0e260131, A64_OP_SADDL_vec}, /* saddl v17.8h, v9.8b, v6.8b */
    {0x2ea103b9, A64_OP_UADDL_vec}, /* uaddl v25.2d, v29.2s, v1.2s */
    {0x0ebe131d, A64_OP_SADDW_vec}, /* saddw v29.2d, v24.2d, v30.2s */
    {0x2e7a1025, A64_OP_UADDW_vec}, /* uaddw v5.4s, v1.4s, v26.4h */
    {0x4eaf2107, A64_OP_SSUBL_vec}, /* ssubl2 v7.2d, v8.4s, v15.4s */
    {0x2e2b21f5, A64_OP_USUBL_vec}, /* usubl v21.8h, v15.8b, v11.8b */
    {0x0e2f32fe, A64_OP_SSUBW_vec}, /* ssubw v30.8h, v23.8h, v15.8b */
    {0x6ebc322f, A64_OP_USUBW_vec}, /* usubw2 v15.2d, v17.2d, v28.4s */
    {0x4e3043e3, A64_OP_ADDHN_vec}, /* addhn2 v3.16b, v31.8h, v16.8h */
    {0x6e7b4033, A64_OP_RADDHN_vec}, /* raddhn2 v19.8h, v1.4s, v27.4s */
    {0x4eab5159, A64_OP_SABAL_vec}, /* sabal2 v25.2d, v10.4s, v11.4s */
    {0x6e3c5064, A64_OP_UABAL_vec}, /* uabal2 v4.8h, v3.16b, v28.16b */
    {0x4e616120, A64_OP_SUBHN_vec}, /* subhn2 v0.8h, v9.4s, v1.4s */
    {0x2e3362fe, A64_OP_RSUBHN_vec}, /* rsubhn v30.8b, v23.8h, v19.8h */
    {0x4e2871b0, A64_OP_SABDL_vec}, /* sabdl2 v16.8h, v13.16b, v8.16b */
    {0x6e2c735d, A64_OP_UABDL_vec}, /* uabdl2 v29.8h, v26.16b, v12.16b */
    {0x0e638076, A64_OP_SMLAL_vec}, /* smlal v22.4s, v3.4h, v3.4h */
    {0x2eb68139, A64_OP_UMLAL_vec}, /* umlal v25.2d, v9.2s, v22.2s */
    {0x0ea6a2d3, A64_OP_SMLSL_vec}, /* smlsl v19.2d, v22.2s, v6.2s */
    {0x6ea0a2a9, A64_OP_UMLSL_vec}, /* umlsl2 v9.2d, v21.4s, v0.4s */
    {0x4eacc00b, A64_OP_SMULL_vec}, /* smull2 v11.2d, v0.4s, v12.4s */
    {0x6ebfc2e2, A64_OP_UMULL_vec}, /* umull2 v2.2d, v23.4s, v31.4s */
    {0x0ea29321, A64_OP_SQDMLAL_vec}, /* sqdmlal v1.2d, v25.2s, v2.2s */
    {0x5e79931f, A64_OP_SQDMLAL_sc}, /* sqdmlal s31, h24, h25 */
    {0x0ebab305, A64_OP_SQDMLSL_vec}, /* sqdmlsl v5.2d, v24.2s, v26.2s */
    {0x5ebdb373, A64_OP_SQDMLSL_sc}, /* sqdmlsl d19, s27, s29 */
    {0x0eabd005, A64_OP_SQDMULL_vec}, /* sqdmull v5.2d, v0.2s, v11.2s */
    {0x5e65d2c6, A64_OP_SQDMULL_sc}, /* sqdmull s6, h22, h5 */
    {0x4e39e339, A64_OP_PMULL_vec}, /* pmull2 v25.8h, v25.16b, v25.16b */
    {0x4ee6e2d7, A64_OP_PMULL_1q}, /* pmull2 v23.1q, v22.2d, v6.2d */
    {0x0ea00b6b, A64_OP_REV64_vec}, /* rev64 v11.2s, v27.2s */
    {0x6e200b5f, A64_OP_REV32_vec}, /* rev32 v31.16b, v26.16b */
    {0x0e201a17, A64_OP_REV16_vec}, /* rev16 v23.8b, v16.8b */
    {0x4e202beb, A64_OP_SADDLP_vec}, /* saddlp v11.8h, v31.16b */
    {0x6e602ae9, A64_OP_UADDLP_vec}, /* uaddlp v9.4s, v23.8h */
    {0x0e603b98, A64_OP_SUQADD_vec}, /* suqadd v24.4h, v28.4h */
    {0x5ea03b5b, A64_OP_SUQADD_sc}, /* suqadd s27, s26 */
    {0x6e203b9b, A64_OP_USQADD_vec}, /* usqadd v27.16b, v28.16b */
    {0x7ee03a67, A64_OP_USQADD_sc}, /* usqadd d7, d19 */
    {0x4e60483e, A64_OP_CLS_vec}, /* cls v30.8h, v1.8h */
    {0x6e204886, A64_OP_CLZ_vec}, /* clz v6.16b, v4.16b */
    {0x0e205b92, A64_OP_CNT_vec}, /* cnt v18.8b, v28.8b */
    {0x6e205830, A64_OP_NOT_vec}, /* mvn v16.16b, v1.16b */
    {0x2e605bac, A64_OP_RBIT_vec}, /* rbit v12.8b, v29.8b */
    {0x0e60683a, A64_OP_SADALP_vec}, /* sadalp v26.2s, v1.4h */
    {0x6e206b65, A64_OP_UADALP_vec}, /* uadalp v5.8h, v27.16b */
    {0x4ee07aba, A64_OP_SQABS_vec}, /* sqabs v26.2d, v21.2d */
    {0x5e607a43, A64_OP_SQABS_sc}, /* sqabs h3, h18 */
    {0x6ee07860, A64_OP_SQNEG_vec}, /* sqneg v0.2d, v3.2d */
    {0x7e607bc7, A64_OP_SQNEG_sc}, /* sqneg h7, h30 */
    {0x4e608956, A64_OP_CMGT_zero_vec}, /* cmgt v22.8h, v10.8h, #0 */
    {0x5ee08b2b, A64_OP_CMGT_zero_sc}, /* cmgt d11, d25, #0 */
    {0x6e608a27, A64_OP_CMGE_zero_vec}, /* cmge v7.8h, v17.8h, #0 */
    {0x7ee08941, A64_OP_CMGE_zero_sc}, /* cmge d1, d10, #0 */
    {0x0ea09839, A64_OP_CMEQ_zero_vec}, /* cmeq v25.2s, v1.2s, #0 */
    {0x5ee09b29, A64_OP_CMEQ_zero_sc}, /* cmeq d9, d25, #0 */
    {0x6ee09ad4, A64_OP_CMLE_zero_vec}, /* cmle v20.2d, v22.2d, #0 */
    {0x7ee09bdf, A64_OP_CMLE_zero_sc}, /* cmle d31, d30, #0 */
    {0x0e60aad3, A64_OP_CMLT_zero_vec}, /* cmlt v19.4h, v22.4h, #0 */
    {0x5ee0a887, A64_OP_CMLT_zero_sc}, /* cmlt d7, d4, #0 */
    {0x0e60b866, A64_OP_ABS_vec}, /* abs v6.4h, v3.4h */
    {0x5ee0b86d, A64_OP_ABS_sc}, /* abs d13, d3 */
    {0x6ee0bb86, A64_OP_NEG_vec}, /* neg v6.2d, v28.2d */
    {0x7ee0bb0e, A64_OP_NEG_sc}, /* neg d14, d24 */
    {0x4e612912, A64_OP_XTN_vec}, /* xtn2 v18.8h, v8.4s */
    {0x6ea12baa, A64_OP_SQXTUN_vec}, /* sqxtun2 v10.4s, v29.2d */
    {0x7e212ba3, A64_OP_SQXTUN_sc}, /* sqxtun b3, h29 */
    {0x6e613b19, A64_OP_SHLL_vec}, /* shll2 v25.4s, v24.8h, #16 */
    {0x4ea1488f, A64_OP_SQXTN_vec}, /* sqxtn2 v15.4s, v4.2d */
    {0x5ea14b45, A64_OP_SQXTN_sc}, /* sqxtn s5, d26 */
    {0x2ea14ac1, A64_OP_UQXTN_vec}, /* uqxtn v1.2s, v22.2d */
    {0x7e614ab7, A64_OP_UQXTN_sc}, /* uqxtn h23, s21 */
    {0x4ee0ca37, A64_OP_FCMGT_zero_vec}, /* fcmgt v23.2d, v17.2d, #0.0 */
    {0x5ee0c86c, A64_OP_FCMGT_zero_sc}, /* fcmgt d12, d3, #0.0 */
    {0x6ee0caf9, A64_OP_FCMGE_zero_vec}, /* fcmge v25.2d, v23.2d, #0.0 */
    {0x7ea0cb22, A64_OP_FCMGE_zero_sc}, /* fcmge s2, s25, #0.0 */
    {0x4ea0da2b, A64_OP_FCMEQ_zero_vec}, /* fcmeq v11.4s, v17.4s, #0.0 */
    {0x5ea0dba7, A64_OP_FCMEQ_zero_sc}, /* fcmeq s7, s29, #0.0 */
    {0x6ee0d81d, A64_OP_FCMLE_zero_vec}, /* fcmle v29.2d, v0.2d, #0.0 */
    {0x7ea0dbaa, A64_OP_FCMLE_zero_sc}, /* fcmle s10, s29, #0.0 */
    {0x4ea0e843, A64_OP_FCMLT_zero_vec}, /* fcmlt v3.4s, v2.4s, #0.0 */
    {0x5ea0eac4, A64_OP_FCMLT_zero_sc}, /* fcmlt s4, s22, #0.0 */
    {0x0ea0fafa, A64_OP_FABS_vec}, /* fabs v26.2s, v23.2s */
    {0x6ee0f8c2, A64_OP_FNEG_vec}, /* fneg v2.2d, v6.2d */
    {0x4e218aa0, A64_OP_FRINTN_vec}, /* frintn v0.4s, v21.4s */
    {0x6e218a93, A64_OP_FRINTA_vec}, /* frinta v19.4s, v20.4s */
    {0x4ee18881, A64_OP_FRINTP_vec}, /* frintp v1.2d, v4.2d */
    {0x0e2198e2, A64_OP_FRINTM_vec}, /* frintm v2.2s, v7.2s */
    {0x6e219b19, A64_OP_FRINTX_vec}, /* frintx v25.4s, v24.4s */
    {0x4ea198fa, A64_OP_FRINTZ_vec}, /* frintz v26.4s, v7.4s */
    {0x2ea19bf6, A64_OP_FRINTI_vec}, /* frinti v22.2s, v31.2s */
    {0x0e21aa3a, A64_OP_FCVTNS_vec}, /* fcvtns v26.2s, v17.2s */
    {0x5e61ab20, A64_OP_FCVTNS_sc}, /* fcvtns d0, d25 */
    {0x6e61aa53, A64_OP_FCVTNU_vec}, /* fcvtnu v19.2d, v18.2d */
    {0x7e21a858, A64_OP_FCVTNU_sc}, /* fcvtnu s24, s2 */
    {0x4ea1aa6b, A64_OP_FCVTPS_vec}, /* fcvtps v11.4s, v19.4s */
    {0x5ee1a927, A64_OP_FCVTPS_sc}, /* fcvtps d7, d9 */
    {0x6ea1aacd, A64_OP_FCVTPU_vec}, /* fcvtpu v13.4s, v22.4s */
    {0x7ee1aac5, A64_OP_FCVTPU_sc}, /* fcvtpu d5, d22 */
    {0x0e21b8c2, A64_OP_FCVTMS_vec}, /* fcvtms v2.2s, v6.2s */
    {0x5e21bad3, A64_OP_FCVTMS_sc}, /* fcvtms s19, s22 */
    {0x2e21b902, A64_OP_FCVTMU_vec}, /* fcvtmu v2.2s, v8.2s */
    {0x7e61b9e5, A64_OP_FCVTMU_sc}, /* fcvtmu d5, d15 */
    {0x4ee1b841, A64_OP_FCVTZS_vec}, /* fcvtzs v1.2d, v2.2d */
    {0x5ee1bae5, A64_OP_FCVTZS_sc}, /* fcvtzs d5, d23 */
    {0x2ea1bbf0, A64_OP_FCVTZU_vec}, /* fcvtzu v16.2s, v31.2s */
    {0x7ea1ba49, A64_OP_FCVTZU_sc}, /* fcvtzu s9, s18 */
    {0x0e21c9b2, A64_OP_FCVTAS_vec}, /* fcvtas v18.2s, v13.2s */
    {0x5e61c81b, A64_OP_FCVTAS_sc}, /* fcvtas d27, d0 */
    {0x2e21c914, A64_OP_FCVTAU_vec}, /* fcvtau v20.2s, v8.2s */
    {0x7e61cbd7, A64_OP_FCVTAU_sc}, /* fcvtau d23, d30 */
    {0x4e21d930, A64_OP_SCVTF_vec}, /* scvtf v16.4s, v9.4s */
    {0x5e61d91a, A64_OP_SCVTF_sc}, /* scvtf d26, d8 */
    {0x2e21db97, A64_OP_UCVTF_vec}, /* ucvtf v23.2s, v28.2s */
    {0x7e21d82b, A64_OP_UCVTF_sc}, /* ucvtf s11, s1 */
    {0x4ea1db42, A64_OP_FRECPE_vec}, /* frecpe v2.4s, v26.4s */
    {0x5ea1d952, A64_OP_FRECPE_sc}, /* frecpe s18, s10 */
    {0x2ea1daec, A64_OP_FRSQRTE_vec}, /* frsqrte v12.2s, v23.2s */
    {0x7ee1da04, A64_OP_FRSQRTE_sc}, /* frsqrte d4, d16 */
    {0x6ea1fa38, A64_OP_FSQRT_vec}, /* fsqrt v24.4s, v17.4s */
    {0x5ea1fae5, A64_OP_FRECPX_sc}, /* frecpx s5, s23 */
    {0x0ea1cb38, A64_OP_URECPE_vec}, /* urecpe v24.2s, v25.2s */
    {0x6ea1ca35, A64_OP_URSQRTE_vec}, /* ursqrte v21.4s, v17.4s */
    {0x0e2169a0, A64_OP_FCVTN_vec}, /* fcvtn v0.4h, v13.4s */
    {0x0e617bc9, A64_OP_FCVTL_vec}, /* fcvtl v9.2d, v30.2s */
    {0x6e61694c, A64_OP_FCVTXN_vec}, /* fcvtxn2 v12.4s, v10.2d */
    {0x7e616bcc, A64_OP_FCVTXN_sc}, /* fcvtxn s12, d30 */
    {0x4eb038d5, A64_OP_SADDLV}, /* saddlv d21, v6.4s */
    {0x6eb03abd, A64_OP_UADDLV}, /* uaddlv d29, v21.4s */
    {0x0e70a856, A64_OP_SMAXV}, /* smaxv h22, v2.4h */
    {0x6eb0a8a2, A64_OP_UMAXV}, /* umaxv s2, v5.4s */
    {0x4e31aa90, A64_OP_SMINV}, /* sminv b16, v20.16b */
    {0x6eb1a9df, A64_OP_UMINV}, /* uminv s31, v14.4s */
    {0x4eb1b889, A64_OP_ADDV}, /* addv s9, v4.4s */
    {0x6e30c863, A64_OP_FMAXNMV}, /* fmaxnmv s3, v3.4s */
    {0x6e30f976, A64_OP_FMAXV}, /* fmaxv s22, v11.4s */
    {0x6eb0ca01, A64_OP_FMINNMV}, /* fminnmv s1, v16.4s */
    {0x6eb0f874, A64_OP_FMINV}, /* fminv s20, v3.4s */
    {0x5ef1b862, A64_OP_ADDP_pair}, /* addp d2, v3.2d */
    {0x7e30c958, A64_OP_FMAXNMP_pair}, /* fmaxnmp s24, v10.2s */
    {0x7e70d84a, A64_OP_FADDP_pair}, /* faddp d10, v2.2d */
    {0x7e70f8bb, A64_OP_FMAXP_pair}, /* fmaxp d27, v5.2d */
    {0x7ef0cb7d, A64_OP_FMINNMP_pair}, /* fminnmp d29, v27.2d */
    {0x7eb0f9fa, A64_OP_FMINP_pair}, /* fminp s26, v15.2s */
    {0x4e140627, A64_OP_DUP_elem}, /* dup v7.4s, v17.s[2] */
    {0x5e04075d, A64_OP_DUP_sc}, /* mov s29, v26.s[0] */
    {0x4e072d35, A64_OP_SMOV}, /* smov x21, v9.b[3] */
    {0x0e0a3d89, A64_OP_UMOV}, /* umov w9, v12.h[2] */
    {0x4e0f1c6b, A64_OP_INS_gp}, /* mov v11.b[7], w3 */
    {0x6e19177a, A64_OP_INS_elem}, /* mov v26.b[12], v27.b[2] */
    {0x6e0a12ea, A64_OP_EXT}, /* ext v10.16b, v23.16b, v10.16b, #2 */
    {0x0e10222c, A64_OP_TBL}, /* tbl v12.8b, {v17.16b, v18.16b}, v16.8b */
    {0x4e137032, A64_OP_TBX}, /* tbx v18.16b, {v1.16b-v4.16b}, v19.16b */
    {0x4e941981, A64_OP_UZP1}, /* uzp1 v1.4s, v12.4s, v20.4s */
    {0x4e8e2add, A64_OP_TRN1}, /* trn1 v29.4s, v22.4s, v14.4s */
    {0x0e893ba4, A64_OP_ZIP1}, /* zip1 v4.2s, v29.2s, v9.2s */
    {0x0e9c5a64, A64_OP_UZP2}, /* uzp2 v4.2s, v19.2s, v28.2s */
    {0x0e5a6800, A64_OP_TRN2}, /* trn2 v0.4h, v0.4h, v26.4h */
    {0x4ed97bbd, A64_OP_ZIP2}, /* zip2 v29.2d, v29.2d, v25.2d */
    {0x0f04e56b, A64_OP_MOVI}, /* movi v11.8b, #0x8b */
    {0x2f06e48c, A64_OP_MOVI_d}, /* movi d12, #0xffff000000ff0000 */
    {0x6f03c43d, A64_OP_MVNI}, /* mvni v29.4s, #0x61, msl #8 */
    {0x4f0635ef, A64_OP_ORR_vimm}, /* orr v15.4s, #0xcf, lsl #8 */
    {0x6f06178a, A64_OP_BIC_vimm}, /* bic v10.4s, #0xdc */
    {0x0f06f52f, A64_OP_FMOV_vimm}, /* fmov v15.2s, #-1.953125000000000000e-01 */
    {0x4f170471, A64_OP_SSHR_vimm}, /* sshr v17.8h, v3.8h, #9 */
    {0x5f7306e5, A64_OP_SSHR_vimm_sc}, /* sshr d5, d23, #13 */
    {0x6f6e047c, A64_OP_USHR_vimm}, /* ushr v28.2d, v3.2d, #18 */
    {0x7f7d0692, A64_OP_USHR_vimm_sc}, /* ushr d18, d20, #3 */
    {0x4f5a16ab, A64_OP_SSRA_vimm}, /* ssra v11.2d, v21.2d, #38 */
    {0x5f6715b7, A64_OP_SSRA_vimm_sc}, /* ssra d23, d13, #25 */
    {0x2f111497, A64_OP_USRA_vimm}, /* usra v23.4h, v4.4h, #15 */
    {0x7f5614fb, A64_OP_USRA_vimm_sc}, /* usra d27, d7, #42 */
    {0x0f38277b, A64_OP_SRSHR_vimm}, /* srshr v27.2s, v27.2s, #8 */
    {0x5f5e2532, A64_OP_SRSHR_vimm_sc}, /* srshr d18, d9, #34 */
    {0x2f092465, A64_OP_URSHR_vimm}, /* urshr v5.8b, v3.8b, #7 */
    {0x7f78248c, A64_OP_URSHR_vimm_sc}, /* urshr d12, d4, #8 */
    {0x0f1c3722, A64_OP_SRSRA_vimm}, /* srsra v2.4h, v25.4h, #4 */
    {0x5f6637ed, A64_OP_SRSRA_vimm_sc}, /* srsra d13, d31, #26 */
    {0x6f1c357b, A64_OP_URSRA_vimm}, /* ursra v27.8h, v11.8h, #4 */
    {0x7f6d36b6, A64_OP_URSRA_vimm_sc}, /* ursra d22, d21, #19 */
    {0x6f09455d, A64_OP_SRI_vimm}, /* sri v29.16b, v10.16b, #7 */
    {0x7f5b47ca, A64_OP_SRI_vimm_sc}, /* sri d10, d30, #37 */
    {0x4f405701, A64_OP_SHL_vimm}, /* shl v1.2d, v24.2d, #0 */
    {0x5f4454dc, A64_OP_SHL_vimm_sc}, /* shl d28, d6, #4 */
    {0x2f2d568a, A64_OP_SLI_vimm}, /* sli v10.2s, v20.2s, #13 */
    {0x7f79549b, A64_OP_SLI_vimm_sc}, /* sli d27, d4, #57 */
    {0x6f0e65da, A64_OP_SQSHLU_vimm}, /* sqshlu v26.16b, v14.16b, #6 */
    {0x7f4767e1, A64_OP_SQSHLU_vimm_sc}, /* sqshlu d1, d31, #7 */
    {0x0f227727, A64_OP_SQSHL_vimm}, /* sqshl v7.2s, v25.2s, #2 */
    {0x5f5f770d, A64_OP_SQSHL_vimm_sc}, /* sqshl d13, d24, #31 */
    {0x6f1e7695, A64_OP_UQSHL_vimm}, /* uqshl v21.8h, v20.8h, #14 */
    {0x7f767478, A64_OP_UQSHL_vimm_sc}, /* uqshl d24, d3, #54 */
    {0x0f36861e, A64_OP_SHRN_vimm}, /* shrn v30.2s, v16.2d, #10 */
    {0x0f278f42, A64_OP_RSHRN_vimm}, /* rshrn v2.2s, v26.2d, #25 */
    {0x2f2e84c5, A64_OP_SQSHRUN_vimm}, /* sqshrun v5.2s, v6.2d, #18 */
    {0x7f0d87df, A64_OP_SQSHRUN_vimm_sc}, /* sqshrun b31, h30, #3 */
    {0x6f1b8eba, A64_OP_SQRSHRUN_vimm}, /* sqrshrun2 v26.8h, v21.4s, #5 */
    {0x7f088d59, A64_OP_SQRSHRUN_vimm_sc}, /* sqrshrun b25, h10, #8 */
    {0x4f31964a, A64_OP_SQSHRN_vimm}, /* sqshrn2 v10.4s, v18.2d, #15 */
    {0x5f1c9636, A64_OP_SQSHRN_vimm_sc}, /* sqshrn h22, s17, #4 */
    {0x2f139794, A64_OP_UQSHRN_vimm}, /* uqshrn v20.4h, v28.4s, #13 */
    {0x7f359644, A64_OP_UQSHRN_vimm_sc}, /* uqshrn s4, d18, #11 */
    {0x4f299cc2, A64_OP_SQRSHRN_vimm}, /* sqrshrn2 v2.4s, v6.2d, #23 */
    {0x5f0e9c08, A64_OP_SQRSHRN_vimm_sc}, /* sqrshrn b8, h0, #2 */
    {0x2f389c52, A64_OP_UQRSHRN_vimm}, /* uqrshrn v18.2s, v2.2d, #8 */
    {0x7f2d9ebc, A64_OP_UQRSHRN_vimm_sc}, /* uqrshrn s28, d21, #19 */
    {0x4f2ba586, A64_OP_SSHLL_vimm}, /* sshll2 v6.2d, v12.4s, #11 */
    {0x2f0ba549, A64_OP_USHLL_vimm}, /* ushll v9.8h, v10.8b, #3 */
    {0x4f3ae6ab, A64_OP_SCVTF_fix_vec}, /* scvtf v11.4s, v21.4s, #6 */
    {0x5f45e497, A64_OP_SCVTF_fix_sc}, /* scvtf d23, d4, #59 */
    {0x6f28e6bc, A64_OP_UCVTF_fix_vec}, /* ucvtf v28.4s, v21.4s, #24 */
    {0x7f79e683, A64_OP_UCVTF_fix_sc}, /* ucvtf d3, d20, #7 */
    {0x0f35fd41, A64_OP_FCVTZS_fix_vec}, /* fcvtzs v1.2s, v10.2s, #11 */
    {0x5f71ff13, A64_OP_FCVTZS_fix_sc}, /* fcvtzs d19, d24, #15 */
    {0x6f5ffca5, A64_OP_FCVTZU_fix_vec}, /* fcvtzu v5.2d, v5.2d, #33 */
    {0x7f79fff7, A64_OP_FCVTZU_fix_sc}, /* fcvtzu d23, d31, #7 */
    {0x0f4a81cc, A64_OP_MUL_elem}, /* mul v12.4h, v14.4h, v10.h[0] */
    {0x6fbb0892, A64_OP_MLA_elem}, /* mla v18.4s, v4.4s, v27.s[3] */
    {0x6f7140cd, A64_OP_MLS_elem}, /* mls v13.8h, v6.8h, v1.h[3] */
    {0x0fbe20f5, A64_OP_SMLAL_elem}, /* smlal v21.2d, v7.2s, v30.s[1] */
    {0x2f4020ae, A64_OP_UMLAL_elem}, /* umlal v14.4s, v5.4h, v0.h[0] */
    {0x4f696077, A64_OP_SMLSL_elem}, /* smlsl2 v23.4s, v3.8h, v9.h[2] */
    {0x2fbf6914, A64_OP_UMLSL_elem}, /* umlsl v20.2d, v8.2s, v31.s[3] */
    {0x4f78a3ec, A64_OP_SMULL_elem}, /* smull2 v12.4s, v31.8h, v8.h[3] */
    {0x2fb8aab6, A64_OP_UMULL_elem}, /* umull v22.2d, v21.2s, v24.s[3] */
    {0x4f923243, A64_OP_SQDMLAL_elem}, /* sqdmlal2 v3.2d, v18.4s, v18.s[0] */
    {0x5f6b3885, A64_OP_SQDMLAL_elem_sc}, /* sqdmlal s5, h4, v11.h[6] */
    {0x4fb071c6, A64_OP_SQDMLSL_elem}, /* sqdmlsl2 v6.2d, v14.4s, v16.s[1] */
    {0x5f8c73cc, A64_OP_SQDMLSL_elem_sc}, /* sqdmlsl d12, s30, v12.s[0] */
    {0x0f7eba8c, A64_OP_SQDMULL_elem}, /* sqdmull v12.4s, v20.4h, v14.h[7] */
    {0x5fa5b9c0, A64_OP_SQDMULL_elem_sc}, /* sqdmull d0, s14, v5.s[3] */
    {0x4f7bc9bd, A64_OP_SQDMULH_elem}, /* sqdmulh v29.8h, v13.8h, v11.h[7] */
    {0x5f8fc871, A64_OP_SQDMULH_elem_sc}, /* sqdmulh s17, s3, v15.s[2] */
    {0x0f43d30e, A64_OP_SQRDMULH_elem}, /* sqrdmulh v14.4h, v24.4h, v3.h[0] */
    {0x5f67d172, A64_OP_SQRDMULH_elem_sc}, /* sqrdmulh h18, h11, v7.h[2] */
    {0x2f4adbbc, A64_OP_SQRDMLAH_elem}, /* sqrdmlah v28.4h, v29.4h, v10.h[4] */
    {0x7f96d3fe, A64_OP_SQRDMLAH_elem_sc}, /* sqrdmlah s30, s31, v22.s[0] */
    {0x6f68fa66, A64_OP_SQRDMLSH_elem}, /* sqrdmlsh v6.8h, v19.8h, v8.h[6] */
    {0x7f6ffb01, A64_OP_SQRDMLSH_elem_sc}, /* sqrdmlsh h1, h24, v15.h[6] */
    {0x0fb7ead3, A64_OP_SDOT_elem}, /* sdot v19.2s, v22.8b, v23.4b[3] */
    {0x2fa2e10c, A64_OP_UDOT_elem}, /* udot v12.2s, v8.8b, v2.4b[1] */
    {0x0fbf1bde, A64_OP_FMLA_elem}, /* fmla v30.2s, v30.2s, v31.s[3] */
    {0x5f9011dd, A64_OP_FMLA_elem_sc}, /* fmla s29, s14, v16.s[0] */
    {0x0fb1521e, A64_OP_FMLS_elem}, /* fmls v30.2s, v16.2s, v17.s[1] */
    {0x5f8d533b, A64_OP_FMLS_elem_sc}, /* fmls s27, s25, v13.s[0] */
    {0x4fbd9a65, A64_OP_FMUL_elem}, /* fmul v5.4s, v19.4s, v29.s[3] */
    {0x5fc19298, A64_OP_FMUL_elem_sc}, /* fmul d24, d20, v1.d[0] */
    {0x6f8c9991, A64_OP_FMULX_elem}, /* fmulx v17.4s, v12.4s, v12.s[2] */
    {0x7fdf9970, A64_OP_FMULX_elem_sc}, /* fmulx d16, d11, v31.d[1] */
    {0x0fa90b8f, A64_OP_FMLAL_elem}, /* fmlal v15.2s, v28.2h, v9.h[6] */
    {0x4f99427e, A64_OP_FMLSL_elem}, /* fmlsl v30.4s, v19.4h, v9.h[1] */
    {0x2f998166, A64_OP_FMLAL2_elem}, /* fmlal2 v6.2s, v11.2h, v9.h[1] */
    {0x6f8fc30b, A64_OP_FMLSL2_elem}, /* fmlsl2 v11.4s, v24.4h, v15.h[0] */
    {0x6f7d12fd, A64_OP_FCMLA_elem}, /* fcmla v29.8h, v23.8h, v29.h[1], #0 */
    {0x4e28490b, A64_OP_AESE}, /* aese v11.16b, v8.16b */
    {0x4e2858a4, A64_OP_AESD}, /* aesd v4.16b, v5.16b */
    {0x4e286852, A64_OP_AESMC}, /* aesmc v18.16b, v2.16b */
    {0x4e28795d, A64_OP_AESIMC}, /* aesimc v29.16b, v10.16b */
    {0x5e0301ca, A64_OP_SHA1C}, /* sha1c q10, s14, v3.4s */
    {0x5e1b1281, A64_OP_SHA1P}, /* sha1p q1, s20, v27.4s */
    {0x5e0f22fd, A64_OP_SHA1M}, /* sha1m q29, s23, v15.4s */
    {0x5e193236, A64_OP_SHA1SU0}, /* sha1su0 v22.4s, v17.4s, v25.4s */
    {0x5e0e42de, A64_OP_SHA256H}, /* sha256h q30, q22, v14.4s */
    {0x5e1d5039, A64_OP_SHA256H2}, /* sha256h2 q25, q1, v29.4s */
    {0x5e066280, A64_OP_SHA256SU1}, /* sha256su1 v0.4s, v20.4s, v6.4s */
    {0x5e280a79, A64_OP_SHA1H}, /* sha1h s25, s19 */
    {0x5e281995, A64_OP_SHA1SU1}, /* sha1su1 v21.4s, v12.4s */
    {0x5e282b69, A64_OP_SHA256SU0}, /* sha256su0 v9.4s, v27.4s */
    {0x94000400, A64_OP_BL}, /* bl .+0x1000 */
    {0x17fffffe, A64_OP_B}, /* b .-8 */
    {0x54000208, A64_OP_B_cond}, /* b.hi .+64 */
    {0xb4000083, A64_OP_CBZ}, /* cbz x3, .+16 */
    {0x35ffff83, A64_OP_CBNZ}, /* cbnz w3, .-16 */
    {0xb6400083, A64_OP_TBZ}, /* tbz x3, #40, .+16 */
    {0x3727ff83, A64_OP_TBNZ}, /* tbnz w3, #4, .-16 */
    {0x30000021, A64_OP_ADR}, /* adr x1, .+5 */
    {0x90000001, A64_OP_ADRP}, /* adrp x1, .+0x3000 */
    {0x58000201, A64_OP_LDR_lit}, /* ldr x1, .+64 */
    {0x98000201, A64_OP_LDRSW_lit}, /* ldrsw x1, .+64 */
    {0xd8000200, A64_OP_PRFM_lit}, /* prfm pldl1keep, .+64 */
    {0x9c000201, A64_OP_LDR_v_lit}, /* ldr q1, .+64 */
    {0x9bc37c41, A64_OP_UMULH}, /* umulh x1, x2, x3 */
    {0x9b437c41, A64_OP_SMULH}, /* smulh x1, x2, x3 */
    {0x085f7c41, A64_OP_LDXR}, /* ldxrb w1, [x2] */
    {0xc85fffe1, A64_OP_LDAXR}, /* ldaxr x1, [sp] */
    {0x4801fc62, A64_OP_STLXR}, /* stlxrh w1, w2, [x3] */
    {0xc87f0861, A64_OP_LDXP}, /* ldxp x1, x2, [x3] */
    {0x889ffc41, A64_OP_STLR}, /* stlr w1, [x2] */
    {0x08dffc41, A64_OP_LDAR}, /* ldarb w1, [x2] */
    {0xd2009c41, A64_OP_EOR_imm}, /* eor x1, x2, #0xff00ff00ff00ff */
    {0x1e602078, A64_OP_FCMPE_zero}, /* fcmpe d3, #0.0 */
    {0x92a000a1, A64_OP_MOVN}, /* movn x1, #5, lsl #16 */
    {0x528000a1, A64_OP_MOVZ}, /* movz w1, #5 */
    {0x4e040c41, A64_OP_DUP_gp}, /* dup v1.4s, w2 */
    {0xd503233f, A64_OP_HINT}, /* paciasp */
    {0xd503245f, A64_OP_HINT}, /* bti c */
    {0xd50b7e23, A64_OP_SYS}, /* dc civac, x3 */
    {0xd508831f, A64_OP_SYS}, /* tlbi vmalle1is */
    {0xd5087803, A64_OP_SYS}, /* at s1e1r, x3 */
    {0xd518c003, A64_OP_MSR}, /* msr vbar_el1, x3 */
    {0xd5380003, A64_OP_MRS}, /* mrs x3, midr_el1 */
    {0xd50342df, A64_OP_MSR_imm}, /* msr daifset, #2 */
    {0xb821005f, A64_OP_LDADD}, /* stadd w1, [x2] */
    {0xb100043f, A64_OP_ADDS_imm}, /* cmn x1, #1 */
    {0xeb216bff, A64_OP_SUBS_ext}, /* cmp sp, x1, uxtx #2 */
    {0xd37df041, A64_OP_UBFM}, /* lsl x1, x2, #3 */
    {0x13037c41, A64_OP_SBFM}, /* asr w1, w2, #3 */
    {0xaa0203e1, A64_OP_ORR_shift}, /* mov x1, x2 */
    {0x9b037c41, A64_OP_MADD}, /* mul x1, x2, x3 */
    {0x93c20c41, A64_OP_EXTR}, /* ror x1, x2, #3 */
    {0x9a9f17e1, A64_OP_CSINC}, /* cset x1, eq */
};
/* clang-format on */

#endif
