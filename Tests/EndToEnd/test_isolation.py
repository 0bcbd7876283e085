# SPDX-License-Identifier: Apache-2.0
"""Plugins that crash, hang, leak and flood, each in its child beside a meter that has to go on: the host stays up and small,
says why, and the plugin comes back or waits for a person."""

import os
import subprocess
import time

import pytest

from harness.paths import PLUGINS, ROOT, plugin_folder
from harness.site import meter_device

SOURCE = ROOT / "Tests" / "Unit" / "Plugins" / "Fixtures" / "hostile.c"
# What the host may grow by, kB. The heap's own slack is part of it.
GROWTH = 5 * 1024
ID = "org.example.hostile"


def build(target, *macros):
    partial = target.with_name(f".{target.name}.partial")
    subprocess.run(
        ["cc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-pthread", "-fvisibility=hidden", "-I", ROOT / "PluginAPI/C/include",
         *macros, "-o", partial, SOURCE],
        check=True, capture_output=True, text=True, timeout=120,
    )
    partial.chmod(0o644)
    partial.rename(target)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile") / "hostile.so"
    build(place)
    return place


@pytest.fixture
def place(directory, hostile):
    return plugin_folder(directory, hostile)


@pytest.fixture
def site(host, modbus_device, place):
    """A host with the meter and a device that does as told."""

    def make(does="", *, link="", **plugins):
        _, meter = meter_device(modbus_device)
        entry = {"id": "lod_x", "link": "bad", "config": {"does": does}, "poll": "1s", "write": True}
        return host(
            plugins={"directories": [str(PLUGINS), str(place)], **plugins},
            links=[{"id": "bad", "adapter": "hostile", "endpoint": "tcp://127.0.0.1:1", "config": {"does": link}}],
            devices=[meter, entry],
        )

    return make


def plugin(gateway):
    return next(plugin for plugin in gateway.json("plugins") if plugin["id"] == ID)


def until(ask, wanted, timeout=60):
    """What `ask` says as soon as `wanted` holds for it."""
    end = time.monotonic() + timeout
    while True:
        found = ask()
        if wanted(found):
            return found
        assert time.monotonic() < end, f"still {found} after {timeout} s"
        time.sleep(0.1)


