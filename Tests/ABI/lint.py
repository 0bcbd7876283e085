#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules of the contract, for what a compiler cannot see. Each rule is one function with the sentence that a
person gets. `lint.py` checks the headers of this repository, `lint.py --include DIR` others."""

import argparse
import os
import re
import sys

import contract
from contract import plain, tags

SCALARS = {f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)} | {"double"}
LENT_TEXT = {"bb_str_t", "bb_bytes_t"}
# The unit symbols of interfaces 5, and none for text.
UNITS = ["", "W", "Wh", "VA", "var", "varh", "V", "A", "Hz", "°C", "%", "s", "1", "m³", "m³/h", "bar"]
# Records whose pointers are lent by the host and travel as offsets: the batch, see its comment.
LENT_RECORDS = {"bb_batch_t"}
# Where 0 must stay free because it means that nothing was said.
ZERO_IS_NOTHING = ("BB_TYPE_", "BB_KIND_", "BB_OUTCOME_", "BB_UNTIL_", "BB_STREAM_", "BB_TRACE_", "BB_CLASS_")


class Linter:
    def __init__(self, headers, module_map):
        self.headers, self.module_map = headers, module_map
        self.handles = {alias: target for h in headers for alias, target, _ in h.typedefs if target in SCALARS}
        self.records = {record.type: record for h in headers for record in h.records}
        self.problems = []
        self.checked = 0

    def demand(self, good, rule, where, line, sentence):
        self.checked += 1
        if not good:
            self.problems.append((rule, f"{where.name}:{line}: {rule}: {sentence}"))

    def scalar(self, type_):
        return type_ in SCALARS or type_ in self.handles

    def is_class(self, type_, kind):
        record = self.records.get(type_)
        return record is not None and kind in record.kinds

    def slots(self):
        for header in self.headers:
            for record in header.records:
                for member in record.members:
                    if member.params is not None:
                        yield header, record, member
            for function in header.functions:
                yield header, None, function

    def flat(self, type_, seen=()):
        """No pointer in it but lent text."""
        record = self.records.get(type_)
        if record is None or type_ in seen:
            return False
        return all(
            member.params is None
            and (self.scalar(plain(member.type)) or plain(member.type) in LENT_TEXT
                 or self.flat(plain(member.type), seen + (type_,)))
            for member in record.members)

    # Slots

    def thread_tag(self):
        for header, _, slot in self.slots():
            found = [tag for tag in tags(slot.comment) if tag in contract.THREAD_TAGS]
            self.demand(len(found) == 1, "thread-tag", header, slot.line,
                        f"{slot.name} needs exactly one of {' '.join(f'[{t}]' for t in contract.THREAD_TAGS)} in the comment"
                        f" above it, it has {' '.join(f'[{t}]' for t in found) or 'none'}")
            strange = [t for t in tags(slot.comment)
                       if t not in (*contract.THREAD_TAGS, "static", "copied") and not t.startswith("borrow until ")]
            self.demand(not strange, "unknown-tag", header, slot.line,
                        f"{slot.name} has the tag [{', '.join(strange)}], which nobody knows")
            calls = any(plain(type_) == "const bb_call_t *" for type_, _ in slot.params)
            self.demand("in-call" not in found or calls, "in-call-without-call", header, slot.line,
                        f"{slot.name} is [in-call] and has no `const bb_call_t *` to say in which; use [link] or add it")

    def nullable_slots(self):
        for header, record, slot in self.slots():
            if record is not None:
                self.demand(slot.nullable, "nullable-slot", header, slot.line,
                            f"{slot.name} must be (*BB_NULLABLE {slot.name})(…): any slot may be absent")

    def ownership(self):
        for header, _, slot in self.slots():
            if plain(slot.type).endswith("*"):
                owned = [tag for tag in tags(slot.comment) if tag == "static" or tag.startswith("borrow until ")]
                self.demand(len(owned) == 1, "ownership", header, slot.line,
                            f"{slot.name} returns a pointer and must say [static] or [borrow until …]")
            else:
                self.demand(self.scalar(plain(slot.type)) or plain(slot.type) == "void", "wire", header, slot.line,
                            f"{slot.name} returns {plain(slot.type)}: only nothing, scalars and tagged pointers fit a message")

    def wire(self):
        for header, _, slot in self.slots():
            for index, (type_, name) in enumerate(slot.params):
                reason = self.wire_problem(slot, index, plain(type_), name)
                self.demand(reason is None, "wire", header, slot.line,
                            f"{slot.name}, parameter {name or index + 1}: {reason}")

    def wire_problem(self, slot, index, type_, name):
        """Why a parameter could not be a message, or None."""
        names = [parameter for _, parameter in slot.params]
        types = [plain(t) for t, _ in slot.params]
        if type_ == "...":
            return "varargs have no size"
        if "(" in type_ or "(" in name:
            return "a callback goes through a table"
        if self.scalar(type_) or type_ in LENT_TEXT:
            return None
        if not type_.endswith("*"):
            return f"{type_} by value: only fixed-width scalars, bb_str_t and bb_bytes_t"
        if type_ == "const bb_host_t *":
            return None if index == 0 else "the host comes first"
        if type_ in ("void *", "void **"):
            if name in ("state", "device_state"):
                return None
            return "void * only for state and device_state, which the host hands back"
        const, target = type_.startswith("const "), type_.removeprefix("const ").removesuffix("*").strip()
        if target.endswith("*"):
            return "a pointer to a pointer cannot be copied"
        if target.endswith("_sink_t"):
            return None if self.is_class(target, "Table") else "a sink is a table"
        following = names[index + 1:index + 3]
        if self.scalar(target):
            if const:
                return None if following[:1] == ["count"] else "an array needs `uint32_t count` after it"
            if target == "uint8_t":
                good = following == ["capacity", "length"] and types[index + 1:index + 3] == ["uint32_t", "uint32_t *"]
                return None if good else "an out buffer needs `uint32_t capacity, uint32_t *length` after it"
            if name == "out":
                return None if "count" in names[:index] else "an out array needs `uint32_t count` before it"
            return None
        if target not in self.records:
            return f"{target} is no type of the contract"
        if self.is_class(target, "Array element"):
            good = const and following == ["count", "stride"]
            return None if good else "array elements travel as const pointer, count and stride"
        if self.is_class(target, "Headed record"):
            return None if self.flat(target) or target in LENT_RECORDS else f"{target} is not flat: it has pointers inside"
        return f"{target} is neither a headed record nor an array element"

    # Records

    def growth(self):
        for header in self.headers:
            for record in header.records:
                self.demand(len(record.kinds) == 1, "growth-class", header, record.line,
                            f"the comment of {record.type} must say one of: {', '.join(contract.CLASSES)}")
                first = record.members[0] if record.members else None
                sized = first is not None and first.name == "size" and plain(first.type) == "uint32_t"
                grows = "Table" in record.kinds or "Headed record" in record.kinds
                self.demand(sized or not grows, "size-first", header, record.line,
                            f"{record.type} must start with `uint32_t size`")
                self.demand(grows or not sized, "size-first", header, record.line,
                            f"{record.type} has a size and is no table or headed record")

    def fields(self):
        for header in self.headers:
            for record in header.records:
                for member in record.members:
                    if member.params is None:
                        reason = self.field_problem(record, member)
                        self.demand(reason is None, "field-type", header, member.line,
                                    f"{record.type}.{member.name}: {reason}")

    def field_problem(self, record, member):
        type_ = plain(member.type)
        if member.bits:
            return "bit-fields have no fixed place"
        if "{" in type_:
            return "give the nested type a name and a class"
        if member.array is not None and not member.array.isdigit():
            return "an array in a record has a fixed length, in digits"
        if type_.endswith("*"):
            return "unions hold no pointers" if record.keyword == "union" else None
        if self.scalar(type_):
            return None
        if self.is_class(type_, "Fixed"):
            return "unions hold no pointers" if record.keyword == "union" and type_ in LENT_TEXT else None
        if type_ in self.records:
            return f"{type_} is not fixed and must not be embedded: it grows"
        return f"{type_} has no fixed width; use intN_t, uintN_t, double, pointers or fixed types of the contract"

    # Constants, units, files

    def constants(self):
        names = {}
        for header in self.headers:
            for entries, _, line, tag in header.enums:
                self.demand(not tag, "named-enum", header, line,
                            f"enum {tag}: values travel in plain integers, so enums have no name")
                values = {}
                for name, value, at in entries:
                    if not re.fullmatch(r"BB_\w*[A-Z0-9]", name):
                        continue
                    place = (header.name, at)
                    self.demand(names.setdefault(name, place) == place, "constant", header, at,
                                f"{name} is defined twice")
                    if value is None or not re.fullmatch(r"-?(0x[0-9A-Fa-f]+|\d+)", value):
                        self.demand(False, "constant", header, at, f"{name} must say its number")
                        continue
                    number = int(value, 0)
                    twin = values.setdefault(number, name)
                    self.demand(twin == name, "constant", header, at, f"{name} and {twin} are both {value}")
                    self.demand(number or not name.startswith(ZERO_IS_NOTHING), "zero", header, at,
                                f"{name} is 0, which means that nothing was said")

    def units(self):
        for header in self.headers:
            for name, parameters, body, line in header.macros:
                if name != "BB_UNITS" or parameters != "X":
                    continue
                rows = re.findall(r'X\((\d+), (\w+), "([^"]*)", "([^"]+)"\)', body)
                octal = lambda match: chr(int(match.group(1), 8))
                symbols = [re.sub(r"\\([0-7]{3})", octal, symbol).encode("latin-1", "replace") for _, _, symbol, _ in rows]
                wanted = [symbol.encode() for symbol in UNITS]
                show = lambda some: ", ".join(s.decode("utf-8", "replace") or "(none)" for s in some) or "nothing"
                missing = [s for s in wanted if s not in symbols]
                extra = [s for s in symbols if s not in wanted]
                self.demand(not missing and not extra and len(symbols) == len(wanted), "units", header, line,
                            f"the units of interfaces 5 and no others: missing {show(missing)}; too many {show(extra)}")
                numbers = [int(number) for number, _, _, _ in rows]
                self.demand(len(set(numbers)) == len(numbers) and 0 not in numbers, "units", header, line,
                            "a number is used twice, or is 0")

    def files(self):
        own = {header.name for header in self.headers}
        mapped = re.findall(r'header\s+"([^"]+)"', self.module_map)
        for header in self.headers:
            for include, line in header.includes:
                if include in ("<stdint.h>", "<stddef.h>"):
                    continue
                path = os.path.normpath(os.path.join(os.path.dirname(header.name), include.strip('"')))
                self.demand(include.startswith('"') and path in own, "include", header, line,
                            f"{include}: only <stdint.h>, <stddef.h> and our own headers")
            self.demand(header.name in mapped, "module-map", header, 1, "the module map does not name this header")
            self.demand(header.text.startswith("// SPDX-License-Identifier: Apache-2.0\n"), "licence", header, 1,
                        "the first line is the licence")
            guard = re.sub(r"\W", "_", header.name[len("busbar/"):]).upper()
            guard = "BUSBAR_H" if guard == "BUSBAR_H" else f"BUSBAR_{guard}"
            self.demand(f"#ifndef {guard}\n#define {guard}\n" in header.text, "guard", header, 1,
                        f"the include guard is {guard}")
            for code, line in header.strays:
                self.demand(False, "stray", header, line,
                            f"“{code[:60]}”: headers hold types and constants; functions are slots of tables")

    def module_map_names(self):
        present = {header.name for header in self.headers}
        for name in re.findall(r'header\s+"([^"]+)"', self.module_map):
            self.checked += 1
            if name not in present:
                self.problems.append(("module-map", f"module.modulemap: module-map: {name} is not there"))

    def run(self):
        for rule in (self.thread_tag, self.nullable_slots, self.ownership, self.wire, self.growth, self.fields,
                     self.constants,
                     self.units, self.files, self.module_map_names):
            rule()
        return self.problems


def lint(include):
    """(linter after its run, problems)"""
    try:
        headers = contract.headers(include)
    except contract.Unreadable as error:
        return None, [("unreadable", str(error))]
    with open(os.path.join(include, "module.modulemap"), encoding="utf-8") as file:
        linter = Linter(headers, file.read())
    return linter, linter.run()


def main():
    parser = argparse.ArgumentParser(description="The house rules of the plugin contract.")
    parser.add_argument("--include", default=contract.INCLUDE, help="the folder with busbar/ and the module map")
    linter, problems = lint(parser.parse_args().include)
    for _, sentence in problems:
        print(f"failed: {sentence}")
    checked = linter.checked if linter else len(problems)
    print(f"{checked - len(problems)} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
