# SPDX-License-Identifier: Apache-2.0
"""Thirty kinds of mistakes in a configuration and thirty in a template: one run of check-config tells them all."""

import re

from harness.host import client
from harness.paths import PLUGINS, TEMPLATES, ROOT

FILES = ROOT / "Tests" / "EndToEnd" / "mistakes"


def marked(path):
    """{line: what has to stand in its message}"""
    lines = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        _, mark, text = line.partition("# ! ")
        if mark:
            lines[number] = text.strip()
    return lines


def test_all_mistakes_are_told_in_one_run(directory):
    own = directory / "templates"
    own.mkdir()
    (own / "many-mistakes.yaml").write_text((FILES / "templates" / "many-mistakes.yaml").read_text())
    text = (FILES / "busbar.yaml").read_text()
    text = text.replace("directories: [templates]", f"directories: [{own}, {TEMPLATES}]")
    text = text.replace("plugins:\n", f"plugins: # {PLUGINS}\n")
    text = text.replace("  isolation: chld  ", f"  directories: [{PLUGINS}]\n  isolation: chld  ", 1)
    file = directory / "busbar.yaml"
    file.write_text(text)

    result = client("check-config", "--config", file, check=False)
    assert result.returncode == 2
    told = {}
    for line in result.stderr.splitlines():
        found = re.match(r"(.*?):(\d+):\d+: (.*; expected .*|.*)$", line)
        assert found, f"no file and line: {line}"
        name = found[1].rsplit("/", 1)[-1]
        told.setdefault((name, int(found[2])), []).append(found[3])
    missed, kinds = [], 0
    for path in (file, own / "many-mistakes.yaml"):
        wanted = marked(path)
        assert len(wanted) >= 30, f"{path.name} has {len(wanted)} mistakes"
        kinds += len(wanted)
        for number, text in wanted.items():
            messages = told.get((path.name, number), [])
            if not any(text in message for message in messages):
                missed.append(f"{path.name}:{number}: {text!r}, told was {messages}")
            missed += [f"without an expectation: {m}" for m in messages if "; expected " not in m]
        surplus = [n for name, n in told if name == path.name and n not in wanted]
        missed += [f"{path.name}:{n}: not a mistake: {told[(path.name, n)]}" for n in surplus]
    assert not missed, "\n".join(missed)
    assert kinds >= 60
    # What is wrong is told without what is secret.
    assert "hunter2" not in result.stderr
