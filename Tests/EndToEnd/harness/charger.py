# SPDX-License-Identifier: Apache-2.0
"""Charge points on the PyPI package `ocpp`, which checks every message of ours against the published schemas."""

import asyncio
import base64
import concurrent.futures
import json
import threading
import time

import ocpp.v16
import ocpp.v201
import websockets
from ocpp.exceptions import OCPPError
from ocpp.messages import Call, CallResult, MessageType, unpack, validate_payload

from .charger_answers import Answers, stamp

EMPTY = {}


class Refused(Exception):
    """The host answered with CALLERROR."""


class Charger(Answers):
    """One charge point in a thread of its own, with the state that the host can ask for. `requests` are the host's, each
    (action, payload); `violations` what broke a schema."""

    def __init__(self, url, name, version="ocpp1.6", *, connectors=1, password=None, ssl=None, serial=None, power=7360):
        self.url, self.name, self.version, self.power = url, name, version, power
        self.serial = serial or f"SN-{name}"
        self.password, self.ssl = password, ssl
        self.requests, self.violations, self.answers = [], [], {}
        self.connectors = {number: {"status": "Available", "transaction": None, "meter": 1000 * number} for number in range(1, connectors + 1)}
        self.profiles, self.list_version, self.tags = {}, 0, {}
        self.sequence = 0
        self.settings = {"NumberOfConnectors": str(connectors), "HeartbeatInterval": "300",
                         "ChargingScheduleAllowedChargingRateUnit": "Current,Power", "LocalAuthListMaxLength": "500",
                         "SendLocalListMaxLength": "50", "ChargingScheduleMaxPeriods": "8", "AuthorizationKey": ""}  # fmt: skip
        self.changed = threading.Condition()
        self.point = self.socket = None
        self.closed = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    # Connection

    def run(self, work, timeout=60):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    def connect(self, timeout=60):
        self.run(self._connect(), timeout)
        return self

    async def _connect(self):
        headers = {}
        if self.password is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
        self.socket = await websockets.connect(
            f"{self.url}/{self.name}", subprotocols=[self.version], additional_headers=headers, ssl=self.ssl, max_size=1 << 22)
        assert self.socket.subprotocol == self.version, self.socket.subprotocol
        base = ocpp.v16.ChargePoint if self.version == "ocpp1.6" else ocpp.v201.ChargePoint
        self.point = _point(base)(self.name, self.socket, self)
        self.closed = None
        asyncio.ensure_future(self._listen(self.point, self.socket))

    async def _listen(self, point, socket):
        try:
            await point.start()
        except websockets.ConnectionClosed as closed:
            with self.changed:
                self.closed = closed.rcvd.code if closed.rcvd else 1006
                self.changed.notify_all()

    def connect_until(self, timeout=60):
        """Tries again until the host lets it in."""
        end = time.monotonic() + timeout
        while True:
            try:
                return self.connect()
            except (OSError, websockets.InvalidHandshake):
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def drop(self):
        """The line is cut: no closing handshake."""

        async def work():
            self.socket.transport.abort()

        self.run(work())

    def disconnect(self):
        self.run(self.socket.close())

    def wait_closed(self, timeout=60):
        return self.wait(lambda: self.closed, "the end of the connection", timeout)

    def close(self):
        try:
            if self.socket and self.closed is None:
                self.run(self.socket.close(), 10)
        except Exception:  # noqa: BLE001  the host may be gone
            pass
        try:
            self.run(self._end(), 10)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(10)

    async def _end(self):
        """What still waits for an answer is told that there will be none."""
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    # Messages

    def wait(self, condition, what, timeout=60):
        end = time.monotonic() + timeout
        with self.changed:
            while not (found := condition()):
                left = end - time.monotonic()
                assert left > 0, f"waited {timeout} s for {what}; requests: {self.requests[-6:]}"
                self.changed.wait(min(left, 0.5))
            return found

    def request(self, action, timeout=60, *, since=0, wanted=lambda payload: True):
        """The payload of a request of the host."""
        return self.wait(
            lambda: [payload for name, payload in self.requests[since:] if name == action and wanted(payload)], action, timeout)[0]

    def call(self, action, payload=EMPTY, *, identity=None, timeout=60):
        """The host's answer; both are checked."""
        return self.run(self.point.ask(action, payload, identity), timeout)

    def raw(self, text):
        self.run(self.socket.send(text))

    def check(self):
        assert not self.violations, self.violations

    # What a charge point does

    def boot(self):
        if self.version == "ocpp1.6":
            payload = {"chargePointVendor": "Acme", "chargePointModel": "Wall 1", "chargePointSerialNumber": self.serial,
                       "firmwareVersion": "1.2.3"}  # fmt: skip
        else:
            payload = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Wall 2", "serialNumber": self.serial,
                                                                "firmwareVersion": "2.3.4"}}  # fmt: skip
        answer = self.call("BootNotification", payload)
        if answer["status"] == "Accepted":
            for number in self.connectors:
                self.status(number)
        return answer

    def status(self, number, status=None, error="NoError"):
        connector = self.connectors[number]
        connector["status"] = status = status or connector["status"]
        if self.version == "ocpp1.6":
            payload = {"connectorId": number, "errorCode": error, "status": status, "timestamp": stamp()}
        else:
            word = "Occupied" if status in ("Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing") else status
            payload = {"timestamp": stamp(), "connectorStatus": word, "evseId": number, "connectorId": 1}
        return self.call("StatusNotification", payload)

    def authorize(self, tag):
        if self.version == "ocpp1.6":
            return self.call("Authorize", {"idTag": tag})["idTagInfo"]["status"]
        return self.call("Authorize", {"idToken": {"idToken": tag, "type": "ISO14443"}})["idTokenInfo"]["status"]

    def event(self, kind, number, trigger, *, tag=None, values=None, at=None, offline=None, **info):
        """TransactionEvent of 2.0.1."""
        connector = self.connectors[number]
        payload = {"eventType": kind, "timestamp": stamp(at), "triggerReason": trigger, "seqNo": connector["sequence"],
                   "transactionInfo": {"transactionId": connector["transaction"]} | info, "evse": {"id": number, "connectorId": 1}}  # fmt: skip
        connector["sequence"] += 1
        if tag:
            payload["idToken"] = {"idToken": tag, "type": "ISO14443"}
        if values:
            payload["meterValue"] = [values]
        if offline is not None:
            payload["offline"] = offline
        return payload

    def start(self, tag, number=1, *, at=None):
        """A session begins; whether the host lets it."""
        connector = self.connectors[number]
        self.status(number, "Preparing")
        if self.version == "ocpp1.6":
            answer = self.call("StartTransaction", self.start_payload(tag, number, at))
            connector["transaction"] = answer["transactionId"]
            verdict = answer["idTagInfo"]["status"]
        else:
            self.sequence += 1
            connector["transaction"], connector["sequence"] = f"{self.name}-{self.sequence}-{int(time.time())}", 0
            answer = self.call(
                "TransactionEvent",
                self.event("Started", number, "Authorized", tag=tag, at=at, chargingState="EVConnected",
                           values=self.reading(number, "Transaction.Begin", at)))  # fmt: skip
            verdict = answer["idTokenInfo"]["status"]
        connector["tag"] = tag
        if verdict == "Accepted":
            self.charging(number)
        return verdict

    def start_payload(self, tag, number, at=None):
        return {"connectorId": number, "idTag": tag, "meterStart": self.connectors[number]["meter"], "timestamp": stamp(at)}

    def charging(self, number=1):
        if self.version == "ocpp1.6":
            return self.status(number, "Charging")
        self.connectors[number]["status"] = "Charging"
        return self.call(
            "TransactionEvent", self.event("Updated", number, "ChargingStateChanged", chargingState="Charging"))

    def reading(self, number, context="Sample.Periodic", at=None):
        """A MeterValue of the version."""
        text = (lambda value: f"{value}") if self.version == "ocpp1.6" else float
        unit = (lambda name: {"unit": name}) if self.version == "ocpp1.6" else (lambda name: {"unitOfMeasure": {"unit": name}})
        current = round(self.power / 690, 1)
        sampled = [
            {"value": text(self.connectors[number]["meter"]), "measurand": "Energy.Active.Import.Register", "context": context} | unit("Wh"),
            {"value": text(self.power), "measurand": "Power.Active.Import", "context": context} | unit("W"),
            {"value": text(71), "measurand": "SoC", "context": context, "location": "EV"} | unit("Percent"),
        ]
        for phase in ("L1", "L2", "L3"):
            sampled.append({"value": text(current), "measurand": "Current.Import", "phase": phase, "context": context} | unit("A"))
            sampled.append({"value": text(230.4), "measurand": "Voltage", "phase": f"{phase}-N", "context": context} | unit("V"))
        return {"timestamp": stamp(at), "sampledValue": sampled}

    def meter(self, number=1, add=500):
        connector = self.connectors[number]
        connector["meter"] += add
        if self.version == "ocpp1.6":
            return self.call("MeterValues", {"connectorId": number, "transactionId": connector["transaction"],
                                             "meterValue": [self.reading(number)]})  # fmt: skip
        return self.call(
            "TransactionEvent",
            self.event("Updated", number, "MeterValuePeriodic", chargingState="Charging", values=self.reading(number)))

    def stop_payload(self, number=1, reason="Local", at=None):
        connector = self.connectors[number]
        if self.version == "ocpp1.6":
            return {"transactionId": connector["transaction"], "meterStop": connector["meter"], "timestamp": stamp(at), "reason": reason,
                    "idTag": connector["tag"]}  # fmt: skip
        return self.event("Ended", number, "StopAuthorized", stoppedReason=reason, at=at, chargingState="EVConnected",
                          values=self.reading(number, "Transaction.End", at))  # fmt: skip

    def stop(self, number=1, reason="Local"):
        answer = self.call(self.stop_action, self.stop_payload(number, reason))
        self.connectors[number]["transaction"] = None
        self.status(number, "Available")
        return answer

    @property
    def stop_action(self):
        return "StopTransaction" if self.version == "ocpp1.6" else "TransactionEvent"


