#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The records and constants that the Rust template writes by hand (src/abi.rs) are those of the C headers: two programs print
sizes, offsets and values, and have to print the same. The last line is “N passed, N failed”."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import contract

ABI = os.path.join(contract.ROOT, "PluginAPI", "Templates", "rust", "src", "abi.rs")
# Where the name in Rust is another than the one in C.
NAMES = {"RawCall": "bb_call_t", "AdapterTable": "bb_adapter_t"}


def parts():
    """Records as (rust, c, [(field in rust, field in c)]) and names of constants."""
    with open(ABI, encoding="utf-8") as file:
        text = file.read()
    known = {record.type: record for header in contract.headers() for record in header.records}
    records = []
    for name, body in re.findall(r"#\[repr\(C\)\]\n(?:#\[derive[^\n]*\n)?pub (?:struct|union) (\w+) \{\n(.*?)^\}", text, re.M | re.S):
        type_ = NAMES.get(name) or "bb_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() + "_t"
        if type_ not in known:
            sys.exit(f"abi.rs has {name}, the headers have no {type_}")
        fields = re.findall(r"^    pub (\w+):", body, re.M)
        members = [member.name for member in known[type_].members]
        if len(fields) != len(members):
            sys.exit(f"{name} has {len(fields)} fields, {type_} has {len(members)}")
        records.append((name, type_, list(zip(fields, members))))
    return records, re.findall(r"^pub const ([A-Z0-9_]+):", text, re.M)


def main():
    if not shutil.which("rustc"):
        print("left out: rustc is not installed\n0 passed, 0 failed")
        return 0
    records, constants = parts()
    includes = "".join(f"#include <{header.name}>\n" for header in contract.headers())
    c, rust = [], []
    for name, type_, fields in records:
        c.append(f'printf("{name} %zu\\n", sizeof({type_}));')
        rust.append(f'println!("{name} {{}}", std::mem::size_of::<abi::{name}>());')
        for mine, theirs in fields:
            c.append(f'printf("{name}.{mine} %zu\\n", offsetof({type_}, {theirs}));')
            rust.append(f'let it = std::mem::MaybeUninit::<abi::{name}>::uninit(); let at = it.as_ptr(); println!("{name}.{mine} {{}}", '
                        f'unsafe {{ std::ptr::addr_of!((*at).{mine}) as usize }} - at as usize);')
    for name in constants:
        c.append(f'printf("{name} %lld\\n", (long long)BB_{name});')
        rust.append(f'println!("{name} {{}}", abi::{name});')
    with tempfile.TemporaryDirectory() as folder:
        def program(file, text, command):
            path = os.path.join(folder, file)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            built = subprocess.run([*command, path, "-o", path + ".out"], capture_output=True, text=True)
            if built.returncode:
                sys.exit(built.stderr)
            return subprocess.run([path + ".out"], check=True, capture_output=True, text=True).stdout.splitlines()

        ours = program("layout.rs", f'#[path = "{ABI}"]\nmod abi;\nfn main() {{\n' + "\n".join(rust) + "\n}\n", ["rustc", "--edition", "2021"])
        theirs = program("layout.c", f"#include <stdio.h>\n{includes}int main(void) {{\n" + "\n".join(c) + "\n}\n",
                         ["cc", "-std=c11", "-I", contract.INCLUDE])
    wrong = [(mine, other) for mine, other in zip(ours, theirs) if mine != other]
    for mine, other in wrong:
        print(f"failed: abi.rs says “{mine}”, the headers “{other}”")
    print(f"{len(ours) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
