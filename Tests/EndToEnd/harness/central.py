# SPDX-License-Identifier: Apache-2.0
"""The codec's central system (`ocpp-central`) behind a real WebSocket listener, in place of the host."""

import asyncio
import base64
import json
import subprocess
import threading
import time

import websockets

from harness.paths import ROOT

TOOL = ROOT / ".build" / "release" / "ocpp-central"


def clock():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000, time.time_ns() // 1_000_000


class Central:
    """One charge point's central system. What it does is in `effects`, each a list that begins with its kind."""

    def __init__(self, version="ocpp1.6", tags=("GOOD",), stored=None, **settings):
        self.version, self.tags, self.settings = version, set(tags), settings
        self.stored = dict(stored or {})
        self.effects, self.frames, self.outcomes = [], [], {}
        self.changed = threading.Condition()
        self.ticket = 100
        self.socket = self.loop = None
        self.runs = 0
        self.process = None
        self.lock = threading.RLock()
        self.begin()

    def begin(self):
        """Starts the tool, as after a restart of the host."""
        with self.lock:
            if self.process:
                self.process.kill()
                self.process.wait()
            self.process = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            self.runs += 1
            self.exchange(["start", self.version, self.stored, self.settings, f"r{self.runs}"])

    def exchange(self, line):
        with self.lock:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())

    def do(self, verb, *arguments, at=None):
        """Effects of one input; sends go out, tags are answered, what is stored is kept."""
        with self.lock:
            boot, unix = at or clock()
            effects = self.exchange([verb, boot, unix, *arguments])
            for effect in effects:
                kind = effect[0]
                if kind == "send":
                    self.frames.append(json.loads(effect[1]))
                    if self.socket:
                        asyncio.run_coroutine_threadsafe(self.socket.send(effect[1]), self.loop)
                elif kind == "store":
                    if effect[2] is None:
                        self.stored.pop(effect[1], None)
                    else:
                        self.stored[effect[1]] = effect[2]
                elif kind == "authorize":
                    self.do("authorized", effect[1], "Accepted" if effect[2] in self.tags else "Invalid", at=at)
                elif kind == "outcome":
                    self.outcomes[effect[1]] = effect[2]
        with self.changed:
            self.effects += effects
            self.changed.notify_all()
        return effects

    def command(self, **command):
        self.ticket += 1
        self.do("command", self.ticket, command)
        ticket = self.ticket
        self.wait(lambda: ticket in self.outcomes, f"the outcome of {command}")
        return self.outcomes[ticket]

    def wait(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                found = condition()
                if found:
                    return found
                left = end - time.monotonic()
                assert left > 0, f"waited {seconds} s for {what}; last: {self.effects[-8:]}"
                self.changed.wait(min(left, 0.5))

    def of(self, kind):
        return [effect for effect in list(self.effects) if effect[0] == kind]

    def sessions(self):
        return [effect[1] for effect in self.of("session")]

    def points(self):
        merged = {}
        for effect in self.of("points"):
            merged |= effect[1]
        return merged

    def close(self):
        self.process.kill()
        self.process.wait()


class Listener:
    """A WebSocket listener with a central system for each charge point that connects."""

    def __init__(self, password=None, **settings):
        self.centrals, self.settings, self.password = {}, settings, password
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.ready.wait(30)

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.serve())

    def central(self, name, version):
        if name not in self.centrals:
            self.centrals[name] = Central(version, **self.settings)
        return self.centrals[name]

    async def serve(self):
        self.done = asyncio.Event()

        async def handle(socket):
            name = socket.request.path.rsplit("/", 1)[1]
            central = self.central(name, socket.subprotocol)
            central.socket, central.loop = socket, self.loop
            do = lambda *arguments: self.loop.run_in_executor(None, lambda: central.do(*arguments))
            ticking = asyncio.ensure_future(self.tick(do))
            await do("connected")
            try:
                async for message in socket:
                    await do("received", message if isinstance(message, str) else message.decode("latin-1"))
            except websockets.ConnectionClosed:
                pass
            finally:
                ticking.cancel()
                central.socket = None
                await do("disconnected")

        def check(connection, request):
            expected = self.password and "Basic " + base64.b64encode(self.password.encode()).decode()
            if expected and request.headers.get("Authorization") != expected:
                return connection.respond(401, "no\n")
            return None

        async with websockets.serve(
            handle, "127.0.0.1", 0, subprotocols=["ocpp2.0.1", "ocpp1.6"], max_size=1 << 22, process_request=check
        ) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.done.wait()

    async def tick(self, do):
        while True:
            await asyncio.sleep(0.2)
            await do("tick")

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/ocpp"

    def close(self):
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join(10)
        for central in self.centrals.values():
            central.close()
