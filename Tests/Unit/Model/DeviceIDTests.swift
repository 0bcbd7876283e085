// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Testing

struct DeviceIDTests {
  @Test(
    arguments: [
      (.solar, "SMA", "3001234567", "sol_sma_3001234567"),
      (.solar, "SMA Solar Technology AG", "3001234567", "sol_sma_3001234567"),
      (.battery, "BYD", "B-Box/01", "bat_byd_b-box-01"),
      (.evcharger, "KEBA Energy Automation GmbH", "A1B2", "evc_keba_a1b2"),
      (.heatpump, "STIEBEL ELTRON", "12.34 56", "hp_stiebel_12-34-56"),
      (.meter, "Carlo Gavazzi", "x", "met_gavazzi_x"),
      (.load, "go-e GmbH", "00:1A:2B:3C:4D:5E", "lod_goe_00-1a-2b-3c-4d-5e"),
      (.battery, "sonnenBatterie GmbH", "7", "bat_sonnen_7"),
      // Vendors that are not listed keep their first word; their beginning is no other vendor.
      (.meter, "Smartfox GmbH", "1", "met_smartfox_1"),
      (.meter, "Ablerex", "1", "met_ablerex_1"),
      (.meter, "Able Systems", "1", "met_able_1"),
      (.meter, "", "1", "met_unknown_1"),
      (.meter, "  ", "1", "met_unknown_1"),
      // One character, one dash.
      (.heatpump, "Wärme+", "Ä1 😀", "hp_w-rme-_-1--"),
      (.load, "x/../#", "a+#b", "lod_x-----_a--b"),
    ] as [(DeviceKind, String, String, String)])
  func isMadeOfKindVendorAndSerial(kind: DeviceKind, vendor: String, serial: String, id: String) {
    #expect(DeviceID.derived(kind: kind, vendor: vendor, serial: serial)?.rawValue == id)
  }

  @Test func withoutASerialThereIsNone() {
    #expect(DeviceID.derived(kind: .solar, vendor: "SMA", serial: "") == nil)
  }

  @Test(arguments: [54, 55, 56, 57, 200, 4000])
  func longIdsAreCutWithAHash(length: Int) throws {
    let serial = String(repeating: "9", count: length)
    let id = try #require(DeviceID.derived(kind: .solar, vendor: "SMA", serial: serial)).rawValue
    let full = "sol_sma_" + serial
    if full.count <= 64 {
      #expect(id == full)
    } else {
      #expect(id.count == 64)
      #expect(id.hasPrefix(full.prefix(55)))
      #expect(id.dropFirst(56).allSatisfy { "0123456789abcdef".contains($0) })
    }
  }

  /// The hash is of the whole id: serial numbers that differ only at their end stay apart.
  @Test func cutIdsStayApart() {
    let ids = (0..<500).map {
      DeviceID.derived(kind: .meter, vendor: "X", serial: String(repeating: "0", count: 80) + "\($0)")
    }
    #expect(!ids.contains(nil))
    #expect(Set(ids).count == 500)
  }

  /// FNV-1a, 32 bit: 811c9dc5 offset, 01000193 prime. Computed with Python, so that no release changes ids by accident.
  @Test func theHashIsTheSameForEver() {
    let id = DeviceID.derived(kind: .solar, vendor: "SMA", serial: String(repeating: "a", count: 100))
    #expect(id?.rawValue == "sol_sma_" + String(repeating: "a", count: 47) + "-fa64bb3e")
  }

  @Test(arguments: ["", "a b", "a/b", "a+", "#", "ä", "a\u{0}", String(repeating: "x", count: 65)])
  func refusesWhatCannotStandInATopic(text: String) {
    #expect(DeviceID(rawValue: text) == nil)
  }

  @Test(arguments: ["a", "A-z_09", String(repeating: "x", count: 64)])
  func takesConfiguredIdsAsTheyAre(text: String) {
    #expect(DeviceID(rawValue: text)?.rawValue == text)
  }
}

struct PointTests {
  @Test(arguments: [
    "power_limit", "current_limit", "power_limit_percent", "max_charge_power", "max_discharge_power",
    "current_limit_c1",
    "power_limit_c12", "current_limit_l2",
  ])
  func limitsAreCombinedByTheStrictest(name: String) {
    #expect(PointDescriptor(name: name).isLimit)
  }

  @Test(arguments: [
    "power", "power_setpoint", "mode", "soc_min", "enabled", "limit", "maximum", "power_limit_state", "my_power_limit",
    "on", "level",
  ])
  func othersGoByPriority(name: String) {
    #expect(!PointDescriptor(name: name).isLimit)
  }

  @Test(
    arguments: [
      ("power_l1", "power"), ("power_l4", "power_l4"), ("dc_voltage_s12", "dc_voltage"),
      ("current_limit_c1", "current_limit"), ("current_l1_c2", "current"), ("power_l4_c2", "power_l4"), ("voltage_l1_l2", "voltage"),
      ("power", "power"), ("power_", "power_"), ("power_l", "power_l"), ("power_lx", "power_lx"), ("", ""), ("_l1", ""),
    ])
  func phasesStringsAndConnectorsHaveABase(name: String, base: String) {
    #expect(PointNames.base(of: name) == base)
  }
}
