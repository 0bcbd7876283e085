# SPDX-License-Identifier: Apache-2.0
"""What a charge point answers to the host: the part of `charger.Charger` that is asked."""

import time
from datetime import datetime, timezone

import ocpp.exceptions


def stamp(seconds=None):
    return datetime.fromtimestamp(time.time() if seconds is None else seconds, timezone.utc).isoformat().replace("+00:00", "Z")


class Answers:
    """Needs of the whole: `answers` that a test gives instead, by action, `version`, `connectors`, `settings`, `profiles`, `tags`, and
    `boot`, `status`, `start` and `stop`."""

    def answer(self, action, payload):
        """The answer, and what to do after it."""
        if action in self.answers:
            return self.answers[action](payload), None
        handler = getattr(self, f"on_{action}", None)
        if handler is None:
            raise ocpp.exceptions.NotImplementedError(details={})
        made = handler(payload)
        return made if isinstance(made, tuple) else (made, None)

    def on_GetConfiguration(self, payload):
        keys = payload.get("key") or list(self.settings)
        return {"configurationKey": [{"key": key, "readonly": False, "value": self.settings[key]} for key in keys if key in self.settings],
                "unknownKey": [key for key in keys if key not in self.settings]}  # fmt: skip

    def on_ChangeConfiguration(self, payload):
        self.settings[payload["key"]] = payload["value"]
        return {"status": "Accepted"}

    def on_GetVariables(self, payload):
        known = {"HeartbeatInterval": "300", "RateUnit": "A,W", "PeriodsPerSchedule": "8", "ProfileStackLevel": "4", "ItemsPerMessage": "50"}
        return {"getVariableResult": [
            {"component": item["component"], "variable": item["variable"]}
            | ({"attributeStatus": "Accepted", "attributeValue": known[item["variable"]["name"]]} if item["variable"]["name"] in known
               else {"attributeStatus": "UnknownVariable"})
            for item in payload["getVariableData"]]}  # fmt: skip

    def on_SetVariables(self, payload):
        for item in payload["setVariableData"]:
            self.settings[item["variable"]["name"]] = item["attributeValue"]
        return {"setVariableResult": [{"component": item["component"], "variable": item["variable"], "attributeStatus": "Accepted"}
                                      for item in payload["setVariableData"]]}  # fmt: skip

    def on_TriggerMessage(self, payload):
        wanted = payload["requestedMessage"]
        if wanted == "StatusNotification":
            return {"status": "Accepted"}, lambda: [self.status(number) for number in self.connectors]
        if wanted == "BootNotification":
            return {"status": "Accepted"}, self.boot
        return {"status": "NotImplemented"}

    def on_GetLocalListVersion(self, payload):
        return {"listVersion" if self.version == "ocpp1.6" else "versionNumber": self.list_version}

    def on_SendLocalList(self, payload):
        if payload["updateType"] == "Full":
            self.tags = {}
        for entry in payload.get("localAuthorizationList", []):
            tag = entry["idTag"] if "idTag" in entry else entry["idToken"]["idToken"]
            info = entry.get("idTagInfo") or entry.get("idTokenInfo")
            if info:
                self.tags[tag] = info["status"]
            else:
                self.tags.pop(tag, None)
        self.list_version = payload.get("listVersion", payload.get("versionNumber"))
        return {"status": "Accepted"}

    def on_SetChargingProfile(self, payload):
        profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
        self.profiles[profile.get("chargingProfileId", profile.get("id"))] = profile
        return {"status": "Accepted"}

    def on_ClearChargingProfile(self, payload):
        found = self.profiles.pop(payload.get("id", payload.get("chargingProfileId")), None)
        return {"status": "Accepted" if found else "Unknown"}

    def limit_now(self):
        """(unit, value) of the strictest profile."""
        limits = []
        for profile in self.profiles.values():
            schedule = profile["chargingSchedule"]
            schedule = schedule[0] if isinstance(schedule, list) else schedule
            began = datetime.fromisoformat(schedule["startSchedule"].replace("Z", "+00:00")).timestamp()
            periods = [p for p in schedule["chargingSchedulePeriod"] if p["startPeriod"] <= time.time() - began]
            limits.append((schedule["chargingRateUnit"], periods[-1]["limit"]))
        return min(limits, key=lambda limit: limit[1]) if limits else ("A", 32)

    def on_GetCompositeSchedule(self, payload):
        unit, value = self.limit_now()
        schedule = {"duration": payload["duration"], "chargingRateUnit": unit, "chargingSchedulePeriod": [{"startPeriod": 0, "limit": value}]}
        if self.version == "ocpp1.6":
            return {"status": "Accepted", "connectorId": payload["connectorId"], "scheduleStart": stamp(), "chargingSchedule": schedule}
        return {"status": "Accepted", "schedule": schedule | {"evseId": payload["evseId"], "scheduleStart": stamp()}}

    def on_ChangeAvailability(self, payload):
        number = payload.get("connectorId") or (payload.get("evse") or {}).get("id") or 0
        word = payload.get("type") or payload["operationalStatus"]
        status = "Available" if word == "Operative" else "Unavailable"
        chosen = [number] if number else list(self.connectors)
        return {"status": "Accepted"}, lambda: [self.status(each, status) for each in chosen]

    def on_RemoteStartTransaction(self, payload):
        number = payload.get("connectorId") or 1
        if self.connectors[number]["transaction"]:
            return {"status": "Rejected"}
        return {"status": "Accepted"}, lambda: self.start(payload["idTag"], number)

    def on_RequestStartTransaction(self, payload):
        number = payload.get("evseId") or 1
        if self.connectors[number]["transaction"]:
            return {"status": "Rejected"}
        return {"status": "Accepted"}, lambda: self.start(payload["idToken"]["idToken"], number)

    def on_RemoteStopTransaction(self, payload):
        for number, connector in self.connectors.items():
            if connector["transaction"] == payload["transactionId"]:
                return {"status": "Accepted"}, lambda number=number: self.stop(number, "Remote")
        return {"status": "Rejected"}

    on_RequestStopTransaction = on_RemoteStopTransaction

    def on_UnlockConnector(self, payload):
        return {"status": "Unlocked"}

    def on_Reset(self, payload):
        return {"status": "Accepted"}
