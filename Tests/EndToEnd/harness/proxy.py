# SPDX-License-Identifier: Apache-2.0
"""A TCP relay between host and broker that can be made slow, or deaf."""

import socket
import threading
import time

from .network import free_port


class Proxy:
    def __init__(self, target):
        self.target = target
        self.port = free_port()
        # Bytes a second upwards; None = as fast as it goes.
        self.rate = None
        self._silent = threading.Event()
        self._open = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                near.close()
                continue
            # A small window, so that what the relay has not taken stays with the host.
            near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with self._lock:
                self._open |= {near, far}
            for source, sink, limited in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._copy, args=(source, sink, limited), daemon=True).start()

    def _reader(self, near, upwards):
        """Sees the bytes of one direction before they are passed on."""
        return lambda data: None

    def _copy(self, source, sink, limited):
        look = self._reader(source if limited else sink, limited)
        try:
            while data := source.recv(1024):
                if self._silent.is_set():
                    continue
                if limited and self.rate:
                    time.sleep(len(data) / self.rate)
                look(data)
                sink.sendall(data)
        except OSError:
            pass
        self._drop({source, sink})

    def _drop(self, sockets):
        with self._lock:
            self._open -= sockets
        for connection in sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def cut(self):
        """Ends all connections; new ones are taken."""
        with self._lock:
            sockets = set(self._open)
        self._drop(sockets)

    def swallow(self, silent=True):
        """Connections stay open and nothing goes through: a cable cut far away."""
        if silent:
            self._silent.set()
        else:
            self._silent.clear()

    def close(self):
        self._listener.close()
        self.cut()
