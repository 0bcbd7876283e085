# SPDX-License-Identifier: Apache-2.0
"""Security profiles 1 to 3 of OCPP, passwords that change over the connection, and chargers that nobody knows."""

import socket
import ssl
import time
import uuid

import pytest
import websockets

from harness.authority import Authority
from harness.charger import Charger
from harness.network import free_port
from harness.ocpp_site import VERSIONS, Site, device

BOTH = pytest.mark.parametrize("version", VERSIONS)
WALL = "evc_wall"
PASSWORD = "correct-horse-1234"


@pytest.fixture
def authority(directory):
    return Authority(directory / "ca", "Chargers")


@pytest.fixture
def certificate(authority):
    certificate, key = authority.issue("localhost", alternative="DNS:localhost,IP:127.0.0.1")
    return {"certificate": str(certificate), "key": str(key)}


def trusting(authority, *own):
    context = ssl.create_default_context(cafile=authority.certificate)
    if own:
        context.load_cert_chain(*own)
    return context


def give(site, password, *options):
    site.host.cli("password", "set", WALL, *options, stdin=password + "\n")


def refused(site, identity="CP-1", **options):
    """The status with which the host turns a charger away."""
    with pytest.raises((websockets.InvalidStatus, ssl.SSLError, OSError)) as found:
        site.charger(identity, boot=False, **options)
    response = getattr(found.value, "response", None)
    return response.status_code if response else None


@pytest.fixture
def impatient(monkeypatch):
    """A charger that is turned away does not try again."""
    monkeypatch.setattr("harness.charger.Charger.connect_until", lambda self, timeout=60: self.connect())


@BOTH
def test_a_password_without_tls(host, subscriber, closing, version):
    """Profile 1."""
    site = Site(host, subscriber, closing, login="password")
    site.start(device(WALL, "CP-1"))
    give(site, PASSWORD)
    charger = site.charger("CP-1", version, password=PASSWORD)
    assert site.value(WALL, "status") == "available"
    charger.check()


@BOTH
def test_a_password_with_tls(host, subscriber, closing, authority, certificate, version):
    """Profile 2."""
    site = Site(host, subscriber, closing, login="password", tls=certificate)
    site.start(device(WALL, "CP-1"))
    give(site, PASSWORD)
    charger = site.charger("CP-1", version, password=PASSWORD, ssl=trusting(authority))
    assert site.value(WALL, "status") == "available"
    charger.check()


@BOTH
def test_a_certificate(host, subscriber, closing, authority, certificate, version):
    """Profile 3."""
    site = Site(host, subscriber, closing, login="certificate", tls=certificate | {"clients": str(authority.certificate)})
    site.start(device(WALL, "CP-1"))
    charger = site.charger("CP-1", version, ssl=trusting(authority, *authority.issue("CP-1")))
    assert site.value(WALL, "status") == "available"
    charger.check()


def test_who_is_turned_away(host, subscriber, closing, impatient):
    site = Site(host, subscriber, closing, login="password")
    site.start(device(WALL, "CP-1"))
    give(site, PASSWORD)
    assert refused(site, password="wrong-horse-12345") == 401
    assert refused(site) == 401
    assert refused(site, "CP-9", password=PASSWORD) in (401, 403, 404)
    log = site.host.log()
    assert "wrong-horse" not in log and PASSWORD not in log


def alarms(site, wanted, since=0):
    return site.subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/status" and wanted([alarm["name"] for alarm in m.json["alarms"]]), 30, since=since,
        what="the alarms").json["alarms"]


