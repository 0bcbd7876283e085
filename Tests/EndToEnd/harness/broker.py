# SPDX-License-Identifier: Apache-2.0
"""A mosquitto of Debian on a port of its own, which keeps what it has over a restart."""

import getpass
import os
import shutil

from .network import free_port, wait_listening
from .processes import Child


class Broker:
    def __init__(self, directory, *, tls=None, anonymous=True, lines=()):
        """`tls`: dictionary with `ca`, `certificate`, `key` (paths), `client` (true = clients need a certificate)."""
        self.directory = directory
        self.port = free_port()
        self.tls = tls
        self._child = None
        directory.mkdir(parents=True, exist_ok=True)
        self._program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert self._program, "mosquitto is not installed; run packaging/setup --tests"
        configuration = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {str(anonymous).lower()}",
            f"user {getpass.getuser()}",
            "persistence true",
            f"persistence_location {directory}/",
            # Without these two a broker that is killed forgets what it acknowledged (measured, 2.0.11).
            "autosave_interval 1",
            "autosave_on_changes true",
            "max_queued_messages 0",
            "log_type all",
            "connection_messages true",
        ]
        if tls:
            configuration += [f"cafile {tls['ca']}", f"certfile {tls['certificate']}", f"keyfile {tls['key']}"]
            if tls.get("client"):
                configuration += ["require_certificate true", "use_identity_as_username true"]
        configuration += lines
        (directory / "mosquitto.conf").write_text("\n".join(configuration) + "\n")

    def start(self):
        self._child = Child([self._program, "-c", self.directory / "mosquitto.conf"], name="mosquitto")
        wait_listening(self.port, self._child)
        return self

    def stop(self):
        if self._child:
            self._child.stop()

    def kill(self):
        self._child.kill()

    def restart(self):
        self.stop()
        self.start()

    @property
    def pid(self):
        return self._child.pid

    @property
    def running(self):
        return self._child is not None and self._child.running

    def log(self):
        return self._child.log(400)

    def wait_log(self, wanted, timeout=20):
        return self._child.wait_line(wanted, timeout)

    def close(self):
        if self.running:
            self._child.kill()
