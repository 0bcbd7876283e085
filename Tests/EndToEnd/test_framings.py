# SPDX-License-Identifier: Apache-2.0
"""RTU over TCP and ASCII, against pymodbus's own framers: values, faults, late and lost answers, writes."""

import subprocess

import pytest
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.framer import FramerType

from harness.network import free_port, wait_listening
from harness.paths import BUSBAR, DIRECTORIES
from harness.processes import Child
from harness.site import heat_pump, meter

FRAMINGS = ["rtu", "ascii"]
FRAMERS = {"rtu": FramerType.RTU, "ascii": FramerType.ASCII}


def bus(peer, framing, **config):
    return {"id": "bus1", "adapter": "modbus", "endpoint": peer.endpoint, "config": {"framing": framing, **config}}


def device(name="met_grid", unit=1, **members):
    return {"id": name, "template": "eastron-sdm630", "link": "bus1", "config": {"unit": unit}, "poll": "1s", **members}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_two_units_over_tcp(host, subscriber, modbus_device, framing):
    peer = modbus_device({1: meter(power=100.5), 7: meter(power=-200.5)}, fill=True, framing=framing)
    host(links=[bus(peer, framing)], devices=[device("met_one"), device("met_two", 7)])
    subscriber.wait_telemetry("met_one", lambda content: content["values"].get("power") == 100.5)
    subscriber.wait_telemetry("met_two", lambda content: content["values"].get("power") == -200.5)


def test_ascii_on_a_serial_line(host, subscriber, modbus_device, serial_line):
    peer = modbus_device({1: meter(power=100.5)}, line=serial_line(), fill=True, framing="ascii")
    host(links=[bus(peer, "ascii")], devices=[device()])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 100.5)


def test_a_device_says_its_framing_where_it_has_no_link(host, subscriber, modbus_device):
    peer = modbus_device({1: meter(power=100.5)}, fill=True, framing="rtu")
    host(devices=[{
        "id": "met_grid", "template": "eastron-sdm630", "endpoint": peer.endpoint, "config": {"framing": "rtu"}, "poll": "1s",
    }])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 100.5)


def test_two_framings_on_one_link_are_told(host, subscriber, modbus_device):
    peer = modbus_device({1: meter(power=100.5), 2: meter()}, fill=True, framing="rtu")
    host(devices=[
        {"id": f"met_{name}", "template": "eastron-sdm630", "endpoint": peer.endpoint, "poll": "1s",
         "config": {"unit": unit, "framing": name}}
        for unit, name in enumerate(FRAMINGS, 1)
    ])
    subscriber.wait_telemetry("met_rtu", lambda content: content["values"].get("power") == 100.5)
    status = subscriber.wait_status("met_ascii", lambda content: content["state"] == "needs-attention").json
    assert "framing: ascii" in status["reason"] and "rtu" in status["reason"]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("kind", ["drop", "garbage", "truncate", "badunit", "close", "exception"])
def test_one_faulty_answer_publishes_nothing_wrong(host, subscriber, modbus_device, kind, framing):
    peer = modbus_device({1: meter(power=321.5)}, fill=True, framing=framing)
    host(links=[bus(peer, framing)], devices=[device()])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 321.5)
    position = subscriber.mark()
    peer.fault(kind, times=2)
    subscriber.wait_telemetry(
        "met_grid", lambda c: c["seq"] > 4 and c.get("values", {}).get("power") == 321.5, 60, since=position
    )
    powers = {m.json["values"].get("power") for m in subscriber.telemetry("met_grid")}
    assert powers <= {321.5, None}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_late_answer_is_not_taken_for_the_next_question(host, subscriber, modbus_device, framing):
    """All answers of the template's readings have the same length, and nothing in a frame tells them apart."""
    peer = modbus_device({1: meter(power=111, imported=5000)}, fill=True, framing=framing)
    host(links=[bus(peer, framing)], devices=[device()])
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 111)
    position = subscriber.mark()
    peer.fault("delay", times=3, seconds=1.3)
    peer.set(meter(power=222, imported=6000)["input"], table="input")
    subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 222, 60, since=position)
    first = subscriber.wait_telemetry("met_grid", since=subscriber.mark()).json["seq"]
    subscriber.wait_telemetry("met_grid", lambda content: content["seq"] > first + 5, 60, since=position)
    for message in subscriber.telemetry("met_grid", since=position):
        values = message.json["values"]
        assert values.get("power") in (111, 222, None)
        assert values.get("energy_import") in (5000000, 6000000, None)
        assert values.get("frequency") in (50, None)
        assert values.get("voltage_l1") in (230.5, None)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_writes(host, subscriber, modbus_device, framing):
    peer = modbus_device({1: heat_pump()}, fill=True, framing=framing)
    gateway = host(
        links=[bus(peer, framing)],
        devices=[{"id": "hp_isg", "template": "stiebel-eltron-isg", "link": "bus1", "write": True}],
    )
    subscriber.wait_status("hp_isg", lambda content: content["state"] == "online")
    gateway.cli("command", "hp_isg", "sg_ready=3", "--valid-for", "60s", "--wait", timeout=60)
    assert (peer.get(4001) + peer.get(4002)) == [1, 0]


