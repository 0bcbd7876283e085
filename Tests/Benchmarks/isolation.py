# SPDX-License-Identifier: Apache-2.0
"""Started by `isolation`: the polls of a device in the host and in a child, as the host counts them, and the memory of a child, both
with the Modbus adapter."""

import statistics
import sys
import time

from common import Devices, Workplace, cpu, register_template, rollup, templates

from harness.host import Host

# Bytes.
MOST_PRIVATE = 6_000_000
# Microseconds that a poll may take more in a child.
MOST_LATER = 60
# Many short runs: what runs beside them on the machine lasts longer than one of them.
RUNS = 8
# Seconds: of each run, and of a stretch whose mean is taken.
SECONDS, STRETCH = 6, 2


def polled(isolation):
    """Microseconds that a poll of 10 registers every 100 ms takes: by the host's clock, the median of stretches, and of the processor, the
    questions for the counts included."""
    with Workplace() as place:
        (port,) = place.add(Devices(place, 1)).ports
        entry = {"id": "met_0", "template": register_template(place.directory, 10), "endpoint": f"tcp://127.0.0.1:{port}", "poll": "100ms"}
        host = Host(place.directory, None, devices=[entry], plugins={"isolation": isolation}, **templates(place.directory))
        place.add(host.start())

        def counts():
            quality = host.json("devices")[0]["quality"]
            return quality["polls"], quality["poll_seconds"]

        time.sleep(3)
        seen, spent = [counts()], cpu(host.pid)
        for _ in range(SECONDS // STRETCH):
            time.sleep(STRETCH)
            seen.append(counts())
        spent = cpu(host.pid) - spent
        times = [(after[1] - before[1]) / (after[0] - before[0]) for before, after in zip(seen, seen[1:])]
        return statistics.median(times) * 1e6, spent / (seen[-1][0] - seen[0][0]) * 1e6


def polls():
    """False where a child takes too much longer."""
    found = {"host": [], "child": []}
    for _ in range(RUNS):
        for isolation, runs in found.items():
            runs.append(polled(isolation))
    print(f"A poll of 10 registers every 100 ms, Modbus TCP, as the host counts, medians of {RUNS} runs (each run), us:\n")
    print("| | time | of the processor |\n|---|---|---|")
    medians = {}
    for isolation, runs in found.items():
        columns = list(zip(*runs))
        medians[isolation] = [statistics.median(column) for column in columns]
        cells = [f"{median:.0f} ({', '.join(f'{value:.0f}' for value in column)})" for median, column in zip(medians[isolation], columns)]
        print(f"| {isolation} | {' | '.join(cells)} |", flush=True)
    print()
    later = medians["child"][0] - medians["host"][0]
    if later > MOST_LATER:
        print(f"Not as wanted: at most {MOST_LATER} us more in a child; it is {later:.0f}.\n")
    return later <= MOST_LATER


def memory():
    """False where a child has too much."""
    good = True
    print("| devices | private, KiB | of that clean | PSS, KiB | threads |\n|---|---|---|---|---|")
    for count in (1, 10, 50):
        with Workplace() as place:
            devices = place.add(Devices(place, count))
            name = register_template(place.directory, 20)
            entries = [
                {"id": f"met_{number}", "template": name, "endpoint": f"tcp://127.0.0.1:{port}", "poll": "1s"}
                for number, port in enumerate(devices.ports)
            ]
            host = place.add(Host(place.directory, None, devices=entries, **templates(place.directory)).start())
            # What only the start needed is given back by then.
            time.sleep(45)
            child = next(plugin["process"] for plugin in host.json("plugins") if plugin["process"])
            found = rollup(child)
            threads = next(line.split()[1] for line in open(f"/proc/{child}/status") if line.startswith("Threads"))
            print(f"| {count} | {found['Private']} | {found['Private_Clean']} | {found['Pss']} | {threads} |", flush=True)
            good = good and found["Private"] * 1024 <= MOST_PRIVATE
    if not good:
        print(f"Not as wanted: at most {MOST_PRIVATE / 1e6:.0f} MB private.")
    return good


results = [polls(), memory()]
sys.exit(0 if all(results) else 1)
