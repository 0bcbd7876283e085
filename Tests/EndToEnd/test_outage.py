# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost silently: broker away, host ended in order, host killed."""

import time

import pytest

from harness.proxy import Proxy
from harness.sequence import check_order, missing, newest, numbers, reported, wait_complete
from harness.site import meter_device

POLL = 0.5


def wait_polls(peer, more, timeout=60):
    """Until the device has been asked so many times more."""
    end = time.monotonic() + timeout
    wanted = len(polls(peer)) + more
    while len(polls(peer)) < wanted:
        assert time.monotonic() < end, f"the device was polled only {len(polls(peer))} times instead of {wanted}"
        time.sleep(0.05)


def polls(peer):
    """When each poll asked for the power, Unix seconds."""
    return [r.time for r in peer.requests() if r.address <= 0x34 < r.address + r.count]


@pytest.fixture
def outage(slow_outages):
    """How many polls an outage lasts."""
    return 60 if slow_outages else 12


@pytest.fixture
def site(host, broker, subscriber, modbus_device):
    peers, devices = [], []
    for name in ("met_a", "met_b"):
        peer, device = meter_device(modbus_device, name, poll="500ms")
        peers.append(peer)
        devices.append(device)
    gateway = host(devices=devices)
    for device in devices:
        subscriber.wait_telemetry(device["id"], lambda content: content["seq"] >= 3)
    return gateway, peers, [device["id"] for device in devices]


def wait_live(subscriber, device, since):
    """A live message of a reading that was taken after `since`, Unix seconds. Not just one that came after it: a broker
    sends again after its own restart what the subscriber had not acknowledged."""
    return subscriber.wait_telemetry(device, lambda content: not content.get("late") and content["ts"] > since * 1000, 30)


def test_broker_away_for_a_while(site, broker, subscriber, outage):
    _, peers, devices = site
    broker.stop()
    position = subscriber.mark()
    stopped = time.time()
    wait_polls(peers[0], outage)
    broker.start()
    started = time.time()
    for device in devices:
        live = wait_live(subscriber, device, started).json
        wait_complete(subscriber, device, live["seq"])
        check_order(subscriber, device)
        assert subscriber.gaps(device) == []
        during = [
            m.json for m in subscriber.telemetry(device, since=position)
            if stopped * 1000 + 1000 < m.json["ts"] < started * 1000 - 1000
        ]
        assert len(during) >= outage - 5
        assert all(content.get("late") is True for content in during), "a buffered reading is not marked late"
        # Stamped when they were read, not when they were sent.
        steps = [b - a for a, b in zip((c["ts"] for c in during), (c["ts"] for c in during[1:]))]
        assert min(steps) > POLL * 1000 / 2


@pytest.mark.slow
def test_live_values_overtake_the_backlog(host, broker, subscriber, modbus_device, closing):
    """Upwards so slow that the backlog takes many polls: live readings do not wait for its end."""
    relay = closing(Proxy(broker.port))
    peer, device = meter_device(modbus_device, poll="200ms")
    gateway = host(uplink_to=None, uplink={"url": f"mqtt://127.0.0.1:{relay.port}"}, devices=[device])
    subscriber.wait_telemetry("met_grid")
    broker.stop()
    wait_polls(peer, 100)
    relay.rate = 6000
    broker.start()
    started = time.time()
    position = subscriber.mark()
    live = wait_live(subscriber, "met_grid", started).json
    wait_complete(subscriber, "met_grid", live["seq"], 60)
    order = [m.json.get("late", False) for m in subscriber.telemetry("met_grid", since=position)]
    last_late = len(order) - 1 - order[::-1].index(True)
    live_before = order[:last_late].count(False)
    assert live_before >= 5, f"{live_before} live messages came before the backlog of {order.count(True)} had ended"
    assert gateway.running


def test_half_open_connection_loses_nothing(host, broker, subscriber, modbus_device, closing):
    relay = closing(Proxy(broker.port))
    peer, device = meter_device(modbus_device, poll="500ms")
    host(uplink_to=None, uplink={"url": f"mqtt://127.0.0.1:{relay.port}"}, devices=[device])
    subscriber.wait_telemetry("met_grid")
    relay.swallow()
    wait_polls(peer, 6)
    relay.swallow(False)
    relay.cut()
    live = wait_live(subscriber, "met_grid", time.time()).json
    wait_complete(subscriber, "met_grid", live["seq"])


def test_host_ended_in_order_and_started(site, subscriber, outage):
    gateway, peers, devices = site
    gateway.stop()
    before = {device: newest(subscriber, device) for device in devices}
    started = time.time()
    gateway.start()
    for device in devices:
        live = wait_live(subscriber, device, started).json
        assert live["seq"] > before[device]
        wait_complete(subscriber, device, live["seq"])
        assert subscriber.gaps(device) == []
        check_order(subscriber, device)


def test_host_ended_in_order_while_the_broker_is_away(site, broker, subscriber, outage):
    gateway, peers, devices = site
    broker.stop()
    wait_polls(peers[0], outage)
    gateway.stop()
    asked = [len(polls(peer)) for peer in peers]
    broker.start()
    started = time.time()
    gateway.start()
    for device, count in zip(devices, asked):
        live = wait_live(subscriber, device, started).json
        wait_complete(subscriber, device, live["seq"])
        assert subscriber.gaps(device) == []
        check_order(subscriber, device)
        # The last poll may have been under way at the end; all others are there.
        assert live["seq"] >= count


def test_host_killed_while_the_broker_is_away(site, broker, subscriber, outage):
    gateway, peers, devices = site
    broker.stop()
    wait_polls(peers[0], outage)
    gateway.kill()
    killed = time.time()
    broker.start()
    gateway.start()
    for device, peer in zip(devices, peers):
        live = wait_live(subscriber, device, killed).json
        wait_complete(subscriber, device, live["seq"], reasons=("crash",))
        assert not numbers(subscriber, device) & reported(subscriber, device), "a number was reported lost and came"
        # At most the commit interval (1 s) is lost, here with as much again for the writing.
        stamps = [m.json["ts"] / 1000 for m in subscriber.telemetry(device)]
        lost = [
            moment for moment in polls(peer)
            if moment < killed - 2 and not any(abs(stamp - moment) < POLL / 2 for stamp in stamps)
        ]
        assert lost == [], f"readings of {device} taken {[round(killed - m, 1) for m in lost]} s before the kill are gone"


@pytest.mark.parametrize("attempt", range(3))
def test_host_killed_while_connected(site, subscriber, attempt):
    gateway, peers, devices = site
    wait_polls(peers[0], attempt + 1)
    gateway.kill()
    killed = time.time()
    gateway.start()
    for device in devices:
        live = wait_live(subscriber, device, killed).json
        wait_complete(subscriber, device, live["seq"], reasons=("crash",))
        check_order(subscriber, device)


def test_broker_killed(site, broker, subscriber):
    _, peers, devices = site
    broker.kill()
    wait_polls(peers[0], 4)
    broker.start()
    started = time.time()
    for device in devices:
        live = wait_live(subscriber, device, started).json
        wait_complete(subscriber, device, live["seq"])


def test_buffer_shows_what_waits(site, broker, subscriber):
    gateway, peers, devices = site
    broker.stop()
    wait_polls(peers[0], 6)
    waiting = gateway.json("buffer", "status")
    assert waiting["messages"] >= 4
    assert waiting["oldest"] <= time.time() * 1000
    broker.start()
    live = wait_live(subscriber, devices[0], time.time()).json
    wait_complete(subscriber, devices[0], live["seq"])
    assert missing(subscriber, devices[0], live["seq"]) == []
