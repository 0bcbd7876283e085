# SPDX-License-Identifier: Apache-2.0
"""A host with a meter and the plugin of Tests/Unit/Plugins/Fixtures/hostile.c, for `flood` and `replace`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))

from harness.broker import Broker  # noqa: E402
from harness.host import Host  # noqa: E402
from harness.modbus import ModbusDevice  # noqa: E402
from harness.paths import PLUGINS  # noqa: E402
from harness.site import meter_device  # noqa: E402

ID = "org.example.hostile"


class Site:
    def __init__(self, does, poll="1s"):
        self.closing = []
        self.directory = Path(tempfile.mkdtemp(prefix="busbar-"))
        self.plugins = self.directory / "plugins"
        self.plugins.mkdir(mode=0o755)
        self.build()
        self.broker = self.add(Broker(self.directory / "broker").start())
        _, meter = meter_device(lambda units, **options: self.add(ModbusDevice(units, **options).start()))
        meter["poll"] = "100ms"
        self.host = self.add(
            Host(
                self.directory, self.broker, plugins={"directories": [str(PLUGINS), str(self.plugins)]},
                links=[{"id": "bad", "adapter": "hostile", "endpoint": "tcp://127.0.0.1:1"}],
                devices=[meter, {"id": "lod_x", "link": "bad", "config": {"does": does}, "poll": poll}],
            ).start()
        )

    def add(self, thing):
        self.closing.append(thing)
        return thing

    def build(self, version="1.0.0"):
        partial = self.plugins / ".hostile.partial"
        subprocess.run(
            ["cc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-pthread", "-fvisibility=hidden", "-I", ROOT / "PluginAPI/C/include",
             f'-DVERSION="{version}"', "-o", partial, ROOT / "Tests/Unit/Plugins/Fixtures/hostile.c"],
            check=True, timeout=120,
        )
        partial.chmod(0o644)
        partial.rename(self.plugins / "hostile.so")

    @property
    def plugin(self):
        return next(plugin for plugin in self.host.json("plugins") if plugin["id"] == ID)

    @property
    def memory(self):
        """kB that are the host's own."""
        with open(f"/proc/{self.host.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for thing in reversed(self.closing):
            thing.close()
        shutil.rmtree(self.directory, ignore_errors=True)
