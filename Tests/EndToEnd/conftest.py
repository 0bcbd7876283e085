# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a broker, a subscriber, Modbus devices and the staged host, each with a life as long as its test."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from harness.broker import Broker
from harness.host import Host
from harness.modbus import ModbusDevice
from harness.network import SerialLine
from harness.paths import BUSBAR
from harness.subscriber import Subscriber


def pytest_addoption(parser):
    parser.addoption(
        "--isolation", choices=["child", "host"], default="child", help="where the plugins of every host run"
    )


def pytest_configure(config):
    Host.isolation = config.getoption("--isolation")


def pytest_sessionstart(session):
    # Whoever ends this run from outside wants what the tests have started to end too.
    signal.signal(signal.SIGTERM, interrupted)
    if not BUSBAR.exists():
        pytest.exit(f"{BUSBAR} is missing: run packaging/build first", returncode=3)


def interrupted(number, frame):
    raise KeyboardInterrupt


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for host in getattr(item, "hosts", []):
            report.sections.append(("log of the host", host.log(120)))


@pytest.fixture
def slow_outages():
    """30 s outages with BUSBAR_SLOW=1, short ones else."""
    return os.environ.get("BUSBAR_SLOW") == "1"


@pytest.fixture
def directory():
    """Short enough for the path of a Unix socket."""
    path = Path(tempfile.mkdtemp(prefix="busbar-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def closing():
    """`closing(thing)` calls `thing.close()` after the test, last one first."""
    things = []

    def add(thing):
        things.append(thing)
        return thing

    yield add
    for thing in reversed(things):
        thing.close()


@pytest.fixture
def broker(directory, closing):
    return closing(Broker(directory / "broker").start())


@pytest.fixture
def subscriber(broker, closing):
    return closing(Subscriber(broker.port))


@pytest.fixture
def modbus_device(closing):
    def make(units, **options):
        return closing(ModbusDevice(units, **options).start())

    return make


@pytest.fixture
def serial_line(directory, closing):
    def make(name="line"):
        place = directory / name
        place.mkdir()
        return closing(SerialLine(place))

    return make


@pytest.fixture
def host(request, directory, broker, closing):
    """`host(devices=[…])` writes the configuration and starts; `start=False` leaves the second."""
    request.node.hosts = []

    def make(*, start=True, uplink_to=broker, place=None, **configuration):
        made = closing(Host(place or directory, uplink_to, **configuration))
        request.node.hosts.append(made)
        return made.start() if start else made

    return make
