/* gdb_arm64.c: the registers of arm64 as gdb numbers them: the features org.gnu.gdb.aarch64.core
 * and .fpu ("Debugging with GDB", appendix G.5.1).
 *
 * Limits: no system registers.
 */
#include "interface/gdb_arch.h"

#include <stdio.h>

static const char head[] =
    "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
    "<architecture>aarch64</architecture><feature name=\"org.gnu.gdb.aarch64.core\">";
static const char fpu[] =
    "</feature><feature name=\"org.gnu.gdb.aarch64.fpu\">"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v2u\" type=\"uint64\" count=\"2\"/>"
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v4u\" type=\"uint32\" count=\"4\"/>"
    "<vector id=\"v8u\" type=\"uint16\" count=\"8\"/>"
    "<vector id=\"v16u\" type=\"uint8\" count=\"16\"/>"
    "<union id=\"vnd\"><field name=\"f\" type=\"v2d\"/><field name=\"u\" type=\"v2u\"/></union>"
    "<union id=\"vns\"><field name=\"f\" type=\"v4f\"/><field name=\"u\" type=\"v4u\"/></union>"
    "<union id=\"vnh\"><field name=\"u\" type=\"v8u\"/></union>"
    "<union id=\"vnb\"><field name=\"u\" type=\"v16u\"/></union>"
    "<union id=\"vnq\"><field name=\"u\" type=\"uint128\"/></union>"
    "<union id=\"aarch64v\"><field name=\"d\" type=\"vnd\"/><field name=\"s\" type=\"vns\"/>"
    "<field name=\"h\" type=\"vnh\"/><field name=\"b\" type=\"vnb\"/>"
    "<field name=\"q\" type=\"vnq\"/></union>";
static const char tail[] = "<reg name=\"fpsr\" bitsize=\"32\"/>"
                           "<reg name=\"fpcr\" bitsize=\"32\"/></feature></target>";

static size_t reg_size(unsigned number)
{
    if (number == GDB_REG_CPSR || number >= GDB_REG_FPSR)
        return 4;
    return number >= GDB_REG_V0 ? 16 : 8;
}

static size_t write_xml(char out[GDB_XML_BYTES_MAX])
{
    size_t n = (size_t)snprintf(out, GDB_XML_BYTES_MAX, "%s", head);
    for (unsigned i = 0; i < 31; i++)
        n += (size_t)snprintf(out + n, GDB_XML_BYTES_MAX - n, "<reg name=\"x%u\" bitsize=\"64\"/>",
                              i);
    n += (size_t)snprintf(out + n, GDB_XML_BYTES_MAX - n,
                          "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/>"
                          "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/>"
                          "<reg name=\"cpsr\" bitsize=\"32\"/>%s",
                          fpu);
    for (unsigned i = 0; i < 32; i++)
        n += (size_t)snprintf(out + n, GDB_XML_BYTES_MAX - n,
                              "<reg name=\"v%u\" bitsize=\"128\" type=\"aarch64v\"/>", i);
    return n + (size_t)snprintf(out + n, GDB_XML_BYTES_MAX - n, "%s", tail);
}

const struct gdb_arch gdb_arm64 = {GDB_REG_COUNT, GDB_REG_PC, reg_size, write_xml};
