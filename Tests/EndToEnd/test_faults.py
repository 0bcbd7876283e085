# SPDX-License-Identifier: Apache-2.0
"""One dead device costs a bounded slot of time and nothing else."""

import os

import pytest

from harness.network import free_port
from harness.site import inverter, meter, meter_device

PERIOD = 1000
# Readings that each good device of a site with faulty ones is watched for; Tests/Faults/field asks for more.
READINGS = int(os.environ.get("BUSBAR_READINGS", "20"))


def steady(subscriber, device, *, since, readings):
    """Waits for so many readings and checks that no poll was missed or came out of step."""
    first = subscriber.wait_telemetry(device, since=since, timeout=30).json["seq"]
    subscriber.wait_telemetry(device, lambda c: c["seq"] >= first + readings, since=since, timeout=readings * 2 + 30)
    stamps = [m.json["ts"] for m in subscriber.telemetry(device, since=since)]
    steps = [b - a for a, b in zip(stamps, stamps[1:])]
    assert max(steps) < PERIOD * 1.8, f"{device} missed a poll: {steps}"
    average = sum(steps) / len(steps)
    assert abs(average - PERIOD) < PERIOD * 0.1, f"{device} is read every {average:.0f} ms"


def last_status(subscriber, device):
    found = [m.json for m in subscriber.since() if m.topic == f"devices/{device}/status" and m.payload]
    return found[-1] if found else None


@pytest.mark.slow
def test_three_faulty_devices_of_five(host, subscriber, modbus_device):
    good_a, device_a = meter_device(modbus_device, "met_a", power=100)
    good_b, device_b = meter_device(modbus_device, "met_b", power=200)
    slow, device_slow = meter_device(modbus_device, "met_slow", power=300)
    garbage, device_garbage = meter_device(modbus_device, "met_garbage", power=400)
    slow.fault("delay", seconds=5)
    garbage.fault("garbage")
    dead = {"id": "met_dead", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{free_port()}", "poll": "1s"}
    gateway = host(devices=[dead, device_slow, device_garbage, device_a, device_b])
    subscriber.wait_telemetry("met_a")
    position = subscriber.mark()
    steady(subscriber, "met_a", since=position, readings=20)
    steady(subscriber, "met_b", since=position, readings=20)

    for device, power in (("met_a", 100), ("met_b", 200), ("met_slow", 300)):
        values = {m.json["values"]["power"] for m in subscriber.telemetry(device) if "power" in m.json.get("values", {})}
        assert values <= {power}, f"{device} published {values}"
    for device in ("met_dead", "met_garbage"):
        assert not any(m.json.get("values") for m in subscriber.telemetry(device)), f"{device} published values"

    for device in ("met_dead", "met_slow", "met_garbage"):
        status = last_status(subscriber, device)
        assert status is not None, f"{device} has no status"
        assert status["state"] in ("offline", "degraded", "stuck", "connecting"), (device, status)
        assert status.get("reason"), f"{device} gives no reason: {status}"
    assert last_status(subscriber, "met_dead")["state"] == "offline"
    reasons = [last_status(subscriber, device)["reason"] for device in ("met_dead", "met_slow", "met_garbage")]
    assert len(set(reasons)) == 3, f"three faults, and the same words for them: {reasons}"

    shown = {device["id"]: device for device in gateway.json("devices")}
    assert shown["met_a"]["state"] == "online"
    assert shown["met_dead"]["state"] == "offline" and shown["met_dead"]["reason"]


def test_device_comes_back(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device)
    host(devices=[device])
    subscriber.wait_status("met_grid", lambda content: content["state"] == "online")
    position = subscriber.mark()
    peer.stop()
    gone = subscriber.wait_status("met_grid", lambda content: content["state"] == "offline", 60, since=position).json
    assert gone["reason"]
    assert gone["quality"]["errors"]
    position = subscriber.mark()
    peer.start()
    subscriber.wait_status("met_grid", lambda content: content["state"] == "online", 90, since=position)
    subscriber.wait_telemetry("met_grid", lambda content: "power" in content["values"], since=position)


def test_what_is_only_written_is_never_missing(host, subscriber, modbus_device):
    """A limit that the device takes and never tells has no value that could be lost: after an outage the device is well."""
    peer = modbus_device({3: inverter(power=4210)}, fill=True)
    host(devices=[{"id": "sol_sma", "template": "sma-sunny-tripower", "endpoint": peer.endpoint, "poll": "1s"}])
    subscriber.wait_telemetry("sol_sma", lambda content: content["values"].get("power") == 4210)
    peer.stop()
    subscriber.wait_status("sol_sma", lambda content: content["state"] == "offline", 60)
    position = subscriber.mark()
    peer.start()
    subscriber.wait_status("sol_sma", lambda content: content["state"] == "online", 90, since=position)
    bad = [m.json.get("bad", {}) for m in subscriber.messages if m.topic == "devices/sol_sma/telemetry" and "bad" in m.json]
    assert bad and not any("power_limit_percent" in points for points in bad)
    info = subscriber.wait_for(lambda m: m.topic == "devices/sol_sma/info" and m.json["points"]).json
    points = {point["name"]: point for point in info["points"]}
    assert points["power_limit_percent"]["readable"] is False and "readable" not in points["power"]
    # A code is no quantity.
    assert points["state_code"]["unit"] == ""


@pytest.mark.parametrize("kind", ["drop", "garbage", "truncate", "badtid", "close", "exception"])
def test_one_faulty_answer_publishes_nothing_wrong(host, subscriber, modbus_device, kind):
    peer, device = meter_device(modbus_device, power=321.5)
    host(devices=[device])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 321.5)
    position = subscriber.mark()
    peer.fault(kind, times=2)
    subscriber.wait_telemetry(
        "met_grid", lambda content: content["seq"] > 4 and content.get("values", {}).get("power") == 321.5, 60, since=position
    )
    for message in subscriber.telemetry("met_grid"):
        content = message.json
        assert content["values"].get("power", 321.5) == 321.5
        if "power" not in content["values"]:
            assert content["bad"]["power"] in ("comm", "timeout", "device", "decode")
        assert not content["values"].keys() & content.get("bad", {}).keys()


