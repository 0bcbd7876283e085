# SPDX-License-Identifier: Apache-2.0
"""Reads the headers of the plugin contract into plain objects, comments included: the linters need the comments, which a
compiler's dump leaves out. It understands the small part of C that the headers may use and says so where it meets more."""

import os
import re

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
INCLUDE = os.path.join(ROOT, "PluginAPI", "C", "include")
FROZEN = os.path.join(ROOT, "PluginAPI", "C", "frozen")
THREAD_TAGS = ("load", "link", "adapter", "in-call", "any")
CLASSES = ("Table", "Headed record", "Array element", "Fixed")


class Unreadable(Exception):
    """Something in a header that is not in the contract's part of C."""


class Member:
    """A field, or a slot where `params` is not None."""

    def __init__(self, name, type_, comment, line, params=None, array=None, bits=False, nullable=True):
        self.name, self.type, self.comment, self.line = name, type_, comment, line
        self.params, self.array, self.bits, self.nullable = params, array, bits, nullable


class Record:
    """A struct or union with its members in order."""

    def __init__(self, keyword, tag, typedef, comment, line, members):
        self.keyword, self.tag, self.typedef, self.comment, self.line = keyword, tag, typedef, comment, line
        self.members = members

    @property
    def type(self):
        return self.typedef or f"{self.keyword} {self.tag}"

    @property
    def kinds(self):
        """The classes of the growth rules that the comment names."""
        return [kind for kind in CLASSES if re.search(rf"(^|[.;] ){kind}\b", self.comment)]


class Header:
    def __init__(self, path, name):
        self.path, self.name = path, name
        self.includes = []  # (text, line)
        self.macros = []  # (name, parameters or None, body, line)
        self.records, self.enums, self.typedefs, self.functions, self.strays = [], [], [], [], []


def tags(comment):
    return re.findall(r"\[([a-z][^\]]*)\]", comment)


def plain(type_):
    """A type without the words that only say whether NULL may be there."""
    type_ = re.sub(r"\bBB_(NULLABLE|NONNULL)\b", " ", type_)
    return re.sub(r"\s*\*\s*", "*", " ".join(type_.split())).replace("*", " *").replace("* *", "**").strip()


def split(text, separator):
    """Splits at the top level of parentheses."""
    parts, depth, start = [], 0, 0
    for index, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == separator and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [part.strip() for part in parts + [text[start:]] if part.strip()]


def statements(text, first_line, end=";"):
    """Yields (statement, comment before or beside it, line). A blank line ends a comment's reach."""
    comment, statement, depth, line, begun = [], "", 0, first_line, first_line
    held = None  # a finished statement that may still get a comment on its own line
    for raw in text.split("\n"):
        code, _, beside = raw.partition("//")
        if held and (code.strip() or not beside):
            yield held
            held = None
        if not code.strip():
            if statement:  # the statement goes on; its inner comments are read with its members
                statement += raw + "\n"
            elif beside:
                comment.append(beside.strip())
            else:
                comment = []
            line += 1
            continue
        remark = beside.strip()
        for letter in code:
            depth += (letter in "({[") - (letter in ")}]")
            if not statement and letter.isspace():
                continue
            if not statement:
                begun = line
            if letter == end and depth == 0:
                if held:
                    yield held
                held = (statement.strip(), " ".join(comment), begun)
                comment, statement = [], ""
            else:
                statement += letter
        if statement:
            statement += " //" + remark + "\n" if remark else "\n"
        elif held and remark:
            yield (held[0], (held[1] + " " + remark).strip(), held[2])
            held = None
        line += 1
    if held:
        yield held
    if statement.strip():
        yield (statement.strip(), " ".join(comment), begun)


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def function_type(text):
    """`R (*BB_NULLABLE name)(P, …)` as (return type, name, nullable, [(type, name)]), else None."""
    match = re.fullmatch(r"(.+?)\(\s*\*\s*((?:BB_\w+|\w+\s+)*?)\s*(\w+)\s*\)\s*\((.*)\)", " ".join(text.split()))
    if not match:
        return None
    result, marks, name, inside = match.groups()
    params = []
    for param in split(inside, ","):
        found = re.fullmatch(r"(.*?[\s*])(\w+)", param)
        params.append((found.group(1).strip(), found.group(2)) if found and param not in ("void", "...") else (param, ""))
    return result.strip(), name, "BB_NULLABLE" in marks, [p for p in params if p[0] != "void"]


