# SPDX-License-Identifier: Apache-2.0
"""Commands for the gateway itself: searching, approving and forgetting devices from afar (interfaces, gateways/{id}/commands)."""

import pytest

from harness.discovery import SOLAR, sma, until, wait_listed


def command_answer(subscriber, command, *, wanted=("done", "refused", "failed", "expired")):
    position = subscriber.mark()
    subscriber.publish("gateways/gw-test/commands", command)
    return subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/commands/response"
        and m.json["id"] == command["id"]
        and m.json["status"] in wanted,
        90,
        since=position,
        what=f"the answer to {command}",
    ).json


def wait_connected(subscriber):
    """The host listens for commands from its first status on."""
    subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/status" and m.json["state"] == "online", 30, what="the gateway's status")


@pytest.fixture
def installer(host, broker):
    return host(uplink={"url": f"mqtt://127.0.0.1:{broker.port}", "role": "installer"})


def test_commands_of_the_gateway(installer, subscriber, modbus_device):
    peer = modbus_device({3: sma(power=333)})
    position = subscriber.mark()
    done = command_answer(subscriber, {"id": "s1", "action": "discover", "endpoints": [peer.endpoint]})
    assert (done["status"], done["value"]) == ("done", 1)
    states = [m.json["status"] for m in subscriber.since(position)
              if m.topic == "gateways/gw-test/commands/response" and m.json["id"] == "s1"]
    assert states == ["accepted", "done"]
    listed = wait_listed(subscriber, lambda content: content["discovered"])
    candidate = listed.json["discovered"][0]["candidate"]
    approve = {"id": "a1", "action": "approve", "candidate": candidate, "name": "Roof", "poll": "500ms"}
    assert command_answer(subscriber, approve) | {"ts": 0} == {"id": "a1", "ts": 0, "status": "done", "value": SOLAR}
    subscriber.wait_telemetry(SOLAR, lambda content: content["values"].get("power") == 333)
    # The same id acts once and is answered again, also after a restart.
    assert command_answer(subscriber, approve)["status"] == "done"
    installer.stop()
    position = subscriber.mark()
    installer.start()
    subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/status" and m.json["state"] == "online", 30, since=position)
    assert command_answer(subscriber, approve)["value"] == SOLAR
    other = command_answer(subscriber, approve | {"name": "Other"})
    assert (other["status"], other["reason"]) == ("refused", "invalid")
    twice = command_answer(subscriber, approve | {"id": "a2"})
    assert (twice["status"], twice["reason"]) == ("refused", "invalid") and SOLAR in twice["text"]

    for number, (command, reason) in enumerate([
        ({"action": "approve", "candidate": "c-none"}, "unknown-device"),
        ({"action": "approve", "candidate": candidate, "colour": "red"}, "invalid"),
        ({"action": "discover", "endpoints": ["nonsense://"]}, "invalid"),
        ({"action": "discover", "endpoints": 5}, "invalid"),
        ({"action": "dance"}, "unsupported"),
        ({"action": "set-config"}, "not-authorized"),
        ({"action": "forget"}, "invalid"),
        ({}, "invalid"),
    ]):
        refused = command_answer(subscriber, command | {"id": f"r{number}"})
        assert (refused["status"], refused["reason"]) == ("refused", reason), command
    old = command_answer(subscriber, {"id": "old", "action": "forget", "device": SOLAR, "ts": 1000})
    assert old["status"] == "expired"
    gone = command_answer(subscriber, {"id": "f1", "action": "forget", "device": SOLAR})
    assert gone["status"] == "done"
    subscriber.wait_for(lambda m: m.topic == f"devices/{SOLAR}/status" and not m.payload)

    before = installer.json("status")["uplink"]["malformed"]
    for rubbish in (b"\xff\xfe", b"[" * 5000, b"{}", b'{"action":"reload"}', b"5"):
        subscriber.publish("gateways/gw-test/commands", rubbish)
    until(lambda: installer.json("status")["uplink"]["malformed"] == before + 5)


def test_an_operator_may_not_change_devices(host, broker, subscriber):
    host(uplink={"url": f"mqtt://127.0.0.1:{broker.port}", "role": "operator"})
    wait_connected(subscriber)
    for number, action in enumerate(
        ["discover", "approve", "forget", "reload", "restart-plugin", "set-login", "remove-login", "rotate-login", "set-config"]):
        refused = command_answer(subscriber, {"id": f"o{number}", "action": action})
        assert (refused["status"], refused["reason"]) == ("refused", "not-authorized"), action


def test_what_this_release_cannot_do_is_said(host, broker, subscriber):
    host(uplink={"url": f"mqtt://127.0.0.1:{broker.port}", "role": "administrator"})
    wait_connected(subscriber)
    refused = command_answer(subscriber, {"id": "u1", "action": "set-config"})
    assert (refused["status"], refused["reason"]) == ("refused", "unsupported")
    refused = command_answer(subscriber, {"id": "u2", "action": "restart-plugin"})
    assert (refused["status"], refused["reason"]) == ("refused", "invalid")
