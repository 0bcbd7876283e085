// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import Synchronization

/// Takes what a link's plugin tells during its calls. Values go upward at once, on the plugin's thread; the guard looks
/// at the rest when the call has ended.
final class LinkEvents: AdapterEvents {
  private let observer: any LinkObserver
  private let binding: any IdentityBinding
  let frames = LinkTrace()
  var trace: LinkTrace? { frames }
  private let devices = Mutex<[UInt32: DeviceMemory]>([:])

  init(observer: any LinkObserver, binding: any IdentityBinding) {
    self.observer = observer
    self.binding = binding
  }

  subscript(_ device: UInt32) -> DeviceMemory? {
    get { devices.withLock { $0[device] } }
    set { devices.withLock { $0[device] = newValue } }
  }

  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)]) {
    self[device]?.with { state in
      if state.renumbered { state.points = [] }
      state.renumbered = false
      for (id, point) in points {
        if let index = state.points.firstIndex(where: { $0.id == id || $0.point.name == point.name }) {
          state.points[index] = (id, point)
        } else {
          state.points.append((id, point))
        }
      }
      state.infoChanged = true
    }
  }

  func identified(_ device: UInt32, _ identity: DeviceIdentity) {
    guard let memory = self[device] else { return }
    let plan = memory.plan
    let derived = memory.with { state in
      func merge(_ new: String, _ old: inout String) {
        guard !new.isEmpty, new != old else { return }
        old = new
        state.infoChanged = true
      }
      merge(identity.vendor, &state.identity.vendor)
      merge(identity.model, &state.identity.model)
      merge(identity.serial, &state.identity.serial)
      merge(identity.firmware, &state.identity.firmware)
      let serial = state.identity.serial
      // An id that a person gave stays; one that was made belongs to the serial number, not to the address.
      guard plan.id == nil, !serial.isEmpty, state.id?.names(serial: serial) != true else { return nil as DeviceID? }
      let vendor = state.identity.vendor.isEmpty ? plan.vendor ?? "" : state.identity.vendor
      return DeviceID.derived(kind: plan.kind, vendor: vendor, serial: serial)
    }
    guard let derived, derived != memory.id else { return }
    // The database is asked outside of the lock.
    let bound = binding.bind(derived, toKey: plan.key)
    let former = memory.with { state in
      defer {
        state.id = bound
        state.infoChanged = true
        state.latest = [:]
      }
      return state.id
    }
    guard let former else { return }
    let quality = LinkQuality(success: 0, p50_ms: 0, p95_ms: 0, errors: [:], reconnects: 0)
    observer.status(
      DeviceStatus(
        device: former, state: .offline, reason: "\(bound) answers at its address now", since: Clock.unixMilliseconds(),
        quality: quality, alarms: []))
  }

  func samples(_ device: UInt32, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool) {
    guard let memory = self[device] else { return }
    memory.remember(items, time: time)
    guard let id = memory.id, !items.isEmpty else { return }
    observer.reading(Reading(device: id, time: time, deviceTime: deviceTime, items: items, durable: durable))
  }

  func problem(_ device: UInt32, name: String, active: Bool, text: String) {
    guard let memory = self[device] else { return }
    let changed = memory.with { state in
      // Without an id nobody can be told, now or that it is over.
      guard state.id != nil, state.activeProblems.contains(name) != active else { return false }
      if active { state.activeProblems.append(name) } else { state.activeProblems.removeAll { $0 == name } }
      return true
    }
    guard changed, let id = memory.id else { return }
    observer.alarm(Alarm(device: id, name: name, active: active, text: text, time: Clock.unix()))
  }
}