def test_a_profile_that_a_listener_cannot_do_locks_nobody_out(host, subscriber, closing, certificate):
    """By no way: not by the host's record, and not by telling the charger."""
    secure = {"listen": f"127.0.0.1:{free_port()}", "login": "password", "tls": certificate}
    site = Site(host, subscriber, closing, login="password")
    gateway = host(
        listeners={"ocpp": site.listener, "ocpps": secure}, devices=[device(WALL, "CP-1"), device("evc_new", "CP-2")],
        uplink={"role": "installer"})
    site.host = gateway
    give(site, PASSWORD)
    gateway.cli("password", "set", "evc_new", stdin=PASSWORD + "\n")
    old, new = site.charger("CP-1", password=PASSWORD), site.charger("CP-2", "ocpp2.0.1", password=PASSWORD)
    for name in (WALL, "evc_new"):
        site.value(name, "status")
    result = gateway.cli("password", "set", WALL, "--profile", "2", stdin="another-horse-12\n", check=False)
    assert result.returncode == 1 and "nothing was changed" in result.stderr and "has no TLS" in result.stderr, result.stderr
    assert "listener:ocpps/CP-1" in result.stderr, "where it could come to"

    def set_login(**members):
        content = {"id": uuid.uuid4().hex, "action": "set-login"} | members
        subscriber.publish("gateways/gw-test/commands", content)
        return subscriber.wait_for(
            lambda m: m.topic == "gateways/gw-test/commands/response" and m.json["id"] == content["id"], 30, what="an answer").json

    answer = set_login(device=WALL, profile=3)
    assert answer["status"] == "refused" and "has no TLS" in answer["text"], answer
    answer = set_login(device="listener:ocpps/CP-1", profile=3, password=PASSWORD)
    assert answer["status"] == "refused" and "clients: FILE" in answer["text"], answer
    answer = set_login(device="listener:ocpps/CP-1", profile=2)
    assert answer["status"] == "refused" and "no password" in answer["text"], answer
    assert set_login(device="listener:ocpps/CP-1", profile=2, password=PASSWORD)["status"] == "done"
    asked = len(old.requests), len(new.requests)
    url = f"127.0.0.1:{site.port}/ocpp"
    profile = {"ocppVersion": "OCPP20", "ocppTransport": "JSON", "messageTimeout": 30, "ocppInterface": "Wired0"}
    variable = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "SecurityProfile"}}
    for name, action, payload, why in [
        (WALL, "ChangeConfiguration", {"key": "SecurityProfile", "value": "3"}, "has no TLS"),
        (WALL, "ChangeConfiguration", {"key": "SecurityProfile", "value": "0"}, "lower than 1"),
        ("evc_new", "SetVariables", {"setVariableData": [variable | {"attributeValue": "3"}]}, "has no TLS"),
        ("evc_new", "SetNetworkProfile", {"configurationSlot": 1, "connectionData": profile | {"ocppCsmsUrl": f"wss://{url}", "securityProfile": 2}},
         "has no TLS"),
        ("evc_new", "SetNetworkProfile", {"configurationSlot": 1, "connectionData": profile | {"ocppCsmsUrl": f"ws://{url}", "securityProfile": 2}},
         "write wss://"),
    ]:  # fmt: skip
        _, answer = site.call(name, action, payload)
        assert answer["status"] == "refused" and why in answer["text"], (action, payload, answer)
    answer = site.ask("evc_new", action="ocpp.network", args={"slot": 1, "url": f"wss://{url}", "security": 2})
    assert answer["status"] == "refused" and "has no TLS" in answer["text"], answer
    assert (len(old.requests), len(new.requests)) == asked
    # What can be done is: the other listener takes it there.
    new.answers["SetNetworkProfile"] = old.answers["ChangeConfiguration"] = lambda payload: {"status": "Accepted"}
    data = profile | {"ocppCsmsUrl": f"wss://{secure['listen']}/ocpps", "securityProfile": 2}
    assert site.call("evc_new", "SetNetworkProfile", {"configurationSlot": 1, "connectionData": data})[0]["status"] == "Accepted"
    assert site.call(WALL, "ChangeConfiguration", {"key": "SecurityProfile", "value": "2"})[0]["status"] == "Accepted"
    old.disconnect()
    old.connect()
    for charger in (old, new):
        charger.check()


