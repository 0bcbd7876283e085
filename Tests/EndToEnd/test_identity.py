# SPDX-License-Identifier: Apache-2.0
"""The host's own identity: made at first need, shown, signed by an authority, used for MQTT and devices."""

import json
import os
import shutil
import signal
import stat
import subprocess
import time

import pytest

from harness.authority import Authority, fingerprint
from harness.broker import Broker
from harness.host import client
from harness.paths import BUSBAR
from harness.site import meter, meter_device
from harness.subscriber import Subscriber


@pytest.fixture
def authority(directory):
    return Authority(directory / "authority", "Test authority")


@pytest.fixture
def identity(host):
    """`identity(arguments…)` on a host that does not run: `busbar identity ARGUMENTS --config FILE`."""
    made = host(start=False, uplink_to=None)

    def run(*arguments, check=True):
        return client("identity", *arguments, "--config", made.file, environment=made.environment, check=check)

    run.host = made
    run.place = made.directory / "state" / "identity"
    return run


def show(identity):
    return json.loads(identity("show", "--json").stdout)


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def test_made_once_and_private(identity):
    shown = show(identity)
    assert show(identity) == shown
    assert shown["self_signed"] and shown["state"] == "good"
    assert shown["subject"] == "CN=gw-test" and shown["names"] == ["gw-test"]
    assert shown["fingerprint"].replace(":", "").lower() == fingerprint(identity.place / "certificate.pem")
    assert stat.S_IMODE(identity.place.stat().st_mode) == 0o700
    assert sorted(os.listdir(identity.place)) == ["certificate.pem", "key.pem"]
    for file in identity.place.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = openssl("x509", "-in", identity.place / "certificate.pem", "-noout", "-text")
    for wanted in ("NIST CURVE: P-256", "CA:FALSE", "TLS Web Server Authentication, TLS Web Client Authentication", "DNS:gw-test"):
        assert wanted in text, text
    ski = text.split("Subject Key Identifier:")[1].split()[0].replace(":", "").lower()
    assert shown["ski"] == ski
    # SHIP wants the identifier to be the hash of the key, as openssl has it.
    years = (shown["not_after"] - shown["not_before"]) / 1000 / 86400 / 365
    assert 15 < years < 25


def test_lines_for_people(identity):
    lines = dict(line.split("\t") for line in identity().stdout.splitlines())
    assert lines["issuer"] == "itself" and len(lines["fingerprint"]) == 95


