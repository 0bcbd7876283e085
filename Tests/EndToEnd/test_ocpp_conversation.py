# SPDX-License-Identifier: Apache-2.0
"""The codec's central system in conversation with the independent charge points of ../shared/peers, which check each of our
messages against the published schemas; only where that folder exists."""

import json
import subprocess
import sys

import pytest

from harness.central import TOOL, Listener
from harness.ocpp import BOTH_WAYS, FROM_CHARGER, Maker, schemas
from harness.paths import ROOT
from harness.peer_charger import PEERS, SCRIPTS, START, PeerCharger

pytestmark = [
    pytest.mark.skipif(not PEERS.exists(), reason="../shared/peers is not beside the repository"),
    pytest.mark.skipif(not TOOL.exists(), reason="not built: swift build -c release --product ocpp-central"),
]
BOTH = pytest.mark.parametrize("version", SCRIPTS)


@pytest.fixture
def listener():
    opened = []

    def make(**settings):
        opened.append(Listener(**settings))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def charger(closing):
    def start(version, listener, *options, name="CP1", connectors=1, interval=1):
        arguments = [sys.executable, "-c", START, SCRIPTS[version], "--url", listener.url, "--id", name, "--connectors", connectors,
                     "--interval", interval, "--reconnect", "0.3", *options]  # fmt: skip
        child = closing(PeerCharger(arguments, name="charger", stdin=subprocess.PIPE))
        central = listener.central(name, version)
        central.wait(lambda: central.of("identity"), "the boot")
        return child, central

    return start


def quiet(central):
    """Waits until the charger has been asked all that it is asked by itself."""
    central.wait(lambda: central.of("points") and central.of("wake")[-1][1] is None, "an end of the questions")


def ended(central):
    return lambda: [document for document in central.sessions() if document["state"] == "ended"]


@BOTH
def test_a_session(listener, charger, version):
    child, central = charger(version, listener())
    child.tell("start GOOD")
    central.wait(lambda: [d for d in central.sessions() if d["state"] == "charging"], "a charging session")
    central.wait(lambda: central.points().get("power", 0) > 1000, "its power")
    assert central.points()["status"] == "charging" and central.points()["connected"] is True
    central.wait(lambda: central.points().get("energy_session", 0) > 1, "its energy")
    child.tell("stop")
    child.wait_event("stopped")
    document = central.wait(ended(central), "its end")[-1]
    stopped = child.events("stopped")[-1]
    # 1.6 says whole watt-hours at start and stop; the charger prints its own to a tenth.
    assert abs(document["energy"] - stopped["kwh"] * 1000) <= 1.01
    assert document["tag"] == "GOOD" and document["reason"] == "Local" and document["power"] == 0
    assert document["started"] < document["stopped"] <= document["ts"]
    assert "uncertain" not in document, document
    # What was told before the charger was answered was stored before.
    kinds = [effect[0] for effect in central.effects]
    assert "store" in kinds
    child.check()


@BOTH
def test_a_tag_that_nobody_knows(listener, charger, version):
    child, central = charger(version, listener())
    child.tell("start BAD")
    answer = child.wait_event("auth")["response"]
    assert (answer.get("idTagInfo") or answer.get("idTokenInfo"))["status"] == "Invalid"
    assert not central.sessions()
    child.check()


