#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the plain C plugin with every compiler that is there, runs it in smoke.c under the address and undefined
behaviour sanitizers against the simulated meter, and compares what comes out line by line."""

import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile

import contract

HERE = os.path.dirname(os.path.abspath(__file__))
TEMPLATE = os.path.join(contract.ROOT, "PluginAPI", "Templates", "c")
DEVICE = os.path.join(contract.ROOT, "PluginAPI", "Templates", "common", "line_meter_device.py")
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=undefined"
SETTINGS = '{"unit": "W", "scale": 1, "rated_power": 3000, "safe_limit": 1000}'
DECLARED = [
    "point power type 1 unit 2 ", "point energy_total type 1 unit 3 ", 'point state type 5 unit 1 {"labels": ["off", "on", "fault"]}']
START = ["wrong major refused", "plugin org.example.line 1.0.0", "open ok", *DECLARED,
         'point power_limit type 1 unit 2 writable {"safe": 1000}', "add ok"]
IDENTITY = "identity 7 Example/LM-1/LM0001"
GOOD = ["power 1500", "energy_total 12250", "state 1", "power_limit 3000", "poll ok"]
BAD = ["power bad 7", "energy_total bad 7", "state bad 7", "power_limit bad 7", "poll ok"]
NO_ANSWER = "poll failed, class 1 reason 1"
END = ["because this connection has its one line meter already", "add again failed, class 2 reason 1024", "broken 0"]
REFUSED = ["command ok", "outcome 3"]

# (name, what the device is told, settings, polls and commands, what must come out)
CASES = [
    ("reads and identifies itself once", [], SETTINGS, ["2"], START + [IDENTITY] + GOOD + GOOD + END),
    ("sets a limit and reads it back", [], SETTINGS, ["1", "power_limit=1200.5"],
     START + [IDENTITY] + GOOD + ["command ok", "outcome 1 1200.5"] + END),
    ("a dry run changes nothing", [], SETTINGS, ["0", "power_limit=?900", "power_limit=3000"],
     START + ["command ok", "outcome 1", "command ok", "outcome 1 3000"] + END),
    ("refuses what is out of range", [], SETTINGS, ["0", "power_limit=4000", "power_limit=-1", "power_limit=nan"],
     START + (["because power_limit is a number of watts from 0 to rated_power"] + REFUSED) * 3 + END),
    ("refuses what cannot be written", [], SETTINGS, ["0", "power=3"],
     START + ["because only power_limit can be written"] + REFUSED + END),
    ("does not act after the expiry", [], SETTINGS, ["0", "power_limit=!900", "power_limit=?3000"],
     START + ["because too late"] + REFUSED + ["command ok", "outcome 1"] + END),
    ("passes on that the device says no", ["--fault", "refusing"], SETTINGS, ["0", "power_limit=900"],
     START + ["because the meter says no"] + REFUSED + END),
    ("converts units and scale both ways", ["--watts", "1.5", "--watt-hours", "12.25", "--limit", "3"],
     SETTINGS.replace('"W"', '"kW"').replace('"scale": 1', '"scale": 2').replace("3000", "9000"), ["1", "power_limit=5000"],
     START + [IDENTITY, "power 3000", "energy_total 24500", "state 1", "power_limit 6000", "poll ok", "command ok",
              "outcome 1 5000"] + END),
    ("a state that it does not know is bad alone", ["--state", "dancing"], SETTINGS, ["1"],
     START + [IDENTITY, "power 0", "energy_total 12250", "state bad 7", "power_limit 3000", "poll ok"] + END),
    ("nonsense is bad, and a named fault", ["--fault", "garbled"], SETTINGS, ["2", "power_limit=900"],
     START + ["problem 7 GarbledAnswer raised"] + BAD + BAD + ["command ok", "outcome 4"] + END),
    ("an answer without end is bad", ["--fault", "endless"], SETTINGS, ["1"],
     START + ["problem 7 GarbledAnswer raised"] + BAD + END),
    ("a silent device is a failure, and a command's outcome unknown", ["--fault", "silent"], SETTINGS,
     ["2", "power_limit=900"],
     START + [NO_ANSWER, NO_ANSWER, "command ok", "outcome 4"] + END),
    ("a closed connection is a failure", ["--fault", "closing"], SETTINGS, ["1"],
     START + ["poll failed, class 1 reason 2"] + END),
    ("settings that contradict each other are refused with a reason", [], SETTINGS.replace("1000", "5000"), ["1"],
     START[:3] + ["because safe_limit is above rated_power", "add failed, class 2 reason 1024", "broken 0"]),
    ("a missing setting is refused with a reason", [], '{"unit": "W"}', ["1"],
     START[:3] + ["because unit, scale, rated_power and safe_limit are needed", "add failed, class 2 reason 1024",
                  "broken 0"]),
]


def build(folder, compiler):
    """(smoke, plugin) with sanitizers; None and the message where the compiler cannot."""
    smoke = os.path.join(folder, f"smoke-{compiler}")
    out = os.path.join(folder, compiler)
    include = contract.INCLUDE
    flags = ["-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *SANITIZE.split(), "-I", include]
    run = subprocess.run([compiler, *flags, os.path.join(HERE, "smoke.c"), "-o", smoke], capture_output=True, text=True)
    if run.returncode == 0:
        # The sanitizer's own functions are in the executable.
        run = subprocess.run(["make", "-s", "-C", TEMPLATE, f"CC={compiler}", f"OUT={out}", f"BUSBAR_INCLUDE={include}",
                              f"CFLAGS=-g -O1 {SANITIZE}", "STRICT="], capture_output=True, text=True)
    return (smoke, os.path.join(out, "line_meter.so")), run.stderr if run.returncode else None


class Device:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([sys.executable, DEVICE, "--still", *arguments], stdout=subprocess.PIPE,
                                        text=True)
        self.place = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def run_case(smoke, plugin, case, environment=()):
    """None, or what went wrong."""
    name, told, settings, arguments, wanted = case
    with Device(*told) as device:
        run = subprocess.run([smoke, plugin, device.place, settings, *arguments], capture_output=True, text=True,
                             timeout=60,
                             env=os.environ | dict(environment))
    if run.returncode or run.stderr:
        return f"exit code {run.returncode}\n{run.stdout}{run.stderr}"
    lines = run.stdout.split("\n")[:-1]
    if lines != wanted:
        place = next((i for i, (a, b) in enumerate(zip(lines, wanted)) if a != b), min(len(lines), len(wanted)))
        show = lambda some: some[place] if place < len(some) else "(the end)"
        return f"line {place + 1} is “{show(lines)}”, must be “{show(wanted)}”"
    return None


def serial_answer():
    """The meter on a pseudo-terminal: its answer to R."""
    ours, theirs = pty.openpty()
    try:
        with Device("--serial", os.ttyname(theirs)):
            os.write(ours, b"R\n")
            data = b""
            while not data.endswith(b"\n") and select.select([ours], [], [], 10)[0]:
                data += os.read(ours, 64)
            return data
    finally:
        os.close(ours)
        os.close(theirs)


def main():
    passed = failed = 0

    def verdict(name, problem):
        nonlocal passed, failed
        passed, failed = passed + (problem is None), failed + (problem is not None)
        if problem is not None:
            print(f"failed: {name}: {problem}")

    with tempfile.TemporaryDirectory() as folder:
        for compiler in (name for name in ("gcc", "clang") if shutil.which(name)):
            (smoke, plugin), problem = build(folder, compiler)
            verdict(f"{compiler}: builds", problem)
            if problem:
                continue
            for case in CASES:
                # Long where an answer comes, however busy the machine is; short where none ever does.
                time = "300" if "silent" in case[1] else "10000"
                verdict(f"{compiler}: {case[0]}", run_case(smoke, plugin, case, {"SMOKE_DEADLINE_MS": time}))
            busy = ("gives way when the host is busy", [], SETTINGS, ["1"], START + [IDENTITY, "busy", "poll ok"] + END)
            verdict(f"{compiler}: {busy[0]}", run_case(smoke, plugin, busy, {"SMOKE_BUSY": "1"}))
            bare = ("does without diagnostics", ["--fault", "garbled"], SETTINGS, ["1"], START + BAD + END)
            verdict(f"{compiler}: {bare[0]}", run_case(smoke, plugin, bare, {"SMOKE_BARE": "1"}))
            wrong = ("", [], SETTINGS, ["1"], START + [IDENTITY, "power 1501"])
            verdict(f"{compiler}: this test notices a wrong value",
                    None if "must be “power 1501”" in str(run_case(smoke, plugin, wrong)) else "it does not")
        verdict("the simulated meter answers on a serial line",
                None if serial_answer() == b"1500.0 12250.000 on\n" else "it does not")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
