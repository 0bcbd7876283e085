# SPDX-License-Identifier: Apache-2.0
"""What searches for devices have in common: a device that can be found, the search, and the list at the broker."""

import json
import time

from .registers import u32
from .site import inverter

SOLAR = "sol_sma_3001234567"


def sma(**values):
    """With its device class, which is what it is recognised by."""
    tables = inverter(**values)
    tables["holding"]["30051"] = u32(8001)
    return tables


def wait_listed(subscriber, wanted, *, since=0):
    return subscriber.wait_for(
        lambda m: m.topic == "gateways/gw-test/devices" and m.payload and wanted(m.json), 30, since=since, what="the list"
    )


def discover(gateway, *targets, check=True):
    result = gateway.cli("discover", *targets, "--json", timeout=200, check=check)
    return json.loads(result.stdout)["candidates"] if result.stdout else result


def until(wanted, timeout=20):
    end = time.monotonic() + timeout
    while not wanted():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
