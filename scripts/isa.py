#!/usr/bin/env python3
"""isa.py: reads a64.isa and writes the decoder, its header and the interpreter's dispatch table.

    isa.py TABLE OUTPUT_FOLDER

The table's syntax is told at its head. The decoder is a tree of switches kept as data: a node names a
few bits of the word, its slots lead to a further node, to one pattern, or to a short list of patterns
that only their `unless` conditions tell apart. Patterns with the same fields and conditions share the
code that takes a word apart.

Fails on: a field, feature or name that is not declared or used twice in different ways, two lines that
match the same word, a line that matches nothing.
"""
import itertools
import os
import re
import sys

ALL = 0xFFFFFFFF
NAME_BYTES = 24  # of a row of the tables in C


def fail(where, text):
    sys.exit(f"isa.py: {where}: {text}")


class Expression:
    """A condition on fields: checked here over bits, and written out as C."""

    TOKEN = re.compile(r"\s*(\d+|[A-Za-z]\w*|!=|[=<>%&|()])")

    def __init__(self, text, definitions, where):
        self.tokens, at = [], 0
        text = text.strip()
        while at < len(text):
            match = self.TOKEN.match(text, at)
            if not match:
                fail(where, f"bad expression '{text}'")
            token, at = match.group(1), match.end()
            if token in definitions:
                self.tokens += ["("] + definitions[token].tokens + [")"]
            else:
                self.tokens.append(token)
        self.fields = {t for t in self.tokens if t[0].isalpha()}
        for field in self.fields:
            if len(field) != 1:
                fail(where, f"'{field}' is neither a field nor defined")
        words = {"=": "==", "&": "and", "|": "or"}
        self.code = compile(" ".join(words.get(t, t) for t in self.tokens), where, "eval")

    def holds(self, values):
        return bool(eval(self.code, {"__builtins__": {}}, values))

    def c(self):
        """C text; a conjunction inside a disjunction gets its parentheses."""

        def disjunction(tokens):
            terms = split(tokens, "|")
            parts = [conjunction(t) for t in terms]
            if len(parts) > 1:
                parts = [f"({p})" if "&&" in p else p for p in parts]
            return " || ".join(parts)

        def conjunction(tokens):
            return " && ".join(comparison(t) for t in split(tokens, "&"))

        def comparison(tokens):
            if tokens[0] == "(":
                return f"({disjunction(tokens[1:-1])})"
            names = {"=": "=="}
            return " ".join(f"out->{t}" if t[0].isalpha() else names.get(t, t) for t in tokens)

        def split(tokens, by):
            parts, depth = [[]], 0
            for token in tokens:
                depth += {"(": 1, ")": -1}.get(token, 0)
                if token == by and depth == 0:
                    parts.append([])
                else:
                    parts[-1].append(token)
            return parts

        return disjunction(self.tokens)


class Pattern:
    """One line of the table."""

    def __init__(self, name, bits, feature, rest, table, where):
        self.name, self.bits, self.feature, self.where = name, bits, feature, where
        self.function, self.constants = name, {}
        self.unless, self.also = None, []
        if not re.fullmatch(r"[01A-Za-z]{32}", bits):
            fail(where, f"{name}: the pattern must be 32 characters of 0, 1 and letters")
        self.mask = sum(1 << 31 - i for i, ch in enumerate(bits) if ch in "01")
        self.value = sum(1 << 31 - i for i, ch in enumerate(bits) if ch == "1")
        self.fields = {}  # letter: bit numbers, high to low
        for i, ch in enumerate(bits):
            if ch not in "01x":
                self.fields.setdefault(ch, []).append(31 - i)
        for clause in re.split(r"\s+(?=unless\b|\w+\s+if\b)", " " + rest):
            self.read_clause(clause.strip(), table)
        for field in list(self.fields) + list(self.constants):
            if field not in table.fields:
                fail(where, f"{name}: field '{field}' is not declared")
        for feature_name in [feature] + [f for f, _ in self.also]:
            if feature_name not in table.features:
                fail(where, f"{name}: feature '{feature_name}' is not declared")
        conditions = ([self.unless] if self.unless else []) + [e for _, e in self.also]
        for expression in conditions:
            for field in expression.fields - set(self.fields):
                fail(where, f"{name}: condition on '{field}', which the pattern has not")

    def read_clause(self, clause, table):
        if clause.startswith("unless"):
            self.unless = Expression(clause[6:], table.definitions, self.where)
            return
        match = re.fullmatch(r"(\w+)\s+if\s+(.*)", clause)
        if match:
            self.also.append((match.group(1), Expression(match.group(2), table.definitions,
                                                         self.where)))
            return
        for word in clause.split():
            constant = re.fullmatch(r"([A-Za-z]):=(\d+)", word)
            if word.startswith("="):
                self.function = word[1:]
            elif constant and constant.group(1) not in self.fields:
                self.constants[constant.group(1)] = int(constant.group(2))
            else:
                fail(self.where, f"{self.name}: do not understand '{word}'")

    def field_value(self, field, word):
        value = 0
        for bit in self.fields[field]:
            value = value << 1 | word >> bit & 1
        return value

    def allowed(self, word):
        """Whether `word`, which fits mask and value, is not reserved."""
        if not self.unless:
            return True
        return not self.unless.holds({f: self.field_value(f, word) for f in self.unless.fields})

    def condition_bits(self):
        fields = self.unless.fields if self.unless else ()
        return {bit for field in fields for bit in self.fields[field]}

    def body(self):
        """The C statements that take a word apart; same text, same case in the decoder."""
        lines = []
        for field in sorted(self.fields):
            lines.append(f"out->{field} = {extraction(self.fields[field])};")
        for field, value in sorted(self.constants.items()):
            lines.append(f"out->{field} = {value};")
        if self.unless:
            lines += [f"if ({self.unless.c()})", "    return false;"]
        for feature, expression in self.also:
            lines += [f"if ({expression.c()})", f"    out->feature = {feature_enum(feature)};"]
        return lines


