# SPDX-License-Identifier: Apache-2.0
"""Started by `isolation`: the memory of a child with a plugin in Swift."""

import sys
import time

from common import Devices, Workplace, register_template, rollup, templates

from harness.host import Host

# Bytes.
MOST_PRIVATE = 6_000_000


def main():
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
    sys.exit(0 if good else 1)


main()
