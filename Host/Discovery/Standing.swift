// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// A device in service, as a search has to know it.
package struct KnownDevice: Sendable, Equatable {
  package var id: DeviceID?
  package var name: String
  package var adapter: String
  package var kind: DeviceKind
  package var endpoint: String
  package var config: JSONValue
  /// What it told, now or before; empty where it is not known.
  package var serial: String
  /// It answers at its address.
  package var answers: Bool
  /// It was added by approval; else it stands in the file.
  package var isRegistered: Bool

  package init(
    id: DeviceID?, name: String, adapter: String, kind: DeviceKind, endpoint: String, config: JSONValue, serial: String,
    answers: Bool, isRegistered: Bool
  ) {
    self.id = id
    self.name = name
    self.adapter = adapter
    self.kind = kind
    self.endpoint = endpoint
    self.config = config
    self.serial = serial
    self.answers = answers
    self.isRegistered = isRegistered
  }
}

/// What a found device means for this host.
package enum Standing: Sendable, Equatable {
  case new
  /// It is in service.
  case known(KnownDevice)
  /// It is in service at another address, where it does not answer.
  case moved(KnownDevice)

  package init(of found: FoundDevice, among known: [KnownDevice]) {
    let alike = known.filter { $0.adapter == found.adapter && (found.kind == nil || $0.kind == found.kind) }
    // The serial number comes before the address: it is the device.
    if !found.serial.isEmpty {
      let same = alike.filter { $0.has(serial: found.serial) }
      if let here = same.first(where: { $0.isAt(found) }) ?? same.first(where: \.answers) {
        self = .known(here)
        return
      }
      if let elsewhere = same.first {
        self = .moved(elsewhere)
        return
      }
    }
    // What connects by itself is known by the name that it comes under, whatever serial number it tells later.
    let comes = VisitorName.isEndpoint(found.endpoint)
    let here = alike.first { $0.isAt(found) && (comes || $0.serial.isEmpty || found.serial.isEmpty) }
    self = here.map { .known($0) } ?? .new
  }

  package var name: String {
    switch self {
    case .new: "new"
    case .known: "known"
    case .moved: "moved"
    }
  }

  package var device: KnownDevice? {
    switch self {
    case .new: nil
    case .known(let device), .moved(let device): device
    }
  }

  /// What a person has to know or do; nil where nothing.
  package func note(_ found: FoundDevice) -> String? {
    switch self {
    case .known(let device) where !device.isAt(found):
      "\(device.label) answers at \(device.endpoint) as well"
    case .moved(let device) where !device.isRegistered:
      "\(device.label) of the configuration does not answer at \(device.endpoint): give it endpoint: \(found.endpoint) and "
        + "config: \(found.config.text) there, and reload"
    case .moved(let device): "\(device.label) moved here from \(device.endpoint)"
    // What connects by itself needs none.
    case .new where found.template == nil && !VisitorName.isEndpoint(found.endpoint): "no template recognises it: name one with --template to approve it"
    case .new, .known: nil
    }
  }
}

extension KnownDevice {
  /// An id that was made of a serial number still names it when the device has not been met since the start.
  func has(serial: String) -> Bool {
    self.serial.isEmpty ? id?.names(serial: serial) ?? false : self.serial == serial
  }

  /// The settings of a device in service may say more than those that a search needs.
  func isAt(_ found: FoundDevice) -> Bool {
    endpoint == found.endpoint
      && (found.config.object ?? [:]).allSatisfy { config[$0.key] == $0.value }
  }

  var label: String { id?.rawValue ?? name }
}