def test_a_listener_that_loses_its_tls_says_whom_it_shuts_out(host, subscriber, closing, certificate, impatient):
    site = Site(host, subscriber, closing, login="password", tls=certificate)
    gateway = site.start(device(WALL, "CP-1"))
    # Profile 2 is TLS beside the password.
    give(site, PASSWORD, "--profile", "2")
    site.listener["tls"] = "off"
    gateway.write(listeners={"ocpp": site.listener})
    position = subscriber.mark()
    assert "1 device is not let in" in " ".join(gateway.json("reload")["problems"])
    assert any("has no TLS" in alarm["text"] for alarm in alarms(site, lambda names: names == ["SecurityProfileFault"], position))
    assert refused(site, password=PASSWORD) == 403
    gateway.wait_log(lambda line: "1 device is not let in" in line)
    assert gateway.log().count("1 device is not let in") == 1
    position = subscriber.mark()
    give(site, PASSWORD, "--profile", "1")
    gateway.cli("reload")
    alarms(site, lambda names: not names, position)
    site.charger("CP-1", password=PASSWORD).check()


def test_a_certificate_of_somebody_else(host, subscriber, closing, authority, certificate, directory, impatient):
    site = Site(host, subscriber, closing, login="certificate", tls=certificate | {"clients": str(authority.certificate)})
    site.start(device(WALL, "CP-1"))
    foreign = Authority(directory / "foreign", "Foreign").issue("CP-1")
    for own in [
        (), foreign, authority.issue("CP-2"), authority.issue("CP-1", days=-1),
        # Another name that reads, printed, as if it held this one.
        authority.issue("CP-2", organisation="x,CN=CP-1"), authority.issue("CP-1,O=x"),
    ]:
        with pytest.raises((websockets.WebSocketException, OSError, EOFError)):
            site.charger("CP-1", ssl=trusting(authority, *own))


def test_a_listener_that_cannot_open_is_seen_and_tried_again(host, subscriber, closing):
    site = Site(host, subscriber, closing)
    with socket.create_server(("127.0.0.1", site.port)):
        gateway = site.start(device(WALL, "CP-1"))
        alarm = subscriber.wait_for(
            lambda m: m.topic == "gateways/gw-test/status" and m.json["alarms"], 30, what="the alarm").json["alarms"][0]
        assert alarm["name"] == "ListenerFault" and "another program listens there" in alarm["text"], alarm
        assert gateway.json("status")["listeners"][0]["state"] == "failed"
        assert "another program listens there" in gateway.cli("status").stdout
        assert "another program listens there" in gateway.json("reload")["problems"][0]
        position = subscriber.mark()
    site.charger("CP-1")
    subscriber.wait_for(lambda m: m.topic == "gateways/gw-test/status" and not m.json["alarms"], 30, since=position, what="its end")
    assert gateway.json("status")["listeners"][0]["state"] == "open"


def test_a_password_is_not_changed_behind_the_hosts_back(host, subscriber, closing):
    site = Site(host, subscriber, closing)
    gateway = site.start(device(WALL, "CP-1"))
    charger = site.charger("CP-1")
    site.value(WALL, "status")
    _, answer = site.call(WALL, "ChangeConfiguration", {"key": "AuthorizationKey", "value": PASSWORD.encode().hex()})
    assert answer["status"] == "refused" and "busbar password rotate" in answer["text"], answer
    answer = site.ask(WALL, action="ocpp.password", args={"password": PASSWORD})
    assert answer["status"] == "refused" and "busbar password rotate" in answer["text"], answer
    assert gateway.cli("command", WALL, "ocpp.password", f"password={PASSWORD}", check=False).returncode == 1
    assert charger.settings["AuthorizationKey"] == ""
    # The host's own way; what is on the wire can be looked at, but for the password.
    gateway.cli("password", "rotate", WALL, timeout=90)
    given = charger.settings["AuthorizationKey"]
    value, _ = site.call(WALL, "GetConfiguration", {"key": ["AuthorizationKey"]})
    assert value["configurationKey"][0]["value"] == "(secret)"
    trace = gateway.cli("trace", WALL).stdout
    assert '"BootNotification"' in trace and "a message with a secret" in trace, trace
    assert given not in trace and given.encode().hex().upper() not in trace