def test_killed_while_it_is_made(identity):
    """SIGKILL at random moments: what is there is whole, and the next one makes the rest."""
    states = set()
    moment = 0
    # On a busy machine the moments at which there is something to interrupt come late.
    while moment < 40 or len(states) < 2:
        assert moment < 400, states
        shutil.rmtree(identity.place, ignore_errors=True)
        child = subprocess.Popen(
            [BUSBAR, "identity", "show", "--config", identity.host.file], env=identity.host.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        time.sleep(0.005 + moment * 0.002)
        child.send_signal(signal.SIGKILL)
        child.wait()
        found = tuple(sorted(os.listdir(identity.place))) if identity.place.exists() else ()
        states.add(found)
        key = (identity.place / "key.pem").read_bytes() if "key.pem" in found else None
        shown = show(identity)
        assert sorted(os.listdir(identity.place)) == ["certificate.pem", "key.pem"]
        if key:
            assert (identity.place / "key.pem").read_bytes() == key
        assert shown["state"] == "good"
        moment += 1


def test_two_at_once_make_one(identity):
    several = [
        subprocess.Popen(
            [BUSBAR, "identity", "show", "--json", "--config", identity.host.file], env=identity.host.environment,
            stdout=subprocess.PIPE, text=True,
        )
        for _ in range(8)
    ]
    assert len({child.communicate()[0] for child in several}) == 1
    assert all(child.returncode == 0 for child in several)


def test_what_a_killed_one_left_is_in_nobodys_way(identity):
    identity.place.mkdir(mode=0o700)
    (identity.place / "key.pem.part").write_text("half a k")
    show(identity)
    assert sorted(os.listdir(identity.place)) == ["certificate.pem", "key.pem"]


def test_key_that_is_missing_is_not_made_anew(identity):
    show(identity)
    (identity.place / "key.pem").unlink()
    result = identity("show", check=False)
    assert result.returncode == 1 and "key.pem is missing" in result.stderr
    assert not (identity.place / "key.pem").exists()


def test_certificate_that_is_missing_is_made_for_the_key(identity):
    key = show(identity)["ski"]
    (identity.place / "certificate.pem").unlink()
    assert show(identity)["ski"] == key


def test_request(identity, directory):
    request = directory / "own.csr"
    identity("csr", "--out", request)
    text = openssl("req", "-in", request, "-noout", "-verify", "-text")
    assert "CN = gw-test" in text and "DNS:gw-test" in text and "prime256v1" in text
    given = identity("csr", "--subject", "O=Nordhof GmbH,CN=gw 7", "--name", "gw.example", "--name", "10.0.0.7").stdout
    request.write_text(given)
    text = openssl("req", "-in", request, "-noout", "-verify", "-text")
    assert "O = Nordhof GmbH, CN = gw 7" in text and "DNS:gw.example, IP Address:10.0.0.7" in text


@pytest.mark.parametrize("arguments", [["--subject", "nonsense"], ["--name", "a,DNS:b"], ["--name", ""]])
def test_requests_that_are_refused(identity, arguments):
    result = identity("csr", *arguments, check=False)
    assert result.returncode == 2 and arguments[0] in result.stderr


def test_subject_that_is_no_name(identity):
    result = identity("csr", "--subject", "XYZ=1", check=False)
    assert result.returncode == 1 and "XYZ=1" in result.stderr


def signed(identity, authority, directory, **options):
    request = directory / "own.csr"
    request.write_text(identity("csr").stdout)
    return authority.sign(request, "gateway", **options)


def test_install(identity, authority, directory):
    before = show(identity)
    certificate = signed(identity, authority, directory)
    shown = json.loads(identity("install", certificate, "--json").stdout)
    assert not shown["self_signed"] and shown["issuer"] == "CN=Test authority" and shown["ski"] == before["ski"]
    assert show(identity) == shown
    assert stat.S_IMODE((identity.place / "certificate.pem").stat().st_mode) == 0o600


def test_install_of_a_chain_in_any_order(identity, authority, directory):
    below = authority.intermediate(directory / "below", "Below")
    certificate = signed(identity, below, directory)
    chain = directory / "answer.pem"
    chain.write_text("a comment\n" + authority.certificate.read_text() + below.certificate.read_text() + certificate.read_text())
    shown = json.loads(identity("install", chain, "--json").stdout)
    assert shown["chain"] == ["CN=Below"]
    installed = identity.place / "certificate.pem"
    assert openssl("verify", "-CAfile", authority.certificate, "-untrusted", installed, installed).strip().endswith("OK")


def test_answers_that_do_not_fit(identity, authority, directory):
    certificate = signed(identity, authority, directory)
    other = Authority(directory / "other", "Another authority")
    identity("install", certificate)
    before = show(identity)
    files = {
        "for this host's key": authority.issue("stranger")[0].read_text(),
        "has not issued": certificate.read_text() + other.certificate.read_text(),
        "expired on": signed(identity, authority, directory, days=-1).read_text(),
        "no certificate": "nothing of the kind",
        "": "",
    }
    for wanted, content in files.items():
        file = directory / "answer.pem"
        file.write_text(content)
        result = identity("install", file, check=False)
        assert result.returncode == 1 and wanted in result.stderr, (wanted, result.stderr)
        assert show(identity) == before
    for path in (directory / "nowhere.pem", directory, "/dev/zero"):
        assert identity("install", path, check=False).returncode == 1
        assert show(identity) == before


# Without a restart it takes up to a minute: a refusal waits for a person, not for the next second.
@pytest.mark.parametrize("restart", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_mqtt_with_the_hosts_own_identity(host, closing, directory, authority, modbus_device, restart):
    certificate, key = authority.issue("broker", alternative="DNS:localhost,IP:127.0.0.1")
    broker = closing(
        Broker(
            directory / "tls-broker",
            tls={"ca": authority.certificate, "certificate": certificate, "key": key, "client": True},
        ).start()
    )

    def configure(mqtt):
        mqtt.tls_set(str(authority.certificate), *map(str, authority.issue("subscriber")))

    subscriber = closing(Subscriber(broker.port, configure=configure))
    _, device = meter_device(modbus_device, power=88)
    tls = {"ca": str(authority.certificate), "certificate": "host", "key": "host"}
    gateway = host(
        start=False, uplink_to=None, devices=[device], uplink={"url": f"mqtts://127.0.0.1:{broker.port}", "tls": tls}
    )
    # Nothing is made by looking at it.
    client("check-config", "--config", gateway.file, environment=gateway.environment)
    assert not (directory / "state" / "identity").exists()
    gateway.start()
    assert (directory / "state" / "identity" / "key.pem").exists()
    # The broker does not know what the host signed itself.
    gateway.wait_log(lambda line: "warning" in line and "127.0.0.1" in line)
    request = directory / "gateway.csr"
    request.write_text(gateway_identity(gateway, "csr"))
    gateway_identity(gateway, "install", authority.sign(request, "gateway"))
    if restart:
        gateway.stop()
        gateway.start()
    subscriber.wait_telemetry("met_grid", lambda c: c["values"].get("power") == 88, 90)
    # The certificate's name is the user's: `use_identity_as_username`.
    assert "u'gw-test'" in broker.log()


def gateway_identity(gateway, *arguments):
    return client("identity", *arguments, "--config", gateway.file, environment=gateway.environment).stdout


def test_device_with_the_hosts_own_identity(host, subscriber, directory, authority, modbus_device):
    certificate, key = authority.issue("meter", alternative="IP:127.0.0.1")
    gateway = host(start=False)
    gateway_identity(gateway, "show")
    # The device is told to believe this one certificate.
    own = directory / "state" / "identity" / "certificate.pem"
    peer = modbus_device({1: meter(88)}, fill=True, tls={"certificate": certificate, "key": key, "ca": own})
    tls = {"ca": str(authority.certificate), "certificate": "host", "key": "host"}
    gateway.write(
        devices=[{"id": "met_grid", "template": "eastron-sdm630", "endpoint": peer.endpoint, "poll": "1s", "tls": tls}]
    )
    gateway.start()
    subscriber.wait_telemetry("met_grid", lambda c: c["values"].get("power") == 88)


def test_key_of_another_certificate_is_found_before_the_start(host, directory, authority):
    certificate, _ = authority.issue("one")
    _, key = authority.issue("two")
    tls = {"ca": str(authority.certificate), "certificate": str(certificate), "key": str(key)}
    gateway = host(
        start=False, uplink_to=None, uplink={"url": "mqtts://127.0.0.1:1", "tls": tls},
        devices=[{"id": "met_grid", "template": "eastron-sdm630", "endpoint": "tls://127.0.0.1", "tls": tls | {"ca": str(key)}}],
    )
    for command in ("check-config", "run"):
        result = client(command, "--config", gateway.file, environment=gateway.environment, check=False)
        assert result.returncode == 2
        assert result.stderr.count("is not the one of the certificate") == 2
        assert "tls.ca: " in result.stderr and "no certificate" in result.stderr
        assert "PRIVATE" not in result.stderr


def test_encrypted_key_is_refused_and_asks_nobody(host, directory, authority):
    certificate, key = authority.issue("one")
    locked = directory / "locked.key"
    openssl("pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:hunter2")
    locked.chmod(0o600)
    tls = {"ca": str(authority.certificate), "certificate": str(certificate), "key": str(locked)}
    gateway = host(start=False, uplink_to=None, uplink={"url": "mqtts://127.0.0.1:1", "tls": tls})
    result = client("check-config", "--config", gateway.file, environment=gateway.environment, check=False)
    assert result.returncode == 2 and "the key is encrypted" in result.stderr


@pytest.mark.parametrize(["days", "name"], [(10, "CertificateExpiring"), (-1, "CertificateExpired")])
def test_end_of_a_certificate_is_an_alarm(host, subscriber, directory, authority, modbus_device, days, name):
    _, device = meter_device(modbus_device, power=88)
    gateway = host(start=False, devices=[device])
    request = directory / "gateway.csr"
    request.write_text(gateway_identity(gateway, "csr"))
    (directory / "state" / "identity" / "certificate.pem").write_bytes(
        authority.sign(request, "gateway", days=days).read_bytes()
    )
    gateway.start()
    status = subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/status" and name in [alarm["name"] for alarm in m.json["alarms"]]
    )
    assert "the host's own certificate" in status.json["alarms"][0]["text"]
    # The host goes on, and says it once.
    subscriber.wait_telemetry("met_grid")
    assert gateway.log().count("the host's own certificate expire") == 1
    assert json.loads(gateway_identity(gateway, "show", "--json"))["state"] == name.removeprefix("Certificate").lower()
    # It is over once the renewed one is there.
    position = subscriber.mark()
    (directory / "state" / "identity" / "certificate.pem").write_bytes(authority.sign(request, "renewed", days=300).read_bytes())
    gateway.cli("reload")
    subscriber.wait_for(lambda m: m.topic == "gateways/gw-test/status" and not m.json["alarms"], 30, since=position, what="its end")
    gateway.wait_log(lambda line: "the host's own certificate is good until" in line)
