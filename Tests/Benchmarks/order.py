# SPDX-License-Identifier: Apache-2.0
"""Started by `order`: follows the polls of a Modbus device step by step, with the plugin in a child and in the host, and writes which
functions of the program and of the plugin they come by."""

import bisect
import re
import subprocess
import sys
import time
from pathlib import Path

from common import Devices, Workplace, compile_c, register_template, templates

from harness.host import Host
from harness.paths import BUSBAR, PLUGINS

# Seconds that a thread is followed; a poll takes some 250,000 steps in a child.
SECONDS = 25
# Far enough apart that a poll that is followed ends before the next.
PERIOD = "10s"
# Functions that a poll calls, at least.
LEAST = 300
# Threads that polls come by, in the order in which a poll does.
THREADS = ("lane-", "plugin-", "links")
HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# The functions that a poll calls lie side by side in the program, in this order: after a pause each page and each line of code has to come
# from memory again. Written by Tests/Benchmarks/order; what is not in the program any more does no harm.
"""


class Image:
    """A program or library by the addresses of its functions."""

    def __init__(self, file):
        self.segments = []
        for line in subprocess.run(["readelf", "-lW", file], capture_output=True, text=True, check=True).stdout.splitlines():
            if line.split()[:1] == ["LOAD"]:
                offset, address, _, size = (int(number, 16) for number in line.split()[1:5])
                self.segments.append((offset, address, size))
        names = {}
        for line in subprocess.run(["nm", "--defined-only", file], capture_output=True, text=True, check=True).stdout.splitlines():
            address, kind, name = line.split(" ", 2)
            if kind in "tTwW":
                names.setdefault(int(address, 16), []).append(name)
        self.addresses = sorted(names)
        self.names = names

    def at(self, offset):
        """All names of the function at an offset of the file: equal ones may share a place."""
        for start, address, size in self.segments:
            if start <= offset < start + size:
                place = bisect.bisect_right(self.addresses, offset - start + address) - 1
                return self.names[self.addresses[place]] if place >= 0 else []
        return []


def threads(process):
    """(number, name) of the threads of a process that polls come by."""
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith(THREADS) and name != "plugin-watch":
            found.append((int(task.name), name))
    return sorted(found, key=lambda thread: next(place for place, start in enumerate(THREADS) if thread[1].startswith(start)))


def mapped(process, images):
    """(from, to, offset, image) of the code of a process. A plugin is run from a copy that is named after its contents."""
    found = []
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+ +(/.*)", line)
        if match is None:
            continue
        name = Path(match[4]).name
        image = "plugin" if re.match(r"[0-9a-f]{64}\.so", name) else "program" if name == BUSBAR.name else None
        if image is not None:
            found.append((*(int(number, 16) for number in match.groups()[:3]), images[image]))
    return found


def followed(isolation, images):
    """The names of functions, in the order in which polls come by them."""
    names = {}
    kinds = set()
    with Workplace() as place:
        steps = compile_c(place.directory, "steps")
        (port,) = place.add(Devices(place, 1)).ports
        entry = {"id": "met_0", "template": register_template(place.directory, 10), "endpoint": f"tcp://127.0.0.1:{port}", "poll": PERIOD}
        host = Host(place.directory, None, devices=[entry], plugins={"isolation": isolation}, **templates(place.directory))
        place.add(host.start())
        # What only the first polls need is not what polls need.
        time.sleep(25)
        children = [plugin["process"] for plugin in host.json("plugins") if plugin["process"]]
        for process in [*children, host.pid]:
            code = mapped(process, images)
            for thread, name in threads(process):
                found = subprocess.run([steps, str(thread), str(SECONDS)], capture_output=True, text=True)
                # A child that was held up by this may have been replaced.
                if found.returncode != 0 and Path(f"/proc/{process}/task/{thread}").exists():
                    sys.exit(f"{name} cannot be followed: {found.stderr.strip()}")
                addresses = [int(line, 16) for line in found.stdout.split()]
                before = len(names)
                kinds.update(start for start in THREADS if addresses and name.startswith(start))
                for address in addresses:
                    for start, end, offset, image in code:
                        if start <= address < end:
                            names.update(dict.fromkeys(image.at(address - start + offset)))
                print(f"{isolation}: {name}, {len(addresses)} instructions, {len(names) - before} more functions", flush=True)
    missing = set(THREADS) - kinds - ({"plugin-"} if isolation == "host" else set())
    if missing:
        sys.exit(f"{isolation}: nobody could follow {', '.join(sorted(missing))}; a busy machine takes too long for its steps")
    return names


images = {"program": Image(BUSBAR), "plugin": Image(PLUGINS / "libBusbarModbus.so")}
order = followed("child", images) | followed("host", images)
# Names that the linker makes lie before code that has none of its own; names with a number change with every build.
order = [name for name in order if not name.startswith("_") and not re.search(r"\.\d+$", name)]
if len(order) < LEAST:
    sys.exit(f"{len(order)} functions are too few for a poll; {sys.argv[1]} stays as it is")
Path(sys.argv[1]).write_text(HEAD + "".join(f"{name}\n" for name in order))
print(f"{len(order)} functions in {sys.argv[1]}")