@BOTH
def test_a_new_password_over_the_connection(host, subscriber, closing, version):
    site = Site(host, subscriber, closing, login="password")
    site.start(device(WALL, "CP-1"))
    give(site, PASSWORD)
    charger = site.charger("CP-1", version, password=PASSWORD)
    site.value(WALL, "status")
    site.host.cli("password", "rotate", WALL, timeout=90)
    if version == "ocpp1.6":
        # Security whitepaper: hexadecimal digits.
        charger.password = bytes.fromhex(charger.settings["AuthorizationKey"]).decode()
    else:
        charger.password = charger.settings["BasicAuthPassword"]
    assert len(charger.password) == 20
    charger.disconnect()
    # What the charger was given is on disk before it has it; until it comes with it the former one counts too.
    site.host.kill()
    site.host.start()
    new, charger.password = charger.password, PASSWORD
    for _ in range(12):
        charger.connect_until()
        charger.disconnect()
    # As often as it likes: that was no guessing, and the new one is let in at once.
    charger.password = new
    charger.connect()
    charger.boot()
    with pytest.raises(websockets.InvalidStatus):
        closing(Charger(site.url, "CP-1", version, password=PASSWORD)).connect()
    said = site.host.log() + "".join(m.payload.decode(errors="replace") for m in subscriber.since())
    assert charger.password not in said and charger.password.encode().hex() not in said
    charger.check()


def pem(certificate):
    """The PEM of a file, without what a tool may have written before it."""
    text = certificate.read_text()
    return text[text.index("-----BEGIN CERTIFICATE-----") :]


@BOTH
def test_a_certificate_is_asked_for_and_signed(host, subscriber, closing, authority, version):
    """The charger's request is a record; the operator answers it with a chain and learns what the charger makes of it."""
    site = Site(host, subscriber, closing)
    site.start(device(WALL, "CP-1"))
    charger = site.charger("CP-1", version)
    site.value(WALL, "status")
    request = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
    assert charger.call("SignCertificate", {"csr": request})["status"] == "Accepted"
    told = subscriber.wait_for(
        lambda m: m.topic == f"devices/{WALL}/records" and m.json["kind"] == "ocpp.sign-certificate", 30, what="the request").json
    assert told["record"]["content"]["csr"] == request
    own, key = authority.issue("CP-1")
    chain = pem(own) + pem(authority.certificate)
    verdict = ["Accepted"]
    charger.answers["CertificateSigned"] = lambda payload: {"status": verdict[0]}
    answer = site.ask(WALL, action="certificate.sign", args={"chain": chain})
    assert answer["status"] == "done", answer
    assert charger.request("CertificateSigned")["certificateChain"].split() == chain.split()
    verdict[0] = "Rejected"
    answer = site.ask(WALL, action="certificate.sign", args={"chain": pem(own)})
    assert answer["status"] == "failed" and "Rejected" in answer["text"], answer
    asked = len(charger.requests)
    for wrong, why in [
        ("", "0 certificates"), ("MIIB", "something else"), (key.read_text(), "something else"), (pem(own) + key.read_text(), "something else"),
        (pem(own).replace("M", "*", 1), "damaged"), (pem(own).rsplit("\n", 2)[0], "no end"), (pem(own) * 40, "at most"),
    ]:  # fmt: skip
        answer = site.ask(WALL, action="certificate.sign", args={"chain": wrong})
        assert answer["reason"] == "invalid" and why in answer["text"], (why, answer)
    assert site.ask(WALL, action="certificate.sign", args={"chain": chain, "use": "Anything"})["reason"] == "invalid"
    assert len(charger.requests) == asked
    charger.check()


