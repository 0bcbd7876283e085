# SPDX-License-Identifier: Apache-2.0
"""Our verdict on messages of OCPP, against jsonschema on the schemas of the PyPI package `ocpp`: thousands of made documents,
good and bad, for each request and response."""

import copy
import json
import pathlib
import random
import re
import subprocess
import sys
from decimal import Decimal

import jsonschema
import ocpp
import pytest

from harness.paths import ROOT

PACKAGE = pathlib.Path(ocpp.__file__).parent
VERSIONS = {"ocpp1.6": ("v16", ""), "ocpp2.0.1": ("v201", "Request")}
TOOL = ROOT / ".build/release/ocpp-verdict"
# What is made for each request and each response.
GOOD, BAD = 15, 60


def schemas(version):
    folder, suffix = VERSIONS[version]
    for file in sorted((PACKAGE / folder / "schemas").glob("*.json")):
        name = file.stem
        part = "response" if name.endswith("Response") else "request"
        action = name.removesuffix("Response" if part == "response" else suffix)
        yield action, part, json.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)


def judge(schema):
    """Numbers are decimals here, so that a limit of 16.1 is a multiple of 0.1. 5.0 is an integer, as from draft 6 on: the
    schemas of 1.6 are partly older, and mean the same."""
    draft = jsonschema.Draft6Validator if "draft-06" in schema["$schema"] else jsonschema.Draft4Validator
    checker = draft.TYPE_CHECKER.redefine(
        "integer",
        lambda _, value: isinstance(value, int | Decimal) and not isinstance(value, bool) and value == int(value),
    )
    return jsonschema.validators.extend(draft, type_checker=checker)(schema)


class Maker:
    """Documents that a schema allows."""

    def __init__(self, schema, seed):
        self.schema, self.random = schema, random.Random(seed)

    def make(self, schema, all_fields=False):
        if "$ref" in schema:
            return self.make(self.schema["definitions"][schema["$ref"].rsplit("/", 1)[1]], all_fields)
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            required = schema.get("required", [])
            return {
                name: self.make(field, all_fields)
                for name, field in schema.get("properties", {}).items()
                if name in required or all_fields or self.random.random() < 0.4
            }
        if kind == "array":
            least = schema.get("minItems", 0)
            most = min(schema.get("maxItems", least + 3), least + 3)
            return [self.make(schema["items"]) for _ in range(self.random.randint(least, most))]
        if kind == "string":
            if schema.get("format") == "date-time":
                return f"20{self.random.randint(10, 40)}-0{self.random.randint(1, 9)}-11T22:33:44.{self.random.randint(0, 999):03}Z"
            longest = schema.get("maxLength", 40)
            length = self.random.choice([longest, self.random.randint(0, longest)])
            return "".join(self.random.choice('abcXYZ 0189-_.*"\\/\n\u00e9\u4e2d\U0001f50c') for _ in range(length))
        if kind == "integer":
            low, high = int(schema.get("minimum", -(2**31))), int(schema.get("maximum", 2**31))
            return self.random.choice([low, high, self.random.randint(low, high), max(low, min(high, 0))])
        if kind == "number":
            if "multipleOf" in schema:
                return self.random.randint(-10_000, 1_000_000) / Decimal(10)
            return Decimal(self.random.randint(-10**9, 10**9)) / Decimal(10) ** self.random.randint(0, 6)
        if kind == "boolean":
            return self.random.random() < 0.5
        return self.random.choice([None, 1, "text", {"a": [True]}, []])

    def spoil(self, document):
        """One change somewhere; the result may still be allowed."""
        document = copy.deepcopy(document)
        places = [(document, None)]

        def walk(value):
            for key in list(value) if isinstance(value, dict) else range(len(value)):
                places.append((value, key))
                if isinstance(value[key], (dict, list)):
                    walk(value[key])

        walk(document)
        holder, key = self.random.choice(places)
        strange = [None, True, False, 0, 1, -1, 10**12, Decimal("0.05"), Decimal("1.0"), Decimal("12345.67"), "", "x", "x" * 60,
                   "x" * 11_000, "12", "true", "accepted", "Accepted", [], [1], {}, {"a": 1}]  # fmt: skip
        if key is None:
            document["unknown"] = self.random.choice(strange)
        elif isinstance(holder, dict) and self.random.random() < 0.3:
            del holder[key]
        elif isinstance(holder[key], list) and self.random.random() < 0.5:
            holder[key] = [] if self.random.random() < 0.5 else holder[key] * 1100
        elif isinstance(holder[key], dict) and self.random.random() < 0.5:
            holder[key]["unknown"] = 1
        elif isinstance(holder[key], str) and self.random.random() < 0.5:
            holder[key] = self.random.choice([holder[key].lower(), holder[key].upper(), holder[key] + "x", holder[key] * 300])
        else:
            holder[key] = self.random.choice(strange)
        return document


