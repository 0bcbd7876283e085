#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule of lint.py must reject its own small bad header, and for its own reason."""

import os
import re
import sys
import tempfile

import lint

# Stands in for the real headers: as small as it can be and still obey every rule.
GOOD = """// SPDX-License-Identifier: Apache-2.0
#ifndef BUSBAR_SMALL_H
#define BUSBAR_SMALL_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t bb_point_id_t;
typedef int32_t bb_status_t;
typedef struct bb_host bb_host_t;

// Fixed.
typedef struct bb_str {
  const char *BB_NULLABLE data;
  uint32_t length;
  uint32_t reserved; // 0
} bb_str_t;

// Headed record.
typedef struct bb_call {
  uint32_t size;
  uint32_t flags;
  bb_str_t text;
} bb_call_t;

// Array element.
typedef struct bb_row {
  uint16_t kind, unit;
  uint8_t key[4];
} bb_row_t;

enum {
  BB_KIND_ONE = 1, // the first
  BB_KIND_TWO = 2
};

#define BB_UNITS(X) \\
  X(1, NONE, "", "text") X(2, W, "W", "w") X(3, WH, "Wh", "w") X(4, VA, "VA", "w") X(5, VAR, "var", "w") \\
  X(6, VARH, "varh", "w") X(7, V, "V", "w") X(8, A, "A", "w") X(9, HZ, "Hz", "w") X(10, C, "\\302\\260C", "w") \\
  X(11, PERCENT, "%", "w") X(12, S, "s", "w") X(13, ONE, "1", "w") X(14, M3, "m\\302\\263", "w") \\
  X(15, M3H, "m\\302\\263/h", "w") X(16, BAR, "bar", "w")

// Table.
struct bb_host {
  uint32_t size;
  uint32_t reserved; // 0

  // Finds a table. [static] [any]
  const void *BB_NULLABLE (*BB_NULLABLE find)(const bb_host_t *BB_NONNULL host, bb_str_t id);

  // Reads. [in-call]
  bb_status_t (*BB_NULLABLE get)(const bb_host_t *BB_NONNULL host, const bb_call_t *BB_NONNULL call,
                                 uint8_t *BB_NONNULL out,
                                 uint32_t capacity, uint32_t *BB_NONNULL length);

  // Takes rows. [copied] [link]
  bb_status_t (*BB_NULLABLE put)(const bb_host_t *BB_NONNULL host, const bb_row_t *BB_NONNULL rows, uint32_t count,
                                 uint32_t stride, bb_point_id_t *BB_NONNULL out);
};

#endif
"""
MAP = 'module Small {\n  header "busbar/small.h"\n  export *\n}\n'