def test_late_answer_is_not_taken_for_the_next_question(host, subscriber, modbus_device):
    """Home Assistant core #138077, Telegraf #14317."""
    peer, device = meter_device(modbus_device, power=111, imported=5000)
    host(devices=[device])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 111)
    position = subscriber.mark()
    # Longer than any sensible time-out, shorter than the wait for the value below.
    peer.fault("delay", times=2, seconds=4)
    peer.set(meter(power=222, imported=6000)["input"], table="input")
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 222, 60, since=position)
    subscriber.wait_telemetry("met_grid", lambda content: content["seq"] > 8, 60, since=position)
    for message in subscriber.telemetry("met_grid", since=position):
        values = message.json["values"]
        if "power" in values:
            assert (values["power"], values.get("energy_import")) in ((111, 5000000), (222, 6000000), (222, None), (111, None))


def test_dead_unit_on_a_shared_serial_line(host, subscriber, modbus_device, serial_line):
    peer = modbus_device({1: meter(power=100), 2: meter(power=200)}, line=serial_line(), fill=True)
    host(
        links=[{"id": "bus1", "adapter": "modbus", "endpoint": peer.endpoint}],
        devices=[
            {"id": "met_one", "template": "eastron-sdm630", "link": "bus1", "config": {"unit": 1}, "poll": "2s"},
            {"id": "met_absent", "template": "eastron-sdm630", "link": "bus1", "config": {"unit": 77}, "poll": "2s"},
            {"id": "met_two", "template": "eastron-sdm630", "link": "bus1", "config": {"unit": 2}, "poll": "2s"},
        ],
    )
    subscriber.wait_status("met_absent", lambda content: content["state"] == "offline", 60)
    position = subscriber.mark()
    for device, power in (("met_one", 100), ("met_two", 200)):
        subscriber.wait_status(device, lambda content: content["state"] == "online", 60)
        first = subscriber.wait_telemetry(device, since=position, timeout=20).json["seq"]
        subscriber.wait_telemetry(device, lambda content: content["seq"] >= first + 5, since=position, timeout=30)
        powers = {m.json["values"].get("power") for m in subscriber.telemetry(device, since=position)}
        assert powers == {power}


