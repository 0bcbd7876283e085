# SPDX-License-Identifier: Apache-2.0
"""Devices are found, approved, followed and forgotten, and those in service do not notice."""

import random
import time

import pytest

from harness import sequence
from harness.discovery import SOLAR, discover, sma, until, wait_listed
from harness.hostile import RawServer, any_unit
from harness.modbus import ModbusDevice
from harness.network import free_port
from harness.site import hybrid, meter, meter_device, wallbox


def test_found_approved_and_running(host, subscriber, modbus_device):
    peer = modbus_device({3: sma(power=4210)})
    gateway = host()
    (found,) = discover(gateway, peer.endpoint)
    assert (found["template"], found["type"], found["serial"], found["suggested_id"], found["state"]) == (
        "sma-sunny-tripower", "solar", "3001234567", SOLAR, "new")
    assert found["config"] == {"unit": 3} and found["confidence"] >= 0.9 and found["endpoint"] == peer.endpoint
    assert all(not r.writes for r in peer.requests())
    listed = wait_listed(subscriber, lambda content: content["discovered"])
    assert listed.json["discovered"][0]["candidate"] == found["candidate"]
    assert listed.json["discovered"][0]["suggested_id"] == SOLAR

    approved = gateway.json("approve", found["candidate"], "--name", "Roof", "--poll", "1s", "--no-write")
    assert (approved["id"], approved["name"], approved["write"]) == (SOLAR, "Roof", False)
    subscriber.wait_telemetry(SOLAR, lambda content: content["values"].get("power") == 4210)
    wait_listed(subscriber, lambda content: not content["discovered"] and [d["id"] for d in content["devices"]] == [SOLAR])
    (again,) = discover(gateway, "--list")
    assert (again["state"], again["device"]) == ("known", SOLAR)
    refused = gateway.cli("approve", found["candidate"], check=False)
    assert refused.returncode == 1 and SOLAR in refused.stderr


def test_an_approved_device_lasts_until_it_is_forgotten(host, subscriber, modbus_device):
    peer = modbus_device({3: sma()})
    other, entry = meter_device(modbus_device, poll="500ms")
    gateway = host(devices=[entry])
    (found,) = discover(gateway, peer.endpoint)
    gateway.cli("approve", found["candidate"], "--poll", "500ms")
    subscriber.wait_telemetry(SOLAR)
    gateway.stop()
    position = subscriber.mark()
    gateway.start()
    subscriber.wait_telemetry(SOLAR, since=position)
    subscriber.wait_telemetry("met_grid", since=position)
    sequence.check_order(subscriber, SOLAR)
    checked = gateway.cli("reload")
    assert checked.returncode == 0

    # What stands in the file stays there; what was approved goes, and the other one does not notice.
    refused = gateway.cli("forget", "met_grid", check=False)
    assert refused.returncode == 1 and "configuration" in refused.stderr
    opened = other.connections()
    position = subscriber.mark()
    gateway.cli("forget", SOLAR)
    subscriber.wait_for(lambda m: m.topic == f"devices/{SOLAR}/status" and not m.payload, since=position)
    assert [d["id"] for d in gateway.json("devices")] == ["met_grid"]
    newest = sequence.newest(subscriber, "met_grid")
    subscriber.wait_telemetry("met_grid", lambda content: content["seq"] >= newest + 2)
    assert other.connections() == opened
    missing = gateway.cli("forget", SOLAR, check=False)
    assert missing.returncode == 1
    gateway.stop()
    gateway.start()
    assert [d["id"] for d in gateway.json("devices")] == ["met_grid"]


def test_the_same_id_in_file_and_registry_is_a_mistake(host, subscriber, modbus_device):
    peer = modbus_device({3: sma()})
    gateway = host()
    (found,) = discover(gateway, peer.endpoint)
    gateway.cli("approve", found["candidate"])
    twice = {"id": SOLAR, "template": "sma-sunny-tripower", "endpoint": peer.endpoint}
    gateway.write(devices=[twice])
    reloaded = gateway.cli("reload", check=False)
    assert reloaded.returncode == 2 and "registry" in reloaded.stderr and SOLAR in reloaded.stderr
    from harness.host import client

    checked = client("check-config", "--config", gateway.file, environment=gateway.environment, check=False)
    assert checked.returncode == 2 and "busbar.yaml:" in checked.stderr and "registry" in checked.stderr
    # The host goes on as it was.
    subscriber.wait_telemetry(SOLAR, since=subscriber.mark())


