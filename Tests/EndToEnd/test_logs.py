# SPDX-License-Identifier: Apache-2.0
"""The log: one line a record whatever devices say, priorities for the journal, once when lost and once when back."""

import json
import os
import re
import select
import subprocess
import time

import pytest

from harness.host import client
from harness.modbus import ModbusDevice
from harness.network import ReadinessListener, free_port
from harness.paths import BUSBAR
from harness.site import meter, meter_device

SECRET = "s3cret-w0rd"


def lines(host, word):
    return [line for line in host.log(2000).splitlines() if word in line]


def facts(line):
    return dict(re.findall(r' (\w+)=("(?:[^"\\]|\\.)*"|\S+)', line))


class Journal:
    """Standard error of a host on a pipe that `JOURNAL_STREAM` names, as under systemd."""

    def __init__(self, host, *, named=True, options=()):
        self.reader, writer = os.pipe()
        node = os.fstat(writer)
        stream = f"{node.st_dev}:{node.st_ino if named else node.st_ino + 1}"
        readiness = ReadinessListener(host.directory / "notify")
        self.process = subprocess.Popen(
            [str(word) for word in (BUSBAR, "run", "--config", host.file, "--socket", host.socket, *options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer,
            env=host.environment | {"JOURNAL_STREAM": stream, "NOTIFY_SOCKET": str(readiness.path)},
        )
        os.close(writer)
        self.text = b""

    def wait(self, word, timeout=30):
        end = time.monotonic() + timeout
        while word.encode() not in self.text:
            assert time.monotonic() < end, self.text.decode()
            if select.select([self.reader], [], [], 0.2)[0]:
                self.text += os.read(self.reader, 65536)

    def close(self):
        self.process.terminate()
        assert self.process.wait(20) == 0
        while chunk := os.read(self.reader, 65536):
            self.text += chunk
        os.close(self.reader)
        return self.text.decode().splitlines()


def test_priorities_on_the_journal(host, broker, modbus_device):
    _, device = meter_device(modbus_device)
    gone = {"id": "met_gone", "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{free_port()}"}
    journal = Journal(host(devices=[device, gone], start=False))
    journal.wait("cannot be opened")
    journal.wait("device answers")
    written = journal.close()
    assert all(re.match(r"<[2-7]>busbar: ", line) for line in written), written
    assert any(line.startswith("<5>busbar: ready ") for line in written)
    assert any(line.startswith("<4>busbar: link cannot be opened ") for line in written)


def test_another_stderr_than_the_journals_has_times(host):
    journal = Journal(host(start=False), named=False)
    journal.wait("ready")
    assert all(re.match(r"\d\d:\d\d:\d\d\.\d{3} \w+ busbar: ", line) for line in journal.close())


@pytest.mark.parametrize("on_journal", [True, False])
def test_json_for_machines(host, on_journal):
    journal = Journal(host(start=False), named=on_journal, options=["--log-format", "json", "--log-level", "debug"])
    journal.wait("ready")
    for line in journal.close():
        assert line.startswith("<") == on_journal
        record = json.loads(re.sub(r"^<\d>", "", line))
        assert {"time", "level", "logger", "message", "facts"} == record.keys()
        assert record["level"] in ("debug", "info", "notice", "warning", "error", "critical")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])


def test_options_of_the_log(host, directory):
    for options in (["--log-level", "loud"], ["--log-format", "xml"]):
        refused = client("run", *options, check=False)
        assert refused.returncode == 2 and options[1] in refused.stderr
    quiet = host(start=False, log={"level": "debug"})
    quiet.start(options=["--log-level", "error"])
    quiet.stop()
    assert quiet.log() == ""


def test_device_is_told_of_once_when_lost_and_once_when_back(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device, poll="200ms")
    gateway = host(devices=[device])
    subscriber.wait_telemetry("met_grid")
    peer.fault("drop")
    subscriber.wait_status("met_grid", lambda content: content["state"] == "offline", 60)
    peer.clear()
    gateway.wait_log(lambda line: "device answers again" in line, 90)
    lost = lines(gateway, "device does not answer")
    back = lines(gateway, "device answers again")
    # The first failures leave it degraded, then it is gone.
    assert 1 <= len(lost) <= 2 and len(back) == 1, gateway.log()
    assert int(facts(back[0])["failed"]) >= 3 and facts(back[0])["device"] == "met_grid"


