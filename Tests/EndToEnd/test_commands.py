# SPDX-License-Identifier: Apache-2.0
"""Commands from MQTT change the device and are answered (interfaces.md 3.3)."""

import time
import uuid

import pytest

from harness.killing import wait_live
from harness.site import WALLBOX_MIRROR, heat_pump, hybrid, wallbox

LIMIT = 40125  # tenths of a percent; the template's safe value is 100 %, its range 0 to 100 %
POLL = {"default": "1s", "power_limit_percent": "1s"}


@pytest.fixture
def roof(host, subscriber, modbus_device):
    """An inverter whose limit may be written, and a twin of it that may not."""
    peer = modbus_device({1: hybrid()}, fill=True)
    twin = modbus_device({1: hybrid()}, fill=True)
    gateway = host(
        devices=[
            {"id": "sol_roof", "template": "huawei-sun2000", "endpoint": peer.endpoint, "poll": POLL, "write": True},
            {"id": "sol_locked", "template": "huawei-sun2000", "endpoint": twin.endpoint, "poll": POLL, "write": False},
        ]
    )
    for device in ("sol_roof", "sol_locked"):
        subscriber.wait_status(device, lambda content: content["state"] == "online")
    return gateway, peer, twin


def request(point=None, value=None, **members):
    content = {"id": uuid.uuid4().hex, "ts": int(time.time() * 1000)}
    if point:
        content |= {"point": point, "value": value}
    return content | members


def send(subscriber, device, content, **options):
    position = subscriber.mark()
    subscriber.publish(f"devices/{device}/commands/request", content, **options)
    return position


def answer(subscriber, device, content, *, final=True, since=0, timeout=30):
    """The response to a request; with `final`, the one that is not `accepted`."""
    return subscriber.wait_for(
        lambda m: m.topic == f"devices/{device}/commands/response"
        and m.json["id"] == content["id"]
        and not (final and m.json["status"] == "accepted"),
        timeout,
        since=since,
        what=f"the answer to {content}",
    ).json


def ask(subscriber, device, content, **options):
    return answer(subscriber, device, content, since=send(subscriber, device, content), **options)


def test_command_changes_the_device_and_is_answered(roof, subscriber):
    _, peer, _ = roof
    content = request("power_limit_percent", 10, valid_for=60000, owner="ems-1")
    response = ask(subscriber, "sol_roof", content)
    assert response["status"] == "done"
    assert response["value"] == 10
    assert [write.values for write in peer.writes(LIMIT)][-1] == [100]
    assert peer.get(LIMIT) == [100]
    subscriber.wait_telemetry("sol_roof", lambda reading: reading["values"].get("power_limit_percent") == 10, 30)


def test_same_id_acts_once_and_is_answered_again(roof, subscriber):
    gateway, peer, _ = roof
    content = request("power_limit_percent", 12, valid_for=60000)
    assert ask(subscriber, "sol_roof", content)["status"] == "done"
    writes = len(peer.writes(LIMIT))
    assert ask(subscriber, "sol_roof", content)["status"] == "done"
    # Another command behind it shows that the repeated one had its turn.
    assert ask(subscriber, "sol_roof", request("power_limit_percent", 11, valid_for=60000))["status"] == "done"
    values = [write.values for write in peer.writes(LIMIT)][writes:]
    assert values.count([120]) == 0 and values.count([110]) == 1


def test_same_id_acts_once_over_a_kill_of_the_host(roof, subscriber):
    gateway, peer, _ = roof
    content = request("power_limit_percent", 12, valid_for=120000)
    assert ask(subscriber, "sol_roof", content)["status"] == "done"
    gateway.kill()
    writes = len(peer.writes(LIMIT))
    # What was on its way from the killed host comes late and says nothing of the new one.
    killed = time.time()
    gateway.start()
    wait_live(subscriber, "sol_roof", killed)
    again = ask(subscriber, "sol_roof", content)
    assert again["status"] in ("done", "accepted", "unknown")
    # The living lease may be written anew after a start, but not twice because of the repeated request.
    assert [write.values for write in peer.writes(LIMIT)][writes:].count([120]) <= 1


def test_expired(roof, subscriber):
    _, peer, _ = roof
    content = request("power_limit_percent", 10, ts=int(time.time() * 1000) - 120_000, valid_for=60_000)
    assert ask(subscriber, "sol_roof", content)["status"] == "expired"
    assert peer.writes(LIMIT) == []


