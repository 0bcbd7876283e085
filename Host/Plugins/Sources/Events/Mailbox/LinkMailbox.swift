// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarTransports
internal import Synchronization

/// What comes to a link without being asked for, until whoever leads the link hands it to the plugin: connections and messages of
/// a listener, timers, wakes, verdicts, the end of commands. It is also what the plugin may ask of its link's host.
///
/// Written from any thread, emptied by the link's guard, or by the validator where it plays one. Everything is bounded: messages by
/// count and bytes, with the far end made to wait before that, timers, wakes and commands by count. Where the link is not open
/// nothing is kept.
package final class LinkMailbox: Sendable {
  /// Messages that may wait; a far end that goes on loses its connection.
  package static let limit = 64
  /// Everything that waits.
  private static let entryLimit = 512

  struct Entry {
    var event: LinkEvent
    /// The connection that it is about.
    var connection: (any WebSocketSending)?
    var bytes: Int { if case .message(_, let bytes) = event { bytes.count } else { 0 } }
  }

  struct Timer {
    var due: Int64
    /// 0 = once.
    var period: Int64
  }

  /// A command that the plugin ends later.
  struct Command {
    var deadline: Int64
    var answer: @Sendable (CommandResult) -> Void
  }

  struct State {
    /// The plugin's side exists, so that timers and events have a meaning; connections are taken once it is open.
    var isAlive = false
    var isOpen = false
    /// How often it has ended: an answer to a question of an earlier life is nobody's.
    var lives = 0
    var entries: [Entry] = []
    /// Events that waited and were handed out.
    var taken = 0
    var bytes = 0
    /// The newest connection, and the one that the plugin knows of.
    var newest: (any WebSocketSending)?
    var told: (any WebSocketSending)?
    var isPaused = false
    var timers: [UInt64: Timer] = [:]
    var wakes: [UInt64] = []
    var questions = 0
    var commands: [UInt64: Command] = [:]
    /// Ends of commands that came before it was known that they were pending.
    var early: [UInt64: CommandResult] = [:]
    /// A command is with the plugin and has no result yet.
    var commanding = false
    var notified = false
    var notify: (@Sendable () -> Void)?
  }

  let state = Mutex(State())
  let trace: (any FrameRecording)?
  let desk: any LinkDesk

  /// `trace` takes what comes and goes, where somebody wants to see it; what the mailbox does not know it asks at the `desk`.
  package init(trace: (any FrameRecording)?, desk: any LinkDesk) {
    self.trace = trace
    self.desk = desk
  }

  /// Whoever leads the link is called once for all that comes until it looks.
  package func connect(_ notify: @escaping @Sendable () -> Void) { state.withLock { $0.notify = notify } }

  /// The link is about to be opened: its plugin may ask for timers.
  package func prepare() { state.withLock { $0.isAlive = true } }

  /// With the end of the link everything ends that waits.
  package func setOpen(_ isOpen: Bool) {
    let (connection, commands) = state.withLock { state in
      state.isOpen = isOpen
      state.isAlive = isOpen
      guard !isOpen else { return (nil as (any WebSocketSending)?, [Command]()) }
      defer {
        state.lives += 1
        (state.newest, state.told) = (nil, nil)
        (state.entries, state.bytes, state.isPaused) = ([], 0, false)
        (state.timers, state.wakes) = ([:], [])
        (state.commands, state.early, state.commanding) = ([:], [:], false)
      }
      return (state.newest, Array(state.commands.values))
    }
    if let connection {
      // RFC 6455 section 7.4.1, 1012 of the registry: whoever connects again is welcome.
      connection.close(code: 1012, reason: "the service is starting anew")
      trace?.record(.closed, device: 0)
    }
    for command in commands { command.answer(.unknown("the link was closed before the device answered")) }
  }

  /// The next event that is due; nil where there is none.
  package func next(now: Int64) -> LinkEvent? {
    let next = state.withLock { $0.next(now) }
    next.resumed?.pauseReading(false)
    next.overdue?.answer(.unknown("the device did not answer in time"))
    return next.event
  }

  /// When `next` has something, boot clock; nil = not before somebody writes.
  package var due: Int64? {
    state.withLock { state in
      guard state.entries.isEmpty, state.wakes.isEmpty else { return 0 }
      let timers = state.timers.values.lazy.map(\.due).min()
      let commands = state.commands.values.lazy.map(\.deadline).min()
      return [timers, commands].compactMap { $0 }.min()
    }
  }

  /// How many events that waited were handed out, and how many it will be when all that wait now are.
  package var progress: (taken: Int, all: Int) { state.withLock { ($0.taken, $0.taken + $0.entries.count + $0.wakes.count) } }

  /// Something that happened and is about no connection.
  package func put(_ event: LinkEvent) { put(event, in: nil) }

  /// `life`: the only one that it is for.
  func put(_ event: LinkEvent, in life: Int?) {
    let notify = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.isAlive, life == nil || life == state.lives, state.entries.count < Self.entryLimit else { return nil }
      // The plugin asks for the list as it is then.
      guard event != .listChanged || !state.entries.contains(where: { $0.event == .listChanged }) else { return nil }
      state.entries.append(Entry(event: event))
      return state.notification()
    }
    notify?()
  }
}

extension LinkMailbox.State {
  struct Next {
    var event: LinkEvent?
    /// The far end may send again.
    var resumed: (any WebSocketSending)?
    var overdue: LinkMailbox.Command?
  }

  fileprivate mutating func next(_ now: Int64) -> Next {
    notified = false
    if let (token, command) = overdue(now) { return Next(event: .abandoned(token: token), overdue: command) }
    if !entries.isEmpty {
      let entry = entries.removeFirst()
      taken += 1
      bytes -= entry.bytes
      switch entry.event {
      case .opened: told = entry.connection
      case .closed: told = nil
      default: break
      }
      return Next(event: entry.event, resumed: resumed())
    }
    if let tag = dueTimer(now) { return Next(event: .timer(tag: tag)) }
    guard !wakes.isEmpty else { return Next() }
    taken += 1
    return Next(event: .wake(tag: wakes.removeFirst()))
  }

  /// Whom to call because something has come.
  mutating func notification() -> (@Sendable () -> Void)? {
    guard !notified, let notify else { return nil }
    notified = true
    return notify
  }
}