def test_units_of_a_serial_bus_with_gaps(host, subscriber, serial_line, closing):
    line = serial_line()
    units = {1: meter(power=100), 7: meter(power=700), 20: sma(serial=3009999999), 31: {"holding": {"5": [1]}}}
    closing(ModbusDevice(units, line=line, baud=115200).start())
    gateway = host()
    found = search_until(gateway, f"serial://{line.b}?baud=115200", 4)
    assert set(found) == {1, 7, 20, 31}
    assert found[1]["template"] == found[7]["template"] == "eastron-sdm630"
    assert found[1]["suggested_id"] is None and found[1]["confidence"] <= 0.6
    assert (found[20]["serial"], found[20]["confidence"]) == ("3009999999", 0.95)
    assert found[31]["template"] is None and found[31]["confidence"] == 0.1

    # No serial number: the person gives the id. No template: the person gives that.
    nameless = gateway.cli("approve", found[7]["candidate"], check=False)
    assert nameless.returncode == 1 and "--id" in nameless.stderr
    unknown = gateway.cli("approve", found[31]["candidate"], check=False)
    assert unknown.returncode == 1 and "--template" in unknown.stderr
    gateway.cli("approve", found[7]["candidate"], "--id", "met_cellar", "--poll", "500ms")
    subscriber.wait_telemetry("met_cellar", lambda content: content["values"].get("power") == 700)

    # The line in service is searched through its link: the meter goes on being read.
    again = search_until(gateway, gateway.json("links")[0]["endpoint"], 4)
    assert set(again) == {1, 7, 20, 31} and again[7]["state"] == "known" and again[1]["state"] == "new"
    readings = [m.json["seq"] for m in subscriber.telemetry("met_cellar")]
    assert readings == list(range(1, len(readings) + 1)) and len(readings) > 10
    status = [m.json["state"] for m in subscriber.since() if m.topic == "devices/met_cellar/status" and m.payload]
    assert status[-1] == "online" and "offline" not in status


def search_until(gateway, endpoint, count):
    """By unit what a search found until it had so many, and was ended. All 247 units of a line take a minute."""
    import signal

    since = time.time() * 1000
    search = gateway.client("discover", endpoint)

    def found():
        candidates = gateway.json("discover", "--list")["candidates"]
        return {c["config"]["unit"]: c for c in candidates if c["last_seen"] >= since}

    until(lambda: len(found()) >= count, 60)
    search.signal(signal.SIGINT)
    search.process.wait(20)
    assert search.process.returncode == 1
    return found()


def test_a_range_of_addresses(host, modbus_device, closing):
    """127.0.9.0/28: two inverters and nobody else; each address is asked once, one of them is in service already."""
    port = free_port()
    first = modbus_device({3: sma(serial=3000000001)}, host="127.0.9.2", port=port)
    second = modbus_device({3: sma(serial=3000000002)}, host="127.0.9.9", port=port)
    served = modbus_device({3: sma(serial=3000000003)}, host="127.0.9.11", port=port)
    gateway = host(
        devices=[{"id": "sol_served", "template": "sma-sunny-tripower", "endpoint": served.endpoint, "poll": "500ms"}])
    until(lambda: served.connections() == 1)
    answer = gateway.json("discover", f"127.0.9.0/28:{port}", timeout=120)
    assert {c["serial"]: c["endpoint"] for c in answer["candidates"]} == {
        "3000000001": first.endpoint, "3000000002": second.endpoint}
    assert answer["search"]["addresses"] == {"total": 13, "asked": 13, "answering": 2, "in_service": 1}
    assert served.connections() == 1
    # One to see that somebody is there, one to search.
    assert first.connections() == second.connections() == 2


