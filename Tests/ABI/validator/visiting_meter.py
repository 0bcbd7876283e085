#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The line meter of the templates, but one that connects by itself: `visiting_meter.py URL`. Each line of its protocol is a message of a
WebSocket; it begins with `H` and who it is."""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "Plugins", "OCPP", "Check"), os.path.join(ROOT, "PluginAPI", "Templates", "common")]
from line_meter_device import Meter  # noqa: E402
from websocket import Ended, WebSocket  # noqa: E402


class Options:
    watts, limit, watt_hours, state, serial_number, fault, control, still = 1500.0, 3000.0, 12_250.0, "on", "LM0001", "none", None, False


def main():
    meter, url, last = Meter(Options), sys.argv[1], time.monotonic()
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