@BOTH
def test_commands(listener, charger, version):
    child, central = charger(version, listener(), connectors=2)
    started = central.command(do="start", connector=2, tag="REMOTE")
    assert started[0] == "accepted"
    # A tag that we sent ourselves is not asked for.
    document = central.wait(lambda: [d for d in central.sessions() if d["state"] == "charging"], "a charging session")[-1]
    assert document["connector"] == 2 and document["tag"] == "REMOTE"
    assert not central.of("authorize")
    outcome = central.command(do="limit", current=10, connector=2)
    assert outcome[0] in ("done", "accepted"), outcome
    limited = child.wait_event("limit", lambda event: event["connector"] == 2 and event["W"] is not None)
    assert limited["W"] == 6900
    assert central.command(do="limit", current=0, connector=2)[0] in ("done", "accepted")
    child.wait_event("limit", lambda event: event["connector"] == 2 and event["W"] == 0)
    # The charger of 2.0.1 pauses and does not say so.
    if version == "ocpp1.6":
        central.wait(lambda: central.sessions()[-1]["state"] == "suspended-evse", "the pause")
    assert central.command(do="release", connector=2)[0] == "done"
    central.wait(lambda: central.sessions()[-1]["state"] == "charging", "the end of the pause")
    central.wait(lambda: [e for e in child.events("limit") if e["connector"] == 2][-1]["W"] is None, "the limit's end")
    assert central.command(do="stop", connector=2)[0] == "accepted"
    assert central.wait(ended(central), "the end")[-1]["reason"] == "Remote"
    assert central.command(do="stop", connector=2) == ["refused", "no session is running there"]
    assert central.command(do="unlock", connector=1)[0] == "done"
    assert central.command(do="enable", on=False, connector=1)[0] == "done"
    central.wait(lambda: central.points().get("status_c1") == "unavailable", "the connector out of use")
    assert central.command(do="enable", on=True, connector=1)[0] == "done"
    assert central.command(do="tags", version=7, tags=[f"T{i}" for i in range(50)])[0] == "done"
    assert central.command(do="tags", version=9, tags=[f"T{i}" for i in range(49)])[0] == "done"
    assert central.command(do="trigger", message="Heartbeat")[0] == "done"
    answer = central.command(do="call", action="DataTransfer", payload={"vendorId": "TestCo", "data": "x"})
    assert answer == ["done", {"status": "Accepted", "data": "x"}]
    assert central.command(do="call", action="MakeCoffee", payload={})[0] == "invalid"
    assert central.command(do="call", action="Reset", payload={"type": "Sideways"})[0] == "invalid"
    assert central.command(do="reset")[0] == "accepted"
    child.wait_event("closed")
    child.check()


@BOTH
def test_charger_offline_and_its_queue(listener, charger, version):
    child, central = charger(version, listener())
    child.tell("start GOOD")
    central.wait(lambda: [d for d in central.sessions() if d["state"] == "charging"], "a charging session")
    child.tell("drop 3")
    child.wait_line(lambda line: child.event(line).get("ev") in ("closed", "connerror"))
    child.tell("stop")
    child.wait_event("queued", lambda event: event["action"] in ("StopTransaction", "TransactionEvent"))
    document = central.wait(ended(central), "the end, from the queue")[-1]
    child.wait_event("stopped")
    assert abs(document["energy"] - child.events("stopped")[-1]["kwh"] * 1000) <= 1.01
    assert "energy" not in document.get("uncertain", []), document
    child.check()


@BOTH
def test_restart_in_the_middle(listener, charger, version):
    child, central = charger(version, listener())
    child.tell("start GOOD")
    central.wait(lambda: [d for d in central.sessions() if d["state"] == "charging"], "a charging session")
    session = central.sessions()[-1]["session"]
    central.begin()
    central.effects.clear()
    child.tell("close")
    child.wait_event("closed")
    central.wait(lambda: central.points().get("power", 0) > 1000, "readings after the restart")
    child.tell("stop")
    document = central.wait(ended(central), "its end")[-1]
    child.wait_event("stopped")
    assert document["session"] == session
    assert abs(document["energy"] - child.events("stopped")[-1]["kwh"] * 1000) <= 1.01
    assert "uncertain" not in document, document
    child.check()


@BOTH
def test_restart_that_lost_everything(listener, charger, version):
    child, central = charger(version, listener())
    child.tell("start GOOD")
    central.wait(lambda: [d for d in central.sessions() if d["state"] == "charging"], "a charging session")
    central.stored = {}
    central.begin()
    central.effects.clear()
    child.tell("close")
    child.wait_event("closed")
    central.wait(lambda: central.points().get("energy_session") is not None, "readings after the restart")
    child.tell("stop")
    document = central.wait(ended(central), "its end")[-1]
    assert {"energy", "started"} <= set(document["uncertain"]) and "start-unknown" in document["doubts"], document
    child.check()


@BOTH
@pytest.mark.parametrize("kind", ["unknownaction", "badpayload", "messagetype9", "notarray", "hugemessage", "duplicateid",
                                  "binary", "latin1"])  # fmt: skip
