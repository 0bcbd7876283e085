# SPDX-License-Identifier: Apache-2.0
"""Mistakes in configuration and templates: all of them are printed, each with line and expectation."""

import re

import pytest
import yaml

from harness.host import client
from harness.paths import CASES, DIRECTORIES, PLUGINS, TEMPLATES

GOOD = """\
host:
  id: gw-0001
  role: gateway
  site: { name: "Nordhof", location: "53.55,9.99" }
  state: STATE
plugins: { directories: [PLUGINS] }
templates: { directories: [TEMPLATES] }
uplink:
  url: mqtts://broker.example:8883
  username: gw-0001
  password: { env: MQTT_PASSWORD }
buffer:
  size: 1GiB
  commit: 1s
links:
  - id: bus1
    adapter: modbus
    endpoint: serial:///dev/ttyUSB0?baud=19200&parity=even
devices:
  - id: sol_sma_3001234567
    name: Roof east
    template: sma-sunny-tripower
    endpoint: tcp://192.168.1.20:502
    config: { unit: 3 }
    poll: 5s
    write: true
  - { id: met_grid, link: bus1, template: eastron-sdm630, config: { unit: 1 } }
"""

# What is replaced in GOOD, by what, and a word that the message has to have.
MISTAKES = {
    "unknown-section": ("buffer:", "bufer:", "bufer"),
    "unknown-key": ("  commit: 1s", "  comit: 1s", "comit"),
    "wrong-type": ("  id: gw-0001", "  id: [gw]", "id"),
    "bad-id": ("  id: gw-0001", "  id: 'gw 0001!'", "A-Za-z0-9_-"),
    "bad-role": ("  role: gateway", "  role: gatewy", "server"),
    "bad-duration": ("    poll: 5s", "    poll: 5 parsecs", "poll"),
    "duration-without-unit": ("    poll: 5s", "    poll: 5", "poll"),
    "bad-size": ("  size: 1GiB", "  size: much", "64MiB"),
    "bad-scheme": ("  url: mqtts://broker.example:8883", "  url: http://broker.example", "mqtts"),
    "bad-port": ("tcp://192.168.1.20:502", "tcp://192.168.1.20:70000", "port"),
    "bad-boolean": ("    write: true", "    write: perhaps", "true"),
    "unknown-template": ("template: sma-sunny-tripower", "template: sma-suny-tripower", "sma-sunny-tripower"),
    "unknown-link": ("link: bus1", "link: bus2", "bus1"),
    "same-id-twice": ("id: met_grid", "id: sol_sma_3001234567", "twice"),
    "plain-password": ("password: { env: MQTT_PASSWORD }", "password: hunter2", "file"),
    "unit-out-of-range": ("config: { unit: 3 }", "config: { unit: 300 }", "unit"),
    "unknown-setting-of-the-adapter": ("config: { unit: 3 }", "config: { unti: 3 }", "unti"),
    "bad-location": ('"53.55,9.99"', '"north"', "latitude"),
    "bad-parity": ("parity=even", "parity=sometimes", "parity"),
}


def check(directory, text):
    file = directory / "busbar.yaml"
    for word, path in (("STATE", directory), ("[PLUGINS]", f"[{PLUGINS}]"), ("[TEMPLATES]", f"[{TEMPLATES}]")):
        text = text.replace(word, str(path))
    file.write_text(text)
    return file, client("check-config", "--config", file, check=False, environment={"MQTT_PASSWORD": "x", "PATH": "/usr/bin"})


def test_good_configuration(directory):
    _, result = check(directory, GOOD)
    assert result.returncode == 0, result.stderr + result.stdout


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_reported_with_its_line(directory, name):
    old, new, word = MISTAKES[name]
    assert GOOD.count(old) == 1
    line = GOOD[: GOOD.index(old)].count("\n") + 1
    file, result = check(directory, GOOD.replace(old, new))
    output = result.stdout + result.stderr
    assert result.returncode == 2, output
    assert re.search(rf"^{re.escape(str(file))}:{line}\b", output, re.MULTILINE), f"no line {line} in:\n{output}"
    assert word in output, output
    assert "hunter2" not in output


