# SPDX-License-Identifier: Apache-2.0
"""paho-mqtt as the far end: an MQTT 5 client with a session that outlives its connection."""

import json
import threading
import time
import uuid
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions


@dataclass
class Message:
    topic: str
    payload: bytes
    retained: bool
    qos: int
    properties: object
    at: float = field(default_factory=time.monotonic)

    @property
    def json(self):
        """Refuses what JSON does not have (NaN, Infinity)."""
        return json.loads(self.payload, parse_constant=_no_number)

    @property
    def device(self):
        parts = self.topic.split("/")
        return parts[parts.index("devices") + 1] if "devices" in parts[:-1] else None


def _no_number(text):
    raise ValueError(f"{text} is no JSON number")


class Subscriber:
    def __init__(self, port, *, topics=("#",), configure=None):
        self.messages = []
        self._changed = threading.Condition()
        self._topics = topics
        self._subscribed = threading.Event()
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=f"test-{uuid.uuid4().hex[:8]}", protocol=mqtt.MQTTv5
        )
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._on_message
        self.client.reconnect_delay_set(min_delay=1, max_delay=1)
        if configure:
            configure(self.client)
        session = Properties(PacketTypes.CONNECT)
        session.SessionExpiryInterval = 3600
        self.client.connect("127.0.0.1", port, keepalive=30, clean_start=False, properties=session)
        self.client.loop_start()
        if not self._subscribed.wait(10):
            raise AssertionError("the subscriber did not get its subscription within 10 s")

    def _on_connect(self, client, userdata, flags, reason, properties):
        if reason == 0:
            # The session keeps the subscription; asking again would send the retained messages a second time.
            if not flags.session_present:
                client.subscribe([(topic, SubscribeOptions(qos=1, retainAsPublished=True)) for topic in self._topics])

    def _on_message(self, client, userdata, message):
        received = Message(
            message.topic, bytes(message.payload), bool(message.retain), message.qos, message.properties
        )
        with self._changed:
            self.messages.append(received)
            self._changed.notify_all()

    def publish(self, topic, content, *, retain=False, properties=None):
        """`content`: bytes and text as they are, anything else as JSON. Returns when the broker has it."""
        if not isinstance(content, (bytes, str)):
            content = json.dumps(content)
        sent = self.client.publish(topic, content, qos=1, retain=retain, properties=properties)
        sent.wait_for_publish(10)
        assert sent.is_published(), f"the broker did not acknowledge a message on {topic}"

    def mark(self):
        """A position: messages from here on are those that came after this call."""
        with self._changed:
            return len(self.messages)

    def since(self, position=0):
        with self._changed:
            return list(self.messages[position:])

    def wait_for(self, wanted, timeout=10, *, since=0, what="the expected message"):
        """The first message from `since` on for which `wanted(message)` holds."""
        end = time.monotonic() + timeout
        position = since
        with self._changed:
            while True:
                while position < len(self.messages):
                    message = self.messages[position]
                    position += 1
                    if wanted(message):
                        return message
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    if position < len(self.messages):
                        continue
                    raise AssertionError(f"{what} did not come within {timeout} s; the last ones:\n{self.tail()}")

    def tail(self, count=15):
        with self._changed:
            return "\n".join(f"{m.topic} {m.payload[:300].decode(errors='replace')}" for m in self.messages[-count:])

    # What the topics of interfaces.md hold.

    def telemetry(self, device=None, *, since=0, prefix=""):
        """Readings (no gap reports) in order of arrival."""
        return [
            m
            for m in self.since(since)
            if is_telemetry(m, device, prefix) and "gap" not in m.json
        ]

    def gaps(self, device, *, since=0):
        return [m.json["gap"] for m in self.since(since) if is_telemetry(m, device) and "gap" in m.json]

    def wait_telemetry(self, device, wanted=lambda content: True, timeout=10, *, since=0):
        return self.wait_for(
            lambda m: is_telemetry(m, device) and "gap" not in m.json and wanted(m.json),
            timeout,
            since=since,
            what=f"telemetry of {device}",
        )

    def wait_status(self, device, wanted, timeout=15, *, since=0):
        return self.wait_for(
            lambda m: m.topic == f"devices/{device}/status" and m.payload and wanted(m.json),
            timeout,
            since=since,
            what=f"the status of {device}",
        )

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def is_telemetry(message, device=None, prefix=""):
    topic = message.topic
    if device is not None:
        return topic == f"{prefix}devices/{device}/telemetry"
    return topic.startswith(f"{prefix}devices/") and topic.endswith("/telemetry")
