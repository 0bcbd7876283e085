// SPDX-License-Identifier: Apache-2.0

/// Writes a trace line by line; no line has its end yet.
package enum TraceWriter {
  package static func head(_ head: Trace.Head) -> String {
    var line = "busbar-trace \(Trace.version)"
    let start = head.start.map { String($0) }
    for (key, value) in [
      ("link", head.link), ("device", head.device), ("adapter", head.adapter), ("endpoint", head.endpoint),
      ("framing", head.framing), ("start", start),
    ] {
      if let value { line += " \(key)=\(encoded(value))" }
    }
    return line
  }

  package static func line(_ frame: Trace.Frame) -> String {
    var line = milliseconds(frame.time)
    switch frame.content {
    case .sent(let bytes): line += " > " + hex(bytes)
    case .received(let bytes): line += " < " + hex(bytes)
    case .event(let event):
      line += " ! " + event.word
      if let number = event.number { line += " \(number)" }
    }
    if let device = frame.device { line += " @\(encoded(device))" }
    if case .event(.failed(let text)) = frame.content, !text.isEmpty { line += " # " + harmless(text) }
    return line
  }

  package static func text(_ trace: Trace) -> String {
    ([head(trace.head)] + trace.frames.map(line)).joined(separator: "\n") + "\n"
  }

  /// `1234.567`.
  private static func milliseconds(_ nanoseconds: Int64) -> String {
    let time = max(0, nanoseconds) / 1_000
    return "\(time / 1_000).\(String(time % 1_000 + 1_000).dropFirst())"
  }

  package static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Blanks, control characters, `#`, `%` and what is not ASCII as `%XX`.
  private static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8.prefix(512) {
      let isPlain = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") && byte != UInt8(ascii: "%")
      result += isPlain ? String(UnicodeScalar(byte)) : "%" + hex([byte])
    }
    return result
  }

  /// A sentence as a comment: one line, nothing that a terminal would act on.
  private static func harmless(_ text: String) -> String {
    String(text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? " " : Character($0) })
  }
}
