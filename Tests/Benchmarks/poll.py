# SPDX-License-Identifier: Apache-2.0
"""Started by `poll`."""

import argparse
import statistics
import subprocess
import sys
import time

from common import Devices, Workplace, allocations, compile_c, cpu, register_template, templates

from harness.broker import Broker
from harness.host import Host
from harness.subscriber import Subscriber

DEVICES = 10
PERIOD = 100  # ms
SETTLE = 3
# For values through the outbox: messages of 20 values that wait when the broker comes back.
BACKLOG = 20_000


class CountedHost(Host):
    """Its allocations are counted."""

    counting = None

    @property
    def environment(self):
        if not self.counting:
            return super().environment
        library, file = self.counting
        return super().environment | {"LD_PRELOAD": str(library), "COUNTING": str(file)}


def bare(place, kind, registers, seconds, ports):
    program = place.directory / "bare"
    arguments = [program, kind, registers, PERIOD, seconds, *ports]
    return float(subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True).stdout)


def hosted(registers, seconds, *, uplink, counted=False):
    """CPU a poll, and allocations a poll where they are counted."""
    with Workplace() as place:
        devices = place.add(Devices(place, DEVICES))
        name = register_template(place.directory, registers)
        entries = [
            {"id": f"met_{number}", "template": name, "endpoint": f"tcp://127.0.0.1:{port}", "poll": f"{PERIOD}ms"}
            for number, port in enumerate(devices.ports)
        ]
        broker = place.add(Broker(place.directory / "broker").start()) if uplink else None
        host = place.add(CountedHost(place.directory, broker, devices=entries, **templates(place.directory)))
        if counted:
            library = compile_c(place.directory, "counting", "-shared", "-fPIC")
            host.counting = (library, place.directory / "counts")
        host.start()
        time.sleep(SETTLE)
        polls = sum(link["calls"] for link in host.json("links"))
        before, spent = allocations(host.counting[1]) if counted else (0, 0), cpu(host.pid)
        time.sleep(seconds)
        spent, after = cpu(host.pid) - spent, allocations(host.counting[1]) if counted else (0, 0)
        polls = sum(link["calls"] for link in host.json("links")) - polls
        if counted:
            return (after[0] - before[0]) / polls, (after[1] - before[1]) / polls
        return spent / polls * 1e6


def table(runs, seconds):
    print(f"CPU a poll in µs, medians of {runs} runs of {seconds} s, {DEVICES} devices every {PERIOD} ms:\n")
    print("| registers | bare epoll | bare libmodbus | host, no uplink | host with MQTT | host with MQTT : libmodbus |")
    print("|---|---|---|---|---|---|")
    for registers in (10, 100):
        found = {"epoll": [], "libmodbus": [], "alone": [], "mqtt": []}
        for _ in range(runs):
            with Workplace() as place:
                devices = place.add(Devices(place, DEVICES))
                compile_c(place.directory, "bare", "-I/usr/include/modbus", "-lmodbus")
                for kind in ("epoll", "libmodbus"):
                    found[kind].append(bare(place, kind, registers, seconds, devices.ports))
            found["alone"].append(hosted(registers, seconds, uplink=False))
            found["mqtt"].append(hosted(registers, seconds, uplink=True))
        median = {name: statistics.median(values) for name, values in found.items()}
        ratio = median["mqtt"] / median["libmodbus"]
        print(
            f"| {registers} | {median['epoll']:.0f} | {median['libmodbus']:.0f} | {median['alone']:.0f} | "
            f"{median['mqtt']:.0f} | {ratio:.1f} |", flush=True)


def allocated(seconds):
    print("\nAllocations, everything from the request to the MQTT message included:\n")
    for registers in (10, 100):
        calls, size = hosted(registers, seconds, uplink=True, counted=True)
        print(f"- {registers} values a poll: {calls / registers:.1f} calls and {size / registers:.0f} bytes a value", flush=True)


def outbox():
    """A backlog on its way up, with the devices still being polled."""
    with Workplace() as place:
        devices = place.add(Devices(place, 50))
        name = register_template(place.directory, 20)
        entries = [
            {"id": f"met_{number}", "template": name, "endpoint": f"tcp://127.0.0.1:{port}", "poll": f"{PERIOD}ms"}
            for number, port in enumerate(devices.ports)
        ]
        broker = place.add(Broker(place.directory / "broker").start())
        host = place.add(Host(place.directory, broker, devices=entries, **templates(place.directory)).start())
        broker.stop()
        while (waiting := host.json("buffer", "status")["messages"]) < BACKLOG:
            time.sleep(1)
        subscriber = None
        started = time.monotonic()
        broker.start()
        subscriber = place.add(Subscriber(broker.port, topics=("devices/met_0/#",)))
        polls = sum(link["calls"] for link in host.json("links"))
        while (left := host.json("buffer", "status")["messages"]) > waiting / 10:
            time.sleep(0.2)
        elapsed = time.monotonic() - started
        polls = sum(link["calls"] for link in host.json("links")) - polls
    sent = waiting - left + polls
    print(f"\nThrough outbox and uplink: {sent / elapsed:.0f} messages, {sent * 20 / elapsed:.0f} values a second "
          f"({waiting} messages waiting, {polls} polls meanwhile, broker and devices on the same machine)")


def main():
    parser = argparse.ArgumentParser(prog="Tests/Benchmarks/poll")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    if options.runs < 1 or options.seconds < 1:
        parser.error("--runs and --seconds start at 1")
    table(options.runs, options.seconds)
    allocated(options.seconds)
    outbox()
    sys.exit(0)


main()
