# SPDX-License-Identifier: Apache-2.0
"""Started by `memory`: a broker, five simulated devices and the host, measured from outside through /proc."""

import argparse
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from common import cpu, memory

from harness.broker import Broker
from harness.host import Host
from harness.network import SerialLine, free_port, wait_listening
from harness.paths import BUSBAR, DIRECTORIES, PLUGINS
from harness.processes import Child
from harness.subscriber import Subscriber, is_telemetry

HUAWEI = ["huawei-sun2000", "huawei-luna2000", "huawei-sun2000-meter"]
# Seconds after the first value before anything is measured: plugins, templates and the database are warm by then.
SETTLE = 5


def simulate(closing, templates, endpoint, port=None):
    child = Child([BUSBAR, "simulate", *templates, "--listen", endpoint, *DIRECTORIES], name=f"simulated {templates[0]}")
    closing.append(child.kill)
    if port:
        wait_listening(port, child)


def site(closing, directory, poll):
    """Five devices, as the demo has them; the sections `links` and `devices`."""
    ports = {name: free_port() for name in ("sma", "huawei", "keba", "stiebel")}
    endpoints = {name: f"tcp://127.0.0.1:{port}" for name, port in ports.items()}
    simulate(closing, ["sma-sunny-tripower"], endpoints["sma"], ports["sma"])
    simulate(closing, HUAWEI, endpoints["huawei"], ports["huawei"])
    simulate(closing, ["keba-p40"], endpoints["keba"], ports["keba"])
    simulate(closing, ["stiebel-eltron-isg"], endpoints["stiebel"], ports["stiebel"])
    line = SerialLine(directory)
    closing.append(line.close)
    simulate(closing, ["eastron-sdm630"], f"serial://{line.a}?baud=9600")
    links = [{"id": "huawei", "adapter": "modbus", "endpoint": endpoints["huawei"]}]
    devices = [
        {"id": "sol_sma", "template": "sma-sunny-tripower", "endpoint": endpoints["sma"]},
        *({"id": f"dev_{name}", "template": name, "link": "huawei"} for name in HUAWEI),
        {"id": "evc_keba", "template": "keba-p40", "endpoint": endpoints["keba"]},
        {"id": "hp_stiebel", "template": "stiebel-eltron-isg", "endpoint": endpoints["stiebel"]},
        {"id": "met_eastron", "template": "eastron-sdm630", "endpoint": f"serial://{line.b}?baud=9600"},
    ]
    for device in devices:
        # The wallbox wants half a second between requests, whatever anybody asks for.
        if poll and device["template"] != "keba-p40":
            device["poll"] = poll
    return links, devices


def measure(seconds, poll):
    closing = []
    directory = Path(tempfile.mkdtemp(prefix="busbar-"))
    closing.append(lambda: shutil.rmtree(directory, ignore_errors=True))
    try:
        broker = Broker(directory / "broker").start()
        closing.append(broker.close)
        subscriber = Subscriber(broker.port)
        closing.append(subscriber.close)
        links, devices = site(closing, directory, poll)
        host = Host(directory, broker, links=links, devices=devices).start()
        closing.append(host.close)
        ready = time.monotonic() - host.started
        first = subscriber.wait_for(is_telemetry, 30).at - host.started
        for device in devices:
            subscriber.wait_telemetry(device["id"], timeout=60)
        time.sleep(SETTLE)
        polls = sum(link["calls"] for link in host.json("links"))
        spent, at = cpu(host.pid), time.monotonic()
        position = subscriber.mark()
        time.sleep(seconds)
        spent, elapsed = cpu(host.pid) - spent, time.monotonic() - at
        messages = len(subscriber.since(position))
        polls = sum(link["calls"] for link in host.json("links")) - polls
        resident, private, dirty = memory(host.pid)
        return {
            "ready after start (s)": ready,
            "first value at the broker (s)": first,
            "resident memory (MiB)": resident / 1024,
            "of it private (MiB)": private / 1024,
            "of it private and written (MiB)": dirty / 1024,
            "threads": len(list(Path(f"/proc/{host.pid}/task").iterdir())),
            "polls a second": polls / elapsed,
            "messages a second": messages / elapsed,
            "CPU a poll (µs)": spent / polls * 1e6,
            "CPU of one core (%)": spent / elapsed * 100,
        }
    finally:
        for close in reversed(closing):
            close()


def main():
    parser = argparse.ArgumentParser(prog="Tests/Benchmarks/memory")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=30, help="how long CPU is measured in each run")
    parser.add_argument("--poll", help="a period for all devices but the wallbox, such as 200ms; default: the templates' own")
    options = parser.parse_args()
    if options.runs < 1 or options.seconds < 1:
        parser.error("--runs and --seconds start at 1")
    runs = []
    for number in range(options.runs):
        print(f"Run {number + 1} of {options.runs}, about {options.seconds + 25} s…", file=sys.stderr, flush=True)
        runs.append(measure(options.seconds, options.poll))
    print(f"Medians of {options.runs} runs, five simulated devices ({platform.machine()}, Linux {platform.release()}):")
    for name in runs[0]:
        print(f"  {name:34}{statistics.median(run[name] for run in runs):10.2f}")
    print(f"  {'busbar on disk (MiB)':34}{BUSBAR.stat().st_size / 2**20:10.2f}")
    for plugin in sorted(PLUGINS.glob("*.so")):
        print(f"  {plugin.name + ' on disk (MiB)':34}{plugin.stat().st_size / 2**20:10.2f}")


main()
