#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The line meter of the templates, but one that connects by itself: `visiting_meter.py URL`. Each line of its protocol is a message of a
WebSocket; it begins with `H` and who it is.

With `visiting_meter.py URL FILE` it first says more than anybody can take, and adds to the file how many bytes of that had left when it
had to wait."""

import os
import select
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "Plugins", "OCPP", "Check"), os.path.join(ROOT, "PluginAPI", "Templates", "common")]
from line_meter_device import Meter  # noqa: E402
from websocket import Ended, WebSocket  # noqa: E402


class Options:
    watts, limit, watt_hours, state, serial_number, fault, control, still = 1500.0, 3000.0, 12_250.0, "on", "LM0001", "none", None, False


def flood(line):
    """Sends one long message after another. How many bytes have left when nothing goes on for a while."""
    message = struct.pack("!BBQ4x", 0x81, 0xFF, 1 << 20) + b"x" * (1 << 20)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
    line.setblocking(False)
    gone = 0
    while gone < 64 * len(message) and select.select([], [line], [], 0.3)[1]:
        gone += line.send(message[gone % len(message):])
    return gone


def main():
    meter, url, last = Meter(Options), sys.argv[1], time.monotonic()
    if sys.argv[2:]:
        first = WebSocket(url, "line.1")
        first.send(f"H {meter.answer('I')}")
        gone = flood(first.socket)
        first.close()
        with open(sys.argv[2], "a", encoding="utf-8") as file:
            print(gone, file=file)
    # Where the check was killed nobody else would end it.
    while time.monotonic() - last < 30:
        try:
            socket = WebSocket(url, "line.1")
            last = time.monotonic()
            socket.send(f"H {meter.answer('I')}")
            while True:
                socket.send(meter.answer(socket.receive().strip()))
                last = time.monotonic()
        except Ended:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