def memory(gateway):
    """kB of memory that is the host's own."""
    with open(f"/proc/{gateway.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def device(gateway, name):
    return next(device for device in gateway.json("devices") if device["id"] == name)


def meter_goes_on(gateway, subscriber):
    subscriber.wait_telemetry("met_grid", since=subscriber.mark())
    assert gateway.running
    found = device(gateway, "met_grid")
    assert found["state"] == "online" and found["quality"]["reconnects"] == 0, found


@pytest.mark.parametrize(
    "does,reason",
    [
        ("segfault", "segmentation fault"), ("abort", "abort"), ("trap", "trap"), ("overflow", "segmentation fault"),
        ("double-free", "abort"), ("leak", "MiB of memory"), ("closes", "closed its connection"),
        ("writes", "broke the rules"), ("flood-problems", "problems without end"), ("exit", "code 7"),
    ],
)
def test_what_dies_in_every_poll_ends_in_quarantine(site, subscriber, does, reason):
    gateway = site(does)
    subscriber.wait_telemetry("met_grid")
    before = memory(gateway)
    found = until(lambda: plugin(gateway), lambda plugin: plugin["state"] == "quarantined")
    assert found["deaths"] == 5 and reason in found["reason"], found
    state = until(lambda: device(gateway, "lod_x"), lambda device: device["state"] == "needs-attention")
    assert "quarantine" in state["reason"] and reason in state["reason"], state
    meter_goes_on(gateway, subscriber)
    assert memory(gateway) - before < GROWTH


@pytest.mark.parametrize("does", ["flood-samples", "bad-samples", "flood-log", "flood-output", "flood-identity", "threads"])
def test_what_floods_is_slowed_down(site, subscriber, does):
    gateway = site(does)
    subscriber.wait_telemetry("met_grid")
    before = memory(gateway)
    mark = subscriber.mark()
    time.sleep(10)
    assert memory(gateway) - before < GROWTH
    meter_goes_on(gateway, subscriber)
    # One message a second, whatever else happens.
    assert sum(1 for message in subscriber.messages[mark:] if message.topic == "devices/met_grid/telemetry") >= 8


def test_what_dies_once_is_back_within_five_seconds(site, subscriber):
    gateway = site("once")
    died = until(lambda: plugin(gateway), lambda plugin: plugin["deaths"] == 1, 20)
    started = time.monotonic()
    subscriber.wait_telemetry("lod_x", lambda content: content["values"].get("power") == 42, timeout=20)
    assert time.monotonic() - started < 5
    assert plugin(gateway)["state"] == "loaded" and died["process"] != plugin(gateway)["process"]
    assert device(gateway, "lod_x")["state"] == "online"
    meter_goes_on(gateway, subscriber)


@pytest.mark.slow
@pytest.mark.parametrize("does,link", [("hang", ""), ("", "open-hangs"), ("spin", "")])
def test_what_hangs_is_replaced(site, subscriber, does, link):
    """A call has 15 s, a quarter more as grace, and 5 s until its process is ended."""
    gateway = site(does, link=link)
    until(lambda: device(gateway, "lod_x"), lambda device: device["state"] == "stuck", 40)
    found = until(lambda: plugin(gateway), lambda plugin: plugin["deaths"] == 1, 20)
    assert found["state"] in ("restarting", "loaded", "offered"), found
    gateway.wait_log(lambda line: "did not return from" in line)
    meter_goes_on(gateway, subscriber)


def test_a_command_that_kills_is_unknown(site):
    gateway = site("command-dies")
    until(lambda: device(gateway, "lod_x"), lambda device: device["state"] == "online")
    answer = gateway.cli("command", "lod_x", "power=5", "--valid-for", "60s", "--wait", "--json", check=False)
    assert '"unknown"' in answer.stdout and "crashed" in answer.stdout, answer


def test_a_person_lifts_the_quarantine(site, subscriber, place):
    gateway = site("abort")
    until(lambda: plugin(gateway), lambda plugin: plugin["state"] == "quarantined")
    listed = gateway.cli("plugins").stdout
    assert "quarantined" in listed and "crashed (abort)" in listed
    gateway.cli("plugin", "restart", ID)
    until(lambda: plugin(gateway), lambda plugin: plugin["deaths"] > 5)
    subscriber.publish("gateways/gw-test/commands", {"id": "r1", "ts": int(time.time() * 1000), "action": "restart-plugin", "plugin": ID})
    refused = subscriber.wait_for(
        lambda message: message.topic == "gateways/gw-test/commands/response" and message.json["id"] == "r1", 10
    )
    assert refused.json["reason"] == "not-authorized", refused.json
    # A new file is a new chance.
    build(place / "hostile.so", '-DVERSION="2.0.0"')
    until(lambda: plugin(gateway), lambda plugin: plugin["version"] == "2.0.0" and plugin["state"] in ("loaded", "restarting"))


def test_a_replaced_file_takes_over_within_a_second(site, subscriber, place):
    gateway = site()
    until(lambda: device(gateway, "lod_x"), lambda device: device["state"] == "online")
    former = plugin(gateway)
    build(place / "hostile.so", '-DVERSION="1.0.1"')
    started = time.monotonic()
    found = until(lambda: plugin(gateway), lambda plugin: plugin["version"] == "1.0.1" and plugin["state"] == "loaded", 20)
    assert found["process"] != former["process"] and found["deaths"] == 0
    mark = subscriber.mark()
    subscriber.wait_telemetry("lod_x", since=mark)
    until(lambda: os.path.exists(f"/proc/{former['process']}"), lambda there: not there, 20)
    print(f"took over after {time.monotonic() - started:.2f} s")
    assert device(gateway, "lod_x")["state"] == "online"
    meter_goes_on(gateway, subscriber)


def test_replacements_leave_nothing_behind(site, place):
    """The short form of Tests/Faults/replace."""
    gateway = site()
    until(lambda: device(gateway, "lod_x"), lambda device: device["state"] == "online")
    descriptors, threads = len(os.listdir(f"/proc/{gateway.pid}/fd")), len(os.listdir(f"/proc/{gateway.pid}/task"))
    for _ in range(20):
        former = plugin(gateway)["process"]
        gateway.cli("plugin", "restart", ID)
        until(lambda: plugin(gateway), lambda plugin, former=former: plugin["process"] not in (None, former))
    until(lambda: len(os.listdir(f"/proc/{gateway.pid}/fd")), lambda count: count <= descriptors + 2, 5)
    until(lambda: len(os.listdir(f"/proc/{gateway.pid}/task")), lambda count: count <= threads + 2, 20)
    children = subprocess.run(["pgrep", "-P", str(gateway.pid)], capture_output=True, text=True).stdout.split()
    assert len(children) == 2, children


def test_children_end_with_their_host(site):
    gateway = site()
    until(lambda: device(gateway, "lod_x"), lambda device: device["state"] == "online")
    child = plugin(gateway)["process"]
    gateway.kill()
    until(lambda: os.path.exists(f"/proc/{child}"), lambda there: not there, 20)


def test_what_the_child_may(site):
    """As the kernel shows it."""
    gateway = site()
    until(lambda: device(gateway, "lod_x"), lambda device: device["state"] == "online")
    child = plugin(gateway)["process"]
    facts = dict(line.split(":", 1) for line in open(f"/proc/{child}/status"))
    assert facts["NoNewPrivs"].strip() == "1" and facts["Seccomp"].strip() == "2"
    assert all(int(facts[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")) or os.geteuid() != 0
    assert len(os.listdir(f"/proc/{child}/fd")) <= 8
    assert open(f"/proc/{child}/environ", "rb").read().count(b"\0") <= 4
    if os.geteuid() == 0:
        assert set(facts["Uid"].split()) != {"0"} and facts["Groups"].strip() == ""


def test_in_the_host_by_choice(site):
    gateway = site(overrides={ID: "host"})
    until(lambda: device(gateway, "lod_x"), lambda device: device["state"] == "online")
    assert plugin(gateway)["isolation"] == "host" and plugin(gateway)["process"] is None
    refused = gateway.cli("plugin", "restart", ID, check=False)
    assert refused.returncode == 1 and "restart the host" in refused.stderr