@pytest.mark.parametrize("value", [101, -1, 1e300])
def test_out_of_range(roof, subscriber, value):
    _, peer, _ = roof
    response = ask(subscriber, "sol_roof", request("power_limit_percent", value, valid_for=60000))
    assert (response["status"], response["reason"]) == ("refused", "out-of-range")
    assert peer.writes(LIMIT) == []


@pytest.mark.parametrize(
    ("device", "content", "reason"),
    [
        ("sol_roof", {"point": "power", "value": 1}, "read-only"),
        ("sol_locked", {"point": "power_limit_percent", "value": 10, "valid_for": 60000}, "read-only"),
        ("sol_roof", {"point": "no_such_point", "value": 1}, "unknown-point"),
        ("sol_nobody", {"point": "power_limit_percent", "value": 10}, "unknown-device"),
        ("sol_roof", {"action": "no.such.action"}, "unsupported"),
        ("sol_roof", {"point": "power_limit_percent", "value": "many", "valid_for": 60000}, "invalid"),
        ("sol_roof", {"point": "power_limit_percent", "value": 10, "valid_for": -5}, "invalid"),
        ("sol_roof", {"point": "power_limit_percent", "value": 10, "priority": "safety"}, "not-authorized"),
        ("sol_roof", {"point": "power_limit_percent", "value": 10, "priority": "loud"}, "invalid"),
        ("sol_roof", {}, "invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_refused_with_the_reason(roof, subscriber, device, content, reason):
    _, peer, twin = roof
    response = ask(subscriber, device, request(**content))
    assert response["status"] == "refused", response
    assert response["reason"] == reason, response
    assert peer.writes() == [] and twin.writes() == []


# Which are answered, because they tell their id; the others are counted.
HOSTILE = {
    "nothing": (b"", None),
    "a brace": (b"{", None),
    "an array": (b"[]", None),
    "null": (b"null", None),
    "a text": (b'"text"', None),
    "binary": (bytes(range(256)) * 8, None),
    "UTF-16": ('{"id":"utf16","ts":1}'.encode("utf-16"), None),
    "only brackets": (b"{" * 60_000, None),
    "an id that is a number": (b'{"id":7,"ts":1,"point":"power_limit_percent","value":10}', None),
    "an id that does not end": (b'{"id":"' + b"a" * 60_000, None),
    "larger than 64 KiB": (b'{"id":"large","ts":1,"x":"' + b"a" * 100_000 + b'"}', None),
    "larger than a packet may be": (b'{"id":"huge","ts":1,"x":"' + b"a" * 2_000_000 + b'"}', False),
    "cut off": (b'{"id":"cut","ts":1,"point":"power_limit_percent","val', "cut"),
    "a comma too many": (b'{"id":"comma","ts":1,}', "comma"),
    "nested": (b'{"id":"nested","ts":1,"x":' + b"[" * 5000, "nested"),
    "nested and whole": (b'{"id":"deep","ts":1,"action":"a","x":' + b"[" * 40 + b"]" * 40 + b"}", "deep"),
    "binary inside": (b'{"id":"inside","ts":1,"x":"\xff\xfe\x00"}', "inside"),
    "a number that nothing holds": (b'{"id":"number","ts":1,"point":"power_limit_percent","value":1e999}', "number"),
    "NaN": (b'{"id":"nan","ts":1,"point":"power_limit_percent","value":NaN}', "nan"),
    "no time": (b'{"id":"no-time","point":"power_limit_percent","value":10}', "no-time"),
    "an id of 65 characters": (b'{"id":"' + b"i" * 65 + b'","ts":1}', "i" * 65),
    "a list for a value": (b'{"id":"list","ts":1,"point":"power_limit_percent","value":[10]}', "list"),
    "point and action": (b'{"id":"both","ts":1,"point":"a","action":"b","value":1}', "both"),
}


def test_malformed_requests_are_answered_or_counted(roof, subscriber):
    gateway, peer, _ = roof
    counted = gateway.json("status")["uplink"]["malformed"]
    position = subscriber.mark()
    for payload, _ in HOSTILE.values():
        subscriber.publish("devices/sol_roof/commands/request", payload)
    # A good one behind them shows that each of them had its turn.
    assert ask(subscriber, "sol_roof", request("power_limit_percent", 10, valid_for=60000))["status"] == "done"
    assert [write.values for write in peer.writes(LIMIT)] == [[100]]
    answers = {
        m.json["id"]: m.json for m in subscriber.since(position) if m.topic == "devices/sol_roof/commands/response"
    }
    for name, (_, told) in HOSTILE.items():
        if told:
            assert told in answers, f"{name} was not answered"
            assert (answers[told]["status"], answers[told]["reason"]) == ("refused", "invalid"), name
            assert answers[told]["text"], name
    silent = [name for name, (_, told) in HOSTILE.items() if told is None]
    assert gateway.json("status")["uplink"]["malformed"] - counted == len(silent)
    assert gateway.json("status")["uplink"]["reconnects"] == 0


def test_most_restrictive_limit_applies(roof, subscriber):
    _, peer, _ = roof
    assert ask(subscriber, "sol_roof", request("power_limit_percent", 8, valid_for=600000, owner="grid", priority="grid"))[
        "status"
    ] == "done"
    # Taken, and without effect as long as the other one lives.
    wider = request("power_limit_percent", 16, valid_for=600000, owner="user", priority="user")
    response = ask(subscriber, "sol_roof", wider, final=False)
    assert response["status"] in ("accepted", "done") and response.get("value", 8) == 8, response
    assert peer.get(LIMIT) == [80]
    ask(subscriber, "sol_roof", request("power_limit_percent", 7, valid_for=600000, owner="ems", priority="optimizer"))
    peer.wait_write(lambda write: write.address == LIMIT and write.values == [70])
    # The release of the lowest one lets the next lowest apply.
    ask(subscriber, "sol_roof", request("power_limit_percent", None, owner="ems", priority="optimizer"))
    peer.wait_write(lambda write: write.address == LIMIT and write.values == [80], after=2)


def test_lease_that_ends_falls_to_the_safe_value(roof, subscriber):
    _, peer, _ = roof
    content = request("power_limit_percent", 20, valid_for=8000)
    assert ask(subscriber, "sol_roof", content)["status"] == "done"
    written = len(peer.writes(LIMIT))
    safe = peer.wait_write(lambda write: write.address == LIMIT and write.values != [200], 30, after=written)
    assert safe.values == [1000]
    assert safe.time * 1000 >= content["ts"] + 8000 - 50


def test_safe_value_is_written_when_a_lease_ended_while_the_host_was_down(roof, subscriber):
    gateway, peer, _ = roof
    assert ask(subscriber, "sol_roof", request("power_limit_percent", 20, valid_for=6000))["status"] == "done"
    gateway.kill()
    written = len(peer.writes(LIMIT))
    time.sleep(6)
    gateway.start()
    safe = peer.wait_write(lambda write: write.address == LIMIT, 30, after=written)
    assert safe.values == [1000]


def test_device_that_leaves_the_configuration_gets_its_safe_value(roof, subscriber):
    """Its lease would otherwise hold for ever: nobody can reach the device afterwards."""
    gateway, peer, _ = roof
    assert ask(subscriber, "sol_roof", request("power_limit_percent", 20, valid_for=600000))["status"] == "done"
    written = len(peer.writes(LIMIT))
    gateway.write(devices=[device for device in gateway.configuration["devices"] if device["id"] != "sol_roof"])
    gateway.json("reload")
    assert peer.wait_write(lambda write: write.address == LIMIT, 30, after=written).values == [1000]


def test_retained_command_is_not_carried_out(roof, subscriber):
    gateway, peer, _ = roof
    gateway.stop()
    content = request("power_limit_percent", 9, valid_for=600000)
    subscriber.publish("devices/sol_roof/commands/request", content, retain=True)
    position = subscriber.mark()
    gateway.start()
    subscriber.wait_telemetry("sol_roof", since=position, timeout=30)
    assert ask(subscriber, "sol_roof", request("power_limit_percent", 10, valid_for=60000))["status"] == "done"
    assert [90] not in [write.values for write in peer.writes(LIMIT)]
    assert not any(
        m.topic.endswith("/commands/response") and m.json["id"] == content["id"] for m in subscriber.since(position)
    )
    assert gateway.json("status")["uplink"]["dropped_retained"] == 1


def test_command_that_waited_at_the_broker_is_not_carried_out_late(roof, subscriber):
    """The session ends with the connection: what was sent meanwhile does not come."""
    gateway, peer, _ = roof
    gateway.stop()
    subscriber.publish("devices/sol_roof/commands/request", request("power_limit_percent", 9, valid_for=600000))
    position = subscriber.mark()
    gateway.start()
    subscriber.wait_telemetry("sol_roof", since=position, timeout=30)
    assert ask(subscriber, "sol_roof", request("power_limit_percent", 10, valid_for=60000))["status"] == "done"
    assert [90] not in [write.values for write in peer.writes(LIMIT)]


def test_device_that_refuses_the_write(roof, subscriber):
    _, peer, _ = roof
    peer.fault("exception", code=4, function=6)
    response = ask(subscriber, "sol_roof", request("power_limit_percent", 10, valid_for=60000))
    assert response["status"] in ("failed", "refused"), response
    assert response.get("text")


def test_device_that_does_not_answer_the_write(roof, subscriber):
    """Sent, and no word of what came of it."""
    _, peer, _ = roof
    peer.fault("drop", times=1, function=6)
    response = ask(subscriber, "sol_roof", request("power_limit_percent", 10, valid_for=60000))
    assert response["status"] in ("unknown", "done", "failed")
    if response["status"] == "done":
        assert peer.get(LIMIT) == [100]


def test_command_line(roof, subscriber):
    gateway, peer, _ = roof
    done = gateway.cli("command", "sol_roof", "power_limit_percent=13", "--valid-for", "60s", "--wait", timeout=90)
    assert "done" in done.stdout
    assert peer.get(LIMIT) == [130]

    refused = gateway.cli("command", "sol_roof", "power_limit_percent=101", check=False)
    assert refused.returncode == 1
    assert "out-of-range" in refused.stderr

    unknown = gateway.cli("command", "sol_nobody", "power_limit_percent=10", check=False)
    assert unknown.returncode == 1

    writes = len(peer.writes())
    gateway.cli("command", "sol_roof", "power_limit_percent=9", "--valid-for", "60s", "--dry-run")
    assert ask(subscriber, "sol_roof", request("power_limit_percent", 12, valid_for=60000))["status"] == "done"
    assert [90] not in [write.values for write in peer.writes()[writes:]]


def test_wallbox_with_its_pauses(host, subscriber, modbus_device):
    """KEBA: half a second between readings, five seconds between writes, the written register shows in another one."""
    peer = modbus_device({255: wallbox()}, fill=True, mirror=WALLBOX_MIRROR)
    host(devices=[{"id": "evc_box", "template": "keba-p40", "endpoint": peer.endpoint, "write": True}])
    subscriber.wait_telemetry("evc_box", lambda content: content["values"].get("current_limit") == 16, 40)
    for amperes in (10, 13):
        assert ask(subscriber, "evc_box", request("current_limit", amperes, valid_for=60000), timeout=40)["status"] == "done"
    writes = peer.writes(5004)
    assert [write.values for write in writes] == [[10000], [13000]]
    assert all(write.function == 6 for write in writes)
    assert writes[1].time - writes[0].time > 4.9
    assert max(request.count for request in peer.requests()) <= 2
    subscriber.wait_telemetry("evc_box", lambda content: content["values"].get("current_limit") == 13, 60)


def test_higher_priority_overrules(host, subscriber, modbus_device):
    """A setpoint, unlike a limit: the highest priority applies, and the others are told whose and until when."""
    peer = modbus_device({1: heat_pump()}, fill=True)
    host(devices=[{"id": "hp_isg", "template": "stiebel-eltron-isg", "endpoint": peer.endpoint, "write": True}])
    subscriber.wait_status("hp_isg", lambda content: content["state"] == "online")
    first = request("sg_ready", 3, valid_for=300000, priority="grid", owner="operator", safe=2)
    assert ask(subscriber, "hp_isg", first)["status"] == "done"
    assert (peer.get(4001) + peer.get(4002)) == [1, 0]
    writes = len(peer.writes())

    response = ask(subscriber, "hp_isg", request("sg_ready", 1, valid_for=60000, owner="ems", safe=2))
    assert (response["status"], response["reason"]) == ("refused", "overruled")
    assert response["by"] == "operator"
    assert abs(response["until"] - (first["ts"] + 300000)) < 5000
    assert len(peer.writes()) == writes

    # The operator's release makes room.
    released = ask(subscriber, "hp_isg", request("sg_ready", None, priority="grid", owner="operator"))
    assert released["status"] in ("done", "accepted")
    assert ask(subscriber, "hp_isg", request("sg_ready", 1, valid_for=60000, owner="ems", safe=2))["status"] == "done"
    assert (peer.get(4001) + peer.get(4002)) == [0, 1]
