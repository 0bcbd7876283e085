# SPDX-License-Identifier: Apache-2.0
"""Faults on the wire played by ../shared/peers/modbus_inverter.py; only where that folder exists."""

import json
import socket
import sys

import pytest

from harness.authority import Authority
from harness.network import free_port, wait_listening
from harness.paths import SHARED
from harness.processes import Child
from harness.site import meter

PEER = SHARED / "peers" / "modbus_inverter.py"

pytestmark = pytest.mark.skipif(not PEER.exists(), reason="../shared/peers is not beside the repository")


class Inverter(Child):
    close = Child.kill


def registers():
    every = {str(address): [0] for address in range(100)}
    for address, words in meter(power=321.5)["input"].items():
        every |= {str(int(address) + i): [word] for i, word in enumerate(words)}
    return {"holding": every}


@pytest.fixture
def device(directory, closing):
    file = directory / "map.json"
    file.write_text(json.dumps(registers()))
    port, control = free_port(), free_port()
    child = closing(
        Inverter([sys.executable, PEER, "--map", file, "--tcp", port, "--ctl", control], name="modbus_inverter.py")
    )
    child.wait_line(lambda line: line == "ready", 30)
    wait_listening(control, child)

    def ask(**question):
        with socket.create_connection(("127.0.0.1", control), 10) as connection:
            connection.sendall(json.dumps(question).encode() + b"\n")
            return json.loads(connection.makefile().readline())

    return f"tcp://127.0.0.1:{port}", ask


@pytest.mark.parametrize("fault", ["split", "extra", "badunit", "badtid", "truncate", "garbage", "close"])
def test_nothing_wrong_is_published(host, subscriber, device, fault):
    endpoint, ask = device
    host(devices=[{"id": "met_grid", "template": "eastron-sdm630", "endpoint": endpoint, "poll": "1s"}])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 321.5)
    position = subscriber.mark()
    assert ask(fault=fault, n=3)["ok"]
    # Answers that only come in pieces are good answers.
    needed = 5 if fault == "split" else 2
    for _ in range(needed):
        message = subscriber.wait_telemetry(
            "met_grid", lambda content: content["values"].get("power") == 321.5, 60, since=position
        )
        position = subscriber.since().index(message) + 1
    powers = {m.json["values"].get("power") for m in subscriber.telemetry("met_grid")}
    assert powers <= {321.5, None}
    if fault == "split":
        assert powers == {321.5}


def test_values_of_the_peer_over_tls(host, subscriber, directory, closing):
    authority = Authority(directory / "authority", "Test authority")
    certificate, key = authority.issue("inverter", alternative="IP:127.0.0.1")
    file = directory / "map.json"
    file.write_text(json.dumps(registers()))
    port = free_port()
    child = closing(
        Inverter(
            [sys.executable, PEER, "--map", file, "--tls", port, "--crt", certificate, "--key", key],
            name="modbus_inverter.py",
        )
    )
    child.wait_line(lambda line: line == "ready", 30)
    tls = {"ca": str(authority.certificate)}
    device = {"id": "met_grid", "template": "eastron-sdm630", "endpoint": f"tls://127.0.0.1:{port}", "poll": "1s", "tls": tls}
    host(devices=[device])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 321.5)
