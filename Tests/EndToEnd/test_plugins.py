# SPDX-License-Identifier: Apache-2.0
"""Plugins: what is broken is refused with a reason and never executed; what is good is offered without a restart."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from harness.paths import PLUGINS, ROOT
from harness.processes import Child
from harness.site import meter_device

TEMPLATE = ROOT / "PluginAPI" / "Templates" / "c"
BROKEN = ROOT / "Tests" / "ABI" / "broken" / "make.sh"


def shown(host, wanted, timeout=20, what="plugins"):
    """The list of plugins or devices as soon as `wanted(list)` holds. The host tells nobody when it has looked at a
    directory, so this asks until it has."""
    end = time.monotonic() + timeout
    while True:
        found = host.json(what)
        if wanted(found):
            return found
        assert time.monotonic() < end, f"still {found} after {timeout} s"
        time.sleep(0.1)


def drop(source, directory):
    """As an installer does it: complete under another name first, then renamed."""
    partial = directory / f".{source.name}.partial"
    shutil.copyfile(source, partial)
    partial.chmod(0o644)
    partial.rename(directory / source.name)


@pytest.fixture(scope="session")
def broken(tmp_path_factory):
    place = tmp_path_factory.mktemp("broken")
    subprocess.run(["bash", BROKEN, place], check=True, capture_output=True, timeout=300)
    rows = [line.split("\t") for line in (place / "index.tsv").read_text().splitlines()]
    return place, [(place / name, stage, fault) for name, stage, fault in rows]


@pytest.fixture(scope="session")
def line_meter(tmp_path_factory):
    """The plugin in plain C, built as its Makefile says."""
    place = tmp_path_factory.mktemp("line-meter")
    subprocess.run(
        ["make", "-C", TEMPLATE, f"OUT={place}"], check=True, capture_output=True, text=True, timeout=120
    )
    return place / "line_meter.so"


@pytest.fixture
def plugin_directory(directory):
    place = directory / "plugins"
    place.mkdir(mode=0o755)
    return place


def mapped(host):
    """Files that the host's process has mapped, as the kernel knows them."""
    with open(f"/proc/{host.pid}/maps") as maps:
        return {line.split(maxsplit=5)[5].strip() for line in maps if len(line.split(maxsplit=5)) == 6}


def test_broken_plugins_are_refused_and_never_executed(host, broken, plugin_directory):
    place, files = broken
    faulty = [(path, fault) for path, stage, fault in files if stage == "check" and path.parent == place]
    assert len(faulty) >= 8
    for path, _ in faulty:
        target = plugin_directory / path.name
        if path.is_symlink():
            target.symlink_to(path.resolve())
        elif path.is_dir():
            target.mkdir()
        elif path.is_fifo():
            os.mkfifo(target, 0o644)
        else:
            shutil.copy2(path, target)
            target.chmod(path.stat().st_mode & 0o777)
    gateway = host(plugins={"directories": [str(plugin_directory)]})
    before = mapped(gateway)
    plugins = {os.path.basename(plugin["file"]): plugin for plugin in gateway.json("plugins")}
    wrong = []
    for path, fault in faulty:
        plugin = plugins.get(path.name)
        # A directory or a link to nothing is no file at all, so it may be passed over.
        if plugin is None and (path.is_dir() or not path.exists()):
            continue
        if plugin is None or plugin["state"] != "refused" or not plugin.get("reason"):
            wrong.append(f"{path.name} ({fault}): {plugin}")
    assert not wrong, "\n".join(wrong)
    assert not (place / "EXECUTED").exists(), "a refused plugin was executed"
    assert not [name for name in before if name.startswith(str(plugin_directory))], "a refused plugin is mapped"
    assert gateway.running


def test_plugins_that_fail_only_when_loaded_do_no_harm(host, broken, plugin_directory, subscriber, modbus_device, line_meter):
    """Each in a directory of its own behind a device that needs it; the meter beside it goes on."""
    place, files = broken
    _, meter = meter_device(modbus_device)
    for path, stage, fault in files:
        if stage != "load":
            continue
        home = plugin_directory / path.stem
        home.mkdir(mode=0o755)
        shutil.copyfile(path, home / path.name)
        (home / path.name).chmod(0o644)
        instance = plugin_directory.parent / f"host-{path.stem}"
        instance.mkdir()
        gateway = host(
            place=instance,
            plugins={"directories": [str(PLUGINS), str(home)]},
            devices=[meter, {"id": "lod_x", "adapter": "sample", "endpoint": "tcp://127.0.0.1:1"}],
        )
        shown(
            gateway,
            lambda plugins, name=path.name: any(
                plugin["file"].endswith(name) and plugin["state"] == "refused" and plugin.get("reason") for plugin in plugins
            )
            and any(plugin["state"] == "loaded" for plugin in plugins),
        )
        shown(
            gateway,
            lambda devices: any(
                device["id"] == "lod_x" and device["state"] in ("needs-attention", "offline") and device.get("reason")
                for device in devices
            ),
            what="devices",
        )
        subscriber.wait_telemetry("met_grid", since=subscriber.mark())
        gateway.stop()


