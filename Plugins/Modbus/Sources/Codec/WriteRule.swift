// SPDX-License-Identifier: Apache-2.0

/// How a value gets into a device: one register, or a set of them that depends on the value.
package struct WriteRule: Equatable, Sendable {
  package var cases: [Case]
  package var confirmation: Confirmation
  /// Milliseconds from the write to the read-back.
  package var settle = 0
  /// Milliseconds within which all registers of a case have to be written; nil: any time will do.
  package var within: Int?
  /// Where the device says what it can take; what is beyond is not sent, but the limit.
  package var clamp = Clamp()
  /// nil: the registers may be written as often as anybody likes.
  package var wear: WearBudget?

  package init(_ cases: [Case], confirmation: Confirmation = .point) {
    self.cases = cases
    self.confirmation = confirmation
  }

  package struct Clamp: Equatable, Sendable {
    package var minimum: Term?
    package var maximum: Term?
    package init() {}
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
    /// The register that holds the power of ten of the field's scale.
    package var power: Field?

    package init(_ field: Field, _ value: Value, function: UInt8, power: Field? = nil) {
      self.field = field
      self.value = value
      self.function = function
      self.power = power
    }

    /// The request for a commanded value.
    package func step(for commanded: Double) throws(Failure) -> Step {
      guard let words = field.encode(number(commanded)) else { throw .range(field.address) }
      let register = field.address.register
      let request: Request =
        switch function {
        case 5: .writeCoil(register, words[0] != 0)
        case 6: .writeRegister(register, words[0])
        default: .writeRegisters(register, words)
        }
      return Step(request: request, field: field, words: words)
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
    for assignment in match.sets { steps.append(try assignment.step(for: value)) }
    return steps
  }

  /// Registers that hold powers of ten for what is written.
  package var powers: [Field] {
    var powers: [Field] = []
    for power in cases.flatMap(\.sets).compactMap(\.power) where !powers.contains(power) { powers.append(power) }
    return powers
  }

  /// With these powers of ten; nil where one is missing.
  package func scaled(_ exponents: [Address: Int]) -> WriteRule? {
    var rule = self
    for index in rule.cases.indices {
      for place in rule.cases[index].sets.indices {
        let set = rule.cases[index].sets[place]
        guard let power = set.power else { continue }
        guard let exponent = exponents[power.address] else { return nil }
        rule.cases[index].sets[place].field = set.field.scaled(byPowerOfTen: exponent)
        rule.cases[index].sets[place].power = nil
      }
    }
    return rule
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
