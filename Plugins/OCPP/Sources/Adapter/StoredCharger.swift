// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON
internal import PluginKit

/// What a conversation stored before the host was started: its keys are "charger", "book" and "session.N" of each connector
/// (SessionBook), and "identity" of ours.
enum StoredCharger {
  static func read(_ link: Link, _ call: borrowing Call) -> [String: JSON] {
    var stored: [String: JSON] = [:]
    func read(_ key: String, _ call: borrowing Call) {
      if let bytes = link.stored(key, call), let json = try? JSON(parsing: bytes) { stored[key] = json }
    }
    read("identity", call)
    read("charger", call)
    read("book", call)
    guard stored["book"] != nil else { return stored }
    let connectors = Int(truncatingIfNeeded: min(max(stored["charger"]?["connectors"]?.integer ?? 1, 1), Int64(Connectors.most)))
    for connector in 0...connectors { read("session.\(connector)", call) }
    return stored
  }
}

extension ChargerIdentity {
  var json: JSON {
    [
      "vendor": .string(vendor), "model": .string(model), "serial": .string(serial), "firmware": .string(firmware),
      "meter": .string(meter),
    ]
  }

  init(_ json: JSON) {
    self.init()
    vendor = json["vendor"]?.string ?? ""
    model = json["model"]?.string ?? ""
    serial = json["serial"]?.string ?? ""
    firmware = json["firmware"]?.string ?? ""
    meter = json["meter"]?.string ?? ""
  }
}
