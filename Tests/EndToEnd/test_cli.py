# SPDX-License-Identifier: Apache-2.0
"""The command line (interfaces.md 2): what a person and a machine see, and the exit codes."""

import json
import os
import subprocess
import time

import pytest

from harness.host import client
from harness.paths import BUSBAR, TEMPLATES
from harness.site import meter_device
from harness.terminal import terminal

ESCAPE = "\x1b"


@pytest.fixture
def gateway(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device, power=1234.5)
    started = host(devices=[device])
    started.peer = peer
    subscriber.wait_status("met_grid", lambda content: content["state"] == "online")
    subscriber.wait_telemetry("met_grid")
    return started


def test_host_says_that_it_is_ready(gateway):
    gateway.wait_log(lambda line: "ready" in line.lower())


@pytest.mark.parametrize("command", [["status"], ["devices"], ["plugins"], ["links"], ["buffer", "status"]])
def test_tables(gateway, command):
    plain = gateway.cli(*command).stdout
    assert plain.strip() and ESCAPE not in plain
    json.loads(gateway.cli(*command, "--json").stdout)
    shown = terminal(*command, "--socket", gateway.socket)
    assert shown.strip()
    monochrome = terminal(*command, "--socket", gateway.socket, environment={"NO_COLOR": "1"})
    assert f"{ESCAPE}[3" not in monochrome and f"{ESCAPE}[1;3" not in monochrome


def test_json_of_the_lists(gateway):
    status = gateway.json("status")
    assert (status["id"], status["role"], status["devices"]["online"]) == ("gw-test", "gateway", 1)
    assert status["uplink"]["state"] == "connected"
    device = gateway.json("devices")[0]
    assert (device["id"], device["type"], device["state"]) == ("met_grid", "meter", "online")
    assert device["values"]["power"]["value"] == 1234.5
    assert device["values"]["power"]["unit"] == "W"
    plugin = gateway.json("plugins")[0]
    assert (plugin["id"], plugin["state"]) == ("org.busbar.modbus", "loaded")
    link = gateway.json("links")[0]
    assert (link["adapter"], link["devices"]) == ("modbus", ["met_grid"])
    assert link["endpoint"] == gateway.peer.endpoint
    assert {"messages", "bytes", "oldest"} <= gateway.json("buffer", "status").keys()


def test_read_is_a_fresh_reading(gateway):
    asked = len(gateway.peer.requests())
    reading = gateway.json("read", "met_grid", "power", "energy_import")
    assert reading["values"] == {"power": 1234.5, "energy_import": 5678250}
    assert len(gateway.peer.requests()) > asked
    assert "1234.5" in gateway.cli("read", "met_grid", "power").stdout

    unknown = gateway.cli("read", "met_nobody", check=False)
    assert unknown.returncode == 1 and "met_nobody" in unknown.stderr
    unknown = gateway.cli("read", "met_grid", "no_such_point", check=False)
    assert unknown.returncode == 1 and "no_such_point" in unknown.stderr


def test_watch_in_a_pipe(gateway, closing):
    watching = gateway.client("watch", "met_grid")
    try:
        line = watching.wait_line(lambda line: "power" in line and "1234.5" in line)
        assert ESCAPE not in line and "met_grid" in line
    finally:
        watching.kill()
    watching = gateway.client("watch", "--json")
    try:
        content = json.loads(watching.wait_line(lambda line: '"values"' in line))
        assert content["device"] == "met_grid"
    finally:
        watching.kill()


def test_watch_on_a_terminal_is_a_table(gateway):
    output = terminal("watch", "--socket", gateway.socket, seconds=3)
    assert "met_grid" in output and "1234.5" in output


def test_watch_ends_with_its_reader(gateway):
    process = subprocess.Popen(
        [BUSBAR, "watch", "--socket", str(gateway.socket)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(15) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.parametrize(
    "command", [["status"], ["devices"], ["plugins"], ["links"], ["read", "x"], ["watch"], ["buffer", "status"], ["reload"]]
)
def test_without_a_host(directory, command):
    result = client(*command, "--socket", directory / "nobody.sock", check=False)
    assert result.returncode == 3, result.stderr
    assert result.stdout == ""
    assert result.stderr.strip()


@pytest.mark.parametrize("arguments", [["nonsense"], ["status", "--nonsense"], ["command"], ["read"], ["template", "nonsense"]])
def test_wrong_usage(arguments):
    result = client(*arguments, check=False)
    assert result.returncode == 2
    assert result.stderr.strip()


def test_help_and_version():
    assert "check-config" in client("--help").stdout
    assert client("--version").stdout.strip()


def test_templates():
    """Without options: an installed busbar finds what is installed with it."""
    names = {path.stem for path in TEMPLATES.glob("*.yaml")}
    assert {"eastron-sdm630", "sma-sunny-tripower", "huawei-sun2000", "huawei-luna2000"} <= names
    assert {"huawei-sun2000-meter", "keba-p40", "stiebel-eltron-isg"} <= names
    listed = client("template", "list").stdout
    assert all(name in listed for name in names)
    assert len(json.loads(client("template", "list", "--json").stdout)) == len(names)
    assert "power" in client("template", "show", "eastron-sdm630").stdout
    assert client("template", "show", "no-such-thing", check=False).returncode == 1


def test_reload(gateway, subscriber, modbus_device):
    _, second = meter_device(modbus_device, "met_second", power=77)
    asked = gateway.peer.requests()
    gateway.write(devices=[*gateway.configuration["devices"], second])
    told = gateway.json("reload")
    assert "met_second" in str(told["added"])
    subscriber.wait_telemetry("met_second", lambda content: content["values"].get("power") == 77)
    # What did not change keeps running: no new connection, no number lost.
    seqs = [m.json["seq"] for m in subscriber.telemetry("met_grid")]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(gateway.peer.requests()) >= len(asked)

    position = subscriber.mark()
    gateway.write(devices=[second])
    gateway.hang_up()
    subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/devices" and [d["id"] for d in m.json["devices"]] == ["met_second"],
        since=position,
    )
    assert [device["id"] for device in gateway.json("devices")] == ["met_second"]


def test_reload_with_mistakes_changes_nothing(gateway, subscriber):
    gateway.file.write_text("devices: 7\n")
    refused = gateway.cli("reload", check=False)
    assert refused.returncode == 2
    assert f"{gateway.file.name}:1" in refused.stderr
    subscriber.wait_telemetry("met_grid", since=subscriber.mark())


def test_second_host_on_the_same_socket_is_refused(gateway):
    result = client("run", "--config", gateway.file, "--socket", gateway.socket, check=False)
    assert result.returncode in (1, 2)
    assert "another" in result.stderr + result.stdout
    assert gateway.running


def test_socket_is_only_for_its_owner(gateway):
    assert os.stat(gateway.socket).st_mode & 0o007 == 0


def test_host_alone_keeps_its_data(host, modbus_device):
    """Without an uplink the host works alone."""
    _, device = meter_device(modbus_device, poll="500ms")
    gateway = host(uplink_to=None, devices=[device])
    end = time.monotonic() + 20
    while gateway.json("buffer", "status")["messages"] < 4:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert gateway.json("read", "met_grid", "power")["values"]
