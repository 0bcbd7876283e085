#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Modbus device on pymodbus 3.16, over TCP or a serial line, that a test steers through standard input.

    modbus_device.py --tcp PORT… [--host ADDRESS] | --serial PATH [--baud N]    [--framing tcp|rtu|ascii] [--fill]

On several ports it is as many devices that hold the same. Without --framing it is Modbus TCP, or RTU on a line.

The first line of standard input describes the devices:
    {"units": {"1": {"holding": {"40": [1, 2]}, "input": {…}, "coil": {"7": [1]}, "discrete": {…}}}, "mirror": [[5004, 1100, 2]]}
An address that is not listed answers exception 2; with --fill it holds 0. `mirror` copies a register that is written
into another address, as the low word of so many. More ways of devices, each where it is given:
    "sleeps": 0.5             the first request after so many seconds is not heard
    "rejects": [[100, 50]]    a write of more than 50 to register 100 is exception 3
    "forgets": [[257, 262, 261]]    257 holds milliseconds: so long after the last request of its unit 261 gets what is in 262
    "window": {"register": 1360, "ready": 1361, "value": 34817, "after": 2, "read": 1368, "chunks": [[…], […]]}
                              a write to `register` has `ready` hold `value` at the look after `after` others, and each read of
                              `read` then gives the next of `chunks`
    "identity": {"vendor": "X", "product": "Y", "revision": "1"}    what function 43/14 tells

Prints "ready", then answers each line with one line of JSON:
    {"set": "holding"|"input", "unit": 1, "values": {"40": [1, 2]}}
    {"get": "holding", "unit": 1, "address": 40, "count": 2}        -> {"values": [1, 2]}
    {"log": true}                     -> {"log": [[time, unit, function, address, count, values or null], …]}, since the start
    {"connections": true}             -> {"connections": 1, "opened": [time, …]}, since the start
    {"fault": KIND, "times": 1, …}    KIND for so many requests (-1 = until cleared), of "unit" and "function" where given:
        exception (code), delay (seconds), drop, close, byte (one byte, then close), badtid, badunit, garbage, truncate,
        refuse (each new connection is closed)
    {"clear": true}
