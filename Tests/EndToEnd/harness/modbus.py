# SPDX-License-Identifier: Apache-2.0
"""A pymodbus server as the device at the far end, and what it was asked."""

import json
import sys
import time
from dataclasses import dataclass

from .network import SerialLine, free_port
from .paths import PEERS
from .processes import Conversation


@dataclass
class Request:
    time: float
    unit: int
    function: int
    address: int
    count: int
    values: list | None

    @property
    def writes(self):
        return self.values is not None


class ModbusDevice:
    """`units`: {unit: {"holding": {address: [words]}, "input": {…}}}. `line`: a SerialLine, else TCP, on several ports
    with `count`. `framing`: tcp, rtu or ascii, where it is not the usual one. `tls`: TCP with TLS, of a dictionary with
    `certificate`, `key` and, where clients need a certificate, `ca`. `ways`: what else peers/modbus_device.py can be told.
    """

    def __init__(
        self, units, *, line=None, baud=9600, fill=False, mirror=(), count=1, host="127.0.0.1", port=None, framing=None,
        tls=None, **ways
    ):
        self._ways = ways
        self._framing = framing
        self.line = line
        self.host = host
        self.baud = baud
        self.ports = [] if line else [port] if port else [free_port() for _ in range(count)]
        self.port = self.ports[0] if self.ports else None
        self._units = units
        self._fill = fill
        self._mirror = list(mirror)
        self._child = None
        self._tls = tls

    @property
    def endpoint(self):
        if self.line:
            return f"serial://{self.line.b}?baud={self.baud}"
        return f"{'tls' if self._tls else 'tcp'}://{self.host}:{self.port}"

    def become(self, units):
        """Another device at the same address, from the next start on."""
        self._units = units

    def start(self):
        where = ["--serial", self.line.a, "--baud", self.baud] if self.line else [
            "--tcp", *self.ports, "--host", self.host]
        self._child = Conversation(
            [
                sys.executable, PEERS / "modbus_device.py", *where, *(["--fill"] if self._fill else []),
                *(["--framing", self._framing] if self._framing else []), *self._tls_options,
            ],
            name="the pymodbus device",
        )
        self._child.process.stdin.write(json.dumps({"units": self._units, "mirror": self._mirror, **self._ways}) + "\n")
        self._child.process.stdin.flush()
        self._child.wait_line(lambda line: line == "ready", 90)
        return self

    @property
    def _tls_options(self):
        if not self._tls:
            return []
        ca = ["--client-ca", self._tls["ca"]] if self._tls.get("ca") else []
        return ["--certificate", self._tls["certificate"], "--key", self._tls["key"], *ca]

    def stop(self):
        """Connections to it are refused from now on."""
        self._child.kill()

    close = stop

    def _ask(self, **question):
        answer = json.loads(self._child.ask(json.dumps(question)))
        assert "error" not in answer, answer["error"]
        return answer

    def set(self, values, *, table="holding", unit=None):
        """`values`: {address: [words]}."""
        self._ask(set=table, values=values, **({} if unit is None else {"unit": unit}))

    def get(self, address, count=1, *, table="holding", unit=None):
        return self._ask(get=table, address=address, count=count, **({} if unit is None else {"unit": unit}))["values"]

    def fault(self, kind, *, times=-1, **details):
        self._ask(fault=kind, times=times, **details)

    def clear(self):
        self._ask(clear=True)

    def requests(self):
        return [Request(*entry) for entry in self._ask(log=True)["log"]]

    def connections(self):
        """TCP connections that were opened since the start."""
        return self._ask(connections=True)["connections"]

    def opened(self):
        """When they were opened."""
        return self._ask(connections=True)["opened"]

    def writes(self, address=None):
        return [r for r in self.requests() if r.writes and (address is None or r.address == address)]

    def wait_write(self, wanted, timeout=15, *, after=0):
        """The first write from number `after` on for which `wanted(request)` holds. The device cannot call the test, so
        this asks it again and again."""
        end = time.monotonic() + timeout
        while True:
            for request in self.writes()[after:]:
                if wanted(request):
                    return request
            if time.monotonic() > end:
                raise AssertionError(f"the device was not written as expected within {timeout} s: {self.writes()[after:]}")
            time.sleep(0.05)


def serial_device(directory, units, **options):
    """A device on a pair of pseudo-terminals, and the pair."""
    line = SerialLine(directory)
    return ModbusDevice(units, line=line, **options), line
