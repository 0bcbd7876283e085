// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// What a conversation wants done, in this order: what is stored and recorded before a `send` must be safe when it leaves.
package enum Effect: Equatable, Sendable {
  /// A message to the charger.
  case send(String)
  /// Readings, taken at a time (Unix milliseconds by our clock).
  case points([PointValue], at: Int64)
  /// A document of interfaces 3.4.
  case session(JSON)
  /// Something that happened, for the record: its kind in words of OCPP (`SecurityEventNotification`) and its content.
  case event(String, JSON)
  /// Who the charger is.
  case identity(ChargerIdentity)
  /// May this tag charge here? The answer goes to `authorized`.
  case authorize(TagQuestion)
  /// Keep a value for the next start; nil removes it.
  case store(key: String, value: JSON?)
  /// How a command ended.
  case outcome(ticket: UInt64, Outcome)
  /// A state that people should know of, and its end.
  case alarm(String, isActive: Bool, text: String)
  /// For the log: something out of the ordinary, said once in a while.
  case note(String)
  /// End the connection.
  case close(String)
}

package struct PointValue: Equatable, Sendable {
  package enum Value: Equatable, Sendable {
    case number(Double)
    case text(String)
    case flag(Bool)
  }

  /// As in interfaces 5; `_c1`… where the charger has several connectors.
  package var name: String
  package var unit: String
  package var value: Value
  /// Good to show, not to bill.
  package var isEstimated: Bool

  package init(_ name: String, _ value: Value, unit: String = "", isEstimated: Bool = false) {
    self.name = name
    self.unit = unit
    self.value = value
    self.isEstimated = isEstimated
  }
}

/// From BootNotification; empty where the charger does not say.
package struct ChargerIdentity: Equatable, Sendable {
  package var vendor = ""
  package var model = ""
  package var serial = ""
  package var firmware = ""
  package var meter = ""

  package init() {}
}

package struct TagQuestion: Equatable, Sendable {
  package enum Occasion: String, Sendable {
    case authorize, start, stop
  }

  /// To give back with the answer.
  package var ticket: UInt64
  package var tag: String
  /// IdTokenEnumType; empty in 1.6.
  package var type: String
  package var connector: Int?
  package var occasion: Occasion
}

/// How a command ended (interfaces 3.3).
package enum Outcome: Equatable, Sendable {
  /// It took effect; what the charger answered.
  case done(JSON)
  /// The charger took it, its effect is not seen yet.
  case accepted(JSON)
  /// The charger would not, or cannot.
  case refused(String)
  /// It was no command that can be; nothing was sent.
  case invalid(String)
  case failed(String)
  /// It left, and nobody knows.
  case unknown(String)
}