def test_link_is_told_of_once_when_lost_and_once_when_back(host, subscriber, closing):
    peer = ModbusDevice({1: meter()}, fill=True)
    closing(peer)
    gateway = host(devices=[{"id": "met_grid", "template": "eastron-sdm630", "endpoint": peer.endpoint, "poll": "500ms"}])
    gateway.wait_log(lambda line: "link cannot be opened" in line)
    until = time.monotonic() + 30
    while gateway.json("devices")[0]["quality"]["errors"].get("refused", 0) < 3:
        assert time.monotonic() < until
        time.sleep(0.1)
    peer.start()
    subscriber.wait_telemetry("met_grid", timeout=90)
    assert len(lines(gateway, "link cannot be opened")) == 1
    (back,) = lines(gateway, "link is open again")
    assert int(facts(back)["failed"]) >= 3


def test_broker_is_told_of_once_when_lost_and_once_when_back(host, broker, subscriber, modbus_device):
    _, device = meter_device(modbus_device)
    gateway = host(devices=[device])
    subscriber.wait_telemetry("met_grid")
    broker.stop()
    gateway.wait_log(lambda line: "warning" in line and str(broker.port) in line)
    until = time.monotonic() + 8
    while time.monotonic() < until and gateway.json("status")["uplink"]["state"] != "connected":
        time.sleep(0.2)
    broker.start()
    gateway.wait_log(lambda line: "connected to" in line and "failed attempts" in line, 90)
    # That the connection ended, and that new ones are refused, are two things to say.
    assert 1 <= len([line for line in lines(gateway, str(broker.port)) if "warning" in line]) <= 2, gateway.log()
    assert len(lines(gateway, "failed attempts")) == 1


def test_plugin_is_told_of_once(host, directory, subscriber):
    plugins = directory / "plugins"
    plugins.mkdir(mode=0o755)
    (plugins / "broken.so").write_bytes(b"no library")
    gateway = host(
        plugins={"directories": [str(plugins)]},
        devices=[{"id": "x1", "adapter": "modbus", "endpoint": "tcp://127.0.0.1:1", "config": {}}],
    )
    gateway.wait_log(lambda line: "plugin refused" in line)
    for _ in range(5):
        gateway.cli("reload")
    assert len(lines(gateway, "plugin refused")) == 1
    assert len(lines(gateway, "link cannot be opened")) == 1


def test_what_a_device_says_forges_no_line(host, subscriber, modbus_device):
    """A serial number with line ends and escape sequences, which is logged when the id is bound, and a name of the file."""
    peer, device = meter_device(modbus_device)
    hostile = 'a\n<2>busbar: ready\r\x1b[31m b="c" \u202e\x9b'
    gateway = host(devices=[device | {"name": "x"}], start=False)
    gateway.write(devices=[device, {"name": hostile, "template": "eastron-sdm630", "endpoint": f"tcp://127.0.0.1:{free_port()}"}])
    gateway.start()
    gateway.wait_log(lambda line: "does not answer" in line or "cannot be opened" in line)
    gateway.stop()
    for line in gateway.log(2000).splitlines():
        assert re.match(r"\d\d:\d\d:\d\d\.\d{3} \w+ busbar: ", line), line
        assert line.isprintable(), repr(line)


def test_a_flapping_device_does_not_fill_the_log(host, subscriber, modbus_device):
    peer, device = meter_device(modbus_device, poll="100ms")
    gateway = host(devices=[device])
    subscriber.wait_telemetry("met_grid")
    for _ in range(25):
        peer.fault("exception", times=1, code=4)
        newest = subscriber.mark()
        subscriber.wait_telemetry("met_grid", lambda content: content["bad"] if "bad" in content else False, 30, since=newest)
        subscriber.wait_telemetry("met_grid", lambda content: "bad" not in content, 30, since=newest)
    assert len(lines(gateway, "met_grid")) <= 12, gateway.log()


def test_secrets_are_never_logged(host, broker, directory, modbus_device):
    _, device = meter_device(modbus_device)
    secret = directory / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    shown = ""
    for password in ({"file": str(secret)}, {"env": "MQTT_PASSWORD"}, {"value": SECRET}):
        gateway = host(
            devices=[device], start=False,
            uplink={"url": f"mqtt://127.0.0.1:{broker.port}", "username": "gw", "password": password},
        )
        gateway.start(options=["--log-level", "debug"], environment={"MQTT_PASSWORD": SECRET})
        gateway.wait_log(lambda line: "connected to" in line)
        gateway.cli("reload")
        for command in ("status", "devices", "links", "plugins"):
            shown += gateway.cli(command, "--json").stdout
        gateway.stop()
        shown += gateway.log(2000)
    # Where a person puts it where it does not belong.
    for url in (f"mqtt://gw:{SECRET}@127.0.0.1:1883", f"mqtts://{SECRET}@127.0.0.1"):
        gateway.write(uplink={"url": url})
        result = client("check-config", "--config", gateway.file, check=False)
        assert result.returncode == 2
        shown += result.stdout + result.stderr
    assert SECRET not in shown
