// SPDX-License-Identifier: Apache-2.0

/// Takes server-sent events apart (HTML standard, 9.2.6), as far as the host sends them: LF or CRLF line ends, `data` lines,
/// comments; the name of an event is in its data.
package struct EventStreamParser: Sendable {
  /// Bytes of one line, and of the data of one event.
  static let longest = 1 << 20

  package struct TooLong: Error, CustomStringConvertible {
    package var description: String { "an event is longer than \(EventStreamParser.longest) bytes" }
  }

  private var line: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false

  package init() {}

  /// The data of the events that these bytes complete.
  package mutating func add(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [String] {
    var events: [String] = []
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        if let event = endLine() { events.append(event) }
        line.removeAll(keepingCapacity: true)
        guard data.count <= Self.longest else { throw TooLong() }
      } else {
        guard line.count < Self.longest else { throw TooLong() }
        line.append(byte)
      }
    }
    return events
  }

  private mutating func endLine() -> String? {
    if line.isEmpty {
      guard hasData else { return nil }
      defer {
        data.removeAll(keepingCapacity: true)
        hasData = false
      }
      return String(decoding: data, as: UTF8.self)
    }
    let field = line.prefix { $0 != UInt8(ascii: ":") }
    guard field.elementsEqual("data".utf8) else { return nil }
    var value = line.dropFirst(field.count + 1)
    if value.first == UInt8(ascii: " ") { value.removeFirst() }
    if hasData { data.append(UInt8(ascii: "\n")) }
    data.append(contentsOf: value)
    hasData = true
    return nil
  }
}
