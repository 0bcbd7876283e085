# SPDX-License-Identifier: Apache-2.0
"""Chargers that connect over OCPP: charging days, commands, limits and outages, with charge points of the PyPI package `ocpp`, which
checks every message of ours against the published schemas."""

import contextlib
import time

import pytest
import websockets

from harness.charger import Refused
from harness.ocpp_site import VERSIONS, Site, device

BOTH = pytest.mark.parametrize("version", VERSIONS)
WALL = "evc_wall"


@pytest.fixture
def site(host, subscriber, closing):
    return Site(host, subscriber, closing)


def tagged(site, *tags):
    for tag in tags:
        site.host.cli("tags", "add", tag)


@BOTH
def test_a_charger_comes_online(site, version):
    site.start(device(WALL, "CP-1"))
    charger = site.charger("CP-1", version)
    assert site.value(WALL, "status") == "available"
    status = site.subscriber.wait_status(WALL, lambda content: content["state"] == "online", 30).json
    assert status["adapter"] == "ocpp"
    info = site.subscriber.wait_for(
        lambda m: m.topic == f"devices/{WALL}/info" and m.json.get("serial") == "SN-CP-1", 30, what="the charger's info").json
    assert info["vendor"] == "Acme" and info["type"] == "evcharger"
    assert {"charge.start", "charge.stop", "unlock", "reset", "ocpp.call"} <= set(info["actions"])
    writable = {point["name"] for point in info["points"] if point["writable"]}
    assert {"current_limit", "power_limit", "enabled"} <= writable
    position = site.subscriber.mark()
    charger.disconnect()
    away = site.subscriber.wait_status(WALL, lambda content: content["state"] in ("degraded", "offline"), 30, since=position)
    assert "connection ended" in away.json["reason"]
    # Back again it is well at once.
    charger.connect()
    site.subscriber.wait_status(WALL, lambda content: content["state"] == "online", 30, since=position)
    charger.check()


@BOTH
def test_a_charging_day(site, version):
    """Three sessions, one of a tag that nobody knows; energy right to the watt-hour."""
    site.start(device(WALL, "CP-1"))
    tagged(site, "04A1B2C3", "04D4E5F6")
    charger = site.charger("CP-1", version)
    assert charger.authorize("04A1B2C3") == "Accepted"
    assert charger.authorize("FFFFFFFF") == "Invalid"
    # So small that no count is more than what a charger can give within moments.
    for tag, steps in (("04A1B2C3", [3, 2, 4]), ("04D4E5F6", [3])):
        position = site.subscriber.mark()
        assert charger.start(tag) == "Accepted"
        running = site.session(WALL, lambda s: s["state"] == "charging" and s["tag"] == tag, since=position)
        assert running["connector"] == 1 and running["stopped"] is None
        for count, step in enumerate(steps, 1):
            charger.meter(add=step)
            assert site.value(WALL, "energy_session", lambda energy: energy == sum(steps[:count]), since=position)
        assert site.value(WALL, "power", lambda power: power == 7360, since=position)
        assert site.value(WALL, "current_l1", since=position) == 10.7
        assert site.value(WALL, "voltage_l3", since=position) == 230.4
        assert site.value(WALL, "soc", since=position) == 71
        assert site.value(WALL, "connected", lambda connected: connected is True, since=position)
        charger.stop()
        ended = site.session(WALL, lambda s: s["state"] == "ended" and s["tag"] == tag, since=position)
        assert ended["energy"] == sum(steps) and ended["reason"] == "Local" and "uncertain" not in ended, ended
        assert ended["started"] <= ended["stopped"]
        assert site.value(WALL, "power", lambda power: power == 0, since=position) == 0
    assert charger.start("FFFFFFFF") == "Invalid"
    charger.check()


