#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the frozen-layout file of a release: every offset, slot type, constant and size that old binaries rely on.

    freeze.py > PluginAPI/C/frozen/1.0.c     at a release; the file is committed and never edited again
    freeze.py --new > …/1.1.c                only what the frozen files that are there do not cover
    freeze.py --check                        fails where the headers have something that no frozen file covers

The assertions are compiled in every build, because two slots that swap places or a constant that is renumbered still
compile everywhere else. Offsets are computed here and not asked of a compiler, so that the compilers judge them."""

import argparse
import glob
import os
import re
import sys

import contract

HEAD = """// SPDX-License-Identifier: Apache-2.0
// What plugins built with release {version} of the contract rely on. Printed by Tests/ABI/freeze.py at that release; never
// edited. An assertion that fails here says that an old plugin would break.
"""
SCALARS = {f"{sign}int{bits}_t": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)} | {"double": 8}
# Arithmetic that is compiled into plugins.
ARITHMETIC = [
    ("BB_FAIL(BB_CLASS_TRANSIENT, BB_REASON_TIMEOUT)", "-65537"),
    ("BB_FAIL(BB_CLASS_BUG, 0xFFFF)", "-524287"),
    ("BB_CLASS_OF(-65537)", "1"),
    ("BB_REASON_OF(-65537)", "1"),
    ("BB_BAD(7)", "0x8007"),
    ("BB_UNCERTAIN(2)", "0x4002"),
    ("BB_ABI_MAJOR_OF(0x10002)", "1"),
    ("BB_ABI_MINOR_OF(0x10002)", "2"),
]


def assertion(condition, message):
    return f'_Static_assert({condition}, "{message}");'


def has_type(expression, type_, message):
    return assertion(f"_Generic({expression}, {type_}: 1, default: 0)", message)


class Freezer:
    def __init__(self, headers):
        self.headers = headers
        self.records = {record.type: record for header in headers for record in header.records}
        # Handles are frozen as the integers they are, so that a widened typedef is noticed.
        self.handles = {
            alias: target for header in headers for alias, target, _ in header.typedefs if target in SCALARS}
        numbers = {name: body for header in headers for name, _, body, _ in header.macros}
        self.major, self.minor = numbers["BB_ABI_MAJOR"], numbers["BB_ABI_MINOR"]

    def spelled(self, type_):
        return re.sub(r"\w+", lambda word: self.handles.get(word.group(0), word.group(0)), contract.plain(type_))

    def slot_type(self, slot):
        return f"{self.spelled(slot.type)} (*)({', '.join(self.spelled(type_) for type_, _ in slot.params) or 'void'})"

    def size_and_alignment(self, type_):
        name = self.spelled(type_)
        if name.endswith("*"):
            return 8, 8
        if name in SCALARS:
            return SCALARS[name], SCALARS[name]
        return self.layout(self.records[name])[1:]

    def layout(self, record):
        """([offset of each member], size, alignment) on LP64."""
        offsets, end, widest = [], 0, 1
        for member in record.members:
            size, alignment = (8, 8) if member.params is not None else self.size_and_alignment(member.type)
            start = 0 if record.keyword == "union" else -(-end // alignment) * alignment
            offsets.append(start)
            end = max(end, start + size * int(member.array or 1))
            widest = max(widest, alignment)
        return offsets, -(-end // widest) * widest, widest

    def record_lines(self, record):
        offsets, size, _ = self.layout(record)
        for member, offset in zip(record.members, offsets):
            name, value = f"{record.type}.{member.name}", f"(({record.type} *)0)->{member.name}"
            yield assertion(f"offsetof({record.type}, {member.name}) == {offset}", f"{name} offset")
            if member.params is not None:
                yield has_type(value, self.slot_type(member), f"{name} type")
                continue
            if member.array:
                yield assertion(f"sizeof({value}) / sizeof({value}[0]) == {member.array}", f"{name} length")
                value += "[0]"
            yield has_type(value, self.spelled(member.type), f"{name} type")
            yield assertion(f"sizeof({value}) == {self.size_and_alignment(member.type)[0]}", f"{name} size")
        # Tables, headed records and array elements may grow at the end.
        yield assertion(f"sizeof({record.type}) {'==' if 'Fixed' in record.kinds else '>='} {size}",
                        f"{record.type} size")

    def constant_lines(self, header):
        for entries, _, _, _ in header.enums:
            for name, value, _ in entries:
                if re.fullmatch(r"BB_\w*[A-Z0-9]", name):  # one that ends in _ is the headers' own
                    yield assertion(f"{name} == {value}", name)
        for name, parameters, body, _ in header.macros:
            if parameters == "X":
                rows = re.findall(r'X\((\d+), (\w+), ("[^"]*")', body)
                for number, unit, _ in rows:
                    yield assertion(f"BB_UNIT_{unit} == {number}", f"BB_UNIT_{unit}")
                table = "".join(f"{number} {unit} {symbol[1:-1]}\\n" for number, unit, symbol in rows)
                length = len(re.sub(r"\\([0-7]{3}|n)", "x", table))
                yield assertion(f'__builtin_memcmp({name}(ROW_), "{table}", {length}) == 0', f"{name} symbols")
            elif parameters is None and re.fullmatch(r'"[^"]*"', body):
                yield assertion(f"sizeof({name}) == sizeof({body}) && __builtin_strcmp({name}, {body}) == 0", name)

    def sections(self):
        """(title, assertions)"""
        for header in self.headers:
            for alias, target, _ in header.typedefs:
                if alias in self.handles:
                    yield alias, [has_type(f"({alias})0", target, alias)]
            for record in header.records:
                yield record.type, list(self.record_lines(record))
            for function in header.functions:
                yield function.name, [has_type(f"({function.name})0", self.slot_type(function),
                                               f"{function.name} type")]
            yield f"Constants of {header.name}", list(self.constant_lines(header))
        arithmetic = [assertion(f"{expression} == {value}", expression) for expression, value in ARITHMETIC]
        yield "Arithmetic", arithmetic + [assertion(f"BB_ABI_MAJOR == {self.major}", "BB_ABI_MAJOR")]

    def file(self, covered):
        """(text, assertions in it)"""
        text, count = [HEAD.format(version=f"{self.major}.{self.minor}"), "#include <busbar/busbar.h>"], 0
        text += [f"#include <{header.name}>" for header in self.headers if "/ext/" in header.name]
        text += ["", '#define ROW_(number, name, symbol, what) #number " " #name " " symbol "\\n"', ""]
        for title, lines in self.sections():
            fresh = [line for line in lines if line not in covered]
            if fresh:
                text += [f"// {title}", *fresh, ""]
                count += len(fresh)
        return "\n".join(text).rstrip() + "\n", count


def covered_lines(folder):
    lines = set()
    for path in glob.glob(os.path.join(folder, "*.c")):
        with open(path, encoding="utf-8") as file:
            lines.update(line for line in file.read().split("\n") if line.startswith("_Static_assert"))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new", action="store_true", help="leave out what frozen files cover already")
    parser.add_argument("--check", action="store_true", help="fail where something is covered by no frozen file")
    parser.add_argument("--include", default=contract.INCLUDE, help="the folder with busbar/ and the module map")
    parser.add_argument("--frozen", default=contract.FROZEN, help="the folder with the frozen files")
    options = parser.parse_args()
    covered = covered_lines(options.frozen) if options.new or options.check else frozenset()
    text, count = Freezer(contract.headers(options.include)).file(covered)
    if not options.check:
        sys.stdout.write(text)
        return 0
    if count:
        print(f"{count} facts of the headers are in no frozen file. At a release: freeze.py --new > …/MAJOR.MINOR.c",
              file=sys.stderr)
        print("\n".join(line for line in text.split("\n") if line.startswith("_Static_assert")), file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
