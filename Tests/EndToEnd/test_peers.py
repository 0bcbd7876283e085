# SPDX-License-Identifier: Apache-2.0
"""The far ends do what the other tests rely on. Nothing of the project takes part."""

import socket

import pytest
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusException

from harness.proxy import Proxy
from harness.registers import f32, u32
from harness.subscriber import Subscriber


def tcp(device):
    client = ModbusTcpClient("127.0.0.1", port=device.port, timeout=0.5, retries=0)
    assert client.connect()
    return client


def test_device_answers_what_it_was_given_and_nothing_else(modbus_device):
    device = modbus_device({1: {"holding": {10: u32(70000)}, "input": {0: f32(230.5)}}})
    client = tcp(device)
    assert client.read_holding_registers(10, count=2, device_id=1).registers == [1, 4464]
    assert client.read_input_registers(0, count=2, device_id=1).registers == f32(230.5)
    assert client.read_holding_registers(12, count=1, device_id=1).exception_code == 2
    assert client.read_holding_registers(10, count=3, device_id=1).exception_code == 2
    device.set({12: [7]})
    assert client.read_holding_registers(10, count=3, device_id=1).registers == [1, 4464, 7]
    client.close()


def test_device_tells_what_was_written_and_mirrors_it(modbus_device):
    device = modbus_device({5: {"holding": {10: [0], 20: [0, 0]}}}, mirror=[[10, 20, 2]])
    client = tcp(device)
    client.write_register(10, 500, device_id=5)
    client.write_registers(10, [501], device_id=5)
    assert [(write.function, write.values) for write in device.writes(10)] == [(6, [500]), (16, [501])]
    assert device.get(10) == [501] and device.get(20, 2) == [0, 501]
    client.close()


@pytest.mark.parametrize("kind", ["drop", "badtid", "garbage", "truncate", "close"])
def test_faulty_answers(modbus_device, kind):
    device = modbus_device({1: {"holding": {0: [1]}}})
    device.fault(kind, times=1)
    client = tcp(device)
    with pytest.raises(ModbusException):
        client.read_holding_registers(0, count=1, device_id=1)
    client.close()
    client = tcp(device)
    assert client.read_holding_registers(0, count=1, device_id=1).registers == [1]
    client.close()


def test_late_answer_keeps_its_transaction_id(modbus_device):
    device = modbus_device({1: {"holding": {0: [1], 1: [2]}}})
    device.fault("delay", times=1, seconds=0.3)
    with socket.create_connection(("127.0.0.1", device.port), 5) as line:
        line.sendall(bytes.fromhex("000100000006010300000001"))
        # pymodbus forgets a request that is followed by another in the same moment.
        while not device.requests():
            pass
        line.sendall(bytes.fromhex("000200000006010300010001"))
        received = b""
        while len(received) < 22:
            received += line.recv(64)
    assert received.hex() == "00020000000501030200" + "02" + "00010000000501030200" + "01"


def test_device_on_a_serial_line_is_silent_for_other_units(modbus_device, serial_line):
    line = serial_line()
    modbus_device({7: {"input": {0: f32(1.5)}}}, line=line)
    client = ModbusSerialClient(str(line.b), baudrate=9600, timeout=0.5, retries=0)
    assert client.connect()
    assert client.read_input_registers(0, count=2, device_id=7).registers == f32(1.5)
    with pytest.raises(ModbusException):
        client.read_input_registers(0, count=2, device_id=8)
    client.close()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_broker_keeps_what_it_acknowledged(broker, subscriber, closing, end):
    sender = closing(Subscriber(broker.port, topics=("nothing",)))
    sender.publish("retained", "1", retain=True)
    subscriber.wait_for(lambda m: m.topic == "retained")
    # Mosquitto writes its file after it has answered, before it reads again: with the next answer the first is on disk.
    sender.publish("next", "1")
    getattr(broker, end)()
    broker.start()
    late = closing(Subscriber(broker.port))
    assert late.wait_for(lambda m: m.topic == "retained").retained
    late.publish("after", "2")
    subscriber.wait_for(lambda m: m.topic == "after")


def test_proxy_swallows_and_cuts(broker, subscriber, closing):
    relay = closing(Proxy(broker.port))
    sender = closing(Subscriber(relay.port, topics=("nothing",)))
    sender.publish("before", "1")
    relay.swallow()
    sender.client.publish("lost", "2", qos=1)
    position = subscriber.mark()
    subscriber.publish("other", "3")
    subscriber.wait_for(lambda m: m.topic == "other")
    assert not any(m.topic == "lost" for m in subscriber.since(position))
    relay.swallow(False)
    relay.cut()
    # QoS 1: the client sends it again on its next connection.
    subscriber.wait_for(lambda m: m.topic == "lost", 20)