@BOTH
def test_commands_from_mqtt(site, version):
    site.start(device(WALL, "CP-1"))
    charger = site.charger("CP-1", version)
    site.value(WALL, "status")
    # A tag of our own is not asked for.
    assert site.ask(WALL, action="charge.start", args={"connector": 1, "tag": "APP-1"})["status"] == "accepted"
    session = site.session(WALL, lambda s: s["state"] == "charging")
    assert session["tag"] == "APP-1"
    answer = site.ask(WALL, action="charge.start", args={"connector": 1})
    assert answer["status"] == "failed" and "Rejected" in answer["text"]
    assert site.ask(WALL, action="charge.stop", args={})["status"] == "accepted"
    assert site.session(WALL, lambda s: s["state"] == "ended")["reason"] == "Remote"
    answer = site.ask(WALL, action="charge.stop", args={})
    assert answer["status"] == "failed" and answer["text"] == "no session is running there"
    assert site.ask(WALL, action="unlock", args={"connector": 1})["status"] == "done"
    assert site.ask(WALL, action="reset", args={"hard": True})["status"] == "accepted"
    kind = {"ocpp1.6": "Hard", "ocpp2.0.1": "Immediate"}[version]
    assert charger.request("Reset")["type"] == kind
    position = site.subscriber.mark()
    assert site.ask(WALL, point="enabled", value=False)["status"] == "done"
    site.value(WALL, "status", lambda status: status == "unavailable", since=position)
    assert site.value(WALL, "enabled", lambda enabled: enabled is False, since=position) is False
    assert site.ask(WALL, point="enabled", value=True)["status"] == "done"
    for action, args in [
        ("charge.start", {"conector": 1}), ("charge.start", {"connector": 0}), ("charge.start", {"tag": 1.5}), ("charge.start", {"tag": ""}),
        ("reset", {"hard": "maybe"}), ("ocpp.call", {}), ("ocpp.call", {"action": "ClearCache", "payload": []}),
    ]:  # fmt: skip
        asked = len(charger.requests)
        answer = site.ask(WALL, action=action, args=args)
        assert (answer["status"], answer.get("reason")) == ("refused", "invalid"), (action, args, answer)
        assert len(charger.requests) == asked
    dry = site.host.cli("command", WALL, "ocpp.call", "action=Fly", "--dry-run", check=False)
    assert dry.returncode == 1 and "no request of the central system" in dry.stderr
    answer = site.ask(WALL, action="dance", args={})
    assert answer.get("reason") == "unsupported", answer
    charger.check()


@BOTH
def test_any_request_can_be_asked_for(site, version):
    site.start(device(WALL, "CP-1"))
    charger = site.charger("CP-1", version)
    site.value(WALL, "status")
    if version == "ocpp1.6":
        value, answer = site.call(WALL, "GetConfiguration", {"key": ["HeartbeatInterval", "Nothing"]})
        assert value["configurationKey"][0]["value"] == "300" and value["unknownKey"] == ["Nothing"], answer
    else:
        item = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
        value, answer = site.call(WALL, "GetVariables", {"getVariableData": [item]})
        assert value["getVariableResult"][0]["attributeValue"] == "300", answer
    assert answer["status"] == "done"
    _, answer = site.call(WALL, "BootNotification")
    assert answer["reason"] == "invalid" and "no request of the central system" in answer["text"]
    _, answer = site.call(WALL, "Reset", {"type": "Gently"})
    assert answer["reason"] == "invalid" and "type" in answer["text"], answer
    _, answer = site.call(WALL, "ClearCache")
    assert answer["status"] == "failed" and "NotImplemented" in answer["text"]
    charger.check()


