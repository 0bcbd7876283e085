# SPDX-License-Identifier: Apache-2.0
"""Started by `chargers`."""

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
import uuid

from common import HERE, Workplace, cpu, memory

import harness.host
from harness.authority import Authority
from harness.broker import Broker
from harness.host import Host
from harness.network import free_port
from harness.processes import Child
from harness.subscriber import Subscriber

MOST_ANSWER, MOST_COMMAND, MOST_MEMORY = 0.100, 0.050, 30.0


class Load(Child):
    close = Child.kill

    def __init__(self, port, count, seconds, *, ca=None, together=50, meter=10):
        options = ["--port", port, "--count", count, "--seconds", seconds, "--together", together, "--meter", meter]
        super().__init__(
            [sys.executable, "-B", HERE / "charger_load.py", *options, *(["--ca", ca] if ca else [])], name="the chargers",
            stdin=subprocess.PIPE)
        self.connected = self.next("connected", 900)

    def next(self, member, timeout):
        return json.loads(self.wait_line(lambda line: line.startswith("{") and member in json.loads(line), timeout))

    def go_on(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def at_once(client):
    client.on_socket_open = lambda _, __, opened: opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def commands(subscriber, names, rounds):
    """From publishing a command to its answer from the charger, seconds."""
    times = []
    for number in range(rounds):
        name = names[number % len(names)]
        content = {"id": uuid.uuid4().hex, "ts": int(time.time() * 1000), "action": "unlock", "args": {"connector": 1}}
        position, started = subscriber.mark(), time.perf_counter()
        subscriber.publish(f"devices/{name}/commands/request", content)
        answer = subscriber.wait_for(
            lambda m: m.topic == f"devices/{name}/commands/response" and m.json["id"] == content["id"], 30, since=position)
        times.append(time.perf_counter() - started)
        assert answer.json["status"] == "done", answer.json
    times.sort()
    return statistics.median(times), times[int(len(times) * 0.99)]


def host_run(options):
    with Workplace() as place:
        # A broker that writes everything to disk at each change, and holds small packets back, would be what is measured.
        lines = ("set_tcp_nodelay true", "autosave_interval 1800", "autosave_on_changes false")
        broker = place.add(Broker(place.directory / "broker", lines=lines).start())
        listener = {"listen": f"127.0.0.1:{free_port()}", "tls": "off", "login": "none"}
        ca = None
        if options.tls:
            authority = Authority(place.directory / "ca", "Chargers")
            certificate, key = authority.issue("localhost", alternative="DNS:localhost,IP:127.0.0.1")
            ca, listener["tls"] = authority.certificate, {"certificate": str(certificate), "key": str(key)}
        Host.isolation = options.isolation
        harness.host.READY = 600
        entries = [
            {"id": f"evc_{number}", "adapter": "ocpp", "endpoint": f"listener:ocpp/CP-{number}", "write": True}
            for number in range(options.chargers)
        ]
        host = place.add(Host(place.directory, broker, listeners={"ocpp": listener}, devices=entries).start())
        time.sleep(5)
        before = memory(host.pid)
        load = place.add(Load(listener["listen"].split(":")[1], options.chargers, options.seconds, ca=ca))
        time.sleep(15)
        after = memory(host.pid)
        load.go_on()
        spent, started = cpu(host.pid), time.monotonic()
        found = load.next("p99", options.seconds + 120)
        spent = cpu(host.pid) - spent
        elapsed = time.monotonic() - started
        subscriber = place.add(Subscriber(broker.port, topics=("devices/+/commands/response",), configure=at_once))
        command = commands(subscriber, [entry["id"] for entry in entries[:50]], options.commands)
        load.go_on()
    return {"load": found, "connected": load.connected, "before": before, "after": after, "cpu": spent / found["answers"],
            "share": spent / elapsed, "command": command}  # fmt: skip


def python_run(count, seconds, meter):
    """CPU a message of the Python central system."""
    port = free_port()
    with Workplace() as place:
        server = place.add(Server([sys.executable, "-B", HERE / "charger_central.py", port], name="the Python central system"))
        server.wait_line(lambda line: line == "ready")
        before = memory(server.pid)
        load = place.add(Load(port, count, seconds, meter=meter))
        time.sleep(5)
        after = memory(server.pid)
        load.go_on()
        spent = cpu(server.pid)
        found = load.next("p99", seconds + 120)
        return {"cpu": (cpu(server.pid) - spent) / found["answers"], "p99": found["p99"], "memory": (after[1] - before[1]) / count}


class Server(Child):
    close = Child.kill


def main():
    parser = argparse.ArgumentParser(prog="Tests/Benchmarks/chargers")
    parser.add_argument("--chargers", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--commands", type=int, default=500)
    parser.add_argument("--isolation", choices=["child", "host"], default="child")
    parser.add_argument("--tls", action="store_true", help="wss; at 3,000 chargers unless --chargers says so")
    options = parser.parse_args()
    if options.tls and "--chargers" not in " ".join(sys.argv):
        options.chargers = 3_000
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    run = host_run(options)
    load, private = run["load"], (run["after"][1] - run["before"][1]) / options.chargers
    total = run["after"][1] / options.chargers
    print(f"{options.chargers} chargers {'with' if options.tls else 'without'} TLS, adapter in the {options.isolation}, {os.cpu_count()} cores:")
    print(f"  connected in {run['connected']['seconds']:.0f} s; lost {load['lost']}, errors {load['errors']}")
    print(f"  answers {load['answers']} in {options.seconds} s: p50 {load['p50'] * 1e3:.1f} ms, p99 {load['p99'] * 1e3:.1f} ms, most {load['most'] * 1e3:.0f} ms")
    print(f"  memory a charger {private:.1f} KiB by connecting, {total:.1f} KiB with its device and the host")
    print(f"  CPU {run['cpu'] * 1e6:.0f} µs a message, {run['share'] * 100:.0f} % of a core")
    print(f"  commands from MQTT and back: p50 {run['command'][0] * 1e3:.1f} ms, p99 {run['command'][1] * 1e3:.1f} ms")
    # Messages as often a second, as far as Python can.
    count = min(options.chargers, 500)
    python = python_run(count, min(options.seconds, 60), meter=1)
    print(f"  the Python central system, {count} chargers: CPU {python['cpu'] * 1e6:.0f} µs a message, {python['memory']:.1f} KiB a charger; "
          f"ours is {run['cpu'] / python['cpu']:.2f} of it, with MQTT, buffer and status in it")
    good = load["p99"] < MOST_ANSWER and run["command"][1] < MOST_COMMAND and load["lost"] == 0
    good = good and (options.tls or private < MOST_MEMORY)
    if not good:
        print(f"Not as wanted: p99 of answers below {MOST_ANSWER * 1e3:.0f} ms, of commands {MOST_COMMAND * 1e3:.0f} ms, none lost, "
              f"{MOST_MEMORY:.0f} KiB a charger without TLS.")
    sys.exit(0 if good else 1)


main()
