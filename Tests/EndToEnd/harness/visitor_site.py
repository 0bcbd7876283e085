# SPDX-License-Identifier: Apache-2.0
"""A host with a listener, the plugin of test visitors, and who comes to them. The fixtures are for modules that import them."""

import threading

import pytest
from websockets.exceptions import InvalidStatus

from .paths import PLUGINS, plugin_folder
from .visitor import WAIT, Visitor, build, listener

CHARGER = {"id": "evc_a", "adapter": "visitor", "endpoint": "listener:site/CP-1", "poll": "60s", "write": True}


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    return build(tmp_path_factory.mktemp("visitor") / "visitor.so")


@pytest.fixture
def place(directory, plugin):
    return plugin_folder(directory, plugin)


@pytest.fixture
def site(host, place):
    """A host with a listener and a charger."""

    def make(*, devices=(CHARGER,), start=True, **settings):
        site = listener(**({"login": "none"} | settings))
        gateway = host(plugins={"directories": [str(PLUGINS), str(place)]}, listeners={"site": site}, devices=list(devices), start=start)
        gateway.address = site["listen"]
        return gateway

    return make


@pytest.fixture
def visit(closing):
    """Connects; while the link of the plugin is being opened the host asks to come again."""

    def make(gateway, name="CP-1", **options):
        for _ in range(WAIT * 20):
            try:
                return closing(Visitor(gateway.address, name, **options))
            except InvalidStatus as refusal:
                if refusal.response.status_code != 503:
                    raise
                threading.Event().wait(0.05)
        raise AssertionError("the link was never open")

    return make


def refused(gateway, name="CP-1", **options):
    """The status with which a connection is refused."""
    with pytest.raises(InvalidStatus) as refusal:
        Visitor(gateway.address, name, **options)
    return refusal.value.response.status_code