def text(document):
    """JSON with each number as it was made."""
    if isinstance(document, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{text(v)}" for k, v in document.items()) + "}"
    if isinstance(document, list):
        return "[" + ",".join(map(text, document)) + "]"
    return str(document) if isinstance(document, Decimal) else json.dumps(document)


def times(schema, root, document):
    """The values that the schema says are times; jsonschema does not look at them, and they have tests of their own."""
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    if schema.get("format") == "date-time":
        yield document
    elif isinstance(document, dict):
        for name, field in schema.get("properties", {}).items():
            if name in document:
                yield from times(field, root, document[name])
    elif isinstance(document, list) and "items" in schema:
        for item in document:
            yield from times(schema["items"], root, item)


def is_time(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", value, re.IGNORECASE)


class Tool:
    def __init__(self):
        self.lines = []

    def verdicts(self):
        done = subprocess.run([TOOL], input="\n".join(self.lines) + "\n", capture_output=True, text=True, check=True, timeout=300)
        return [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not TOOL.exists(), reason="the unit tests are not built: swift build -c release --product ocpp-verdict")
@pytest.mark.parametrize("version", VERSIONS)
def test_same_verdict(version):
    tool, expected = Tool(), []
    for number, (action, part, schema) in enumerate(schemas(version)):
        validator = judge(schema)
        maker = Maker(schema, number)
        documents = [maker.make(schema, all_fields=index == 0) for index in range(GOOD)]
        documents += [maker.spoil(maker.random.choice(documents[:GOOD])) for _ in range(BAD)]
        for document in documents:
            if not all(map(is_time, times(schema, schema, document))):
                continue
            line = text(document)
            if len(line.encode()) > 200_000:
                continue
            tool.lines.append(f"{version} {part} {action} {line}")
            expected.append((action, part, line, validator.is_valid(document), validator))
    verdicts = tool.verdicts()
    assert len(verdicts) == len(expected)
    good = sum(valid for *_, valid, _ in expected)
    print(f"{version}: {len(expected)} documents, {good} of them valid")
    assert good > 1000 and len(expected) - good > 1000
    wrong = [
        (action, part, line[:300], valid, verdict.get("findings") or verdict)
        for (action, part, line, valid, _), verdict in zip(expected, verdicts)
        if verdict.get("strict") != valid
    ]
    assert not wrong, f"{len(wrong)}: {wrong[:5]}"
    # What was usable and mended is valid, but for what is beyond mending.
    for (action, part, line, valid, validator), verdict in zip(expected, verdicts):
        if verdict["usable"] and not valid:
            left = [error.validator for error in validator.iter_errors(verdict["payload"])]
            allowed = {"additionalProperties", "required", "maxLength", "enum", "minItems", "maxItems", "minimum", "maximum",
                       "multipleOf"}  # fmt: skip
            assert set(left) <= allowed, (action, part, line[:300], left, verdict["findings"])


@pytest.mark.skipif(not TOOL.exists(), reason="not built")
def test_tables_are_as_the_schemas_say():
    made = subprocess.run(
        [sys.executable, ROOT / "Plugins/OCPP/Tables/make", "--check"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