def members(body, line):
    for text, comment, at in statements(body, line):
        code = " ".join(without_comments(text).split())
        slot = function_type(code)
        if slot:
            yield Member(slot[1], slot[0], comment, at, params=slot[3], nullable=slot[2])
            continue
        if "{" in code:
            yield Member("", code.split("{")[0].strip() + " {…}", comment, at)
            continue
        parts = split(code, ",")
        first = re.fullmatch(r"(.*?[\s*])(\w+)\s*(?:\[(.*)\])?\s*(:\s*\w+)?", parts[0])
        if not first:
            raise Unreadable(f"line {at}: cannot read the field “{code}”")
        for index, part in enumerate(parts):
            found = first if index == 0 else re.fullmatch(r"()(\w+)\s*(?:\[(.*)\])?\s*(:\s*\w+)?", part)
            if not found:
                raise Unreadable(f"line {at}: cannot read the field “{part}”")
            yield Member(found.group(2), first.group(1).strip(), comment, at, array=found.group(3), bits=bool(found.group(4)))


def enumerators(body, line):
    """(name, expression or None, line). Macros that make enumerators come out as one entry with their call."""
    for text, _, at in statements(body, line, end=","):
        name, equals, value = without_comments(text).partition("=")
        yield name.strip(), value.strip() if equals else None, at


def read(path, name):
    """One header."""
    header = Header(path, name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    header.text = text
    if "/*" in text:
        raise Unreadable(f"{name}: comments are written with // here")
    text = re.sub(r"#ifdef __cplusplus\n.*\n#endif", "\n\n", text)
    # Directives leave the text; line numbers stay.
    lines, kept, index = text.split("\n"), [], 0
    while index < len(lines):
        if lines[index].lstrip().startswith("#"):
            start, directive = index, lines[index]
            kept.append("//")
            while directive.endswith("\\"):
                index += 1
                kept.append("//")
                directive = directive[:-1] + "\n" + lines[index]
            take_directive(header, directive.strip(), start + 1)
        else:
            kept.append(lines[index])
        index += 1
    for statement, comment, line in statements("\n".join(kept), 1):
        take_declaration(header, statement, comment, line)
    return header


def take_directive(header, directive, line):
    include = re.fullmatch(r"#\s*include\s+([<\"].+[>\"])", directive)
    if include:
        header.includes.append((include.group(1), line))
    define = re.match(r"#\s*define\s+(\w+)(\(([^)]*)\))?\s*(.*)", directive, re.S)
    if define:
        header.macros.append((define.group(1), define.group(3), define.group(4).strip(), line))


def take_declaration(header, statement, comment, line):
    body = re.fullmatch(r"(typedef\s+)?(struct|union|enum)\s*(\w*)\s*\{(.*)\}\s*(\w*)", statement, re.S)
    if body:
        typedef, keyword, tag, inside, name = body.groups()
        # Counted where the brace is, since the body starts there.
        at = line + statement[: statement.index("{")].count("\n")
        if keyword == "enum":
            header.enums.append((list(enumerators(inside, at)), comment, line, tag or name))
        else:
            header.records.append(Record(keyword, tag, name if typedef else "", comment, line, list(members(inside, at))))
        return
    code = " ".join(without_comments(statement).split())
    if code.startswith("typedef "):
        function = function_type(code[len("typedef "):])
        if function:
            header.functions.append(Member(function[1], function[0], comment, line, params=function[3]))
            return
        alias = re.fullmatch(r"typedef (.+?)\s*(\w+)", code)
        header.typedefs.append((alias.group(2), alias.group(1), line))
        return
    header.strays.append((code, line))


def headers(include=INCLUDE):
    """All headers below include/busbar, core first, then by name. Drafts are no part of the contract."""
    found = []
    for folder, folders, files in os.walk(os.path.join(include, "busbar")):
        folders[:] = sorted(f for f in folders if f != "draft")
        for file in sorted(files):
            path = os.path.join(folder, file)
            found.append(os.path.relpath(path, include))
    order = ["abi", "types", "point", "units", "host", "adapter", "busbar"]
    key = lambda n: (order.index(n[7:-2]) if n[7:-2] in order else len(order), n)
    contract = [read(os.path.join(include, name), name) for name in sorted(found, key=key) if name.endswith(".h")]
    named = {}
    for header in contract:  # `typedef struct bb_host bb_host_t;` names a record that follows
        for alias, target, _ in header.typedefs:
            match = re.fullmatch(r"(struct|union) (\w+)", target)
            if match:
                named[match.group(2)] = alias
    for header in contract:
        for record in header.records:
            record.typedef = record.typedef or named.get(record.tag, "")
    return contract
