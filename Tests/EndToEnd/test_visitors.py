# SPDX-License-Identifier: Apache-2.0
"""Devices that connect by themselves to a listener of the host: what goes back and forth, and what becomes of commands meanwhile.
The far end is the PyPI package `websockets`."""

import json

import pytest
from websockets.exceptions import ConnectionClosed

from harness.paths import PLUGINS
from harness.subscriber import Subscriber
from harness.visitor import WAIT, listener
from harness.visitor_site import CHARGER, place, plugin, site, visit  # noqa: F401


def test_a_message_goes_to_the_plugin_and_its_answer_back(site, visit, subscriber):
    gateway = site()
    charger = visit(gateway)
    assert charger.hear() == "hello CP-1 visit.1 trust=1 tls=0"
    assert charger.ask("how are you") == "how are you"
    charger.say("watts 7200.5")
    subscriber.wait_telemetry("evc_a", lambda reading: reading["values"].get("power") == 7200.5, WAIT)
    subscriber.wait_status("evc_a", lambda content: content["state"] == "online")
    assert charger.ask("x" * 60_000) == "x" * 60_000


def test_binary_messages_timers_and_closing(site, visit):
    charger = visit(site())
    charger.hear()
    charger.socket.send(b"\x00\xff")
    assert charger.hear() == b"\x00\xff"
    assert charger.ask("tick 20") == "tock"
    charger.say("kick 4001")
    with pytest.raises(ConnectionClosed) as end:
        charger.hear()
    assert end.value.rcvd.code == 4001 and end.value.rcvd.reason == "kicked"


def test_who_leaves_is_offline_and_who_comes_back_is_online(site, visit, subscriber):
    gateway = site()
    visit(gateway).hear()
    subscriber.wait_status("evc_a", lambda content: content["state"] == "online")
    since = subscriber.mark()
    again = visit(gateway)
    assert again.hear().startswith("hello")
    again.close()
    away = subscriber.wait_status("evc_a", lambda content: content["state"] == "offline", 60, since=since)
    assert "connect" in away.json["reason"]
    since = subscriber.mark()
    visit(gateway).hear()
    subscriber.wait_status("evc_a", lambda content: content["state"] == "online", since=since)


def test_a_newer_connection_takes_the_place_of_an_older_one(site, visit):
    gateway = site()
    first = visit(gateway)
    first.hear()
    second = visit(gateway)
    assert second.hear().startswith("hello")
    with pytest.raises(ConnectionClosed):
        first.hear()
    assert second.ask("still here") == "still here"


def test_a_plugin_that_ends_takes_its_connection_along_and_comes_back(site, visit, request):
    if request.config.getoption("--isolation") == "host":
        pytest.skip("a plugin in the host ends the host")
    gateway = site()
    charger = visit(gateway)
    charger.hear()
    charger.say("crash")
    with pytest.raises(ConnectionClosed):
        charger.hear()
    assert visit(gateway).hear().startswith("hello")


def test_too_long_a_message_ends_the_connection(site, visit):
    gateway = site(message="4KiB")
    charger = visit(gateway)
    charger.hear()
    charger.say("x" * 5000)
    with pytest.raises(ConnectionClosed) as end:
        charger.hear()
    assert end.value.rcvd.code == 1009


def test_an_action_waits_for_the_device_and_polls_go_on(site, visit, subscriber):
    gateway = site()
    charger = visit(gateway)
    charger.hear()
    subscriber.wait_status("evc_a", lambda content: content["state"] == "online")
    asking = gateway.client("command", "evc_a", "unlock", "connector=1", "--wait", "--json")
    assert charger.hear() == 'do unlock {"connector":1}'
    # The link is free meanwhile.
    assert charger.ask("how are you") == "how are you"
    gateway.cli("read", "evc_a")
    charger.say('done {"status": "Unlocked"}')
    asking.wait_line(lambda line: "Unlocked" in line, WAIT)
    assert asking.process.wait(WAIT) == 0