def test_bad_frames(listener, charger, version, kind):
    child, central = charger(version, listener())
    child.wait_event("boot")
    child.tell(f"send {kind}")
    child.tell("hb")
    assert child.wait_event("hb")["response"]["currentTime"]
    wrong = [event for event in child.events("violation") if event["what"] != "CALLRESULT for unknown id"]
    assert not wrong, wrong
    codes = [event["code"] for event in child.events("callerror")]
    occurrence = "OccurenceConstraintViolation" if version == "ocpp1.6" else "OccurrenceConstraintViolation"
    formation = "FormationViolation" if version == "ocpp1.6" else "FormatViolation"
    expected = {"unknownaction": ["NotImplemented"], "badpayload": [occurrence], "hugemessage": [formation]}
    if kind in expected:
        assert codes == expected[kind]


@BOTH
@pytest.mark.parametrize("fault", ["badjson", "wrongid", "callerror InternalError", "notimpl", "badschema", "reject", "noanswer"])
def test_bad_answers(listener, charger, version, fault):
    child, central = charger(version, listener(patience=1500))
    child.wait_event("boot", lambda event: event["response"]["status"] == "Accepted")
    # What it is asked at the beginning is answered well.
    quiet(central)
    child.tell(f"fault {fault}" if " " in fault else f"fault {fault} 1")
    child.tell("hb")
    child.wait_event("hb")
    outcome = central.command(do="unlock", connector=1)
    expected = {"badjson": "unknown", "wrongid": "unknown", "noanswer": "unknown", "reject": "refused"}.get(fault, "failed")
    assert outcome[0] == expected, outcome
    assert central.command(do="unlock", connector=1)[0] == "done"
    child.check()


@BOTH
def test_held_as_pending(listener, charger, version):
    child, central = charger(version, listener(registration="Pending"))
    assert child.wait_event("boot")["response"]["status"] == "Pending"
    child.tell("auth GOOD")
    child.wait_event("callerror", lambda event: event["action"] == "Authorize")
    assert central.command(do="registration", status="Accepted")[0] == "done"
    child.wait_event("boot", lambda event: event["response"] and event["response"]["status"] == "Accepted")
    child.tell("auth GOOD")
    central.wait(lambda: central.of("authorize"), "the question")
    child.check()


README = ROOT / "Plugins/OCPP/README.md"


@BOTH
def test_every_message(listener, charger, version):
    """Each request of either side, smallest and with all fields; the charger checks ours against the schemas."""
    child, central = charger(version, listener(patience=20_000, heartbeatInterval=3600))
    child.wait_event("boot", lambda event: event["response"]["status"] == "Accepted")
    quiet(central)
    asked, answered = [], []
    for number, (action, part, schema) in enumerate(schemas(version)):
        if part != "request":
            continue
        for all_fields in (False, True):
            # Whole numbers: a float of 16.1 is no multiple of 0.1 for the charger's judge.
            payload = json.loads(json.dumps(Maker(schema, number).make(schema, all_fields), default=int))
            if action == "StartTransaction":
                # No session is on the charger itself.
                payload["connectorId"] = 1
            if action in FROM_CHARGER[version]:
                before = len(child.events("answer"))
                child.tell(f"call {action} {json.dumps(payload)}")
                answer = child.wait_event("answer", lambda event: len(child.events("answer")) > before)
                assert child.events("answer")[before]["action"] == action
                assert child.events("answer")[before]["response"] is not None, (action, payload, answer, child.events("callerror"))
                answered.append(action)
            if action not in FROM_CHARGER[version] or action in BOTH_WAYS:
                boots = len(child.events("boot"))
                outcome = central.command(do="call", action=action, payload=payload)
                assert outcome[0] == "done" or "NotImplemented" in outcome[1], (action, payload, outcome)
                asked.append(action)
                if outcome[1] == {"status": "Accepted"} and action == "Reset":
                    # The charger goes and comes back.
                    central.wait(lambda: len(child.events("boot")) > boots, "its return")
                    assert central.command(do="trigger", message="Heartbeat")[0] == "done"
    child.check()
    assert not child.events("selfviolation")
    table = "\n".join(coverage(version, sorted(set(asked)), sorted(set(answered))))
    assert table in README.read_text(), f"Plugins/OCPP/README.md should say:\n{table}"


def coverage(version, asked, answered):
    yield f"| {version.removeprefix('ocpp')} | both ways |"
    yield "|---|---|"
    yield f"| the charger asks, we answer ({len(answered)}) | {', '.join(answered)} |"
    yield f"| we ask, the charger answers ({len(asked)}) | {', '.join(asked)} |"
