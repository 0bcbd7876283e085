// SPDX-License-Identifier: Apache-2.0

/// What crosses the socket in one piece: one or more messages, each after its length. A message that is too long for it
/// lies in a sealed memory file that comes with the packet; only the host makes those, since a child's would not count
/// against its memory.
package enum Packet {
  /// Bytes, at most (the socket takes about 208 KiB).
  package static let limit = 65_536
  /// Bytes of one message in a packet.
  package static let messageLimit = limit - 8
  /// Bytes of a message in a memory file.
  package static let fileLimit = 4 << 20

  private static let inline: UInt32 = 0x4242_0001
  private static let file: UInt32 = 0x4242_0002

  package enum Content: Equatable {
    case messages([ArraySlice<UInt8>])
    /// So many bytes in the file that comes with it.
    case file(Int)
  }

  /// The head of a packet of messages.
  package static var head: [UInt8] {
    var writer = MessageWriter()
    writer.put(inline)
    return writer.bytes
  }

  /// A packet whose message lies in a file.
  package static func file(_ count: Int) -> [UInt8] {
    var writer = MessageWriter()
    writer.put(file)
    writer.put(UInt32(clamping: count))
    return writer.bytes
  }

  package static func append(_ message: [UInt8], to packet: inout [UInt8]) {
    let count = UInt32(clamping: message.count)
    for index in 0..<4 { packet.append(UInt8(truncatingIfNeeded: count >> UInt32(8 * index))) }
    packet.append(contentsOf: message)
  }

  package static func parse(_ packet: ArraySlice<UInt8>) throws(MessageError) -> Content {
    var reader = MessageReader(packet)
    switch try reader.integer(UInt32.self) {
    case inline:
      var messages: [ArraySlice<UInt8>] = []
      // A poll's: samples, frames and the result.
      messages.reserveCapacity(4)
      while reader.rest > 0 { messages.append(try reader.raw(Int(try reader.integer(UInt32.self)))) }
      return .messages(messages)
    case file:
      let count = Int(try reader.integer(UInt32.self))
      guard reader.rest == 0, count <= fileLimit else { throw MessageError(what: "a file of \(count) bytes") }
      return .file(count)
    default: throw MessageError(what: "it is no packet")
    }
  }
}
