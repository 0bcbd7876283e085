// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a trace, and in which line.
package struct TraceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// From 1; 0 = the trace as a whole.
  package var line: Int
  package var text: String

  package var description: String { line > 0 ? "line \(line): \(text)" : text }
}

/// Reads a trace that anybody may have written: bounded in all its sizes, and exact in what it takes.
package enum TraceReader {
  package static func read(_ bytes: some Collection<UInt8>) throws(TraceError) -> Trace {
    guard bytes.count <= Trace.fileLimit else {
      throw TraceError(line: 0, text: "the trace has more than \(Trace.fileLimit >> 20) MiB")
    }
    var head: Trace.Head?
    var frames: [Trace.Frame] = []
    var number = 0
    for raw in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      guard raw.count <= Trace.lineLimit else {
        throw TraceError(line: number, text: "longer than \(Trace.lineLimit) bytes")
      }
      let words = try words(raw, number)
      guard !words.isEmpty else { continue }
      if head == nil {
        head = try self.head(words, number)
      } else {
        guard frames.count < Trace.framesLimit else {
          throw TraceError(line: number, text: "more than \(Trace.framesLimit) frames")
        }
        frames.append(try frame(words, after: frames.last?.time ?? 0, number))
      }
    }
    guard let head else {
      throw TraceError(line: 0, text: "it is empty; a trace begins with the line \"busbar-trace \(Trace.version)\"")
    }
    return Trace(head: head, frames: frames)
  }

  /// The frame of one line; nil for blank lines, comments and the head.
  package static func frame(_ line: String) throws(TraceError) -> Trace.Frame? {
    let words = try words(Array(line.utf8), 1)
    guard let first = words.first, first != "busbar-trace" else { return nil }
    return try frame(words, after: 0, 1)
  }

  /// The words of a line up to a comment.
  private static func words(_ raw: some Collection<UInt8>, _ number: Int) throws(TraceError) -> [Substring] {
    let line = raw.prefix { $0 != UInt8(ascii: "#") }
    let isText = line.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x09 || $0 == 0x0D }
    guard isText else { throw TraceError(line: number, text: "a character that is not ASCII text") }
    return String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\r\n" }
  }

  private static func head(_ words: [Substring], _ number: Int) throws(TraceError) -> Trace.Head {
    guard words[0] == "busbar-trace", words.count > 1 else {
      throw TraceError(line: number, text: "a trace begins with the line \"busbar-trace \(Trace.version)\"")
    }
    guard words[1] == "\(Trace.version)" else {
      throw TraceError(
        line: number, text: "a trace of version \(words[1].prefix(16)); this program reads version \(Trace.version)")
    }
    var head = Trace.Head()
    for word in words.dropFirst(2) {
      guard let equals = word.firstIndex(of: "=") else {
        throw TraceError(line: number, text: "\"\(word.prefix(40))\" in the first line; expected KEY=VALUE")
      }
      let value = try decoded(word[word.index(after: equals)...], number)
      switch word[..<equals] {
      case "link": head.link = value
      case "device": head.device = value
      case "adapter": head.adapter = value
      case "endpoint": head.endpoint = value
      case "framing": head.framing = value
      case "start":
        guard let start = Int64(value), start >= 0 else {
          throw TraceError(line: number, text: "start is \"\(value.prefix(40))\"; expected Unix milliseconds")
        }
        head.start = start
      // A later version may tell more.
      default: break
      }
    }
    return head
  }

  private static func frame(
    _ words: [Substring], after last: Int64, _ number: Int
  ) throws(TraceError) -> Trace.Frame {
    var words = words[...]
    var time = last
    if let first = words.first, first.utf8.first.map({ (0x30...0x39).contains($0) }) ?? false {
      time = try self.time(first, number)
      words = words.dropFirst()
    }
    var device: String?
    if let mark = words.last, mark.hasPrefix("@"), words.count > 1 {
      device = try decoded(mark.dropFirst(), number)
      words = words.dropLast()
    }
    guard let kind = words.popFirst() else { throw TraceError(line: number, text: "a time and nothing after it") }
    switch kind {
    case ">": return Trace.Frame(time: time, .sent(try bytes(words, number)), device: device)
    case "<": return Trace.Frame(time: time, .received(try bytes(words, number)), device: device)
    case "!": return Trace.Frame(time: time, .event(try event(words, number)), device: device)
    default:
      throw TraceError(line: number, text: "\"\(kind.prefix(40))\"; expected > (sent), < (received) or ! (event)")
    }
  }

  /// Milliseconds with up to six decimals, at most a year.
  private static func time(_ word: Substring, _ number: Int) throws(TraceError) -> Int64 {
    let parts = word.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = parts.count > 1 ? parts[1] : ""
    let isNumber = (parts[0] + fraction).utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isNumber, (1...11).contains(parts[0].utf8.count), fraction.utf8.count <= 6, parts.count == 1 || !fraction.isEmpty,
      let whole = Int64(parts[0]),
      let rest = Int64(fraction + String(repeating: "0", count: 6 - fraction.utf8.count)),
      whole <= 366 * 86_400_000
    else {
      throw TraceError(line: number, text: "\"\(word.prefix(40))\" is no time; expected milliseconds such as 12.345")
    }
    return whole * 1_000_000 + rest
  }

  private static func bytes(_ words: ArraySlice<Substring>, _ number: Int) throws(TraceError) -> [UInt8] {
    var bytes: [UInt8] = []
    for word in words {
      var high: UInt8?
      for digit in word.utf8 {
        let value: UInt8
        switch digit {
        case 0x30...0x39: value = digit - 0x30
        case 0x41...0x46: value = digit - 0x41 + 10
        case 0x61...0x66: value = digit - 0x61 + 10
        default: throw TraceError(line: number, text: "\"\(word.prefix(40))\" is not hexadecimal")
        }
        if let first = high {
          bytes.append(first << 4 | value)
          high = nil
        } else {
          high = value
        }
      }
      if high != nil { throw TraceError(line: number, text: "\"\(word.prefix(40))\" ends in the middle of a byte") }
    }
    guard bytes.count <= TraceRing.frameLimit else {
      throw TraceError(line: number, text: "a frame of more than \(TraceRing.frameLimit) bytes")
    }
    guard !bytes.isEmpty else { throw TraceError(line: number, text: "a frame without bytes") }
    return bytes
  }

  private static func event(_ words: ArraySlice<Substring>, _ number: Int) throws(TraceError) -> TraceEvent {
    let list = Array(words)
    let isNumber = list.count == 2 && list[1].utf8.count <= 9 && list[1].utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard list.count == 1 || isNumber,
      let event = TraceEvent(word: list[0], number: list.count == 2 ? Int(list[1]) : nil)
    else {
      let text = words.joined(separator: " ").prefix(40)
      throw TraceError(
        line: number,
        text: "the event \"\(text)\"; known are \(TraceEvent.words.joined(separator: ", ")), the last three with a number")
    }
    return event
  }

  private static func decoded(_ word: Substring, _ number: Int) throws(TraceError) -> String {
    var bytes: [UInt8] = []
    var rest = Array(word.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard digits.utf8.count == 2, digits.first != "+", let value = UInt8(digits, radix: 16) else {
        throw TraceError(line: number, text: "\"%\" without two hexadecimal digits")
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
