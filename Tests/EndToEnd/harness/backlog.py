# SPDX-License-Identifier: Apache-2.0
"""A buffer with many messages in it, without the time that it takes to read them."""

import json
import sqlite3
import time


def waiting(state):
    """Messages in the buffer of a host that does not run."""
    database = sqlite3.connect(state / "busbar.db")
    try:
        return database.execute("SELECT count(*) FROM outbox").fetchone()[0]
    finally:
        database.close()


def fill(state, device, count):
    """Puts readings of a device, a second apart and the last one a minute ago, into the buffer of a host that does not
    run, with the numbers that follow its last one. Returns the first and the last."""
    database = sqlite3.connect(state / "busbar.db")
    try:
        with database:
            stream, reserved = database.execute(
                "SELECT id, reserved FROM streams WHERE device = ? AND kind = 'telemetry'", (device,)
            ).fetchone()
            row = database.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()[0]
            first, last = reserved + 1, reserved + count
            newest = int(time.time() * 1000) - 60_000
            size = 0
            for seq in range(first, last + 1):
                moment = newest - (last - seq) * 1000
                content = {"ts": moment, "seq": seq, "gateway": "gw-test", "path": "gateway",
                           "values": {f"value_{number}": seq % 1000 + number for number in range(20)}}
                payload = json.dumps(content, separators=(",", ":")).encode()
                size += len(payload)
                row += 1
                database.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", (row, stream, seq, moment, payload))
            database.execute("UPDATE streams SET settled = ?, reserved = ? WHERE id = ?", (last, last, stream))
            database.execute("UPDATE meta SET value = value + ? WHERE name = 'rows'", (count,))
            database.execute("UPDATE meta SET value = value + ? WHERE name = 'bytes'", (size,))
    finally:
        database.close()
    return first, last
