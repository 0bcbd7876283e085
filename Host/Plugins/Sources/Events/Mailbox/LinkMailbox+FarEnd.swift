// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarTransports
internal import Synchronization

/// The far end's side: connections of a listener, and what comes over them.
extension LinkMailbox {
  /// Beyond these the far end has to wait.
  fileprivate static let pauseCount = 16
  fileprivate static let pauseBytes = 256 << 10

  /// False where the link is not there to take a connection.
  package var isOpen: Bool { state.withLock { $0.isOpen } }

  /// A connection stands that the plugin knows of.
  package var isConnected: Bool { state.withLock { $0.told != nil } }

  /// A connection stands that the plugin will soon know of.
  package var isAwaiting: Bool { state.withLock { $0.newest != nil } }

  /// Takes the place of a connection that stands.
  func attach(_ connection: any WebSocketSending, _ peer: SocketPeer) {
    let (former, notify, isOpen) = state.withLock { state -> ((any WebSocketSending)?, (@Sendable () -> Void)?, Bool) in
      guard state.isOpen else { return (nil, nil, false) }
      let former = state.newest
      state.end(code: 1006, reason: "a newer connection takes its place")
      state.newest = connection
      state.isPaused = false
      state.entries.append(Entry(event: .opened(peer), connection: connection))
      return (former, state.notification(), true)
    }
    if let former {
      former.close(code: 1000, reason: "a newer connection takes your place")
      trace?.record(.closed, device: 0)
    }
    guard isOpen else { return connection.close(code: 1012, reason: "the service is starting anew") }
    trace?.record(.opened, device: 0)
    notify?()
  }

  func took(_ message: WebSocketMessage, from connection: any WebSocketSending) {
    let (text, bytes) =
      switch message {
      case .text(let bytes): (true, bytes)
      case .binary(let bytes): (false, bytes)
      }
    let (pauses, overflows, notify) = state.withLock { state -> (Bool, Bool, (@Sendable () -> Void)?) in
      // Of one that was replaced nothing counts any more.
      guard state.newest === connection else { return (false, false, nil) }
      guard state.entries.count < Self.limit else { return (false, true, nil) }
      state.entries.append(Entry(event: .message(text: text, bytes), connection: connection))
      state.bytes += bytes.count
      let pauses = !state.isPaused && (state.entries.count > Self.pauseCount || state.bytes > Self.pauseBytes)
      if pauses { state.isPaused = true }
      return (pauses, false, state.notification())
    }
    if overflows { connection.close(code: 1008, reason: "too many messages are waiting") }
    if pauses { connection.pauseReading(true) }
    record(.received, text: text, bytes)
    notify?()
  }

  func ended(_ connection: any WebSocketSending, code: UInt16, reason: String) {
    let (isNewest, notify) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
      guard state.newest === connection else { return (false, nil) }
      state.end(code: code, reason: reason)
      return (true, state.notification())
    }
    if isNewest { trace?.record(.closed, device: 0) }
    notify?()
  }

  /// Ends the connection of whoever is connected, known to the plugin or not.
  package func drop(code: UInt16, reason: String) { state.withLock { $0.newest ?? $0.told }?.close(code: code, reason: reason) }

  /// Passwords that a protocol carries in its messages stay out of traces.
  func record(_ direction: TraceRing.Direction, text: Bool, _ bytes: [UInt8]) {
    guard let trace else { return }
    trace.record(direction, SecretNames.appear(in: bytes) ? Array(#"(a message with a secret, left out)"#.utf8) : bytes, device: 0)
  }
}

extension LinkMailbox.State {
  /// The newest connection is over. What the plugin has never heard of it need not hear of.
  fileprivate mutating func end(code: UInt16, reason: String) {
    guard let ended = newest else { return }
    newest = nil
    isPaused = false
    guard told === ended else {
      entries.removeAll { $0.connection === ended }
      bytes = entries.reduce(0) { $0 + $1.bytes }
      return
    }
    entries.append(LinkMailbox.Entry(event: .closed(code: code, reason: reason), connection: ended))
  }

  /// Who had to wait and may send again.
  mutating func resumed() -> (any WebSocketSending)? {
    guard isPaused, entries.count <= LinkMailbox.pauseCount / 4, bytes <= LinkMailbox.pauseBytes / 4 else { return nil }
    isPaused = false
    return newest
  }
}