def extraction(bits):
    """C for the bits, high to low, joined; one shift and mask for each run."""
    parts, at, width_left = [], 0, len(bits)
    while at < len(bits):
        run = 1
        while at + run < len(bits) and bits[at + run] == bits[at] - run:
            run += 1
        width_left -= run
        lo = bits[at + run - 1]
        text = f"raw >> {lo} & {(1 << run) - 1:#x}" if lo else f"raw & {(1 << run) - 1:#x}"
        parts.append(f"({text}) << {width_left}" if width_left else text)
        at += run
    return " | ".join(f"({p})" if len(parts) > 1 and "<<" not in p else p for p in parts)


def feature_enum(feature):
    return "A64_FEATURE_" + feature.upper()


class Table:
    def __init__(self, path):
        self.features, self.fields, self.definitions, self.patterns = {}, {}, {}, []
        with open(path, encoding="ascii") as lines:
            for number, line in enumerate(lines, 1):
                self.read(line.split("#", 1)[0].strip(), f"{os.path.basename(path)}:{number}")
        self.check_names()
        self.check_overlaps()

    def read(self, line, where):
        words = line.split(None, 3)
        if not words:
            return
        if words[0] == "feature":
            self.features[words[1]] = line.split(None, 2)[2]
        elif words[0] == "field":
            self.fields[words[1]] = line.split(None, 2)[2]
        elif words[0] == "define":
            self.definitions[words[1]] = Expression(line.split(None, 2)[2], self.definitions, where)
        elif len(words) >= 3:
            rest = words[3] if len(words) > 3 else ""
            self.patterns.append(Pattern(words[0], words[1], words[2], rest, self, where))
        else:
            fail(where, "do not understand this line")

    def check_names(self):
        """Lines of one name must be served by one function. Numbers the operations."""
        self.ops = {}
        for pattern in self.patterns:
            function = self.ops.setdefault(pattern.name, pattern.function)
            if function != pattern.function:
                fail(pattern.where, f"{pattern.name}: another line names function {function}")

    def check_overlaps(self):
        for a, b in itertools.combinations(self.patterns, 2):
            if (a.value ^ b.value) & a.mask & b.mask:
                continue
            word = common_word(a, b)
            if word is not None:
                fail(b.where, f"{b.name} and {a.name} ({a.where}) both match {word:#010x}")
        for pattern in self.patterns:
            if common_word(pattern, pattern) is None:
                fail(pattern.where, f"{pattern.name} matches nothing")

    def widths(self):
        widths = dict.fromkeys(self.fields, 1)
        for pattern in self.patterns:
            for field, bits in pattern.fields.items():
                widths[field] = max(widths[field], len(bits))
            for field, value in pattern.constants.items():
                widths[field] = max(widths[field], value.bit_length())
        return widths


def common_word(a, b):
    """A word that both patterns decode, or None. Tries all values of the bits conditions look at."""
    fixed = a.value | b.value
    free = [bit for bit in sorted(a.condition_bits() | b.condition_bits())
            if not (a.mask | b.mask) >> bit & 1]
    for values in itertools.product((0, 1), repeat=len(free)):
        word = fixed | sum(v << bit for v, bit in zip(values, free))
        if a.allowed(word) and b.allowed(word):
            return word
    return None


