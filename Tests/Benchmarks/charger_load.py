# SPDX-License-Identifier: Apache-2.0
"""Started by `chargers`: so many charge points of OCPP 1.6 in one process, with a WebSocket of its own that does no more than it must,
so that the load weighs little beside what is measured. A heartbeat a minute and meter values every ten seconds each. Prints one JSON
object: how long answers took, seconds."""

import argparse
import asyncio
import base64
import json
import os
import random
import ssl
import struct
import time

MASK = b"\x01\x02\x03\x04"
TABLE = [bytes(byte ^ key for byte in range(256)) for key in MASK]
SAMPLES = [{"value": "12345", "unit": "Wh"}, {"value": "7000", "unit": "W", "measurand": "Power.Active.Import"}]
for number in (1, 2, 3):
    SAMPLES.append({"value": "10.1", "unit": "A", "measurand": "Current.Import", "phase": f"L{number}"})
    SAMPLES.append({"value": "230.2", "unit": "V", "measurand": "Voltage", "phase": f"L{number}-N"})


def masked(data):
    out = bytearray(data)
    for place in range(4):
        out[place::4] = out[place::4].translate(TABLE[place])
    return bytes(out)


class Charger(asyncio.Protocol):
    def __init__(self, load, name):
        self.load, self.name = load, name
        self.buffer, self.open, self.count = b"", False, 0
        self.asked = {}
        self.ready = load.loop.create_future()

    def connection_made(self, transport):
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ocpp/{self.name} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode())

    def connection_lost(self, error):
        if self.open:
            self.load.lost += 1
        self.open = False
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"{self.name}: {error}"))

    def data_received(self, data):
        self.buffer += data
        if not self.open:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                self.ready.set_exception(ConnectionError(head.splitlines()[0].decode()))
                self.transport.abort()
                return
            self.open, self.buffer = True, rest
        while len(self.buffer) >= 2:
            length, start = self.buffer[1] & 127, 2
            if length == 126:
                if len(self.buffer) < 4:
                    return
                length, start = struct.unpack(">H", self.buffer[2:4])[0], 4
            if len(self.buffer) < start + length:
                return
            kind, body = self.buffer[0] & 15, self.buffer[start : start + length]
            self.buffer = self.buffer[start + length :]
            if kind == 9:
                self.frame(10, body)
            elif kind == 1:
                self.message(body)

    def message(self, body):
        if body.startswith(b"[3,"):
            identity = body[4 : body.index(b'"', 4)].decode()
            since = self.asked.pop(identity, None)
            if since is not None and self.load.measuring:
                self.load.times.append(time.perf_counter() - since)
            self.load.answers += 1
            if identity == "b" and not self.ready.done():
                self.ready.set_result(True)
            return
        message = json.loads(body)
        if message[0] != 2:
            self.load.errors += 1
            return
        answers = {"GetConfiguration": {"configurationKey": []}, "UnlockConnector": {"status": "Unlocked"}}
        answer = answers.get(message[2], {"status": "NotImplemented"})
        self.frame(1, json.dumps([3, message[1], answer]).encode())

    def frame(self, kind, body):
        length = len(body)
        head = struct.pack(">BB", 0x80 | kind, 0x80 | length) if length < 126 else struct.pack(">BBH", 0x80 | kind, 0xFE, length)
        self.transport.write(head + MASK + masked(body))

    def call(self, action, payload, identity=None):
        self.count += 1
        identity = identity or str(self.count)
        self.asked[identity] = time.perf_counter()
        self.load.sent += 1
        self.frame(1, f'[2,"{identity}","{action}",{payload}]'.encode())

    def meter(self):
        self.call("MeterValues", '{"connectorId":1,"meterValue":[{"timestamp":"%s","sampledValue":%s}]}' % (self.load.stamp, self.load.samples))


class Load:
    def __init__(self, options):
        self.options = options
        self.loop = asyncio.get_running_loop()
        self.times, self.sent, self.answers, self.lost, self.errors, self.measuring = [], 0, 0, 0, 0, False
        self.samples = json.dumps(SAMPLES, separators=(",", ":"))
        self.stamp = ""
        self.context = None
        if options.ca:
            self.context = ssl.create_default_context(cafile=options.ca)
            self.context.check_hostname = False

    async def connect(self, name):
        """As a charger does it: who is told to come back later comes back later."""
        end = time.monotonic() + 300
        while True:
            try:
                return await self.connect_once(name)
            except ConnectionError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(1)

    async def connect_once(self, name):
        _, charger = await self.loop.create_connection(
            lambda: Charger(self, name), "127.0.0.1", self.options.port, ssl=self.context, server_hostname="localhost" if self.context else None)
        while not charger.open and not charger.ready.done():
            await asyncio.sleep(0.01)
        charger.call("BootNotification", '{"chargePointVendor":"V","chargePointModel":"M","chargePointSerialNumber":"%s"}' % name, "b")
        await charger.ready
        charger.call("StatusNotification", '{"connectorId":1,"errorCode":"NoError","status":"Charging"}')
        return charger

    async def life(self, charger):
        await asyncio.sleep(random.random() * self.options.meter)
        beat = self.loop.time() + random.random() * 60
        while charger.open:
            charger.meter()
            if self.loop.time() >= beat:
                charger.call("Heartbeat", "{}")
                beat += 60
            await asyncio.sleep(self.options.meter)

    async def clock(self):
        while True:
            self.stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            await asyncio.sleep(0.5)

    async def run(self):
        options = self.options
        asyncio.ensure_future(self.clock())
        await asyncio.sleep(0)
        chargers, began = [], time.monotonic()
        names = [f"CP-{number}" for number in range(options.count)]
        for start in range(0, len(names), options.together):
            chargers += await asyncio.gather(*(self.connect(name) for name in names[start : start + options.together]))
        print(json.dumps({"connected": len(chargers), "seconds": time.monotonic() - began}), flush=True)
        lives = [asyncio.ensure_future(self.life(charger)) for charger in chargers]
        await self.loop.run_in_executor(None, input)
        self.measuring, self.sent, self.answers = True, 0, 0
        await asyncio.sleep(options.seconds)
        self.measuring = False
        times = sorted(self.times)
        rank = lambda share: times[min(len(times) - 1, int(len(times) * share))] if times else None
        print(json.dumps({"answers": len(times), "p50": rank(0.5), "p99": rank(0.99), "most": times[-1] if times else None,
                          "lost": self.lost, "errors": self.errors}), flush=True)  # fmt: skip
        await self.loop.run_in_executor(None, input)
        for life in lives:
            life.cancel()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--meter", type=float, default=10)
    parser.add_argument("--together", type=int, default=50)
    parser.add_argument("--ca")
    await Load(parser.parse_args()).run()


asyncio.run(main())
