# SPDX-License-Identifier: Apache-2.0
"""PluginAPI/TUTORIAL.md, executed as it is written, in each of the four languages."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STAGE = ROOT / ".build" / "stage"
TOOLS = {"c": "cc", "cpp": "g++", "rust": "cargo", "swift": "swiftc"}


def commands(language):
    """The blocks of all languages and of this one, in order."""
    text = (ROOT / "PluginAPI" / "TUTORIAL.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh(?: (\w+))?\n(.*?)^```$", text, re.M | re.S)
    return "".join(body for only, body in blocks if only in ("", language))


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def private_network():
    """A network of its own for the fixed ports of the tutorial, where the system allows it."""
    for flags in (["--net"], ["--user", "--map-root-user", "--net"]):
        command = ["unshare", *flags, "bash", "-c"]
        loopback = "ip link set lo up 2>/dev/null || ifconfig lo up"
        if subprocess.run([*command, loopback], capture_output=True).returncode == 0:
            return command, loopback + "\n"
    return ["bash", "-c"], ""


@pytest.mark.slow
@pytest.mark.parametrize("language", list(TOOLS))
def test_as_written(language, tmp_path):
    if not shutil.which(TOOLS[language]):
        pytest.skip(f"{TOOLS[language]} is not installed")
    launch, prologue = private_network()
    if not prologue and not (is_free(1883) and is_free(4001)):
        pytest.skip("the tutorial's ports are in use, and this system gives no private network")
    environment = dict(os.environ, PATH=f"{STAGE / 'bin'}:{os.environ['PATH']}:/usr/sbin")
    script = f"set -eu -o pipefail\numask 022\n{prologue}{commands(language)}"
    process = subprocess.Popen(
        [*launch, script], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=600)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    logs = "".join(f"--- {log.name}\n{log.read_text(errors='replace')}" for log in (tmp_path / "heat-rod").glob("*.log"))
    assert process.returncode == 0, output + logs

    messages = [json.loads(line) for line in output.splitlines() if line.startswith('{"ts":') and '"values"' in line]
    assert len(messages) == 3, output
    assert messages[0]["values"]["power"] == 1500, output
    assert re.search(r"^\d+ passed, 0 failed", output, re.M), output
    assert "signature  good, by the key" in re.sub(r"\t", "  ", output), output
    assert (tmp_path / "heat-rod" / "heat_rod.so.sig").stat().st_size == 64
