# SPDX-License-Identifier: Apache-2.0
"""`busbar template check` finds what the schema cannot say, all of it at once, each with its line."""

import json

import yaml

from harness.host import client
from harness.paths import DIRECTORIES, ROOT, TEMPLATES

HEAD = {"template": "wrong", "title": "Wrong", "adapter": "modbus", "kind": "load", "confidence": "community"}
# A point, the key that is wrong with it, and a word of what is said.
MISTAKES = {
    "a_range": ({"register": 1, "minimum": 5, "maximum": 4}, "maximum", "below minimum"),
    "b_safe": ({"register": 2, "minimum": 6, "maximum": 32, "safe": 0, "write": {"register": 2}}, "safe", "outside"),
    "c_scale": ({"register": 3, "scale": 0}, "scale", "other than 0"),
    "d_label": ({
        "register": 4, "enum": {0: "off", 1: "on"}, "safe": "off",
        "write": {"cases": [{"when": "of", "set": [{"register": 4, "value": 0}]}]},
    }, "write.cases[0].when", "off, on"),
    "e_twice": ({
        "register": 5, "minimum": 0, "maximum": 9, "safe": 0,
        "write": {"cases": [{"when": "positive", "set": [{"register": 5, "value": 1}]},
                            {"when": 3, "set": [{"register": 5, "value": 2}]}]},
    }, "write.cases[1].when", "earlier case"),
    "f_string": ({"register": 6, "type": "string"}, "length", "missing"),
    "g_bit": ({"register": 7, "bit": 20}, "bit", "outside of the type"),
    "h_bits": ({"register": 8, "bits": [9, 16]}, "bits", "lowest and the highest"),
    "i_end": ({"register": 65535, "type": "uint32"}, "register", "0 to 65535"),
    "j_input": ({"table": "input", "register": 1, "minimum": 0, "maximum": 1, "safe": 0, "write": {"table": "input", "register": 1}},
                "write.table", "cannot be written"),
    "k_function": ({"register": 1, "minimum": 0, "maximum": 1, "safe": 0,
                    "write": {"register": 1, "type": "uint32", "function": 6}}, "write.function", "16"),
    "l_wear": ({"register": 1, "minimum": 0, "maximum": 1, "safe": 0, "refresh": "5s",
                "write": {"register": 1, "wear": {"writes": 5, "within": "1d"}}}, "refresh", "write.wear"),
    "m_watchdog": ({"register": 1, "minimum": 0, "maximum": 1, "safe": 0, "refresh": "30s", "write": {"register": 1},
                    "watchdog": {"time": "60s"}}, "refresh", "third"),
    "n_setting": ({"register": 1, "minimum": 0, "maximum": 1, "setting": True, "write": {"register": 1},
                   "watchdog": {"time": "60s"}}, "watchdog", "setting"),
    "o_time": ({"register": 1, "minimum": 0, "maximum": 1, "safe": 0, "write": {"register": 1},
                "watchdog": {"time": "100s", "set": {"register": 9, "scale": 0.001}}}, "watchdog", "does not fit"),
    "p_window": ({"window": "nothing", "register": 1}, "window", "no such window"),
    "q_both": ({"register": 1, "sum": [{"register": 2}]}, "", "both"),
    "r_frozen": ({"register": 1, "bit": 0, "plausible": {"rate": 1}}, "plausible", "no number"),
    "s_read_only": ({"register": 1, "lease": "5m"}, "", "not written"),
    "t_within": ({"register": 1, "minimum": 0, "maximum": 1, "safe": 0, "write": {
        "within": "1s", "cases": [{"when": 0, "set": [{"register": r, "value": 0} for r in range(5)]}]}}, "write.within", "too short"),
    "u_switch": ({"register": 1, "bit": 0, "safe": 5, "write": {"register": 1}}, "safe", "never be"),
    "v_one_limit": ({"register": 1, "minimum": 1, "safe": 1, "write": {"register": 1}}, "", "only one of minimum and maximum"),
}


def test_contradictions_are_found_all_at_once_with_their_lines(directory):
    points = {"state": {"register": 0, "enum": {0: "off", 1: "on"}}, **{name: body for name, (body, _, _) in MISTAKES.items()}}
    file = directory / "wrong.yaml"
    probe = [{"register": 1, "minimum": 5, "maximum": 1}, {"register": 2, "type": "string", "starts": "AB"}]
    file.write_text(yaml.safe_dump({**HEAD, "probe": probe, "modbus": {"write_spacing": "1s", "points": points}}, sort_keys=False))
    lines = file.read_text().splitlines()
    result = client("template", "check", file, "--json", *DIRECTORIES, check=False)
    assert result.returncode == 2, result.stderr
    found = json.loads(result.stdout)
    for name, (_, key, words) in MISTAKES.items():
        path = f"modbus.points.{name}" + (f".{key}" if key else "")
        mine = [d for d in found if d["key"] == path]
        assert mine and words in mine[0]["message"], f"{path}: {words}\n" + "\n".join(map(str, found))
        at = next(i for i, line in enumerate(lines, 1) if line.strip() == f"{name}:")
        end = next((i for i, line in enumerate(lines, 1) if i > at and line.startswith("    ") and not line.startswith("     ")), len(lines) + 1)
        assert at <= mine[0]["line"] < end, f"{path} is said to be in line {mine[0]['line']}, and stands in {at} to {end}"
    starts = [i for i, line in enumerate(lines, 1) if line.startswith("- register")]
    for key, line, words in (("probe[0]", starts[0], "minimum above"), ("probe[1].length", starts[1], "missing")):
        assert [d["line"] for d in found if d["key"] == key and words in d["message"]] == [line], found
    assert len(found) == len(MISTAKES) + 2, [d["key"] for d in found]


def test_all_shipped_templates_are_good():
    files = sorted(TEMPLATES.glob("*.yaml"))
    assert len(files) > 25
    result = client("template", "check", *files, *DIRECTORIES, check=False, timeout=120)
    assert result.returncode == 0, result.stderr


def test_the_example_with_every_key_is_good(directory):
    file = directory / "example-hybrid.yaml"
    file.write_text((ROOT / "Plugins/Modbus/Devices/_template.yaml.example").read_text())
    result = client("template", "check", file, *DIRECTORIES, check=False)
    assert result.returncode == 0, result.stderr
