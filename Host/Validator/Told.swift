// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import Synchronization

/// What a link told.
final class Told: AdapterEvents {
  private struct State {
    var points: [(id: UInt32, point: PointDescriptor)] = []
    var values: [String: Value] = [:]
    var bad: [String: BadReason] = [:]
    var identities = 0
    /// How often each point has had a value.
    var tellings: [String: Int] = [:]
    /// A message of the far end is being handed over.
    var isHearing = false
    var heard: [String: Value] = [:]
  }

  private let state = Mutex(State())

  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)]) {
    state.withLock { state in
      for point in points {
        state.points.removeAll { $0.id == point.id }
        state.points.append(point)
      }
    }
  }

  func identified(_ device: UInt32, _ identity: DeviceIdentity) { state.withLock { $0.identities += 1 } }

  func samples(_ device: UInt32, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool) {
    state.withLock { state in
      for item in items {
        switch item.quality {
        case .good, .uncertain:
          state.values[item.point.name] = item.value
          state.tellings[item.point.name, default: 0] += 1
          if state.isHearing { state.heard[item.point.name] = item.value }
        case .bad(let reason): state.bad[item.point.name] = reason
        }
      }
    }
  }

  func problem(_ device: UInt32, name: String, active: Bool, text: String) {}

  func forgetPoints() {
    state.withLock { state in
      state.points = []
      state.tellings = [:]
    }
  }

  func forget() {
    state.withLock { state in
      state.values = [:]
      state.bad = [:]
      state.heard = [:]
    }
  }

  /// From now on what comes is told because of a message of the far end, or is not.
  func hears(_ isHearing: Bool) { state.withLock { $0.isHearing = isHearing } }

  var points: [(id: UInt32, point: PointDescriptor)] { state.withLock { $0.points } }
  /// Those that hosts ask for.
  var readable: [(id: UInt32, point: PointDescriptor)] { points.filter { $0.point.readable } }
  /// Since the last poll began: good and uncertain values.
  var values: [String: Value] { state.withLock { $0.values } }
  var bad: [String: BadReason] { state.withLock { $0.bad } }
  /// Of the values, those that a message brought.
  var heard: [String: Value] { state.withLock { $0.heard } }
  /// Points that had a value more than once: a value comes again.
  var recurring: Set<String> { state.withLock { Set($0.tellings.filter { $0.value > 1 }.keys) } }

  /// Everything that comes again has come since the last poll began, and something has.
  var isComplete: Bool {
    state.withLock { state in
      !state.values.isEmpty && !state.tellings.contains { $0.value > 1 && state.values[$0.key] == nil && state.bad[$0.key] == nil }
    }
  }
}

final class MemoryStore: PluginStore {
  private let values = Mutex<[String: [UInt8]]>([:])
  func get(_ key: String) -> [UInt8]? { values.withLock { $0[key] } }
  func set(_ key: String, to value: [UInt8]) throws { values.withLock { $0[key] = value.isEmpty ? nil : value } }
}
