// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
package import BusbarPlugins
internal import Synchronization

/// What links ask of the rest of the host for their plugins. Called on threads of plugins: nothing may block but `record`.
package protocol LinkHost: Sendable {
  /// Whether a tag may charge at a device; answered once, from any thread.
  func ask(device: DeviceID, tag: String, kind: String, answer: @escaping @Sendable (TagAnswer) -> Void)
  /// The local list of tags (authorize.h).
  func tags() -> [UInt8]
  /// On disk when it returns; else a sentence.
  func record(device: DeviceID, kind: String, document: [UInt8]) -> String?
  /// Nil = taken; nil value = released. Else a sentence.
  func request(link: String, device: String, point: String, value: Double?, valid: Int64) -> String?
}

/// Nobody is there to ask.
package struct NoLinkHost: LinkHost {
  package init() {}
  package func ask(device: DeviceID, tag: String, kind: String, answer: @escaping @Sendable (TagAnswer) -> Void) { answer(.undecided) }
  package func tags() -> [UInt8] { NoServices().tags() }
  package func record(device: DeviceID, kind: String, document: [UInt8]) -> String? { "this host keeps no records" }
  package func request(link: String, device: String, point: String, value: Double?, valid: Int64) -> String? {
    "nobody granted \(link) anything"
  }
}

/// The devices of a link by their numbers.
final class DeviceTable: Sendable {
  private let devices = Mutex<[UInt32: DeviceMemory]>([:])

  subscript(_ device: UInt32) -> DeviceMemory? {
    get { devices.withLock { $0[device] } }
    set { devices.withLock { $0[device] = newValue } }
  }
}

/// A link's way to the host: numbers of the plugin become ids.
struct HostDesk: LinkDesk {
  let link: String
  let devices: DeviceTable
  let host: any LinkHost

  func ask(device: UInt32, tag: String, kind: String, answer: @escaping @Sendable (TagAnswer) -> Void) {
    guard let id = devices[device]?.id else { return answer(.undecided) }
    host.ask(device: id, tag: tag, kind: kind, answer: answer)
  }

  func tags() -> [UInt8] { host.tags() }

  func record(device: UInt32, kind: String, document: [UInt8]) -> String? {
    guard let id = devices[device]?.id else { return "the device has no id yet" }
    return host.record(device: id, kind: kind, document: document)
  }

  func request(device: String, point: String, value: Double?, valid: Int64) -> String? {
    host.request(link: link, device: device, point: point, value: value, valid: valid)
  }
}
