# SPDX-License-Identifier: Apache-2.0
"""The independent charge points of ../shared/peers: own framing, queue while offline, bad frames, faulty answers."""

import json

from .paths import SHARED
from .processes import Child

PEERS = SHARED / "peers"
SCRIPTS = {"ocpp1.6": PEERS / "ocpp16_charger.py", "ocpp2.0.1": PEERS / "ocpp201_charger.py"}
# The charger keeps no reference to the task that reads its commands, which the garbage collector may take.
START = "import gc, runpy, sys; gc.disable(); del sys.argv[0]; sys.path.insert(0, sys.argv[0].rpartition('/')[0]); "
START += "runpy.run_path(sys.argv[0], run_name='__main__')"


class PeerCharger(Child):
    close = Child.kill

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def events(self, kind):
        return [event for event in map(self.event, list(self.lines)) if event.get("ev") == kind]

    @staticmethod
    def event(line):
        return json.loads(line) if line.startswith("{") else {}

    def wait_event(self, kind, wanted=lambda event: True, timeout=60):
        line = self.wait_line(lambda line: self.event(line).get("ev") == kind and wanted(self.event(line)), timeout)
        return self.event(line)

    def check(self):
        """Nothing of ours broke a schema, a rule or the charger."""
        wrong = self.events("violation") + self.events("cmderror")
        assert not wrong, wrong