class Tree:
    """The decoder's tree as flat arrays."""

    LIST, NODE = 0x4000, 0x8000

    def __init__(self, patterns):
        self.patterns = patterns
        self.nodes, self.slots, self.lists = [], [], []
        self.seen = {}
        self.root = self.build(list(range(len(patterns))), 0)

    def build(self, members, known):
        """The slot value for these patterns; bits in `known` are tested already."""
        if not members:
            return 0
        key = (tuple(members), known)
        if key in self.seen:
            return self.seen[key]
        window = self.choose(members, known) if len(members) > 1 else None
        if window is None:
            slot = self.leaf(members)
        else:
            slot = self.node(members, known, *window)
        self.seen[key] = slot
        return slot

    def leaf(self, members):
        if len(members) == 1:
            return members[0] + 1
        at = len(self.lists)
        self.lists += [m + 1 for m in members] + [0]
        return self.LIST | at

    def split(self, members, lo, width):
        children = [[] for _ in range(1 << width)]
        for member in members:
            p = self.patterns[member]
            mask, value = p.mask >> lo & (1 << width) - 1, p.value >> lo & (1 << width) - 1
            for index, child in enumerate(children):
                if (index ^ value) & mask == 0:
                    child.append(member)
        return children

    def choose(self, members, known):
        """The run of bits that leaves the fewest patterns a slot, for its size."""
        best, best_cost = None, None
        for width in range(1, 10 if known == 0 else 7):
            for lo in range(0, 33 - width):
                window = (1 << width) - 1 << lo
                if not any(self.patterns[m].mask & window & ~known for m in members):
                    continue
                children = self.split(members, lo, width)
                if all(len(c) == len(members) for c in children):
                    continue
                cost = sum(len(c) ** 1.5 for c in children) / len(children) + 0.02 * len(children)
                if best_cost is None or cost < best_cost:
                    best, best_cost = (lo, width), cost
        return best

    def node(self, members, known, lo, width):
        number = len(self.nodes)
        self.nodes.append(None)
        known |= (1 << width) - 1 << lo
        slots = [self.build(child, known) for child in self.split(members, lo, width)]
        self.nodes[number] = (lo, width, len(self.slots))
        self.slots += slots
        return self.NODE | number


def wrap(items, indent="    ", width=100):
    """Comma-separated items in lines."""
    lines, line = [], indent
    for item in items:
        if len(line) + len(item) + 1 > width:
            lines.append(line.rstrip())
            line = indent
        line += item + ", "
    return "\n".join(lines + [line.rstrip()])


def write_decode_h(table, out):
    widths = table.widths()
    ops = wrap(["A64_OP_UNDEFINED = 0"] + [f"A64_OP_{n}" for n in table.ops] + ["A64_OP_COUNT"])
    features = "\n".join(f"    {feature_enum(f)}, /* {text} */" for f, text in table.features.items())
    fields = []
    for width, size in ((8, "uint8_t"), (16, "uint16_t"), (32, "uint32_t")):
        for field, text in table.fields.items():
            if width // 2 < max(widths[field], 5) <= width:
                fields.append(f"    {size} {field}; /* {text} */")
    fields.sort(key=lambda line: -int(re.search(r"uint(\d+)", line).group(1)))
    out.write(f"""/* decode.h: A64 instructions taken apart. Made from a64.isa by scripts/isa.py. */
#ifndef PENG_CORE_ARM64_DECODE_H
#define PENG_CORE_ARM64_DECODE_H

#include <stdbool.h>
#include <stdint.h>

enum a64_op {{
{ops}
}};

enum a64_feature {{
{features}
    A64_FEATURE_COUNT
}};

/* An instruction and its fields; those it does not have are 0. */
struct a64_insn {{
    uint32_t raw;
{chr(10).join(fields)}
    uint8_t feature; /* enum a64_feature: what a CPU must have for this encoding */
    uint16_t op;     /* enum a64_op */
}};

/* Takes `raw` apart. False where the encoding is reserved or unknown; out->op is then
 * A64_OP_UNDEFINED. Every feature counts as there. */
bool a64_decode(uint32_t raw, struct a64_insn *out);

/* As a64_decode, and false too where `features` (bits 1 << enum a64_feature) lacks what it takes. */
bool a64_decode_for(uint32_t features, uint32_t raw, struct a64_insn *out);

const char *a64_op_name(enum a64_op op);

/* One line of the table. A word is the pattern's where (word & mask) == value, unless reserved. */
struct a64_pattern {{
    char name[{NAME_BYTES}]; /* here, not by address: a table of addresses costs every start */
    uint32_t mask, value;
    uint16_t op;
    uint8_t feature;
    uint8_t format; /* the decoder's own */
}};

enum {{ A64_PATTERN_COUNT = {len(table.patterns)} }};
extern const struct a64_pattern a64_patterns[A64_PATTERN_COUNT];

#endif
""")


