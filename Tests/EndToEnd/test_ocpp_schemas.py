# SPDX-License-Identifier: Apache-2.0
"""Our verdict on messages of OCPP, against jsonschema on the schemas of the PyPI package `ocpp`: thousands of made documents,
good and bad, for each request and response."""

import json
import re
import subprocess
import sys
from decimal import Decimal

import jsonschema
import pytest

from harness.ocpp import VERSIONS, Maker, schemas
from harness.paths import ROOT

TOOL = ROOT / ".build/release/ocpp-verdict"
# What is made for each request and each response.
GOOD, BAD = 15, 60


def judge(schema):
    """Numbers are decimals here, so that a limit of 16.1 is a multiple of 0.1. 5.0 is an integer, as from draft 6 on: the
    schemas of 1.6 are partly older, and mean the same."""
    draft = jsonschema.Draft6Validator if "draft-06" in schema["$schema"] else jsonschema.Draft4Validator
    checker = draft.TYPE_CHECKER.redefine(
        "integer",
        lambda _, value: isinstance(value, int | Decimal) and not isinstance(value, bool) and value == int(value),
    )
    return jsonschema.validators.extend(draft, type_checker=checker)(schema)


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
