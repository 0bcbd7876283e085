# SPDX-License-Identifier: Apache-2.0
"""tls:// to devices: Modbus/TCP Security against pymodbus's TLS server, and everything that must not be believed."""

import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness.authority import Authority, fingerprint
from harness.host import client
from harness.paths import BUSBAR
from harness.processes import Child
from harness.proxy import Proxy
from harness.site import meter, meter_device

HERE = "DNS:localhost,IP:127.0.0.1"


class Listener:
    """Takes connections and does with them what `serve(socket)` does."""

    def __init__(self, serve):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = []
        self._serve = serve
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self):
        return f"tls://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._serve(connection)

    def close(self):
        self._listener.close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def authority(directory):
    return Authority(directory / "authority", "Test authority")


@pytest.fixture
def secure_meter(modbus_device, authority):
    """A meter with TLS and its entry under `devices`, without the key `tls`."""

    def make(power=1234.5, *, alternative=HERE, days=2, clients=None):
        certificate, key = authority.issue("meter", alternative=alternative, days=days)
        tls = {"certificate": certificate, "key": key, "ca": clients and clients.certificate}
        peer = modbus_device({1: meter(power)}, fill=True, tls=tls)
        return peer, {"id": "met_grid", "template": "eastron-sdm630", "endpoint": peer.endpoint, "poll": "1s"}

    return make


def power(subscriber, watts, timeout=20):
    subscriber.wait_telemetry("met_grid", lambda c: c["values"].get("power") == watts, timeout)


def reason(gateway, wanted, timeout=30):
    """What the host says of the device, once it is `wanted`."""
    end = time.monotonic() + timeout
    while True:
        [device] = gateway.json("devices")
        text = device.get("reason") or ""
        if wanted in text:
            assert device["state"] not in ("online", "degraded"), device
            return text
        assert time.monotonic() < end, device
        time.sleep(0.1)


def test_values_over_tls(host, subscriber, secure_meter, authority):
    _, device = secure_meter(88)
    gateway = host(devices=[device | {"tls": {"ca": str(authority.certificate)}}])
    power(subscriber, 88)
    [link] = gateway.json("links")
    assert link["endpoint"] == device["endpoint"]


def test_the_same_device_again_and_again(host, subscriber, secure_meter, authority):
    peer, device = secure_meter(88)
    host(devices=[device | {"tls": {"ca": str(authority.certificate)}}])
    power(subscriber, 88)
    for watts in (99, 111):
        peer.stop()
        peer.become({1: meter(watts)})
        peer.start()
        power(subscriber, watts, 60)


def test_authority_between(host, subscriber, modbus_device, authority, directory):
    below = authority.intermediate(directory / "below", "Below")
    certificate, key = below.issue("meter", alternative=HERE)
    chain = directory / "chain.pem"
    chain.write_text(certificate.read_text() + below.certificate.read_text())
    peer = modbus_device({1: meter(88)}, fill=True, tls={"certificate": chain, "key": key})
    device = {"id": "met_grid", "template": "eastron-sdm630", "endpoint": peer.endpoint, "poll": "1s"}
    host(devices=[device | {"tls": {"ca": str(authority.certificate)}}])
    power(subscriber, 88)


def test_authorities_of_the_system(host, subscriber, secure_meter, authority):
    _, device = secure_meter(88)
    gateway = host(start=False, devices=[device])
    gateway.start(environment={"SSL_CERT_FILE": str(authority.certificate)})
    power(subscriber, 88)


def test_another_authority_is_not_believed(host, directory, secure_meter):
    peer, device = secure_meter()
    other = Authority(directory / "other", "Another authority")
    gateway = host(devices=[device | {"tls": {"ca": str(other.certificate)}}])
    text = reason(gateway, "tls.ca")
    assert "Test authority" in text and "tls.fingerprint" in text, text
    assert peer.requests() == []


def test_without_ca_the_system_decides(host, secure_meter):
    _, device = secure_meter()
    assert "tls.ca is not set" in reason(host(devices=[device]), "tls.ca")


def test_expired(host, secure_meter, authority):
    _, device = secure_meter(days=-1)
    assert "clock" in reason(host(devices=[device | {"tls": {"ca": str(authority.certificate)}}]), "expired on 2")


def test_another_name(host, secure_meter, authority):
    _, device = secure_meter(alternative="DNS:meter.example")
    gateway = host(devices=[device | {"tls": {"ca": str(authority.certificate)}}])
    assert "meter.example" in reason(gateway, "tls.name")


def test_the_name_can_be_given(host, subscriber, secure_meter, authority):
    _, device = secure_meter(88, alternative="DNS:meter.example")
    host(devices=[device | {"tls": {"ca": str(authority.certificate), "name": "meter.example"}}])
    power(subscriber, 88)


