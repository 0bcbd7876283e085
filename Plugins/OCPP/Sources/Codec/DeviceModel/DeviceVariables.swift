// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// What a charger says about itself: variables of 2.0.1 (part 2, appendix 3), configuration keys of 1.6 (section 9). Only
/// what the central system acts on is kept; reports go up as they come.
package struct DeviceVariables: Equatable, Sendable {
  package enum Name: String, CaseIterable, Sendable {
    case heartbeatInterval, connectors, rateUnits, mostPeriods, highestLevel, listLength, listMessageLength, itemsPerMessage
    case itemsPerGet, itemsPerSet
  }

  package private(set) var values: [Name: String] = [:]

  package init() {}

  package subscript(_ name: Name) -> String? { values[name] }

  package func number(_ name: Name) -> Int? { values[name].flatMap { Int($0.trimmed) } }

  private static let keys16: [String: Name] = [
    "heartbeatinterval": .heartbeatInterval, "numberofconnectors": .connectors,
    "chargingscheduleallowedchargingrateunit": .rateUnits, "chargingschedulemaxperiods": .mostPeriods,
    "chargeprofilemaxstacklevel": .highestLevel, "localauthlistmaxlength": .listLength, "sendlocallistmaxlength": .listMessageLength,
  ]

  /// What GetConfiguration asks for.
  package static let asked16 = [
    "NumberOfConnectors", "HeartbeatInterval", "ChargingScheduleAllowedChargingRateUnit", "ChargingScheduleMaxPeriods",
    "ChargeProfileMaxStackLevel", "LocalAuthListMaxLength", "SendLocalListMaxLength",
  ]

  package mutating func learn16(key: String, value: String) {
    if let name = Self.keys16[key.cut(to: 50).lowercased()] { values[name] = value.cut(to: 100) }
  }

  private static let variables201: [String: Name] = [
    "ocppcommctrlr.heartbeatinterval": .heartbeatInterval, "smartchargingctrlr.rateunit": .rateUnits,
    "smartchargingctrlr.periodsperschedule": .mostPeriods, "smartchargingctrlr.profilestacklevel": .highestLevel,
    "localauthlistctrlr.entries": .listLength, "localauthlistctrlr.itemspermessage": .listMessageLength,
    "devicedatactrlr.itemspermessage.getvariables": .itemsPerGet, "devicedatactrlr.itemspermessage.setvariables": .itemsPerSet,
  ]

  /// What GetVariables asks for, in messages of at most four: how many a charger takes is not known before. What a limit needs comes
  /// first.
  package static let asked201: [[(component: String, variable: String, instance: String?)]] = [
    [
      ("SmartChargingCtrlr", "RateUnit", nil), ("SmartChargingCtrlr", "PeriodsPerSchedule", nil),
      ("SmartChargingCtrlr", "ProfileStackLevel", nil), ("LocalAuthListCtrlr", "ItemsPerMessage", nil),
    ],
    [
      ("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"), ("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"),
      ("OCPPCommCtrlr", "HeartbeatInterval", nil),
    ],
  ]

  package mutating func learn201(component: String, variable: String, instance: String? = nil, value: String) {
    let key = ([component, variable] + (instance.map { [$0] } ?? [])).joined(separator: ".").cut(to: 120).lowercased()
    if let name = Self.variables201[key] { values[name] = value.cut(to: 100) }
  }

  /// An item of NotifyReport.
  package mutating func learn201(report item: JSON) {
    guard let component = item["component"]?["name"]?.string, let variable = item["variable"]?["name"]?.string else { return }
    for attribute in item["variableAttribute"]?.array ?? [] where attribute["type"]?.string ?? "Actual" == "Actual" {
      if let value = attribute["value"]?.string {
        learn201(component: component, variable: variable, instance: item["variable"]?["instance"]?.string, value: value)
      }
    }
  }

  package var abilities: ProfileAbilities {
    var abilities = ProfileAbilities()
    if let words = values[.rateUnits]?.lowercased() {
      var units: Set<RateUnit> = []
      for word in words.split(whereSeparator: { $0 == "," || $0 == " " }) {
        if word == "a" || word == "current" { units.insert(.ampere) }
        if word == "w" || word == "power" { units.insert(.watt) }
      }
      if !units.isEmpty { abilities.units = units }
    }
    if let periods = number(.mostPeriods), periods > 0 { abilities.mostPeriods = periods }
    if let level = number(.highestLevel), level >= 0 { abilities.highestLevel = level }
    return abilities
  }
}
