// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import CMosquitto
internal import Glibc

/// What a call of libmosquitto came to.
package struct MosquittoError: Error, Sendable, Equatable {
  /// A `MOSQ_ERR_` number of mosquitto.h.
  package var code: Int32
  /// errno, or the number of getaddrinfo, where the code stands for one; else 0.
  package var system: Int32
  /// What the library and OpenSSL logged about it, in order.
  package var details: [String]
  /// Why the far end's certificate was not believed (an `X509_V_ERR_` number); 0 = no reason known.
  package var verification: Int

  package init(code: Int32, system: Int32 = 0, details: [String] = [], verification: Int = 0) {
    self.code = code
    self.system = system
    self.details = details
    self.verification = verification
  }

  package enum Kind: Sendable {
    /// The name has no address.
    case name
    /// The system refused (see `system`).
    case system
    case tls
    /// There is no connection, or there is none any more.
    case lost
    /// The far end did not answer a ping in time.
    case keepalive
    /// The far end does not speak MQTT as it should.
    case protocolViolation
    /// This one message cannot be published on this connection.
    case message
    case other
  }

  package var kind: Kind {
    switch mosq_err_t(rawValue: code) {
    case MOSQ_ERR_EAI, MOSQ_ERR_LOOKUP: .name
    case MOSQ_ERR_ERRNO: .system
    case MOSQ_ERR_TLS, MOSQ_ERR_TLS_HANDSHAKE: .tls
    case MOSQ_ERR_NO_CONN, MOSQ_ERR_CONN_LOST: .lost
    case MOSQ_ERR_KEEPALIVE: .keepalive
    case MOSQ_ERR_PROTOCOL, MOSQ_ERR_MALFORMED_PACKET, MOSQ_ERR_DUPLICATE_PROPERTY: .protocolViolation
    case MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_OVERSIZE_PACKET, MOSQ_ERR_QOS_NOT_SUPPORTED, MOSQ_ERR_INVAL,
      MOSQ_ERR_MALFORMED_UTF8:
      .message
    default: .other
    }
  }

  /// The library's or the system's sentence.
  package var text: String {
    switch kind {
    case .system where system != 0: systemError(system)
    case .name where system != 0: unsafe String(cString: gai_strerror(system))
    default: unsafe String(cString: mosquitto_strerror(code))
    }
  }

  /// OpenSSL's words for `verification`, nil where there are none.
  package var verificationText: String? {
    verification == 0 ? nil : unsafe String(cString: X509_verify_cert_error_string(verification))
  }

  static let notConnected = MosquittoError(code: Int32(MOSQ_ERR_NO_CONN.rawValue))
}

/// A reason code of MQTT 5, by which the far end accepts, refuses or ends something.
package struct ReasonCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  package let rawValue: Int32
  package init(rawValue: Int32) { self.rawValue = rawValue }

  package var isRefusal: Bool { rawValue >= 0x80 }

  /// The text of the MQTT 5 specification.
  package var description: String { unsafe String(cString: mosquitto_reason_string(rawValue)) }

  package static let success = ReasonCode(rawValue: 0)
  package static let unsupportedProtocolVersion = ReasonCode(rawValue: 0x84)
  package static let clientIDNotValid = ReasonCode(rawValue: 0x85)
  package static let badUsernameOrPassword = ReasonCode(rawValue: 0x86)
  package static let notAuthorized = ReasonCode(rawValue: 0x87)
  package static let serverUnavailable = ReasonCode(rawValue: 0x88)
  package static let banned = ReasonCode(rawValue: 0x8A)
  package static let badAuthenticationMethod = ReasonCode(rawValue: 0x8C)
  package static let sessionTakenOver = ReasonCode(rawValue: 0x8E)

  /// The code of MQTT 5 that means the same as a CONNACK code of MQTT 3.1.1 (its table 3.1).
  static func ofVersion3(_ code: Int32) -> ReasonCode {
    switch code {
    case 0: .success
    case 1: .unsupportedProtocolVersion
    case 2: .clientIDNotValid
    case 3: .serverUnavailable
    case 4: .badUsernameOrPassword
    case 5: .notAuthorized
    default: ReasonCode(rawValue: code)
    }
  }
}