def test_where_a_charger_finds_its_central_system(host, subscriber, closing):
    site = Site(host, subscriber, closing)
    site.start(device(WALL, "CP-1"), device("evc_old", "CP-2"))
    charger, old = site.charger("CP-1", "ocpp2.0.1"), site.charger("CP-2", "ocpp1.6")
    site.value(WALL, "status")
    site.value("evc_old", "status")
    charger.answers["SetNetworkProfile"] = lambda payload: {"status": "Accepted" if payload["configurationSlot"] == 1 else "Rejected"}
    good = {"slot": 1, "url": "wss://csms.example:8443/ocpp", "security": 2}
    assert site.ask(WALL, action="ocpp.network", args=good)["status"] == "done"
    data = charger.request("SetNetworkProfile")["connectionData"]
    assert (data["ocppCsmsUrl"], data["securityProfile"], data["ocppInterface"]) == (good["url"], 2, "Wired0")
    assert "Rejected" in site.ask(WALL, action="ocpp.network", args=good | {"slot": 2})["text"]
    asked = len(charger.requests)
    for wrong in [
        {"slot": -1}, {"security": 0}, {"security": 4}, {"url": "ws://csms.example/ocpp"}, {"url": "wss://"}, {"url": "wss://a b"},
        {"url": "wss://user:word@csms.example"}, {"url": "wss://" + "x" * 600}, {"interface": "Wired9"}, {"timeout": 0},
    ]:  # fmt: skip
        answer = site.ask(WALL, action="ocpp.network", args=good | wrong)
        assert answer["reason"] == "invalid", (wrong, answer)
    assert len(charger.requests) == asked
    assert "no network profiles" in site.ask("evc_old", action="ocpp.network", args=good)["text"]
    charger.check()


def test_a_charger_that_nobody_knows_is_a_candidate(host, subscriber, closing, impatient):
    site = Site(host, subscriber, closing)
    gateway = site.start(device(WALL, "CP-1"))
    assert refused(site, "CP-NEW") is not None
    found = subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/devices" and m.json["discovered"], 30, what="the candidate").json["discovered"][0]
    assert found["endpoint"] == "listener:ocpp/CP-NEW" and found["adapter"] == "ocpp"
    gateway.cli("approve", found["candidate"], "--name", "New one", timeout=60)
    charger = None
    for _ in range(50):
        try:
            charger = site.charger("CP-NEW", boot=False)
            break
        except websockets.InvalidHandshake:
            continue
    assert charger and charger.boot()["status"] == "Accepted"
    subscriber.wait_for(
        lambda m: m.topic.startswith("devices/evc_") and m.topic.endswith("/telemetry") and WALL not in m.topic
        and m.json.get("values", {}).get("status") == "available",
        30, what="telemetry of the new charger")
    charger.check()


def test_whoever_comes_is_taken_in_up_to_a_limit(host, subscriber, closing):
    site = Site(host, subscriber, closing, accept="any", accept_limit=3)
    gateway = site.start(device(WALL, "CP-1"))
    known = site.charger("CP-1", boot=False)

    def come(number):
        """It is taken in, and let in once its link is open; nil where it has to wait."""
        end = time.monotonic() + 60
        while True:
            try:
                return closing(Charger(site.url, f"CP-NEW-{number}")).connect()
            except websockets.InvalidStatus as error:
                if error.response.status_code == 404:
                    return None
                assert time.monotonic() < end, "neither in nor out"
                time.sleep(0.1)

    assert all(come(number) for number in range(3))
    position = subscriber.mark()
    assert not any(come(number) for number in range(3, 6))
    assert "accept_limit" in alarms(site, lambda names: names == ["ListenerFull"], position)[0]["text"]
    gateway.wait_log(lambda line: "takes in whoever comes" in line)
    assert gateway.log().count("takes in whoever comes") == 1
    # Those in service are not touched by it, and those who wait can be approved.
    known.disconnect()
    known.connect()
    assert come(0)
    waiting = [found["candidate"] for found in gateway.json("discover", "--list")["candidates"]]
    assert len(waiting) == 3
    gateway.cli("approve", waiting[0], timeout=60)
    position = subscriber.mark()
    site.listener["accept_limit"] = 5
    gateway.write(listeners={"ocpp": site.listener})
    gateway.cli("reload")
    alarms(site, lambda names: not names, position)
    assert come(7) and not come(8)
