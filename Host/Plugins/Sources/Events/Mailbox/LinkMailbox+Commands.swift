// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Commands that the plugin ends later (async.h).
extension LinkMailbox {
  /// The most that any plugin has (async.h).
  private static let commandLimit = 64

  /// A command goes to the plugin; what it says of one that it ends later may come before it has returned.
  package func commandBegins() { state.withLock { $0.commanding = true } }

  /// It has returned; with a token it ends later, until `deadline`.
  package func commandReturned(
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
  package var pending: Int { state.withLock { $0.commands.count } }

  package func completed(token: UInt64, _ result: CommandResult) -> Bool {
    let (command, known) = state.withLock { state -> (Command?, Bool) in
      if let command = state.commands.removeValue(forKey: token) { return (command, true) }
      guard state.commanding, state.early.count < Self.commandLimit else { return (nil, false) }
      state.early[token] = result
      return (nil, true)
    }
    command?.answer(result)
    // The lane may have waited for it.
    if command != nil { state.withLock { $0.notification() }?() }
    return known
  }
}

extension LinkMailbox.State {
  /// A command that the plugin has not ended by its deadline, with its token.
  mutating func overdue(_ now: Int64) -> (UInt64, LinkMailbox.Command)? {
    guard let (token, command) = commands.first(where: { $0.value.deadline <= now }) else { return nil }
    commands[token] = nil
    return (token, command)
  }
}
