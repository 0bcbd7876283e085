// SPDX-License-Identifier: Apache-2.0

package import BusbarMosquitto
internal import BusbarSystem
internal import Glibc

/// Why there is no connection, in a sentence that tells a person what to look at.
package struct ConnectionFailure: Error, Sendable, Equatable {
  package enum Kind: Sendable {
    /// The broker does not speak the version of MQTT that was tried.
    case version
    /// The connection was closed before CONNECT was answered.
    case unanswered
    case other
  }

  package var kind: Kind
  package var sentence: String
  /// It will not go away by itself: wrong password, wrong certificate.
  package var needsPerson: Bool

  package init(kind: Kind = .other, sentence: String, needsPerson: Bool = false) {
    self.kind = kind
    self.sentence = sentence
    self.needsPerson = needsPerson
  }

  package enum Stage: Sendable {
    case opening, awaitingAnswer, accepted
  }

  /// A call of the library failed.
  package init(_ error: MosquittoError, settings: UplinkSettings, stage: Stage) {
    let place = settings.description
    if let tls = settings.tls, let failure = Self.tlsFailure(error, tls: tls, settings: settings) {
      self = failure
      return
    }
    switch (error.kind, stage) {
    case (.name, _):
      self.init(
        sentence: "the name '\(settings.host)' in uplink.url has no address (\(error.text)): check the name, and the DNS "
          + "of this machine")
    case (.system, .opening) where error.system == EPROTO:
      // The library's number for the end of TLS while it sends CONNECT.
      self.init(kind: .unanswered, sentence: "\(place) closed the connection without an answer: \(Self.hint(settings))")
    case (.system, .opening):
      self.init(
        sentence: "no connection to \(place) (\(error.text)): check uplink.url, the network, and that the broker runs")
    case (.lost, .opening), (.lost, .awaitingAnswer), (.system, .awaitingAnswer):
      self.init(kind: .unanswered, sentence: "\(place) closed the connection without an answer: \(Self.hint(settings))")
    case (.lost, .accepted), (.system, .accepted):
      self.init(sentence: "the connection to \(place) was lost (\(error.text))")
    case (.keepalive, _):
      self.init(sentence: "\(place) did not answer any more within \(settings.keepalive) s")
    case (.protocolViolation, .opening), (.protocolViolation, .awaitingAnswer):
      self.init(
        kind: .unanswered, sentence: "what answers at \(place) does not speak MQTT: \(Self.hint(settings))")
    case (.tls, _), (.protocolViolation, _), (.message, _), (.other, _):
      let detail = error.details.first.map { "; \($0)" } ?? ""
      self.init(sentence: "the connection to \(place) failed (\(error.text)\(detail))")
    }
  }

  private static func hint(_ settings: UplinkSettings) -> String {
    let port = "check the port and whether it is mqtt:// or mqtts:// in uplink.url"
    guard let tls = settings.tls else { return port }
    // With TLS 1.3 the broker judges the client's certificate when the client takes the connection for made; its word on
    // it is often lost.
    return tls.certificate.map { "\(port), and whether the broker accepts \($0) (uplink.tls.certificate)" }
      ?? "\(port), and whether the broker asks for a client certificate (uplink.tls.certificate)"
  }

  /// The same, lost again and again.
  func flapping(clientID: String) -> ConnectionFailure {
    var failure = self
    failure.sentence += "; it was lost soon after it was made several times in a row: does another client use the id "
      + "'\(clientID)'?"
    return failure
  }

  /// The broker answered CONNECT with a refusal.
  package init(refused reason: ReasonCode, settings: UplinkSettings) {
    let user = settings.username.map { "user '\($0)'" } ?? "a host without a user name"
    switch reason {
    case .unsupportedProtocolVersion:
      self.init(kind: .version, sentence: "the broker at \(settings) speaks neither MQTT 5 nor 3.1.1", needsPerson: true)
    case .badUsernameOrPassword, .notAuthorized, .badAuthenticationMethod:
      self.init(
        sentence: "the broker at \(settings) refused \(user) (\(reason)): check uplink.username and uplink.password",
        needsPerson: true)
    case .clientIDNotValid:
      self.init(
        sentence: "the broker at \(settings) refused the client id '\(settings.clientID)': check host.id",
        needsPerson: true)
    case .banned:
      self.init(sentence: "the broker at \(settings) has banned this host", needsPerson: true)
    default:
      self.init(sentence: "the broker at \(settings) refused the connection (\(reason))")
    }
  }

  /// The broker ended the connection, with a reason where it gave one.
  package init(ended reason: ReasonCode?, settings: UplinkSettings) {
    switch reason {
    case ReasonCode.sessionTakenOver?:
      self.init(
        sentence: "another client with the id '\(settings.clientID)' took the connection over: host.id must be unique",
        needsPerson: true)
    case let reason?: self.init(sentence: "the broker at \(settings) ended the connection (\(reason))")
    case nil: self.init(sentence: "the connection to \(settings) was lost")
    }
  }

  /// A file that `uplink.tls` names cannot be read.
  package init?(unreadableFileOf tls: MosquittoTLS) {
    guard let (path, system) = tls.unreadableFile else { return nil }
    let key = path == tls.ca ? "ca" : path == tls.certificate ? "certificate" : "key"
    self.init(sentence: "uplink.tls.\(key): \(path) cannot be read (\(systemError(system)))", needsPerson: true)
  }

  // MARK: TLS

  private static func person(_ sentence: String) -> ConnectionFailure {
    ConnectionFailure(sentence: sentence, needsPerson: true)
  }

  /// Nil where nothing points at TLS.
  private static func tlsFailure(
    _ error: MosquittoError, tls: UplinkSettings.TLS, settings: UplinkSettings
  ) -> ConnectionFailure? {
    let log = error.details.joined(separator: "\n")
    guard error.kind == .tls || log.contains("OpenSSL Error") else { return nil }
    let ca = tls.ca.map { "\($0) (uplink.tls.ca)" } ?? "the system's list (uplink.tls.ca is not set)"
    let certificate = "\(tls.certificate ?? "(none)") (uplink.tls.certificate)"
    let key = "\(tls.key ?? "(none)") (uplink.tls.key)"

    // The library's own words, see lib/net_mosq.c and lib/tls_mosq.c of mosquitto 2.0.11.
    if log.contains("host name verification failed") {
      return person(
        "the certificate of \(settings) is for another host: uplink.url must name the broker as its certificate does, "
          + "not '\(settings.host)'")
    }
    if log.contains("Unable to load CA certificates") { return person("\(ca) holds no usable certificate") }
    if log.contains("Unable to load client certificate") { return person("\(certificate) holds no usable certificate") }
    if log.contains("key are inconsistent") || log.contains("key values mismatch") {
      return person("\(key) does not belong to \(certificate)")
    }
    if log.contains("Unable to load client key") {
      return person("\(key) holds no usable key; one with a passphrase is not usable")
    }
    if let reason = error.verificationText {
      return verification(error.verification, reason, ca: ca, settings: settings)
    }
    let cause =
      error.details.first { $0.contains("OpenSSL Error") }?.split(separator: ":").last.map(String.init) ?? error.text
    if cause.contains("alert"), ["certificate", "unknown ca", "handshake failure"].contains(where: cause.contains) {
      return person(
        tls.certificate == nil
          ? "the broker at \(settings) asks for a client certificate (\(cause)): set uplink.tls.certificate and key"
          : "the broker at \(settings) refused the certificate of this host (\(cause)): check \(certificate)")
    }
    if cause.contains("wrong version number") || cause.contains("packet length") {
      return person(
        "what answers at \(settings) does not speak TLS (\(cause)): check the port, or use mqtt:// in uplink.url")
    }
    return ConnectionFailure(sentence: "TLS with \(settings) failed (\(cause))")
  }

  /// The broker's certificate was not believed. `code` is an `X509_V_ERR_` number of <openssl/x509_vfy.h>.
  private static func verification(
    _ code: Int, _ reason: String, ca: String, settings: UplinkSettings
  ) -> ConnectionFailure {
    switch code {
    // Not yet valid, expired. A gateway that has just started may get the right time in a moment.
    case 9, 10:
      ConnectionFailure(
        sentence: "the certificate of \(settings) is not valid now (\(reason)): check the clock of this machine; if it is "
          + "right, the broker needs a new certificate")
    // No issuer found, or one that is not trusted.
    case 2, 18, 19, 20, 21:
      person(
        "the certificate of \(settings) was not issued by an authority in \(ca) (\(reason)): name the authority that "
          + "issued it in uplink.tls.ca")
    default: person("the certificate of \(settings) is not accepted (\(reason))")
    }
  }
}
