// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import BusbarTransports

/// Answers as a device did in a trace, byte for byte, for adapters that play no traces themselves: the same question gets the
/// answers that it got, in their order; a question that is not in the trace gets none.
struct TracePlayer: Sendable {
  private struct Exchange {
    var sent: [UInt8]
    var received: [[UInt8]] = []
  }

  /// Bytes of a question that is not complete, at most.
  private static let limit = 65_536

  private let exchanges: [Exchange]

  /// `documents` as of simulate.h; nil where they hold no trace with a question.
  init?(documents: String) {
    let list = try? JSONValue(parsing: Array(documents.utf8), depth: 64).array
    guard let frames = list?.first?["trace"]?["frames"]?.array else { return nil }
    var exchanges: [Exchange] = []
    for frame in frames {
      if let sent = frame["sent"]?.string {
        exchanges.append(Exchange(sent: Self.bytes(sent)))
      } else if let received = frame["received"]?.string, !exchanges.isEmpty {
        exchanges[exchanges.count - 1].received.append(Self.bytes(received))
      }
    }
    exchanges.removeAll { $0.sent.isEmpty }
    guard !exchanges.isEmpty else { return nil }
    self.exchanges = exchanges
  }

  func serve(_ connection: Descriptor, stop: CallSignal) {
    var question: [UInt8] = []
    var next = 0
    while !stop.isSet {
      _ = Poll.wait([(connection.number, .read), (stop.descriptor, .read)], until: nil)
      guard case .bytes = connection.read(into: &question, upTo: 4_096), question.count <= Self.limit else { return }
      while let place = place(of: question, from: next) {
        question.removeFirst(exchanges[place].sent.count)
        next = place + 1
        for answer in exchanges[place].received where !send(answer, to: connection) { return }
      }
      if !exchanges.contains(where: { $0.sent.starts(with: question) }) { question = [] }
    }
  }

  /// The next exchange that begins so, from the start again where there is none behind the last one.
  private func place(of question: [UInt8], from next: Int) -> Int? {
    (Array(next..<exchanges.count) + Array(0..<next)).first { question.starts(with: exchanges[$0].sent) }
  }

  private func send(_ bytes: [UInt8], to connection: Descriptor) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch connection.write(rest) {
      case .bytes(let count): rest = rest.dropFirst(count)
      case .wouldBlock: _ = Poll.wait([(connection.number, .write)], until: later(.seconds(10)))
      case .closed, .failed: return false
      }
    }
    return true
  }

  private static func bytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue.map(UInt8.init) }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
