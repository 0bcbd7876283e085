#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A charge point of OCPP 1.6J with one connector and a car that charges. Standard library only.

    charge_point.py ws://127.0.0.1:9000/check/visitor-1

It connects, boots, begins a session, sends its meter's values, and comes again when it is cut off: then as after a loss of power. The last
part of the path is its name."""

import argparse
import json
import sys
import threading
import time
import urllib.parse
import uuid

from profiles import Profiles
from websocket import Ended, WebSocket

VOLTAGE, PHASES, MOST = 230.0, 3, 32.0
TAG = "CHECK"


def stamp():
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"


class ChargePoint:
    """What a charge point keeps while connections come and go."""

    def __init__(self, options):
        self.options = options
        self.name = urllib.parse.urlsplit(options.url).path.rsplit("/", 1)[-1]
        self.profiles, self.available, self.wants_session = Profiles(MOST), True, True
        self.watt_hours, self.measured = 12_250.0, time.monotonic()
        self.session, self.list_version, self.tags = None, 0, {}
        self.settings = {
            "NumberOfConnectors": "1", "HeartbeatInterval": "300", "MeterValueSampleInterval": "60", "ChargeProfileMaxStackLevel": "8",
            "ChargingScheduleAllowedChargingRateUnit": "Current,Power", "ChargingScheduleMaxPeriods": "8", "LocalAuthListMaxLength": "500",
            "SendLocalListMaxLength": "50"}

    # The meter

    def current(self):
        if self.session is None or not self.available:
            return 0.0
        return min(MOST / 2, self.profiles.amperes(self.session))

    def meter_values(self):
        now, amperes = time.monotonic(), self.current()
        watts = amperes * VOLTAGE * PHASES
        self.watt_hours += watts * (now - self.measured) / 3600
        self.measured = now
        values = [
            ("Energy.Active.Import.Register", f"{self.watt_hours:.3f}", "Wh", {}), ("Power.Active.Import", f"{watts:.1f}", "W", {}),
            *[("Current.Import", f"{amperes:.2f}", "A", {"phase": f"L{phase}"}) for phase in (1, 2, 3)],
            *[("Voltage", f"{VOLTAGE:.1f}", "V", {"phase": f"L{phase}-N"}) for phase in (1, 2, 3)]]
        sampled = [{"value": value, "measurand": name, "unit": unit, "context": "Sample.Periodic", **more} for name, value, unit, more in values]
        payload = {"connectorId": 1, "meterValue": [{"timestamp": stamp(), "sampledValue": sampled}]}
        if self.session is not None:
            payload["transactionId"] = self.session
        return payload

    def status(self):
        if not self.available:
            return "Unavailable"
        return "Preparing" if self.session is None else "Charging" if self.current() > 0 else "SuspendedEVSE"

    def boot(self):
        return {"chargePointVendor": "Example", "chargePointModel": "CP-1", "chargePointSerialNumber": f"CP-{self.name}",
                "firmwareVersion": "1.0"}


class Conversation:
    """One connection: one thread that reads, one that asks."""

    def __init__(self, point, socket):
        self.point, self.socket = point, socket
        self.answers, self.changed, self.gone = {}, threading.Condition(), False
        self.triggered = []

    def run(self):
        """Until the connection ends."""
        asking = threading.Thread(target=self._ask_all, daemon=True)
        asking.start()
        try:
            while True:
                self._take(self.socket.receive())
        except Ended:
            pass
        with self.changed:
            self.gone = True
            self.changed.notify_all()
        self.socket.close()
        asking.join()

    # Requests of ours

    def call(self, action, payload):
        """The answer; None where none comes."""
        number = uuid.uuid4().hex
        self.socket.send(json.dumps([2, number, action, payload]))
        with self.changed:
            self.changed.wait_for(lambda: self.gone or number in self.answers, self.point.options.patience)
            return self.answers.pop(number, None)

    def _ask_all(self):
        point = self.point
        try:
            while not self.gone:
                answer = self.call("BootNotification", point.boot())
                if answer and answer.get("status") == "Accepted":
                    break
                self._pause(point.options.period)
            # It was without power.
            if point.session is not None:
                self._end("PowerLoss")
            self._tell_status()
            while not self.gone:
                if point.session is None and point.wants_session and point.available:
                    self._begin()
                self._do_triggered()
                self.call("MeterValues", point.meter_values())
                self._pause(point.options.period)
        except Ended:
            pass

    def _tell_status(self):
        for connector in (0, 1):
            status = "Available" if connector == 0 and self.point.available else self.point.status()
            self.call("StatusNotification", {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": stamp()})

    def _begin(self):
        point = self.point
        if not self._may_charge(self.call("Authorize", {"idTag": TAG})):
            return
        answer = self.call("StartTransaction", {
            "connectorId": 1, "idTag": TAG, "meterStart": int(point.watt_hours), "timestamp": stamp()})
        if self._may_charge(answer) and isinstance(answer.get("transactionId"), int):
            point.session = answer["transactionId"]
            self._tell_status()

    @staticmethod
    def _may_charge(answer):
        return bool(answer) and isinstance(answer.get("idTagInfo"), dict) and answer["idTagInfo"].get("status") == "Accepted"

    def _end(self, reason):
        point = self.point
        self.call("StopTransaction", {
            "transactionId": point.session, "meterStop": int(point.watt_hours), "timestamp": stamp(), "reason": reason})
        point.session = None

    def _do_triggered(self):
        while self.triggered and not self.gone:
            what = self.triggered.pop(0)
            if what == "BootNotification":
                self.call(what, self.point.boot())
            elif what == "Heartbeat":
                self.call(what, {})
            elif what == "StatusNotification":
                self._tell_status()
            elif what == "stop" and self.point.session is not None:
                self.point.wants_session = False
                self._end("Remote")
                self._tell_status()

    def _pause(self, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.gone or self.triggered, seconds)

    def trigger(self, what):
        with self.changed:
            self.triggered.append(what)
            self.changed.notify_all()

    # What comes

    def _take(self, text):
        try:
            message = json.loads(text)
        except ValueError:
            return
        if not isinstance(message, list) or len(message) < 3 or not isinstance(message[1], str):
            return
        if message[0] == 2 and len(message) == 4 and isinstance(message[2], str) and isinstance(message[3], dict):
            handler = getattr(self, "on_" + message[2], None)
            if handler is None:
                self.socket.send(json.dumps([4, message[1], "NotImplemented", f"no {message[2]} here", {}]))
            else:
                self.socket.send(json.dumps([3, message[1], handler(message[3])]))
        elif message[0] in (3, 4):
            with self.changed:
                self.answers[message[1]] = message[2] if message[0] == 3 and isinstance(message[2], dict) else {}
                self.changed.notify_all()

    def on_GetConfiguration(self, payload):
        known, keys = self.point.settings, payload.get("key") or list(self.point.settings)
        return {"configurationKey": [{"key": key, "readonly": False, "value": known[key]} for key in keys if key in known],
                "unknownKey": [key for key in keys if key not in known]}

    def on_ChangeConfiguration(self, payload):
        self.point.settings[payload.get("key", "")] = payload.get("value", "")
        return {"status": "Accepted"}

    def on_TriggerMessage(self, payload):
        wanted = payload.get("requestedMessage")
        if wanted not in ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"):
            return {"status": "NotImplemented"}
        self.trigger(wanted)
        return {"status": "Accepted"}

    def on_RemoteStartTransaction(self, payload):
        if self.point.session is not None or not self.point.available:
            return {"status": "Rejected"}
        self.point.wants_session = True
        self.trigger("start")
        return {"status": "Accepted"}

    def on_RemoteStopTransaction(self, payload):
        if payload.get("transactionId") != self.point.session:
            return {"status": "Rejected"}
        self.trigger("stop")
        return {"status": "Accepted"}

    def on_ChangeAvailability(self, payload):
        self.point.available = payload.get("type") == "Operative"
        self.trigger("StatusNotification")
        return {"status": "Accepted"}

    def on_SetChargingProfile(self, payload):
        return {"status": "Accepted" if self.point.profiles.add(payload) else "Rejected"}

    def on_ClearChargingProfile(self, payload):
        return {"status": "Accepted" if self.point.profiles.clear(payload) else "Unknown"}

    def on_GetCompositeSchedule(self, payload):
        unit = payload.get("chargingRateUnit", "A")
        limit = self.point.profiles.amperes(self.point.session) * (1 if unit == "A" else VOLTAGE * PHASES)
        return {"status": "Accepted", "connectorId": payload.get("connectorId", 0), "scheduleStart": stamp(), "chargingSchedule": {
            "chargingRateUnit": unit, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": round(limit, 1)}]}}

    def on_GetLocalListVersion(self, payload):
        return {"listVersion": self.point.list_version}

    def on_SendLocalList(self, payload):
        if payload.get("updateType") == "Full":
            self.point.tags = {}
        for entry in payload.get("localAuthorizationList", []):
            self.point.tags[entry["idTag"]] = entry.get("idTagInfo")
        self.point.list_version = payload.get("listVersion", 0)
        return {"status": "Accepted"}

    def on_UnlockConnector(self, payload):
        return {"status": "Unlocked"}

    def on_Reset(self, payload):
        self.trigger("BootNotification")
        return {"status": "Accepted"}

    def on_ClearCache(self, payload):
        return {"status": "Accepted"}

    def on_DataTransfer(self, payload):
        return {"status": "UnknownVendorId"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--period", type=float, default=0.1, help="seconds between two sets of meter values")
    parser.add_argument("--patience", type=float, default=0.5, help="seconds that an answer may take")
    parser.add_argument("--pause", type=float, default=0.05, help="seconds to the next try to connect")
    parser.add_argument("--loneliness", type=float, default=30, help="seconds without anybody to connect to, after which it ends")
    parser.add_argument("url")
    options = parser.parse_args()
    point = ChargePoint(options)
    last = time.monotonic()
    # Whoever started it may have been killed, and nobody else would end it.
    while time.monotonic() - last < options.loneliness:
        try:
            socket = WebSocket(options.url, "ocpp1.6")
        except Ended as problem:
            print(problem, file=sys.stderr)
        else:
            Conversation(point, socket).run()
            last = time.monotonic()
        time.sleep(options.pause)


if __name__ == "__main__":
    main()
