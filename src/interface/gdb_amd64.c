/* gdb_amd64.c: the registers of x86-64, as gdb numbers them and as the engine names them.
 *
 * Source: "Debugging with GDB", appendix G.5.3 (i386 features): the order within a feature is
 * free, its names are not. What no feature of gdb's has, the control registers, is a feature of
 * ours, which gdb shows as it is.
 *
 * Limits: always the 64-bit registers, so a guest in 16-bit or 32-bit mode is disassembled wrongly
 * unless gdb is told (set architecture); no AVX.
 */
#include "interface/gdb_arch.h"

#include <assert.h>
#include <stdio.h>

#include "base/bytes.h"
#include "core/engine/engine.h"

enum { TAG_AT = 4 }; /* in the image of FXSAVE */

#define MSR(low) ENGINE_REG_X86_MSR(0xc0000000u | (low))
#define FX16(at) ENGINE_REG_X86_FX16(at)
#define FX32(at) ENGINE_REG_X86_FX32(at)

struct reg {
    const char *name, *type;
    uint8_t bytes;
    uint64_t id;
};

#define GPR(name, type, n)                                                                         \
    {                                                                                              \
        name, type, 8, ENGINE_REG_X86_GPR(n)                                                       \
    }
#define SEL(name, n)                                                                               \
    {                                                                                              \
        name, "int32", 4, ENGINE_REG_X86_SELECTOR(n)                                               \
    }
#define ST(n)                                                                                      \
    {                                                                                              \
        "st" #n, "i387_ext", 10, ENGINE_REG_X86_ST(n)                                              \
    }
#define X87(name, id)                                                                              \
    {                                                                                              \
        name, "int", 4, id                                                                         \
    }
#define XMM(n)                                                                                     \
    {                                                                                              \
        "xmm" #n, "vec128", 16, ENGINE_REG_X86_XMM(n)                                              \
    }
#define CR(n)                                                                                      \
    {                                                                                              \
        "cr" #n, "int64", 8, ENGINE_REG_X86_CR(n)                                                  \
    }

/* clang-format off */
static const struct reg regs[] = {
    GPR("rax", "int64", 0), GPR("rbx", "int64", 1), GPR("rcx", "int64", 2), GPR("rdx", "int64", 3),
    GPR("rsi", "int64", 4), GPR("rdi", "int64", 5), GPR("rbp", "data_ptr", 7),
    GPR("rsp", "data_ptr", 6),
    GPR("r8", "int64", 8), GPR("r9", "int64", 9), GPR("r10", "int64", 10), GPR("r11", "int64", 11),
    GPR("r12", "int64", 12), GPR("r13", "int64", 13), GPR("r14", "int64", 14),
    GPR("r15", "int64", 15), GPR("rip", "code_ptr", 16),
    {"eflags", "i386_eflags", 4, ENGINE_REG_X86_RFLAGS},
    SEL("cs", 0), SEL("ss", 5), SEL("ds", 1), SEL("es", 2), SEL("fs", 3), SEL("gs", 4),
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
    X87("fctrl", FX16(0)), X87("fstat", FX16(2)), X87("ftag", FX16(TAG_AT)),
    X87("fiseg", FX16(12)), X87("fioff", FX32(8)), X87("foseg", FX16(20)), X87("fooff", FX32(16)),
    X87("fop", FX16(6)),
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10),
    XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
    {"mxcsr", "i386_mxcsr", 4, FX32(24)},
    {"fs_base", "int64", 8, MSR(0x100)}, {"gs_base", "int64", 8, MSR(0x101)},
    {"k_gs_base", "int64", 8, MSR(0x102)}, {"efer", "int64", 8, MSR(0x80)},
    CR(0), CR(2), CR(3), CR(4), CR(8),
};
/* clang-format on */

enum { RIP = 16, FIRST_XMM = 40, FIRST_SEGMENT = 57, FIRST_SYSTEM = 59 };
static_assert(ARRAY_SIZE(regs) == FIRST_SYSTEM + 7, "the features below");

