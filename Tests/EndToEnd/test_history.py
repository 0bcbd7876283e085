# SPDX-License-Identifier: Apache-2.0
"""What was kept of a device: rows of minutes equal what the pymodbus peer was set to, over restarts and kills."""

import json
import re
import subprocess
import time

import pytest

from harness.registers import f32
from harness.site import meter_device
from harness.terminal import on_a_terminal


def points(host, device="met_grid", *options):
    """{point: rows} of `busbar history --json`."""
    answer = host.json("history", device, *options)
    assert answer["device"] == device
    return {point["name"]: point["rows"] for point in answer["points"]}


def until(wanted, timeout=30):
    """`wanted()` again and again until it gives something: the host cannot call the test."""
    end = time.monotonic() + timeout
    while True:
        found = wanted()
        if found:
            return found
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.2)


def taken(subscriber, name="met_grid", point="power"):
    """Values of a point at the broker, by the minute that they were taken in."""
    minutes = {}
    for message in subscriber.telemetry(name):
        values = message.json.get("values", {})
        if point in values:
            minutes.setdefault(message.json["ts"] // 60_000 * 60_000, []).append(values[point])
    return minutes


def same_as(rows, minutes):
    """Rows equal lowest, mean, highest and number of what an independent subscriber received."""
    for row in rows:
        values = minutes[row["ts"]]
        assert row["samples"] == len(values), (row, values)
        assert (row["minimum"], row["maximum"]) == (min(values), max(values))
        assert row["mean"] == pytest.approx(sum(values) / len(values), abs=0.06)


def test_rows_are_what_the_subscriber_received(host, subscriber, modbus_device):
    peer, entry = meter_device(modbus_device, poll="200ms", power=100.0)
    gateway = host(devices=[entry])
    subscriber.wait_telemetry("met_grid", lambda c: c["values"].get("power") == 100)
    for value in (-250.0, 700.0):
        peer.set({0x34: f32(value)}, table="input")
        subscriber.wait_telemetry("met_grid", lambda c, value=value: c["values"].get("power") == value)
    # The device falls silent, so that what was kept and what came stay the same.
    peer.stop()
    subscriber.wait_telemetry("met_grid", lambda c: "power" in c.get("bad", {}))

    kept = points(gateway)
    same_as(kept["power"], taken(subscriber))
    same_as(kept["energy_import"], taken(subscriber, point="energy_import"))
    assert min(row["minimum"] for row in kept["power"]) == -250
    assert max(row["maximum"] for row in kept["power"]) == 700

    # The orderly end writes the running minute too, and the next start adds to it.
    gateway.stop()
    gateway.start()
    assert points(gateway, "met_grid", "power")["power"] == kept["power"]
    mark = subscriber.mark()
    peer.start()
    subscriber.wait_telemetry("met_grid", lambda c: c["values"].get("power") == 100, 90, since=mark)
    grown = points(gateway, "met_grid", "power")["power"]
    assert sum(row["samples"] for row in grown) > sum(row["samples"] for row in kept["power"])


def test_lines_for_a_pipe_and_questions_that_cannot_be_answered(host, subscriber, modbus_device):
    _, entry = meter_device(modbus_device, power=1500.0)
    gateway = host(devices=[entry])
    subscriber.wait_telemetry("met_grid")
    lines = gateway.cli("history", "met_grid", "power", "--since", "2h", "--step", "15m").stdout.splitlines()
    assert len(lines) in (1, 2)
    moment, point, low, mean, high, unit, samples = lines[-1].split("\t")
    assert (point, low, mean, high, unit) == ("power", "1500", "1500", "1500", "W")
    assert moment.endswith(":00.000Z") and int(moment[14:16]) % 15 == 0 and int(samples) >= 1

    for arguments, code, text in (
        (["history", "met_other"], 1, "there is no device met_other"),
        (["history", "met_grid", "pover"], 1, "has no point 'pover'"),
        (["history", "met_grid", "--since", "yesterday"], 2, "expected an age"),
        (["history", "met_grid", "--step", "90s"], 2, "whole minutes"),
        (["history", "met_grid", "--since", "366d", "--step", "1m", "--until", "30d"], 0, ""),
        (["history", "met_grid", "--since", "1h", "--until", "2h"], 1, "before"),
        (["history", "a/b"], 2, "no device id"),
    ):
        result = gateway.cli(*arguments, check=False)
        assert result.returncode == code, (arguments, result.stdout, result.stderr)
        assert text in result.stderr, (arguments, result.stderr)


def test_history_can_be_off_and_on_again(host, subscriber, modbus_device):
    _, entry = meter_device(modbus_device)
    gateway = host(devices=[entry], history={"size": 0})
    subscriber.wait_telemetry("met_grid")
    result = gateway.cli("history", "met_grid", check=False)
    assert result.returncode == 1 and "history.size" in result.stderr
    assert not (gateway.directory / "state" / "history.db").exists()
    gateway.write(history={"size": "8MiB", "age": "2d"})
    changes = gateway.json("reload")
    assert sorted(changes["settings"]) == ["history.age", "history.size"] and changes["restart"] == []
    until(lambda: points(gateway).get("power"))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_finished_minutes_are_on_disk_when_the_host_is_killed(host, subscriber, modbus_device):
    _, entry = meter_device(modbus_device, poll="500ms")
    gateway = host(devices=[entry], history={"commit": "5s"})
    subscriber.wait_telemetry("met_grid")
    # The second minute runs, and a commit has passed since it began.
    started = time.time()
    second = (int(started) // 60 + 1) * 60
    subscriber.wait_telemetry("met_grid", lambda c: c["ts"] > (second + 12) * 1000, 120)
    finished = [row for row in points(gateway, "met_grid", "power")["power"] if row["ts"] < second * 1000]
    assert finished
    gateway.kill()
    # Nothing is read any more: what is answered comes from the disk.
    gateway.write(devices=[])
    gateway.start()
    kept = points(gateway, "met_grid", "power")["power"]
    assert [row for row in kept if row["ts"] < second * 1000] == finished


def test_a_damaged_history_costs_the_history_only(host, subscriber, modbus_device):
    _, entry = meter_device(modbus_device)
    gateway = host(devices=[entry])
    subscriber.wait_telemetry("met_grid")
    gateway.stop()
    file = gateway.directory / "state" / "history.db"
    file.write_bytes(file.read_bytes()[:16] + b"\x5a" * 8192)
    gateway.start()
    gateway.wait_log(lambda line: "history cannot be used" in line)
    assert len(list(file.parent.glob("history.db.corrupt-*"))) == 1
    subscriber.wait_telemetry("met_grid", since=subscriber.mark())
    until(lambda: points(gateway).get("power"))
    assert gateway.json("status")["history"]["problem"] is None


def test_the_course_is_in_the_table_of_a_terminal(host, subscriber, modbus_device):
    _, entry = meter_device(modbus_device, power=1500.0)
    gateway = host(devices=[entry])
    subscriber.wait_telemetry("met_grid")
    shown = on_a_terminal(gateway, "watch", "met_grid", "--since", "2h", "--seconds", "2", width=160)
    assert "LAST 2H" in shown
    # Value, unit, age, lowest, mean, highest and the one bar of the running minute.
    assert re.search(r"power +1500 +W +\S+ +.*1500 +1500 +1500 +▄", shown), shown
    shown = on_a_terminal(gateway, "history", "met_grid", width=100)
    assert re.search(r"power +1500 +1500 +1500 +W +▄", shown), shown
    shown = on_a_terminal(gateway, "history", "met_grid", "power", width=100)
    assert re.search(r"Z +power +1500 +1500 +1500 +W +\d+", shown), shown


def test_the_api_describes_it(host, subscriber, modbus_device):
    _, entry = meter_device(modbus_device)
    gateway = host(devices=[entry])
    subscriber.wait_telemetry("met_grid")

    def curl(path):
        out = subprocess.run(
            ["curl", "-s", "--unix-socket", str(gateway.socket), f"http://localhost/api/v1{path}"], capture_output=True, text=True, check=True)
        return json.loads(out.stdout)

    described = curl("/openapi.json")["paths"]["/api/v1/devices/{id}/history"]["get"]
    assert {p["name"] for p in described["parameters"]} == {"id", "points", "from", "to", "step"}
    answer = curl("/devices/met_grid/history?points=power,energy_import&step=5m")
    assert answer["step"] == 300_000 and [p["name"] for p in answer["points"]] == ["energy_import", "power"]
    assert answer["points"][0]["kind"] == "counter" and answer["points"][0]["unit"] == "Wh"
    problem = curl("/devices/met_grid/history?steps=5m")
    assert problem["status"] == 400 and "steps" in problem["detail"]
