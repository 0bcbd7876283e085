# SPDX-License-Identifier: Apache-2.0
"""CPU a message of our central system and of one made with the PyPI package `ocpp`, on the same messages in one run: a charging
day of 1.6 from BootNotification to StopTransaction, mostly meter values."""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from ocpp.routing import on  # noqa: E402
from ocpp.v16 import ChargePoint, call_result  # noqa: E402

from harness.central import TOOL  # noqa: E402

PHASES = [("L1", "10.1", "230.2"), ("L2", "10.2", "231.0"), ("L3", "9.9", "229.8")]


def day():
    yield "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": "S"}
    yield "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}
    yield "Authorize", {"idTag": "TAG"}
    for number in range(40):
        samples = [{"value": str(1000 + number * 30), "unit": "Wh"}, {"value": "7000", "unit": "W", "measurand": "Power.Active.Import"}]
        for phase, current, voltage in PHASES:
            samples.append({"value": current, "unit": "A", "measurand": "Current.Import", "phase": phase})
            samples.append({"value": voltage, "unit": "V", "measurand": "Voltage", "phase": phase + "-N"})
        yield "MeterValues", {"connectorId": 1, "meterValue": [{"timestamp": "2026-11-22T21:12:24.061Z", "sampledValue": samples}]}
        if number % 10 == 0:
            yield "Heartbeat", {}


class Python(ChargePoint):
    @on("BootNotification")
    def boot(self, **_):
        return call_result.BootNotification(current_time="2026-11-22T21:12:17.095Z", interval=300, status="Accepted")

    @on("StatusNotification")
    def status(self, **_):
        return call_result.StatusNotification()

    @on("Authorize")
    def authorize(self, **_):
        return call_result.Authorize(id_tag_info={"status": "Accepted"})

    @on("MeterValues")
    def meter(self, **_):
        return call_result.MeterValues()

    @on("Heartbeat")
    def heartbeat(self, **_):
        return call_result.Heartbeat(current_time="2026-11-22T21:12:17.095Z")


class Nowhere:
    async def send(self, text):
        self.last = text


async def python(messages, rounds):
    point = Python("CP", Nowhere())
    start = time.process_time_ns()
    for number in range(rounds):
        for index, (action, payload) in enumerate(messages):
            await point.route_message(json.dumps([2, f"{number}-{index}", action, payload]))
    return (time.process_time_ns() - start) / (rounds * len(messages))


def ours(messages, rounds):
    lines = "\n".join(f"{json.dumps(action)},{json.dumps(payload)}]" for action, payload in messages)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([TOOL, "--messages", str(rounds)], input=lines + "\n", stdout=subprocess.DEVNULL, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds * 1e9 / (rounds * len(messages))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    messages = list(day())
    results = [(ours(messages, 1000), asyncio.run(python(messages, 20))) for _ in range(options.runs)]
    mine, theirs = (statistics.median(column) for column in zip(*results))
    print(f"messages                {len(messages)}, {sum(len(json.dumps(p)) for _, p in messages) // len(messages)} bytes each")
    print(f"CPU a message, ours     {mine / 1000:.1f} us, {1e9 / mine:,.0f} messages a second on one core")
    print(f"CPU a message, Python   {theirs / 1000:.1f} us; {theirs / mine:.0f} times ours")


main()
