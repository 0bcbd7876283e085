# SPDX-License-Identifier: Apache-2.0
"""Started by `replace`."""

import argparse
import os
import sys
import time

from hostile import ID, Site

# What the host may grow by, kB.
GROWTH = 1024


def main():
    parser = argparse.ArgumentParser(prog="Tests/Faults/replace")
    parser.add_argument("--rounds", type=int, default=1000)
    rounds = parser.parse_args().rounds
    with Site("") as site:
        def replace():
            former = site.plugin["process"]
            site.host.cli("plugin", "restart", ID)
            end = time.monotonic() + 30
            while (now := site.plugin["process"]) in (None, former):
                if time.monotonic() > end:
                    raise SystemExit(f"no new process after 30 s: {site.plugin}")
                time.sleep(0.01)
            return now

        # By then heaps and tables have the size that they need.
        for _ in range(max(20, rounds // 10)):
            replace()
        def files():
            return len(os.listdir(f"/proc/{site.host.pid}/fd"))
        memory, descriptors = site.memory, files()
        print(f"before: {memory} kB, {descriptors} descriptors", flush=True)
        for _ in range(rounds):
            replace()
        time.sleep(12)
        grown, kept = site.memory - memory, files() - descriptors
        print(f"after {rounds} replacements: {grown:+d} kB, {kept:+d} descriptors")
        if grown >= GROWTH or kept > 2:
            raise SystemExit("the host keeps something of each")
    sys.exit(0)


main()
