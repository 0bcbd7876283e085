# SPDX-License-Identifier: Apache-2.0
"""Started by `kill`."""

import argparse
import collections
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from harness.backlog import fill, waiting  # noqa: E402
from harness.broker import Broker  # noqa: E402
from harness.host import Host  # noqa: E402
from harness.killing import check_complete, kill_round, wait_live  # noqa: E402
from harness.modbus import ModbusDevice  # noqa: E402
from harness.site import meter  # noqa: E402
from harness.subscriber import Subscriber  # noqa: E402
from harness.tap import Tap  # noqa: E402


# From start to first value, with 100,000 messages.
MOST_SECONDS = 3


class Site:
    def __init__(self, count, poll):
        self.closing = []
        self.directory = Path(tempfile.mkdtemp(prefix="busbar-"))
        self.closing.append(lambda: shutil.rmtree(self.directory, ignore_errors=True))
        self.broker = Broker(self.directory / "broker").start()
        self.closing.append(self.broker.close)
        self.tap = Tap(self.broker.port)
        self.closing.append(self.tap.close)
        self.subscriber = Subscriber(self.broker.port)
        self.closing.append(self.subscriber.close)
        peer = ModbusDevice({1: meter()}, fill=True, count=count).start()
        self.closing.append(peer.close)
        devices = [
            {"id": f"met_{number}", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{port}", "poll": poll}
            for number, port in enumerate(peer.ports)
        ]
        self.names = [device["id"] for device in devices]
        self.host = Host(self.directory, self.tap, devices=devices).start()
        self.closing.append(self.host.close)
        for name in self.names:
            self.subscriber.wait_telemetry(name, timeout=30)

    def close(self):
        for close in reversed(self.closing):
            close()


def kills(rounds, seed):
    chance = random.Random(seed)
    print(f"seed {seed}", flush=True)
    site = Site(10, "100ms")
    victims = collections.Counter()
    try:
        for number in range(rounds):
            victim, pause = kill_round(site.host, site.broker, site.subscriber, site.names, chance)
            victims[victim] += 1
            print(f"  {number + 1} of {rounds}: {victim} after {pause:.2f} s", file=sys.stderr, flush=True)
        lost = check_complete(site.subscriber, site.names, site.tap)
        total = sum(len(site.subscriber.telemetry(name)) for name in site.names)
        told = ", ".join(f"{name} {count}" for name, count in sorted(victims.items()))
        print(f"{rounds} kills ({told}); {total} messages came, {lost} numbers were reported lost, 0 were lost silently")
    finally:
        site.close()


def backlog(messages):
    """From the start of the host to its first live value, with so many messages waiting."""
    site = Site(50, "1s")
    try:
        site.host.stop()
        times = []
        for _ in range(5):
            # Some of them were delivered in the round before.
            fill(site.directory / "state", site.names[0], messages - waiting(site.directory / "state"))
            since, started = time.time(), time.monotonic()
            site.host.start()
            ready = time.monotonic() - started
            first = min(wait_live(site.subscriber, name, since).at for name in site.names[:1]) - started
            site.host.kill()
            times.append(first)
            print(f"ready after {ready:.2f} s, first live value after {first:.2f} s")
        print(f"median {statistics.median(times):.2f} s from start to first value with {messages} messages buffered")
        return statistics.median(times) < MOST_SECONDS
    finally:
        site.close()


def main():
    parser = argparse.ArgumentParser(prog="Tests/Faults/kill")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--backlog", type=int, help="measure the start with so many messages in the buffer instead")
    options = parser.parse_args()
    if options.backlog:
        if not backlog(options.backlog):
            sys.exit(f"the first value has to come within {MOST_SECONDS} s")
    else:
        kills(options.rounds, options.seed)


main()
