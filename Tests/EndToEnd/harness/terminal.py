# SPDX-License-Identifier: Apache-2.0
"""Commands as a person sees them: on a pseudo-terminal."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

from .paths import BUSBAR


def terminal(*arguments, seconds=3, environment=None, width=None):
    """Runs a command on a pseudo-terminal for a while; what it wrote."""
    process, descriptor = pty.fork()
    if process == 0:
        if width:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 60, width, 0, 0))
        os.execve(BUSBAR, ["busbar", *map(str, arguments)], os.environ | {"TERM": "xterm-256color"} | (environment or {}))
    output = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([descriptor], [], [], 0.1)[0]:
            continue
        try:
            output += os.read(descriptor, 65536)
        except OSError:
            break
    try:
        os.kill(process, signal.SIGTERM)
    except ProcessLookupError:
        pass
    os.waitpid(process, 0)
    os.close(descriptor)
    return output.decode(errors="replace")


def on_a_terminal(host, *arguments, width=80):
    """Of a command that ends by itself, without colours."""
    return terminal(*arguments, "--socket", host.socket, seconds=20, environment={"NO_COLOR": "1"}, width=width)
