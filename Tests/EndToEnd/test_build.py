# SPDX-License-Identifier: Apache-2.0
"""What is built, by the symbols of its files."""

import os
import subprocess

import pytest
from harness.paths import BUSBAR, PLUGINS, ROOT


def addresses(file):
    """Of functions, by name; of several of one name the first."""
    found = {}
    for line in subprocess.run(["nm", "--defined-only", file], capture_output=True, text=True, check=True).stdout.splitlines():
        address, kind, name = line.split(" ", 2)
        if kind in "tTwW":
            found.setdefault(name, int(address, 16))
    return found


@pytest.mark.skipif("BUSBAR_STAGE" in os.environ, reason="what is installed has no symbols")
def test_functions_of_a_poll_lie_in_their_order():
    lines = (ROOT / "packaging" / "functions.order").read_text().splitlines()
    names = [line for line in lines if not line.startswith("#")]
    program, plugin = addresses(BUSBAR), addresses(PLUGINS / "libBusbarModbus.so")
    missing = [name for name in names if name not in program and name not in plugin]
    assert len(missing) < len(names) / 10, f"Tests/Benchmarks/order writes the list anew; not in the program any more: {missing}"
    for file in (program, plugin):
        listed = [file[name] for name in names if name in file]
        # Functions that the compiler made twice lie at the place of either.
        following = [first <= second for first, second in zip(listed, listed[1:])]
        assert sum(following) > len(following) * 0.9, "linked without packaging/functions.order, or with an older one"