@BOTH
def test_limits_become_profiles_that_end_well(site, version):
    site.start(device(WALL, "CP-1", config={"safe_current": 8}))
    charger = site.charger("CP-1", version)
    site.value(WALL, "status")
    answer = site.ask(WALL, point="current_limit", value=16, valid_for=60_000, owner="ems")
    assert answer["status"] == "done" and answer["value"] == 16, answer
    profile = charger.request("SetChargingProfile")
    schedule = (profile.get("csChargingProfiles") or profile["chargingProfile"])["chargingSchedule"]
    schedule = schedule if isinstance(schedule, dict) else schedule[0]
    assert [period["limit"] for period in schedule["chargingSchedulePeriod"]] == [16, 8]
    assert "validTo" not in profile and "duration" not in schedule
    assert charger.limit_now() == ("A", 16)
    assert site.value(WALL, "current_limit", lambda limit: limit == 16) == 16
    # 6,900 W are 10 A on three phases: the stricter one counts.
    assert site.ask(WALL, point="power_limit", value=6_900, valid_for=60_000, owner="ems")["status"] == "done"
    assert charger.limit_now() == ("A", 10)
    assert site.ask(WALL, point="current_limit", value=0, valid_for=60_000, owner="ems")["status"] == "done"
    assert charger.limit_now() == ("A", 0)
    for point in ("current_limit", "power_limit"):
        site.ask(WALL, point=point, value=None, owner="ems")
    charger.wait(lambda: charger.limit_now() == ("A", 8), "the safe current")
    last = list(charger.profiles.values())[-1]["chargingSchedule"]
    last = last if isinstance(last, dict) else last[0]
    # What is safe has no end, and needs nobody to renew it.
    assert [period["limit"] for period in last["chargingSchedulePeriod"]] == [8]
    assert site.ask(WALL, point="current_limit", value=99)["reason"] == "out-of-range"
    charger.check()


def test_a_limit_is_given_again_after_the_charger_was_away(site):
    site.start(device(WALL, "CP-1"))
    charger = site.charger("CP-1")
    site.value(WALL, "status")
    assert site.ask(WALL, point="current_limit", value=10, valid_for=600_000, owner="ems")["status"] == "done"
    charger.profiles = {}
    charger.drop()
    charger.wait_closed()
    seen = len(charger.requests)
    charger.connect_until()
    charger.request("SetChargingProfile", since=seen)
    charger.wait(lambda: charger.limit_now() == ("A", 10), "the limit again")
    charger.check()


@BOTH
def test_several_connectors(site, version):
    site.start(device(WALL, "CP-1"))
    tagged(site, "GOOD")
    charger = site.charger("CP-1", version, connectors=2)
    assert charger.start("GOOD", 2) == "Accepted"
    charger.meter(2)
    assert site.value(WALL, "status_c2", lambda status: status == "charging")
    assert site.value(WALL, "status", lambda status: status == "charging")
    assert site.value(WALL, "current_l1_c2") == 10.7
    assert site.value(WALL, "power", lambda power: power == 7360)
    info = site.subscriber.wait_for(
        lambda m: m.topic == f"devices/{WALL}/info" and any(p["name"] == "current_l1_c2" for p in m.json["points"]),
        30, what="the points of the second connector").json
    units = {point["name"]: point.get("unit") for point in info["points"]}
    assert units["current_l1_c2"] == "A" and units["energy_session_c2"] == "Wh"
    assert site.ask(WALL, point="current_limit_c2", value=9, valid_for=60_000)["status"] == "done"
    profile = charger.request("SetChargingProfile")
    assert profile.get("connectorId", profile.get("evseId")) == 2
    charger.stop(2)
    assert site.session(WALL, lambda s: s["state"] == "ended")["connector"] == 2
    charger.check()


@pytest.mark.parametrize("kill", [False, True], ids=["stop", "kill"])
@BOTH
def test_a_session_outlives_the_host(site, version, kill):
    site.start(device(WALL, "CP-1"))
    tagged(site, "GOOD")
    charger = site.charger("CP-1", version)
    assert charger.start("GOOD") == "Accepted"
    transaction = charger.connectors[1]["transaction"]
    began = site.session(WALL, lambda s: s["state"] == "charging")
    charger.meter(add=20)
    site.host.kill() if kill else site.host.stop()
    charger.wait_closed()
    charger.connectors[1]["meter"] += 30
    site.host.start()
    # A charger that was accepted goes on without a boot.
    charger.connect_until()
    charger.meter(add=10)
    assert site.ask(WALL, action="charge.stop", args={"connector": 1})["status"] == "accepted"
    ended = site.session(WALL, lambda s: s["state"] == "ended")
    assert ended["session"] == began["session"] == str(transaction)
    assert ended["energy"] == 60 and ended["started"] == began["started"] and "uncertain" not in ended, ended
    charger.check()


