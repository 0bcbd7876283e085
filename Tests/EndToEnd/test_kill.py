# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of host, broker or both under load: no unreported gap. `Tests/Faults/kill` does it a hundred times."""

import random

import pytest

from harness.killing import check_complete, kill_round
from harness.site import meter


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_five_times_at_random_moments(host, broker, subscriber, modbus_device):
    peer = modbus_device({1: meter()}, fill=True, count=5)
    devices = [
        {"id": f"met_{number}", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{port}", "poll": "200ms"}
        for number, port in enumerate(peer.ports)
    ]
    names = [device["id"] for device in devices]
    gateway = host(devices=devices)
    for name in names:
        subscriber.wait_telemetry(name)
    seed = random.randrange(1 << 32)
    # Shown where the test fails.
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(5):
        kill_round(gateway, broker, subscriber, names, chance)
    check_complete(subscriber, names)
