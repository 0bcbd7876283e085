# SPDX-License-Identifier: Apache-2.0
"""mqtts with an authority of the site's own, client certificates, and what must not be accepted."""

import time

import pytest

from harness.authority import Authority
from harness.broker import Broker
from harness.site import meter_device
from harness.subscriber import Subscriber


@pytest.fixture
def authority(directory):
    return Authority(directory / "authority", "Test authority")


def tls_broker(closing, directory, authority, *, alternative="DNS:localhost,IP:127.0.0.1", client=False):
    certificate, key = authority.issue("broker", alternative=alternative)
    return closing(
        Broker(
            directory / "tls-broker",
            tls={"ca": authority.certificate, "certificate": certificate, "key": key, "client": client},
        ).start()
    )


def tls_subscriber(closing, broker, authority, client=None):
    def configure(mqtt):
        certificate, key = client or (None, None)
        mqtt.tls_set(str(authority.certificate), certificate and str(certificate), key and str(key))

    return closing(Subscriber(broker.port, configure=configure))


def uplink(broker, ca, client=None):
    tls = {"ca": str(ca)}
    if client:
        tls |= {"certificate": str(client[0]), "key": str(client[1])}
    return {"url": f"mqtts://127.0.0.1:{broker.port}", "tls": tls}


def disconnected_with_reason(gateway, timeout=20):
    end = time.monotonic() + timeout
    while True:
        state = gateway.json("status")["uplink"]
        assert state["state"] != "connected", state
        if state.get("reason"):
            return state["reason"]
        assert time.monotonic() < end, state
        time.sleep(0.2)


def test_values_over_mqtts(host, closing, directory, authority, modbus_device):
    broker = tls_broker(closing, directory, authority)
    subscriber = tls_subscriber(closing, broker, authority)
    _, device = meter_device(modbus_device, power=88)
    host(uplink_to=None, uplink=uplink(broker, authority.certificate), devices=[device])
    assert subscriber.wait_telemetry("met_grid", lambda c: "power" in c["values"]).json["values"]["power"] == 88


def test_client_certificate(host, closing, directory, authority, modbus_device):
    broker = tls_broker(closing, directory, authority, client=True)
    subscriber = tls_subscriber(closing, broker, authority, authority.issue("subscriber"))
    _, device = meter_device(modbus_device)
    host(
        uplink_to=None, uplink=uplink(broker, authority.certificate, authority.issue("gw-test")), devices=[device]
    )
    subscriber.wait_telemetry("met_grid")


def test_without_the_client_certificate(host, closing, directory, authority, modbus_device):
    broker = tls_broker(closing, directory, authority, client=True)
    _, device = meter_device(modbus_device)
    gateway = host(uplink_to=None, uplink=uplink(broker, authority.certificate), devices=[device])
    assert disconnected_with_reason(gateway)


def test_authority_that_did_not_sign_is_refused(host, closing, directory, authority, modbus_device):
    broker = tls_broker(closing, directory, authority)
    subscriber = tls_subscriber(closing, broker, authority)
    other = Authority(directory / "other", "Another authority")
    _, device = meter_device(modbus_device)
    gateway = host(uplink_to=None, uplink=uplink(broker, other.certificate), devices=[device])
    reason = disconnected_with_reason(gateway)
    assert "certificate" in reason.lower(), reason
    assert subscriber.since() == []
    # What could not be sent waits.
    end = time.monotonic() + 20
    while gateway.json("buffer", "status")["messages"] == 0:
        assert time.monotonic() < end
        time.sleep(0.2)


def test_certificate_of_another_name_is_refused(host, closing, directory, authority, modbus_device):
    broker = tls_broker(closing, directory, authority, alternative="DNS:elsewhere.example")
    _, device = meter_device(modbus_device)
    gateway = host(uplink_to=None, uplink=uplink(broker, authority.certificate), devices=[device])
    assert disconnected_with_reason(gateway)


def test_plain_mqtt_to_a_tls_port_does_not_hang(host, closing, directory, authority, modbus_device):
    broker = tls_broker(closing, directory, authority)
    _, device = meter_device(modbus_device)
    gateway = host(uplink_to=None, uplink={"url": f"mqtt://127.0.0.1:{broker.port}"}, devices=[device])
    assert disconnected_with_reason(gateway)
