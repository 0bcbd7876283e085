# SPDX-License-Identifier: Apache-2.0
"""Messages of OCPP from the schemas of the PyPI package `ocpp`."""

import copy
import json
import pathlib
import random
from decimal import Decimal

import ocpp

PACKAGE = pathlib.Path(ocpp.__file__).parent
VERSIONS = {"ocpp1.6": ("v16", ""), "ocpp2.0.1": ("v201", "Request")}
# Requests of the charger; all others are ours.
FROM_CHARGER = {
    "ocpp1.6": {
        "Authorize", "BootNotification", "DataTransfer", "DiagnosticsStatusNotification", "FirmwareStatusNotification",
        "Heartbeat", "LogStatusNotification", "MeterValues", "SecurityEventNotification", "SignCertificate",
        "SignedFirmwareStatusNotification", "StartTransaction", "StatusNotification", "StopTransaction",
    },
    "ocpp2.0.1": {
        "Authorize", "BootNotification", "ClearedChargingLimit", "DataTransfer", "FirmwareStatusNotification",
        "Get15118EVCertificate", "GetCertificateStatus", "Heartbeat", "LogStatusNotification", "MeterValues",
        "NotifyChargingLimit", "NotifyCustomerInformation", "NotifyDisplayMessages", "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule", "NotifyEvent", "NotifyMonitoringReport", "NotifyReport",
        "PublishFirmwareStatusNotification", "ReportChargingProfiles", "ReservationStatusUpdate", "SecurityEventNotification",
        "SignCertificate", "StatusNotification", "TransactionEvent",
    },
}  # fmt: skip
BOTH_WAYS = {"DataTransfer"}


def schemas(version):
    folder, suffix = VERSIONS[version]
    for file in sorted((PACKAGE / folder / "schemas").glob("*.json")):
        name = file.stem
        part = "response" if name.endswith("Response") else "request"
        action = name.removesuffix("Response" if part == "response" else suffix)
        yield action, part, json.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)


class Maker:
    """Documents that a schema allows."""

    def __init__(self, schema, seed):
        self.schema, self.random = schema, random.Random(seed)

    def make(self, schema, all_fields=False):
        if "$ref" in schema:
            return self.make(self.schema["definitions"][schema["$ref"].rsplit("/", 1)[1]], all_fields)
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            required = schema.get("required", [])
            return {
                name: self.make(field, all_fields)
                for name, field in schema.get("properties", {}).items()
                if name in required or all_fields or self.random.random() < 0.4
            }
        if kind == "array":
            least = schema.get("minItems", 0)
            most = min(schema.get("maxItems", least + 3), least + 3)
            return [self.make(schema["items"]) for _ in range(self.random.randint(least, most))]
        if kind == "string":
            if schema.get("format") == "date-time":
                return f"20{self.random.randint(10, 40)}-0{self.random.randint(1, 9)}-11T22:33:44.{self.random.randint(0, 999):03}Z"
            longest = schema.get("maxLength", 40)
            length = self.random.choice([longest, self.random.randint(0, longest)])
            return "".join(self.random.choice('abcXYZ 0189-_.*"\\/\n\u00e9\u4e2d\U0001f50c') for _ in range(length))
        if kind == "integer":
            low, high = int(schema.get("minimum", -(2**31))), int(schema.get("maximum", 2**31))
            return self.random.choice([low, high, self.random.randint(low, high), max(low, min(high, 0))])
        if kind == "number":
            if "multipleOf" in schema:
                return self.random.randint(-10_000, 1_000_000) / Decimal(10)
            return Decimal(self.random.randint(-10**9, 10**9)) / Decimal(10) ** self.random.randint(0, 6)
        if kind == "boolean":
            return self.random.random() < 0.5
        return self.random.choice([None, 1, "text", {"a": [True]}, []])

    def spoil(self, document):
        """One change somewhere; the result may still be allowed."""
        document = copy.deepcopy(document)
        places = [(document, None)]

        def walk(value):
            for key in list(value) if isinstance(value, dict) else range(len(value)):
                places.append((value, key))
                if isinstance(value[key], (dict, list)):
                    walk(value[key])

        walk(document)
        holder, key = self.random.choice(places)
        strange = [None, True, False, 0, 1, -1, 10**12, Decimal("0.05"), Decimal("1.0"), Decimal("12345.67"), "", "x", "x" * 60,
                   "x" * 11_000, "12", "true", "accepted", "Accepted", [], [1], {}, {"a": 1}]  # fmt: skip
        if key is None:
            document["unknown"] = self.random.choice(strange)
        elif isinstance(holder, dict) and self.random.random() < 0.3:
            del holder[key]
        elif isinstance(holder[key], list) and self.random.random() < 0.5:
            holder[key] = [] if self.random.random() < 0.5 else holder[key] * 1100
        elif isinstance(holder[key], dict) and self.random.random() < 0.5:
            holder[key]["unknown"] = 1
        elif isinstance(holder[key], str) and self.random.random() < 0.5:
            holder[key] = self.random.choice([holder[key].lower(), holder[key].upper(), holder[key] + "x", holder[key] * 300])
        else:
            holder[key] = self.random.choice(strange)
        return document