def test_good_plugin_dropped_into_a_running_host_is_offered(host, broken, plugin_directory):
    place, _ = broken
    gateway = host(plugins={"directories": [str(plugin_directory)]})
    assert gateway.json("plugins") == []
    drop(place / "good.so", plugin_directory)
    plugin = shown(gateway, lambda plugins: plugins and plugins[0]["state"] != "refused")[0]
    assert plugin["id"] == "org.example.sample"
    assert plugin["version"] == "1.0.0"
    assert plugin["adapters"] == ["sample"]
    drop(place / "no-manifest.so", plugin_directory)
    shown(gateway, lambda plugins: [p["state"] for p in plugins if p["file"].endswith("no-manifest.so")] == ["refused"])
    (plugin_directory / "no-manifest.so").unlink()
    shown(gateway, lambda plugins: len(plugins) == 1)


def test_a_directory_that_comes_later_is_watched(host, broken, directory):
    place, _ = broken
    later = directory / "later"
    gateway = host(plugins={"directories": [str(later)]})
    later.mkdir(mode=0o755)
    drop(place / "good.so", later)
    shown(gateway, lambda plugins: [plugin["id"] for plugin in plugins] == ["org.example.sample"], timeout=30)


def start_line_meter(closing, *arguments):
    class Device(Child):
        close = Child.kill

    device = closing(
        Device([sys.executable, TEMPLATE.parent / "common" / "line_meter_device.py", "--port", "0", *arguments], name="the line meter")
    )
    return f"tcp://127.0.0.1:{int(device.wait_line(lambda line: line.strip().isdigit()))}"


def test_plugin_in_plain_c_runs_a_device(host, subscriber, closing, line_meter, plugin_directory):
    endpoint = start_line_meter(closing, "--watts", "1500", "--watt-hours", "12250", "--still")
    drop(line_meter, plugin_directory)
    gateway = host(
        plugins={"directories": [str(plugin_directory)]},
        devices=[{"id": "lod_rod", "adapter": "line-meter", "endpoint": endpoint, "poll": "1s", "write": True}],
    )
    content = subscriber.wait_telemetry("lod_rod", lambda c: "power" in c["values"]).json
    assert content["values"]["power"] == 1500
    assert content["values"]["energy_total"] == 12250
    assert content["values"]["state"] == "on"
    status = subscriber.wait_status("lod_rod", lambda c: c["state"] == "online").json
    assert (status["adapter"], status["serial"]) == ("line-meter", "LM0001")
    assert [p["state"] for p in gateway.json("plugins")] == ["loaded"]

    gateway.cli("command", "lod_rod", "power_limit=800", "--valid-for", "60s", "--wait", timeout=90)
    subscriber.wait_telemetry("lod_rod", lambda c: c["values"].get("power") == 800)


def test_plugin_dropped_in_later_brings_its_device_online(host, subscriber, closing, line_meter, plugin_directory):
    endpoint = start_line_meter(closing)
    gateway = host(
        plugins={"directories": [str(plugin_directory)]},
        devices=[{"id": "lod_rod", "adapter": "line-meter", "endpoint": endpoint, "poll": "1s"}],
    )
    waiting = {device["id"]: device for device in gateway.json("devices")}["lod_rod"]
    assert waiting["state"] != "online" and waiting["reason"]
    drop(line_meter, plugin_directory)
    subscriber.wait_telemetry("lod_rod", lambda c: "power" in c["values"], 90)


@pytest.mark.parametrize("fault", ["silent", "slow", "garbled", "endless", "closing"])
def test_faults_of_the_line_meter(host, subscriber, closing, line_meter, plugin_directory, modbus_device, fault):
    endpoint = start_line_meter(closing, "--fault", fault)
    drop(line_meter, plugin_directory)
    _, meter = meter_device(modbus_device)
    gateway = host(
        plugins={"directories": [str(PLUGINS), str(plugin_directory)]},
        devices=[meter, {"id": "lod_rod", "adapter": "line-meter", "endpoint": endpoint, "poll": "1s"}],
    )
    subscriber.wait_telemetry("met_grid", lambda c: c["seq"] >= 8, 30)
    powers = {m.json["values"].get("power") for m in subscriber.telemetry("lod_rod")} - {None}
    assert powers <= {1500}
    subscriber.wait_status("lod_rod", lambda c: c["state"] not in ("online", "connecting") and c.get("reason"), 60)
    device = {device["id"]: device for device in gateway.json("devices")}["lod_rod"]
    assert device["state"] not in ("online", "disabled") and device["reason"], device


def test_every_plugin_exports_one_symbol():
    for library in PLUGINS.glob("*.so"):
        symbols = subprocess.run(
            ["nm", "--dynamic", "--defined-only", "--extern-only", library], check=True, capture_output=True, text=True
        ).stdout.split("\n")
        names = [line.split()[-1] for line in symbols if line.strip()]
        assert names == ["busbar_plugin_v0"], f"{library.name} exports {names[:5]}"
