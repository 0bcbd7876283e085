// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

@Suite struct MeterTests {
  private func sample(_ text: String) throws -> MeterSample? { MeterSample(try JSON(parsing: Array(text.utf8))) }

  private func reading(_ samples: String...) throws -> MeterReading { MeterReading(try samples.compactMap { try sample($0) }) }

  private func close(_ value: Double?, _ expected: Double) -> Bool { value.map { abs($0 - expected) < 1e-6 } ?? false }

  @Test func defaultsOfTheStandard() throws {
    let found = try #require(try sample(#"{"value":"12.5"}"#))
    #expect(found == MeterSample(value: 12.5))
    #expect(found.measurand == "Energy.Active.Import.Register" && found.location == "Outlet" && found.context == "Sample.Periodic")
    #expect(Quantity(found)?.name == "energy_total" && Quantity(found)?.unit == "Wh")
  }

  @Test(arguments: [
    ("Power.Active.Import", "kW", "11.2", "power", 11200), ("Power.Active.Import", "W", "11200", "power", 11200),
    ("Power.Active.Export", "kW", "3", "power", -3000), ("Energy.Active.Import.Register", "kWh", "12.345", "energy_total", 12345),
    ("Energy.Active.Export.Register", "Wh", "7", "energy_export", 7),
    ("Energy.Reactive.Import.Register", "kvarh", "1.5", "reactive_energy_import", 1500),
    ("Energy.Reactive.Export.Interval", "varh", "5", "reactive_energy_export_interval", 5),
    ("Energy.Active.Import.Interval", "Wh", "5", "energy_interval", 5), ("Power.Reactive.Import", "kvar", "0.5", "reactive_power", 500),
    ("Power.Reactive.Export", "var", "5", "reactive_power", -5), ("Current.Import", "A", "16", "current", 16),
    ("Current.Export", "A", "6", "current", -6), ("Current.Offered", "A", "32", "current_offered", 32),
    ("Power.Offered", "kW", "22", "power_offered", 22000), ("Power.Factor", "", "0.98", "power_factor", 0.98),
    ("Voltage", "V", "230.1", "voltage", 230.1), ("Frequency", "Hertz", "49.98", "frequency", 49.98),
    ("SoC", "Percent", "63", "soc", 63), ("Temperature", "Celcius", "41", "temperature", 41),
    ("Temperature", "Fahrenheit", "212", "temperature", 100), ("Temperature", "K", "273.15", "temperature", 0),
    ("RPM", "", "1200", "fan_speed", 1200), ("Power.Active.Import", "kVA", "2", "power", 2000), ("Voltage", "kV", "0.4", "voltage", 400),
    ("Current.Import", "mA", "1500", "current", 1.5),
  ] as [(String, String, String, String, Double)])
  func measurandsAndUnits(_ measurand: String, _ unit: String, _ value: String, _ name: String, _ expected: Double) throws {
    let unit = unit.isEmpty ? "" : #","unit":"\#(unit)""#
    let quantity = try #require(
      try sample(#"{"value":"\#(value)","measurand":"\#(measurand)"\#(unit)}"#).flatMap { Quantity($0) })
    #expect(quantity.name == name)
    #expect(close(quantity.value, expected), "\(quantity.value)")
  }

  @Test func everyMeasurandOfTheTables() {
    for version in OCPPVersion.allCases {
      let names = Catalogue.of(version).enumerations.first { $0.name.hasPrefix("Measurand") }?.values ?? []
      #expect(names.count >= 22)
      for name in names {
        var sample = MeterSample(value: 1)
        sample.measurand = name
        // Apparent energy has no unit in interfaces 5; allowance for it would need VAh.
        #expect((Quantity(sample) != nil) == !name.hasPrefix("Energy.Apparent"), "\(name)")
      }
    }
  }

  @Test func phases() throws {
    let found = try reading(
      #"{"value":"10","measurand":"Current.Import","phase":"L1"}"#, #"{"value":"11","measurand":"Current.Import","phase":"L2"}"#,
      #"{"value":"12","measurand":"Current.Import","phase":"L3"}"#, #"{"value":"1","measurand":"Current.Import","phase":"N"}"#,
      #"{"value":"230","measurand":"Voltage","phase":"L1-N"}"#, #"{"value":"231","measurand":"Voltage","phase":"L2-N"}"#,
      #"{"value":"232","measurand":"Voltage","phase":"L3-N"}"#, #"{"value":"400","measurand":"Voltage","phase":"L1-L2"}"#)
    #expect(found["current_l1"] == 10 && found["current_n"] == 1 && found["voltage_l2"] == 231 && found["voltage_l1_l2"] == 400)
    // No power was said: it follows from the others, and is marked.
    #expect(close(found["power"], 2300 + 11 * 231 + 12 * 232))
    #expect(found.values.first { $0.name == "power" }?.isEstimated == true)
  }

  @Test func sumsOfPhases() throws {
    let found = try reading(
      #"{"value":"1","measurand":"Power.Active.Import","phase":"L1","unit":"kW"}"#,
      #"{"value":"2","measurand":"Power.Active.Import","phase":"L2","unit":"kW"}"#,
      #"{"value":"100","phase":"L1"}"#, #"{"value":"200","phase":"L2"}"#, #"{"value":"300","phase":"L3"}"#)
    #expect(found["power"] == 3000 && found["power_l1"] == 1000)
    #expect(found.register == 600)
    let total = try reading(#"{"value":"700"}"#, #"{"value":"100","phase":"L1"}"#)
    #expect(total.register == 700)
  }

  @Test func placesAndDirections() throws {
    let places = try reading(
      #"{"value":"5","measurand":"Power.Active.Import","location":"Inlet"}"#, #"{"value":"4","measurand":"Power.Active.Import","location":"Outlet"}"#,
      #"{"value":"40","measurand":"Temperature","location":"Body"}"#, #"{"value":"60","measurand":"Temperature","location":"Cable"}"#)
    #expect(places["power"] == 4 && places["temperature"] == 40 && places["temperature_cable"] == 60)
    let back = try reading(#"{"value":"0","measurand":"Power.Active.Import"}"#, #"{"value":"3000","measurand":"Power.Active.Export"}"#)
    #expect(back["power"] == -3000)
  }

  @Test(arguments: [
    #"{"value":"AJ4b","format":"SignedData"}"#, #"{"value":"NaN"}"#, #"{"value":"inf"}"#, #"{"value":"0x10"}"#, #"{"value":""}"#,
    #"{"value":"1e300"}"#, #"{"value":"12 kWh"}"#, #"{}"#, #"{"value":[1]}"#, #"{"value":"1,2,3"}"#,
    #"{"value":1,"unitOfMeasure":{"multiplier":99}}"#,
  ])
  func noNumbers(_ text: String) throws {
    #expect(try sample(text) == nil)
  }

  @Test func numbersOf201AndCommas() throws {
    #expect(try sample(#"{"value":1.5,"unitOfMeasure":{"unit":"Wh","multiplier":3}}"#)?.value == 1500)
    #expect(try sample(#"{"value":1500,"unitOfMeasure":{"unit":"kWh","multiplier":-3}}"#).flatMap { Quantity($0) }?.value == 1500)
    #expect(try sample(#"{"value":" 12,5 "}"#)?.value == 12.5)
    #expect(try sample(#"{"value":12.5,"signedMeterValue":{"signedMeterData":"x"}}"#)?.value == 12.5)
  }

  @Test func foreignUnits() throws {
    #expect(try reading(#"{"value":"5","measurand":"Power.Active.Import","unit":"Celsius"}"#).values.isEmpty)
    #expect(try reading(#"{"value":"5","measurand":"Vendor.Thing"}"#, #"{"value":"5","phase":"L9"}"#).values.isEmpty)
  }

  @Test func setsInOrder() throws {
    let json = try JSON(
      parsing: Array(
        #"[{"timestamp":"2026-11-22T12:00:10Z","sampledValue":[{"value":"2"}]},{"timestamp":"2026-11-22T12:00:00Z","sampledValue":[{"value":"1"}]},{"timestamp":"x","sampledValue":[]}]"#
          .utf8))
    #expect(MeterSet.list(json).map { $0.samples[0].value } == [1, 2])
  }
}
