// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem

/// Tells once when a certificate comes near its end and once when it is there.
package struct ExpiryWatch: Sendable {
  package enum State: Sendable, Equatable {
    case good
    case expiring, expired
  }

  /// Seconds before its end from which on a certificate is expiring: 30 days.
  package static let notice: Int64 = 30 * 86400

  private var states: [String: State] = [:]

  package init() {}

  package static func state(until notAfter: Int64, now: Int64) -> State {
    if now >= notAfter { return .expired }
    return now >= notAfter - notice ? .expiring : .good
  }

  /// What to tell about the certificate of this name; nil where nothing has changed since the last time.
  package mutating func note(_ name: String, until notAfter: Int64, now: Int64) -> (state: State, text: String)? {
    let state = Self.state(until: notAfter, now: now)
    let before = states.updateValue(state, forKey: name) ?? .good
    guard state != before else { return nil }
    return (state, Self.text(name, state, notAfter))
  }

  /// A sentence for people.
  package static func text(_ name: String, _ state: State, _ notAfter: Int64) -> String {
    switch state {
    case .good: "\(name) is good until \(UTCDate.text(notAfter))"
    case .expiring: "\(name) expires on \(UTCDate.text(notAfter)): have it renewed"
    case .expired: "\(name) expired on \(UTCDate.text(notAfter)): those who check it refuse this host"
    }
  }
}
