# SPDX-License-Identifier: Apache-2.0
"""A clean Debian 12 that boots with systemd in a container, on this machine's network."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from packages import WORK, first

# What a Debian that boots has, beyond the smallest one.
SYSTEM = ["dbus", "kmod", "python3-minimal", "systemd", "systemd-sysv"]
# What changes by itself while a system runs and packages come and go, and says nothing about them.
RESTLESS = (
    "/dev", "/proc", "/run", "/sys", "/tmp", "/root", "/var/cache", "/var/lib/dpkg", "/var/lib/systemd/random-seed",
    "/var/lib/systemd/timers", "/var/log", "/var/tmp", "/etc/.pwd.lock", "/etc/group-", "/etc/gshadow-", "/etc/passwd-",
    "/etc/shadow-", "/etc/ld.so.cache", "/var/lib/systemd/catalog", "/var/lib/private", "/var/lib/dbus",
)


def base():
    """A Debian with what the packages depend on, made once and never started."""
    names = {name for package in first.installed for name in package.relations("Depends")}
    provided = {name for package in first.all for name in package.relations("Provides")}
    wanted = sorted((names - provided) | set(SYSTEM))
    root = WORK / f"debian-12-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:8]}"
    if not root.exists():
        draft = root.with_suffix(".part")
        shutil.rmtree(draft, ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(wanted)}", "bookworm", str(draft)]
        log = WORK / "debootstrap.log"
        with open(log, "w") as file:
            result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        assert result.returncode == 0, log.read_text()[-3000:]
        draft.rename(root)
    return root


class Machine:
    def __init__(self, directory):
        self.root = directory / "root"
        self.console = directory / "console.log"
        # What is written goes beside the Debian, which stays as it was made.
        layers = [directory / "written", directory / "work"]
        for layer in (*layers, self.root):
            layer.mkdir()
        options = f"lowerdir={base()},upperdir={layers[0]},workdir={layers[1]}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)], check=True)
        self._container = None
        self._init = None

    def boot(self):
        # What the host needs for the processes of plugins, and the container would not let through by itself.
        calls = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
        with open(self.console, "w") as console:
            self._container = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--directory", str(self.root), "--register=no", "--keep-unit",
                 f"--machine=busbar-{os.getpid()}", f"--system-call-filter={calls}", "--boot"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True,
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self._container.poll() is None, self.console.read_text()
            children = Path(f"/proc/{self._container.pid}/task/{self._container.pid}/children").read_text().split()
            if children:
                self._init = int(children[0])
                if self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip() == "running":
                    return self
            time.sleep(0.1)
        raise AssertionError(f"the container did not start:\n{self.console.read_text()}")

    def run(self, *command, check=True, timeout=120, text=None):
        """Runs a command inside, as subprocess.CompletedProcess. `text`: its standard input."""
        enter = ["nsenter", "--target", str(self._init), "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wdns=/"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        result = subprocess.run(
            [*enter, *map(str, command)], capture_output=True, text=True, env=environment, timeout=timeout, input=text or "",
        )
        if check:
            assert result.returncode == 0, f"{' '.join(map(str, command))}: {result.stderr}{result.stdout}\n{self.journal()}"
        return result

    def install(self, packages):
        for package in packages:
            shutil.copy(package.file, self.root / "root")
        return self.run("dpkg", "--install", *(f"/root/{package.file.name}" for package in packages))

    def write(self, path, text, mode="0644", owner="root"):
        self.run("sh", "-c", f"cat >'{path}' && chmod {mode} '{path}' && chown {owner}: '{path}'", text=text)

    def show(self, unit, name):
        return self.run("systemctl", "show", "--property", name, "--value", unit).stdout.strip()

    def journal(self, unit="busbar", last=80):
        return self.run("journalctl", "--unit", unit, "--output=cat", "--no-pager", f"--lines={last}", check=False).stdout

    def wait(self, what, condition, timeout=60):
        end = time.monotonic() + timeout
        while not (result := condition()):
            assert time.monotonic() < end, f"{what}: not within {timeout} s\n{self.journal()}"
            time.sleep(0.1)
        return result

    def outside(self, process):
        """The number by which this side knows a process of the container."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                lines = status.read_text().splitlines()
            except OSError:
                continue
            numbers = next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])
            if len(numbers) > 1 and numbers[-1] == str(process) and self._descends(int(status.parent.name)):
                return int(status.parent.name)
        raise AssertionError(f"no process {process} in the container")

    def _descends(self, process):
        while process > 1:
            if process == self._init:
                return True
            process = int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
        return False

    def files(self):
        """Mode and owner of every file, and the content of those in /etc."""
        found = {}
        for directory, folders, names in os.walk(self.root):
            inside = "/" + os.path.relpath(directory, self.root)
            folders[:] = [name for name in folders if not os.path.join(inside, name).startswith(RESTLESS)]
            for name in [*folders, *names]:
                path = os.path.normpath(os.path.join(inside, name))
                if path.startswith(RESTLESS):
                    continue
                place = Path(directory) / name
                facts = place.lstat()
                content = place.read_bytes() if path.startswith("/etc/") and place.is_file() and not place.is_symlink() else b""
                found[path] = (facts.st_mode, facts.st_uid, facts.st_gid, hashlib.sha256(content).hexdigest())
        return found

    def close(self):
        if self._container and self._container.poll() is None:
            # systemd in the container takes this as the order to halt.
            os.kill(self._init, signal.SIGRTMIN + 3)
            try:
                self._container.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self._container.pid, signal.SIGKILL)
                self._container.wait()
        subprocess.run(["umount", "--lazy", str(self.root)], check=False)
