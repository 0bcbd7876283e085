# SPDX-License-Identifier: Apache-2.0
"""Started by `chargers`: a central system on the PyPI packages `ocpp` and `websockets`, which answers and does nothing else."""

import asyncio
import sys

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result

STAMP = "2026-11-22T21:12:17.095Z"


class Point(ChargePoint):
    @on("BootNotification")
    def boot(self, **_):
        return call_result.BootNotification(current_time=STAMP, interval=300, status="Accepted")

    @on("StatusNotification")
    def status(self, **_):
        return call_result.StatusNotification()

    @on("MeterValues")
    def meter(self, **_):
        return call_result.MeterValues()

    @on("Heartbeat")
    def heartbeat(self, **_):
        return call_result.Heartbeat(current_time=STAMP)


async def main():
    async def serve(socket):
        try:
            await Point(socket.request.path.rsplit("/", 1)[1], socket).start()
        except websockets.ConnectionClosed:
            pass

    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1]), subprotocols=["ocpp1.6"]):
        print("ready", flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