def test_a_single_client_device_in_service_is_not_disturbed(host, subscriber, modbus_device):
    """It is searched through the connection that it has; its polls go on without a gap."""
    peer = modbus_device({1: hybrid()})
    gateway = host(
        devices=[{"id": "sol_roof", "template": "huawei-sun2000", "endpoint": peer.endpoint, "poll": "500ms"}])
    subscriber.wait_telemetry("sol_roof")
    # Written another way, and yet the same place.
    found = {c["template"]: c for c in discover(gateway, f"tcp://localhost:{peer.port}")}
    assert peer.connections() == 1
    assert found["huawei-sun2000"]["state"] == "known" and found["huawei-sun2000"]["device"] == "sol_roof"
    assert found["huawei-sun2000-meter"]["state"] == "new"
    assert found["huawei-sun2000-meter"]["endpoint"] == peer.endpoint
    gateway.cli("approve", found["huawei-sun2000-meter"]["candidate"], "--id", "met_grid", "--poll", "500ms")
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == -800)
    newest = sequence.newest(subscriber, "sol_roof")
    subscriber.wait_telemetry("sol_roof", lambda content: content["seq"] >= newest + 2)
    readings = [m.json["seq"] for m in subscriber.telemetry("sol_roof")]
    assert readings == list(range(1, len(readings) + 1))
    assert not any({"comm", "timeout"} & set(m.json.get("bad", {}).values()) for m in subscriber.telemetry("sol_roof"))
    assert peer.connections() == 1


def test_a_moved_device_is_followed(host, subscriber, modbus_device):
    peer = modbus_device({3: sma(power=1000)})
    gateway = host()
    (found,) = discover(gateway, peer.endpoint)
    gateway.cli("approve", found["candidate"], "--poll", "500ms")
    subscriber.wait_telemetry(SOLAR)
    peer.stop()
    subscriber.wait_status(SOLAR, lambda content: content["state"] == "offline", 60)
    # The same device with another address and another unit.
    moved = modbus_device({5: sma(power=2000)})
    position = subscriber.mark()
    (found,) = discover(gateway, moved.endpoint)
    subscriber.wait_telemetry(SOLAR, lambda content: content["values"].get("power") == 2000, 30, since=position)
    alarm = subscriber.wait_for(
        lambda m: m.topic == f"devices/{SOLAR}/alarms" and m.json["name"] == "AddressChanged", since=position)
    assert moved.endpoint in alarm.json["text"]
    assert gateway.json("links")[0]["endpoint"] == moved.endpoint
    assert gateway.json("discover", "--list")["candidates"][0]["state"] == "known"
    gateway.stop()
    position = subscriber.mark()
    gateway.start()
    subscriber.wait_telemetry(SOLAR, lambda content: content["values"].get("power") == 2000, 30, since=position)


def test_a_moved_device_of_the_file_is_told_to_the_person(host, subscriber, modbus_device):
    peer = modbus_device({3: sma()})
    entry = {"template": "sma-sunny-tripower", "endpoint": peer.endpoint, "poll": "500ms"}
    gateway = host(devices=[entry])
    subscriber.wait_telemetry(SOLAR)
    peer.stop()
    subscriber.wait_status(SOLAR, lambda content: content["state"] == "offline", 60)
    moved = modbus_device({3: sma()})
    (found,) = discover(gateway, moved.endpoint)
    assert (found["state"], found["device"]) == ("moved", SOLAR)
    assert moved.endpoint in found["note"] and peer.endpoint in found["note"]
    assert gateway.json("links")[0]["endpoint"] == peer.endpoint
    refused = gateway.cli("approve", found["candidate"], check=False)
    assert refused.returncode == 1 and "configuration" in refused.stderr
    gateway.write(devices=[entry | {"endpoint": moved.endpoint}])
    gateway.cli("reload")
    subscriber.wait_status(SOLAR, lambda content: content["state"] == "online")


def test_what_does_not_answer_is_not_taken_into_service(host, modbus_device):
    peer = modbus_device({3: sma()})
    gateway = host()
    (found,) = discover(gateway, peer.endpoint)
    peer.stop()
    refused = gateway.cli("approve", found["candidate"], check=False, timeout=60)
    assert refused.returncode == 1 and "refuses the connection" in refused.stderr
    assert gateway.json("devices") == []
    # Another device at the address is not the one that was found.
    peer.become({3: sma(serial=3007777777)})
    peer.start()
    refused = gateway.cli("approve", found["candidate"], check=False, timeout=60)
    assert refused.returncode == 1 and "3007777777" in refused.stderr
    assert gateway.json("devices") == []
    for wrong in (["--template", "no-such"], ["--poll", "quickly"], ["--config", "unit=900"]):
        refused = gateway.cli("approve", found["candidate"], *wrong, check=False, timeout=60)
        assert refused.returncode == 1 and "expected" in refused.stderr, refused.stderr


