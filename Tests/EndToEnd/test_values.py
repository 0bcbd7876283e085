# SPDX-License-Identifier: Apache-2.0
"""Values at the broker equal those set in pymodbus: one test for each folder Plugins/*/Cases/NAME.

`case.yaml` in it:
    template: eastron-sdm630                by name, or
    template_file: template.yaml            beside the case; its name is that of the folder
    framing: tcp | rtu
    config: { unit: 1 }                     the device's settings; default: the template's
    registers:                              what the device holds; any other address answers exception 2
      holding: { 40029: [0, 295] }
      input: { 52: [17562, 16384] }
      coil: { 400: [1] }                    a bit each; also discrete
    expected: { power: 1234.5 }             point: value
    bad: { temperature: decode }            point: reason; such a point never has a value
    absent: [ac_power]                      points that are neither
"""

import shutil
import time
from pathlib import Path

import pytest
import yaml

from harness.paths import CASES, TEMPLATES

FOLDERS = sorted(CASES.parents[1].glob("*/Cases/*/case.yaml"))
# Seconds until every point has come: a slow device takes one register at a time, half a second apart.
PATIENCE = 40


def test_there_are_cases():
    assert FOLDERS, f"no case.yaml under {CASES}"


@pytest.mark.parametrize("file", FOLDERS, ids=lambda file: file.parent.name)
def test_case(file, host, subscriber, modbus_device, serial_line, directory):
    case = yaml.safe_load(file.read_text())
    known = {"description", "template", "template_file", "framing", "config", "registers", "expected", "bad", "absent"}
    assert case.keys() <= known, f"{file}: unknown keys {sorted(case.keys() - known)}"
    config = case.get("config", {})
    registers = {
        kind: {str(address): words for address, words in case["registers"].get(kind, {}).items()}
        for kind in ("holding", "input", "coil", "discrete")
    }
    template, directories = case.get("template"), [str(TEMPLATES)]
    if "template_file" in case:
        template = file.parent.name
        own = directory / "templates"
        own.mkdir()
        # The name of a template is that of its file.
        shutil.copyfile(file.parent / case["template_file"], own / f"{template}.yaml")
        directories.append(str(own))
    framing = case.get("framing", "tcp")
    options = {"line": serial_line()} if framing in ("rtu", "ascii") else {}
    if framing != "tcp":
        options["framing"] = framing.removesuffix("-over-tcp")
    peer = modbus_device({config.get("unit", own_unit(template, directories)): registers}, **options)
    gateway = host(
        templates={"directories": directories},
        devices=[{"id": "dut", "template": template, "endpoint": peer.endpoint, "config": config, "poll": "1s"}],
    )

    expected = case.get("expected") or {}
    bad = case.get("bad") or {}
    absent = case.get("absent") or []
    values, reasons = {}, {}
    position = 0
    end = time.monotonic() + PATIENCE
    # Points may come in different readings; the registers do not change, so every one of them has to be right.
    while not (expected.keys() <= values.keys() and bad.keys() <= reasons.keys()):
        left = max(end - time.monotonic(), 0.0)
        try:
            subscriber.wait_for(lambda m: m.topic == "devices/dut/telemetry", left, since=position)
        except AssertionError:
            break
        for message in subscriber.since(position):
            position += 1
            if message.topic == "devices/dut/telemetry":
                values.update(message.json.get("values", {}))
                reasons.update(message.json.get("bad", {}))

    wrong = [
        f"{point}: {values.get(point)!r} ({reasons.get(point, 'no reason')}) instead of {value!r}"
        for point, value in expected.items()
        if not equal(values.get(point), value)
    ]
    wrong += [f"{point}: {reasons.get(point)!r} instead of {why!r}" for point, why in bad.items() if reasons.get(point) != why]
    wrong += [f"{point} has the value {values[point]!r} although it is bad" for point in bad if point in values]
    wrong += [f"{point} is there" for point in absent if point in values or point in reasons]
    assert not wrong, f"{file.parent.name}: " + "; ".join(wrong) + f"\n{gateway.log(40)}"


def own_unit(template, directories):
    """The unit that the template itself names, where the case does not."""
    for directory in directories:
        file = Path(directory) / f"{template}.yaml"
        if file.exists():
            return yaml.safe_load(file.read_text()).get("defaults", {}).get("config", {}).get("unit", 1)
    raise AssertionError(f"there is no template {template}")


def equal(got, wanted):
    if isinstance(wanted, bool) or isinstance(got, bool) or not isinstance(wanted, (int, float)):
        return got == wanted
    return isinstance(got, (int, float)) and abs(got - wanted) <= 1e-9 * max(1.0, abs(wanted))
