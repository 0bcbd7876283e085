# SPDX-License-Identifier: Apache-2.0
"""Devices that connect by themselves to a listener of the host: who comes in, what goes back and forth, and what becomes of
commands meanwhile. The far end is the PyPI package `websockets`."""

import itertools
import json
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from harness.authority import Authority
from harness.paths import BUSBAR, PLUGINS
from harness.subscriber import Subscriber
from harness.visitor import WAIT, Visitor, build, listener

CHARGER = {"id": "evc_a", "adapter": "visitor", "endpoint": "listener:site/CP-1", "poll": "60s", "write": True}


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    return build(tmp_path_factory.mktemp("visitor") / "visitor.so")


@pytest.fixture
def place(directory, plugin):
    home = directory / "plugins"
    home.mkdir(mode=0o755)
    shutil.copyfile(plugin, home / "visitor.so")
    (home / "visitor.so").chmod(0o644)
    return home


@pytest.fixture
def site(host, place):
    """A host with a listener and a charger."""

    def make(*, devices=(CHARGER,), start=True, **settings):
        site = listener(**({"login": "none"} | settings))
        gateway = host(plugins={"directories": [str(PLUGINS), str(place)]}, listeners={"site": site}, devices=list(devices), start=start)
        gateway.address = site["listen"]
        return gateway

    return make


@pytest.fixture
def visit(closing):
    """Connects; while the link of the plugin is being opened the host asks to come again."""

    def make(gateway, name="CP-1", **options):
        for _ in range(WAIT * 20):
            try:
                return closing(Visitor(gateway.address, name, **options))
            except InvalidStatus as refusal:
                if refusal.response.status_code != 503:
                    raise
                threading.Event().wait(0.05)
        raise AssertionError("the link was never open")

    return make


def refused(gateway, name="CP-1", **options):
    """The status with which a connection is refused."""
    with pytest.raises(InvalidStatus) as refusal:
        Visitor(gateway.address, name, **options)
    return refusal.value.response.status_code


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


def test_strangers_and_other_paths_are_not_found(site, visit):
    gateway = site()
    visit(gateway).hear()
    assert refused(gateway, "CP-2") == 404
    assert refused(gateway, "CP-1", at="other") == 404
    assert refused(gateway, "CP-1/more") == 404
    assert refused(gateway, "C%00P") == 404


def test_who_speaks_something_else_is_told_so(site, visit):
    gateway = site()
    visit(gateway).hear()
    assert refused(gateway, "CP-1", subprotocols=["visit.9"]) == 400
    assert visit(gateway, subprotocols=["visit.9", "visit.2"]).hear() == "hello CP-1 visit.2 trust=1 tls=0"


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