def test_a_device_that_answers_for_each_unit_is_one(host, closing):
    registers = {int(a) + i: w for a, ws in sma()["holding"].items() for i, w in enumerate(ws)}
    peer = closing(RawServer(any_unit(registers)))
    found = discover(host(), peer.endpoint)
    assert [(c["serial"], c["config"]["unit"]) for c in found] == [("3001234567", 1)] or [
        (c["serial"], c["config"]["unit"]) for c in found] == [("3001234567", 3)]
    assert len(peer.requests) < 60 and peer.connections == 1


def test_a_device_that_names_itself(host, modbus_device):
    """No template's registers are there; function 43/14 tells maker and model."""
    identity = {"vendor": "Schneider Electric", "product": "iEM3155", "revision": "1.3.001"}
    peer = modbus_device({1: {"holding": {"1": [1]}}}, identity=identity)
    (found,) = discover(host(), peer.endpoint)
    assert (found["template"], found["model"], found["firmware"]) == ("schneider-iem3000", "iEM3155", "1.3.001")
    assert found["confidence"] == 0.8


@pytest.mark.parametrize("kind", ["garbage", "silent", "endless", "closing", "huge"])
def test_a_hostile_answer_costs_a_bounded_time(host, closing, modbus_device, kind):
    chance = random.Random(7)

    def answer(request):
        if kind == "garbage":
            return chance.randbytes(37)
        if kind == "endless":
            return request[:4] + b"\0\x03" + request[6:8] + b"\x01" + b"\0\x01\0\0\0\x03\x01\x83\x02" * 200
        if kind == "huge":
            return request[:4] + b"\xff\xff" + request[6:7] + b"\x03\xff" + bytes(60000)
        return None if kind == "closing" else b""

    peer = closing(RawServer(answer))
    good, entry = meter_device(modbus_device, poll="500ms")
    gateway = host(devices=[entry])
    search = gateway.client("discover", peer.endpoint, "--json")
    if kind == "silent":
        # It takes its time, and can be ended at any moment.
        until(lambda: len(peer.requests) > 8)
        search.signal(2)
    search.process.wait(60)
    assert search.process.returncode == 1
    answer = gateway.json("discover", "--list")
    assert answer["candidates"] == []
    assert answer["search"]["state"] == ("cancelled" if kind == "silent" else "done")
    assert gateway.json("devices")[0]["state"] == "online"


def test_a_search_is_one_at_a_time_and_can_be_cancelled(host, closing):
    peer = closing(RawServer(lambda request: b""))
    gateway = host()
    search = gateway.client("discover", peer.endpoint)
    until(lambda: peer.requests)
    second = gateway.cli("discover", peer.endpoint, check=False)
    assert second.returncode == 1 and "running already" in second.stderr
    import signal

    search.signal(signal.SIGINT)
    search.wait_line(lambda line: "cancelled" in line)
    assert search.process.wait(20) == 1
    assert gateway.json("discover", "--list")["search"]["state"] == "cancelled"


def test_wrong_targets_are_wrong_usage(host):
    gateway = host()
    for wrong in ("tcp://", "192.168.1.0/99", "http://10.0.0.1", "10.0.0.0/24:99999", "serial://"):
        result = gateway.cli("discover", wrong, check=False)
        assert result.returncode == 2 and "expected" in result.stderr, wrong
    nothing = gateway.cli("discover", check=False)
    assert nothing.returncode == 1 and "discovery.scan" in nothing.stderr


def test_configured_ranges(host, modbus_device):
    """Without an endpoint the ranges of the configuration are searched, at the ports where devices listen."""
    peer = modbus_device({3: sma()}, host="127.0.8.1", port=502)
    gateway = host(discovery={"scan": ["127.0.8.0/30"], "interval": 0})
    (found,) = discover(gateway)
    assert found["endpoint"] == peer.endpoint == "tcp://127.0.8.1:502"


def test_a_wallbox_with_one_value_a_request(host, modbus_device):
    peer = modbus_device({255: wallbox()})
    (found,) = discover(host(), f"{peer.host}:{peer.port}")
    assert (found["template"], found["serial"], found["suggested_id"]) == ("keba-p40", "22104567", "evc_keba_22104567")
    assert found["confidence"] == 0.6