def test_all_mistakes_are_printed_not_the_first(directory):
    text, lines = GOOD, set()
    for name in ("unknown-key", "bad-role", "bad-duration", "unknown-link", "bad-boolean"):
        old, new, _ = MISTAKES[name]
        lines.add(GOOD[: GOOD.index(old)].count("\n") + 1)
        text = text.replace(old, new)
    file, result = check(directory, text)
    output = result.stdout + result.stderr
    found = {int(line) for line in re.findall(rf"^{re.escape(str(file))}:(\d+)", output, re.MULTILINE)}
    assert found == lines, output


@pytest.mark.parametrize(
    "content",
    ["host: [", "\t- x", "a: &a [*a, *a]", "host: {id: x}\nhost: {id: y}", "\x00", "- 1", "&a [" * 2000, "!!python/object:x y"],
    ids=["open-bracket", "tab", "alias", "key-twice", "nul", "list", "deep", "tag"],
)
def test_what_is_no_configuration(directory, content):
    file, result = check(directory, content)
    output = result.stdout + result.stderr
    assert result.returncode == 2, output
    assert str(file) in output


def test_file_that_is_not_there(directory):
    result = client("check-config", "--config", directory / "nowhere.yaml", check=False)
    assert result.returncode == 2
    assert "nowhere.yaml" in result.stderr + result.stdout


def test_host_does_not_start_on_mistakes(directory):
    file = directory / "busbar.yaml"
    file.write_text("host: { id: gw }\nuplnk: {}\n")
    result = client("run", "--config", file, "--socket", directory / "s", check=False)
    assert result.returncode == 2
    assert f"{file}:2" in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"^template: .*$", "template: something-else"),
        (r"^kind: .*$", "kind: toaster"),
        (r"^adapter: .*$", "adaptor: modbus"),
        (r"^title: .*$", "title: [a]"),
        (r"^modbus:$", "modbus: 7\nignored:"),
        (r"register: 30775", "register: 99999"),
        (r"type: int32", "type: int33"),
        (r"scale: 0.01", "scale: tiny"),
        (r"^    power: ", "    Power!: "),
        (r"unit: W", "unit: horsepower"),
        (r"lease: 10m", "lease: soon"),
    ],
    ids=[
        "name", "kind", "adapter", "title", "body", "register", "type", "scale", "point", "unit", "lease",
    ],
)
def test_mistake_in_a_template(directory, pattern, replacement):
    text = (TEMPLATES / "sma-sunny-tripower.yaml").read_text()
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"the template has nothing like {pattern}"
    file = directory / "sma-sunny-tripower.yaml"
    file.write_text(changed)
    result = client("template", "check", file, *DIRECTORIES, check=False)
    output = result.stdout + result.stderr
    assert result.returncode in (1, 2), output
    assert re.search(rf"{re.escape(str(file))}:\d+", output), output


@pytest.mark.parametrize("name", sorted(path.stem for path in TEMPLATES.glob("*.yaml")))
def test_every_template_is_good(name):
    client("template", "check", TEMPLATES / f"{name}.yaml", *DIRECTORIES)


def test_the_readme_lists_every_template():
    listed = {}
    for line in (CASES.parent / "README.md").read_text().splitlines():
        if row := re.match(r"\| `([a-z0-9-]+)` \| ([A-Za-z ]+) \| .* \| ([a-z]+) \|$", line):
            listed[row[1]] = (row[2].replace(" ", "").lower(), row[3])
    there = {}
    for path in (CASES.parent / "Devices").glob("*.yaml"):
        template = yaml.safe_load(path.read_text())
        there[path.stem] = (template["kind"], template["confidence"])
    assert listed == there
