# SPDX-License-Identifier: Apache-2.0
"""Listens in between host and broker (MQTT 5 without TLS): which readings the broker has acknowledged."""

import json
import threading

from .proxy import Proxy

PUBLISH, PUBACK = 3, 4


class Tap(Proxy):
    """A relay that knows of each reading whether the broker has said that it has it."""

    def __init__(self, target):
        self._acknowledged = set()
        self._known = threading.Lock()
        # By connection; identifiers of packets begin anew with each.
        self._waiting = {}
        super().__init__(target)

    @property
    def acknowledged(self):
        """(device, seq) of readings, and of numbers that were reported as lost."""
        with self._known:
            return set(self._acknowledged)

    def _reader(self, near, upwards):
        packets = Packets()

        def look(data):
            for kind, flags, body in packets.feed(data):
                self._note(near, upwards, kind, flags, body)

        return look

    def _note(self, near, upwards, kind, flags, body):
        if upwards and kind == PUBLISH and flags & 6:
            length = int.from_bytes(body[:2], "big")
            topic, rest = body[2:2 + length].decode(), body[2 + length:]
            packet, rest = int.from_bytes(rest[:2], "big"), rest[2:]
            size, used = variable(rest)
            if topic.endswith("/telemetry"):
                content = json.loads(rest[used + size:])
                gap = content.get("gap")
                numbers = range(gap["from"], gap["to"] + 1) if gap else [content["seq"]]
                with self._known:
                    self._waiting[near, packet] = {(topic.split("/")[-2], number) for number in numbers}
        elif not upwards and kind == PUBACK:
            with self._known:
                self._acknowledged |= self._waiting.pop((near, int.from_bytes(body[:2], "big")), set())


class Packets:
    """Cuts a stream into packets (MQTT 5 section 2.1)."""

    def __init__(self):
        self._rest = b""

    def feed(self, data):
        self._rest += data
        while (found := variable(self._rest[1:])) and len(self._rest) >= 1 + found[1] + found[0]:
            size, used = found
            packet, self._rest = self._rest[:1 + used + size], self._rest[1 + used + size:]
            yield packet[0] >> 4, packet[0] & 15, packet[1 + used:]


def variable(data):
    """A variable byte integer and the bytes it takes; None where there are too few (MQTT 5 section 1.5.5)."""
    value = 0
    for place, byte in enumerate(data[:4]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, place + 1
    return None
