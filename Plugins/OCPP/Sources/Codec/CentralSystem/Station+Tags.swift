// SPDX-License-Identifier: Apache-2.0

internal import PluginJSON

/// The list of tags in the charger.
extension Station {
  /// The charger has said which version its list has.
  mutating func sendList(_ list: TagList, version: Int64, _ ticket: UInt64) {
    // -1: no list there (1.6 section 5.10).
    guard version >= 0 else { return end(ticket, .refused("the charger keeps no list")) }
    guard list.count <= variables.number(.listLength) ?? .max else {
      return end(ticket, .refused("the charger keeps \(variables[.listLength] ?? "") tags at most"))
    }
    let known = knownList.flatMap { $0.version == version ? $0 : nil }
    if version == list.version, known != nil || knownList == nil {
      knownList = list
      return end(ticket, .done(["version": .integer(version)]))
    }
    sendList(list, TagListUpdate(list, known: known, mostEntries: mostListEntries).messages[...], isFull: known == nil, ticket)
  }

  private var mostListEntries: Int { variables.number(.listMessageLength) ?? variables.number(.itemsPerMessage) ?? 20 }

  private mutating func sendList(_ list: TagList, _ messages: ArraySlice<TagListUpdate.Message>, isFull: Bool, _ ticket: UInt64) {
    guard let message = messages.first else {
      knownList = list
      return end(ticket, .done(["version": .integer(list.version)]))
    }
    let payload = version == .v16 ? message.v16 : message.v201
    if !call("SendLocalList", payload, .list(ticket, list, rest: Array(messages.dropFirst()), isFull: isFull)) {
      end(ticket, .failed("too many calls wait for the charger"))
    }
  }

  mutating func listAnswered(_ list: TagList, _ rest: [TagListUpdate.Message], isFull: Bool, status: String, _ ticket: UInt64) {
    if status == "Accepted" { return sendList(list, rest[...], isFull: isFull, ticket) }
    knownList = nil
    if !isFull {
      // What we thought it had is not what it has.
      sendList(list, TagListUpdate(list, known: nil, mostEntries: mostListEntries).messages[...], isFull: true, ticket)
    } else {
      end(ticket, status == "NotSupported" ? .refused("the charger keeps no list") : .failed("the charger took no list: \(status)"))
    }
  }

  /// After the charger has said what it can do.
  mutating func learned() {
    let refused = abilities.refused
    abilities = variables.abilities
    abilities.refused = refused
    hasLearned = true
    if let count = variables.number(.connectors), (1...Connectors.most).contains(count), count != connectors.announced {
      connectors.announced = count
      storeCharger()
    }
  }

  /// A call came to nothing: no answer, or an error.
  mutating func failed(_ purpose: Purpose, _ outcome: Outcome) {
    switch purpose {
    case .command(let ticket, _), .parts(let ticket, _, _), .listVersion(let ticket, _), .list(let ticket, _, _, _): end(ticket, outcome)
    case .limit(let ticket, let step):
      leases[step.place]?.unanswered()
      end(ticket, outcome)
    case .verifyLimit(let ticket, _): end(ticket, .accepted(["verified": false]))
    case .clearLimit(let ticket, _): end(ticket, outcome)
    case .abilities: hasLearned = true
    case .vehicle, .learn: break
    }
  }
}

extension Outcome {
  /// What an answer's `status` means for a command. A request that was asked for as such is done with any answer.
  init(_ status: String, _ payload: JSON, of command: Command) {
    if case .call = command {
      self = .done(payload)
      return
    }
    switch status {
    case "Accepted", "Unlocked":
      // A session begins or ends later.
      switch command {
      case .start, .stop, .reset: self = .accepted(payload)
      default: self = .done(payload)
      }
    case "Scheduled", "RebootRequired": self = .accepted(payload)
    case "NotSupported", "NotImplemented": self = .refused("unsupported")
    default: self = .refused("the charger answered \(status.cut(to: 50))")
    }
  }
}
