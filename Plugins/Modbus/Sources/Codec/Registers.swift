// SPDX-License-Identifier: Apache-2.0

/// One of the four tables of a Modbus device (Application Protocol V1.1b3, 4.3).
package enum Table: String, CaseIterable, Sendable {
  case holding, input, coil, discrete

  /// The function that reads it.
  package var readFunction: UInt8 {
    switch self {
    case .coil: 1
    case .discrete: 2
    case .holding: 3
    case .input: 4
    }
  }

  /// Items of one bit, 2,000 a request; otherwise registers, 125 a request (V1.1b3, 6.1 to 6.4).
  package var isBits: Bool { self == .coil || self == .discrete }
}

/// A place in a table: the number that goes on the wire, counted from 0.
package struct Address: Hashable, Comparable, Sendable, CustomStringConvertible {
  package var table: Table
  package var register: Int

  package init(_ table: Table, _ register: Int) {
    self.table = table
    self.register = register
  }

  package static func < (one: Address, other: Address) -> Bool {
    (one.table.readFunction, one.register) < (other.table.readFunction, other.register)
  }

  package var description: String { "\(table.rawValue) \(register)" }
}
