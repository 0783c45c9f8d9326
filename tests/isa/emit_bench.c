/* emit_bench.c: see the header. Counts instructions by Capstone, and by their prefix those of
 * AVX-512, GFNI and VNNI that Capstone 4 does not know.
 */
#include "emit_bench.h"

#include <stdlib.h>

#include "base/bytes.h"

static uint64_t never(struct a64_cpu *cpu, uint64_t offset, uint32_t raw)
{
    (void)cpu, (void)offset, (void)raw;
    return 0;
}

void bench_init(struct bench *b, enum bench_host host, bool user)
{
    static const char *const features[] = {
        [BENCH_SSE] = "sse4_2,cx16,aes,pclmulqdq,sha_ni",
        [BENCH_AVX2] = "avx2,f16c,cx16,aes,pclmulqdq,sha_ni",
        [BENCH_AVX512] = ("avx2,f16c,cx16,aes,pclmulqdq,sha_ni,gfni,avx512vl,avx512vbmi,"
                          "avx512_vbmi2,avx512_bitalg,avx512_vnni")};
    if (hostcpu_parse(features[host], &b->host, NULL) < 0 ||
        cs_open(CS_ARCH_X86, CS_MODE_64, &b->capstone) != CS_ERR_OK)
        abort();
    b->buf = (struct x86_buf){.start = b->code, .at = b->code, .end = b->code + BENCH_CODE_BYTES};
    lift_table_init(&b->table);
    b->user = user;
    emit_stubs(&b->buf, &b->host, user, never, &b->stubs);
}

bool bench_emit(struct bench *b, const uint32_t *words, unsigned count)
{
    uint8_t page[4096] = {0};
    struct lift_source source = {.table = &b->table,
                                 .page = page,
                                 .offset = BENCH_OFFSET,
                                 .context = LIFT_EL1 | LIFT_FP | LIFT_FP_PLAIN | LIFT_ZVA,
                                 .features = UINT32_MAX,
                                 .max_insns = count};
    struct emit_request request = {.unit = &b->unit,
                                   .host = &b->host,
                                   .stubs = &b->stubs,
                                   .user = b->user,
                                   .page = BENCH_PAGE};
    struct x86_buf buf = b->buf;
    for (unsigned i = 0; i < count; i++)
        store_le(page + BENCH_OFFSET + 4 * i, 4, words[i]);
    lift_unit(&source, &b->unit);
    if (!b->user)
        ir_share_checks(&b->unit);
    return emit_unit(&buf, &request, &b->result);
}

/* CALL rel32 of the stub, where it can only be that. */
bool bench_interprets(const struct bench *b)
{
    const uint8_t *code = b->buf.at;
    for (size_t i = 0; i + 5 <= b->result.main_bytes; i++) {
        int32_t displacement = (int32_t)load_le(code + i + 1, 4);
        if (code[i] == 0xe8 && code + i + 5 + displacement == b->stubs.interpret)
            return true;
    }
    return false;
}

/* Intel SDM volume 2, 2.3 and 2.7: prefix, opcode, ModRM with SIB and displacement, and of map 0F
 * 3A and some of 0F an immediate byte. */
static size_t prefixed_length(const uint8_t *code)
{
    size_t prefix = code[0] == 0x62 ? 4 : code[0] == 0xc4 ? 3 : code[0] == 0xc5 ? 2 : 0;
    if (!prefix)
        return 0;
    unsigned map = prefix == 2 ? 1 : code[1] & (prefix == 4 ? 7 : 31), opcode = code[prefix];
    unsigned modrm = code[prefix + 1], mod = modrm >> 6, rm = modrm & 7;
    bool sib = mod != 3 && rm == 4;
    bool immediate =
        map == 3 ||
        (map == 1 && ((opcode >= 0x70 && opcode <= 0x73) || (opcode >= 0xc2 && opcode <= 0xc6)));
    size_t displacement = mod == 1 ? 1 : mod == 2 || (mod == 0 && rm == 5) ? 4 : 0;
    return prefix + 2 + sib + displacement + immediate;
}

unsigned bench_count(struct bench *b, unsigned words)
{
    const uint8_t *at = b->buf.at, *end = at + b->result.main_bytes;
    const struct ir_op *last = &b->unit.ops[b->unit.count - 1];
    bool cut = last->op == IR_JUMP && last[-1].op == IR_INSN &&
               (uint32_t)last[-1].imm == BENCH_OFFSET + words * 4 - 4;
    unsigned count = 0;
    while (at < end) {
        cs_insn *insn = NULL;
        size_t bytes = 0;
        bool padding = false; /* by where the code happens to lie */
        if (cs_disasm(b->capstone, at, (size_t)(end - at), 0, 1, &insn)) {
            bytes = insn->size;
            padding = insn->id == X86_INS_NOP;
            cs_free(insn, 1);
        } else {
            bytes = prefixed_length(at);
        }
        if (!bytes)
            break;
        count += !padding;
        at += bytes;
    }
    return at < end ? 0 : count - cut;
}
