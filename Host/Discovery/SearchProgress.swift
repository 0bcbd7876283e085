// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// How far a search is, and what came of its parts.
package struct SearchProgress: Sendable, Equatable {
  package enum State: String, Sendable { case running, done, cancelled }

  package struct Connection: Sendable, Equatable {
    package var endpoint: String
    package var done = 0
    package var total = 0
    package var isOver = false
    /// Why it could not be searched.
    package var reason: String?
  }

  /// Connections that are shown one by one.
  private static let shown = 64

  package var number: Int
  package var state = State.running
  /// Unix milliseconds.
  package var started: Int64
  package var ended: Int64?
  package var addresses = 0
  package var asked = 0
  package var answering = 0
  /// Addresses of ranges that were left alone, because a connection to them is in service.
  package var inService = 0
  package var connections: [Connection] = []
  package var found = 0
  /// What could not be searched at all, a sentence each.
  package var problems: [String] = []

  package init(number: Int, started: Int64) {
    self.number = number
    self.started = started
  }

  package var json: JSONValue {
    let list = connections.prefix(Self.shown).map { connection -> JSONValue in
      [
        "endpoint": .string(connection.endpoint), "done": .integer(Int64(connection.done)),
        "total": .integer(Int64(connection.total)),
        "state": connection.isOver ? (connection.reason == nil ? "done" : "failed") : "running",
        "reason": connection.reason.map { .string($0) } ?? .null,
      ]
    }
    return [
      "search": .integer(Int64(number)), "state": .string(state.rawValue), "started": .integer(started),
      "ended": ended.map { .integer($0) } ?? .null,
      "addresses": [
        "total": .integer(Int64(addresses)), "asked": .integer(Int64(asked)), "answering": .integer(Int64(answering)),
        "in_service": .integer(Int64(inService)),
      ],
      "connections": .array(list), "found": .integer(Int64(found)),
      "problems": .array(problems.map { .string($0) }),
    ]
  }
}
