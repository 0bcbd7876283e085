// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// What an adapter whose devices speak first asks of its host.
extension Link {
  public enum SendOutcome: Sendable {
    case taken
    /// Too much waits for a far end that does not read.
    case full
    /// There is no connection.
    case closed
  }

  /// Sends one text to the far end of the link's connection; at most 1 MiB.
  public func send(_ text: String) -> SendOutcome {
    guard let send = unsafe host.socket?.pointee.send else { return .closed }
    var text = text
    let status = text.withUTF8 { bytes in
      var lent = unsafe bb_bytes_t()
      unsafe lent.data = bytes.baseAddress
      unsafe lent.length = UInt32(bytes.count)
      return unsafe send(host.table, id, UInt32(BB_MESSAGE_TEXT), lent)
    }
    if status >= 0 { return .taken }
    return AdapterError(status: status).reason == UInt32(BB_REASON_NO_SPACE) ? .full : .closed
  }

  /// Closes the connection: a code of RFC 6455 section 7.4 and a reason of at most 123 bytes.
  public func close(code: Int, reason: String) {
    _ = unsafe withText(reason) { unsafe host.socket?.pointee.close?(host.table, id, UInt32(code), $0) }
  }

  /// Starts or restarts the timer `tag`: once, in so many nanoseconds.
  public func startTimer(_ tag: UInt64, in nanoseconds: Int64) {
    _ = unsafe host.event?.pointee.timer?(host.table, id, max(0, nanoseconds), 0, tag)
  }

  public func stopTimer(_ tag: UInt64) { _ = unsafe host.event?.pointee.timer?(host.table, id, -1, 0, tag) }

  /// Ends the command whose call had this token. `answer` is an action's answer, a JSON object of at most 48 KiB. False where
  /// nobody waits for it any more.
  @discardableResult
  public func complete(_ token: UInt64, _ outcome: Outcome, answer: String = "") -> Bool {
    guard let complete = unsafe host.async?.pointee.complete else { return false }
    var record = bb_outcome_t()
    record.size = UInt32(MemoryLayout<bb_outcome_t>.size)
    let sentence = unsafe withUnsafeMutablePointer(to: &record) { unsafe outcome.fill($0) }
    return unsafe withText(sentence ?? answer) {
      unsafe complete(host.table, id, token, bb_status_t(BB_OK), &record, $0) >= 0
    }
  }

  /// Ends the command whose call had this token with a failure: nothing was sent.
  @discardableResult
  public func fail(_ token: UInt64, _ error: AdapterError) -> Bool {
    guard let complete = unsafe host.async?.pointee.complete else { return false }
    return unsafe withText(error.message) { unsafe complete(host.table, id, token, error.status, nil, $0) >= 0 }
  }

  /// Keeps one document of a device, on disk when it returns (record.h): a JSON object of at most 16 KiB.
  public func record(_ kind: String, _ document: String, of device: DeviceNumber) throws(AdapterError) {
    guard let record = unsafe host.record?.pointee.record else {
      throw AdapterError(.config, "this host offers no \(BB_SERVICE_RECORD)")
    }
    let status = unsafe withText(kind) { kind in
      unsafe withText(document) { unsafe record(host.table, id, device, kind, $0) }
    }
    if status < 0 { throw AdapterError(status: status) }
  }

  /// Asks whether a tag may charge; the answer comes as `Event.verdict` with the ticket.
  public func ask(about tag: String, kind: String, ticket: UInt64, of device: DeviceNumber) throws(AdapterError) {
    guard let ask = unsafe host.authorize?.pointee.ask else {
      throw AdapterError(.config, "this host offers no \(BB_SERVICE_AUTHORIZE)")
    }
    let status = unsafe withText(tag) { tag in
      unsafe withText(kind) { unsafe ask(host.table, id, device, ticket, tag, $0) }
    }
    if status < 0 { throw AdapterError(status: status) }
  }

  /// The local list of tags as JSON (authorize.h); nil where the host keeps none, or one of more than 16 MiB.
  public func localTags() -> [UInt8]? {
    guard let list = unsafe host.authorize?.pointee.list else { return nil }
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      var length: UInt32 = 0
      let status = unsafe list(host.table, id, &bytes, UInt32(bytes.count), &length)
      if status >= 0, length <= UInt32(bytes.count) {
        bytes.removeLast(bytes.count - Int(length))
        return bytes
      }
      guard length > UInt32(bytes.count), length <= 1 << 24 else { return nil }
      bytes = [UInt8](repeating: 0, count: Int(length))
    }
  }
}