class Simulator(Child):
    close = Child.kill


@pytest.fixture
def simulate(closing):
    def start(endpoint, *arguments):
        command = [BUSBAR, "simulate", "eastron-sdm630", "--set", "power=231.5", "--listen", endpoint]
        return closing(Simulator([*command, *arguments, *DIRECTORIES], name="busbar simulate"))

    return start


@pytest.mark.parametrize("framing", FRAMINGS)
def test_simulator_over_tcp_answers_pymodbus(simulate, framing):
    port = free_port()
    child = simulate(f"tcp://127.0.0.1:{port}", "--framing", framing)
    wait_listening(port, child)
    client = ModbusTcpClient("127.0.0.1", port=port, framer=FRAMERS[framing], timeout=5, retries=0)
    assert client.connect()
    answer = client.read_input_registers(0x34, count=2, device_id=1)
    assert client.convert_from_registers(answer.registers, client.DATATYPE.FLOAT32) == 231.5
    assert client.read_input_registers(0x7000, count=2, device_id=1).exception_code == 2
    client.close()


def test_simulator_speaks_ascii_on_a_serial_line(simulate, serial_line):
    line = serial_line()
    child = simulate(f"serial://{line.a}?baud=9600", "--framing", "ascii")
    child.wait_line(lambda text: "listening" in text, 20)
    client = ModbusSerialClient(str(line.b), framer=FramerType.ASCII, baudrate=9600, timeout=5, retries=2)
    assert client.connect()
    answer = client.read_input_registers(0x34, count=2, device_id=1)
    assert client.convert_from_registers(answer.registers, client.DATATYPE.FLOAT32) == 231.5
    client.close()


def test_simulator_refuses_modbus_tcp_on_a_line(serial_line):
    line = serial_line()
    result = subprocess.run(
        [BUSBAR, "simulate", "eastron-sdm630", "--listen", f"serial://{line.a}?baud=9600", "--framing", "tcp", *DIRECTORIES],
        capture_output=True, text=True, timeout=20,
    )
    assert result.returncode == 1 and "serial" in result.stderr


@pytest.mark.parametrize("framing", FRAMINGS)
def test_host_and_simulator_with_faults(host, subscriber, simulate, framing):
    port = free_port()
    child = simulate(
        f"tcp://127.0.0.1:{port}", "--framing", framing, "--faults", "double,every=3", "--faults", "garbage=20,every=7")
    wait_listening(port, child)
    host(
        links=[{"id": "bus1", "adapter": "modbus", "endpoint": f"tcp://127.0.0.1:{port}", "config": {"framing": framing}}],
        devices=[device()],
    )
    first = subscriber.wait_telemetry("met_grid", lambda content: content["values"].get("power") == 231.5, 30).json["seq"]
    subscriber.wait_telemetry("met_grid", lambda content: content["seq"] > first + 8, 60)
    assert {m.json["values"].get("power") for m in subscriber.telemetry("met_grid")} <= {231.5, None}
