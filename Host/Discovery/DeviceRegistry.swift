// SPDX-License-Identifier: Apache-2.0

package import BusbarBuffer
package import BusbarModel
internal import Synchronization

/// A device that was put into service by approval or through the API, beside those of the file.
package struct RegisteredDevice: Sendable, Equatable {
  package var id: DeviceID
  /// As an entry of `devices` in the configuration.
  package var entry: JSONValue
  /// What it told when it was added; empty where it told none. By it the device is found at another address.
  package var serial: String
  /// Unix milliseconds.
  package var added: Int64

  package init(id: DeviceID, entry: JSONValue, serial: String, added: Int64) {
    self.id = id
    self.entry = entry
    self.serial = serial
    self.added = added
  }

  package init?(stored json: JSONValue) {
    guard let entry = json["device"], let id = entry["id"]?.string.flatMap(DeviceID.init(rawValue:)),
      let added = json["added"]?.integer
    else { return nil }
    self.init(id: id, entry: entry, serial: json["serial"]?.string ?? "", added: added)
  }

  var stored: JSONValue { ["device": entry, "serial": .string(serial), "added": .integer(added)] }
}

/// The registry in the state database: on disk before a device goes into service.
package final class DeviceRegistry: Sendable {
  package static let capacity = 16_384
  private static let scope = "registry"

  private let store: KeyValueStore
  private let devices: Mutex<[DeviceID: RegisteredDevice]>
  /// By listener: who connects by itself.
  private let visitors = Mutex<[String: Int]>([:])

  package init(database: StateDatabase) throws {
    store = KeyValueStore(database: database, keys: Self.capacity)
    let known = try store.all(Self.scope)
    let devices = Self.read(known)
    self.devices = Mutex(devices)
    for device in devices.values { count(device, 1) }
  }

  /// How many of a listener's devices are in the registry.
  package func count(of listener: String) -> Int { visitors.withLock { $0[listener] ?? 0 } }

  private func count(_ device: RegisteredDevice?, _ change: Int) {
    guard let endpoint = device?.entry["endpoint"]?.string, VisitorName.isEndpoint(endpoint) else { return }
    let name = String(endpoint.dropFirst(VisitorName.scheme.count).prefix { $0 != "/" })
    visitors.withLock { $0[name, default: 0] += change }
  }

  /// What is in the registry of a host that may be running; nothing where there is no database yet.
  package static func peek(directory: String) throws -> [RegisteredDevice] {
    read(try KeyValueStore.peek(directory: directory, scope: scope)).values.sorted { $0.id < $1.id }
  }

  private static func read(_ entries: [(key: String, value: [UInt8])]) -> [DeviceID: RegisteredDevice] {
    let list = entries.compactMap { (try? JSONValue(parsing: $0.value)).flatMap(RegisteredDevice.init(stored:)) }
    return Dictionary(list.map { ($0.id, $0) }) { first, _ in first }
  }

  package var all: [RegisteredDevice] { devices.withLock { $0.values.sorted { $0.id < $1.id } } }

  package subscript(_ id: DeviceID) -> RegisteredDevice? { devices.withLock { $0[id] } }

  /// Puts the device in, or in the place of the one with its id. Throws a sentence where the disk refuses or it is full.
  package func set(_ device: RegisteredDevice) throws(OnboardingRefusal) {
    do {
      try store.set(Self.scope, device.id.rawValue, Array(device.stored.text.utf8))
    } catch {
      throw OnboardingRefusal(.failed, "the registry could not be written: \(error)")
    }
    count(devices.withLock { $0.updateValue(device, forKey: device.id) }, -1)
    count(device, 1)
  }

  package func remove(_ id: DeviceID) throws(OnboardingRefusal) {
    do {
      try store.remove(Self.scope, id.rawValue)
    } catch {
      throw OnboardingRefusal(.failed, "the registry could not be written: \(error)")
    }
    count(devices.withLock { $0.removeValue(forKey: id) }, -1)
  }
}
