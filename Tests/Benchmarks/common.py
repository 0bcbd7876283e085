# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: programs in C, templates of plain registers, readings of /proc."""

import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEnd"))

from harness.network import free_port  # noqa: E402
from harness.paths import TEMPLATES  # noqa: E402
from harness.processes import Child  # noqa: E402


class Workplace:
    """A directory and what is to be closed, last first."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="busbar-"))
        self._closing = [lambda: shutil.rmtree(self.directory, ignore_errors=True)]

    def add(self, thing):
        self._closing.append(thing.close)
        return thing

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for close in reversed(self._closing):
            close()


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


def memory(pid):
    """KiB: resident, private, of it written."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    sizes = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", rollup, re.MULTILINE)}
    return sizes["Rss"], sizes["Private_Clean"] + sizes["Private_Dirty"], sizes["Private_Dirty"]


def family(pid):
    """The process and its children: plugins run there."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [pid, *children]


def cpu(pid):
    """Seconds on a processor, of all threads and of the plugins' processes, to the nanosecond; the clock ticks of
    /proc/PID/stat are too coarse."""
    total = 0
    for task in (task for process in family(pid) for task in Path(f"/proc/{process}/task").iterdir()):
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            continue
    return total / 1e9


def allocations(file):
    """Calls and bytes so far, of a process with counting.so."""
    return struct.unpack("<QQ", file.read_bytes()[:16])
