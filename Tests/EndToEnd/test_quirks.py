# SPDX-License-Identifier: Apache-2.0
"""Every odd way of a device that a template can describe, against a pymodbus device that has it."""

import time

import pytest
import yaml
from pymodbus.client import ModbusTcpClient

from harness.paths import TEMPLATES
from test_commands import ask, request

BOX = {10: [160], 20: [500], 30: [7]}


@pytest.fixture
def quirky(host, subscriber, modbus_device, directory):
    """`quirky(body, registers)`: a device that the body describes, its peer, and the host that reads it once a second."""

    def make(body, registers, *, kind="load", device=None, **ways):
        own = directory / "templates"
        own.mkdir(exist_ok=True)
        points = {"state": {"register": 9, "enum": {0: "off", 1: "on"}}, **body.pop("points")}
        head = {"template": "quirk", "title": "Quirk", "adapter": "modbus", "kind": kind, "write": True}
        (own / "quirk.yaml").write_text(yaml.safe_dump({**head, "modbus": {**body, "points": points}}))
        words = {str(address): list(values) for address, values in {9: [1], **registers}.items()}
        peer = modbus_device({1: {"holding": words}}, **ways)
        gateway = host(
            templates={"directories": [str(TEMPLATES), str(own)]},
            devices=[{"id": "lod_dut", "template": "quirk", "endpoint": peer.endpoint, "poll": "1s", **(device or {})}],
        )
        subscriber.wait_telemetry("lod_dut", lambda content: content["values"].get("state") == "on", 30)
        return gateway, peer

    return make


def limit(**members):
    return {
        "register": 10, "unit": "A", "scale": 0.1, "minimum": 6, "maximum": 32, "safe": 6, "write": {"register": 10, "scale": 0.1},
        **members,
    }


def command(value, **members):
    return request("current_limit", value, valid_for=members.pop("valid_for", 60000), **members)


def test_connect_delay_and_read_spacing(quirky, subscriber):
    body = {"connect_delay": "700ms", "read_spacing": "150ms", "points": {"a": {"register": 20}, "b": {"register": 30}}}
    _, peer = quirky(body, BOX)
    subscriber.wait_telemetry("lod_dut", lambda content: content["seq"] > 2, 30)
    times = [r.time for r in peer.requests()]
    assert times[0] - peer.opened()[0] > 0.69
    assert min(b - a for a, b in zip(times, times[1:])) > 0.149
    assert peer.connections() == 1, "one client, one connection"


def test_one_value_a_request_and_limits_of_registers(quirky, subscriber):
    registers = {20: [1, 2, 3, 4, 5, 6]}
    points = {f"v{i}": {"register": 20 + i} for i in range(6)}
    _, peer = quirky({"single": True, "points": points}, registers)
    assert {r.count for r in peer.requests()} == {1}


def test_registers_in_one_read(quirky):
    points = {f"v{i}": {"register": 20 + i} for i in range(6)}
    _, peer = quirky({"max_registers": 4, "points": points}, {20: [1, 2, 3, 4, 5, 6]})
    assert max(r.count for r in peer.requests()) == 4


def test_block_is_read_whole(quirky):
    body = {"blocks": [{"register": 20, "count": 6}], "points": {"a": {"register": 20}, "b": {"register": 25}}}
    _, peer = quirky(body, {20: [1, 2, 3, 4, 5, 6]})
    assert {(r.address, r.count) for r in peer.requests()} == {(9, 1), (20, 6)}


@pytest.mark.parametrize("function", [6, 16])
def test_function_for_one_register(quirky, subscriber, function):
    body = {"write_function": function, "points": {"current_limit": limit()}}
    _, peer = quirky(body, BOX)
    assert ask(subscriber, "lod_dut", command(13))["status"] == "done"
    assert [(w.function, w.values) for w in peer.writes(10)] == [(function, [130])]


def test_value_is_cut_to_what_the_device_can_take(quirky, subscriber):
    """A device that refuses what is above its rating tells the rating in another register."""
    write = {"register": 10, "scale": 0.1, "clamp": {"maximum": {"register": 20, "scale": 0.1}}}
    _, peer = quirky({"points": {"current_limit": limit(write=write)}}, {**BOX, 20: [200]}, rejects=[[10, 200]])
    response = ask(subscriber, "lod_dut", command(30))
    assert (response["status"], response["value"]) == ("done", 20)
    assert peer.get(10) == [200]
    assert ask(subscriber, "lod_dut", command(10))["value"] == 10


