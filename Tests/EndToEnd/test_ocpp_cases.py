# SPDX-License-Identifier: Apache-2.0
"""What the published test cases of the Open Charge Alliance for central systems ask for beyond single messages: nothing unasked,
negotiated schedules, costs, missing events, certificates for chargers, ciphers for both kinds of keys. Many cases a host."""

import ssl
import subprocess

import pytest
import websockets

from harness.authority import Authority
from harness.charger_answers import stamp
from harness.ocpp_site import VERSIONS, Site, device

BOTH = pytest.mark.parametrize("version", VERSIONS)
WALL = "evc_wall"
PASSWORD = "correct-horse-1234"


@BOTH
def test_a_charger_is_asked_only_what_was_asked_for(host, subscriber, closing, version):
    """TC_019, TC_054, TC_A_11 and others connect, wait for one request and take the first that comes. A boot is held before the charger
    comes (TC_B_02). More variables than a message may have go in several (TC_B_08)."""
    site = Site(host, subscriber, closing)
    site.start(device(WALL, "CP-1", config={"retry": "1s"}))
    # Until its plugin is there the host does not know what the device can do.
    assert any(site.host.cli("command", WALL, "ocpp.boot", "status=pending", check=False).returncode == 0 for _ in range(200))
    charger = site.charger("CP-1", version, boot=False)
    assert charger.boot()["status"] == "Pending"
    assert site.ask(WALL, action="ocpp.boot", args={"status": "accepted"})["status"] == "done"
    charger.request("TriggerMessage")
    asked = "GetConfiguration" if version == "ocpp1.6" else "GetVariables"
    charger.request(asked)
    if version == "ocpp2.0.1":
        charger.answers["GetVariables"] = lambda payload: {"getVariableResult": [
            item | {"attributeStatus": "Accepted", "attributeValue": "2"} for item in payload["getVariableData"]]}  # fmt: skip
        charger.boot()
        charger.wait(lambda: [name for name, _ in charger.requests].count(asked) == 4, "what it can do")
    # Connected anew: only what is asked for.
    charger.disconnect()
    seen = len(charger.requests)
    charger.connect_until()
    action, payload = ("GetConfiguration", {}) if version == "ocpp1.6" else ("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    charger.answers["GetBaseReport"] = lambda _: {"status": "Accepted"}
    assert site.call(WALL, action, payload)[1]["status"] == "done"
    assert charger.requests[seen:] == [(action, payload)]
    if version == "ocpp2.0.1":
        wanted = [{"component": {"name": "AlignedDataCtrlr"}, "variable": {"name": f"V{number}"}} for number in range(5)]
        value, _ = site.call(WALL, "GetVariables", {"getVariableData": wanted})
        assert [item["variable"]["name"] for item in value["getVariableResult"]] == [f"V{number}" for number in range(5)]
        assert [len(payload["getVariableData"]) for _, payload in charger.requests[seen + 1 :]] == [2, 2, 1]
    charger.check()


def test_what_a_charger_without_a_boot_is_asked(host, subscriber, closing):
    """Known to the charger, not to us: it is asked for its boot, and then what it can do. A limit asks for that at once."""
    site = Site(host, subscriber, closing)
    site.start(device(WALL, "CP-1", config={"introduction": "200ms"}), device("evc_other", "CP-2"))
    charger = site.charger("CP-1", boot=False)
    charger.request("GetConfiguration")
    assert charger.requests[0] == ("TriggerMessage", {"requestedMessage": "BootNotification"})
    charger.disconnect()
    seen = len(charger.requests)
    charger.connect_until()
    # Nothing is said about its connectors, and what it can do is known.
    charger.request("TriggerMessage", since=seen, wanted=lambda payload: payload["requestedMessage"] == "StatusNotification")
    assert [name for name, _ in charger.requests[seen:]] == ["TriggerMessage"]
    other = site.charger("CP-2", boot=False)
    other.settings["ChargingScheduleAllowedChargingRateUnit"] = "Power"
    assert site.ask("evc_other", point="current_limit", value=10, valid_for=60_000, final=False)["status"] in ("done", "accepted")
    assert [name for name, _ in other.requests[:2]] == ["GetConfiguration", "SetChargingProfile"]
    assert other.requests[1][1]["csChargingProfiles"]["chargingSchedule"]["chargingRateUnit"] == "W"
    charger.check()
    other.check()


def needs(charger, number=1, **members):
    payload = {"evseId": number, "chargingNeeds": {"requestedEnergyTransfer": "AC_three_phase"} | members}
    return charger.call("NotifyEVChargingNeeds", payload)["status"]


def plan(charger, schedule, factor=1):
    schedule = schedule | {"chargingSchedulePeriod": [
        period | {"limit": round(period["limit"] * factor, 1)} for period in schedule["chargingSchedulePeriod"]]}  # fmt: skip
    return charger.call("NotifyEVChargingSchedule", {"timeBase": stamp(), "evseId": 1, "chargingSchedule": schedule})["status"]


def test_transactions_with_costs_gaps_and_schedules(host, subscriber, closing):
    """TC_C_47, TC_I_01, TC_I_02, TC_E_31, TC_K_53 to TC_K_59."""
    site = Site(host, subscriber, closing)
    gateway = site.start(device(WALL, "CP-1", config={"max_current": 20, "tariff": {"start": 1, "energy": 250}}))
    gateway.cli("tags", "add", "GOOD", "--group", "FLEET")
    charger = site.charger("CP-1", "ocpp2.0.1")
    charger.wait(lambda: "GOOD" in charger.tags, "the list")
    assert needs(charger) == "Rejected"
    assert charger.start("GOOD") == "Accepted"
    transaction = charger.connectors[1]["transaction"]

    def given(since, limits):
        payload = charger.request("SetChargingProfile", since=since)
        profile = payload["chargingProfile"]
        assert payload["evseId"] == 1 and profile["chargingProfilePurpose"] == "TxProfile" and profile["transactionId"] == transaction
        [schedule] = profile["chargingSchedule"]
        assert [period["limit"] for period in schedule["chargingSchedulePeriod"]] == limits
        return schedule

    # What the installation allows, or the car takes.
    seen = len(charger.requests)
    assert needs(charger, acChargingParameters={"energyAmount": 9, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 230}) == "Accepted"
    schedule = given(seen, [16])
    assert plan(charger, schedule) == "Accepted"
    # A car that wants more is given the same again.
    seen = len(charger.requests)
    assert plan(charger, schedule, 2) == "Rejected"
    given(seen, [16])
    # A limit is told to the session too, which has a profile of its own; and the next needs are met within it.
    seen = len(charger.requests)
    assert site.ask(WALL, point="current_limit", value=10, valid_for=600_000, final=False)["status"] in ("done", "accepted")
    given(seen, [10, 6])
    seen = len(charger.requests)
    assert needs(charger) == "Accepted"
    schedule = given(seen, [10, 6])
    assert plan(charger, schedule) == "Accepted" and plan(charger, schedule, 1.5) == "Rejected"
    # What somebody else gives the session through us counts as given.
    profile = {"id": 2, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Relative", "transactionId": transaction,
               "chargingSchedule": [{"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 12_000}]}]}  # fmt: skip
    assert site.call(WALL, "SetChargingProfile", {"evseId": 1, "chargingProfile": profile})[1]["status"] == "done"
    # The charge point of these tests computes with dates only.
    del charger.profiles[2]
    ampere = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 17}]}
    assert plan(charger, ampere) == "Accepted" and plan(charger, ampere, 1.1) == "Rejected"
    # 4 Wh at 250 a kWh beside 1 for the start; a number is missing when it ends.
    assert charger.meter(add=4) == {"totalCost": 2}
    charger.connectors[1]["sequence"] += 1
    seen = len(charger.requests)
    charger.answers["GetTransactionStatus"] = lambda _: {"ongoingIndicator": False, "messagesInQueue": True}
    answer = charger.call("TransactionEvent", charger.stop_payload() | {"idToken": {"idToken": "GOOD", "type": "ISO14443"}})
    assert answer["totalCost"] == 2 and answer["idTokenInfo"]["groupIdToken"]["idToken"] == "FLEET", answer
    assert charger.request("GetTransactionStatus", since=seen) == {"transactionId": transaction}
    # The limit counts for the next session again.
    charger.request("SetChargingProfile", since=seen, wanted=lambda p: p["chargingProfile"]["chargingProfilePurpose"] == "TxDefaultProfile")
    charger.check()


def request(directory, name, *options):
    """A request for a certificate, and its key."""
    key, file = directory / f"{name}.key", directory / f"{name}.csr"
    kind = options or ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    subprocess.run(["openssl", "req", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", file],
                   check=True, capture_output=True)  # fmt: skip
    return file.read_text(), key


@BOTH
def test_certificates_from_the_host(host, subscriber, closing, directory, version):
    """TC_A_11 to TC_A_14, TC_A_19, TC_074, TC_083: the host signs what a charger asks for that it knows, and lets it in by it."""
    authority = Authority(directory / "ca", "Servers")
    certificate, key = authority.issue("localhost", alternative="DNS:localhost,IP:127.0.0.1")
    site = Site(host, subscriber, closing, login="password", tls={"certificate": str(certificate), "key": str(key)}, authority="host")
    gateway = site.start(device(WALL, "CP-1"), device("evc_other", "CP-2"))
    for name in (WALL, "evc_other"):
        gateway.cli("password", "set", name, stdin=PASSWORD + "\n")
    trusting = ssl.create_default_context(cafile=authority.certificate)
    charger = site.charger("CP-1", version, password=PASSWORD, ssl=trusting)
    site.value(WALL, "status")
    charger.answers["CertificateSigned"] = lambda _: {"status": "Accepted"}
    # For somebody else, with a short key, with no key at all: taken, and not signed.
    for csr in (request(directory, "CP-2")[0], request(directory, "CP-1", "rsa:1024")[0], "no request"):
        assert charger.call("SignCertificate", {"csr": csr})["status"] == "Accepted"
        gateway.wait_log(lambda line: "a certificate is not signed" in line)
    csr, own = request(directory, "CP-1")
    use = {"certificateType": "ChargingStationCertificate"} if version == "ocpp2.0.1" else {}
    assert charger.call("SignCertificate", {"csr": csr} | use)["status"] == "Accepted"
    signed = charger.request("CertificateSigned")
    assert {name: signed.get(name) for name in use} == use
    assert [name for name, _ in charger.requests].count("CertificateSigned") == 1
    answer = site.ask(WALL, action="certificate.sign", args={"chain": pem(authority.certificate)})
    assert answer["reason"] == "invalid" and "another key" in answer["text"], answer
    chain = directory / "chain.pem"
    chain.write_text(signed["certificateChain"])
    charger.disconnect()
    # From now on it is known by its certificate, and by nothing else.
    gateway.cli("password", "set", WALL, "--profile", "3", stdin=PASSWORD + "\n")
    with pytest.raises(websockets.InvalidStatus):
        charger.connect()
    trusting.load_cert_chain(chain, own)
    charger.password = None
    charger.connect_until()
    assert charger.boot()["status"] == "Accepted"
    charger.disconnect()
    # The certificate of another charger is no harm beside the right password, and no help.
    charger.name, charger.password = "CP-2", "wrong-horse-12345"
    with pytest.raises(websockets.InvalidStatus):
        charger.connect()
    charger.password = PASSWORD
    charger.connect_until()
    charger.check()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_ciphers_of_both_kinds(host, subscriber, closing, directory):
    """TC_A_04, TC_A_07, TC_086: four cipher suites, which take two certificates; TLS 1.2 at least (TC_A_06)."""
    authority = Authority(directory / "ca", "Servers")
    certificate, key = authority.issue("localhost", alternative="DNS:localhost,IP:127.0.0.1")
    csr, rsa_key = request(directory, "localhost", "rsa:2048")
    rsa_key.chmod(0o600)
    rsa = authority.sign(directory / "localhost.csr", "rsa", alternative="DNS:localhost,IP:127.0.0.1")
    tls = {"certificate": str(certificate), "key": str(key), "second": {"certificate": str(rsa), "key": str(rsa_key)}}
    site = Site(host, subscriber, closing, tls=tls)
    site.start(device(WALL, "CP-1"))
    for cipher, kind in [("ECDHE-ECDSA-AES128-GCM-SHA256", "EC"), ("ECDHE-ECDSA-AES256-GCM-SHA384", "EC"), ("AES128-GCM-SHA256", "RSA"),
                         ("AES256-GCM-SHA384", "RSA"), ("ECDHE-RSA-AES128-GCM-SHA256", "RSA"), (None, "EC")]:  # fmt: skip
        context = ssl.create_default_context(cafile=authority.certificate)
        if cipher:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(cipher)
        charger = site.charger("CP-1", ssl=context)
        shown = charger.socket.transport.get_extra_info("ssl_object")
        assert shown.cipher()[0] == cipher or cipher is None and shown.version() == "TLSv1.3"
        assert (shown.getpeercert(True) == ssl.PEM_cert_to_DER_cert(pem(rsa))) == (kind == "RSA")
        charger.disconnect()
    old = ssl.create_default_context(cafile=authority.certificate)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    charger.ssl = old
    with pytest.raises((ssl.SSLError, OSError)):
        charger.connect()


def pem(certificate):
    text = certificate.read_text()
    return text[text.index("-----BEGIN CERTIFICATE-----") :]
