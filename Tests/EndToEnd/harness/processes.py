# SPDX-License-Identifier: Apache-2.0
"""Child processes whose output is collected, and that end with the test."""

import os
import signal
import subprocess
import threading
import time


class Child:
    """A process in a group of its own. Lines of its output are kept, and can be waited for."""

    def __init__(self, arguments, *, name, environment=None, directory=None, stdin=subprocess.DEVNULL):
        self.name = name
        self.lines = []
        self._changed = threading.Condition()
        self._ended = False
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=directory,
            start_new_session=True,
            text=True,
            errors="replace",
            bufsize=1,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process.poll() is None

    def log(self, last=60):
        with self._changed:
            return "\n".join(self.lines[-last:])

    def wait_line(self, wanted, timeout=20):
        """The first line for which `wanted(line)` holds, of those written so far and to come."""
        end = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if wanted(line):
                        return line
                seen = len(self.lines)
                if self._ended:
                    raise AssertionError(f"{self.name} ended without the expected line:\n{self.log()}")
                left = end - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise AssertionError(f"{self.name} did not print the expected line in {timeout} s:\n{self.log()}")

    def signal(self, number):
        if self.running:
            os.kill(self.pid, number)

    def stop(self, timeout=15):
        """SIGTERM; returns the exit code. A process that does not end is killed and fails the test."""
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout} s of SIGTERM:\n{self.log()}") from None
        finally:
            self._reader.join(5)

    def kill(self):
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(10)
        self._reader.join(5)


class Conversation(Child):
    """A child that answers one JSON line with one JSON line, after a first line "ready"."""

    def __init__(self, arguments, **options):
        super().__init__(arguments, stdin=subprocess.PIPE, **options)

    def ask(self, text, timeout=10):
        with self._changed:
            position = len(self.lines)
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                for line in self.lines[position:]:
                    if line.startswith("{"):
                        return line
                if self._ended or not self._changed.wait(max(0.0, end - time.monotonic())):
                    raise AssertionError(f"{self.name} did not answer {text[:80]}:\n{self.log()}")
