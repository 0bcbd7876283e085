# SPDX-License-Identifier: Apache-2.0
"""`busbar plugin`: inspect, new, check, keygen, sign; and hosts that load only what somebody they trust has signed."""

import json
import shutil
import subprocess

import pytest

from harness.host import Host
from harness.paths import BUSBAR, PLUGINS, ROOT
from test_plugins import BROKEN, shown

MODBUS = PLUGINS / "libBusbarModbus.so"
OCPP = PLUGINS / "libBusbarOCPP.so"
# A charge point of a version that nobody has.
WRONG_SPEAKER = f'import sys; sys.path.insert(0, "{ROOT}/Plugins/OCPP/Check"); import websocket; websocket.WebSocket(sys.argv[1], "ocpp1.5")'
LANGUAGES = {"c": "cc", "cpp": "g++", "rust": "cargo", "swift": "swiftc"}


def busbar(*arguments, code=0, cwd=None):
    done = subprocess.run([BUSBAR, *map(str, arguments)], capture_output=True, text=True, timeout=600, cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def heat_rod(tmp_path_factory):
    """A plugin as `busbar plugin new c` writes it, built."""
    place = tmp_path_factory.mktemp("new")
    busbar("plugin", "new", "c", "heat-rod", "--id", "com.example.heat-rod", cwd=place)
    project = place / "heat-rod"
    subprocess.run(["make", f"BUSBAR={BUSBAR}"], cwd=project, check=True, capture_output=True, timeout=120)
    return project / "heat_rod.so"


def test_inspect_of_modbus():
    facts = json.loads(busbar("plugin", "inspect", MODBUS, "--json").stdout)
    manifest = json.loads((ROOT / "Plugins/Modbus/Manifest/manifest.json").read_text())
    assert facts["manifest"] == manifest
    assert facts["exports"] == ["busbar_plugin_v0"]
    assert facts["usable"] is True and facts["signature"] == "none"
    digest = subprocess.run(["sha256sum", MODBUS], capture_output=True, text=True, check=True).stdout.split()[0]
    assert facts["sha256"] == digest
    needed = subprocess.run(["readelf", "-dW", MODBUS], capture_output=True, text=True, check=True).stdout
    assert all(f"[{name}]" in needed for name in facts["needs"])


def test_inspect_executes_nothing(tmp_path):
    subprocess.run(["bash", BROKEN, tmp_path], check=True, capture_output=True, timeout=300)
    for library in sorted(tmp_path.glob("*.so")):
        if not library.is_file():
            continue
        done = subprocess.run([BUSBAR, "plugin", "inspect", library, "--json"], capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr and done.returncode >= 0
    assert not (tmp_path / "EXECUTED").exists()


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_new_builds_in_each_language(language, tmp_path):
    if not shutil.which(LANGUAGES[language]):
        pytest.skip(f"{LANGUAGES[language]} is not installed")
    busbar("plugin", "new", language, "heat-rod", cwd=tmp_path)
    project = tmp_path / "heat-rod"
    assert project.stat().st_mode & 0o022 == 0
    left = [path for path in project.rglob("*") if path.is_file() and ("line_meter" in path.read_text() or "line-meter" in path.read_text())]
    assert left == []
    subprocess.run(["make", f"BUSBAR={BUSBAR}"], cwd=project, check=True, capture_output=True, timeout=600)
    facts = json.loads(busbar("plugin", "inspect", project / "heat_rod.so", "--json").stdout)
    assert facts["manifest"]["id"] == "org.example.heat-rod"
    assert facts["usable"] is True


@pytest.mark.parametrize("arguments, words", [
    (["cobol", "heat-rod"], "cobol"),
    (["c", "Heat"], "cannot be the name"),
    (["c", "a--b"], "cannot be the name"),
    (["c", "../evil"], "cannot be the name"),
    (["c", "rod", "--id", "rod"], "reverse domain name"),
    (["c", "rod", "--id", "org.busbar.rod"], "the project's own"),
])
def test_new_refuses(arguments, words, tmp_path):
    assert words in busbar("plugin", "new", *arguments, code=2, cwd=tmp_path).stderr
    assert list(tmp_path.iterdir()) == []


def test_new_overwrites_nothing(tmp_path):
    (tmp_path / "rod").mkdir()
    (tmp_path / "rod" / "mine").write_text("mine")
    assert "not empty" in busbar("plugin", "new", "c", "rod", code=1, cwd=tmp_path).stderr
    assert (tmp_path / "rod" / "mine").read_text() == "mine"


# Some sixty cases, each in a process of its own, of which several open a link a thousand times.
@pytest.mark.timeout(600)
def test_check_of_a_new_plugin(heat_rod):
    report = json.loads(busbar("plugin", "check", heat_rod, "--json").stdout)
    verdicts = {entry["case"]: entry["verdict"] for entry in report["cases"]}
    assert set(verdicts.values()) == {"passed"}, [entry for entry in report["cases"] if entry["verdict"] != "passed"]
    assert len(verdicts) > 40 and report["good"] is True


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_check_of_modbus():
    """With devices that the plugin's own simulator plays: one that answers at its own pace, one that wants half a second between
    questions, and one with many registers of which one can only be written."""
    report = json.loads(busbar("plugin", "check", MODBUS, "--quality", ROOT / "Plugins/Modbus/quality.json", "--json").stdout)
    bad = [entry for entry in report["cases"] if entry["verdict"] in ("failed", "crashed", "stuck")]
    assert bad == []
    for template in ("goe-charger", "keba-p40", "sma-sunny-tripower"):
        passed = [entry for entry in report["cases"] if entry.get("template") == template and entry["verdict"] == "passed"]
        assert len(passed) > 30, template


# Its charge points connect by themselves: some sixty cases, of which one has fifty of them.
@pytest.mark.timeout(900)
def test_check_of_ocpp():
    report = json.loads(busbar("plugin", "check", OCPP, "--quality", ROOT / "Plugins/OCPP/quality.json", "--json").stdout)
    verdicts = {entry["case"]: entry["verdict"] for entry in report["cases"]}
    assert set(verdicts.values()) <= {"passed", "waived", "skipped"}, report["cases"]
    assert verdicts["manifest-valid"] == verdicts["entry-twice"] == verdicts["unknown-interface-is-null"] == "passed"
    assert {case for case, verdict in verdicts.items() if verdict == "skipped"} == {"cancel-within-200-ms", "every-due-point-answered"}


def quality_of(tmp_path, check):
    """Beside a private copy of the OCPP adapter."""
    (tmp_path / "quality.json").write_text(json.dumps({"plugin": "org.busbar.ocpp", "check": check}))
    return shutil.copy(OCPP, tmp_path / "ocpp.so")


@pytest.mark.parametrize("words, said", [
    (["false"], "the program of check.visitor did not try; check.visitor: it ended with exit code 1"),
    (["python3", "-B", "-c", WRONG_SPEAKER], "it speaks ocpp1.5; the manifest has ocpp2.0.1, ocpp1.6"),
])
def test_check_with_a_visitor_that_does_not_come_in(words, said, tmp_path):
    plugin = quality_of(tmp_path, {"visitor": words})
    report = json.loads(busbar("plugin", "check", plugin, "--case", "open-and-read", "--json").stdout)
    assert report["cases"][0]["verdict"] == "skipped" and said in report["cases"][0]["text"], report


def test_check_without_a_visitor_skips(tmp_path):
    report = json.loads(busbar("plugin", "check", quality_of(tmp_path, {}), "--case", "open-and-read", "--json").stdout)
    assert report["cases"][0]["verdict"] == "skipped" and "check.visitor" in report["cases"][0]["text"], report


def test_check_with_a_visitor_for_nobody(heat_rod, tmp_path):
    (tmp_path / "quality.json").write_text(json.dumps({"check": {"visitor": ["true"]}}))
    plugin = shutil.copy(heat_rod, tmp_path / "rod.so")
    assert "check.visitor is for devices that connect by themselves" in busbar("plugin", "check", plugin, code=2).stderr


def test_replay_of_a_trace_byte_for_byte(heat_rod, tmp_path):
    """The plugin plays no traces itself: what is recorded is answered as it was."""
    trace = tmp_path / "rod.trace"
    # An answer in two pieces; the second time the meter is read it says something else.
    frames = [">I\n", "<Rod 7 1.0\n", ">R\n", "<1234.5 60000 on\n", ">L\n", "<15", "<00\n", ">R\n", "<nonsense\n"]
    lines = [f"{number} {frame[0]} {frame[1:].encode().hex()}" for number, frame in enumerate(frames)]
    trace.write_text("\n".join(["busbar-trace 1 adapter=heat-rod", *lines, ""]))
    rows = json.loads(busbar("plugin", "replay", heat_rod, trace, "--polls", 2, "--json").stdout)
    first = {row["point"]: row.get("value", row.get("bad")) for row in rows if row["poll"] == 1}
    assert first["power"] == 1234.5 and first["energy_total"] == 60000 and first["power_limit"] == 1500
    second = {row["point"]: row.get("value", row.get("bad")) for row in rows if row["poll"] == 2}
    assert second["power"] == "decode"
    assert "1234.5" in busbar("plugin", "replay", heat_rod, trace).stdout


def test_replay_through_the_adapter_s_own_simulator(tmp_path):
    """Modbus TCP numbers its questions, so its simulator plays the trace: other numbers than in the record are the same question."""
    trace = tmp_path / "meter.trace"
    trace.write_text(
        "busbar-trace 1 adapter=modbus\n0 > 4711 0000 0006 01 04 0034 0002\n1 < 4711 0000 0007 01 04 04 45839400\n")
    template = tmp_path / "one-register.yaml"
    template.write_text(
        "template: one-register\ntitle: One register\nadapter: modbus\nkind: load\nconfidence: community\nsource: a test\n"
        "vendor: Test\nmodels: [One]\nmodbus:\n  table: input\n  points:\n    state: { register: 52, type: float32 }\n")
    done = subprocess.run(
        [BUSBAR, "plugin", "replay", MODBUS, trace, "--template", template, "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [(row["point"], row["value"]) for row in json.loads(done.stdout)] == [("state", 4210.5)]


def test_replay_of_no_trace(heat_rod, tmp_path):
    trace = tmp_path / "rod.trace"
    trace.write_text("busbar-trace 1 adapter=heat-rod\n0 > zz\n")
    assert "rod.trace:2:" in busbar("plugin", "replay", heat_rod, trace, code=2).stderr
    assert "1 to 1000" in busbar("plugin", "replay", heat_rod, trace, "--polls", 0, code=2).stderr


def test_a_waiver_is_shown(heat_rod, tmp_path):
    quality = json.loads((heat_rod.parent / "quality.json").read_text())
    quality["check"]["device"] = ["false"]
    quality["waivers"] = {"manifest-valid": "not needed"}
    (tmp_path / "quality.json").write_text(json.dumps(quality))
    broken = tmp_path / "text.so"
    broken.write_text("no library")
    broken.chmod(0o644)
    report = json.loads(busbar("plugin", "check", broken, "--case", "manifest-valid", "--json").stdout)
    assert report["cases"][0]["verdict"] == "waived"
    assert report["cases"][0]["text"].startswith("not needed (failed: ")
    assert report["waivers"] == {"manifest-valid": "not needed"}


def test_check_without_a_device_skips(heat_rod, tmp_path):
    alone = shutil.copy(heat_rod, tmp_path / "alone.so")
    report = json.loads(busbar("plugin", "check", alone, "--case", "open-and-read", "--json").stdout)
    assert report["cases"][0]["verdict"] == "skipped"
    assert "--device" in report["cases"][0]["text"]


@pytest.fixture
def keys(tmp_path):
    place = tmp_path / "keys"
    place.mkdir()
    for name in ("vendor", "stranger"):
        busbar("plugin", "keygen", place / f"{name}.pem")
    assert (place / "vendor.pem").stat().st_mode & 0o777 == 0o600
    assert "exists already" in busbar("plugin", "keygen", place / "vendor.pem", code=1).stderr
    return place


def test_openssl_verifies_what_is_signed(heat_rod, keys, tmp_path):
    plugin = shutil.copy(heat_rod, tmp_path / "signed.so")
    busbar("plugin", "sign", plugin, "--key", keys / "vendor.pem")
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", keys / "vendor.pem.pub", "-in", plugin, "-sigfile",
               f"{plugin}.sig"]
    assert subprocess.run(command, capture_output=True).returncode == 0
    facts = json.loads(busbar("plugin", "inspect", plugin, "--key", keys / "vendor.pem.pub", "--json").stdout)
    assert facts["signature"].startswith("good, by the key ")
    facts = json.loads(busbar("plugin", "inspect", plugin, "--key", keys / "stranger.pem.pub", "--json").stdout)
    assert "fits none of the 1 trusted keys" in facts["signature"]


def test_a_host_that_requires_signatures(directory, heat_rod, keys):
    """Refused without, with a foreign and with a cut signature; offered with the right one; and again refused when the file
    is another one. All of it is in the audit log."""
    plugins = directory / "plugins"
    plugins.mkdir(mode=0o755)
    trust = {"directories": [str(plugins)], "require_signature": True, "trusted_keys": [str(keys / "vendor.pem.pub")]}
    host = Host(directory, plugins=trust)

    def drop(source):
        partial = plugins / ".partial"
        shutil.copyfile(source, partial)
        partial.chmod(0o644)
        partial.rename(plugins / "rod.so")

    def sign(key):
        # The draft of the signature is made beside it and renamed.
        busbar("plugin", "sign", plugins / "rod.so", "--key", keys / key)

    def reason():
        return lambda wanted: shown(host, lambda list_: len(list_) == 1 and wanted in (list_[0].get("reason") or ""))

    drop(heat_rod)
    host.start()
    try:
        reason()("it is not signed")
        sign("stranger.pem")
        reason()("fits none of the 1 trusted keys")
        cut = (plugins / "rod.so.sig").read_bytes()[:63]
        (plugins / "rod.so.sig").write_bytes(cut)
        reason()("has 63 bytes")
        sign("vendor.pem")
        shown(host, lambda list_: len(list_) == 1 and list_[0]["state"] == "offered")
        changed = directory / "changed"
        changed.write_bytes(heat_rod.read_bytes() + b"\0")
        drop(changed)
        reason()("fits none of the 1 trusted keys")
        host.stop()
    finally:
        host.close()
    entries = json.loads(busbar("audit", "--config", host.file, "--json").stdout)
    assert [entry["event"] for entry in entries] == ["plugin.refused"] * 3 + ["plugin.found", "plugin.refused"]
    assert entries[3]["plugin"] == "com.example.heat-rod" and len(entries[3]["key"]) == 16
    assert (directory / "state" / "audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_check_config_and_run_agree_on_keys(directory):
    host = Host(directory, plugins={"require_signature": True, "trusted_keys": []})
    for command in ("check-config", "run"):
        said = busbar(command, "--config", host.file, code=2).stderr
        assert "plugins.require_signature: no key is trusted" in said
    host.write(plugins={"directories": [str(PLUGINS)], "trusted_keys": ["missing.pem"]})
    for command in ("check-config", "run"):
        assert "plugins.trusted_keys[0]" in busbar(command, "--config", host.file, code=2).stderr
