# SPDX-License-Identifier: Apache-2.0
"""A changed file on a running host: what changed is applied or named, what did not keeps its connection, its numbers
and its leases."""

import shutil
import time

import pytest

from harness import sequence
from harness.host import client
from harness.paths import PLUGINS, TEMPLATES
from harness.site import inverter, meter, meter_device


def until(wanted, timeout=20, what="what was expected"):
    """The host cannot call the test, so this asks it again and again."""
    end = time.monotonic() + timeout
    while not wanted():
        assert time.monotonic() < end, f"{what} did not happen within {timeout} s"
        time.sleep(0.05)


@pytest.fixture
def gateway(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device, power=1234.5, poll="500ms")
    started = host(devices=[device])
    started.peer = peer
    started.device = device
    subscriber.wait_telemetry("met_grid")
    return started


def undisturbed(gateway, subscriber, name="met_grid"):
    """The device goes on over its first connection, and no number is missing."""
    newest = sequence.newest(subscriber, name)
    subscriber.wait_telemetry(name, lambda content: content["seq"] >= newest + 2)
    readings = [m.json["seq"] for m in subscriber.telemetry(name)]
    assert readings == list(range(1, len(readings) + 1))
    assert gateway.peer.connections() == 1


def test_devices_come_change_and_go(gateway, subscriber, modbus_device):
    second_peer, second = meter_device(modbus_device, "met_second", power=77)
    gateway.write(devices=[gateway.device, second])
    told = gateway.json("reload")
    assert (told["added"], told["removed"], told["changed"], told["unchanged"]) == (["met_second"], [], [], 1)
    subscriber.wait_telemetry("met_second", lambda content: content["values"].get("power") == 77)

    # Another template setting of the second: its link is another one.
    third_peer = modbus_device({1: meter(power=99)}, fill=True)
    gateway.write(devices=[gateway.device, second | {"endpoint": third_peer.endpoint}])
    told = gateway.json("reload")
    assert told["changed"] == ["met_second"]
    subscriber.wait_telemetry("met_second", lambda content: content["values"].get("power") == 99)
    sequence.check_order(subscriber, "met_second")

    position = subscriber.mark()
    gateway.write(devices=[gateway.device])
    assert gateway.json("reload")["removed"] == ["met_second"]
    subscriber.wait_for(lambda m: m.topic == "devices/met_second/status" and not m.payload, since=position)
    assert [d["id"] for d in gateway.json("devices")] == ["met_grid"]
    undisturbed(gateway, subscriber)


def test_period_name_and_write_change_without_a_new_connection(gateway, subscriber):
    gateway.write(devices=[gateway.device | {"poll": "200ms", "name": "Cellar", "write": True}])
    assert gateway.json("reload")["changed"] == ["met_grid"]
    position = subscriber.mark()
    subscriber.wait_for(lambda m: m.topic == "devices/met_grid/info" and m.payload and m.json["name"] == "Cellar")
    asked = [r.time for r in gateway.peer.requests()]
    until(lambda: len(gateway.peer.requests()) > len(asked) + 15, what="a faster poll")
    assert gateway.json("devices")[0]["name"] == "Cellar"
    assert not any(m.topic == "devices/met_grid/status" and m.json["state"] != "online" for m in subscriber.since(position))
    undisturbed(gateway, subscriber)


def test_link_settings_open_the_link_anew(host, subscriber, modbus_device):
    peer = modbus_device({1: meter(power=5)}, fill=True)
    other = modbus_device({1: meter(power=6)}, fill=True)
    device = {"id": "met_grid", "link": "bus", "template": "eastron-sdm630", "poll": "500ms"}
    links = [{"id": "bus", "adapter": "modbus", "endpoint": peer.endpoint}]
    gateway = host(links=links, devices=[device])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 5)
    gateway.write(links=[links[0] | {"endpoint": other.endpoint}])
    told = gateway.json("reload")
    assert told["links"] == ["bus"]
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 6)
    sequence.check_order(subscriber, "met_grid")
    readings = [m.json["seq"] for m in subscriber.telemetry("met_grid")]
    assert readings == list(range(1, len(readings) + 1))
    asked = len(peer.requests())
    subscriber.wait_telemetry("met_grid", since=subscriber.mark())
    assert len(peer.requests()) == asked


def test_what_needs_a_restart_is_named_until_there_is_one(gateway, subscriber):
    uplink = gateway.configuration["uplink"]
    gateway.write(uplink=uplink | {"prefix": "north/"}, management={"metrics": {"points": True}})
    told = gateway.json("reload")
    assert set(told["restart"]) == {"uplink.prefix", "management.metrics"}
    # The second time it is still not applied.
    assert set(gateway.json("reload")["restart"]) == {"uplink.prefix", "management.metrics"}
    shown = gateway.cli("reload").stdout
    assert "uplink.prefix" in shown and "not applied" in shown
    undisturbed(gateway, subscriber)
    gateway.write(uplink=uplink, management={})
    assert gateway.json("reload")["restart"] == []


