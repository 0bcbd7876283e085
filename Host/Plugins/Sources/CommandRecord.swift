// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import COpenSSL
internal import PluginAPI

/// Lends a command to a plugin as the record of commands.h.
func withCommandRecord<Result>(
  _ command: AdapterCommand, labels: [String], _ body: (UnsafePointer<bb_command_t>) -> Result
) -> Result {
  var record = unsafe bb_command_t()
  unsafe record.size = UInt32(MemoryLayout<bb_command_t>.size)
  var flags = 0
  if command.dryRun { flags |= BB_COMMAND_DRY_RUN }
  if command.refresh { flags |= BB_COMMAND_REFRESH }
  if command.safe { flags |= BB_COMMAND_SAFE }
  unsafe record.flags = UInt32(flags)
  unsafe record.device = command.device
  unsafe record.attempt = 1
  unsafe record.valid_until_ns = command.validUntil
  var digest = [UInt8](repeating: 0, count: 32)
  let id = Array(command.id.utf8)
  unsafe SHA256(id, id.count, &digest)
  unsafe withUnsafeMutableBytes(of: &record.key) { key in unsafe key.copyBytes(from: digest[..<16]) }

  var name = ""
  var arguments = ""
  switch command.verb {
  case .action(let action, let json):
    name = action
    arguments = json
  case .set(let point, let value):
    unsafe record.point = point
    switch value {
    case .number(let number):
      unsafe record.type = UInt16(BB_TYPE_F64)
      unsafe record.value.f64 = number
    case .integer(let number):
      unsafe record.type = UInt16(BB_TYPE_I64)
      unsafe record.value.i64 = number
    case .boolean(let flag):
      unsafe record.type = UInt16(BB_TYPE_BOOL)
      unsafe record.value.u64 = flag ? 1 : 0
    case .text(let text):
      if let index = labels.firstIndex(of: text) {
        unsafe record.type = UInt16(BB_TYPE_ENUM)
        unsafe record.value.i64 = Int64(index)
      } else {
        unsafe record.type = UInt16(BB_TYPE_TEXT)
        arguments = text
      }
    }
  }
  return unsafe withLentText(name) { name in
    unsafe withLentText(arguments) { arguments in
      unsafe record.name = name
      unsafe record.arguments = arguments
      return unsafe body(&record)
    }
  }
}

/// Where a plugin writes how a command ended.
final class OutcomeBox: @unchecked Sendable {
  // Written by the one call, read after it ended.
  private var record = bb_outcome_t()
  var labels: [String] = []
  var explanation = ""
  /// Set where the plugin ends the command later.
  var pending: CommandResult?

  func fill(_ body: (UnsafeMutablePointer<bb_outcome_t>) -> bb_status_t) -> bb_status_t {
    record.size = UInt32(MemoryLayout<bb_outcome_t>.size)
    return unsafe withUnsafeMutablePointer(to: &record) { unsafe body($0) }
  }

  func result() -> CommandResult {
    switch Int(record.outcome) {
    case BB_OUTCOME_DONE: .done(readBack)
    case BB_OUTCOME_ACCEPTED: .accepted
    case BB_OUTCOME_REFUSED: .refused(explanation.isEmpty ? "the device refuses it (code \(record.code))" : explanation)
    // What a plugin leaves open is not known to have happened.
    default: .unknown(explanation.isEmpty ? "the adapter does not say how it ended" : explanation)
    }
  }

  /// Of a command that ended later: an action's answer stands where a value would be read back.
  func result(answer: String) -> CommandResult {
    guard Int(record.outcome) == BB_OUTCOME_DONE, readBack == nil, answer.utf8.first == UInt8(ascii: "{") else { return result() }
    return .done(.text(answer))
  }

  private var readBack: Value? {
    switch Int(record.type) {
    case BB_TYPE_F64: unsafe record.value.f64.isFinite ? unsafe .number(record.value.f64) : nil
    case BB_TYPE_I64: unsafe .integer(record.value.i64)
    case BB_TYPE_U64: unsafe .integer(Int64(clamping: record.value.u64))
    case BB_TYPE_BOOL: unsafe .boolean(record.value.u64 != 0)
    case BB_TYPE_ENUM:
      unsafe labels.indices.contains(Int(clamping: record.value.i64)) ? .text(labels[Int(record.value.i64)]) : nil
    default: nil
    }
  }
}
