// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// A device that a search found: a candidate until a person puts it into service.
package struct FoundDevice: Sendable, Equatable {
  package var adapter: String
  /// Nil: something answers, and no template knows it.
  package var template: String?
  /// Further templates that fit as well.
  package var others: [String]
  /// Nil without a template.
  package var kind: DeviceKind?
  /// As in a device's entry of the configuration.
  package var endpoint: String
  package var config: JSONValue
  package var vendor: String
  package var model: String
  package var serial: String
  package var firmware: String
  /// Above 0 to 1.
  package var confidence: Double
  /// Unix milliseconds.
  package var firstSeen: Int64
  package var lastSeen: Int64

  package init(
    adapter: String, template: String?, others: [String] = [], kind: DeviceKind?, endpoint: String, config: JSONValue,
    vendor: String = "", model: String = "", serial: String = "", firmware: String = "", confidence: Double,
    firstSeen: Int64, lastSeen: Int64
  ) {
    self.adapter = adapter
    self.template = template
    self.others = others
    self.kind = kind
    self.endpoint = endpoint
    self.config = config
    self.vendor = vendor
    self.model = model
    self.serial = serial
    self.firmware = firmware
    self.confidence = confidence
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
  }

  /// The serial number, which a device takes along to another address; where it tells none, the address. Several kinds of
  /// device may have one serial number: an inverter and the battery behind it.
  package var key: String {
    let place = serial.isEmpty ? "\(endpoint) \(config.text)" : "\(Vendor.shortName(of: vendor)) \(serial)"
    return "\(adapter) \(kind?.rawValue ?? "") \(place)"
  }

  /// What a person names it by: the same for the same key.
  package var id: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return "c-" + (String(repeating: "0", count: 16 - digits.count) + digits).suffix(10)
  }

  package var suggestedID: DeviceID? {
    kind.flatMap { DeviceID.derived(kind: $0, vendor: vendor, serial: serial) }
  }
}

extension FoundDevice {
  /// As it is stored and shown, without what it means for this host.
  package var members: [String: JSONValue] {
    func text(_ text: String) -> JSONValue { text.isEmpty ? .null : .string(text) }
    return [
      "candidate": .string(id), "adapter": .string(adapter), "template": template.map { .string($0) } ?? .null,
      "templates": .array(others.map { .string($0) }), "type": kind.map { .string($0.rawValue) } ?? .null,
      "endpoint": .string(endpoint), "config": config, "vendor": text(vendor), "model": text(model),
      "serial": text(serial), "firmware": text(firmware), "confidence": .number((confidence * 100).rounded() / 100),
      "suggested_id": suggestedID.map { .string($0.rawValue) } ?? .null, "first_seen": .integer(firstSeen),
      "last_seen": .integer(lastSeen),
    ]
  }

  /// Nil where it is none.
  package init?(stored json: JSONValue) {
    guard let adapter = json["adapter"]?.string, let endpoint = json["endpoint"]?.string, let config = json["config"],
      let confidence = json["confidence"]?.number, let first = json["first_seen"]?.integer,
      let last = json["last_seen"]?.integer
    else { return nil }
    self.init(
      adapter: adapter, template: json["template"]?.string,
      others: (json["templates"]?.array ?? []).compactMap(\.string),
      kind: json["type"]?.string.flatMap(DeviceKind.init(rawValue:)), endpoint: endpoint, config: config,
      vendor: json["vendor"]?.string ?? "", model: json["model"]?.string ?? "", serial: json["serial"]?.string ?? "",
      firmware: json["firmware"]?.string ?? "", confidence: confidence, firstSeen: first, lastSeen: last)
  }
}
