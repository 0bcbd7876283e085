# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: programs in C, templates of plain registers, readings of /proc."""

import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

from harness.network import free_port  # noqa: E402
from harness.paths import TEMPLATES  # noqa: E402
from harness.processes import Child  # noqa: E402


# Ends what is left of a benchmark that was killed. Each line of its input names a process, the first the directory.
CARETAKER = """
import os, shutil, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
lines = sys.stdin.read().split("\\n")
if lines[-1] != "closed":
    for line in lines[1:]:
        if line:
            try:
                os.killpg(int(line), signal.SIGKILL)
            except ProcessLookupError:
                pass
    shutil.rmtree(lines[0], ignore_errors=True)
"""


class Workplace:
    """A directory and what is to be closed, last first; also where the benchmark itself is ended, however that happens."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="busbar-"))
        self._closing = [lambda: shutil.rmtree(self.directory, ignore_errors=True)]
        self._caretaker = subprocess.Popen(
            [sys.executable, "-c", CARETAKER], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        self._tell(str(self.directory) + "\n")
        # An orderly end by SIGTERM too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def _tell(self, text):
        self._caretaker.stdin.write(text)
        self._caretaker.stdin.flush()

    def add(self, thing):
        self._closing.append(thing.close)
        if hasattr(thing, "pid"):
            self._tell(f"{thing.pid}\n")
        return thing

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for close in reversed(self._closing):
            close()
        self._tell("closed")
        self._caretaker.communicate()


def compile_c(directory, name, *flags):
    output = directory / name
    subprocess.run(
        ["gcc", "-O2", "-std=gnu17", "-Wall", "-Wextra", "-o", output, HERE / "C" / f"{name}.c", *flags], check=True
    )
    return output


class Devices(Child):
    """The C device on so many ports."""

    def __init__(self, place, count):
        self.ports = [free_port() for _ in range(count)]
        super().__init__([compile_c(place.directory, "device"), *self.ports], name="the C device")
        self.wait_line(lambda line: line == "ready")

    close = Child.kill


def register_template(directory, registers):
    """A meter of so many points, each a register, in one block from 0."""
    points = {
        "power": {"register": 0, "type": "uint16", "unit": "W"},
        "energy_import": {"register": 1, "type": "uint16", "unit": "Wh", "kind": "counter"},
        "energy_export": {"register": 2, "type": "uint16", "unit": "Wh", "kind": "counter"},
        **{f"value_{number}": {"register": number, "type": "uint16", "unit": "W"} for number in range(3, registers)},
    }
    name = f"registers-{registers}"
    folder = directory / "templates"
    folder.mkdir(exist_ok=True)
    head = {"template": name, "title": name, "adapter": "modbus", "kind": "meter", "vendor": "Example", "models": ["R"],
            "source": "made for this benchmark", "confidence": "community"}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(head | {"modbus": {"points": points}}, sort_keys=False))
    return name


def templates(directory):
    return {"templates": {"directories": [str(TEMPLATES), str(directory / "templates")]}}


def family(pid):
    """The process and those that it started."""
    children = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in brackets may hold anything.
            parent = file.read_text().rpartition(")")[2].split()[1]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid:
            children.append(int(file.parent.name))
    return [pid, *(member for child in children for member in family(child))]


def rollup(pid):
    """KiB by name, of /proc/PID/smaps_rollup, with `Private`: clean and written together."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    return sizes | {"Private": sizes["Private_Clean"] + sizes["Private_Dirty"]}


def memory(pid):
    """KiB of the process and its children: resident, private, of it written."""
    found = [rollup(member) for member in family(pid)]
    return tuple(sum(sizes[name] for sizes in found) for name in ("Rss", "Private", "Private_Dirty"))


def own_cpu(pid):
    """Seconds on a processor, of all threads, also of those that have ended, to the nanosecond: the process's own clock
    (clock_getcpuclockid(3), which Python lacks: the number is made as the C library makes it)."""
    return time.clock_gettime(~pid << 3 | 2)


def cpu(pid):
    """Of the process and its children."""
    return sum(own_cpu(member) for member in family(pid))


def allocations(file):
    """Calls and bytes so far, of a process with counting.so."""
    return struct.unpack("<QQ", file.read_bytes()[:16])