def _point(base):
    class Point(base):
        def __init__(self, name, connection, charger):
            super().__init__(name, connection, response_timeout=60)
            self.charger = charger

        async def route_message(self, raw):
            """As the library's, but nothing of the host's goes unchecked."""
            charger = self.charger
            try:
                message = unpack(raw)
            except OCPPError as error:
                charger.violations.append(f"{raw[:300]}: {error}")
                return
            if message.message_type_id != MessageType.Call:
                self._response_queue.put_nowait(message)
                return
            try:
                await validate_payload(message, self._ocpp_version)
            except OCPPError as error:
                charger.violations.append(f"{raw[:300]}: {error}")
            try:
                payload, after = charger.answer(message.action, message.payload)
                answer = message.create_call_result(payload)
                await validate_payload(answer, self._ocpp_version)
                await self._send(answer.to_json())
            except OCPPError as error:
                after = None
                await self._send(message.create_call_error(error).to_json())
            with charger.changed:
                charger.requests.append((message.action, message.payload))
                charger.changed.notify_all()
            if after:
                # What the state machine does then calls the host and waits for it.
                threading.Thread(target=_quiet, args=(after,), daemon=True).start()

        async def ask(self, action, payload, identity):
            call = Call(unique_id=identity or str(self._unique_id_generator()), action=action, payload=payload)
            await validate_payload(call, self._ocpp_version)
            async with self._call_lock:
                await self._send(call.to_json())
                answer = await self._get_specific_response(call.unique_id, self._response_timeout)
            if answer.message_type_id == MessageType.CallError:
                raise Refused(f"{answer.error_code}: {answer.error_description}")
            answer.action = action
            try:
                await validate_payload(CallResult(answer.unique_id, answer.payload, action), self._ocpp_version)
            except OCPPError as error:
                self.charger.violations.append(f"answer to {action}: {json.dumps(answer.payload)[:300]}: {error}")
            return answer.payload

    return Point


def _quiet(work):
    try:
        work()
    except (OSError, websockets.ConnectionClosed, asyncio.TimeoutError, TimeoutError, concurrent.futures.CancelledError):
        pass
