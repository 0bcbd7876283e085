# SPDX-License-Identifier: Apache-2.0
"""Charging profiles of OCPP 1.6 (section 3.13) as a charge point with one connector keeps them."""

import calendar
import time

WATTS_PER_AMPERE = 690.0


def unix(text):
    """Of a stamp in UTC, as central systems write them."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{rest or 0}")


class Profiles:
    def __init__(self, most):
        self.most, self.all = most, {}

    def add(self, payload):
        """False where it is no profile that can be kept."""
        profile = payload.get("csChargingProfiles")
        try:
            number, schedule = profile["chargingProfileId"], profile["chargingSchedule"]
            if not schedule["chargingSchedulePeriod"] or schedule["chargingRateUnit"] not in ("A", "W"):
                return False
        except (KeyError, TypeError):
            return False
        # The same purpose and level is a newer version of it (section 5.16.1).
        same = (profile.get("chargingProfilePurpose"), profile.get("stackLevel"))
        self.all = {key: old for key, old in self.all.items() if (old.get("chargingProfilePurpose"), old.get("stackLevel")) != same}
        self.all[number] = profile
        return True

    def clear(self, payload):
        wanted = {"id": "chargingProfileId", "chargingProfilePurpose": "chargingProfilePurpose", "stackLevel": "stackLevel"}
        gone = [number for number, profile in self.all.items()
                if all(payload[key] == profile.get(name) for key, name in wanted.items() if key in payload)]
        for number in gone:
            del self.all[number]
        return bool(gone)

    def amperes(self, session):
        """What is in force: of each purpose the highest level, of the purposes the least."""
        best = {}
        for profile in self.all.values():
            purpose, limit = profile["chargingProfilePurpose"], self._limit(profile)
            if limit is None or purpose == "TxProfile" and profile.get("transactionId") not in (None, session):
                continue
            if purpose not in best or best[purpose][0] < profile["stackLevel"]:
                best[purpose] = (profile["stackLevel"], limit)
        if "TxProfile" in best:
            best.pop("TxDefaultProfile", None)
        return min([self.most] + [limit for _, limit in best.values()])

    @staticmethod
    def _limit(profile):
        schedule, now = profile["chargingSchedule"], time.time()
        start = unix(schedule["startSchedule"]) if "startSchedule" in schedule else now
        if "validTo" in profile and unix(profile["validTo"]) < now:
            return None
        if now < start or "duration" in schedule and now > start + schedule["duration"]:
            return None
        begun = [period for period in schedule["chargingSchedulePeriod"] if period["startPeriod"] <= now - start]
        if not begun:
            return None
        limit = max(begun, key=lambda period: period["startPeriod"])["limit"]
        return limit if schedule["chargingRateUnit"] == "A" else limit / WATTS_PER_AMPERE
