# SPDX-License-Identifier: Apache-2.0
"""Started by `flood`."""

import argparse
import statistics
import sys
import time

from hostile import Site

from harness.subscriber import Subscriber

KINDS = ["", "flood-samples", "bad-samples", "flood-log", "flood-output", "flood-identity", "threads", "spin", "leak", "abort"]
PERIOD = 0.1


def stamps(does, seconds):
    """When the meter was read, and how many kB the host grew by."""
    with Site(does) as site:
        subscriber = site.add(Subscriber(site.broker.port, topics=("devices/met_grid/telemetry",)))
        time.sleep(5)
        mark, memory = subscriber.mark(), site.memory
        time.sleep(seconds)
        found = [message.json["ts"] / 1000 for message in subscriber.since(mark) if "ts" in message.json]
        return sorted(found), site.memory - memory


def main():
    parser = argparse.ArgumentParser(prog="Tests/Faults/flood")
    parser.add_argument("--seconds", type=int, default=20)
    seconds = parser.parse_args().seconds
    print("| beside it | readings | median gap, ms | largest gap, ms | shift beyond quiet, ms | host, kB |\n|---|---|---|---|---|---|")
    quiet, bad = None, []
    for does in KINDS:
        found, grown = stamps(does, seconds)
        gaps = [b - a for a, b in zip(found, found[1:])]
        largest = max(gaps) * 1000
        quiet = quiet if quiet is not None else largest
        print(
            f"| {does or 'nothing'} | {len(found)} | {statistics.median(gaps) * 1000:.0f} | {largest:.0f} | {largest - quiet:+.0f} | "
            f"{grown:+d} |", flush=True)
        if largest - quiet >= 100 or grown >= 5 * 1024:
            bad.append(does)
    if bad:
        raise SystemExit(f"too much: {', '.join(bad)}")
    sys.exit(0)


main()