def test_scale_register_is_obeyed_in_writes(quirky, subscriber):
    write = {"register": 10, "scale_register": {"register": 40}}
    point = limit(write=write, scale_register={"register": 40}, resolution=0.01)
    point.pop("scale")
    _, peer = quirky({"points": {"current_limit": point}}, {**BOX, 10: [1600], 40: [0xFFFE]})
    subscriber.wait_telemetry("lod_dut", lambda content: content["values"].get("current_limit") == 16)
    assert ask(subscriber, "lod_dut", command(12.5))["status"] == "done"
    assert peer.get(10) == [1250]
    peer.set({40: [0xFFFF]})
    assert ask(subscriber, "lod_dut", command(13))["status"] == "done"
    assert peer.get(10) == [130]


def test_asked_twice(quirky, subscriber):
    """A device that sleeps after half a second and does not hear what wakes it up."""
    body = {"ask_twice": True, "timeout": "300ms", "points": {"current_limit": limit()}}
    _, peer = quirky(body, BOX, sleeps=0.5)
    position = subscriber.mark()
    first = subscriber.wait_telemetry("lod_dut", since=position).json["seq"]
    subscriber.wait_telemetry("lod_dut", lambda content: content["seq"] >= first + 4, 30, since=position)
    assert not any(m.json.get("bad") for m in subscriber.telemetry("lod_dut", since=position))
    assert ask(subscriber, "lod_dut", command(11))["status"] == "done"
    assert [w.values for w in peer.writes(10)] == [[110]]


def test_values_shown_on_request(quirky, subscriber):
    """BYD: write, wait until a register says ready, read the same window several times."""
    body = {
        "windows": {"cells": {
            "write": {"register": 1360, "values": [1, 0x8100]},
            "ready": {"register": 1361, "value": 0x8801, "within": "3s", "every": "50ms"},
            "read": {"register": 1368, "count": 3, "times": 2},
        }},
        "points": {"first": {"window": "cells", "register": 0}, "last": {"window": "cells", "register": 5, "scale": 0.1}},
    }
    window = {"register": 1360, "ready": 1361, "value": 0x8801, "after": 2, "read": 1368, "chunks": [[11, 12, 13], [21, 22, 23]]}
    _, peer = quirky(body, {1360: [0, 0], 1368: [0, 0, 0]}, window=window)
    found = subscriber.wait_telemetry("lod_dut", lambda content: "last" in content["values"]).json["values"]
    assert (found["first"], found["last"]) == (11, 2.3)
    assert peer.writes(1360)[0].values == [1, 0x8100]
    looks = [r for r in peer.requests() if r.address == 1361]
    assert len(looks) >= 3


def test_window_that_never_becomes_ready(quirky, subscriber):
    body = {
        "windows": {"cells": {
            "write": {"register": 1360, "values": [1]}, "ready": {"register": 1361, "value": 1, "within": "300ms", "every": "50ms"},
            "read": {"register": 1368, "count": 3},
        }},
        "points": {"first": {"window": "cells", "register": 0}},
    }
    quirky(body, {1360: [0, 0], 1368: [0, 0, 0]})
    message = subscriber.wait_telemetry("lod_dut", lambda content: "first" in content.get("bad", {})).json
    assert message["bad"]["first"] == "timeout" and message["values"]["state"] == "on"


def test_writes_that_belong_together_within_a_time(quirky, subscriber):
    """SMA: a set of registers counts only when it is written within a minute."""
    cases = [{"when": "positive", "set": [
        {"register": 20, "value": 1}, {"register": 30, "value": 2}, {"register": 10, "scale": 0.1, "value": "$value"},
    ]}]
    write = {"within": "1s", "cases": cases}
    _, peer = quirky({"timeout": "3s", "points": {"current_limit": limit(write=write)}}, BOX)
    assert ask(subscriber, "lod_dut", command(11))["status"] == "done"
    assert [w.address for w in peer.writes()] == [20, 30, 10]
    peer.fault("delay", seconds=0.8, function=16)
    response = ask(subscriber, "lod_dut", command(12))
    assert response["status"] == "unknown" and "within 1 s" in response["text"]
    assert peer.get(10) == [110]


WEAR = {"register": 10, "scale": 0.1, "wear": {"writes": 2, "within": "7d"}}


def test_flash_has_a_budget_that_survives_restarts(quirky, subscriber):
    gateway, peer = quirky({"points": {"current_limit": limit(write=WEAR)}}, BOX)
    assert ask(subscriber, "lod_dut", command(10, owner="a"))["status"] == "done"
    assert ask(subscriber, "lod_dut", command(9, owner="a"))["status"] == "done"
    refused = ask(subscriber, "lod_dut", command(8, owner="a"))
    assert (refused["status"], refused["reason"]) == ("refused", "wear-budget"), refused
    assert "holding 10" in refused["text"] and "84 h" in refused["text"]
    assert [w.values for w in peer.writes(10)] == [[100], [90]]
    gateway.stop()
    position = subscriber.mark()
    # The safe value is owed whatever the budget says, and goes out before the host ends.
    assert peer.get(10) == [60]
    gateway.start()
    subscriber.wait_telemetry("lod_dut", since=position, timeout=30)
    again = ask(subscriber, "lod_dut", command(8, owner="a"))
    assert (again["status"], again["reason"]) == ("refused", "wear-budget")
    assert peer.get(10) == [60]


