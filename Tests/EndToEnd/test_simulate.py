# SPDX-License-Identifier: Apache-2.0
"""`busbar simulate` answers an independent client (mbpoll) as the template describes."""

import re
import shutil
import subprocess

import pytest

from harness.network import free_port, wait_listening
from harness.paths import BUSBAR, DIRECTORIES
from harness.processes import Child


class Simulator(Child):
    close = Child.kill


@pytest.fixture
def simulate(closing, directory):
    def start(*arguments, endpoint, port=None):
        child = closing(Simulator([BUSBAR, "simulate", *arguments, "--listen", endpoint, *DIRECTORIES], name="busbar simulate"))
        if port:
            wait_listening(port, child)
        return child

    return start


def mbpoll(*arguments, check=True):
    """Values by register, as mbpoll prints them: [40]:  123."""
    program = shutil.which("mbpoll")
    assert program, "mbpoll is not installed; run packaging/setup --tests"
    result = subprocess.run(
        [program, "-0", "-1", "-q", "-o", "2", *map(str, arguments)], capture_output=True, text=True, timeout=20
    )
    if check:
        assert result.returncode == 0, result.stdout + result.stderr
    return {int(n): value for n, value in re.findall(r"^\[(\d+)\]:\s+(\S+)", result.stdout, re.MULTILINE)}, result


def test_meter_over_tcp(simulate):
    port = free_port()
    told = ["--set", "power=1234.5", "--set", "voltage_l1=231.5"]
    simulate("eastron-sdm630", *told, endpoint=f"tcp://127.0.0.1:{port}", port=port)
    values, _ = mbpoll("-a", 1, "-r", 0x34, "-c", 1, "-t", "3:float", "-B", "-p", port, "127.0.0.1")
    assert float(values[0x34]) == pytest.approx(1234.5)
    values, _ = mbpoll("-a", 1, "-r", 0, "-c", 1, "-t", "3:float", "-B", "-p", port, "127.0.0.1")
    assert float(values[0]) == pytest.approx(231.5)


def test_inverter_over_tcp_with_its_own_unit(simulate):
    port = free_port()
    simulate("sma-sunny-tripower", "--set", "power=4210", endpoint=f"tcp://127.0.0.1:{port}", port=port)
    values, _ = mbpoll("-a", 3, "-r", 30775, "-c", 1, "-t", "4:int", "-B", "-p", port, "127.0.0.1")
    assert int(values[30775]) == 4210
    _, refused = mbpoll("-a", 9, "-r", 30775, "-c", 1, "-t", "4:int", "-B", "-p", port, "127.0.0.1", check=False)
    assert "4210" not in refused.stdout


def test_three_templates_on_one_server(simulate):
    port = free_port()
    simulate(
        "huawei-sun2000", "huawei-luna2000", "huawei-sun2000-meter", endpoint=f"tcp://127.0.0.1:{port}", port=port
    )
    for register in (32080, 37765, 37113):
        values, _ = mbpoll("-a", 1, "-r", register, "-c", 1, "-t", "4:int", "-B", "-p", port, "127.0.0.1")
        assert register in values


def test_meter_on_a_serial_line(simulate, serial_line):
    line = serial_line()
    child = simulate("eastron-sdm630", "--set", "power=-750", endpoint=f"serial://{line.a}?baud=9600")
    question = ["-m", "rtu", "-b", 9600, "-P", "none", "-a", 1, "-r", 0x34, "-c", 1, "-t", "3:float", "-B", line.b]
    values = {}
    for _ in range(20):
        # mbpoll is the only one who can tell when the far end of a line answers.
        values, _ = mbpoll(*question, check=False)
        if values:
            break
        assert child.running, child.log()
    assert float(values[0x34]) == pytest.approx(-750)


def test_writes_are_kept(simulate):
    port = free_port()
    simulate("keba-p40", endpoint=f"tcp://127.0.0.1:{port}", port=port)
    mbpoll("-a", 255, "-r", 5004, "-t", "4", "-p", port, "127.0.0.1", "10000")
    values, _ = mbpoll("-a", 255, "-r", 1100, "-c", 1, "-t", "4:int", "-B", "-p", port, "127.0.0.1")
    assert int(values[1100]) == 10000


def test_values_move(simulate):
    port = free_port()
    simulate("eastron-sdm630", endpoint=f"tcp://127.0.0.1:{port}", port=port)
    seen = set()
    for _ in range(40):
        values, _ = mbpoll("-a", 1, "-r", 0x34, "-c", 1, "-t", "3:float", "-B", "-p", port, "127.0.0.1")
        seen.add(values[0x34])
        if len(seen) > 1:
            return
        subprocess.run(["sleep", "0.25"], check=True)
    raise AssertionError(f"the power stays at {seen} for 10 s")


def test_two_clients_at_once(simulate):
    port = free_port()
    simulate("eastron-sdm630", "--set", "power=5", endpoint=f"tcp://127.0.0.1:{port}", port=port)
    program = shutil.which("mbpoll")
    command = [program, "-0", "-1", "-q", "-a", "1", "-r", "52", "-c", "1", "-t", "3:float", "-B", "-p", str(port), "127.0.0.1"]
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in clients:
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 0 and re.search(r"\[52\]:\s+5", output), output


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-template", "--listen", "tcp://127.0.0.1:1"],
        ["eastron-sdm630"],
        ["eastron-sdm630", "--listen", "nonsense"],
        ["eastron-sdm630", "--set", "nonsense=1", "--listen", "tcp://127.0.0.1:0"],
    ],
    ids=["template", "no-endpoint", "endpoint", "point"],
)
def test_wrong_usage(arguments):
    result = subprocess.run([BUSBAR, "simulate", *arguments, *DIRECTORIES], capture_output=True, text=True, timeout=20)
    assert result.returncode in (1, 2)
    assert result.stderr.strip()


def test_host_reads_what_the_simulator_was_told(simulate, host, subscriber):
    port = free_port()
    simulate("eastron-sdm630", "--set", "power=4321", endpoint=f"tcp://127.0.0.1:{port}", port=port)
    host(devices=[{"id": "met_grid", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{port}"}])
    assert subscriber.wait_telemetry("met_grid", lambda c: "power" in c["values"]).json["values"]["power"] == 4321
