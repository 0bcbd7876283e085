// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
internal import Synchronization

/// What is known of a device beside its plan: points, identity, last values. Written by plugin calls, read from anywhere.
package final class DeviceMemory: Sendable {
  package struct Latest: Sendable, Equatable {
    package var item: Reading.Item
    /// Unix nanoseconds.
    package var time: Int64
  }

  struct State {
    var plan: DevicePlan
    var id: DeviceID?
    var identity = DeviceIdentity()
    var actions: [String] = []
    var points: [(id: UInt32, point: PointDescriptor)] = []
    /// The next declaration replaces the points instead of adding to them.
    var renumbered = false
    var latest: [String: Latest] = [:]
    /// What the running poll delivered so far.
    var polled: [Reading.Item] = []
    var activeProblems: [String] = []
    var infoChanged = false
    var known = false
    /// Values and missing values so far.
    var samples = 0
    var judge: DeviceJudge
  }

  private let state: Mutex<State>

  init(_ plan: DevicePlan, id: DeviceID?) {
    // A configured id is told of before the device answers.
    state = Mutex(State(plan: plan, id: id, infoChanged: id != nil, judge: DeviceJudge(kind: plan.kind)))
  }

  func with<Result: Sendable>(_ body: (inout sending State) -> sending Result) -> Result { state.withLock(body) }

  package var plan: DevicePlan { state.withLock { $0.plan } }
  package var id: DeviceID? { state.withLock { $0.id } }
  package var points: [PointDescriptor] { state.withLock { $0.points.map(\.point) } }
  package var latest: [String: Latest] { state.withLock { $0.latest } }
  package var samples: Int { state.withLock { $0.samples } }
  package var actions: [String] { state.withLock { $0.actions } }
  package var known: Bool { state.withLock { $0.known } }
  package var activeProblems: [String] { state.withLock { $0.activeProblems } }

  func pointID(_ name: String) -> UInt32? { state.withLock { $0.points.first { $0.point.name == name }?.id } }

  /// Keeps the values of a reading as the latest ones.
  func remember(_ items: [Reading.Item], time: Int64) {
    state.withLock { state in
      state.polled += items
      state.samples += items.count
      for item in items { state.latest[item.point.name] = Latest(item: item, time: time) }
    }
  }

  func info(adapter: String, link: String) -> DeviceInfo? {
    state.withLock { state in
      guard let id = state.id else { return nil }
      let plan = state.plan
      func told(_ text: String, _ otherwise: String?) -> String? { text.isEmpty ? otherwise : text }
      return DeviceInfo(
        id: id, kind: plan.kind, name: plan.name, adapter: adapter, template: plan.template,
        vendor: told(state.identity.vendor, plan.vendor), model: told(state.identity.model, plan.model),
        serial: told(state.identity.serial, nil), firmware: told(state.identity.firmware, nil), link: link,
        points: state.points.map { entry in
          var point = entry.point
          if point.writable, !plan.writable { point.writable = false }
          return point
        }, actions: plan.writable ? state.actions : [])
    }
  }
}
