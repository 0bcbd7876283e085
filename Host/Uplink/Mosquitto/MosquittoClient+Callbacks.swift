// SPDX-License-Identifier: Apache-2.0

internal import CMosquitto
internal import Glibc

extension MosquittoClient {
  /// Every callback comes on the owner's thread, from within one of the loop calls, and only notes what happened: so the
  /// owner never acts from inside of the library.
  func setCallbacks(of handle: OpaquePointer) {
    unsafe mosquitto_connect_v5_callback_set(handle) { _, object, code, _, properties in
      unsafe MosquittoClient.from(object).noteConnected(code, properties)
    }
    unsafe mosquitto_disconnect_v5_callback_set(handle) { _, object, code, _ in
      unsafe MosquittoClient.from(object).noteDisconnected(code)
    }
    unsafe mosquitto_publish_v5_callback_set(handle) { _, object, identifier, code, _ in
      unsafe MosquittoClient.from(object).events.append(.published(identifier: identifier, ReasonCode(rawValue: code)))
    }
    unsafe mosquitto_subscribe_v5_callback_set(handle) { _, object, identifier, count, granted, _ in
      // MQTT 3.1.1 has one code for "refused", and it is above 0x80 too.
      let code = unsafe count > 0 ? (granted?.pointee ?? 0x80) : 0x80
      unsafe MosquittoClient.from(object).events.append(.subscribed(identifier: identifier, ReasonCode(rawValue: code)))
    }
    unsafe mosquitto_message_v5_callback_set(handle) { _, object, message, properties in
      guard let message = unsafe message?.pointee else { return }
      unsafe MosquittoClient.from(object).noteMessage(message, properties)
    }
    unsafe mosquitto_log_callback_set(handle) { handle, object, level, text in
      guard UInt32(bitPattern: level) & UInt32(MOSQ_LOG_ERR) != 0, let text = unsafe text else { return }
      unsafe MosquittoClient.from(object).noteError(String(cString: text), handle)
    }
  }

  private static func from(_ object: UnsafeMutableRawPointer?) -> MosquittoClient {
    guard let object = unsafe object else { preconditionFailure("libmosquitto lost its user data") }
    return unsafe Unmanaged<MosquittoClient>.fromOpaque(object).takeUnretainedValue()
  }

  private func noteConnected(_ code: Int32, _ properties: OpaquePointer?) {
    let reason = version == .three ? ReasonCode.ofVersion3(code) : ReasonCode(rawValue: code)
    accepted = reason == .success
    // Absent means 65535 (MQTT 5, 3.2.2.3.3).
    var receiveMaximum: UInt16 = .max
    unsafe mosquitto_property_read_int16(properties, Int32(MQTT_PROP_RECEIVE_MAXIMUM.rawValue), &receiveMaximum, false)
    events.append(.connected(reason, receiveMaximum: max(1, Int(receiveMaximum))))
  }

  private func noteDisconnected(_ code: Int32) {
    accepted = false
    let reason = ReasonCode(rawValue: code)
    events.append(.disconnected(reason: reason.isRefusal ? reason : nil))
  }

  private func noteMessage(_ message: mosquitto_message, _ properties: OpaquePointer?) {
    guard let topic = unsafe message.topic else { return }
    let size = max(0, Int(unsafe message.payloadlen))
    var payload: [UInt8] = []
    if size <= payloadLimit, let bytes = unsafe message.payload {
      payload = unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: size))
    }
    var noted = unsafe MosquittoMessage(
      topic: String(cString: topic), payload: payload, size: size, retained: message.retain)

    var text: UnsafeMutablePointer<CChar>?
    if unsafe mosquitto_property_read_string(properties, Int32(MQTT_PROP_RESPONSE_TOPIC.rawValue), &text, false) != nil,
      let text = unsafe text
    {
      unsafe noted.responseTopic = String(cString: text)
      unsafe free(text)
    }
    var data: UnsafeMutableRawPointer?
    var count: UInt16 = 0
    let correlation = Int32(MQTT_PROP_CORRELATION_DATA.rawValue)
    if unsafe mosquitto_property_read_binary(properties, correlation, &data, &count, false) != nil {
      unsafe noted.correlation = [UInt8](UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : Int(count)))
      unsafe free(data)
    }
    var expiry: UInt32 = 0
    let interval = Int32(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.rawValue)
    if unsafe mosquitto_property_read_int32(properties, interval, &expiry, false) != nil { noted.expiry = expiry }
    events.append(.message(noted))
  }

  private func noteError(_ text: String, _ handle: OpaquePointer?) {
    // The first lines name the cause; the rest repeats it.
    if details.count < 8 { details.append(String(text.prefix(300))) }
    // Only now is the TLS connection there to be asked; the library frees it before the call returns.
    guard verification == 0, let tls = unsafe mosquitto_ssl_get(handle) else { return }
    unsafe verification = SSL_get_verify_result(OpaquePointer(tls))
  }
}