def test_a_written_value_is_ended_by_the_device(site, visit, subscriber):
    gateway = site()
    charger = visit(gateway)
    charger.hear()
    subscriber.wait_status("evc_a", lambda content: content["state"] == "online")
    asking = gateway.client("command", "evc_a", "current_limit=16", "--wait")
    assert charger.hear() == "do current_limit 16"
    charger.say("no not now")
    asking.wait_line(lambda line: "not now" in line, WAIT)
    assert asking.process.wait(WAIT) == 1


def test_tags_are_decided_by_the_local_list(site, visit):
    gateway = site()
    charger = visit(gateway)
    charger.hear()
    assert charger.ask("tag 04A1") == "verdict 42  4"
    gateway.cli("tags", "add", "04a1", "--group", "family")
    assert charger.hear() == "list changed"
    assert charger.ask("tag 04A1") == "verdict 42 family 1"
    assert json.loads(charger.ask("list")) == {"version": 1, "tags": [{"tag": "04a1", "verdict": "accepted", "group": "family"}]}
    assert gateway.json("tags", "list")["tags"][0]["tag"] == "04a1"
    gateway.cli("tags", "add", "04A1", "--blocked")
    charger.hear()
    assert charger.ask("tag 04A1") == "verdict 42  2"
    gateway.cli("tags", "remove", "04A1")
    charger.hear()
    assert charger.ask("tag 04A1") == "verdict 42  4"
    assert gateway.cli("tags", "remove", "04A1", check=False).returncode == 1


def test_tags_are_decided_by_whoever_manages_the_host(host, place, visit, subscriber):
    entry = listener(login="none")
    gateway = host(
        plugins={"directories": [str(PLUGINS), str(place)]}, listeners={"site": entry}, devices=[CHARGER],
        authorization={"source": "both", "timeout": "5s"})
    gateway.address = entry["listen"]
    charger = visit(gateway)
    charger.hear()
    subscriber.wait_for(lambda m: m.topic == "gateways/gw-test/status" and m.json["state"] == "online", WAIT)
    assert charger.ask("tag 04A1") == "verdict 42  5"  # nobody answers
    since = subscriber.mark()
    charger.say("tag 04A1")
    question = subscriber.wait_for(lambda m: m.topic == "gateways/gw-test/authorize/request", WAIT, since=since).json
    assert (question["device"], question["tag"], question["kind"]) == ("evc_a", "04A1", "ISO14443")
    answer = {"id": question["id"], "verdict": "accepted", "group": "fleet"}
    subscriber.publish("gateways/gw-test/authorize/response", answer)
    heard = charger.hear()
    assert heard == "verdict 42 fleet 1"
    # It is remembered.
    assert charger.ask("tag 04a1") == "verdict 42 fleet 1"


def test_a_session_is_kept_and_the_newest_is_retained(site, visit, subscriber, broker, closing):
    gateway = site()
    charger = visit(gateway)
    charger.hear()
    for energy in (0, 1500):
        document = {"connector": 1, "session": "s-1", "state": "charging", "started": 1, "energy": energy, "power": 11000.0,
                    "tag": "04A1", "stopped": None, "reason": None}
        assert charger.ask("session " + json.dumps(document)) == "kept"
    last = subscriber.wait_for(
        lambda m: m.topic == "devices/evc_a/evcharger/session" and m.json["energy"] == 1500, WAIT).json
    assert last["seq"] == 2 and last["session"] == "s-1" and last["stopped"] is None
    later = closing(Subscriber(broker.port))
    retained = later.wait_for(lambda m: m.topic == "devices/evc_a/evcharger/session", WAIT)
    assert retained.json["energy"] == 1500
    assert charger.ask("session nonsense") == "not kept"


def test_nobody_granted_a_priority(site, visit):
    charger = visit(site())
    charger.hear()
    assert charger.ask("limit evc_a 5") == "not granted"


def test_listeners_change_with_a_reload(site, visit):
    gateway = site()
    charger = visit(gateway)
    charger.hear()
    other = listener(login="none", message="8KiB")
    gateway.write(listeners={"site": other})
    gateway.cli("reload")
    with pytest.raises(ConnectionClosed):
        charger.hear()
    gateway.address = other["listen"]
    assert visit(gateway).hear().startswith("hello")
