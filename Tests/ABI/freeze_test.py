#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks a copy of the headers in the ways that broke other projects' plugins: the frozen file must not compile with any
of them, and must compile with every legal addition."""

import os
import shutil
import subprocess
import sys
import tempfile

import contract

# (name, header, old text, new text or a pair of texts that swap places)
ILLEGAL = [
    ("field inserted in the sample", "point.h", "  uint16_t quality;    // BB_QUALITY",
     "  uint16_t grade, quality; // BB_QUALITY"),
    ("field removed", "ext/stream.h", "  uint32_t baud;", "  // uint32_t baud;"),
    ("two fields swapped", "types.h", "  uint64_t token;      // names this call in host slots\n  int64_t deadline_ns;",
     "  int64_t deadline_ns;\n  uint64_t token; //"),
    ("handle widened", "types.h", "typedef uint32_t bb_point_id_t", "typedef uint64_t bb_point_id_t"),
    ("sign changed", "point.h", "  int32_t code;", "  uint32_t code;"),
    ("parameter widened", "host.h", "uint32_t samples, uint32_t arena_bytes", "uint64_t samples, uint32_t arena_bytes"),
    ("parameter added", "host.h", "(*BB_NULLABLE log)(", "(*BB_NULLABLE log)(int32_t facility, "),
    ("const dropped", "adapter.h", "const bb_link_config_t *BB_NONNULL config", "bb_link_config_t *BB_NONNULL config"),
    ("result changed", "host.h", "  int32_t (*BB_NULLABLE cancelled)", "  uint32_t (*BB_NULLABLE cancelled)"),
    ("two slots swapped", "ext/event.h", "on_timer)", ("on_timer)", "on_wake)")),
    ("constant renumbered", "types.h", "BB_CLASS_AUTH = 3", "BB_CLASS_AUTH = 9"),
    ("constant removed", "ext/commands.h", "  BB_COMMAND_REFRESH = 2,", "  BB_COMMAND_AGAIN = 2,"),
    ("service id changed", "ext/store.h", '"busbar.store/1"', '"busbar.store/2"'),
    ("unit symbol changed", "units.h", '"varh"', '"VARh"'),
    ("unit inserted", "units.h", '  X(5, VAR,', '  X(17, DEG, "deg", "angle") \\\n  X(5, VAR,'),
    ("status arithmetic changed", "types.h", "(uint32_t)(class_) << 16", "(uint32_t)(class_) << 24"),
    ("entry renamed", "abi.h", '"busbar_plugin_v0"', '"busbar_plugin"'),
    ("fixed type grown", "types.h", "  const uint8_t *BB_NULLABLE data;\n  uint32_t length;\n  uint32_t reserved; // 0",
     "  const uint8_t *BB_NULLABLE data;\n  uint64_t length;\n  uint64_t reserved; // 0"),
    ("array shortened", "ext/commands.h", "key[16]", "key[8]"),
    ("entry type changed", "adapter.h", "(*bb_entry_t)(const", "(*bb_entry_t)("),
]
LEGAL = [
    ("slot appended to a table", "ext/store.h", "} bb_store_service_t;",
     "  // Counts. [any]\n  uint32_t (*BB_NULLABLE count)(const bb_host_t *BB_NONNULL host, bb_link_id_t link);\n} bb_store_service_t;"),
    ("field appended to a headed record", "types.h", "} bb_call_t;", "  uint64_t trace;\n} bb_call_t;"),
    ("constant added", "types.h", "  BB_CLASS_BUG = 7", "  BB_CLASS_BUG = 7,\n  BB_CLASS_LICENCE = 8"),
    ("unit appended", "units.h", '  X(16, BAR, "bar", "pressure")',
     '  X(16, BAR, "bar", "pressure") \\\n  X(18, DEG, "deg", "angle")'),
    ("parameter renamed", "host.h", "int32_t level", "int32_t severity"),
]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]


def compiles(include, source):
    """None where all compilers agree to compile, else what one says."""
    for compiler in COMPILERS:
        run = subprocess.run([compiler, "-std=c11", "-fsyntax-only", "-I", include, source], capture_output=True,
                             text=True)
        if run.returncode:
            return run.stderr
    return None


def changed_copy(folder, header, old, new):
    include = os.path.join(folder, "include")
    shutil.copytree(contract.INCLUDE, include)
    path = os.path.join(include, "busbar", header)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(old) == 0:
        raise SystemExit(f"{header} has no “{old}” any more: renew this test")
    with open(path, "w", encoding="utf-8") as file:
        if isinstance(new, tuple):
            first, second = new
            file.write(text.replace(first, "\0").replace(second, first).replace("\0", second))
        else:
            file.write(text.replace(old, new, 1))
    return include


def main():
    passed = failed = 0
    frozen = os.path.join(contract.FROZEN, "0.1.c")

    def verdict(name, problem):
        nonlocal passed, failed
        if problem:
            failed += 1
            print(f"failed: {name}: {problem}")
        else:
            passed += 1

    verdict("untouched headers", compiles(contract.INCLUDE, frozen))
    freezer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "freeze.py")
    for cases, legal in ((ILLEGAL, False), (LEGAL, True)):
        for name, header, old, new in cases:
            with tempfile.TemporaryDirectory() as folder:
                include = changed_copy(folder, header, old, new)
                problem = compiles(include, frozen)
                if legal:
                    verdict(name, problem)
                    check = subprocess.run([sys.executable, freezer, "--check", "--include", include],
                                           capture_output=True)
                    noticed = check.returncode != 0
                    verdict(f"{name}: freeze.py --check",
                            None if noticed == (name != "parameter renamed") else "wrong verdict")
                elif problem is None:
                    verdict(name, "still compiles")
                else:
                    expected = ("static assertion", "static_assert", "undeclared", "no member")
                    about = any(word in problem.lower() for word in expected)
                    verdict(name, None if about else f"fails for another reason: {problem}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