GET = "  // Reads. [in-call]"
# (rule, name, old, new)
CASES = [
    ("thread-tag", "no tag", GET, "  // Reads."),
    ("thread-tag", "two tags", GET, "  // Reads. [in-call] [any]"),
    ("thread-tag", "no comment", GET + "\n", "\n"),
    ("thread-tag", "comment cut off by an empty line", GET + "\n", GET + "\n\n"),
    ("unknown-tag", "misspelt tag", GET, "  // Reads. [in-call] [threadsafe]"),
    ("in-call-without-call", "in-call without a call", "[copied] [link]", "[copied] [in-call]"),
    ("nullable-slot", "slot that must be there", "(*BB_NULLABLE get)", "(*get)"),
    ("ownership", "pointer of unknown owner", "[static] [any]", "[any]"),
    ("ownership", "two owners", "[static] [any]", "[static] [borrow until close] [any]"),
    ("wire", "returns a size_t", "bb_status_t (*BB_NULLABLE get)", "size_t (*BB_NULLABLE get)"),
    ("wire", "varargs", "bb_str_t id);", "bb_str_t id, ...);"),
    ("wire", "callback", "bb_str_t id);", "void (*done)(int32_t code));"),
    ("wire", "C string", "bb_str_t id);", "const char *id);"),
    ("wire", "int", "bb_str_t id);", "int id);"),
    ("wire", "bool", "bb_str_t id);", "bool id);"),
    ("wire", "size_t", "bb_str_t id);", "size_t id);"),
    ("wire", "foreign struct", "bb_str_t id);", "const struct tm *id);"),
    ("wire", "FILE", "bb_str_t id);", "FILE *id);"),
    ("wire", "record by value", "bb_str_t id);", "bb_call_t id);"),
    ("wire", "loose void pointer", "bb_str_t id);", "void *user);"),
    ("wire", "out buffer without capacity", "uint32_t capacity, uint32_t *BB_NONNULL length);",
     "uint32_t *BB_NONNULL length);"),
    ("wire", "out buffer with a size_t capacity", "uint32_t capacity, uint32_t", "size_t capacity, uint32_t"),
    ("wire", "out buffer without length", "uint32_t capacity, uint32_t *BB_NONNULL length);", "uint32_t capacity);"),
    ("wire", "array without stride", "uint32_t count,\n                                 uint32_t stride,",
     "uint32_t count,"),
    ("wire", "array without count", "const bb_row_t *BB_NONNULL rows, uint32_t count,\n                                 uint32_t stride, ", "const bb_point_id_t *ids, "),
    ("wire", "record with a pointer inside", "  bb_str_t text;\n} bb_call_t", "  const uint8_t *text;\n} bb_call_t"),
    ("wire", "pointer to pointers", "bb_str_t id);", "const bb_row_t *const *id);"),
    ("wire", "host is not first", "const bb_host_t *BB_NONNULL host, bb_str_t id",
     "bb_str_t id, const bb_host_t *BB_NONNULL host"),
    ("growth-class", "record without a class", "// Array element.\n", "// A row.\n"),
    ("growth-class", "record with two classes", "// Array element.\n", "// Array element. Fixed.\n"),
    ("size-first", "table without size", "struct bb_host {\n  uint32_t size;\n",
     "struct bb_host {\n  uint32_t count;\n"),
    ("size-first", "headed record with a wide size", "struct bb_call {\n  uint32_t size;",
     "struct bb_call {\n  uint64_t size;"),
    ("size-first", "headed record with size second", "  uint32_t size;\n  uint32_t flags;\n  bb_str_t",
     "  uint32_t flags;\n  uint32_t size;\n  bb_str_t"),
    ("size-first", "array element with a size", "  uint16_t kind, unit;", "  uint32_t size;\n  uint16_t kind, unit;"),
    ("field-type", "bool", "  uint32_t flags;", "  bool flags;"),
    ("field-type", "enum", "  uint32_t flags;", "  enum bb_kind flags;"),
    ("field-type", "long", "  uint32_t flags;", "  unsigned long flags;"),
    ("field-type", "int", "  uint32_t flags;", "  int flags;"),
    ("field-type", "size_t", "  uint32_t flags;", "  size_t flags;"),
    ("field-type", "time_t", "  uint32_t flags;", "  time_t flags;"),
    ("field-type", "float", "  uint32_t flags;", "  float flags;"),
    ("field-type", "bit-field", "  uint32_t flags;", "  uint32_t flags : 4;"),
    ("field-type", "embedded headed record", "  uint8_t key[4];", "  bb_call_t call;"),
    ("field-type", "flexible array", "  uint8_t key[4];", "  uint8_t key[];"),
    ("field-type", "anonymous union", "  uint32_t flags;", "  union { uint32_t a; double b; } flags;"),
    ("field-type", "union with a pointer", "// Array element.",
     "// Fixed.\ntypedef union bb_any {\n  const char *text;\n  int64_t i64;\n} bb_any_t;\n\n// Array element."),
    ("constant", "number used twice", "BB_KIND_TWO = 2", "BB_KIND_TWO = 1"),
    ("constant", "number used twice, written differently", "BB_KIND_TWO = 2", "BB_KIND_TWO = 0x1"),
    ("constant", "number left to the compiler", "BB_KIND_TWO = 2", "BB_KIND_TWO"),
    ("constant", "name used twice", "BB_KIND_TWO = 2", "BB_KIND_ONE = 2"),
    ("named-enum", "named enum", "enum {\n  BB_KIND_ONE", "enum bb_kind {\n  BB_KIND_ONE"),
    ("zero", "zero with a meaning", "BB_KIND_ONE = 1", "BB_KIND_ONE = 0"),
    ("units", "unit too many", 'X(16, BAR, "bar", "w")', 'X(16, BAR, "bar", "w") X(17, KW, "kW", "w")'),
    ("units", "unit missing", 'X(16, BAR, "bar", "w")', ""),
    ("units", "unit written differently", '"varh"', '"VArh"'),
    ("units", "number used twice", "X(16, BAR", "X(15, BAR"),
    ("include", "system header", "#include <stdint.h>", "#include <stdint.h>\n#include <stdbool.h>"),
    ("include", "foreign header", "#include <stdint.h>", '#include <stdint.h>\n#include "uthash.h"'),
    ("include", "out of the folder", "#include <stdint.h>", '#include <stdint.h>\n#include "../other.h"'),
    ("stray", "function", "enum {\n", "int32_t bb_init(void);\n\nenum {\n"),
    ("stray", "variable", "enum {\n", "extern int32_t bb_level;\n\nenum {\n"),
    ("licence", "no licence", "// SPDX-License-Identifier: Apache-2.0\n", "// Ours.\n"),
    ("guard", "guard of another header", "BUSBAR_SMALL_H", "BUSBAR_OTHER_H"),
    ("unreadable", "old comment", "enum {\n", "/* kinds */\nenum {\n"),
]
MAPS = [
    ("module-map", "header missing in the module map", MAP.replace('  header "busbar/small.h"\n', "")),
    ("module-map", "module map names a header that is not there",
     MAP.replace("  export", '  header "busbar/gone.h"\n  export')),
]


