# SPDX-License-Identifier: Apache-2.0
"""Started by `fleet`."""

import argparse
import sys
import time

from common import Devices, Workplace, cpu, memory, register_template, templates

from harness.broker import Broker
from harness.host import Host
from harness.subscriber import Subscriber

POINTS = 20
SETTLE = 10
MOST_RESIDENT, MOST_PRIVATE, MOST_IDLE = 48.0, 20.0, 0.2


def links(host):
    found = host.json("links")
    return sum(link["calls"] for link in found), sum(link["missed"] for link in found)


def fleet(count, seconds):
    with Workplace() as place:
        broker = place.add(Broker(place.directory / "broker").start())
        subscriber = place.add(Subscriber(broker.port))
        devices = place.add(Devices(place, count))
        name = register_template(place.directory, POINTS)
        entries = [
            {"id": f"met_{number}", "template": name, "endpoint": f"tcp://127.0.0.1:{port}", "poll": "1s"}
            for number, port in enumerate(devices.ports)
        ]
        host = place.add(Host(place.directory, broker, devices=entries, **templates(place.directory)).start())
        for entry in entries:
            subscriber.wait_telemetry(entry["id"], timeout=30)
        time.sleep(SETTLE)
        polls, missed = links(host)
        spent, started, position = cpu(host.pid), time.monotonic(), subscriber.mark()
        time.sleep(seconds)
        spent, elapsed = cpu(host.pid) - spent, time.monotonic() - started
        # First, since asking the host is no part of the load and brings code of its own into memory.
        resident, private, written = memory(host.pid)
        last = links(host)
        polls, missed = last[0] - polls, last[1] - missed
        messages = subscriber.since(position)
        values = sum(len(m.json.get("values", {})) for m in messages if m.topic.endswith("/telemetry"))
    print(f"{count} devices of {POINTS} points at 1 s for {elapsed:.0f} s:")
    print(f"  polls {polls}, missed {missed}; messages {len(messages)}, values {values}")
    print(f"  memory {resident / 1024:.1f} MiB resident, {written / 1024:.1f} MiB private and written, "
          f"{(private - written) / 1024:.1f} MiB of files that nobody else has open")
    print(f"  CPU {spent / elapsed * 100:.2f} % of a core, {spent / polls * 1e6:.0f} µs a poll")
    return missed == 0 and resident / 1024 <= MOST_RESIDENT and private / 1024 <= MOST_PRIVATE


def idle(seconds):
    with Workplace() as place:
        broker = place.add(Broker(place.directory / "broker").start())
        host = place.add(Host(place.directory, broker).start())
        time.sleep(SETTLE)
        spent, started = cpu(host.pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu(host.pid) - spent) / (time.monotonic() - started) * 100
    print(f"Without devices for {seconds} s: CPU {share:.3f} % of a core")
    return share < MOST_IDLE


def main():
    parser = argparse.ArgumentParser(prog="Tests/Benchmarks/fleet")
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=300)
    options = parser.parse_args()
    good = fleet(options.devices, options.seconds)
    good = idle(min(60, options.seconds)) and good
    if not good:
        print(f"Not as wanted: no poll missed, at most {MOST_RESIDENT:.0f} MiB resident, {MOST_PRIVATE:.0f} private, "
              f"less than {MOST_IDLE} % of a core without devices.")
    sys.exit(0 if good else 1)


main()