def test_fingerprint(host, subscriber, secure_meter, authority):
    _, device = secure_meter(88, alternative="DNS:elsewhere.example", days=-1)
    pin = fingerprint(authority.directory / "meter.pem")
    host(devices=[device | {"tls": {"fingerprint": ":".join(pin[i : i + 2] for i in range(0, 64, 2)).upper()}}])
    power(subscriber, 88)


def test_another_fingerprint(host, secure_meter, authority):
    peer, device = secure_meter()
    gateway = host(devices=[device | {"tls": {"fingerprint": "00" * 32}}])
    shown = reason(gateway, "tls.fingerprint").replace(":", "").lower()
    assert fingerprint(authority.directory / "meter.pem") in shown
    assert peer.requests() == []


def test_client_certificate_of_files(host, subscriber, secure_meter, authority):
    _, device = secure_meter(88, clients=authority)
    certificate, key = authority.issue("gw-test")
    tls = {"ca": str(authority.certificate), "certificate": str(certificate), "key": str(key)}
    host(devices=[device | {"tls": tls}])
    power(subscriber, 88)


def test_client_certificate_wanted_and_not_given(host, secure_meter, authority):
    _, device = secure_meter(clients=authority)
    gateway = host(devices=[device | {"tls": {"ca": str(authority.certificate)}}])
    # pymodbus leaves without an alert.
    reason(gateway, "ask for a client certificate: set tls.certificate and tls.key")


def test_client_certificate_that_is_not_accepted(host, directory, secure_meter, authority):
    _, device = secure_meter(clients=authority)
    certificate, key = Authority(directory / "other", "Another authority").issue("gw-test")
    tls = {"ca": str(authority.certificate), "certificate": str(certificate), "key": str(key)}
    reason(host(devices=[device | {"tls": tls}]), "do not accept the host's certificate")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("given", [False, True])