def test_limits_of_the_buffer_and_level_of_the_log(gateway, subscriber):
    assert not any(" debug " in line for line in gateway.log().splitlines())
    gateway.write(buffer={"size": "8MiB", "commit": "100ms"}, log={"level": "debug"})
    told = gateway.json("reload")
    assert set(told["settings"]) == {"buffer.size", "buffer.commit", "log.level"} and told["restart"] == []
    assert gateway.json("buffer", "status")["size"] == 8 << 20
    assert gateway.json("buffer", "status")["commit_ms"] == 100
    subscriber.publish("devices/met_grid/commands/request", b"nonsense")
    gateway.wait_log(lambda line: " debug " in line)
    gateway.write(log={"level": "error"})
    gateway.json("reload")
    lines = len(gateway.log().splitlines())
    gateway.json("reload")
    assert len(gateway.log().splitlines()) == lines
    undisturbed(gateway, subscriber)


@pytest.mark.parametrize("how", ["command", "signal"])
def test_a_bad_file_changes_nothing_and_every_mistake_is_shown(gateway, subscriber, how):
    good = gateway.file.read_text()
    gateway.file.write_text("host: { id: gw-test, rol: x }\ndevices:\n  - { id: met_grid, template: none, poll: never }\n")
    if how == "command":
        refused = gateway.cli("reload", check=False)
        assert refused.returncode == 2 and refused.stdout == ""
        told = refused.stderr
        assert told == client("check-config", "--config", gateway.file, check=False).stderr
        lines = told.splitlines()
    else:
        gateway.hang_up()
        gateway.wait_log(lambda line: "host goes on as it was" in line)
        gateway.wait_log(lambda line: "poll" in line and "busbar.yaml:3" in line)
        lines = gateway.log().splitlines()
    for word in ("rol", "template", "poll"):
        assert any(str(gateway.file) in line and word in line for line in lines), word
    assert gateway.json("devices")[0]["state"] == "online"
    undisturbed(gateway, subscriber)
    gateway.file.write_text(good)
    assert gateway.json("reload")["unchanged"] == 1
    undisturbed(gateway, subscriber)


def test_a_plugin_that_comes_does_not_apply_an_edited_file(host, subscriber, modbus_device, directory):
    plugins, templates = directory / "plugins", directory / "templates"
    plugins.mkdir(mode=0o755)
    shutil.copytree(TEMPLATES, templates)
    shutil.copy(PLUGINS / "libBusbarModbus.so", plugins)
    peer, device = meter_device(modbus_device, power=5, poll="500ms")
    gateway = host(
        devices=[device], plugins={"directories": [str(plugins)]}, templates={"directories": [str(templates)]}
    )
    gateway.peer = peer
    subscriber.wait_telemetry("met_grid")
    _, second = meter_device(modbus_device, "met_second")
    gateway.write(devices=[second])
    # A template that was edited is no better than a file that was.
    template = templates / "eastron-sdm630.yaml"
    template.write_text(template.read_text().replace("register: 0x34", "register: 0x0C"))
    shutil.copy(PLUGINS / "libBusbarModbus.so", plugins / "again.so")
    gateway.wait_log(lambda line: "again.so" in line)
    undisturbed(gateway, subscriber)
    assert [d["id"] for d in gateway.json("devices")] == ["met_grid"]
    assert gateway.json("reload")["added"] == ["met_second"]


def test_fifty_reloads_under_load(host, subscriber, modbus_device):
    """Devices and commands at work while other devices come and go: no number lost, none twice, no lease ended."""
    peers, devices = [], []
    for number in range(4):
        peer, device = meter_device(modbus_device, f"met_{number}", poll="200ms")
        peers.append(peer)
        devices.append(device)
    roof = modbus_device({3: inverter()}, fill=True)
    devices.append({"id": "sol_roof", "template": "sma-sunny-tripower", "endpoint": roof.endpoint, "config": {"unit": 3},
                    "poll": "500ms", "write": True})
    gateway = host(devices=devices)
    for device in devices:
        subscriber.wait_telemetry(device["id"])
    held = gateway.json("command", "sol_roof", "power_limit_percent=60", "--valid-for", "10m", "--owner", "ems")
    assert held["status"] in ("done", "accepted"), held
    assert len(gateway.json("status")["leases"]) == 1
    stay, guest = devices[:3] + devices[4:], devices[3]
    watching = gateway.client("watch", "--json")
    try:
        for number in range(50):
            gateway.write(devices=[*stay, guest] if number % 2 else stay)
            if number % 5 == 4:
                gateway.hang_up()
            assert gateway.json("reload")["unchanged"] >= len(stay)
            subscriber.publish(
                "devices/met_0/commands/request",
                {"id": f"c{number}", "ts": int(time.time() * 1000), "point": "power", "value": 1},
            )
            known = [d["id"] for d in gateway.json("devices")]
            assert len(known) == len(set(known)) and set(known) >= {d["id"] for d in stay}
        assert watching.running
    finally:
        watching.kill()
    for number in range(50):
        subscriber.wait_for(lambda m: m.topic.endswith("commands/response") and m.json["id"] == f"c{number}")
    leases = gateway.json("status")["leases"]
    assert [(lease["device"], lease["point"], lease["value"]) for lease in leases] == [("sol_roof", "power_limit_percent", 60)]
    for device in stay:
        name = device["id"]
        newest = sequence.newest(subscriber, name)
        subscriber.wait_telemetry(name, lambda content: content["seq"] >= newest + 2)
        sequence.wait_complete(subscriber, name, newest)
        sequence.check_order(subscriber, name)
    sequence.check_order(subscriber, guest["id"])
    assert not sequence.missing(subscriber, guest["id"], sequence.newest(subscriber, guest["id"]))
    for peer in [*peers[:3], roof]:
        assert peer.connections() == 1
    assert gateway.json("status")["plugins"][0]["state"] == "loaded"
