# SPDX-License-Identifier: Apache-2.0
"""What happens on the wire of a listener: slow handshakes, floods, frames, closings and pieces. The far end is the PyPI package
`websockets`, and bare bytes."""

import itertools
import select
import socket
import time

import pytest
from websockets.exceptions import ConnectionClosed

from harness.visitor import WAIT, Visitor
from harness.visitor_site import CHARGER, place, plugin, site, visit  # noqa: F401


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
