# SPDX-License-Identifier: Apache-2.0
"""Devices that are none: raw TCP servers that answer as they like."""

import socket
import struct
import threading


class RawServer:
    """`answer(request)` gives the bytes to send back, or None to close. Counts connections and what is open at a time."""

    def __init__(self, answer, host="127.0.0.1", port=0):
        self._answer = answer
        self._lock = threading.Lock()
        self.requests = []
        self.connections = 0
        self.open = 0
        self.most = 0
        self._listener = socket.create_server((host, port))
        self.host, self.port = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self):
        return f"tcp://{self.host}:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self.open += 1
                self.most = max(self.most, self.open)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            while True:
                try:
                    request = connection.recv(512)
                except OSError:
                    request = b""
                answer = self._answer(request) if request else None
                if request:
                    with self._lock:
                        self.requests.append(request)
                if answer is None:
                    break
                try:
                    connection.sendall(answer)
                except OSError:
                    break
        with self._lock:
            self.open -= 1

    def close(self):
        self._listener.close()


def any_unit(registers):
    """A device that answers for each unit, as many with one network interface do. `registers`: {address: word}, holding and
    input alike; others are refused with exception 2."""

    def answer(request):
        if len(request) < 12:
            return b""
        transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", request[:12])
        words = [registers.get(address + i) for i in range(count)]
        if function not in (3, 4) or None in words:
            pdu = bytes([function | 0x80, 2 if function in (3, 4) else 1])
        else:
            pdu = bytes([function, 2 * count]) + struct.pack(f">{count}H", *words)
        return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu

    return answer
