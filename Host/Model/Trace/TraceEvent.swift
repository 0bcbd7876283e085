// SPDX-License-Identifier: Apache-2.0

/// What happened on a link beside bytes.
package enum TraceEvent: Sendable, Equatable {
  /// The host opened the connection or line.
  case opened
  /// The far end closed it.
  case closed
  /// The host closed it.
  case released
  /// Nothing, or not enough, came in time.
  case timeout
  /// The call was ended early, for a command or because the host stops.
  case cancelled
  /// Opening or using the connection failed; the sentence is for people.
  case failed(String)
  /// So many bytes that answered no question were thrown away.
  case discarded(Int)
  /// The frame before had so many bytes more than are kept.
  case cut(Int)
  /// So many frames before this are missing: the reader did not keep up.
  case lost(Int)

  /// As it stands in a trace.
  package var word: String {
    switch self {
    case .opened: "opened"
    case .closed: "closed"
    case .released: "released"
    case .timeout: "timeout"
    case .cancelled: "cancelled"
    case .failed: "failed"
    case .discarded: "discarded"
    case .cut: "cut"
    case .lost: "lost"
    }
  }

  package var number: Int? {
    switch self {
    case .discarded(let count), .cut(let count), .lost(let count): count
    default: nil
    }
  }

  package static let words = [
    "opened", "closed", "released", "timeout", "cancelled", "failed", "discarded", "cut", "lost",
  ]

  /// Nil where there is no such word, or a number is missing or one too many.
  package init?(word: some StringProtocol, number: Int?) {
    switch (String(word), number) {
    case ("opened", nil): self = .opened
    case ("closed", nil): self = .closed
    case ("released", nil): self = .released
    case ("timeout", nil): self = .timeout
    case ("cancelled", nil): self = .cancelled
    case ("failed", nil): self = .failed("")
    case ("discarded", let count?): self = .discarded(count)
    case ("cut", let count?): self = .cut(count)
    case ("lost", let count?): self = .lost(count)
    default: return nil
    }
  }
}
