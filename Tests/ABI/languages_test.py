#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The templates in C++, Rust and Swift do to the last line what the one in C does, and so do the plugins that were built with
earlier states of the contract (kept/0.N), which nobody may edit.

    languages_test.py           builds the templates, runs them and the kept ones
    languages_test.py --keep    builds what is missing in kept/0.N of this contract

A language whose compiler is not installed is told and left out. The last line is “N passed, N failed”."""

import hashlib
import lzma
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import contract
import smoke_test

HERE = os.path.dirname(os.path.abspath(__file__))
TEMPLATES = os.path.join(contract.ROOT, "PluginAPI", "Templates")
# Name, template, compiler, arguments for make.
BUILDS = [("c-gcc", "c", "gcc", ["CC=gcc"]), ("c-clang", "c", "clang", ["CC=clang"]), ("cpp-gcc", "cpp", "g++", ["CXX=g++"]),
          ("cpp-clang", "cpp", "clang++", ["CXX=clang++"]), ("rust", "rust", "cargo", []), ("swift", "swift", "swiftc", [])]


def version():
    with open(os.path.join(contract.INCLUDE, "busbar", "abi.h"), encoding="utf-8") as file:
        text = file.read()
    return ".".join(re.search(rf"#define BB_ABI_{part} (\d+)", text).group(1) for part in ("MAJOR", "MINOR"))


KEPT = os.path.join(HERE, "kept", version())


def build_smoke(folder):
    smoke = os.path.join(folder, "smoke")
    subprocess.run(["cc", "-std=c11", "-O1", "-I", contract.INCLUDE, os.path.join(HERE, "smoke.c"), "-o", smoke], check=True)
    return smoke


def build(name, template, arguments, folder):
    """(path, problem)"""
    out = os.path.join(folder, name)
    run = subprocess.run(["make", "-s", "-C", os.path.join(TEMPLATES, template), f"OUT={out}", *arguments], capture_output=True, text=True)
    return os.path.join(out, "line_meter.so"), run.stderr if run.returncode else None


def kept_plugins(folder):
    """(name, path, problem) of each kept plugin, unpacked, its checksum compared."""
    with open(os.path.join(KEPT, "SHA256SUMS"), encoding="utf-8") as file:
        sums = [line.split() for line in file]
    for checksum, name in sums:
        with open(os.path.join(KEPT, name), "rb") as file:
            data = file.read()
        problem = None if hashlib.sha256(data).hexdigest() == checksum else "is not the file that was kept"
        path = os.path.join(folder, f"kept-{name.removesuffix('.xz')}")
        with open(path, "wb") as file:
            file.write(lzma.decompress(data) if name.endswith(".xz") else data)
        os.chmod(path, 0o755)
        yield name, path, problem


def keep():
    os.makedirs(KEPT, exist_ok=True)
    known = os.path.join(KEPT, "SHA256SUMS")
    with tempfile.TemporaryDirectory() as folder:
        for name, template, compiler, arguments in BUILDS:
            packed = template == "swift"
            target = f"{name}.so" + (".xz" if packed else "")
            if os.path.exists(os.path.join(KEPT, target)) or not shutil.which(compiler):
                continue
            path, problem = build(name, template, arguments, folder)
            if problem:
                sys.exit(problem)
            subprocess.run(["strip", path], check=True)
            with open(path, "rb") as file:
                data = file.read()
            data = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME) if packed else data
            with open(os.path.join(KEPT, target), "wb") as file:
                file.write(data)
            with open(known, "a", encoding="utf-8") as file:
                file.write(f"{hashlib.sha256(data).hexdigest()}  {target}\n")
            print(f"{target}: {len(data)} bytes")


def main():
    if sys.argv[1:] == ["--keep"]:
        return keep()
    if sys.argv[1:]:
        sys.exit(__doc__)
    results = []

    def verdict(name, problem):
        results.append(problem is None)
        if problem is not None:
            print(f"failed: {name}: {problem}")

    with tempfile.TemporaryDirectory() as folder:
        smoke = build_smoke(folder)

        def run(name, plugin):
            exports = subprocess.run([os.path.join(HERE, "exports.sh"), plugin], capture_output=True, text=True)
            verdict(f"{name}: exports", exports.stdout if exports.returncode else None)
            for case in smoke_test.CASES:
                time = "300" if "silent" in case[1] else "10000"
                verdict(f"{name}: {case[0]}", smoke_test.run_case(smoke, plugin, case, {"SMOKE_DEADLINE_MS": time}))
            busy = ("", [], smoke_test.SETTINGS, ["1"], smoke_test.START + [smoke_test.IDENTITY, "busy", "poll ok"] + smoke_test.END)
            verdict(f"{name}: gives way when the host is busy", smoke_test.run_case(smoke, plugin, busy, {"SMOKE_BUSY": "1"}))
            bare = ("", ["--fault", "garbled"], smoke_test.SETTINGS, ["1"], smoke_test.START + smoke_test.BAD + smoke_test.END)
            verdict(f"{name}: does without diagnostics", smoke_test.run_case(smoke, plugin, bare, {"SMOKE_BARE": "1"}))

        for name, template, compiler, arguments in BUILDS[2:]:
            if not shutil.which(compiler):
                print(f"{name}: left out, {compiler} is not installed")
                continue
            plugin, problem = build(name, template, arguments, folder)
            verdict(f"{name}: builds", problem)
            if problem is None:
                run(name, plugin)
        if platform.machine() == "x86_64":
            for name, plugin, problem in kept_plugins(folder):
                verdict(f"kept {name}: checksum", problem)
                run(f"kept {name}", plugin)
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
