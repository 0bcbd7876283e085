// SPDX-License-Identifier: Apache-2.0

internal import CMosquitto
internal import Glibc

/// One connection to a broker through libmosquitto, used by one thread and for one connection only: a new connection
/// is a new client, so that nothing that the library still holds is sent again behind our back.
///
/// The library's own loop and its own queue are not used. The owner waits for `socket`, calls `loopRead`, `loopWrite`
/// and `loopMisc`, and takes what happened from `takeEvents`. Nothing can be published before the broker has accepted
/// the connection or after it ended.
@safe package final class MosquittoClient {
  package let version: MQTTVersion
  /// Larger payloads are reported without their content.
  package let payloadLimit: Int

  private let handle: OpaquePointer
  var events: [MosquittoEvent] = []
  var accepted = false
  var details: [String] = []
  var verification = 0

  private static let libraryState = mosquitto_lib_init()

  /// A client with a session that ends with its connection.
  package init(version: MQTTVersion, clientID: String, payloadLimit: Int) throws(MosquittoError) {
    guard Self.libraryState == Int32(MOSQ_ERR_SUCCESS.rawValue) else { throw MosquittoError(code: Self.libraryState) }
    guard let handle = unsafe mosquitto_new(clientID, true, nil) else {
      throw MosquittoError(code: Int32(MOSQ_ERR_ERRNO.rawValue), system: errno)
    }
    self.version = version
    self.payloadLimit = payloadLimit
    unsafe self.handle = handle
    unsafe mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
    unsafe setCallbacks(of: handle)
    let number = version == .five ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311
    try check(unsafe mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, number))
    try check(unsafe mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1))
  }

  deinit { unsafe mosquitto_destroy(handle) }

  // MARK: Before connecting

  package func setCredentials(username: String, password: String?) throws(MosquittoError) {
    try check(unsafe mosquitto_username_pw_set(handle, username, password))
  }

  package func setTLS(_ tls: MosquittoTLS) throws(MosquittoError) {
    let directory = tls.ca == nil ? "/etc/ssl/certs" : nil
    // A key with a passphrase must fail; OpenSSL would ask for it on the terminal.
    try check(unsafe mosquitto_tls_set(handle, tls.ca, directory, tls.certificate, tls.key) { _, _, _, _ in 0 })
    let verifyPeer: Int32 = 1
    try check(unsafe mosquitto_tls_opts_set(handle, verifyPeer, "tlsv1.2", nil))
    try check(unsafe mosquitto_tls_insecure_set(handle, false))
  }

  /// What the broker publishes, retained and with QoS 1, when the connection ends without a DISCONNECT.
  package func setWill(topic: String, payload: [UInt8]) throws(MosquittoError) {
    try check(unsafe mosquitto_will_set(handle, topic, Int32(payload.count), payload, 1, true))
  }

  // MARK: The connection

  /// Opens the connection and sends CONNECT. Blocks while the name is looked up and the connection is opened, in the
  /// worst case for the two minutes that Linux gives a connection attempt. `keepalive` in seconds, 5 to 65535.
  package func connect(host: String, port: Int, keepalive: Int) throws(MosquittoError) {
    var properties: OpaquePointer?
    defer { unsafe mosquitto_property_free_all(&properties) }
    if version == .five {
      let limit = UInt32(clamping: payloadLimit * 4)
      let identifier = Int32(MQTT_PROP_MAXIMUM_PACKET_SIZE.rawValue)
      try check(unsafe mosquitto_property_add_int32(&properties, identifier, limit))
    }
    try check(unsafe mosquitto_connect_bind_v5(handle, host, Int32(port), Int32(keepalive), nil, properties))
  }

  /// The descriptor to wait for, nil when there is no connection.
  package var socket: Int32? {
    let number = unsafe mosquitto_socket(handle)
    return number < 0 ? nil : number
  }

  package var wantsWrite: Bool { unsafe mosquitto_want_write(handle) }

  /// Reads what is there. Throws when the connection is over.
  package func loopRead() throws(MosquittoError) {
    // What TLS has decrypted already does not make the socket readable. Bounded, so that a flood cannot hold the thread.
    for _ in 0..<64 {
      try check(unsafe mosquitto_loop_read(handle, 1))
      guard hasDecrypted else { return }
    }
  }

  /// Bytes wait inside TLS: read again without waiting for the socket.
  package var hasDecrypted: Bool {
    guard socket != nil, let tls = unsafe mosquitto_ssl_get(handle) else { return false }
    return unsafe SSL_pending(OpaquePointer(tls)) > 0
  }

  package func loopWrite() throws(MosquittoError) {
    try check(unsafe mosquitto_loop_write(handle, 1))
  }

  /// Keeps the connection alive and notices when it is dead; call it every few seconds once the broker has accepted.
  package func loopMisc() throws(MosquittoError) {
    try check(unsafe mosquitto_loop_misc(handle))
  }

  /// What happened since the last call.
  package func takeEvents() -> [MosquittoEvent] {
    defer { events.removeAll(keepingCapacity: true) }
    return events
  }

  /// Ends the connection in order: the broker forgets the will.
  package func disconnect() throws(MosquittoError) {
    guard accepted else { throw .notConnected }
    accepted = false
    try check(unsafe mosquitto_disconnect_v5(handle, 0, nil))
  }

  // MARK: Messages

  /// Publishes with QoS 1. The identifier comes again in `published`. An empty payload carries no content type.
  package func publish(
    topic: String, payload: [UInt8], retained: Bool, correlation: [UInt8]? = nil
  ) throws(MosquittoError) -> Int32 {
    guard accepted, socket != nil else { throw .notConnected }
    var properties: OpaquePointer?
    defer { unsafe mosquitto_property_free_all(&properties) }
    if version == .five {
      if !payload.isEmpty {
        let identifier = Int32(MQTT_PROP_CONTENT_TYPE.rawValue)
        try check(unsafe mosquitto_property_add_string(&properties, identifier, "application/json"))
      }
      if let correlation {
        let identifier = Int32(MQTT_PROP_CORRELATION_DATA.rawValue)
        let count = UInt16(clamping: correlation.count)
        try check(unsafe mosquitto_property_add_binary(&properties, identifier, correlation, count))
      }
    }
    var identifier: Int32 = 0
    let count = Int32(clamping: payload.count)
    try check(
      unsafe mosquitto_publish_v5(handle, &identifier, topic, count, payload, 1, retained, properties))
    return identifier
  }

  /// Subscribes with QoS 1; with MQTT 5, what is published to be retained tells so when it comes at once, too. The identifier
  /// comes again in `subscribed`.
  package func subscribe(_ filter: String) throws(MosquittoError) -> Int32 {
    guard accepted, socket != nil else { throw .notConnected }
    var identifier: Int32 = 0
    let options = version == .five ? Int32(MQTT_SUB_OPT_RETAIN_AS_PUBLISHED.rawValue) : 0
    try check(unsafe mosquitto_subscribe_v5(handle, &identifier, filter, 1, options, nil))
    return identifier
  }

  package func unsubscribe(_ filter: String) throws(MosquittoError) {
    guard accepted, socket != nil else { throw .notConnected }
    try check(unsafe mosquitto_unsubscribe(handle, nil, filter))
  }

  private func check(_ code: Int32) throws(MosquittoError) {
    guard code != Int32(MOSQ_ERR_SUCCESS.rawValue) else { return }
    let isSystem = code == Int32(MOSQ_ERR_ERRNO.rawValue) || code == Int32(MOSQ_ERR_EAI.rawValue)
    let system = isSystem ? errno : 0
    defer { details.removeAll() }
    throw MosquittoError(code: code, system: system, details: details, verification: verification)
  }
}
