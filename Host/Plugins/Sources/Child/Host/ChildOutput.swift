// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Logging
internal import Synchronization

/// What a child writes to its standard output and error: a few lines for the log, and the last one as the reason of a
/// crash. It goes through a pipe that never makes the child wait and never more than a little of the host's time.
final class ChildOutput: Sendable {
  private static let lineLimit = 512
  /// Bytes that are read in one go, and nanoseconds until the next one where there may be more. What a child writes
  /// meanwhile and the pipe does not hold is lost to it.
  private static let portion = 65_536
  private static let pauseLength: Int64 = 100_000_000

  private let descriptor: Descriptor
  private let logger: Logger
  private let limit = LogLimit()
  private let state = Mutex(State())

  private struct State {
    var line: [UInt8] = []
    var last = ""
    var ended = false
    /// On the boot clock: nothing is read before it.
    var pausedUntil: Int64?
  }

  init(_ descriptor: Descriptor, _ logger: Logger) {
    self.descriptor = descriptor
    self.logger = logger
  }

  var number: Int32 { state.withLock { $0.ended } ? -1 : descriptor.number }
  /// Until when it is not to be waited for; nil = it is.
  func pause(now: Int64) -> Int64? {
    state.withLock { state in
      if let end = state.pausedUntil, end <= now { state.pausedUntil = nil }
      return state.pausedUntil
    }
  }

  var last: String { state.withLock { $0.last } }

  /// What is there now, a portion at most.
  func read() {
    var bytes: [UInt8] = []
    while bytes.count < Self.portion {
      switch descriptor.read(into: &bytes, upTo: 16_384) {
      case .bytes: continue
      case .wouldBlock: break
      case .closed, .failed: state.withLock { $0.ended = true }
      }
      break
    }
    if bytes.count >= Self.portion {
      state.withLock { $0.pausedUntil = Clock.boot() + Self.pauseLength }
    }
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      take(rest[..<end])
      endLine()
      rest = rest[(end + 1)...]
    }
    take(rest)
  }

  private func take(_ part: ArraySlice<UInt8>) {
    state.withLock { $0.line += part.prefix(Self.lineLimit - $0.line.count) }
  }

  private func endLine() {
    let line = state.withLock { state in
      defer { state.line = [] }
      let text = String(decoding: state.line, as: UTF8.self)
      if !text.isEmpty { state.last = text }
      return text
    }
    guard !line.isEmpty, let dropped = limit.admit(now: Clock.boot()) else { return }
    logger.notice("\(line)\(dropped > 0 ? " (\(dropped) lines before it were dropped)" : "")", metadata: ["from": "stderr"])
  }
}