def secret(gateway, *arguments, text):
    """A command with something on standard input."""
    result = subprocess.run(
        [str(BUSBAR), *arguments, "--socket", str(gateway.socket)], input=text, capture_output=True, text=True, timeout=60,
        env=gateway.environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_password_is_set_asked_for_and_nowhere_to_be_seen(site, visit, directory):
    gateway = site(login="password")
    word = "correct-horse-battery"
    assert refused(gateway, password=word) == 401  # none is set
    secret(gateway, "password", "set", "evc_a", text=word + "\n")
    assert refused(gateway) == 401
    assert refused(gateway, password="wrong-horse-battery") == 401
    assert refused(gateway, user="CP-2", password=word) == 401
    assert visit(gateway, password=word).hear() == "hello CP-1 visit.1 trust=3 tls=0"
    # It lasts.
    gateway.stop()
    gateway.start()
    assert visit(gateway, password=word).hear().startswith("hello")
    assert word not in gateway.log()
    for file in (directory / "state").rglob("*"):
        if file.is_file():
            assert word.encode() not in file.read_bytes(), file
    gateway.cli("password", "remove", "evc_a")
    assert refused(gateway, password=word) == 401


def test_who_guesses_is_slowed_down(site, visit):
    gateway = site(login="password")
    secret(gateway, "password", "set", "evc_a", text="correct-horse-battery\n")
    answers = [refused(gateway, password=f"wrong-horse-{number}") for number in range(12)]
    assert answers[:5] == [401] * 5 and 429 in answers
    gateway.wait_log(lambda line: "a wrong password" in line and "identity=CP-1" in line)


def test_a_candidate_is_approved_and_its_password_counts_from_then_on(site, visit):
    gateway = site(login="password", devices=[])
    word = "shown-as-a-candidate"
    assert refused(gateway, "CP-7", password=word) == 404
    found = gateway.json("discover", "--list")["candidates"]
    assert [(entry["endpoint"], entry["adapter"], entry["suggested_id"]) for entry in found] == [
        ("listener:site/CP-7", "visitor", "evc_unknown_cp-7")]
    gateway.cli("approve", found[0]["candidate"], "--id", "evc_seven", timeout=120)
    assert refused(gateway, "CP-7", password="another-password") == 401
    assert visit(gateway, "CP-7", password=word).hear() == "hello CP-7 visit.1 trust=3 tls=0"
    assert [device["id"] for device in gateway.json("devices")] == ["evc_seven"]
    gateway.cli("forget", "evc_seven")
    assert refused(gateway, "CP-7", password=word) == 404


def test_a_rule_takes_everybody_in(site, visit, subscriber):
    gateway = site(accept="any", devices=[])
    assert visit(gateway, "CP-9").hear() == "hello CP-9 visit.1 trust=1 tls=0"
    subscriber.wait_status("evc_unknown_cp-9", lambda content: content["state"] == "online", 60)


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


def test_tls_and_client_certificates(site, visit, directory):
    authority = Authority(directory / "ca", "Chargers")
    certificate, key = authority.issue("host", alternative="IP:127.0.0.1")
    files = {"certificate": str(certificate), "key": str(key), "clients": str(authority.certificate)}
    gateway = site(login="certificate", tls=files)
    context = ssl.create_default_context(cafile=authority.certificate)
    visiting = {"scheme": "wss", "ssl": context}
    assert refused(gateway, **visiting) == 403
    other, other_key = authority.issue("CP-2")
    context.load_cert_chain(other, other_key)
    assert refused(gateway, **visiting) == 403
    own, own_key = authority.issue("CP-1")
    context = ssl.create_default_context(cafile=authority.certificate)
    context.load_cert_chain(own, own_key)
    assert visit(gateway, scheme="wss", ssl=context).hear() == "hello CP-1 visit.1 trust=4 tls=1"
    stranger = Authority(directory / "other", "Strangers")
    context = ssl.create_default_context(cafile=authority.certificate)
    context.load_cert_chain(*stranger.issue("CP-1"))
    with pytest.raises((OSError, InvalidStatus, InvalidMessage, ConnectionClosed)):
        Visitor(gateway.address, "CP-1", scheme="wss", ssl=context).hear()


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


OTHER = CHARGER | {"id": "evc_b", "endpoint": "listener:site/CP-2"}


@pytest.fixture
def pair(site, visit):
    """The host, one that is going to misbehave and one that is not to notice."""

    def make(**settings):
        gateway = site(devices=(CHARGER, OTHER), **settings)
        bad, good = visit(gateway), visit(gateway, "CP-2")
        for each in (bad, good):
            each.hear()
        return gateway, bad, good

    return make


def opened(gateway, text):
    """A bare connection that has sent this much."""
    host, port = gateway.address.rsplit(":", 1)
    line = socket.create_connection((host, int(port)), timeout=WAIT)
    line.sendall(text)
    return line


def test_a_handshake_that_never_ends_is_cut_off(pair):
    """Byte by byte, so that it is never silent."""
    gateway, _, good = pair()
    waiting = [opened(gateway, b"GET /site/CP-9 HTTP/1.1\r\nHost: x\r\nX-Slow: ") for _ in range(100)]
    try:
        end = time.monotonic() + 120
        while waiting:
            assert time.monotonic() < end, f"{len(waiting)} handshakes still go on"
            assert good.ask("how are you") == "how are you"
            for line in select.select(waiting, [], [], 0.2)[0]:
                line.close()
                waiting.remove(line)
            for line in list(waiting):
                try:
                    line.sendall(b"x")
                except OSError:
                    line.close()
                    waiting.remove(line)
    finally:
        for line in waiting:
            line.close()


def test_a_flood_of_pings_ends_the_connection(pair, visit):
    gateway, bad, good = pair()
    with pytest.raises(ConnectionClosed) as end:
        for number in range(100_000):
            bad.socket.ping(f"{number}")
            if number % 500 == 0:
                assert good.ask("how are you") == "how are you"
    assert end.value.rcvd is None or end.value.rcvd.code == 1008
    assert good.ask("still here") == "still here"
    assert visit(gateway).hear().startswith("hello")


def upgraded(gateway, name="CP-1"):
    """A bare connection that has become a WebSocket; the greeting of the plugin is read."""
    line = opened(gateway, f"GET /site/{name} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: visit.1\r\n\r\n".encode())  # fmt: skip
    answers = line.makefile("rb")
    assert b" 101 " in answers.readline()
    while answers.readline() != b"\r\n":
        pass
    assert read_frame(answers)[0] == 0x81
    return line, answers


def read_frame(answers):
    head = answers.read(2)
    assert head[1] < 126, head
    return head[0], answers.read(head[1])


def frame(opcode, content):
    """Masked with zeros."""
    return bytes([0x80 | opcode, 0x80 | len(content)]) + bytes(4) + content


def test_a_closing_is_answered_with_its_code_where_that_can_be_one(pair):
    """RFC 6455 section 7.4."""
    gateway, bad, good = pair()
    bad.close()
    for content, answer in [
        (b"", None), (b"\x03", 1002), (b"\x03\xe8\xff\xfe", 1007), *((code.to_bytes(2, "big") + b"why", code) for code in (1000, 1001, 3000, 4999)),
        *((code.to_bytes(2, "big") + b"why", 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000)),
    ]:  # fmt: skip
        line, answers = upgraded(gateway)
        with line, answers:
            line.sendall(frame(8, content))
            opcode, said = read_frame(answers)
            assert opcode == 0x88 and (int.from_bytes(said[:2], "big") if said else None) == answer, (content, said)
            assert answers.read() == b"", "the connection ends"
    assert good.ask("still here") == "still here"


def test_who_goes_on_after_the_closing_is_not_read_for_long(pair):
    """No more than what was on its way: what a connection takes beyond that is in buffers of the system."""
    gateway, bad, good = pair()
    bad.close()
    line, answers = upgraded(gateway)
    with line, answers:
        sent, flood = 0, frame(9, b"x" * 100) * 1000
        with pytest.raises(OSError):
            while sent < 256 << 20:
                line.sendall(flood)
                sent += len(flood)
    assert sent < 24 << 20, f"{sent >> 20} MiB"
    assert good.ask("still here") == "still here"


def test_a_message_in_a_thousand_pieces_comes_whole_and_one_in_ten_thousand_does_not(pair, visit):
    gateway, bad, good = pair()
    bad.socket.send(["x"] * 1000)
    assert bad.hear() == "x" * 1000
    again = visit(gateway)
    again.hear()
    with pytest.raises(ConnectionClosed) as end:
        again.socket.send(itertools.repeat("x", 10_000))
        again.hear()
    assert end.value.rcvd is None or end.value.rcvd.code == 1009
    assert good.ask("still here") == "still here"


def test_a_thousand_connections_at_once_disturb_nobody(pair):
    """Of strangers, from one address: refused, after a while without being looked at. Whoever comes from elsewhere comes in."""
    gateway, bad, good = pair()
    bad.close()
    head = ("GET /site/STRANGER-{} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: visit.1\r\n\r\n")  # fmt: skip
    answers = []
    for first in range(0, 1000, 250):
        lines = [opened(gateway, head.format(number).encode()) for number in range(first, first + 250)]
        assert good.ask("how are you") == "how are you"
        for line in lines:
            with line:
                answers.append(line.makefile("rb").readline().split()[1])
    assert set(answers) <= {b"404", b"429"} and answers[0] == b"404" and b"429" in answers, sorted(set(answers))
    elsewhere = Visitor(gateway.address, "CP-1", source_address=("127.0.0.2", 0))
    with elsewhere:
        assert elsewhere.hear().startswith("hello")
        assert good.ask("still here") == "still here"


def test_who_is_refused_too_often_gets_no_further_tls(site, visit, directory):
    """A handshake costs more than all that it brings. Whoever stands, and whoever comes from elsewhere, does not notice."""
    authority = Authority(directory / "ca", "Site")
    certificate, key = authority.issue("localhost", alternative="DNS:localhost,IP:127.0.0.1")
    gateway = site(tls={"certificate": str(certificate), "key": str(key)})
    context = ssl.create_default_context(cafile=authority.certificate)
    good = visit(gateway, scheme="wss", ssl=context)
    good.hear()
    host, port = gateway.address.rsplit(":", 1)
    head = ("GET /site/STRANGER HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: visit.1\r\n\r\n").encode()  # fmt: skip

    def come(source, head=head):
        """The status of the answer; nil where TLS does not begin."""
        line = socket.create_connection((host, int(port)), timeout=WAIT, source_address=(source, 0))
        try:
            with context.wrap_socket(line, server_hostname="localhost") as secure:
                if not head:
                    return 0
                secure.sendall(head)
                return int(secure.makefile("rb").readline().split()[1])
        except (ConnectionError, ssl.SSLEOFError):
            return None

    answers = []
    while answers[-1:] != [None]:
        answers.append(come("127.0.0.3"))
        assert len(answers) < 5_000
    assert len(answers) > 100 and set(answers[:100]) == {404}
    assert come("127.0.0.4") == 404
    # Nor does who asks for nothing.
    answers = []
    while answers[-1:] != [None]:
        answers.append(come("127.0.0.5", b""))
        assert len(answers) < 5_000
    assert len(answers) > 100
    assert good.ask("still here") == "still here"
