// SPDX-License-Identifier: Apache-2.0

/// How a value gets into a device: one register, or a set of them that depends on the value.
package struct WriteRule: Equatable, Sendable {
  package var cases: [Case]
  package var confirmation: Confirmation
  /// Milliseconds from the write to the read-back.
  package var settle = 0

  package init(_ cases: [Case], confirmation: Confirmation = .point) {
    self.cases = cases
    self.confirmation = confirmation
  }

  package struct Case: Equatable, Sendable {
    package var condition: Condition
    package var sets: [Assignment]

    package init(_ condition: Condition, _ sets: [Assignment]) {
      self.condition = condition
      self.sets = sets
    }
  }

  package enum Condition: Equatable, Sendable {
    case always, positive, negative
    /// A number, the index of a label, or 0 and 1 of a switch.
    case equals(Double)

    package func holds(_ value: Double) -> Bool {
      switch self {
      case .always: true
      case .positive: value > 0
      case .negative: value < 0
      case .equals(let other): value == other
      }
    }
  }

  package struct Assignment: Equatable, Sendable {
    package enum Value: Equatable, Sendable {
      case constant(Double)
      /// The commanded value, or its negative.
      case commanded(negated: Bool)
    }

    package var field: Field
    package var value: Value
    /// 6 or 16; 5 for a coil.
    package var function: UInt8

    package init(_ field: Field, _ value: Value, function: UInt8) {
      self.field = field
      self.value = value
      self.function = function
    }
  }

  /// How it is seen that a value took effect.
  package enum Confirmation: Equatable, Sendable {
    /// Not at all.
    case none
    /// The point is read, if it can be.
    case point
    /// The written registers are read.
    case registers
    /// Another place is read.
    case field(Field)
  }

  package enum Failure: Error, Equatable, Sendable {
    /// No case is for this value.
    case noCase
    /// The value does not fit into this register.
    case range(Address)
  }

  package struct Step: Equatable, Sendable {
    package var request: Request
    package var field: Field
    package var words: [UInt16]
  }

  /// The requests for a value, in their order. Labels come as their index, switches as 0 and 1.
  package func steps(for value: Double) throws(Failure) -> [Step] {
    guard let match = cases.first(where: { $0.condition.holds(value) }) else { throw .noCase }
    var steps: [Step] = []
    for assignment in match.sets {
      let wanted = assignment.number(value)
      guard let words = assignment.field.encode(wanted) else { throw .range(assignment.field.address) }
      let register = assignment.field.address.register
      let request: Request =
        switch assignment.function {
        case 5: .writeCoil(register, words[0] != 0)
        case 6: .writeRegister(register, words[0])
        default: .writeRegisters(register, words)
        }
      steps.append(Step(request: request, field: assignment.field, words: words))
    }
    return steps
  }

  /// The value that registers stand for, the other way round; nil where they match no case.
  package func value(from words: (Field) -> [UInt16]?) -> Double? {
    for candidate in cases {
      var value: Double?
      var matches = true
      for assignment in candidate.sets {
        guard let words = words(assignment.field), case .number(let found) = assignment.field.decode(words[...]) else {
          matches = false
          break
        }
        switch assignment.value {
        case .constant(let constant): matches = matches && found == constant
        case .commanded(let negated): value = negated ? -found : found
        }
      }
      guard matches else { continue }
      switch candidate.condition {
      case .equals(let constant): return constant
      case .always, .positive, .negative: if let value, candidate.condition.holds(value) { return value }
      }
    }
    return nil
  }
}

extension WriteRule.Assignment {
  fileprivate func number(_ commanded: Double) -> Double {
    switch value {
    case .constant(let constant): constant
    case .commanded(let negated): negated ? -commanded : commanded
    }
  }
}

/// What reading back after a write tells.
package enum Confirmed: Equatable, Sendable {
  /// The value that is in force now; a device may have clamped the wanted one.
  case inForce(Double)
  /// The device kept what it had.
  case ignored(Double)

  /// `tolerance` in the point's unit; `old` nil where it was not known.
  package init(wanted: Double, old: Double?, found: Double, tolerance: Double) {
    if abs(found - wanted) <= tolerance {
      self = .inForce(found)
    } else if let old, abs(found - old) <= tolerance {
      self = .ignored(found)
    } else {
      self = .inForce(found)
    }
  }
}
