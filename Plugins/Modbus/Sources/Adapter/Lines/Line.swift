// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

/// The way to the units of one link: a request, and its reply.
protocol Line: AnyObject {
  /// Waits at most `milliseconds`, and not beyond the call.
  func perform(
    _ request: Request, unit: UInt8, within milliseconds: Int, _ call: borrowing Call
  ) throws(LineFailure) -> Reply

  /// What has to be asked before this request, so that a late answer is not taken for its own; nil most of the time.
  func probe(before request: Request, unit: UInt8, _ call: borrowing Call) throws(LineFailure) -> Request?

  /// The unit will not answer what it has not answered yet.
  func forget(_ unit: UInt8)
}

/// How a request can fail to be answered.
enum LineFailure: Error {
  /// Nothing came in time.
  case silent(String)
  /// An answer came and makes no sense; the next one may.
  case mismatch(String)
  /// What came shows that the stream is out of step: the connection has to be opened anew.
  case garbage(String)
  /// The connection is gone, or the host cannot use it.
  case lost(AdapterError)
  /// A gateway says that it cannot reach the unit.
  case unreachable(UInt8)
  case cancelled
  /// The call ends before the request may be sent.
  case noTime

  /// An answer did not come, or not as it left: asked again, it may.
  var isLostAnswer: Bool {
    switch self {
    case .silent, .mismatch: true
    case .garbage, .lost, .unreachable, .cancelled, .noTime: false
    }
  }

  static func unit(_ unit: UInt8) -> LineFailure {
    .lost(AdapterError(.config, "unit \(unit) cannot be on a line with RTU or ASCII; expected 1 to 247"))
  }

  var adapterError: AdapterError {
    switch self {
    case .silent(let text): AdapterError(.transient, reason: UInt32(BB_REASON_TIMEOUT), text)
    case .mismatch(let text): AdapterError(.transient, reason: UInt32(BB_REASON_GARBLED), text)
    case .garbage(let text): AdapterError(.transient, reason: UInt32(BB_REASON_CLOSED), text)
    case .lost(let error): error
    case .unreachable(let code):
      AdapterError(.transient, reason: UInt32(BB_REASON_TIMEOUT), "the gateway says: \(ExceptionCode.name(code))")
    case .cancelled: AdapterError(.cancelled, "")
    case .noTime:
      AdapterError(
        .transient, reason: UInt32(BB_REASON_TIMEOUT), "the call ended before the pause that the device needs was over")
    }
  }
}
