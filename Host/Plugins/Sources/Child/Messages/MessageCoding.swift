// SPDX-License-Identifier: Apache-2.0

/// Writes the fields of messages, little-endian, texts and lists after their length.
package struct MessageWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func put(integer value: some FixedWidthInteger & BitwiseCopyable) {
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  package mutating func put(raw: some Collection<UInt8>) { bytes.append(contentsOf: raw) }

  package mutating func put(_ value: some MessageField) { value.write(to: &self) }

  var count: Int { bytes.count }
  var room: Int { bytes.capacity }

  mutating func reserve(_ room: Int) { bytes.reserveCapacity(room) }

  /// What comes after so many bytes goes; the room stays.
  mutating func cut(to count: Int) { bytes.removeLast(bytes.count - count) }

  /// In place of what was put there.
  mutating func set(_ value: UInt32, at place: Int) {
    for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
  }
}

/// What is wrong with a message; it ends the connection.
package struct MessageError: Error, Equatable {
  package var what: String
}

/// Reads the fields of a message. Nothing is believed: every length is checked against what is there.
package struct MessageReader {
  private let bytes: ArraySlice<UInt8>
  private var place: Int

  package init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    place = bytes.startIndex
  }

  package var rest: Int { bytes.endIndex - place }

  package mutating func raw(_ count: Int) throws(MessageError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= rest else { throw MessageError(what: "it ends early") }
    defer { place += count }
    return bytes[place..<place + count]
  }

  package mutating func integer<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type = Number.self
  ) throws(MessageError) -> Number {
    let field = try raw(MemoryLayout<Number>.size)
    return Number(littleEndian: unsafe field.withUnsafeBytes { unsafe $0.loadUnaligned(as: Number.self) })
  }

  package mutating func field<Field: MessageField>(_ type: Field.Type = Field.self) throws(MessageError) -> Field { try Field(from: &self) }

  /// A text of `limit` bytes at most.
  package mutating func text(_ limit: Int) throws(MessageError) -> String {
    let count = Int(try integer(UInt32.self))
    guard count <= limit else { throw MessageError(what: "a text of \(count) bytes, \(limit) are allowed") }
    guard let text = String(validating: try raw(count), as: UTF8.self) else { throw MessageError(what: "a text that is no UTF-8") }
    return text
  }

  /// `limit` bytes at most.
  package mutating func data(_ limit: Int) throws(MessageError) -> [UInt8] {
    let count = Int(try integer(UInt32.self))
    guard count <= limit else { throw MessageError(what: "\(count) bytes, \(limit) are allowed") }
    return Array(try raw(count))
  }

  /// `limit` elements at most.
  package mutating func list<Field: MessageField>(_ limit: Int, of type: Field.Type = Field.self) throws(MessageError) -> [Field] {
    let count = Int(try integer(UInt32.self))
    // Each element takes a byte at least: no room is made for what cannot come.
    guard count <= limit, count <= rest else { throw MessageError(what: "a list of \(count), \(limit) are allowed") }
    var found: [Field] = []
    found.reserveCapacity(count)
    for _ in 0..<count { found.append(try field()) }
    return found
  }
}

/// Something that goes into a message and comes out the same.
package protocol MessageField {
  func write(to message: inout MessageWriter)
  init(from message: inout MessageReader) throws(MessageError)
}

extension String: MessageField {
  /// A longer one is refused by the field that it is for.
  package func write(to message: inout MessageWriter) {
    message.put(UInt32(clamping: utf8.count))
    message.put(raw: utf8)
  }

  package init(from message: inout MessageReader) throws(MessageError) { self = try message.text(1 << 20) }
}

extension UInt8: MessageField {
  package func write(to message: inout MessageWriter) { message.put(integer: self) }
  package init(from message: inout MessageReader) throws(MessageError) { self = try message.integer() }
}

extension UInt16: MessageField {
  package func write(to message: inout MessageWriter) { message.put(integer: self) }
  package init(from message: inout MessageReader) throws(MessageError) { self = try message.integer() }
}

extension UInt64: MessageField {
  package func write(to message: inout MessageWriter) { message.put(integer: self) }
  package init(from message: inout MessageReader) throws(MessageError) { self = try message.integer() }
}

extension UInt32: MessageField {
  package func write(to message: inout MessageWriter) { message.put(integer: self) }
  package init(from message: inout MessageReader) throws(MessageError) { self = try message.integer() }
}

extension Int64: MessageField {
  package func write(to message: inout MessageWriter) { message.put(integer: self) }
  package init(from message: inout MessageReader) throws(MessageError) { self = try message.integer() }
}

extension Double: MessageField {
  package func write(to message: inout MessageWriter) { message.put(bitPattern) }
  package init(from message: inout MessageReader) throws(MessageError) { self.init(bitPattern: try message.integer()) }
}

extension Bool: MessageField {
  package func write(to message: inout MessageWriter) { message.put(UInt8(self ? 1 : 0)) }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 0: self = false
    case 1: self = true
    default: throw MessageError(what: "a truth that is neither")
    }
  }
}

extension Optional: MessageField where Wrapped: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(self != nil)
    if let self { message.put(self) }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    self = try message.field(Bool.self) ? try message.field(Wrapped.self) : nil
  }
}

extension Array: MessageField where Element: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(UInt32(clamping: count))
    for element in self { message.put(element) }
  }

  package init(from message: inout MessageReader) throws(MessageError) { self = try message.list(1 << 16) }
}

extension MessageWriter {
  /// Bytes after their length, as `data` reads them.
  package mutating func put(data: [UInt8]) {
    put(UInt32(clamping: data.count))
    put(raw: data)
  }
}
