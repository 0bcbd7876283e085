// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// Whose a device is that this host does not know. Hosts that share a broker hear the commands for each other's devices, and
/// a refusal of one of them would contradict the answer of the one whose device it is. Whose it is stands in the retained
/// status (`gateway`), which is asked for once. A value type without I/O; times are nanoseconds of the boot clock.
struct OwnerQuestions {
  /// How long the broker may take to answer a subscription, and then to send what it has retained.
  private static let answerTime: Int64 = 5_000_000_000
  private static let retainedTime: Int64 = 500_000_000
  /// How long another host's device is remembered as that; it may leave.
  private static let memory: Int64 = 600_000_000_000
  private static let mostRemembered = 1_024

  private var deadlines: [DeviceID: Int64] = [:]
  private var others: [DeviceID: Int64] = [:]

  /// When `expired` has to be looked at next.
  var deadline: Int64? { deadlines.values.min() }

  func isAsked(_ device: DeviceID) -> Bool { deadlines[device] != nil }

  func belongsToAnother(_ device: DeviceID, now: Int64) -> Bool { others[device].map { now < $0 } ?? false }

  mutating func asked(_ device: DeviceID, now: Int64) { deadlines[device] = now + Self.answerTime }

  /// The broker took the subscription: what is retained follows at once.
  mutating func subscribed(_ device: DeviceID, now: Int64) {
    guard let old = deadlines[device] else { return }
    deadlines[device] = min(old, now + Self.retainedTime)
  }

  /// Nobody says that it is another's.
  mutating func unowned(_ device: DeviceID) { deadlines[device] = nil }

  mutating func foundElsewhere(_ device: DeviceID, now: Int64) {
    deadlines[device] = nil
    if others.count >= Self.mostRemembered { others = [:] }
    others[device] = now + Self.memory
  }

  func expired(now: Int64) -> [DeviceID] { deadlines.filter { $0.value <= now }.map(\.key) }
}

/// Refusals of commands for unknown devices that wait until it is known whose the device is. There are few at a time: an owner
/// answers, and a device of nobody is somebody's mistake.
struct UnclaimedAnswers: Sendable {
  private static let mostDevices = 64
  private static let mostAnswers = 8

  private(set) var waiting: [DeviceID: [EphemeralMessage]] = [:]

  /// False where there are too many.
  mutating func add(_ device: DeviceID, _ messages: [EphemeralMessage]) -> Bool {
    let known = waiting[device] ?? []
    guard known.count < Self.mostAnswers, !known.isEmpty || waiting.count < Self.mostDevices else { return false }
    waiting[device] = known + messages
    return true
  }

  mutating func take(_ device: DeviceID) -> [EphemeralMessage] { waiting.removeValue(forKey: device) ?? [] }
}
