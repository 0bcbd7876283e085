# SPDX-License-Identifier: Apache-2.0
"""The packages on a clean Debian 12 with systemd: installed, at work, upgraded, removed, purged."""

import json
import re
import shutil
import stat
from pathlib import Path

import pytest
from harness.freeze import Frozen
from harness.network import free_port

from packages import first, next_version, output

pytestmark = pytest.mark.timeout(400)
HERE = Path(__file__).resolve().parent
NAMES = [package.name for package in first.installed]


def state_of(machine, package):
    result = machine.run("dpkg-query", "--show", "--showformat=${db:Status-Status}", package, check=False)
    return result.stdout if result.returncode == 0 else "not-installed"


def configuration(broker, meter):
    """As a person would write it, the password in a file that only the host's user may read."""
    return f"""host: {{ id: gw-test }}
uplink: {{ url: "mqtt://127.0.0.1:{broker.port}", username: gw, password: {{ file: /etc/busbar/secrets/mqtt }} }}
devices:
  - {{ id: met_grid, template: eastron-sdm630, endpoint: "tcp://127.0.0.1:{meter}", poll: 500ms }}
"""


def put_to_work(machine, broker, subscriber):
    """Installed, a simulated meter of the package itself, a broker of somebody else."""
    machine.install(first.installed)
    meter = free_port()
    machine.run(
        "systemd-run", "--unit=meter", "--property=DynamicUser=yes", "/usr/bin/busbar", "simulate", "eastron-sdm630",
        "--listen", f"tcp://127.0.0.1:{meter}",
    )
    machine.write("/etc/busbar/secrets/mqtt", "not-a-secret\n", mode="0600", owner="busbar")
    machine.write("/etc/busbar/busbar.yaml", configuration(broker, meter))
    machine.run("systemctl", "restart", "busbar")
    return subscriber.wait_telemetry("met_grid", timeout=60)


def test_nothing_is_left_of_a_purged_installation(machine):
    before = machine.files()
    machine.install(first.installed)
    assert machine.show("busbar", "ActiveState") == "active", machine.journal()
    added = set(machine.files()) - set(before)
    expected = {path.rstrip("/") for package in first.installed for path in package.files}
    state = {path for path in added if path.startswith("/var/lib/busbar")}
    own = {path for path in added - expected - state if "busbar" not in path}
    assert not own, f"the installation made files outside its own: {own}"
    machine.run("dpkg", "--purge", *NAMES)
    after = machine.files()
    assert {path: after[path] for path in after if after[path] != before.get(path)} == {}
    assert set(before) == set(after)


def test_the_service_is_as_closed_as_it_claims(machine):
    machine.install(first.installed)
    assert machine.run("systemd-analyze", "verify", "--man=no", "busbar.service").stderr == ""
    # In tenths: 2.0.
    machine.run("systemd-analyze", "security", "--no-pager", "--threshold=20", "busbar.service")
    process = machine.show("busbar", "MainPID")
    status = dict(line.split(":", 1) for line in machine.run("cat", f"/proc/{process}/status").stdout.splitlines())
    user, group = (machine.run("id", option, "busbar").stdout.strip() for option in ("-u", "-g"))
    assert set(status["Uid"].split()) == {user} and user != "0"
    dialout = machine.run("getent", "group", "dialout").stdout.split(":")[2]
    assert set(status["Groups"].split()) == {group, dialout}
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0
    assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
    for path, mode in {"/var/lib/busbar": "700", "/run/busbar": "750", "/etc/busbar/secrets": "700"}.items():
        assert machine.run("stat", "--format=%a %U", path).stdout.split() == [mode, "busbar"]
    # What is asked for; a container may get less. A nice value of -10 is 30 (getrlimit(2)).
    assert machine.show("busbar", "LimitNOFILE") == "65536" and machine.show("busbar", "LimitNICE") == "30"
    assert machine.show("busbar", "Delegate") == "yes" and machine.show("busbar", "WatchdogUSec") == "1min"
    # The command line is for root and for members of the group.
    machine.run("useradd", "--groups", "busbar", "installer")
    machine.run("useradd", "stranger")
    assert json.loads(machine.run("runuser", "-u", "installer", "--", "busbar", "status", "--json").stdout)["id"]
    assert machine.run("runuser", "-u", "stranger", "--", "busbar", "status", check=False).returncode != 0


def test_plugin_processes_may_lock_themselves_in(machine, directory):
    """With every directive of the unit: what they need for that gets through, what nobody needs does not."""
    machine.install(first.installed)
    machine.run("systemctl", "stop", "busbar")
    program = directory / "probe"
    output("gcc", "-static", "-Wall", "-Wextra", "-Werror", "-o", program, HERE / "probe.c")
    shutil.copy(program, machine.root / "usr/local/bin/probe")
    unit = machine.run("cat", "/lib/systemd/system/busbar.service").stdout
    unit = re.sub(r"(?m)^(ExecStartPre|ExecReload|Type|Restart|RestartSec|WatchdogSec)=.*\n", "", unit)
    unit = re.sub(r"(?m)^ExecStart=.*", "Type=oneshot\nExecStart=/usr/local/bin/probe", unit)
    machine.write("/run/systemd/system/probe.service", unit)
    machine.run("systemctl", "start", "probe")
    seen = dict(line.split() for line in machine.journal("probe").splitlines() if re.fullmatch(r"[a-z-]+ (yes|E[A-Z]+)", line))
    assert {name for name, answer in seen.items() if answer == "yes"} == {
        "process", "descriptor", "memory", "limits", "not-dumpable", "no-new-privileges", "landlock", "seccomp"
    }, seen
    assert len(seen) == 15


