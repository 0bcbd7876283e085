// SPDX-License-Identifier: Apache-2.0

/// What crosses the socket in one piece: one or more messages, each after its length. A message that is too long for it
/// lies in a sealed memory file that comes with the packet; only the host makes those, since a child's would not count
/// against its memory.
package enum Packet {
  /// Bytes, at most (the socket takes about 208 KiB).
  package static let limit = 65_536
  /// Bytes of a message in a memory file.
  package static let fileLimit = 4 << 20

  fileprivate static let inline: UInt32 = 0x4242_0001
  private static let file: UInt32 = 0x4242_0002

  package enum Content {
    case messages(Parts)
    /// So many bytes in the file that comes with it.
    case file(Int)
  }

  /// The messages of a packet, one after the other.
  package struct Parts {
    fileprivate var rest: MessageReader

    /// The fields of the next one; nil after the last one.
    package mutating func next() throws(MessageError) -> ArraySlice<UInt8>? {
      guard rest.rest > 0 else { return nil }
      return try rest.raw(Int(try rest.integer(UInt32.self)))
    }
  }

  /// A packet whose message lies in a file.
  package static func file(_ count: Int) -> [UInt8] {
    var writer = MessageWriter()
    writer.put(file)
    writer.put(UInt32(clamping: count))
    return writer.bytes
  }

  package static func parse(_ packet: ArraySlice<UInt8>) throws(MessageError) -> Content {
    var reader = MessageReader(packet)
    switch try reader.integer(UInt32.self) {
    case inline:
      return .messages(Parts(rest: reader))
    case file:
      let count = Int(try reader.integer(UInt32.self))
      guard reader.rest == 0, count <= fileLimit else { throw MessageError(what: "a file of \(count) bytes") }
      return .file(count)
    default: throw MessageError(what: "it is no packet")
    }
  }
}

/// A packet of messages in the making.
package struct PacketWriter {
  /// Bytes that a poll and its answer take, mostly, and those that are kept for the next packet.
  private static let room = (usual: 512, most: 8192)
  private static let headLength = 4

  private var writer = MessageWriter()

  package init() { begin() }

  package var bytes: [UInt8] { writer.bytes }
  package var isEmpty: Bool { writer.count == Self.headLength }
  /// The one message that is in it, without its length.
  package var onlyMessage: ArraySlice<UInt8> { writer.bytes[(Self.headLength + 4)...] }

  /// False, and left out, where the packet would become too long: it goes with another one. Alone it is taken however long
  /// it is.
  package mutating func put(_ message: some MessageField) -> Bool {
    let start = writer.count
    writer.put(0 as UInt32)
    writer.put(message)
    guard writer.count <= Packet.limit || start == Self.headLength else {
      writer.cut(to: start)
      return false
    }
    writer.set(UInt32(clamping: writer.count - start - 4), at: start)
    return true
  }

  /// For the next packet.
  package mutating func clear() {
    if writer.room > Self.room.most { writer = MessageWriter() } else { writer.cut(to: 0) }
    begin()
  }

  private mutating func begin() {
    writer.reserve(Self.room.usual)
    writer.put(Packet.inline)
  }
}
