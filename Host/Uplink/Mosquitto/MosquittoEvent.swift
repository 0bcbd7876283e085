// SPDX-License-Identifier: Apache-2.0

internal import Glibc

package enum MQTTVersion: String, Sendable, CaseIterable {
  case five = "5"
  case three = "3.1.1"
}

/// What happened on a connection, in the order in which it happened.
package enum MosquittoEvent: Sendable, Equatable {
  /// The broker's answer to CONNECT. `receiveMaximum`: how many messages with QoS above 0 it takes at a time.
  case connected(ReasonCode, receiveMaximum: Int)
  /// The connection is over. `reason` where the broker gave one.
  case disconnected(reason: ReasonCode?)
  /// PUBACK. With MQTT 3.1.1 the reason is always success, whatever the broker did with the message.
  case published(identifier: Int32, ReasonCode)
  /// SUBACK.
  case subscribed(identifier: Int32, ReasonCode)
  case message(MosquittoMessage)
}

package struct MosquittoMessage: Sendable, Equatable {
  package var topic: String
  /// Empty where `size` is above the client's limit.
  package var payload: [UInt8]
  /// Bytes of the payload as it came.
  package var size: Int
  package var retained: Bool
  package var responseTopic: String?
  package var correlation: [UInt8]?
  /// What is left of its life, in seconds; nil = no end.
  package var expiry: UInt32?

  package init(
    topic: String, payload: [UInt8], size: Int? = nil, retained: Bool = false, responseTopic: String? = nil,
    correlation: [UInt8]? = nil, expiry: UInt32? = nil
  ) {
    self.topic = topic
    self.payload = payload
    self.size = size ?? payload.count
    self.retained = retained
    self.responseTopic = responseTopic
    self.correlation = correlation
    self.expiry = expiry
  }
}

/// Keys and trust of a connection; paths of PEM files. The far end's certificate and host name are always verified,
/// and TLS 1.2 is the least.
package struct MosquittoTLS: Sendable, Equatable {
  /// Who may have issued the far end's certificate; nil = the system's own list.
  package var ca: String?
  package var certificate: String?
  package var key: String?

  package init(ca: String?, certificate: String?, key: String?) {
    self.ca = ca
    self.certificate = certificate
    self.key = key
  }

  /// The first of the files that cannot be read, and errno.
  package var unreadableFile: (path: String, system: Int32)? {
    for path in [ca, certificate, key].compactMap({ $0 }) where unsafe access(path, R_OK) != 0 {
      return (path, errno)
    }
    return nil
  }
}