@BOTH
def test_an_end_that_comes_again_changes_nothing(site, version):
    site.start(device(WALL, "CP-1"))
    tagged(site, "GOOD")
    charger = site.charger("CP-1", version)
    assert charger.start("GOOD") == "Accepted"
    charger.meter(add=700)
    payload = charger.stop_payload()
    charger.call(charger.stop_action, payload, identity="end-1")
    ended = site.session(WALL, lambda s: s["state"] == "ended")
    for identity in ("end-1", "end-2"):
        charger.call(charger.stop_action, payload, identity=identity)
    site.host.kill()
    charger.wait_closed()
    site.host.start()
    charger.connect_until()
    charger.call(charger.stop_action, payload, identity="end-3")
    # Another session shows that what came before has had its turn.
    charger.connectors[1]["transaction"] = None
    position = site.subscriber.mark()
    assert charger.start("GOOD") == "Accepted"
    site.session(WALL, lambda s: s["state"] == "charging" and s["session"] != ended["session"], since=position)
    assert {s["energy"] for s in site.sessions(WALL) if s["session"] == ended["session"] and s["state"] == "ended"} == {700}
    charger.check()


def test_sessions_of_an_offline_charger_come_later(site):
    """Begun and ended while the line was cut, told in order afterwards, with the charger's own times."""
    site.start(device(WALL, "CP-1"))
    tagged(site, "GOOD")
    charger = site.charger("CP-1")
    charger.drop()
    charger.wait_closed()
    began, ended = int(time.time()) - 7_200, int(time.time()) - 3_600
    charger.connect_until()
    answer = charger.call("StartTransaction", charger.start_payload("GOOD", 1, began))
    charger.connectors[1] |= {"transaction": answer["transactionId"], "tag": "GOOD"}
    charger.connectors[1]["meter"] += 11_000
    charger.call("StopTransaction", charger.stop_payload(1, "Local", ended))
    document = site.session(WALL, lambda s: s["state"] == "ended")
    assert document["energy"] == 11_000
    assert abs(document["started"] - began * 1000) < 2_000 and abs(document["stopped"] - ended * 1000) < 2_000
    charger.check()


def test_a_boot_held_back(site):
    site.start(device(WALL, "CP-1", config={"boot": "pending", "retry": "1s"}))
    charger = site.charger("CP-1", boot=False)
    assert charger.boot()["status"] == "Pending"
    with pytest.raises(Refused):
        charger.call("Heartbeat")
    seen = len(charger.requests)
    answer = site.ask(WALL, action="ocpp.boot", args={"status": "accepted"})
    assert answer["status"] == "done", answer
    charger.request("TriggerMessage", since=seen, wanted=lambda payload: payload["requestedMessage"] == "BootNotification")
    site.value(WALL, "status", lambda status: status == "available")
    assert charger.call("Heartbeat")["currentTime"]
    charger.check()


@BOTH
def test_the_chargers_list_is_kept_in_step(site, version):
    site.start(device(WALL, "CP-1"))
    tagged(site, *[f"TAG{number:03}" for number in range(60)])
    charger = site.charger("CP-1", version)
    charger.wait(lambda: len(charger.tags) == 60, "the whole list")
    site.host.cli("tags", "remove", "TAG007")
    charger.wait(lambda: "TAG007" not in charger.tags, "the tag to be gone")
    tagged(site, "LATE")
    charger.wait(lambda: charger.tags.get("LATE") == "Accepted", "the tag that was added")
    charger.check()