def write_decode_c(table, out):
    formats = {}
    rows = []
    for p in table.patterns:
        number = formats.setdefault("\n".join(p.body()), len(formats))
        rows.append(f'    {{"{p.name}", {p.mask:#010x}, {p.value:#010x}, A64_OP_{p.name}, '
                    f'{feature_enum(p.feature)}, {number}}},')
    if len(formats) > 256:
        sys.exit("isa.py: more than 256 formats; widen struct a64_pattern.format")
    cases = []
    for text, number in formats.items():
        lines = text.splitlines() if text else []
        cases.append("\n".join([f"    case {number}:"] + ["        " + x for x in lines]
                               + ["        return true;"]))
    tree = Tree(table.patterns)
    if max(len(tree.lists), len(tree.nodes)) >= Tree.LIST:
        sys.exit("isa.py: the tree's slots are too narrow")
    nodes = wrap([f"{{{lo}, {width}, {first}}}" for lo, width, first in tree.nodes])
    names = ['"UNDEFINED"'] + [f'"{n}"' for n in table.ops]
    newline = "\n"
    out.write(f"""/* decode.c: the A64 decoder. Made from a64.isa by scripts/isa.py, where its form is told. */
#include "core/arm64/decode.h"

/* clang-format off */
const struct a64_pattern a64_patterns[A64_PATTERN_COUNT] = {{
{newline.join(rows)}
}};

static const char op_names[A64_OP_COUNT][{NAME_BYTES}] = {{
{wrap(names)}
}};

/* A node's slot is 0 (undefined), a pattern's number + 1, SLOT_LIST | index into lists[], or
 * SLOT_NODE | number of a node. Lists end with 0. */
enum {{ SLOT_LIST = {Tree.LIST:#x}, SLOT_NODE = {Tree.NODE:#x}, ROOT = {tree.root:#x} }};

struct node {{
    uint8_t lo, width;
    uint16_t first;
}};

static const struct node nodes[] = {{
{nodes}
}};

static const uint16_t slots[] = {{
{wrap([str(s) for s in tree.slots])}
}};

static const uint16_t lists[] = {{
{wrap([str(s) for s in tree.lists + [0]])}
}};

/* Fills in the fields; false where their values are reserved. */
static bool take_apart(unsigned format, uint32_t raw, struct a64_insn *out)
{{
    switch (format) {{
{newline.join(cases)}
    }}
    return false;
}}
/* clang-format on */

static bool try_pattern(unsigned number, uint32_t raw, struct a64_insn *out)
{{
    const struct a64_pattern *p = &a64_patterns[number];
    if ((raw & p->mask) != p->value)
        return false;
    *out = (struct a64_insn){{.raw = raw}};
    out->feature = p->feature;
    if (!take_apart(p->format, raw, out))
        return false;
    out->op = p->op;
    return true;
}}

bool a64_decode(uint32_t raw, struct a64_insn *out)
{{
    unsigned slot = ROOT;
    while (slot & SLOT_NODE) {{
        const struct node *node = &nodes[slot & ~SLOT_NODE];
        slot = slots[node->first + (raw >> node->lo & ((1u << node->width) - 1))];
    }}
    if (slot & SLOT_LIST) {{
        for (const uint16_t *at = &lists[slot & ~SLOT_LIST]; *at; at++)
            if (try_pattern(*at - 1u, raw, out))
                return true;
    }} else if (slot && try_pattern(slot - 1, raw, out)) {{
        return true;
    }}
    *out = (struct a64_insn){{.raw = raw}};
    return false;
}}

bool a64_decode_for(uint32_t features, uint32_t raw, struct a64_insn *out)
{{
    if (a64_decode(raw, out) && features >> out->feature & 1)
        return true;
    *out = (struct a64_insn){{.raw = raw}};
    return false;
}}

const char *a64_op_name(enum a64_op op)
{{
    return op < A64_OP_COUNT ? op_names[op] : "?";
}}
""")


def write_exec_list(table, out):
    out.write("/* exec_list.h: the interpreter's functions, for exec_int.h alone. Made by "
              "scripts/isa.py. */\n")
    for function in sorted(set(table.ops.values())):
        out.write(f"A64_EXEC({function});\n")


def write_exec_table(table, out):
    rows = [f"    [A64_OP_{op}] = a64_exec_{function}," for op, function in table.ops.items()]
    out.write("""/* exec_table.c: an interpreter function for each operation. Made by scripts/isa.py. */
#include "core/arm64/exec_int.h"

const a64_exec_fn a64_exec[A64_OP_COUNT] = {
    [A64_OP_UNDEFINED] = a64_exec_undefined,
""" + "\n".join(rows) + "\n};\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    table, folder = Table(sys.argv[1]), sys.argv[2]
    files = {"decode.h": write_decode_h, "decode.c": write_decode_c,
             "exec_list.h": write_exec_list, "exec_table.c": write_exec_table}
    for name, write in files.items():
        with open(os.path.join(folder, name), "w", encoding="ascii") as out:
            write(table, out)


main()