static const char head[] =
    "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
    "<architecture>i386:x86-64</architecture>";

/* Each begins at the register of that number. */
static const struct feature {
    unsigned first;
    const char *name, *types;
} features[] = {
    {0, "org.gnu.gdb.i386.core",
     "<flags id=\"i386_eflags\" size=\"4\"><field name=\"CF\" start=\"0\" end=\"0\"/>"
     "<field name=\"\" start=\"1\" end=\"1\"/><field name=\"PF\" start=\"2\" end=\"2\"/>"
     "<field name=\"AF\" start=\"4\" end=\"4\"/><field name=\"ZF\" start=\"6\" end=\"6\"/>"
     "<field name=\"SF\" start=\"7\" end=\"7\"/><field name=\"TF\" start=\"8\" end=\"8\"/>"
     "<field name=\"IF\" start=\"9\" end=\"9\"/><field name=\"DF\" start=\"10\" end=\"10\"/>"
     "<field name=\"OF\" start=\"11\" end=\"11\"/></flags>"},
    {FIRST_XMM, "org.gnu.gdb.i386.sse",
     "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
     "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
     "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
     "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
     "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
     "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
     "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
     "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
     "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
     "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>"
     "<flags id=\"i386_mxcsr\" size=\"4\"><field name=\"IE\" start=\"0\" end=\"0\"/>"
     "<field name=\"DE\" start=\"1\" end=\"1\"/><field name=\"ZE\" start=\"2\" end=\"2\"/>"
     "<field name=\"OE\" start=\"3\" end=\"3\"/><field name=\"UE\" start=\"4\" end=\"4\"/>"
     "<field name=\"PE\" start=\"5\" end=\"5\"/><field name=\"DAZ\" start=\"6\" end=\"6\"/>"
     "<field name=\"FZ\" start=\"15\" end=\"15\"/></flags>"},
    {FIRST_SEGMENT, "org.gnu.gdb.i386.segments", ""},
    {FIRST_SYSTEM, "org.peng.i386.system", ""},
};

static size_t reg_size(unsigned number)
{
    return regs[number].bytes;
}

static size_t write_xml(char out[GDB_XML_BYTES_MAX])
{
    size_t n = (size_t)snprintf(out, GDB_XML_BYTES_MAX, "%s", head);
    for (unsigned i = 0, feature = 0; i < ARRAY_SIZE(regs); i++) {
        const struct reg *r = &regs[i];
        if (feature < ARRAY_SIZE(features) && features[feature].first == i) {
            n += (size_t)snprintf(out + n, GDB_XML_BYTES_MAX - n, "%s<feature name=\"%s\">%s",
                                  i ? "</feature>" : "", features[feature].name,
                                  features[feature].types);
            feature++;
        }
        n += (size_t)snprintf(out + n, GDB_XML_BYTES_MAX - n,
                              "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", r->name,
                              r->bytes * 8u, r->type);
    }
    n += (size_t)snprintf(out + n, GDB_XML_BYTES_MAX - n, "</feature></target>");
    assert(n < GDB_XML_BYTES_MAX);
    return n;
}

const struct gdb_arch gdb_amd64 = {ARRAY_SIZE(regs), RIP, reg_size, write_xml};

uint64_t gdb_amd64_reg_id(unsigned number)
{
    return regs[number].id;
}

int gdb_amd64_is_tag(unsigned number)
{
    return regs[number].id == FX16(TAG_AT);
}

/* Two bits a register: 0 in use, 3 empty; the kinds between are gdb's to guess. */
uint32_t gdb_amd64_widen_tag(uint32_t bits)
{
    uint32_t tag = 0;
    for (unsigned i = 0; i < 8; i++)
        tag |= bits >> i & 1 ? 0 : 3u << 2 * i;
    return tag;
}

uint32_t gdb_amd64_narrow_tag(uint32_t tag)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits |= (tag >> 2 * i & 3) != 3 ? 1u << i : 0;
    return bits;
}
