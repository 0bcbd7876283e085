# SPDX-License-Identifier: Apache-2.0
"""A device that connects by itself, with the PyPI package `websockets`; and the plugin that it talks to (visitor.c)."""

import base64
import subprocess

from websockets.sync.client import connect

from .network import free_port
from .paths import ROOT

SOURCE = ROOT / "Tests" / "Unit" / "Plugins" / "Fixtures" / "visitor.c"
WAIT = 30


def build(target):
    partial = target.with_name(f".{target.name}.partial")
    subprocess.run(
        ["cc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror",
         "-I", ROOT / "PluginAPI/C/include", "-o", partial, SOURCE],
        check=True, capture_output=True, text=True, timeout=120,
    )
    partial.chmod(0o644)
    partial.rename(target)
    return target


def listener(**settings):
    """An entry under `listeners`, on a free port."""
    return {"listen": f"127.0.0.1:{free_port()}", **settings}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class Visitor:
    """A connection that stands."""

    def __init__(self, address, name, *, at="site", user=None, password=None, subprotocols=("visit.1",), scheme="ws", **options):
        headers = basic(user or name, password) if password is not None else {}
        self.connecting = connect(
            f"{scheme}://{address}/{at}/{name}", subprotocols=list(subprotocols) or None, additional_headers=headers,
            open_timeout=WAIT, compression=None, **options)
        self.socket = self.connecting.__enter__()

    def hear(self, timeout=WAIT):
        return self.socket.recv(timeout=timeout)

    def say(self, text):
        self.socket.send(text)

    def ask(self, text, timeout=WAIT):
        self.say(text)
        return self.hear(timeout)

    def close(self):
        self.connecting.__exit__(None, None, None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
