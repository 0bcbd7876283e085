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
    /// One for each point that had any; in their order, and found by it: a dictionary would be the largest part of this.
    var latest: [Latest] = []
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
  /// By the point's name.
  package var latest: [String: Latest] {
    let all = state.withLock { $0.latest }
    return Dictionary(all.map { ($0.item.point.name, $0) }) { _, last in last }
  }
  /// How many points have had a value or a reason for having none, and those that have none now.
  var latestCount: (all: Int, missing: [Reading.Item]) {
    state.withLock { state in (state.latest.count, state.latest.filter { $0.item.value == nil }.map(\.item)) }
  }
  package var samples: Int { state.withLock { $0.samples } }
  package var actions: [String] { state.withLock { $0.actions } }
  package var known: Bool { state.withLock { $0.known } }
  package var activeProblems: [String] { state.withLock { $0.activeProblems } }

  func pointID(_ name: String) -> UInt32? { state.withLock { $0.points.first { $0.point.name == name }?.id } }

  /// Keeps the values of a reading as the latest ones; of one that the device had kept only where no newer ones are known.
  func remember(_ items: [Reading.Item], time: Int64, isQueued: Bool = false) {
    state.withLock { state in
      state.polled += items
      state.samples += items.count
      var guess = 0
      for item in items {
        let latest = Latest(item: item, time: time)
        let fits = guess < state.latest.count && state.latest[guess].item.point.name == item.point.name
        let place = fits ? guess : state.latest.firstIndex { $0.item.point.name == item.point.name }
        if let place {
          if !isQueued || state.latest[place].time <= time { state.latest[place] = latest }
        } else {
          state.latest.append(latest)
        }
        guess = (place ?? state.latest.count - 1) + 1
      }
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
