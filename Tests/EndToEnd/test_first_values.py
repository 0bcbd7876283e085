# SPDX-License-Identifier: Apache-2.0
"""From a device's register to the broker: topics and payloads of interfaces.md 3."""

import time

import pytest

from harness.site import WALLBOX_MIRROR, heat_pump, hybrid, inverter, meter, meter_device, wallbox


def test_first_value_arrives_within_three_seconds_of_the_start(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    gateway = host(devices=[device])
    first = subscriber.wait_telemetry("met_grid")
    assert first.at - gateway.started < 3


def test_telemetry_tells_when_it_was_read(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device, power=1234.5, imported=5678.25, exported=12.5)
    host(devices=[device])
    wanted = {"power", "energy_import", "energy_export", "voltage_l2"}
    message = subscriber.wait_telemetry("met_grid", lambda content: wanted <= content["values"].keys())
    content = message.json

    assert message.qos == 1 and not message.retained
    assert content["gateway"] == "gw-test"
    assert content["path"] == "gateway"
    assert "late" not in content
    assert content["values"]["power"] == 1234.5
    assert content["values"]["energy_import"] == 5678250
    assert content["values"]["energy_export"] == 12500
    assert content["values"]["voltage_l2"] == pytest.approx(231.25, abs=0.06)
    # The reading belongs to a request that the device saw.
    asked = [request.time * 1000 for request in peer.requests()]
    assert any(abs(content["ts"] - moment) < 500 for moment in asked)


def test_seq_starts_at_one_and_rises_by_one(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device, poll="500ms")
    host(devices=[device])
    subscriber.wait_telemetry("met_grid", lambda content: content["seq"] >= 5)
    assert [m.json["seq"] for m in subscriber.telemetry("met_grid")][:5] == [1, 2, 3, 4, 5]


def test_a_changed_register_shows_in_the_next_reading(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device, power=100)
    host(devices=[device])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 100)
    peer.set(meter(power=-2500)["input"], table="input")
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == -2500)


def test_status_and_info_are_retained(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    host(devices=[device])
    status = subscriber.wait_status("met_grid", lambda content: content["state"] == "online")
    content = status.json
    assert status.retained and status.qos == 1
    assert content["adapter"] == "modbus"
    assert content["template"] == "eastron-sdm630"
    assert (content["path"], content["gateway"]) == ("gateway", "gw-test")
    assert content["since"] <= content["ts"]
    assert 0 <= content["quality"]["success"] <= 1
    assert {"p50_ms", "p95_ms", "errors", "reconnects"} <= content["quality"].keys()

    info = subscriber.wait_for(lambda m: m.topic == "devices/met_grid/info" and m.json["points"], what="info with points")
    assert info.retained
    content = info.json
    assert (content["id"], content["type"], content["template"]) == ("met_grid", "meter", "eastron-sdm630")
    points = {point["name"]: point for point in content["points"]}
    assert points["power"]["unit"] == "W"
    assert points["energy_import"]["unit"] == "Wh"
    assert points["power"]["writable"] is False


def test_gateway_status_and_devices(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    host(host={"id": "gw-test", "site": {"name": "Nordhof"}}, devices=[device])
    status = subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/status" and m.json.get("devices", {}).get("online") == 1,
        what="the gateway's status with one device online",
    )
    content = status.json
    assert status.retained
    assert content["state"] == "online"
    assert content["role"] == "gateway"
    assert content["site"]["name"] == "Nordhof"
    assert {"ts", "since", "version", "buffer", "plugins", "alarms"} <= content.keys()
    assert {"messages", "bytes", "oldest"} <= content["buffer"].keys()
    assert any("modbus" in str(plugin) for plugin in content["plugins"])

    devices = subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/devices" and m.json["devices"], what="the list of devices"
    )
    assert devices.retained
    assert devices.json["devices"][0]["id"] == "met_grid"
    assert devices.json["truncated"] is False
    assert len(devices.payload) <= 128 * 1024


