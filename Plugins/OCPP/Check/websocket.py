# SPDX-License-Identifier: Apache-2.0
"""The client's side of a WebSocket (RFC 6455) for devices that are played. Standard library only."""

import base64
import hashlib
import os
import socket
import struct
import threading
import urllib.parse

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LONGEST = 1 << 20


class Ended(Exception):
    """The connection is gone, or never came to be."""


class WebSocket:
    """One connection. Messages may be sent from any thread."""

    def __init__(self, url, subprotocol, patience=3600):
        """Connects; `patience` seconds may pass until the far end lets it in."""
        place = urllib.parse.urlsplit(url)
        self.lock, self.pending = threading.Lock(), b""
        try:
            self.socket = socket.create_connection((place.hostname, place.port or 80), timeout=patience)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._shake_hands(place, subprotocol)
            self.socket.settimeout(None)
        except OSError as error:
            raise Ended(str(error)) from None

    def _shake_hands(self, place, subprotocol):
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {place.path or '/'} HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.pending:
            self._more()
            if len(self.pending) > 1 << 16:
                raise Ended("the answer has no end")
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        accept = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
        if not status.startswith("HTTP/1.1 101") or headers.get("sec-websocket-accept") != accept:
            raise Ended(f"not let in: {status}")
        if headers.get("sec-websocket-protocol") != subprotocol:
            raise Ended(f"the far end does not speak {subprotocol}")

    def send(self, text):
        self._frame(TEXT, text.encode())

    def receive(self):
        """The next text. Pings are answered meanwhile."""
        message = b""
        while True:
            last, kind, data = self._read_frame()
            if kind == PING:
                self._frame(PONG, data)
            elif kind == CLOSE:
                self._frame(CLOSE, data[:2])
                self.close()
                raise Ended("closed by the far end")
            elif kind != PONG:
                message += data
                if len(message) > LONGEST:
                    raise Ended("a message that is too long")
                if last:
                    return message.decode("utf-8", "replace")

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass

    def _frame(self, kind, data):
        mask = os.urandom(4)
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 0x80 | 127, size)
        masked = bytes(byte ^ mask[index & 3] for index, byte in enumerate(data))
        try:
            with self.lock:
                self.socket.sendall(head + mask + masked)
        except OSError as error:
            raise Ended(str(error)) from None

    def _read_frame(self):
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self._take(8))[0]
        if size > LONGEST:
            raise Ended("a frame that is too long")
        return first & 0x80 != 0, first & 0x0F, self._take(size)

    def _take(self, count):
        while len(self.pending) < count:
            self._more()
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def _more(self):
        try:
            chunk = self.socket.recv(65536)
        except (OSError, ValueError) as error:
            raise Ended(str(error)) from None
        if not chunk:
            raise Ended("the connection has ended")
        self.pending += chunk
