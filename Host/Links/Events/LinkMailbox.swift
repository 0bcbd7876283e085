// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
package import BusbarPlugins
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// What comes to a link without being asked for, until its guard hands it to the plugin: connections and messages of a
/// listener, timers, wakes, verdicts, the end of commands. It is also what the plugin may ask of its link's host.
///
/// Written from any thread, emptied by the guard. Everything is bounded: messages by count and bytes, with the far end made to
/// wait before that, timers, wakes and commands by count. Where the link is not open nothing is kept.
package final class LinkMailbox: LinkServices {
  /// Messages that may wait; a far end that goes on loses its connection.
  package static let limit = 64
  /// Beyond these the far end has to wait.
  private static let pauseCount = 16
  private static let pauseBytes = 256 << 10
  /// Everything that waits.
  private static let entryLimit = 512
  /// Questions about tags that have no answer yet.
  private static let questionLimit = 64
  private static let timerLimit = 64
  private static let wakeLimit = 64
  /// The most that any plugin has (async.h).
  private static let commandLimit = 64
  /// No timer comes more often, nanoseconds.
  private static let shortest: Int64 = 1_000_000

  private struct Entry {
    var event: LinkEvent
    /// The connection that it is about.
    var connection: (any WebSocketSending)?
    var bytes: Int { if case .message(_, let bytes) = event { bytes.count } else { 0 } }
  }

  private struct Timer {
    var due: Int64
    /// 0 = once.
    var period: Int64
  }

  /// A command that the plugin ends later.
  private struct Command {
    var deadline: Int64
    var answer: @Sendable (CommandResult) -> Void
  }

  private struct State {
    /// The plugin's side exists, so that timers and events have a meaning; connections are taken once it is open.
    var isAlive = false
    var isOpen = false
    var entries: [Entry] = []
    var bytes = 0
    /// The newest connection, and the one that the plugin knows of.
    var newest: (any WebSocketSending)?
    var told: (any WebSocketSending)?
    var isPaused = false
    var timers: [UInt64: Timer] = [:]
    var wakes: [UInt64] = []
    var questions = 0
    var commands: [UInt64: Command] = [:]
    /// Ends of commands that came before the guard knew that they were pending.
    var early: [UInt64: CommandResult] = [:]
    /// A command is with the plugin and has no result yet.
    var commanding = false
    var notified = false
    var notify: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  private let trace: LinkTrace
  private let desk: LinkDesk

  init(trace: LinkTrace, desk: LinkDesk) {
    self.trace = trace
    self.desk = desk
  }

  /// The guard is called once for all that comes until it looks.
  func connect(_ notify: @escaping @Sendable () -> Void) { state.withLock { $0.notify = notify } }

  // MARK: For the guard

  /// The link is about to be opened: its plugin may ask for timers.
  func prepare() { state.withLock { $0.isAlive = true } }

  /// With the end of the link everything ends that waits.
  func setOpen(_ isOpen: Bool) {
    let (connection, commands) = state.withLock { state in
      state.isOpen = isOpen
      state.isAlive = isOpen
      guard !isOpen else { return (nil as (any WebSocketSending)?, [Command]()) }
      defer {
        (state.newest, state.told) = (nil, nil)
        (state.entries, state.bytes, state.isPaused) = ([], 0, false)
        (state.timers, state.wakes) = ([:], [])
        (state.commands, state.early, state.commanding) = ([:], [:], false)
      }
      return (state.newest ?? state.told, Array(state.commands.values))
    }
    // RFC 6455 section 7.4.1, 1012 of the registry: whoever connects again is welcome.
    connection?.close(code: 1012, reason: "the service is starting anew")
    for command in commands { command.answer(.unknown("the link was closed before the device answered")) }
  }

  /// A connection stands that the plugin knows of.
  var isConnected: Bool { state.withLock { $0.told != nil } }

  /// A connection stands that the plugin will soon know of.
  var isAwaiting: Bool { state.withLock { $0.newest != nil } }

  /// The next event that is due; nil where there is none.
  func next(now: Int64) -> LinkEvent? {
    let next = state.withLock { Self.next(&$0, now) }
    next.resumed?.pauseReading(false)
    next.overdue?.answer(.unknown("the device did not answer in time"))
    return next.event
  }

  private struct Next {
    var event: LinkEvent?
    /// The far end may send again.
    var resumed: (any WebSocketSending)?
    var overdue: Command?
  }

  private static func next(_ state: inout State, _ now: Int64) -> Next {
    state.notified = false
    if let (token, command) = overdue(&state, now) { return Next(event: .abandoned(token: token), overdue: command) }
    if !state.entries.isEmpty {
      let entry = state.entries.removeFirst()
      state.bytes -= entry.bytes
      switch entry.event {
      case .opened: state.told = entry.connection
      case .closed: state.told = nil
      default: break
      }
      return Next(event: entry.event, resumed: resumed(&state))
    }
    if let tag = dueTimer(&state, now) { return Next(event: .timer(tag: tag)) }
    return Next(event: state.wakes.isEmpty ? nil : .wake(tag: state.wakes.removeFirst()))
  }

  /// When `next` has something, boot clock; nil = not before somebody writes.
  var due: Int64? {
    state.withLock { state in
      guard state.entries.isEmpty, state.wakes.isEmpty else { return 0 }
      let timers = state.timers.values.lazy.map(\.due).min()
      let commands = state.commands.values.lazy.map(\.deadline).min()
      return [timers, commands].compactMap { $0 }.min()
    }
  }

  /// A command goes to the plugin; what it says of one that it ends later may come before it has returned.
  func commandBegins() { state.withLock { $0.commanding = true } }

  /// It has returned; with a token it ends later, until `deadline`.
  func commandReturned(
    pending token: UInt64? = nil, until deadline: Int64 = 0, answer: @escaping @Sendable (CommandResult) -> Void = { _ in }
  ) {
    let early = state.withLock { state -> CommandResult? in
      defer {
        state.commanding = false
        state.early = [:]
      }
      guard let token else { return nil }
      guard state.isOpen else { return .unknown("the link was closed before the device answered") }
      if let early = state.early[token] { return early }
      state.commands[token] = Command(deadline: deadline, answer: answer)
      return nil
    }
    if let early { answer(early) }
  }

  /// Commands that the plugin has not ended.
  var pending: Int { state.withLock { $0.commands.count } }

  func put(_ event: LinkEvent) { put(Entry(event: event)) }

  private static func overdue(_ state: inout State, _ now: Int64) -> (UInt64, Command)? {
    guard let (token, command) = state.commands.first(where: { $0.value.deadline <= now }) else { return nil }
    state.commands[token] = nil
    return (token, command)
  }

  private static func dueTimer(_ state: inout State, _ now: Int64) -> UInt64? {
    guard let (tag, timer) = state.timers.min(by: { $0.value.due < $1.value.due }), timer.due <= now else { return nil }
    // A late timer does not make up for what it missed.
    state.timers[tag] = timer.period == 0 ? nil : Timer(due: max(timer.due + timer.period, now), period: timer.period)
    return tag
  }

  private static func resumed(_ state: inout State) -> (any WebSocketSending)? {
    guard state.isPaused, state.entries.count <= pauseCount / 4, state.bytes <= pauseBytes / 4 else { return nil }
    state.isPaused = false
    return state.newest
  }

  /// The newest connection is over. What the plugin has never heard of it need not hear of.
  private static func end(_ state: inout State, code: UInt16, reason: String) {
    guard let ended = state.newest else { return }
    state.newest = nil
    state.isPaused = false
    guard state.told === ended else {
      state.entries.removeAll { $0.connection === ended }
      state.bytes = state.entries.reduce(0) { $0 + $1.bytes }
      return
    }
    state.entries.append(Entry(event: .closed(code: code, reason: reason), connection: ended))
  }

  private func put(_ entry: Entry) {
    let notify = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.isAlive, state.entries.count < Self.entryLimit else { return nil }
      // The plugin asks for the list as it is then.
      guard entry.event != .listChanged || !state.entries.contains(where: { $0.event == .listChanged }) else { return nil }
      state.entries.append(entry)
      state.bytes += entry.bytes
      return Self.notification(&state)
    }
    notify?()
  }

  private static func notification(_ state: inout State) -> (@Sendable () -> Void)? {
    guard !state.notified, let notify = state.notify else { return nil }
    state.notified = true
    return notify
  }

  // MARK: For the listener

  /// False where the link is not there to take a connection.
  package var isOpen: Bool { state.withLock { $0.isOpen } }

  /// Takes the place of a connection that stands.
  func attach(_ connection: any WebSocketSending, _ peer: SocketPeer) {
    let (former, notify, isOpen) = state.withLock { state -> ((any WebSocketSending)?, (@Sendable () -> Void)?, Bool) in
      guard state.isOpen else { return (nil, nil, false) }
      let former = state.newest
      Self.end(&state, code: 1006, reason: "a newer connection takes its place")
      state.newest = connection
      state.isPaused = false
      state.entries.append(Entry(event: .opened(peer), connection: connection))
      return (former, Self.notification(&state), true)
    }
    former?.close(code: 1000, reason: "a newer connection takes your place")
    guard isOpen else { return connection.close(code: 1012, reason: "the service is starting anew") }
    trace.record(.opened, device: 0)
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
      return (pauses, false, Self.notification(&state))
    }
    if overflows { connection.close(code: 1008, reason: "too many messages are waiting") }
    if pauses { connection.pauseReading(true) }
    record(.received, text: text, bytes)
    notify?()
  }

  func ended(_ connection: any WebSocketSending, code: UInt16, reason: String) {
    let notify = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.newest === connection else { return nil }
      Self.end(&state, code: code, reason: reason)
      return Self.notification(&state)
    }
    guard let notify else { return }
    trace.record(.closed, device: 0)
    notify()
  }

  /// Passwords that a protocol carries in its messages stay out of traces.
  private func record(_ direction: TraceRing.Direction, text: Bool, _ bytes: [UInt8]) {
    trace.record(direction, SecretNames.appear(in: bytes) ? Array(#"(a message with a secret, left out)"#.utf8) : bytes, device: 0)
  }

  // MARK: For the plugin

  package func send(text: Bool, _ bytes: [UInt8]) -> SendOutcome {
    guard let connection = state.withLock({ $0.told }) else { return .closed }
    guard connection.send(text ? .text(bytes) : .binary(bytes)) else { return connection.isOpen ? .full : .closed }
    record(.sent, text: text, bytes)
    return .taken
  }

  package func close(code: UInt16, reason: String) { state.withLock { $0.told }?.close(code: code, reason: reason) }

  /// Whoever is connected, known to the plugin or not.
  func drop(code: UInt16, reason: String) { state.withLock { $0.newest ?? $0.told }?.close(code: code, reason: reason) }

  package func timer(tag: UInt64, delay: Int64, period: Int64) {
    let now = Clock.boot()
    let notify = state.withLock { state -> (@Sendable () -> Void)? in
      guard delay >= 0 else {
        state.timers[tag] = nil
        return nil
      }
      guard state.isAlive, state.timers[tag] != nil || state.timers.count < Self.timerLimit else { return nil }
      let (due, overflow) = now.addingReportingOverflow(delay)
      state.timers[tag] = Timer(due: overflow ? .max : due, period: period == 0 ? 0 : max(period, Self.shortest))
      return Self.notification(&state)
    }
    notify?()
  }

  package func wake(tag: UInt64) {
    let notify = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.isAlive, !state.wakes.contains(tag), state.wakes.count < Self.wakeLimit else { return nil }
      state.wakes.append(tag)
      return Self.notification(&state)
    }
    notify?()
  }

  package func completed(token: UInt64, _ result: CommandResult) -> Bool {
    let (command, known) = state.withLock { state -> (Command?, Bool) in
      if let command = state.commands.removeValue(forKey: token) { return (command, true) }
      guard state.commanding, state.early.count < Self.commandLimit else { return (nil, false) }
      state.early[token] = result
      return (nil, true)
    }
    command?.answer(result)
    // The lane may have waited for it.
    if command != nil { state.withLock { Self.notification(&$0) }?() }
    return known
  }

  package func ask(device: UInt32, ticket: UInt64, tag: String, kind: String) {
    let admitted = state.withLock { state in
      guard state.questions < Self.questionLimit else { return false }
      state.questions += 1
      return true
    }
    guard admitted else { return put(.verdict(ticket: ticket, .undecided)) }
    desk.ask(device: device, tag: tag, kind: kind) { [weak self] answer in
      self?.state.withLock { $0.questions -= 1 }
      self?.put(.verdict(ticket: ticket, answer))
    }
  }

  package func tags() -> [UInt8] { desk.tags() }

  package func record(device: UInt32, kind: String, document: [UInt8]) -> String? {
    desk.record(device: device, kind: kind, document: document)
  }

  package func request(device: String, point: String, value: Double?, valid: Int64) -> String? {
    desk.request(device: device, point: point, value: value, valid: valid)
  }
}