"""

import argparse
import asyncio
import json
import random
import ssl
import sys
import time

from pymodbus import ModbusDeviceIdentification
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.framer.ascii import FramerAscii
from pymodbus.framer.rtu import FramerRTU
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

FRAMERS = {"tcp": FramerType.SOCKET, "rtu": FramerType.RTU, "ascii": FramerType.ASCII}
TABLES = ("holding", "input", "coil", "discrete")
READ_DISCRETE, READ_INPUT = 2, 4
BIT_FUNCTIONS = (1, READ_DISCRETE, 5, 15)
ANSWER_FAULTS = ("delay", "drop", "close", "byte", "badtid", "badunit", "garbage", "truncate")


class Faults:
    def __init__(self):
        self.active = []

    def take(self, kinds, unit=None, function=None):
        """The first fault of these kinds that concerns the request; counts it."""
        for fault in self.active:
            if fault["fault"] not in kinds or fault.get("times", 1) == 0:
                continue
            if fault.get("unit", unit) != unit or fault.get("function", function) != function:
                continue
            if fault.get("times", 1) > 0:
                fault["times"] = fault.get("times", 1) - 1
            return fault
        return None


class Peer:
    def __init__(self, description, fill, framing):
        self.fill = fill
        self.framing = framing
        self.mirror = description.get("mirror", [])
        self.sleeps = description.get("sleeps")
        self.rejects = description.get("rejects", [])
        self.forgets = description.get("forgets", [])
        self.window = description.get("window")
        self.looks = None
        self.chunks = []
        self.heard = {}
        told = description.get("identity", {})
        self.identity = told and ModbusDeviceIdentification(
            info_name={"VendorName": told["vendor"], "ProductCode": told["product"], "MajorMinorRevision": told["revision"]}
        ) or None
        self.tables = {
            int(unit): {kind: self.expand(tables.get(kind, {})) for kind in TABLES}
            for unit, tables in description["units"].items()
        }
        self.faults = Faults()
        self.log = []
        self.opened = []
        self.answer_faults = []
        self.sending_late = False
        self.servers = []
        self.random = random.Random(20)

    @staticmethod
    def expand(values):
        return {int(address) + i: word for address, words in values.items() for i, word in enumerate(words)}

    def devices(self):
        # pymodbus wants every address declared beforehand, and counts only lists of values as they are; what exists is
        # decided in `act`, so that a test can add addresses.
        def registers():
            return [SimData(0, values=[0] * 65536, datatype=DataType.REGISTERS)]

        def bits():
            return [SimData(0, values=[False] * 65536, datatype=DataType.BITS)]

        def device(unit, action):
            return SimDevice(unit, simdata=(bits(), bits(), registers(), registers()), use_bit_addressing=True, action=action)

        devices = [device(unit, self.action(unit)) for unit in self.tables]
        # Unit 0 stands for all others. On a line they are silent; ignore_missing_devices does nothing in 3.16.1.
        return devices if self.framing == "tcp" else devices + [device(0, self.silence)]

    async def silence(self, function, start, address, count, memory, values):
        self.answer_faults.append({"fault": "drop"})
        return ExcCodes.ILLEGAL_ADDRESS

    def action(self, unit):
        async def act(function, start, address, count, memory, values):
            return await self.act(unit, function, start, address, count, memory, values)

        return act

    async def act(self, unit, function, start, address, count, memory, values):
        written = None if values is None else [int(value) for value in values]
        self.log.append([time.time(), unit, function, address, count, written])
        now = time.monotonic()
        silent = now - self.heard.get(unit, float("-inf"))
        self.heard[unit] = now
        if self.sleeps is not None and silent > self.sleeps:
            self.log.pop()
            self.answer_faults.append({"fault": "drop"})
            return ExcCodes.DEVICE_BUSY
        self.watch(unit, silent)
        if fault := self.faults.take(("exception",), unit, function):
            return ExcCodes(fault.get("code", 4))
        if fault := self.faults.take(ANSWER_FAULTS, unit, function):
            self.answer_faults.append(fault)
        if function in BIT_FUNCTIONS:
            return self.bits(self.tables[unit], function, address, memory, written)
        table = self.tables[unit]["input" if function == READ_INPUT else "holding"]
        if not self.fill and any(address + i not in table for i in range(count)):
            return ExcCodes.ILLEGAL_ADDRESS
        for i, value in enumerate(written or []):
            if any(address + i == register and value > most for register, most in self.rejects):
                return ExcCodes.ILLEGAL_VALUE
        for i, value in enumerate(written or []):
            table[address + i] = value
            self.reflect(table, address + i, value)
        if self.window:
            self.show(table, address, written)
        for i in range(count):
            memory[address - start + i] = table.get(address + i, 0)
        return None

    def watch(self, unit, silent):
        for time_register, fallback, register in self.forgets:
            table = self.tables[unit]["holding"]
            if table.get(time_register, 0) and silent * 1000 > table[time_register]:
                table[register] = table.get(fallback, 0)

    def show(self, table, address, written):
        window = self.window
        if written is not None and address == window["register"]:
            self.looks, self.chunks = window["after"], list(window["chunks"])
            table[window["ready"]] = 0
        elif address == window["ready"] and self.looks is not None:
            self.looks -= 1
            table[window["ready"]] = window["value"] if self.looks < 0 else 0
        elif address == window["read"] and self.chunks:
            table.update({address + i: word for i, word in enumerate(self.chunks.pop(0))})

    def bits(self, tables, function, address, memory, written):
        """pymodbus keeps 16 bits in a word, lowest first, and tells how many words it needs; the first bit decides."""
        table = tables["discrete" if function == READ_DISCRETE else "coil"]
        if not table and not self.fill:
            return ExcCodes.ILLEGAL_FUNCTION
        if address not in table and not self.fill:
            return ExcCodes.ILLEGAL_ADDRESS
        for i, value in enumerate(written or []):
            table[address + i] = value
        for word in {bit // 16 for bit in table}:
            memory[word] = sum(bool(table.get(word * 16 + i)) << i for i in range(16))
        return None

    def reflect(self, table, address, value):
        for source, target, width in self.mirror:
            if source == address:
                table.update({target + i: 0 for i in range(width)})
                table[target + width - 1] = value

    def trace(self):
        def packet(sending, data):
            if not sending or self.sending_late or not self.answer_faults:
                return data
            fault = self.answer_faults.pop(0)
            kind = fault["fault"]
            if kind == "delay":
                self.send_later(data, fault["seconds"])
            if kind in ("delay", "drop"):
                return b""
            if kind in ("close", "byte"):
                self.close_connections()
                return data[:1] if kind == "byte" else b""
            changed = bytearray(data)
            if kind == "badtid" and self.framing == "tcp":
                changed[1] ^= 0x55
            elif kind == "badunit":
                changed = bytearray(self.of_another_unit(changed))
            elif kind == "garbage":
                changed = bytearray(self.random.randbytes(len(changed) + 3))
            elif kind == "truncate":
                changed = changed[: len(changed) // 2]
            return bytes(changed)

        return packet

    def of_another_unit(self, frame):
        """The same answer as if unit 99 had given it, with a check sum that is right."""
        if self.framing == "tcp":
            return frame[:6] + bytes([99]) + frame[7:]
        if self.framing == "rtu":
            body = bytes([99]) + frame[1:-2]
            return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")
        body = bytes([99]) + bytes.fromhex(frame[3:-4].decode())
        return b":" + (body + bytes([FramerAscii.compute_LRC(body)])).hex().upper().encode() + b"\r\n"

    def connected(self, up):
        self.opened += [time.time()] if up else []
        if up and self.faults.take(("refuse",)):
            self.close_connections()

    def send_later(self, data, seconds):
        """A sleep in the request's own coroutine would not do: pymodbus gives an answer the transaction id of the request
        that came last, and so makes a late answer look like the one to the next question."""
        connection = [*self.servers[0].active_connections.values()][-1]

        def send():
            if connection.transport:
                # Its fault has been taken; the next one belongs to another answer.
                self.sending_late = True
                connection.send(data)
                self.sending_late = False

        asyncio.get_running_loop().call_later(seconds, send)

    def close_connections(self):
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for connection in list(server.active_connections.values()):
                loop.call_soon(connection.close)

    def answer(self, question):
        if "set" in question:
            self.tables[question.get("unit", next(iter(self.tables)))][question["set"]].update(
                self.expand(question["values"])
            )
        elif "get" in question:
            table = self.tables[question.get("unit", next(iter(self.tables)))][question["get"]]
            return {"values": [table.get(question["address"] + i) for i in range(question.get("count", 1))]}
        elif "connections" in question:
            return {"connections": len(self.opened), "opened": self.opened}
        elif "log" in question:
            return {"log": self.log}
        elif "fault" in question:
            self.faults.active.append(question)
        elif "clear" in question:
            self.faults.active.clear()
            self.answer_faults.clear()
        else:
            return {"error": "unknown question"}
        return {"ok": True}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp", type=int, nargs="+")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--serial")
    parser.add_argument("--baud", type=int, default=9600)
    parser.add_argument("--framing", choices=FRAMERS)
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--client-ca")
    options = parser.parse_args()

    loop = asyncio.get_running_loop()
    questions = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
    framing = options.framing or ("tcp" if options.tcp else "rtu")
    peer = Peer(json.loads(await questions.readline()), options.fill, framing)
    if options.tcp and options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        if options.client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(options.client_ca)
        # Modbus/TCP Security keeps the MBAP header, which pymodbus's own framer for TLS leaves out.
        servers = [
            ModbusTlsServer(
                peer.devices(),
                framer=FramerType.SOCKET,
                address=("127.0.0.1", port),
                sslctx=context,
                trace_packet=peer.trace(),
                trace_connect=peer.connected,
            )
            for port in options.tcp
        ]
    elif options.tcp:
        servers = [
            ModbusTcpServer(
                peer.devices(),
                framer=FRAMERS[framing],
                address=(options.host, port),
                identity=peer.identity,
                trace_packet=peer.trace(),
                trace_connect=peer.connected,
            )
            for port in options.tcp
        ]
    else:
        servers = [ModbusSerialServer(
            peer.devices(),
            framer=FRAMERS[framing],
            port=options.serial,
            baudrate=options.baud,
            trace_packet=peer.trace(),
        )]
    for server in servers:
        peer.servers.append(server)
        await server.serve_forever(background=True)
    print("ready", flush=True)
    while line := await questions.readline():
        try:
            answer = peer.answer(json.loads(line))
        except Exception as error:  # The test shows it; this process goes on.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
