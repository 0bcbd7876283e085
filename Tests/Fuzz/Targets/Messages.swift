// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins

/// What is taken is written the same again; a packet is taken apart without a trap.
func fuzzMessage<Message: MessageField>(_ bytes: [UInt8], as type: Message.Type) {
  if case .messages(var parts)? = try? Packet.parse(bytes[...]) {
    while let part = try? parts.next() { check(part, as: type) }
  }
  check(bytes[...], as: type)
}

private func check<Message: MessageField>(_ bytes: ArraySlice<UInt8>, as type: Message.Type) {
  guard let message = read(bytes, as: type) else { return }
  let written = write(message)
  precondition(written.count <= Packet.fileLimit, "a message that grows")
  guard let again = read(written[...], as: type) else { preconditionFailure("what was written cannot be read") }
  precondition(write(again) == written, "it is another one when it is read again")
}

private func read<Message: MessageField>(_ bytes: ArraySlice<UInt8>, as type: Message.Type) -> Message? {
  var reader = MessageReader(bytes)
  return try? Message(from: &reader)
}

private func write(_ message: some MessageField) -> [UInt8] {
  var writer = MessageWriter()
  writer.put(message)
  return writer.bytes
}
