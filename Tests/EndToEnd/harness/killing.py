# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments under load, and what has to be true afterwards. For test_kill.py and Tests/Faults/kill."""

import time

from .sequence import check_order, numbers, reported, wait_complete

VICTIMS = ("host", "broker", "both")


def wait_live(subscriber, device, since, timeout=90):
    """A live reading that was taken after `since`, Unix seconds. After a broker was killed this takes what its clients
    need to find it again."""
    return subscriber.wait_telemetry(device, lambda c: not c.get("late") and c["ts"] > since * 1000, timeout)


def kill_round(gateway, broker, subscriber, devices, random):
    """One round: returns who was killed, and after how many seconds."""
    victim = random.choice(VICTIMS)
    pause = random.uniform(0.05, 3)
    # The moment is the point of it: nothing is awaited here.
    time.sleep(pause)
    if victim in ("broker", "both"):
        broker.kill()
    if victim in ("host", "both"):
        gateway.kill()
    if victim in ("broker", "both"):
        time.sleep(random.uniform(0, 1))
        broker.start()
    since = time.time()
    if victim in ("host", "both"):
        gateway.start()
    for device in devices:
        wait_live(subscriber, device, since)
    return victim, pause


def check_complete(subscriber, devices, tap=None):
    """Every number came or is reported as lost by a crash, in order; how many numbers were reported and did not come. `tap` says
    whose loss another one is."""
    since = time.time()
    lost = 0
    for device in devices:
        newest = wait_live(subscriber, device, since).json["seq"]
        wait_complete(subscriber, device, newest, 60, reasons=("crash",), renewed=True, tap=tap)
        check_order(subscriber, device)
        lost += len(reported(subscriber, device) - numbers(subscriber, device))
    return lost
