// SPDX-License-Identifier: Apache-2.0

/// Why a point has no value (interfaces 3.1).
package enum BadReason: String, Sendable, Codable, CaseIterable {
  case comm, timeout, device, range, decode, stale
}

/// How far a value can be trusted.
package enum Quality: Hashable, Sendable {
  case good
  /// Good enough to show, not to bill.
  case uncertain
  case bad(BadReason)
}
