// SPDX-License-Identifier: Apache-2.0

/// The shape of an object: a type, a request or a response.
///
/// Tables say it in lines of words. `enum NAME VALUE…`, `type NAME FIELD…`, `> ACTION FIELD…` a request of the charger,
/// `< ACTION FIELD…` one of the central system, `<> ACTION FIELD…` one of either, each followed by its response `= FIELD…`.
/// `every FIELD` is in all types and messages that are not open. A field is `name=KIND`, `name?=KIND` where it may be absent;
/// `*` makes the object open to other fields. Kinds: `text`, `text20` (at most so many characters), `time`, `bool`, `int`,
/// `int0-100` (bounds), `num`, `num/10` (at most one decimal), `any`, or the name of an enumeration or a type; `KIND[1-4]` is a
/// list with so many items. A line that begins with two spaces goes on with the one before.
package struct Shape: Equatable, Sendable {
  package struct Field: Equatable, Sendable {
    package var name: String
    package var isRequired: Bool
    package var kind: Kind
    /// Nil where it is no list.
    package var items: ClosedRange<Int>?
  }

  package indirect enum Kind: Equatable, Sendable {
    case any, boolean, time
    case text(longest: Int)
    case integer(ClosedRange<Int64>)
    case number(oneDecimal: Bool)
    /// Index into the catalogue's enumerations or shapes.
    case enumeration(Int)
    case object(Int)
  }

  package var fields: [Field] = []
  package var isOpen = false
}

package struct Enumeration: Equatable, Sendable {
  package var name: String
  package var values: [String]
}

/// Who may send a request.
package struct Senders: OptionSet, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let charger = Senders(rawValue: 1)
  package static let centralSystem = Senders(rawValue: 2)
}

package struct Action: Equatable, Sendable {
  package var name: String
  package var senders: Senders
  package var request: Shape
  package var response: Shape
}