def test_main_job_and_upgrade_with_running_devices(machine, directory, broker, subscriber):
    second = next_version(directory / "next")
    put_to_work(machine, broker, subscriber)
    assert [device["id"] for device in json.loads(machine.run("busbar", "devices", "--json").stdout)] == ["met_grid"]
    # The adapter is in a process of its own, which runs inside the service's sandbox.
    assert " runner" in machine.run("systemctl", "status", "--no-pager", "busbar").stdout
    process = machine.show("busbar", "MainPID")
    written = machine.run("cat", "/etc/busbar/busbar.yaml").stdout
    newest = subscriber.mark()

    machine.install(second.installed)

    for package in second.installed:
        assert machine.run("dpkg-query", "--show", "--showformat=${Version}", package.name).stdout == package.field("Version")
    assert machine.show("busbar", "MainPID") not in (process, "0")
    subscriber.wait_telemetry("met_grid", timeout=60, since=newest)
    assert machine.run("cat", "/etc/busbar/busbar.yaml").stdout == written
    # The old host ended in order and the new one went on: no number is missing, none came twice.
    messages = [message.json for message in subscriber.messages if message.topic == "devices/met_grid/telemetry"]
    assert not [content for content in messages if "gap" in content]
    numbers = [content["seq"] for content in messages if not content.get("late")]
    assert len(set(numbers)) == len(numbers) and numbers == sorted(numbers)
    assert sorted({content["seq"] for content in messages}) == list(range(1, max(numbers) + 1))
    journal = machine.journal(last=400)
    assert "Failed with result" not in journal and "Watchdog" not in journal, journal


def test_mistakes_in_the_configuration_do_not_end_a_running_service(machine, broker, subscriber):
    put_to_work(machine, broker, subscriber)
    process = machine.show("busbar", "MainPID")
    machine.write("/etc/busbar/busbar.yaml", "devices: [{ id: met_grid, template: no-such }]\n")
    assert machine.run("systemctl", "reload", "busbar", check=False).returncode != 0
    assert machine.show("busbar", "MainPID") == process and machine.show("busbar", "ActiveState") == "active"
    newest = subscriber.mark()
    subscriber.wait_telemetry("met_grid", timeout=60, since=newest)
    # At a start the check comes first, and says where.
    assert machine.run("systemctl", "restart", "busbar", check=False).returncode != 0
    machine.wait("the mistake in the journal", lambda: "/etc/busbar/busbar.yaml:1" in machine.journal())
    # It is tried again until somebody has mended it, without being asked.
    machine.write("/etc/busbar/busbar.yaml", "host: { id: gw-test }\n")
    machine.wait("the service after mending", lambda: machine.show("busbar", "ActiveState") == "active")


def test_watchdog_restarts_a_host_that_hangs(machine, broker, subscriber):
    machine.run("mkdir", "-p", "/etc/systemd/system/busbar.service.d")
    machine.write("/etc/systemd/system/busbar.service.d/watchdog.conf", "[Service]\nWatchdogSec=2s\n")
    put_to_work(machine, broker, subscriber)
    process = machine.show("busbar", "MainPID")
    with Frozen(machine.outside(process), "control"):
        machine.wait("the watchdog", lambda: "Watchdog timeout" in machine.journal())
    newest = subscriber.mark()
    machine.wait("another host", lambda: machine.show("busbar", "MainPID") not in (process, "0"))
    subscriber.wait_telemetry("met_grid", timeout=60, since=newest)
    assert "part=control" in machine.journal(last=200)


def test_removed_and_purged_with_what_people_made(machine, broker, subscriber):
    put_to_work(machine, broker, subscriber)
    machine.run("cp", "/usr/share/busbar/templates/eastron-sdm630.yaml", "/etc/busbar/templates/own.yaml")
    own = machine.run("cat", "/etc/busbar/templates/own.yaml").stdout
    edited = machine.run("cat", "/etc/busbar/busbar.yaml").stdout

    machine.run("dpkg", "--remove", *NAMES)
    assert machine.show("busbar", "ActiveState") == "inactive"
    assert machine.run("cat", "/etc/busbar/busbar.yaml").stdout == edited
    assert (machine.root / "var/lib/busbar/busbar.db").exists()
    assert not (machine.root / "usr/bin/busbar").exists() and not list((machine.root / "usr/lib/busbar").glob("*"))

    # Back again: as it was.
    newest = subscriber.mark()
    machine.install(first.installed)
    subscriber.wait_telemetry("met_grid", timeout=60, since=newest)

    machine.run("dpkg", "--purge", *NAMES)
    assert all(state_of(machine, name) == "not-installed" for name in NAMES)
    assert not (machine.root / "var/lib/busbar").exists()
    left = {path for path in machine.files() if path.startswith("/etc/busbar")}
    assert left == {
        "/etc/busbar", "/etc/busbar/secrets", "/etc/busbar/secrets/mqtt", "/etc/busbar/templates", "/etc/busbar/templates/own.yaml"
    }
    assert (machine.root / "etc/busbar/templates/own.yaml").read_text() == own
    # Out of reach of whoever gets the host's user number next.
    secrets = (machine.root / "etc/busbar/secrets").stat()
    assert (secrets.st_uid, stat.S_IMODE(secrets.st_mode)) == (0, 0o700)
