# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a machine to install packages on, a broker and a subscriber beside it."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "EndToEnd")]

from harness.broker import Broker  # noqa: E402
from harness.subscriber import Subscriber  # noqa: E402
from machine import Machine  # noqa: E402


@pytest.fixture
def directory():
    path = Path(tempfile.mkdtemp(prefix="busbar-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def closing():
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
def machine(directory, closing):
    if os.geteuid() != 0:
        pytest.skip("a container that boots needs root")
    return closing(Machine(directory)).boot()
