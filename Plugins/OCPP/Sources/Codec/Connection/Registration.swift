// SPDX-License-Identifier: Apache-2.0

/// Whether a charger may take part (1.6 section 4.2; 2.0.1 part 2, B01 to B03).
package struct Registration: Equatable, Sendable {
  package enum Status: String, Sendable {
    case accepted = "Accepted"
    case pending = "Pending"
    case rejected = "Rejected"
  }

  /// What an operator decided; a boot is answered with it.
  package var policy: Status
  /// Seconds: between heartbeats, or to the next boot where it is not accepted.
  package var heartbeatInterval: Int64
  package var retryInterval: Int64
  /// What the charger was told last; nil where it has not booted since we know it.
  package private(set) var status: Status?
  /// Requests that we asked for while pending: the charger may send each of them once.
  private var triggered: Set<String> = []

  package init(policy: Status = .accepted, heartbeatInterval: Int64 = 300, retryInterval: Int64 = 60, status: Status? = nil) {
    self.policy = policy
    self.heartbeatInterval = heartbeatInterval
    self.retryInterval = retryInterval
    self.status = status
  }

  package mutating func boot() -> (status: Status, interval: Int64) {
    status = policy
    return (policy, policy == .accepted ? heartbeatInterval : retryInterval)
  }

  package mutating func trigger(_ action: String) { triggered.insert(action) }

  /// A charger that was accepted before and only connects anew does not boot again. One that we do not know at all is told to
  /// (see `mustBoot`), and served meanwhile where it would be accepted.
  package mutating func allows(_ action: String) -> Bool {
    if action == "BootNotification" { return true }
    if (status ?? policy) == .accepted { return true }
    if status == .rejected { return false }
    return triggered.remove(action) != nil
  }

  package var mustBoot: Bool { status == nil || status != policy && status != .rejected }

  /// A charger that is held as pending is not told to begin or end a transaction (1.6 section 4.2; 2.0.1 part 2, B02.FR.05).
  package func mayCall(_ action: String) -> Bool { (status ?? policy) == .accepted || !Self.transacting.contains(action) }

  private static let transacting: Set<String> = [
    "RemoteStartTransaction", "RemoteStopTransaction", "RequestStartTransaction", "RequestStopTransaction",
  ]

  /// While rejected nothing is sent (1.6 section 4.2.1).
  package var mayCall: Bool { (status ?? policy) != .rejected }
}
