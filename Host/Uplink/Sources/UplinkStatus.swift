// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
package import BusbarMosquitto

/// How the uplink is doing.
package struct UplinkStatus: Sendable, Equatable {
  package enum State: String, Sendable, Codable, CaseIterable {
    case connecting, connected, disconnected
  }

  /// Since the start of the host.
  package struct Counters: Sendable, Equatable {
    /// Messages given to the broker, repeats included.
    package var published = 0
    /// Messages that the broker took.
    package var acknowledged = 0
    /// Messages that the broker refused (MQTT 5), or that could not be published as they are.
    package var refused = 0
    /// Connections after the first one.
    package var reconnects = 0
    /// Commands that came in and were handed on.
    package var commands = 0
    /// Commands that were dropped because the broker had retained them.
    package var droppedRetained = 0
    /// Messages that came in and were no commands, and had no id to be answered by.
    package var malformed = 0
    /// Commands for devices of other hosts at the same broker, left to those.
    package var elsewhere = 0
    /// Answers that gave way to newer ones.
    package var droppedResponses = 0

    package init() {}
  }

  package var state: State
  /// A sentence for a person: why there is no connection, or what does not work in spite of one.
  package var reason: String?
  /// When the state was entered, Unix milliseconds.
  package var since: Int64
  /// Nil while there is no connection.
  package var version: MQTTVersion?
  package var counters: Counters

  package init(
    state: State, reason: String? = nil, since: Int64, version: MQTTVersion? = nil, counters: Counters = Counters()
  ) {
    self.state = state
    self.reason = reason
    self.since = since
    self.version = version
    self.counters = counters
  }

  package var json: JSONValue {
    var object: [String: JSONValue] = [
      "state": .string(state.rawValue), "since": .integer(since),
      "published": .integer(Int64(counters.published)), "acknowledged": .integer(Int64(counters.acknowledged)),
      "refused": .integer(Int64(counters.refused)), "reconnects": .integer(Int64(counters.reconnects)),
      "commands": .integer(Int64(counters.commands)), "dropped_retained": .integer(Int64(counters.droppedRetained)),
      "malformed": .integer(Int64(counters.malformed)), "elsewhere": .integer(Int64(counters.elsewhere)),
      "dropped_responses": .integer(Int64(counters.droppedResponses)),
    ]
    object["reason"] = reason.map { .string($0) }
    object["mqtt"] = version.map { .string($0.rawValue) }
    return .object(object)
  }
}