@BOTH
def test_a_charger_that_misbehaves_disturbs_nobody(site, version):
    site.start(device(WALL, "CP-1"), device("evc_bad", "CP-2"))
    tagged(site, "GOOD")
    charger = site.charger("CP-1", version)
    bad = site.charger("CP-2", version)
    assert charger.start("GOOD") == "Accepted"
    deep = "[" * 50_000
    for text in [
        "", "[]", "{}", "null", "[2]", '[2,"x"]', '[2,"x","MakeCoffee",{}]', '[2,"x","BootNotification",{"foo":1}]', '[9,"x","Heartbeat",{}]',
        '[3,"nobody",{}]', '[4,"nobody","GenericError","",{}]', f'[2,"{"i" * 300}","Heartbeat",{{}}]', f'[2,"x","DataTransfer",{deep}',
        '[2,"x","Heartbeat",{}', '[2,"x","StatusNotification",[]]', '[2,"x","StatusNotification",null]',
        '[2,"b","BootNotification",{"chargePointVendor":%s,"chargePointModel":null}]' % ("9" * 5_000), b"\x00\x01\xff", b'[2,"y","Heartbeat",{}]',
        f'[2,"z","DataTransfer",{{"vendorId":"x","data":"{"A" * 60_000}"}}]',
    ]:  # fmt: skip
        bad.raw(text)
    bad.raw('[2,"last","Heartbeat",{}]')
    charger.meter()
    assert charger.call("Heartbeat")["currentTime"]
    # A message beyond all sizes ends its own connection only; the host need not wait for the rest of it.
    with contextlib.suppress(websockets.ConnectionClosed):
        bad.raw('[2,"huge","DataTransfer",{"vendorId":"x","data":"%s"}]' % ("A" * 3_000_000))
    bad.wait_closed()
    charger.stop()
    assert site.session(WALL, lambda s: s["state"] == "ended")["energy"] == 500
    bad.connect_until()
    assert bad.boot()["status"] == "Accepted"
    charger.check()


def test_a_charger_that_does_not_answer_costs_its_own_time(site):
    site.start(device(WALL, "CP-1", config={"answer_timeout": "1s"}), device("evc_two", "CP-2"))
    silent = site.charger("CP-1")
    other = site.charger("CP-2")
    site.value(WALL, "status")
    site.value("evc_two", "status")
    silent.on_UnlockConnector = lambda payload: time.sleep(3) or {"status": "Unlocked"}
    answer = site.ask(WALL, action="unlock", args={"connector": 1})
    assert answer["status"] == "unknown", answer
    assert site.ask("evc_two", action="unlock", args={"connector": 1})["status"] == "done"
    other.check()


def test_what_a_charger_has_for_its_operator_is_a_record(site):
    """Data of a vendor, and what a car needs: for whoever understands it, whole or marked as cut."""
    site.start(device(WALL, "CP-1"))
    charger = site.charger("CP-1", "ocpp2.0.1")
    site.value(WALL, "status")

    def record(kind):
        return site.subscriber.wait_for(
            lambda m: m.topic == f"devices/{WALL}/records" and m.json["kind"] == f"ocpp.{kind}", 30, since=position, what=kind).json["record"]

    position = site.subscriber.mark()
    sent = {"vendorId": "com.example", "messageId": "Lamp", "data": {"colour": "green"}}
    assert charger.call("DataTransfer", sent)["status"] == "UnknownVendorId"
    assert record("data-transfer")["content"] == sent
    position = site.subscriber.mark()
    assert charger.call("DataTransfer", sent | {"data": "A" * 40_000})["status"] == "UnknownVendorId"
    assert record("data-transfer")["truncated"] is True
    position = site.subscriber.mark()
    needs = {"evseId": 1, "chargingNeeds": {
        "requestedEnergyTransfer": "AC_three_phase", "departureTime": "2030-01-01T06:00:00Z",
        "acChargingParameters": {"energyAmount": 22_000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400}}}  # fmt: skip
    assert charger.call("NotifyEVChargingNeeds", needs)["status"] == "Rejected"
    assert record("notify-evcharging-needs")["content"] == needs
    charger.check()
