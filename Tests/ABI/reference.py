#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reference of the contract, PluginAPI/REFERENCE.md, made from the headers.

    reference.py            writes it
    reference.py --check    says whether it is what the headers say; exit code 1 = no"""

import os
import re
import sys

import contract

PAGE = os.path.join(contract.ROOT, "PluginAPI", "REFERENCE.md")
HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
# Reference of the contract

Made from the headers in `C/include/busbar` by `Tests/ABI/reference.py`; not to be edited. The tags say where a slot may be
called: `[load]` once, on the loading thread; `[link]` one at a time per link; `[adapter]` one at a time per adapter; `[in-call]`
only on the thread inside a call, with that call; `[any]` from any thread. `[static]` lives until the process ends, `[copied]`
is the receiver's own when the call returns. What a plugin must do around all this is in [SPEC.md](SPEC.md).
"""


def cell(text):
    return contract.plain(text).replace("|", "\\|") if text else ""


def prose(text):
    return re.sub(r"(?<![\w`])((?:bb_|BB_)\w+…?)", r"`\1`", text).replace("|", "\\|")


def beside(header, line):
    """The comment on a line of the header."""
    return header.text.split("\n")[line - 1].partition("//")[2].strip()


def record(item):
    lines = [f"### `{item.type}`", "", prose(item.comment), ""]
    fields = [m for m in item.members if m.params is None]
    slots = [m for m in item.members if m.params is not None]
    if fields:
        lines += ["| field | type | |", "|---|---|---|"]
        for field in fields:
            array = f"[{field.array}]" if field.array else ""
            lines.append(f"| `{field.name}{array}` | `{cell(field.type)}` | {prose(field.comment)} |")
        lines.append("")
    for slot in slots:
        params = ", ".join(f"{contract.plain(type_)} {name}".replace("* ", "*") for type_, name in slot.params)
        lines += [f"**`{contract.plain(slot.type)} {slot.name}({params})`**".replace("* ", "*"), "", prose(slot.comment), ""]
    return lines


def section(header):
    name = header.name.removeprefix("busbar/")
    first = next((line[2:].strip() for line in header.text.split("\n")[1:] if line.startswith("//")), "")
    lines = [f"## `busbar/{name}`", "", prose(first), ""]
    ids = [(macro, body) for macro, params, body, _ in header.macros if re.fullmatch(r'"busbar\.\w+/\d+"', body)]
    for macro, body in ids:
        lines += [f"`{macro}` is `{body}`.", ""]
    units = [body for macro, _, body, _ in header.macros if macro == "BB_UNITS"]
    for body in units:
        lines += ["| number | constant | symbol | what |", "|---|---|---|---|"]
        for number, constant, symbol, what in re.findall(r'X\((\d+), (\w+), "([^"]*)", "([^"]*)"\)', body):
            symbol = symbol.encode().decode("unicode_escape").encode("latin-1").decode("utf-8")
            lines.append(f"| {number} | `BB_UNIT_{constant}` | {symbol} | {what} |")
        lines.append("")
    for entries, comment, _, _ in header.enums:
        entries = [entry for entry in entries if entry[1] is not None and re.fullmatch(r"BB_\w*[A-Z0-9]", entry[0])]
        if not entries:
            continue
        lines += ([prose(comment), ""] if comment else []) + ["| constant | value | |", "|---|---|---|"]
        lines += [f"| `{constant}` | {value} | {prose(beside(header, line))} |" for constant, value, line in entries] + [""]
    for item in header.records:
        lines += record(item)
    for function in header.functions:
        params = ", ".join(f"{contract.plain(type_)} {name}".replace("* ", "*") for type_, name in function.params)
        lines += [f"### `{function.name}`", "", f"**`{contract.plain(function.type)} ({params})`**", "", prose(function.comment), ""]
    return lines


def page():
    lines = [HEAD]
    for header in contract.headers():
        if header.name != "busbar/busbar.h":
            lines += section(header)
    return "\n".join(lines).rstrip() + "\n"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    text = page()
    if not sys.argv[1:]:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text)
        return
    with open(PAGE, encoding="utf-8") as file:
        if file.read() != text:
            sys.exit("PluginAPI/REFERENCE.md is not what the headers say: run Tests/ABI/reference.py")


if __name__ == "__main__":
    main()
