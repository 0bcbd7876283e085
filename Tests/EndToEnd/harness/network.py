# SPDX-License-Identifier: Apache-2.0
"""Ports of the loopback interface, pairs of pseudo-terminals, and a listener for systemd's readiness message."""

import os
import random
import socket
import time

from .processes import Child

_given = set()


def free_port():
    """Below the range that the kernel hands out by itself, so that a port stays free while its owner restarts."""
    for _ in range(500):
        port = random.randrange(12000, 32000)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError("no free TCP port on 127.0.0.1")


def wait_listening(port, child, timeout=20):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if not child.running:
            raise AssertionError(f"{child.name} ended:\n{child.log()}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"{child.name} does not listen on {port} after {timeout} s:\n{child.log()}")


class SerialLine:
    """Two ends of a line without a driver between them: what goes in at `a` comes out at `b`, and back."""

    def __init__(self, directory):
        self.a = directory / "line-a"
        self.b = directory / "line-b"
        self._socat = Child(
            ["socat", f"pty,raw,echo=0,link={self.a}", f"pty,raw,echo=0,link={self.b}"], name="socat"
        )
        end = time.monotonic() + 10
        while not (self.a.exists() and self.b.exists()):
            if time.monotonic() > end or not self._socat.running:
                raise AssertionError(f"socat made no pseudo-terminals:\n{self._socat.log()}")
            time.sleep(0.02)

    def cut(self):
        """Both ends hang up, like an adapter pulled out of its port."""
        self._socat.kill()

    def close(self):
        self._socat.kill()


class ReadinessListener:
    """What systemd is to a service: the far end of sd_notify."""

    def __init__(self, path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def wait_ready(self, child, timeout):
        end = time.monotonic() + timeout
        self._socket.settimeout(0.1)
        while time.monotonic() < end:
            try:
                if "READY=1" in self._socket.recv(4096).decode().splitlines():
                    return
            except TimeoutError:
                if not child.running:
                    raise AssertionError(
                        f"the host ended with {child.process.returncode} before it was ready:\n{child.log()}"
                    ) from None
        raise AssertionError(f"the host was not ready within {timeout} s:\n{child.log()}")

    def next(self, timeout):
        """The next message, None where none comes in time."""
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            return None

    def drain(self):
        """Forgets what has come."""
        self._socket.settimeout(0)
        try:
            while True:
                self._socket.recv(4096)
        except BlockingIOError:
            pass

    def close(self):
        self._socket.close()
        os.unlink(self.path)
