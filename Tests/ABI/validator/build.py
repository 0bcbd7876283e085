# SPDX-License-Identifier: Apache-2.0
"""Builds plugin.c once for each fault, or visited.c where the fault is of a plugin whose device connects by itself: the same plugin, wrong
in the one thing that a case of the validator is about."""

import copy
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
API = os.path.join(ROOT, "PluginAPI", "C")
VISITOR = os.path.join(HERE, "visiting_meter.py")
DEVICE = os.path.join(ROOT, "PluginAPI", "Templates", "common", "line_meter_device.py")

MANIFEST = {
    "id": "org.example.probe", "version": "1.0.0", "title": "Probe", "abi": {"major": 0, "minor": 1},
    "requires": ["busbar.stream/1"], "permissions": ["endpoint:tcp"],
    "adapters": [{
        "id": "probe", "title": "Probe", "endpoints": {"device": ["tcp"]}, "kinds": ["load"],
        "points": ["power", "energy_total", "state", "power_limit", "note"],
        "config": {"type": "object", "properties": {"level": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}},
                   "additionalProperties": False}}]}


# Of visited.c, where other things are so.
VISITED = copy.deepcopy(MANIFEST)
VISITED.update(requires=["busbar.websocket/1", "busbar.event/1", "busbar.async/1"], permissions=["endpoint:listener"])
VISITED["adapters"][0].update(endpoints={"device": ["listener"]}, subprotocols=["line.1"])

# Cases that there are for such plugins alone.
ALONE = ("nothing-while-alone", "other-kind-of-message")


def is_visited(name):
    return name.split("/")[0] in ALONE or name.split("/")[-1].startswith("visit")


def adapter(change):
    def apply(manifest):
        change(manifest["adapters"][0])
    return apply


# What of the manifest is wrong, by case.
MANIFESTS = {
    "manifest-valid": adapter(lambda it: it.update(kinds=["toaster"])),
    "schemas-understood": adapter(lambda it: it["config"].update(oneOf=[])),
    "config-defaults": adapter(lambda it: it["config"]["properties"]["level"].update(default=12)),
    "permissions-minimal": lambda it: it.update(permissions=[]),
    "permissions-minimal/surplus": lambda it: it["permissions"].append("network:raw"),
    "ids-match-binary": lambda it: it.update(version="1.0.1"),
}

# Flags of compiler and linker, by case.
FLAGS = {
    "one-export": ["-Wl,--defsym=second=busbar_plugin_v0"],
    "no-executable-stack": ["-Wl,-z,execstack"],
    "no-text-relocations": ["-Wl,-z,notext", "text.s"],
    "needs-nothing-beside-it": ["-Wl,--no-as-needed", "-l:libz.so.1"],
    "loads-now-local": ["-DUNRESOLVED"],
    "abi-matches-binary": ["-DABI=2"],
}


def build(name, place):
    """The plugin that is wrong in `name`; its path. `none` is right in everything."""
    folder = os.path.join(place, name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "text.s"), "w", encoding="utf-8") as file:
        file.write('.data\nvalue: .long 1\n.text\n.globl peek\n.hidden peek\npeek: .quad value\n.section .note.GNU-stack,"",@progbits\n')
    library = os.path.join(folder, "plugin.so")
    flags = FLAGS.get(name, [])
    visited = is_visited(name)
    relaxed = name in ("loads-now-local", "no-text-relocations")
    run(["gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden", "-pthread", "-I", f"{API}/include",
         f'-DFAULT="{name}"', "-o", library, os.path.join(HERE, "visited.c" if visited else "plugin.c"), "-Wl,-z,noexecstack",
         *([] if name == "one-export" else [f"-Wl,--version-script={API}/busbar.map"]), *([] if relaxed else ["-Wl,--no-undefined"]),
         *flags], folder)
    manifest = copy.deepcopy(VISITED if visited else MANIFEST)
    MANIFESTS.get(name, lambda it: None)(manifest)
    path = os.path.join(folder, "manifest.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(manifest, file)
    loaded = "alloc,readonly,data,contents" if name == "manifest-not-loaded" else "noload,readonly"
    run(["objcopy", "--add-section", f".busbar.manifest={path}", "--set-section-flags", f".busbar.manifest={loaded}", library], folder)
    with open(os.path.join(folder, "quality.json"), "w", encoding="utf-8") as file:
        far_end = {"visitor": ["python3", "-B", VISITOR]} if visited else {"device": ["python3", DEVICE, "--port", "0"]}
        json.dump({"plugin": "org.example.probe", "check": {**far_end, "write": {"point": "power_limit", "value": 1200}}}, file)
    return library


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
