# SPDX-License-Identifier: Apache-2.0
"""The smaller promises of interfaces.md 3 on MQTT itself."""

import subprocess
import time
import uuid

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from harness.broker import Broker
from harness.site import WALLBOX_MIRROR, meter_device, wallbox
from harness.subscriber import Subscriber

STATUS = "gateways/gw-test/status"


def test_last_will_after_a_kill(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    gateway = host(devices=[device])
    subscriber.wait_for(lambda m: m.topic == STATUS and m.json["state"] == "online")
    position = subscriber.mark()
    gateway.kill()
    will = subscriber.wait_for(lambda m: m.topic == STATUS and m.json["state"] == "offline", 60, since=position)
    assert will.retained


def test_orderly_end_says_offline_too(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    gateway = host(devices=[device])
    subscriber.wait_for(lambda m: m.topic == STATUS and m.json["state"] == "online")
    position = subscriber.mark()
    gateway.stop()
    last = subscriber.wait_for(lambda m: m.topic == STATUS and m.json["state"] == "offline", since=position)
    assert last.retained


def test_retained_topics_greet_a_new_subscriber(host, broker, subscriber, modbus_device, closing):
    _, device = meter_device(modbus_device)
    host(devices=[device])
    subscriber.wait_status("met_grid", lambda content: content["state"] == "online")
    subscriber.wait_for(lambda m: m.topic == "devices/met_grid/info")
    late = closing(Subscriber(broker.port))
    for topic in ("devices/met_grid/status", "devices/met_grid/info", STATUS, "gateways/gw-test/devices"):
        late.wait_for(lambda m, wanted=topic: m.topic == wanted and m.retained, what=topic)


def test_content_type(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    host(devices=[device])
    message = subscriber.wait_telemetry("met_grid")
    assert getattr(message.properties, "ContentType", None) == "application/json"


def test_response_topic_and_correlation_data(host, subscriber, modbus_device):
    peer = modbus_device({255: wallbox()}, fill=True, mirror=WALLBOX_MIRROR)
    host(devices=[{"id": "evc_box", "template": "keba-p40", "endpoint": peer.endpoint, "write": True}])
    subscriber.wait_status("evc_box", lambda content: content["state"] == "online")
    properties = Properties(PacketTypes.PUBLISH)
    properties.ResponseTopic = "answers/for/me"
    properties.CorrelationData = b"\x00\x01four"
    request = {"id": uuid.uuid4().hex, "ts": int(time.time() * 1000), "point": "power", "value": 1}
    subscriber.publish("devices/evc_box/commands/request", request, properties=properties)
    answer = subscriber.wait_for(lambda m: m.topic == "answers/for/me")
    assert answer.json["id"] == request["id"]
    assert answer.json["reason"] == "read-only"
    assert answer.properties.CorrelationData == b"\x00\x01four"


def test_prefix_is_put_before_every_topic(host, broker, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    host(
        uplink_to=None, uplink={"url": f"mqtt://127.0.0.1:{broker.port}", "prefix": "site/nordhof/"}, devices=[device]
    )
    subscriber.wait_for(lambda m: m.topic == "site/nordhof/devices/met_grid/telemetry")
    subscriber.wait_for(lambda m: m.topic == "site/nordhof/gateways/gw-test/status")
    assert all(m.topic.startswith("site/nordhof/") for m in subscriber.since())


def test_gateway_commands_are_answered(host, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    host(devices=[device])
    subscriber.wait_telemetry("met_grid")
    for action, statuses in (("reload", {"done", "accepted", "refused"}), ("make-coffee", {"refused"})):
        request = {"id": f"gw-{action}", "ts": int(time.time() * 1000), "action": action}
        subscriber.publish("gateways/gw-test/commands", request)
        answer = subscriber.wait_for(
            lambda m, wanted=request["id"]: m.topic == "gateways/gw-test/commands/response" and m.json["id"] == wanted
        )
        assert answer.json["status"] in statuses


def test_password_from_a_file(host, closing, directory, modbus_device):
    """And from nowhere else: the log and the answers do not have it."""
    passwords = directory / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "gw-test", "s3cret-w0rd"], check=True, capture_output=True)
    subprocess.run(["mosquitto_passwd", "-b", passwords, "reader", "r"], check=True, capture_output=True)
    broker = closing(Broker(directory / "locked", anonymous=False, lines=[f"password_file {passwords}"]).start())
    subscriber = closing(Subscriber(broker.port, configure=lambda client: client.username_pw_set("reader", "r")))
    secret = directory / "secret"
    secret.write_text("s3cret-w0rd\n")
    secret.chmod(0o600)
    _, device = meter_device(modbus_device)
    gateway = host(
        uplink_to=None,
        uplink={"url": f"mqtt://127.0.0.1:{broker.port}", "username": "gw-test", "password": {"file": str(secret)}},
        devices=[device],
    )
    subscriber.wait_telemetry("met_grid")
    assert "s3cret-w0rd" not in gateway.log() + str(gateway.json("status"))


def test_wrong_password_is_said(host, closing, directory, modbus_device):
    broker = closing(Broker(directory / "locked", anonymous=False).start())
    _, device = meter_device(modbus_device)
    gateway = host(uplink_to=None, uplink={"url": f"mqtt://127.0.0.1:{broker.port}"}, devices=[device])
    end = time.monotonic() + 20
    while not (reason := gateway.json("status")["uplink"].get("reason")):
        assert time.monotonic() < end
        time.sleep(0.2)
    assert "auth" in reason.lower() or "password" in reason.lower() or "refused" in reason.lower(), reason
