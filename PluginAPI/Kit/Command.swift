// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// A write or an action, as `busbar.commands/1` carries it.
public struct Command: Sendable {
  public enum Verb: Sendable {
    case number(PointID, Double)
    /// Index into the declared labels.
    case label(PointID, Int)
    case boolean(PointID, Bool)
    case text(PointID, String)
    case action(name: String, arguments: String)
  }

  /// The same key, the same effect: a command that comes again acts once.
  public let key: UInt64
  public let device: DeviceNumber
  public let verb: Verb
  /// Check, do not act.
  public let dryRun: Bool
  /// The safe value, after a lease ended: to be refused only where the device itself refuses it.
  public let isSafe: Bool
  /// CLOCK_BOOTTIME nanoseconds; after this, do not act.
  public let validUntil: Int64

  init?(_ command: bb_command_t) {
    key = unsafe withUnsafeBytes(of: command.key) { unsafe $0.loadUnaligned(as: UInt64.self) }
    device = unsafe command.device
    dryRun = unsafe command.flags & UInt32(BB_COMMAND_DRY_RUN) != 0
    isSafe = unsafe command.flags & UInt32(BB_COMMAND_SAFE) != 0
    validUntil = unsafe command.valid_until_ns
    let point = unsafe command.point
    guard point != 0 else {
      verb = unsafe .action(name: String(command.name), arguments: String(command.arguments))
      return
    }
    switch unsafe Int(command.type) {
    case BB_TYPE_F64: verb = unsafe .number(point, command.value.f64)
    case BB_TYPE_I64: verb = unsafe .number(point, Double(command.value.i64))
    case BB_TYPE_U64: verb = unsafe .number(point, Double(command.value.u64))
    case BB_TYPE_BOOL: verb = unsafe .boolean(point, command.value.u64 != 0)
    case BB_TYPE_ENUM: verb = unsafe .label(point, Int(command.value.i64))
    case BB_TYPE_TEXT: verb = unsafe .text(point, String(command.arguments))
    default: return nil
    }
  }
}

/// How a command ended. A thrown error says instead that nothing was sent.
public enum Outcome: Sendable {
  public enum ReadBack: Sendable {
    case number(Double)
    case label(Int)
    case boolean(Bool)
  }

  case done(ReadBack?)
  /// Taken, effect not seen.
  case accepted
  case refused(code: Int32, String)
  /// It left and no answer came.
  case unknown(String)
  /// It goes on, and ends with `Link.complete` and the token of this call.
  case pending

  /// The status of the call; what the outcome says in words goes to `explain`.
  func fill(_ record: UnsafeMutablePointer<bb_outcome_t>, _ call: borrowing Call) -> bb_status_t {
    if let text = unsafe fill(record) { call.explain(text) }
    if case .pending = self { return bb_status_t(BB_PENDING) }
    return bb_status_t(BB_OK)
  }

  /// The sentence that belongs to it.
  func fill(_ record: UnsafeMutablePointer<bb_outcome_t>) -> String? {
    switch self {
    case .done(let value):
      unsafe record.pointee.outcome = UInt32(BB_OUTCOME_DONE)
      switch value {
      case .number(let number):
        unsafe record.pointee.type = UInt16(BB_TYPE_F64)
        unsafe record.pointee.value.f64 = number
      case .label(let index):
        unsafe record.pointee.type = UInt16(BB_TYPE_ENUM)
        unsafe record.pointee.value.i64 = Int64(index)
      case .boolean(let flag):
        unsafe record.pointee.type = UInt16(BB_TYPE_BOOL)
        unsafe record.pointee.value.u64 = flag ? 1 : 0
      case nil: break
      }
    case .accepted: unsafe record.pointee.outcome = UInt32(BB_OUTCOME_ACCEPTED)
    case .refused(let code, let text):
      unsafe record.pointee.outcome = UInt32(BB_OUTCOME_REFUSED)
      unsafe record.pointee.code = code
      return text
    case .unknown(let text):
      unsafe record.pointee.outcome = UInt32(BB_OUTCOME_UNKNOWN)
      return text
    case .pending: break
    }
    return nil
  }
}
