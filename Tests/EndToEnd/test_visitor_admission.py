# SPDX-License-Identifier: Apache-2.0
"""Who comes in at a listener of the host, and what it costs to be refused. The far end is the PyPI package `websockets`."""

import socket
import ssl
import subprocess

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from harness.authority import Authority
from harness.paths import BUSBAR
from harness.visitor import WAIT, Visitor
from harness.visitor_site import place, plugin, refused, site, visit  # noqa: F401


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
