# SPDX-License-Identifier: Apache-2.0
"""Stops one thread of a process, as a bug would, while all others go on."""

import ctypes
import os
from pathlib import Path

# ptrace(2), linux/ptrace.h, linux/wait.h
_DETACH, _SEIZE, _INTERRUPT = 17, 0x4206, 0x4207
_WALL = 0x40000000

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.restype = ctypes.c_long
_ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def _call(request, thread):
    if _ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace of thread {thread}")


def threads(process):
    """Names by number."""
    found = {}
    for task in Path(f"/proc/{process}/task").iterdir():
        try:
            found[int(task.name)] = (task / "comm").read_text().rstrip("\n")
        except FileNotFoundError:
            pass
    return found


class Frozen:
    """`with Frozen(process, "uplink"):` the only thread of that name stands still."""

    def __init__(self, process, name):
        (self.thread,) = [number for number, known in threads(process).items() if known == name]

    def __enter__(self):
        _call(_SEIZE, self.thread)
        _call(_INTERRUPT, self.thread)
        os.waitpid(self.thread, _WALL)
        return self

    def __exit__(self, *_):
        try:
            _call(_DETACH, self.thread)
        except OSError:
            # It was ended meanwhile, and its process is gone only when whoever held it knows.
            os.waitpid(self.thread, _WALL)
