# SPDX-License-Identifier: Apache-2.0
"""What `seq` promises (interfaces.md 3.1): every number comes, or is reported as never coming."""

import time


def numbers(subscriber, device):
    return {message.json["seq"] for message in subscriber.telemetry(device)}


def reported(subscriber, device, *, reasons=None):
    found = set()
    for gap in subscriber.gaps(device):
        assert gap["from"] <= gap["to"], gap
        if reasons is not None:
            assert gap["reason"] in reasons, gap
        found |= set(range(gap["from"], gap["to"] + 1))
    return found


def missing(subscriber, device, up_to, *, reasons=()):
    """Numbers from 1 to `up_to` that neither came nor were reported for one of `reasons`."""
    lost = reported(subscriber, device, reasons=reasons)
    return sorted(set(range(1, up_to + 1)) - numbers(subscriber, device) - lost)


def wait_complete(subscriber, device, up_to, timeout=30, *, reasons=(), renewed=False, tap=None):
    """Returns when every number from 1 to `up_to` has come or is reported; says which ones are missing else. `renewed`: the
    time begins anew with each one that comes, for a backlog whose limited rate may take minutes. `tap`: says which of the missing
    ones the broker had acknowledged."""
    end = time.monotonic() + timeout
    fewest = up_to + 1
    while True:
        position = subscriber.mark()
        lost = missing(subscriber, device, up_to, reasons=reasons)
        if not lost:
            return
        if renewed and len(lost) < fewest:
            fewest = len(lost)
            end = time.monotonic() + timeout
        left = end - time.monotonic()
        if left <= 0:
            had = tap.acknowledged if tap else set()
            acknowledged = [number for number in lost if (device, number) in had]
            raise AssertionError(f"numbers of {device} up to {up_to} never came: {lost}; of these the broker had acknowledged: {acknowledged}")
        # One look at all numbers for whatever comes, not for each message: there may be a hundred thousand.
        try:
            subscriber.wait_for(lambda m: m.device == device, left, since=position)
        except AssertionError:
            continue


def check_order(subscriber, device):
    """Numbers rise among live messages, and among late ones; each number has one reading."""
    readings = {}
    last = {True: 0, False: 0}
    for message in subscriber.telemetry(device):
        content = message.json
        late = content.get("late", False)
        again = readings.get(content["seq"])
        if again is not None:
            # QoS 1 may bring a message twice; then it is the same reading.
            assert again == (content["ts"], content.get("values")), f"two readings of {device} have seq {content['seq']}"
            continue
        readings[content["seq"]] = (content["ts"], content.get("values"))
        assert content["seq"] > last[late], f"seq {content['seq']} of {device} after {last[late]}, late: {late}"
        last[late] = content["seq"]


def newest(subscriber, device):
    return max(numbers(subscriber, device), default=0)
