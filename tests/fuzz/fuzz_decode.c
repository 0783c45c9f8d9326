/* fuzz_decode.c: any 32-bit word decodes to an operation of the table, or is undefined.
 *
 * The input is a list of words. What decodes must fit a line of its operation's in the table, have
 * a name, and decode the same way a second time; a CPU with fewer features must never know more
 * words.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "core/arm64/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool fits_a_line(const struct a64_insn *in)
{
    for (unsigned i = 0; i < A64_PATTERN_COUNT; i++)
        if (a64_patterns[i].op == in->op &&
            (in->raw & a64_patterns[i].mask) == a64_patterns[i].value)
            return true;
    return false;
}

static void check_word(uint32_t word, uint32_t features)
{
    struct a64_insn in, again;
    memset(&in, 0, sizeof in);
    memset(&again, 0, sizeof again);
    bool known = a64_decode(word, &in);
    assert(known == (in.op != A64_OP_UNDEFINED));
    assert(in.op < A64_OP_COUNT && a64_op_name((enum a64_op)in.op));
    bool of_model = a64_decode_for(features, word, &again);
    assert(!of_model || known);
    if (!known)
        return;
    assert(in.raw == word && in.feature < A64_FEATURE_COUNT && fits_a_line(&in));
    assert(of_model == (features >> in.feature & 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t features = size >= 4 ? (uint32_t)load_le(data, 4) : 0;
    for (size_t at = 0; at + 4 <= size; at += 4)
        check_word((uint32_t)load_le(data + at, 4), features);
    return 0;
}