def test_a_whole_site(host, subscriber, modbus_device, serial_line):
    """Five devices, four over TCP and one on a serial line, each with its signs and units as interfaces.md 5 has them."""
    line = serial_line()
    sma = modbus_device({3: inverter(power=4210, total=12345678)}, fill=True)
    huawei = modbus_device({1: hybrid(generation=6000, battery=1500, soc=63.5, grid=-800)}, fill=True)
    keba = modbus_device({255: wallbox(power_mw=7360000)}, fill=True, mirror=WALLBOX_MIRROR)
    stiebel = modbus_device({1: heat_pump(flow=35.5, outdoor=-7.5, dhw=48.2)}, fill=True)
    eastron = modbus_device({1: meter(power=321.5)}, line=line, fill=True)
    host(
        links=[{"id": "huawei", "adapter": "modbus", "endpoint": huawei.endpoint}],
        devices=[
            {"id": "sol_sma", "template": "sma-sunny-tripower", "endpoint": sma.endpoint},
            {"id": "sol_huawei", "template": "huawei-sun2000", "link": "huawei"},
            {"id": "bat_huawei", "template": "huawei-luna2000", "link": "huawei"},
            {"id": "met_huawei", "template": "huawei-sun2000-meter", "link": "huawei"},
            {"id": "evc_keba", "template": "keba-p40", "endpoint": keba.endpoint},
            {"id": "hp_stiebel", "template": "stiebel-eltron-isg", "endpoint": stiebel.endpoint},
            {"id": "met_grid", "template": "eastron-sdm630", "endpoint": eastron.endpoint},
        ],
    )
    expected = {
        "sol_sma": {"power": 4210, "energy_total": 12345678},
        # Generation alone: AC output 4500 W plus the 1500 W that go into the battery.
        "sol_huawei": {"power": 6000, "ac_power": 4500, "energy_total": 12345670},
        "bat_huawei": {"power": -1500, "soc": 63.5},
        "met_huawei": {"power": -800, "energy_import": 987000, "energy_export": 5123000},
        "evc_keba": {"power": 7360, "status": "charging"},
        "hp_stiebel": {"flow_temperature": 35.5, "outdoor_temperature": -7.5, "dhw_temperature": 48.2},
        "met_grid": {"power": 321.5},
    }
    for device, points in expected.items():
        for point, value in points.items():
            found = subscriber.wait_telemetry(device, lambda content, p=point: p in content["values"], timeout=40)
            got = found.json["values"][point]
            assert got == (pytest.approx(value, rel=1e-9) if isinstance(value, (int, float)) else value), (device, point)

    soc = subscriber.wait_for(lambda m: m.topic == "devices/bat_huawei/battery/soc")
    assert soc.retained and soc.json["value"] == 63.5
    production = subscriber.wait_for(lambda m: m.topic == "devices/sol_sma/solar/production")
    assert production.retained and production.json["power"] == 4210
    assert abs(production.json["ts"] - time.time() * 1000) < 60_000


def test_an_exchanged_device_never_speaks_under_the_old_id(host, subscriber, modbus_device):
    """An id that was made of a serial number belongs to that device, not to its address (interfaces.md 4)."""
    peer = modbus_device({3: inverter(power=4210, serial=1110001)}, fill=True)
    host(devices=[{"template": "sma-sunny-tripower", "endpoint": peer.endpoint, "poll": "1s"}])
    subscriber.wait_telemetry("sol_sma_1110001", lambda content: content["values"].get("power") == 4210)
    peer.stop()
    subscriber.wait_telemetry("sol_sma_1110001", lambda content: "power" in content.get("bad", {}))
    position = subscriber.mark()
    peer.become({3: inverter(power=777, serial=2220002)})
    peer.start()
    subscriber.wait_telemetry("sol_sma_2220002", lambda content: content["values"].get("power") == 777, timeout=60)
    subscriber.wait_status("sol_sma_1110001", lambda content: content["state"] == "offline")
    old = [m.json["values"].get("power") for m in subscriber.since(position) if m.topic == "devices/sol_sma_1110001/telemetry"]
    assert 777 not in old
