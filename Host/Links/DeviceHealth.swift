// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
package import BusbarPlugins

/// Connection and operation of one device, from the results of its polls (interfaces 3.2).
package struct DeviceHealth: Sendable {
  /// Failures in a row after which a device that was there counts as gone.
  package static let patience = 3
  /// Polls that the quality is computed of.
  private static let window = 100
  /// Polls in a row that took longer than their period, until a person is told; the first one reads everything.
  private static let slowPolls = 3
  /// A poll that takes no longer than this is never called slow, nanoseconds.
  private static let quick: Int64 = 1_000_000_000

  package private(set) var state: DeviceState = .connecting
  package private(set) var reason: String?
  /// Unix milliseconds.
  package private(set) var since: Int64
  package private(set) var failuresInARow = 0
  package private(set) var everAnswered = false
  package private(set) var reconnects = 0
  /// Polls so far, and nanoseconds that they took.
  package private(set) var polls = 0
  package private(set) var pollTime: Int64 = 0
  private var slowInARow = 0
  private var outcomes: [Bool] = []
  private var durations: [Int64] = []
  private var place = 0
  private var errors: [String: Int] = [:]

  package init(now: Int64) { since = now }

  /// A poll that reached the device. `bad` points of `asked` had no value; `period` is how often it was to be read, and
  /// `took` how long it took, nanoseconds. True where the state changed.
  @discardableResult
  package mutating func answered(
    asked: Int, bad: Int, example: String?, took: Int64, period: Int64? = nil, now: Int64
  ) -> Bool {
    record(true, took)
    failuresInARow = 0
    everAnswered = true
    slowInARow = period.map { took > max($0, Self.quick) } ?? false ? slowInARow + 1 : 0
    if bad == 0, slowInARow >= Self.slowPolls, let period {
      let asked = Units.text(.nanoseconds(period))
      return become(.degraded, "the device answers too slowly: a poll takes longer than its period of \(asked)", now)
    }
    guard bad > 0 else { return become(.online, nil, now) }
    return become(.degraded, "\(bad) of \(asked) points have no value\(example.map { " (\($0))" } ?? "")", now)
  }

  /// A poll, or an attempt to open the link, that did not reach the device.
  @discardableResult
  package mutating func failed(_ result: CallResult, took: Int64?, now: Int64) -> Bool {
    if let took { record(false, took) }
    failuresInARow += 1
    let name = Self.errorName(result)
    errors[name, default: 0] += 1
    let text = result.text.isEmpty ? Self.sentence(result) : result.text
    switch result.failure {
    case .config, .auth, .unsupported: return become(.needsAttention, text, now)
    default:
      let gone = !everAnswered || failuresInARow >= Self.patience
      return become(gone ? .offline : .degraded, text, now)
    }
  }

  @discardableResult
  package mutating func stuck(now: Int64) -> Bool {
    errors["stuck", default: 0] += 1
    return become(.stuck, "the plugin did not return from a call in time; its link is given up until it does", now)
  }

  /// The link is there again: a device that waited for a person, perhaps for a plugin, gets another chance.
  package mutating func linkOpened(now: Int64) {
    if state == .needsAttention { _ = become(.connecting, nil, now) }
  }

  package mutating func reconnected() { reconnects += 1 }

  package var quality: LinkQuality {
    let sorted = durations.sorted()
    func percentile(_ share: Double) -> Double {
      sorted.isEmpty ? 0 : Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1e6
    }
    let good = outcomes.isEmpty ? 0 : Double(outcomes.count { $0 }) / Double(outcomes.count)
    return LinkQuality(
      success: (good * 1000).rounded() / 1000, p50_ms: (percentile(0.5) * 10).rounded() / 10,
      p95_ms: (percentile(0.95) * 10).rounded() / 10, errors: errors, reconnects: reconnects)
  }

  private mutating func record(_ good: Bool, _ took: Int64) {
    polls += 1
    pollTime += took
    if outcomes.count < Self.window {
      outcomes.append(good)
      durations.append(took)
    } else {
      outcomes[place] = good
      durations[place] = took
      place = (place + 1) % Self.window
    }
  }

  /// A new reason alone is a change too: it says what a person can do.
  private mutating func become(_ state: DeviceState, _ reason: String?, _ now: Int64) -> Bool {
    guard state != self.state || reason != self.reason else { return false }
    if state != self.state { since = now }
    self.state = state
    self.reason = reason
    return true
  }

  package static func errorName(_ result: CallResult) -> String {
    switch result.reason {
    case .timeout: "timeout"
    case .closed: "closed"
    case .refused: "refused"
    case .address: "address"
    case .garbled: "garbled"
    case .unspecified, .range, .wear, .other:
      switch result.failure {
      case .config: "config"
      case .auth: "auth"
      case .device: "device"
      case .unsupported: "unsupported"
      case .bug: "bug"
      default: "comm"
      }
    }
  }

  /// Why the points of a failed poll have no value.
  package static func badReason(_ result: CallResult) -> BadReason {
    switch result.reason {
    case .timeout: .timeout
    case .garbled: .decode
    default: result.failure == .device ? .device : .comm
    }
  }

  private static func sentence(_ result: CallResult) -> String {
    switch result.reason {
    case .timeout: "the device did not answer in time"
    case .closed: "the connection was closed"
    case .refused: "the connection was refused"
    case .address: "the address does not exist"
    case .garbled: "the answers make no sense"
    default: "the adapter reports a failure (\(errorName(result)))"
    }
  }
}
