# SPDX-License-Identifier: Apache-2.0
"""What systemd's watchdog hears: a pulse while every vital part of the host turns, and none while one hangs."""

import os
import signal

import pytest

from harness.freeze import Frozen
from harness.network import ReadinessListener, free_port
from harness.site import meter_device

PULSE = "WATCHDOG=1"
# Of the pulse, which is a quarter of the watchdog's time.
PERIOD = 0.25


@pytest.fixture
def services(directory, closing):
    return closing(ReadinessListener(directory / "services"))


def start(host, services, **environment):
    environment = {"WATCHDOG_USEC": str(int(4e6 * PERIOD))} | environment
    host.start(services=services, environment=environment)
    return host


def wait_pulses(services, count, host):
    for _ in range(count):
        while (message := services.next(20)) != PULSE:
            assert message is not None, f"no pulse:\n{host.log()}"


def test_pulses_while_everything_turns(host, services, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    gateway = start(host(devices=[device], start=False), services)
    subscriber.wait_telemetry("met_grid")
    wait_pulses(services, 8, gateway)
    assert "does not answer" not in gateway.log()


@pytest.mark.parametrize("thread, part", [("uplink", "uplink"), ("busbar-commit", "buffer"), ("control", "control")])
def test_no_pulse_while_a_vital_thread_hangs(host, services, subscriber, modbus_device, thread, part):
    _, device = meter_device(modbus_device)
    gateway = start(host(devices=[device], start=False), services)
    subscriber.wait_telemetry("met_grid")
    wait_pulses(services, 1, gateway)
    with Frozen(gateway.pid, thread):
        gateway.wait_log(lambda line: "does not answer" in line and f"part={part}" in line, 60)
        services.drain()
        # The host goes on around it, and stays silent.
        assert services.next(12 * PERIOD) is None
    gateway.wait_log(lambda line: "answers again" in line and f"part={part}" in line, 60)
    wait_pulses(services, 2, gateway)
    gateway.stop()


def test_a_hanging_part_does_not_keep_the_host_from_ending(host, services):
    gateway = start(host(start=False), services)
    wait_pulses(services, 1, gateway)
    with Frozen(gateway.pid, "uplink"):
        gateway.wait_log(lambda line: "does not answer" in line, 60)
        os.kill(gateway.pid, signal.SIGTERM)
        gateway.wait_log(lambda line: line.endswith("busbar: stopped"), 60)
    gateway.stop()


def test_an_absent_broker_is_no_hang(host, services):
    """Neither is the pause between attempts."""
    gateway = start(host(start=False, uplink={"url": f"mqtt://127.0.0.1:{free_port()}"}), services)
    gateway.wait_log(lambda line: "warning" in line and "127.0.0.1" in line)
    wait_pulses(services, 8, gateway)
    assert "does not answer" not in gateway.log()


def test_no_pulse_for_somebody_else(host, services):
    """WATCHDOG_PID names the process that is watched (sd_watchdog_enabled(3)), and without a watchdog there is no pulse."""
    for environment in ({"WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}):
        gateway = start(host(start=False), services, **environment)
        assert services.next(6 * PERIOD) is None
        gateway.stop()
        services.drain()
