# SPDX-License-Identifier: Apache-2.0
"""The packages that `run` has built."""

import re
import subprocess
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".build" / "packages"


def output(*command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert result.returncode == 0, f"{' '.join(map(str, command))}: {result.stderr}{result.stdout}"
    return result.stdout


class Package:
    def __init__(self, file):
        self.file = file
        self.name = file.name.split("_")[0]

    def field(self, name):
        return output("dpkg-deb", "--field", self.file, name).strip()

    def relations(self, name):
        """Names of the packages in a field, the first one of alternatives."""
        return [re.split(r"[ |(]", part.strip())[0] for part in self.field(name).split(",") if part.strip()]

    @cached_property
    def files(self):
        """Permissions and owner by path."""
        found = {}
        for line in output("dpkg-deb", "--contents", self.file).splitlines():
            mode, owner, _, _, _, path = line.split(None, 5)
            found[path.split(" -> ")[0][1:]] = (mode, owner)
        return found

    def control(self, name):
        """A file of the control archive, "" where there is none."""
        archive = subprocess.run(["dpkg-deb", "--ctrl-tarfile", self.file], capture_output=True, check=True).stdout
        result = subprocess.run(["tar", "-xO", f"./{name}"], input=archive, capture_output=True)
        return result.stdout.decode() if result.returncode == 0 else ""

    def unpack(self, directory):
        output("dpkg-deb", "--extract", self.file, directory)
        return directory


class Built:
    """The packages of one build."""

    def __init__(self, directory):
        self.directory = directory
        self.all = [Package(file) for file in sorted(directory.glob("*.deb"))]
        assert self.all, f"{directory} has no packages: use Tests/Packages/run"

    def __getitem__(self, name):
        (found,) = [package for package in self.all if package.name == name]
        return found

    @property
    def plugins(self):
        return [package for package in self.all if package.name.startswith("busbar-plugin-")]

    @property
    def installed(self):
        """What a gateway gets."""
        return [self["busbar"], *self.plugins]


first = Built(WORK / "built")


def next_version(directory):
    """The installed packages again, of a higher version, and with adapters that are other files than before."""
    directory.mkdir()
    for package in first.installed:
        tree = directory / package.name
        output("dpkg-deb", "--raw-extract", package.file, tree)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*", rf"\g<0>+next", control.read_text()))
        mark = directory / "mark"
        mark.write_text("next")
        for plugin in tree.glob("usr/lib/busbar/plugins/*.so"):
            output("objcopy", "--add-section", f".next={mark}", plugin)
        output("dpkg-deb", "--build", "-Znone", tree, directory / f"{package.name}_next.deb")
    return Built(directory)
