// SPDX-License-Identifier: Apache-2.0

/// Why a call is answered with CALLERROR (1.6J section 4.2.3; 2.0.1 part 4 section 4.3). Some have another spelling, or none, in 1.6.
package enum ErrorCode: String, CaseIterable, Sendable {
  /// The action is known and not served here.
  case notSupported = "NotSupported"
  /// Nobody knows the action.
  case notImplemented = "NotImplemented"
  case internalError = "InternalError"
  /// Something that the protocol does not allow now.
  case protocolError = "ProtocolError"
  case securityError = "SecurityError"
  /// The payload has not the form of the action's.
  case formatViolation = "FormatViolation"
  /// A field has a value that it cannot have.
  case propertyConstraintViolation = "PropertyConstraintViolation"
  /// Something is missing, or there too often.
  case occurrenceConstraintViolation = "OccurrenceConstraintViolation"
  /// A field has a value of another type.
  case typeConstraintViolation = "TypeConstraintViolation"
  case genericError = "GenericError"
  case messageTypeNotSupported = "MessageTypeNotSupported"
  /// What came is no call at all.
  case rpcFrameworkError = "RpcFrameworkError"

  package func name(_ version: OCPPVersion) -> String {
    guard version == .v16 else { return rawValue }
    return switch self {
    case .formatViolation, .rpcFrameworkError: "FormationViolation"
    case .occurrenceConstraintViolation: "OccurenceConstraintViolation"
    case .messageTypeNotSupported: "GenericError"
    default: rawValue
    }
  }
}