def rules_broken(text, module_map=MAP):
    with tempfile.TemporaryDirectory() as include:
        os.mkdir(os.path.join(include, "busbar"))
        with open(os.path.join(include, "busbar", "small.h"), "w", encoding="utf-8") as file:
            file.write(text)
        with open(os.path.join(include, "module.modulemap"), "w", encoding="utf-8") as file:
            file.write(module_map)
        return lint.lint(include)[1]


def main():
    passed = failed = 0

    def verdict(name, good, found):
        nonlocal passed, failed
        passed, failed = passed + bool(good), failed + (not good)
        if not good:
            print(f"failed: {name}: found {[sentence for _, sentence in found] or 'nothing'}")

    found = rules_broken(GOOD)
    verdict("the good header is accepted", not found, found)
    for rule, name, old, new in CASES:
        if GOOD.count(old) < 1:
            raise SystemExit(f"{name}: the good header has no “{old}”")
        found = rules_broken(GOOD.replace(old, new))
        verdict(f"{rule}: {name}", found and any(broken == rule for broken, _ in found), found)
        if rule not in ("unreadable",) and found:
            verdict(f"{rule}: {name}: says where", all(":" in sentence for _, sentence in found), found)
    for rule, name, module_map in MAPS:
        found = rules_broken(GOOD, module_map)
        verdict(f"{rule}: {name}", found and {broken for broken, _ in found} == {rule}, found)
    proven = {rule for rule, *_ in CASES + MAPS}
    with open(lint.__file__, encoding="utf-8") as file:
        source = file.read()
    named = {rule for rule in re.findall(r'"([a-z-]+)", (?:header|where)', source)}
    verdict("every rule of lint.py has a bad header here", named <= proven,
            [("", rule) for rule in sorted(named - proven)])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
