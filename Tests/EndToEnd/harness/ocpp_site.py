# SPDX-License-Identifier: Apache-2.0
"""A host with an OCPP listener, and the chargers that come to it."""

import json
import time
import uuid

from .charger import Charger
from .network import free_port

VERSIONS = ["ocpp1.6", "ocpp2.0.1"]


def device(name, identity, **members):
    return {"id": name, "adapter": "ocpp", "endpoint": f"listener:ocpp/{identity}", "write": True} | members


class Site:
    """`start` makes the host with these devices; `charger` one that comes to it under its identity."""

    def __init__(self, host, subscriber, closing, **listener):
        self.make, self.subscriber, self.closing = host, subscriber, closing
        self.port = free_port()
        self.listener = {"listen": f"127.0.0.1:{self.port}", "tls": "off", "login": "none"} | listener
        self.host = None

    def start(self, *devices, **sections):
        self.host = self.make(listeners={"ocpp": self.listener}, devices=list(devices), **sections)
        return self.host

    @property
    def url(self):
        return f"{'ws' if self.listener['tls'] == 'off' else 'wss'}://127.0.0.1:{self.port}/ocpp"

    def charger(self, identity, version="ocpp1.6", *, boot=True, **options):
        made = self.closing(Charger(self.url, identity, version, **options)).connect_until()
        if boot:
            made.boot()
        return made

    # MQTT

    def ask(self, name, *, final=True, timeout=60, **members):
        """Sends a command and returns how it ended."""
        content = {"id": uuid.uuid4().hex, "ts": int(time.time() * 1000)} | members
        position = self.subscriber.mark()
        self.subscriber.publish(f"devices/{name}/commands/request", content)
        return self.subscriber.wait_for(
            lambda m: m.topic == f"devices/{name}/commands/response"
            and m.json["id"] == content["id"]
            and not (final and m.json["status"] == "accepted" and "action" not in content),
            timeout,
            since=position,
            what=f"the answer to {content}",
        ).json

    def call(self, name, action, payload=None):
        """What the charger answers to a request of OCPP, and the response that it came in."""
        response = self.ask(name, action="ocpp.call", args={"action": action, "payload": payload or {}})
        value = response.get("value")
        return json.loads(value) if isinstance(value, str) else value, response

    def session(self, name, wanted, timeout=60, since=0):
        """A document of interfaces 3.4."""
        return self.subscriber.wait_for(
            lambda m: m.topic == f"devices/{name}/evcharger/session" and m.payload and wanted(m.json),
            timeout,
            since=since,
            what=f"a session of {name}",
        ).json

    def sessions(self, name):
        return [m.json for m in self.subscriber.since() if m.topic == f"devices/{name}/evcharger/session" and m.payload]

    def value(self, name, point, wanted=lambda value: True, timeout=60, since=0):
        message = self.subscriber.wait_telemetry(
            name, lambda reading: point in reading["values"] and wanted(reading["values"][point]), timeout, since=since)
        return message.json["values"][point]
