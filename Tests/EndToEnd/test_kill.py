# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of host, broker or both under load: no unreported gap. `Tests/Faults/kill` does it a hundred times, and measures
the start with a full buffer."""

import random
import time

import pytest

from harness.backlog import fill
from harness.killing import check_complete, kill_round
from harness.sequence import numbers, reported, wait_complete
from harness.site import meter, meter_device
from harness.tap import Tap


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_five_times_at_random_moments(host, broker, subscriber, modbus_device, closing):
    peer = modbus_device({1: meter()}, fill=True, count=5)
    devices = [
        {"id": f"met_{number}", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{port}", "poll": "200ms"}
        for number, port in enumerate(peer.ports)
    ]
    names = [device["id"] for device in devices]
    tap = closing(Tap(broker.port))
    gateway = host(devices=devices, uplink_to=tap)
    for name in names:
        subscriber.wait_telemetry(name)
    seed = random.randrange(1 << 32)
    # Shown where the test fails.
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(5):
        kill_round(gateway, broker, subscriber, names, chance)
    check_complete(subscriber, names, tap)


def test_a_kill_loses_no_number_that_was_delivered(host, subscriber, modbus_device):
    """What came is in no gap, and numbering goes on where it was."""
    _, entry = meter_device(modbus_device, poll="200ms")
    gateway = host(devices=[entry], buffer={"commit": "60s"})
    subscriber.wait_telemetry("met_grid", lambda c: c["seq"] >= 5)
    gateway.kill()
    before = max(numbers(subscriber, "met_grid"))
    gateway.start()
    after = subscriber.wait_telemetry("met_grid", lambda c: c["seq"] > before).json["seq"]
    # One more may have been taken that nobody got.
    assert after <= before + 3
    wait_complete(subscriber, "met_grid", after, reasons=("crash",))
    assert reported(subscriber, "met_grid") <= set(range(before, after))


@pytest.mark.timeout(180)
def test_live_values_do_not_wait_for_a_full_buffer(host, broker, subscriber, modbus_device):
    _, entry = meter_device(modbus_device, poll="200ms")
    gateway = host(devices=[entry])
    subscriber.wait_telemetry("met_grid")
    gateway.stop()
    first, last = fill(gateway.directory / "state", "met_grid", 5000)
    since = time.time()
    gateway.start()
    live = subscriber.wait_telemetry("met_grid", lambda c: not c.get("late") and c["ts"] > since * 1000)
    late = [m for m in subscriber.telemetry("met_grid") if m.json.get("late")]
    assert live.json["seq"] > last and len(late) < 5000
    subscriber.wait_telemetry("met_grid", lambda c: c["seq"] == last, 120)
    wait_complete(subscriber, "met_grid", last)
    assert set(range(first, last + 1)) <= numbers(subscriber, "met_grid")
    assert reported(subscriber, "met_grid") == set()
