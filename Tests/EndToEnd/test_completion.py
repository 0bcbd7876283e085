# SPDX-License-Identifier: Apache-2.0
"""Shell completion as bash carries it out, and the man pages as groff reads them; both made from the definitions."""

import json
import os
import shutil
import subprocess
import time

import pytest

from harness.host import client
from harness.paths import BUSBAR, TEMPLATES
from harness.site import inverter, meter_device

ROOT = BUSBAR.parents[3]

# Completes the last word, as a press of Tab does; readline would not run in a test.
BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9
function compopt() { :; }
_busbar busbar "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    share = tmp_path_factory.mktemp("share")
    subprocess.run([ROOT / "packaging" / "manpages", BUSBAR, share], check=True, timeout=120)
    return share


def tab(share, directory, *words, socket=None):
    script = directory / "tab.bash"
    script.write_text(BASH)
    environment = {"PATH": f"{BUSBAR.parent}:{os.environ['PATH']}", "HOME": str(directory)}
    if socket:
        environment["BUSBAR_SOCKET"] = str(socket)
    result = subprocess.run(
        ["bash", "--norc", script, share / "bash-completion" / "completions" / "busbar", *words],
        env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0 and result.stderr == "", result.stderr
    return {word.strip() for word in result.stdout.splitlines() if word.strip()}


def commands(node=None, path=()):
    """Every command of the dump with its path, but the parser's own `help` and what is hidden from people."""
    node = node or json.loads(client("--experimental-dump-help").stdout)["command"]
    path = (*path, node["commandName"])
    yield path, node
    for child in node.get("subcommands", []):
        if child["commandName"] != "help" and child.get("shouldDisplay", True):
            yield from commands(child, path)


def test_everything_has_help():
    missing = []
    for path, node in commands():
        if not node.get("abstract"):
            missing.append(path)
        missing += [(*path, a["valueName"]) for a in node.get("arguments", []) if not a.get("abstract")]
    assert not missing


def test_a_page_for_every_command(share):
    pages = {page.stem for page in (share / "man" / "man1").iterdir()}
    assert pages == {"-".join(path) for path, _ in commands()}
    assert {"busbar", "busbar-status", "busbar-template-check"} <= pages


def test_pages_are_good_mdoc(share):
    for page in sorted((share / "man" / "man1").iterdir()):
        result = subprocess.run(["groff", "-mandoc", "-ww", "-Tutf8", "-z", page], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0 and result.stderr == "", f"{page.name}: {result.stderr}"
        if shutil.which("mandoc"):
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, timeout=60)
            assert lint.returncode == 0, lint.stdout


def test_pages_say_what_the_definitions_say(share):
    page = share / "man" / "man1" / "busbar-command.1"
    shown = subprocess.run(["groff", "-mandoc", "-Tutf8", "-P-cbou", page], capture_output=True, text=True, check=True).stdout
    words = " ".join(shown.split())
    assert "busbar-command — Set a point of a device, or carry out an action" in words.replace("‐", "-")
    node = next(node for path, node in commands() if path == ("busbar", "command"))
    for argument in node["arguments"]:
        if argument["kind"] != "positional" and argument["valueName"] not in ("help", "version"):
            assert f"--{argument['preferredName']['name']}" in words, argument


def test_pages_are_the_same_again(share, tmp_path):
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
    for name in ("a", "b"):
        subprocess.run([ROOT / "packaging" / "manpages", BUSBAR, tmp_path / name], check=True, timeout=120, env=environment)
    for page in (tmp_path / "a").rglob("*"):
        if page.is_file():
            assert page.read_bytes() == (tmp_path / "b" / page.relative_to(tmp_path / "a")).read_bytes()


def test_scripts_of_all_shells(share):
    for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])):
        result = client("completion", shell)
        assert result.stderr == "" and "busbar" in result.stdout
        file = share / f"script.{shell}"
        file.write_text(result.stdout)
        if shutil.which(check[0]):
            checked = subprocess.run([*check, file], capture_output=True, text=True, timeout=60)
            assert checked.returncode == 0, checked.stderr
    assert client("--generate-completion-script", "bash").stdout == client("completion", "bash").stdout
    wrong = client("completion", "tcsh", check=False)
    assert wrong.returncode == 2 and "zsh" in wrong.stderr


def test_commands_and_options(share, directory):
    offered = tab(share, directory, "busbar", "")
    assert {"run", "status", "devices", "command", "completion"} <= offered
    assert {"--socket", "--json"} <= tab(share, directory, "busbar", "status", "--")
    assert tab(share, directory, "busbar", "run", "--log-format", "") == {"text", "json"}
    assert tab(share, directory, "busbar", "completion", "") == {"bash", "zsh", "fish"}


def test_templates_without_a_host(share, directory):
    offered = tab(share, directory, "busbar", "simulate", "")
    assert {path.stem for path in TEMPLATES.glob("*.yaml")} <= offered


def test_devices_and_points_of_a_running_host(share, directory, host, subscriber, modbus_device):
    _, meter = meter_device(modbus_device)
    peer = modbus_device({3: inverter()}, fill=True)
    solar = {"id": "sol_roof", "template": "sma-sunny-tripower", "endpoint": peer.endpoint, "config": {"unit": 3}, "write": True}
    started = host(devices=[meter, solar])
    subscriber.wait_telemetry("met_grid")
    subscriber.wait_telemetry("sol_roof")
    assert tab(share, directory, "busbar", "read", "", socket=started.socket) == {"met_grid", "sol_roof"}
    assert tab(share, directory, "busbar", "read", "met", socket=started.socket) == {"met_grid"}
    points = tab(share, directory, "busbar", "read", "met_grid", "energy_", socket=started.socket)
    assert points == {"energy_import", "energy_export"}
    assert "power_limit_percent=" in tab(share, directory, "busbar", "command", "sol_roof", "", socket=started.socket)
    assert not any(word.startswith("power=") for word in tab(share, directory, "busbar", "command", "sol_roof", "", socket=started.socket))


def test_silent_and_quick_without_a_host(share, directory):
    assert tab(share, directory, "busbar", "read", "", socket=directory / "nobody.sock") == set()
    times = []
    for _ in range(5):
        begin = time.monotonic()
        result = client("---completion", "read", "--", "positional@0", "2", "0", "busbar", "read", "",
                        environment={"PATH": os.environ["PATH"], "BUSBAR_SOCKET": str(directory / "nobody.sock")})
        times.append(time.monotonic() - begin)
        assert result.stdout.strip() == "" and result.stderr == ""
    print(f"completion without a host: {min(times) * 1000:.0f} ms")
