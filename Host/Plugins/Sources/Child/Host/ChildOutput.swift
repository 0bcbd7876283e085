// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Logging
internal import Synchronization

/// What a child writes to its standard output and error: a few lines for the log, and the last one as the reason of a
/// crash. It goes through a pipe that never makes the child wait and never more than a little of the host's time.
final class ChildOutput: Sendable {
  private static let lineLimit = 512

  private let descriptor: Descriptor
  private let logger: Logger
  private let limit = LogLimit()
  private let state = Mutex(State())

  private struct State {
    var line: [UInt8] = []
    var last = ""
    var ended = false
  }

  init(_ descriptor: Descriptor, _ logger: Logger) {
    self.descriptor = descriptor
    self.logger = logger
  }

  var number: Int32 { state.withLock { $0.ended } ? -1 : descriptor.number }
  var interest: Poll.Interest { .read }
  var last: String { state.withLock { $0.last } }

  /// What is there now, 64 KiB at most.
  func read() {
    var bytes: [UInt8] = []
    while bytes.count < 65_536 {
      switch descriptor.read(into: &bytes, upTo: 16_384) {
      case .bytes: continue
      case .wouldBlock: break
      case .closed, .failed: state.withLock { $0.ended = true }
      }
      break
    }
    for byte in bytes { if byte == UInt8(ascii: "\n") { endLine() } else { take(byte) } }
  }

  private func take(_ byte: UInt8) { state.withLock { if $0.line.count < Self.lineLimit { $0.line.append(byte) } } }

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
