#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A simulated line meter, on TCP or on a serial line. Standard library only.

    line_meter_device.py --port 0             listens on a free port of 127.0.0.1 and prints it as its first line
    line_meter_device.py --serial /dev/pts/3  answers there instead

Faults to try a plugin with: --fault silent | slow | garbled | endless | closing | refusing
--control FILE: lines such as `watts 1200` or `fault garbled` in this file change the device while it runs."""

import argparse
import os
import signal
import socketserver
import sys
import termios
import threading
import time

FAULTS = ("none", "silent", "slow", "garbled", "endless", "closing", "refusing")


class Meter:
    """A heating rod that draws what it is allowed to, and counts."""

    def __init__(self, options):
        self.lock = threading.Lock()
        self.wanted, self.limit, self.watt_hours = options.watts, options.limit, options.watt_hours
        self.state, self.serial, self.fault, self.control = options.state, options.serial_number, options.fault, options.control
        self.still, self.since, self.read = options.still, time.monotonic(), None

    def settings(self):
        """Takes over what is in the control file, when it has changed."""
        try:
            changed = os.stat(self.control).st_mtime_ns if self.control else None
            if changed is None or changed == self.read:
                return
            with open(self.control, encoding="utf-8") as file:
                lines = [line.split() for line in file if line.strip()]
        except OSError:
            return
        self.read = changed
        for name, value in (line for line in lines if len(line) == 2):
            if name == "fault" and value in FAULTS:
                self.fault = value
            elif name == "state":
                self.state = value
            elif name in ("watts", "limit", "watt_hours"):
                setattr(self, {"watts": "wanted"}.get(name, name), float(value))

    def answer(self, line):
        """The reply to one line, without its newline; None = says nothing."""
        with self.lock:
            self.settings()
            now = time.monotonic()
            watts = min(self.wanted, self.limit) if self.state == "on" else 0
            self.watt_hours += 0 if self.still else watts * (now - self.since) / 3600
            self.since = now
            if line == "R":
                return f"{watts:.1f} {self.watt_hours:.3f} {self.state}"
            if line == "I":
                return f"LM-1 {self.serial} 2.1"
            if line == "L":
                return f"{self.limit:g}"
            if line.startswith("W "):
                try:
                    limit = float(line[2:])
                except ValueError:
                    return "NO"
                if not 0 <= limit <= 100_000 or self.fault == "refusing":
                    return "NO"
                self.limit = limit
                return "OK"
            return "?"

    def reply(self, line):
        """Bytes to send, or None to close the connection."""
        text = self.answer(line)
        if self.fault == "silent":
            return b""
        if self.fault == "slow":
            time.sleep(5)
        if self.fault == "garbled":
            return b"nan -1\x00\xff ??\n"
        if self.fault == "endless":
            return b"9" * 4096
        if self.fault == "closing":
            return None
        return text.encode() + b"\n"


def serve(meter, read, write):
    """Answers until the far end is gone. `read` returns what came, empty at the end."""
    pending = b""
    while True:
        chunk = read()
        if not chunk:
            return
        pending = (pending + chunk)[-4096:]
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            reply = meter.reply(line.decode("ascii", "replace").strip())
            if reply is None:
                return
            write(reply)


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            serve(self.server.meter, lambda: self.request.recv(256), self.request.sendall)
        except OSError:
            return


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def raw(descriptor):
    """No echo, no line editing: bytes as they are."""
    mode = termios.tcgetattr(descriptor)
    mode[0] = mode[1] = mode[3] = 0
    mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, mode)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 = a free one")
    where.add_argument("--serial", metavar="PATH", help="a serial line or pseudo-terminal")
    parser.add_argument("--watts", type=float, default=1500.0, help="what it draws when nothing limits it")
    parser.add_argument("--watt-hours", type=float, default=12_250.0, help="what the counter starts with")
    parser.add_argument("--still", action="store_true", help="the counter does not move, for exact comparisons")
    parser.add_argument("--limit", type=float, default=3000.0)
    parser.add_argument("--state", default="on", help="on, off, fault, or nonsense")
    parser.add_argument("--serial-number", default="LM0001")
    parser.add_argument("--fault", choices=FAULTS, default="none")
    parser.add_argument("--control", metavar="FILE")
    options = parser.parse_args()
    meter = Meter(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if options.serial:
            descriptor = os.open(options.serial, os.O_RDWR | os.O_NOCTTY)
            raw(descriptor)
            print(options.serial, flush=True)
            serve(meter, lambda: os.read(descriptor, 256), lambda data: os.write(descriptor, data))
        else:
            with Server(("127.0.0.1", options.port), Connection) as server:
                server.meter = meter
                print(server.server_address[1], flush=True)
                server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
