# SPDX-License-Identifier: Apache-2.0
"""The staged host on a configuration of the test's own."""

import json
import os
import signal
import subprocess

import yaml

from .network import ReadinessListener
from .paths import BUSBAR, PLUGINS, TEMPLATES
from .processes import Child

# What a test waits for the host to be ready. Far above what it takes, so that a loaded machine fails nothing.
READY = 30


class Host:
    # Where plugins run unless a test says so: --isolation of pytest.
    isolation = "child"

    def __init__(self, directory, broker=None, **configuration):
        """`configuration`: the sections of busbar.yaml; those that are left out get values for a test."""
        self.directory = directory
        self.file = directory / "busbar.yaml"
        self.socket = directory / "busbar.sock"
        self.logs = []
        self._child = None
        state = directory / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        self.configuration = {
            "host": {"id": "gw-test", "state": str(state)},
            "plugins": {"directories": [str(PLUGINS)], "isolation": self.isolation},
            "templates": {"directories": [str(TEMPLATES)]},
            "devices": [],
        }
        if broker:
            self.configuration["uplink"] = {"url": f"mqtt://127.0.0.1:{broker.port}"}
        for section, content in configuration.items():
            if isinstance(content, dict) and isinstance(self.configuration.get(section), dict):
                self.configuration[section].update(content)
            else:
                self.configuration[section] = content
        self.write()

    def write(self, **sections):
        self.configuration.update(sections)
        self.file.write_text(yaml.safe_dump(self.configuration, sort_keys=False))

    @property
    def environment(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        # A crash has to end at once, not after minutes of collecting symbols.
        return kept | {"SWIFT_BACKTRACE": "enable=no"}

    def start(self, *, wait=True, options=(), environment=None, services=None):
        """`options`: further ones of `busbar run`. `environment`: on top of the test's own. `services`: a
        ReadinessListener that goes on after the start."""
        readiness = services or ReadinessListener(self.directory / "notify")
        try:
            self._child = Child(
                [BUSBAR, "run", "--config", self.file, "--socket", self.socket, *options],
                name="the host",
                environment=self.environment | (environment or {}) | {"NOTIFY_SOCKET": str(readiness.path)},
                directory=self.directory,
            )
            self.logs.append(self._child)
            if wait:
                readiness.wait_ready(self._child, READY)
        finally:
            if readiness is not services:
                readiness.close()
        return self

    @property
    def pid(self):
        return self._child.pid

    @property
    def running(self):
        return self._child is not None and self._child.running

    @property
    def started(self):
        """Monotonic time of the last start."""
        return self._child.started

    def stop(self):
        """SIGTERM, an orderly end."""
        code = self._child.stop(20)
        assert code == 0, f"the host ended with {code} after SIGTERM:\n{self._child.log()}"

    def kill(self):
        """SIGKILL: no chance to write anything."""
        self._child.kill()

    def hang_up(self):
        self._child.signal(signal.SIGHUP)

    def log(self, last=400):
        return "\n".join(child.log(last) for child in self.logs)

    def wait_log(self, wanted, timeout=15):
        return self._child.wait_line(wanted, timeout)

    def cli(self, *arguments, timeout=30, check=True, directory=None, stdin=None):
        """Runs a client command against this host, with a text on its standard input. With `check`, a failure fails the test."""
        return client(
            *arguments,
            "--socket",
            self.socket,
            environment=self.environment,
            timeout=timeout,
            check=check,
            directory=directory or self.directory,
            stdin=stdin,
        )

    def json(self, *arguments, **options):
        return json.loads(self.cli(*arguments, "--json", **options).stdout)

    def client(self, *arguments):
        """A client command that goes on, such as `watch`."""
        return Child(
            [BUSBAR, *arguments, "--socket", self.socket],
            name=f"busbar {arguments[0]}",
            environment=self.environment,
            directory=self.directory,
        )

    def close(self):
        if self.running:
            self._child.kill()


def client(*arguments, environment=None, timeout=30, check=True, directory=None, stdin=None):
    """`busbar ARGUMENTS`, as subprocess.CompletedProcess."""
    result = subprocess.run(
        [str(argument) for argument in (BUSBAR, *arguments)],
        **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
        capture_output=True,
        text=True,
        env=environment,
        timeout=timeout,
        cwd=directory,
    )
    if check:
        assert result.returncode == 0, (
            f"busbar {' '.join(str(a) for a in arguments)} ended with {result.returncode}:\n{result.stderr}{result.stdout}"
        )
    return result
