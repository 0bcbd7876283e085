# SPDX-License-Identifier: Apache-2.0
"""The independent charge points of ../shared/peers at the host's listener; only where that folder exists. They check each of our
messages against the published schemas, queue what happens while they are offline, and can misbehave."""

import subprocess
import sys

import pytest

from harness.ocpp_site import VERSIONS, Site, device
from harness.peer_charger import PEERS, SCRIPTS, START, PeerCharger

pytestmark = pytest.mark.skipif(not PEERS.exists(), reason="../shared/peers is not beside the repository")
BOTH = pytest.mark.parametrize("version", VERSIONS)
WALL = "evc_wall"


@pytest.fixture
def site(host, subscriber, closing):
    made = Site(host, subscriber, closing)
    made.start(device(WALL, "CP1"))
    made.host.cli("tags", "add", "GOOD")
    return made


@pytest.fixture
def peer(site, closing):
    def start(version, *options, name="CP1"):
        arguments = [sys.executable, "-c", START, SCRIPTS[version], "--url", site.url, "--id", name, "--connectors", 1, "--interval", 1,
                     "--reconnect", "0.3", *options]  # fmt: skip
        return closing(PeerCharger(arguments, name="charger", stdin=subprocess.PIPE))

    return start


@BOTH
def test_a_session(site, peer, version):
    child = peer(version)
    site.value(WALL, "status", lambda status: status == "available")
    child.tell("start GOOD")
    site.session(WALL, lambda s: s["state"] == "charging")
    site.value(WALL, "power", lambda power: power > 1000)
    site.value(WALL, "energy_session", lambda energy: energy > 1)
    child.tell("stop")
    child.wait_event("stopped")
    document = site.session(WALL, lambda s: s["state"] == "ended")
    # 1.6 says whole watt-hours at start and stop; the charger prints its own to a tenth.
    assert abs(document["energy"] - child.events("stopped")[-1]["kwh"] * 1000) <= 1.01
    assert document["tag"] == "GOOD" and "uncertain" not in document, document
    child.tell("start BAD")
    answer = child.wait_event("auth", lambda event: "Accepted" not in str(event["response"]))["response"]
    assert (answer.get("idTagInfo") or answer.get("idTokenInfo"))["status"] == "Invalid"
    child.check()


@BOTH
def test_the_end_of_a_session_waits_in_the_charger(site, peer, version):
    """The line is cut in the middle; the session ends meanwhile, and is told when the line is back."""
    child = peer(version)
    site.value(WALL, "status", lambda status: status == "available")
    child.tell("start GOOD")
    began = site.session(WALL, lambda s: s["state"] == "charging")
    site.value(WALL, "energy_session", lambda energy: energy > 1)
    child.tell("drop 3")
    child.wait_line(lambda line: child.event(line).get("ev") in ("closed", "connerror"), 60)
    child.tell("stop")
    child.wait_event("queued", lambda event: event["action"] in ("StopTransaction", "TransactionEvent"))
    document = site.session(WALL, lambda s: s["state"] == "ended")
    stopped = child.wait_event("stopped")
    assert document["session"] == began["session"]
    assert abs(document["energy"] - stopped["kwh"] * 1000) <= 1.01, (document, stopped)
    child.check()


@BOTH
def test_bad_frames(site, peer, version):
    child = peer(version)
    site.value(WALL, "status", lambda status: status == "available")
    for kind in ["unknownaction", "badpayload", "messagetype9", "notarray", "duplicateid", "binary", "latin1"]:
        child.tell(f"send {kind}")
    child.tell("hb")
    assert child.wait_event("hb")["response"]["currentTime"]
    # Longer than anything that is taken: the connection ends, and the charger comes back.
    child.tell("send hugemessage")
    child.tell("sleep 2")
    child.tell("start GOOD")
    site.session(WALL, lambda s: s["state"] == "charging")
    # What it does not keep account of itself, it cannot match our answer with.
    wrong = [event for event in child.events("violation") if "unknown id" not in event["what"]]
    assert not wrong, wrong


@pytest.mark.parametrize("fault", ["notimpl", "badschema", "reject"])
@BOTH
def test_faulty_answers(site, peer, version, fault):
    child = peer(version)
    site.value(WALL, "status", lambda status: status == "available")
    # So often that what we ask by ourselves does not use it up.
    child.tell(f"fault {fault} 50")
    answer = site.ask(WALL, action="unlock", args={"connector": 1})
    assert answer["status"] in ("failed", "refused"), answer
    child.tell("fault clear")
    assert site.ask(WALL, action="unlock", args={"connector": 1})["status"] == "done"
