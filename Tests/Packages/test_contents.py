# SPDX-License-Identifier: Apache-2.0
"""What is in the packages, before anything is installed."""

import json
import os
import re
import subprocess

import pytest

from packages import ROOT, first, output

HOST = first["busbar"]
DEV = first["busbar-dev"]
# How the libraries of the Swift toolchain begin.
SWIFT = ("libswift", "libFoundation", "lib_Foundation", "libdispatch", "libBlocks")


def adapters():
    return re.findall(r'\.library\(name: "Busbar(\w+)", type: \.dynamic', (ROOT / "Package.swift").read_text())


def dynamic(file, tag):
    return re.findall(rf"\({tag}\).*\[(.*)\]", output("readelf", "--dynamic", file))


def test_lintian():
    result = subprocess.run(
        ["lintian", "--allow-root", "--fail-on=error,warning", *[str(file) for file in first.directory.glob("*.changes")]],
        capture_output=True, text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_another_version_than_the_hosts_is_refused(directory):
    for version, told in (("9.9.9-1", "the host calls itself"), ("no version", "is no Debian version")):
        result = subprocess.run(
            [ROOT / "packaging/build-deb", "--no-build", "--version", version, "--output", directory / "none"],
            capture_output=True, text=True,
        )
        assert result.returncode != 0 and told in result.stderr, result.stderr
    assert not (directory / "none").exists()


def test_a_package_for_each_adapter():
    assert {package.name for package in first.plugins} == {f"busbar-plugin-{name.lower()}" for name in adapters()}
    for name in adapters():
        package = first[f"busbar-plugin-{name.lower()}"]
        assert f"/usr/lib/busbar/plugins/libBusbar{name}.so" in package.files
        for template in (ROOT / "Plugins" / name / "Devices").glob("*.yaml"):
            assert f"/usr/share/busbar/templates/{template.name}" in package.files


def test_adapters_want_exactly_the_runtime_they_were_built_with():
    provided = HOST.relations("Provides")
    (runtime,) = [name for name in provided if name.startswith("busbar-runtime-abi-")]
    (contract,) = [name for name in provided if name.startswith("busbar-plugin-abi-")]
    for package in first.plugins:
        assert {runtime, contract} <= set(package.relations("Depends"))
    assert any(path.startswith(f"/usr/lib/busbar/swift-{runtime.removeprefix('busbar-runtime-abi-')}/") for path in HOST.files)


def test_every_library_is_found_in_the_package_or_in_debian(directory):
    for package in first.installed:
        package.unpack(directory)
    runtime = {file.name: file for file in directory.glob("usr/lib/busbar/swift-*/*.so")}
    needed = set()
    plugins = list(directory.glob("usr/lib/busbar/plugins/*.so"))
    host = directory / "usr/bin/busbar"
    (folder,) = directory.glob("usr/lib/busbar/swift-*")
    assert dynamic(host, "RUNPATH") == [f"$ORIGIN/../lib/busbar/{folder.name}"]
    for plugin in plugins:
        assert dynamic(plugin, "RUNPATH") == [f"/usr/lib/busbar/{folder.name}"]
    for file in [host, *plugins, *runtime.values()]:
        own = {name for name in dynamic(file, "NEEDED") if name.startswith(SWIFT)}
        needed |= own
        if own and file in runtime.values():
            assert dynamic(file, "RUNPATH") == ["$ORIGIN"], file
    # All of it, and nothing that nobody needs.
    assert needed == set(runtime)


def test_no_path_of_the_build_is_searched(directory):
    for package in first.installed:
        package.unpack(directory)
    for file in [directory / "usr/bin/busbar", *directory.glob("usr/lib/busbar/*/*.so")]:
        for path in dynamic(file, "RUNPATH") + dynamic(file, "RPATH"):
            assert not path.startswith(str(ROOT)) and ":" not in path, (file, path)


def test_everything_belongs_to_root_and_secrets_are_closed():
    for package in first.all:
        assert {owner for _, owner in package.files.values()} == {"root/root"}
        assert not [path for path, (mode, _) in package.files.items() if mode[0] != "l" and (mode[8] == "w" or "s" in mode)]
    assert HOST.files["/etc/busbar/secrets/"][0] == "drwx------"


def test_configuration_files_are_conffiles():
    configured = {path for path in HOST.files if path.startswith("/etc/") and not path.endswith("/")}
    assert configured == set(HOST.control("conffiles").split()) == {"/etc/busbar/busbar.yaml", "/etc/busbar/README"}


def test_pages_completions_and_unit_are_at_debians_places():
    commands = json.loads(output(ROOT / ".build/stage/bin/busbar", "--experimental-dump-help"))["command"]["subcommands"]
    for command in commands:
        if command["commandName"] != "help":
            assert f"/usr/share/man/man1/busbar-{command['commandName']}.1.gz" in HOST.files
    for path in (
        "/usr/share/man/man1/busbar.1.gz", "/usr/share/bash-completion/completions/busbar",
        "/usr/share/zsh/vendor-completions/_busbar", "/usr/share/fish/vendor_completions.d/busbar.fish",
        "/lib/systemd/system/busbar.service", "/usr/share/doc/busbar/copyright", "/usr/share/doc/busbar/NOTICE.gz",
    ):
        assert path in HOST.files


@pytest.fixture
def vendor(directory):
    """The files of busbar-dev, and pkg-config that finds them."""
    root = DEV.unpack(directory / "dev")
    options = ["pkg-config", f"--define-variable=prefix={root}/usr"]
    environment = os.environ | {"PKG_CONFIG_LIBDIR": str(root / "usr/share/pkgconfig")}

    def ask(*words):
        return output(*options, *words, "busbar-plugin", env=environment).strip()

    return root, ask


def test_the_c_template_builds_with_busbar_dev_alone(vendor, directory):
    root, ask = vendor
    place = directory / "line-meter"
    output("cp", "-r", root / "usr/share/busbar/PluginAPI/Templates/c", place)
    output("make", "-C", place, f"BUSBAR_INCLUDE={ask('--variable=includedir')}", f"BUSBAR_MAP={ask('--variable=map')}")
    exported = output("nm", "--dynamic", "--defined-only", place / "line_meter.so").split()
    assert exported[2:] == ["busbar_plugin_v0"] or "busbar_plugin_v0" in exported
    assert f"-I{root}/usr/include" in ask("--cflags")


def test_the_headers_compile_alone(vendor, directory):
    root, ask = vendor
    for header in (root / "usr/include/busbar").rglob("*.h"):
        output("gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *ask("--cflags").split(), "-x", "c", header)


def clang(target, file):
    return subprocess.run(
        ["clang", f"--target={target}", "-std=c11", "-ffreestanding", "-fsyntax-only", "-Werror",
         f"-I{ROOT}/PluginAPI/C/include", str(file)],
        capture_output=True, text=True,
    )


@pytest.mark.parametrize("file", sorted((ROOT / "PluginAPI/C/frozen").glob("*.c")), ids=lambda file: file.name)
def test_the_frozen_layout_is_the_same_on_arm64(file):
    for target in ("aarch64-linux-gnu", "x86_64-linux-gnu"):
        result = clang(target, file)
        assert result.returncode == 0, result.stderr
    # The check can fail.
    assert "64-bit little-endian" in clang("i386-linux-gnu", file).stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_swift_package_builds_on_the_kit_of_busbar_dev(vendor, directory):
    root, _ = vendor
    place = directory / "adapter"
    sources = place / "Sources/Adapter"
    sources.mkdir(parents=True)
    (place / "Package.swift").write_text(f"""// swift-tools-version: 6.2
import PackageDescription
let package = Package(
  name: "adapter", products: [.library(name: "Adapter", type: .dynamic, targets: ["Adapter"])],
  dependencies: [.package(path: "{root}/usr/share/busbar/PluginAPI")],
  targets: [.target(name: "Adapter", dependencies: [.product(name: "PluginKit", package: "PluginAPI")])])
""")
    (sources / "Adapter.swift").write_text("import PluginKit\npublic func failure() -> AdapterError { AdapterError(.transient, \"x\") }\n")
    result = subprocess.run(["swift", "build", "--package-path", str(place)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