def test_what_flash_holds_already_is_not_written_again(quirky, subscriber):
    _, peer = quirky({"points": {"current_limit": limit(write=WEAR)}}, {**BOX, 10: [60]})
    for _ in range(4):
        assert ask(subscriber, "lod_dut", command(6))["status"] == "done"
    assert peer.writes() == []


WATCHDOG = {
    "time": "3s", "set": {"register": 257, "scale": 0.001}, "fallback": {"register": 262, "scale": 0.1},
}


def test_watchdog_of_the_device(quirky, subscriber):
    """Heidelberg: programmed, renewed at a third of its time, programmed again when the device forgot it; and when the host
    is gone the device is safe by itself."""
    body = {"write_function": 6, "points": {"current_limit": limit(watchdog=WATCHDOG)}}
    registers = {**BOX, 257: [15000], 262: [0]}
    gateway, peer = quirky(body, registers, device={"poll": "30s"}, forgets=[[257, 262, 10]])
    assert ask(subscriber, "lod_dut", command(10))["status"] == "done"
    assert (peer.get(257), peer.get(262), peer.get(10)) == ([3000], [60], [100])
    assert [w.address for w in peer.writes()] == [257, 262, 10]
    written = len(peer.writes())
    peer.wait_write(lambda write: write.address == 10 and write.values == [100], 30, after=written + 2)
    renewals = [w for w in peer.writes()[written:] if w.address == 10]
    assert {w.address for w in peer.writes()[written:]} == {10}, "what is programmed is left alone"
    steps = [b.time - a.time for a, b in zip(renewals, renewals[1:])]
    assert max(steps) < 3, "each renewal comes before the watchdog's time is over"
    # A power failure of the box.
    peer.set({257: [15000], 262: [0]})
    peer.wait_write(lambda write: write.address == 257 and write.values == [3000], 30, after=written)
    peer.wait_write(lambda write: write.address == 262 and write.values == [60], 30, after=written)
    gateway.kill()
    # By itself, and after its time: no event tells of it, since nobody asks the box meanwhile.
    time.sleep(3.5)
    client = ModbusTcpClient("127.0.0.1", port=peer.port, timeout=5, retries=0)
    assert client.connect()
    assert client.read_holding_registers(10, count=1, device_id=1).registers == [60]
    client.close()


def test_watchdog_that_the_device_does_not_take_is_told(quirky, subscriber):
    body = {"points": {"current_limit": limit(watchdog={**WATCHDOG, "fallback": {"register": 500}})}}
    quirky(body, {**BOX, 257: [15000]})
    assert ask(subscriber, "lod_dut", command(10))["status"] == "done"
    alarm = subscriber.wait_for(lambda m: m.topic == "devices/lod_dut/alarms" and m.json["name"] == "WatchdogFault")
    assert alarm.json["active"] and "holding 500" in alarm.json["text"]


def test_heartbeat_is_written_with_each_renewal(quirky, subscriber):
    watchdog = {"time": "3s", "beat": {"register": 600, "value": 0x55AA}}
    _, peer = quirky({"points": {"current_limit": limit(watchdog=watchdog)}}, {**BOX, 600: [0]})
    assert ask(subscriber, "lod_dut", command(10))["status"] == "done"
    written = len(peer.writes())
    peer.wait_write(lambda write: write.address == 600 and write.values == [0x55AA], 30, after=written + 2)


@pytest.mark.parametrize("framing", ["tcp", "rtu", "ascii"])
def test_lost_answer_is_asked_for_again(quirky, subscriber, framing):
    """One lost answer in a reading is no missing value."""
    points = {"a": {"register": 20}, "b": {"register": 30}}
    body = {"timeout": "300ms", "points": points, **({} if framing == "tcp" else {"framing": framing})}
    _, peer = quirky(body, BOX, framing=framing)
    first = subscriber.wait_telemetry("lod_dut", lambda content: content["seq"] > 2, 30).json["seq"]
    position = subscriber.mark()
    for wanted in range(1, 4):
        peer.fault("drop", times=1)
        subscriber.wait_telemetry("lod_dut", lambda content: content["seq"] > first + 2 * wanted, 30, since=position)
    assert not any(m.json.get("bad") for m in subscriber.telemetry("lod_dut", since=position))