def test_absent_devices_do_not_hold_up_the_start(host, subscriber, modbus_device):
    """evcc #18006, OpenEMS #6."""
    _, device = meter_device(modbus_device)
    dead = [
        {"id": f"met_dead{i}", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{free_port()}"} for i in range(10)
    ]
    gateway = host(devices=[*dead, device])
    found = subscriber.wait_telemetry("met_grid")
    assert found.at - gateway.started < 5


def test_serial_line_pulled_out(host, subscriber, modbus_device, serial_line):
    line = serial_line()
    peer = modbus_device({1: meter(power=55)}, line=line, fill=True)
    gateway = host(devices=[{"id": "met_grid", "template": "eastron-sdm630", "endpoint": peer.endpoint, "poll": "1s"}])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 55)
    position = subscriber.mark()
    line.cut()
    gone = subscriber.wait_status("met_grid", lambda content: content["state"] == "offline", 60, since=position).json
    assert gone["reason"]
    assert gateway.running


@pytest.mark.slow
def test_five_faulty_devices_of_twenty(host, subscriber, modbus_device):
    """The other 15 keep their period, none of the five publishes a wrong value, each has its reason."""
    good = modbus_device({1: meter(power=100)}, fill=True, count=15)
    devices = [
        {"id": f"met_good{number}", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{port}", "poll": "1s"}
        for number, port in enumerate(good.ports)
    ]
    faults = {"slow": {"kind": "delay", "seconds": 5}, "garbage": {"kind": "garbage"}, "byte": {"kind": "byte"},
              "badtid": {"kind": "badtid"}}
    for name, fault in faults.items():
        peer, device = meter_device(modbus_device, f"met_{name}", power=666)
        peer.fault(fault.pop("kind"), **fault)
        devices.append(device)
    dead = {"id": "met_dead", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{free_port()}", "poll": "1s"}
    host(devices=[dead, *devices])
    faulty = ["met_dead", *(f"met_{name}" for name in faults)]
    for name in faulty:
        subscriber.wait_status(name, lambda content: content["state"] == "offline", 60)
    position = subscriber.mark()
    for number in range(15):
        steady(subscriber, f"met_good{number}", since=position, readings=READINGS)
        powers = {m.json["values"].get("power") for m in subscriber.telemetry(f"met_good{number}")}
        assert powers == {100}
    for name in faulty:
        assert not any(m.json.get("values") for m in subscriber.telemetry(name)), f"{name} published values"
        status = last_status(subscriber, name)
        assert status["state"] in ("offline", "connecting") and status.get("reason"), (name, status)
    reasons = {name: last_status(subscriber, name)["reason"] for name in faulty}
    assert len(set(reasons.values())) >= 4, reasons


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_five_faulty_units_of_thirty_two_on_one_line(host, subscriber, modbus_device, serial_line):
    """The same on a serial line, where a silent unit costs its neighbours the time-out of a request and no more."""
    units = {unit: meter(power=100) for unit in range(1, 32)}
    faulty = {2: "delay", 9: "garbage", 16: "truncate", 23: "badunit", 32: "dead"}
    peer = modbus_device(units, line=serial_line(), baud=115200, fill=True)
    for unit, kind in faulty.items():
        if kind != "dead":
            peer.fault(kind, unit=unit, **({"seconds": 5} if kind == "delay" else {}))
    host(
        links=[{"id": "bus1", "adapter": "modbus", "endpoint": peer.endpoint}],
        devices=[
            {"id": f"met_{unit}", "template": "eastron-sdm630", "link": "bus1", "config": {"unit": unit}, "poll": "10s"}
            for unit in range(1, 33)
        ],
    )
    for unit in faulty:
        subscriber.wait_status(f"met_{unit}", lambda content: content["state"] in ("offline", "degraded"), 90)
    subscriber.wait_status("met_32", lambda content: content["state"] == "offline", 90)
    position = subscriber.mark()
    good = [f"met_{unit}" for unit in range(1, 33) if unit not in faulty]
    for device in good:
        first = subscriber.wait_telemetry(device, since=position, timeout=30).json["seq"]
        subscriber.wait_telemetry(device, lambda c: c["seq"] >= first + READINGS // 6, since=position, timeout=READINGS * 3)
        content = [m.json for m in subscriber.telemetry(device, since=position)]
        steps = [b["ts"] - a["ts"] for a, b in zip(content, content[1:])]
        average = sum(steps) / len(steps)
        assert abs(average - 10_000) < 1_000, f"{device} is read every {average:.0f} ms"
        assert {c["values"].get("power") for c in content} == {100}
    for unit in faulty:
        assert not any(m.json.get("values") for m in subscriber.telemetry(f"met_{unit}")), f"unit {unit} published values"
        assert last_status(subscriber, f"met_{unit}").get("reason")