def test_alerts_about_the_client_certificate(host, directory, closing, authority, version, given):
    """A server that says why, before the handshake is done (1.2) or when the host takes it for done (1.3)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("meter", alternative=HERE))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.certificate)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    def serve(connection):
        try:
            context.wrap_socket(connection, server_side=True).recv(1)
        except OSError:
            pass

    listener = closing(Listener(serve))
    tls = {"ca": str(authority.certificate)}
    if given:
        certificate, key = Authority(directory / "other", "Another authority").issue("gw-test")
        tls |= {"certificate": str(certificate), "key": str(key)}
    device = {"id": "met_grid", "template": "eastron-sdm630", "poll": "1s", "endpoint": listener.endpoint, "tls": tls}
    wanted = "does not accept the host's certificate" if given else "asks for a client certificate"
    reason(host(devices=[device]), wanted)


def test_a_renewed_client_certificate_counts_from_the_next_connection_on(host, directory, subscriber, secure_meter, authority):
    _, device = secure_meter(88, clients=authority)
    wrong = Authority(directory / "other", "Another authority").issue("gw-test")
    right = authority.issue("gw-test")
    files = [directory / "client.pem", directory / "client.key"]
    for place, source in zip(files, wrong):
        place.write_bytes(source.read_bytes())
        place.chmod(0o600)
    tls = {"ca": str(authority.certificate), "certificate": str(files[0]), "key": str(files[1])}
    gateway = host(devices=[device | {"tls": tls}])
    reason(gateway, "do not accept the host's certificate")
    # One after the other: in between they do not fit each other, and that heals by itself too.
    files[1].write_bytes(right[1].read_bytes())
    reason(gateway, "is not the one of the certificate", 90)
    files[0].write_bytes(right[0].read_bytes())
    power(subscriber, 88, 90)


def test_device_without_tls(host, modbus_device, authority):
    _, device = meter_device(modbus_device)
    device["endpoint"] = device["endpoint"].replace("tcp", "tls")
    reason(host(devices=[device | {"tls": {"ca": str(authority.certificate)}}]), "TLS")


@pytest.mark.parametrize(
    ["what", "serve", "wanted"],
    [
        ("stalls", lambda connection: None, "does not finish the TLS handshake"),
        ("http", lambda connection: connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n"), "does not speak TLS"),
        ("closes", lambda connection: (connection.recv(4096), connection.close()), "closed the connection during the TLS handshake"),
        ("garbage", lambda connection: connection.sendall(bytes(range(256)) * 64), "does not speak TLS"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 8 else "",
)
def test_what_is_no_tls(host, closing, authority, what, serve, wanted):
    listener = closing(Listener(serve))
    device = {
        "id": "met_grid", "template": "eastron-sdm630", "poll": "1s", "endpoint": listener.endpoint,
        "tls": {"ca": str(authority.certificate)},
    }
    reason(host(devices=[device]), wanted)


def test_cut_in_the_middle(host, subscriber, closing, secure_meter, authority):
    peer, device = secure_meter(88)
    proxy = closing(Proxy(peer.port))
    device |= {"endpoint": f"tls://127.0.0.1:{proxy.port}", "tls": {"ca": str(authority.certificate)}}
    host(devices=[device])
    power(subscriber, 88)
    for _ in range(3):
        position = subscriber.mark()
        proxy.cut()
        subscriber.wait_telemetry("met_grid", lambda c: c["values"].get("power") == 88, 60, since=position)
    # And one that nobody says anything about: the next poll ends at its deadline, and a new connection is made.
    proxy.swallow()
    subscriber.wait_telemetry("met_grid", lambda c: "power" in c.get("bad", {}), 60, since=subscriber.mark())
    proxy.swallow(False)
    power(subscriber, 88, 90)


def test_template_and_adapter_know_the_port(host, authority):
    device = {"id": "met_grid", "template": "eastron-sdm630", "endpoint": "tls://127.0.0.1", "tls": {"ca": str(authority.certificate)}}
    gateway = host(devices=[device])
    [link] = gateway.json("links")
    assert link["endpoint"] == "tls://127.0.0.1:802"


def test_nothing_secret_in_the_trace(host, subscriber, secure_meter, authority):
    """Frames as the device speaks them, and nothing of the handshake."""
    _, device = secure_meter(88, clients=authority)
    certificate, key = authority.issue("gw-test")
    tls = {"ca": str(authority.certificate), "certificate": str(certificate), "key": str(key)}
    gateway = host(devices=[device | {"tls": tls}])
    power(subscriber, 88)
    text = gateway.cli("trace", "met_grid").stdout
    assert "> " in text and "< " in text
    secret = key.read_text().splitlines()[1][:24]
    assert secret not in text + gateway.log() and "PRIVATE" not in text + gateway.log()


def test_reload_takes_other_settings(host, subscriber, directory, secure_meter, authority):
    _, device = secure_meter(88)
    other = Authority(directory / "other", "Another authority")
    gateway = host(devices=[device | {"tls": {"ca": str(other.certificate)}}])
    reason(gateway, "tls.ca")
    gateway.write(devices=[device | {"tls": {"ca": str(authority.certificate)}}])
    assert gateway.json("reload")["links"] == ["modbus-tls-" + device["endpoint"][6:].replace(":", "-")]
    power(subscriber, 88)


@pytest.fixture
def simulated(closing):
    """A simulated meter with TLS, and what it said when it began to listen."""

    def start(*options, environment=None):
        child = closing(
            Simulation(
                [BUSBAR, "simulate", "eastron-sdm630", "--listen", "tls://127.0.0.1:0", "--set", "power=77", *options],
                name="busbar simulate", environment=environment or clean_environment(),
            )
        )
        line = child.wait_line(lambda line: line.startswith("listening on tls://"))
        endpoint, fingerprint = line.removeprefix("listening on ").split(", fingerprint ")
        return endpoint, fingerprint

    return start


class Simulation(Child):
    close = Child.kill


def clean_environment():
    return {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ} | {"SWIFT_BACKTRACE": "enable=no"}


def test_simulated_device_of_its_own_certificate(host, subscriber, simulated):
    endpoint, pin = simulated()
    host(devices=[{"id": "met_grid", "template": "eastron-sdm630", "endpoint": endpoint, "poll": "1s", "tls": {"fingerprint": pin}}])
    power(subscriber, 77)


def test_simulated_device_judged_by_openssl(simulated, authority):
    """The server side against another client: versions, names, and clients without a certificate."""
    certificate, key = authority.issue("meter", alternative=HERE)
    endpoint, _ = simulated("--certificate", certificate, "--key", key, "--client-ca", authority.certificate)
    port = endpoint.rsplit(":", 1)[1]

    def connect(*options):
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", authority.certificate, "-verify_return_error",
             "-verify_ip", "127.0.0.1", *map(str, options)],
            # A Modbus request for two registers; s_client ends with its input.
            input=bytes.fromhex("000100000006010400340002"), capture_output=True, timeout=30,
        )

    own = ("-cert", authority.issue("client")[0], "-key", authority.directory / "client.key")
    for version in ("-tls1_2", "-tls1_3"):
        result = connect(version, *own)
        assert result.returncode == 0 and b"Verify return code: 0 (ok)" in result.stdout, result
    refused = connect("-tls1_2")
    assert refused.returncode != 0 or b"alert" in refused.stderr, refused
    assert connect("-tls1_1", "-cipher", "ALL:@SECLEVEL=0", *own).returncode != 0


@pytest.mark.parametrize(
    ["options", "wanted"],
    [
        (["--listen", "tcp://127.0.0.1:0", "--certificate", "a", "--key", "b"], "tls://"),
        (["--listen", "tls://127.0.0.1:0", "--certificate", "a"], "--key"),
        (["--listen", "tls://127.0.0.1:0", "--certificate", "/nowhere/a", "--key", "/nowhere/b"], "/nowhere/a"),
    ],
)
def test_simulate_says_what_is_wrong(options, wanted):
    result = client("simulate", "eastron-sdm630", *options, environment=clean_environment(), check=False)
    assert result.returncode in (1, 2) and wanted in result.stderr
