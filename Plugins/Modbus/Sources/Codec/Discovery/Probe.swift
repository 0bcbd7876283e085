// SPDX-License-Identifier: Apache-2.0

/// One thing that has to be so in the registers of a device of a kind.
package struct ProbeCheck: Equatable, Sendable {
  package enum Test: Equatable, Sendable {
    /// One of these codes, after the mask.
    case code([Int64])
    /// A text that begins with one of these; the empty one means any text.
    case text([String])
    /// A value, scaled, in this range; never a pattern that means "no value".
    case range(ClosedRange<Double>)
    /// The device has no such register, or no value in it.
    case missing
  }

  package var field: Field
  package var test: Test

  package init(_ field: Field, _ test: Test) {
    self.field = field
    self.test = test
  }

  /// `words` nil: the device refused the register.
  package func holds(_ words: ArraySlice<UInt16>?) -> Bool {
    guard let words else { return test == .missing }
    switch test {
    case .code(let codes): return field.code(words).map(codes.contains) ?? false
    case .text(let beginnings):
      guard case .text(let text) = field.decode(words) else { return false }
      return beginnings.contains { text.hasPrefix($0) }
    case .range(let range):
      guard case .number(let number) = field.decode(words) else { return false }
      return range.contains(number)
    case .missing: return field.decode(words) == .none
    }
  }

  var isRange: Bool { if case .range = test { true } else { false } }

  /// Nothing but such a device is likely to hold it: a text of three letters or more, or a code beyond the small numbers
  /// that any register may hold.
  package var isSignature: Bool {
    switch test {
    case .code(let codes): codes.allSatisfy { $0 > 255 || $0 < -255 }
    case .text(let beginnings): beginnings.allSatisfy { $0.utf8.count >= 3 }
    case .range, .missing: false
    }
  }
}

/// What a survey has to know of a template.
package struct ProbedTemplate: Sendable {
  package var name: String
  /// Of devices of one kind at one unit only one is proposed.
  package var kind: String
  /// All have to hold. None: it is recognised by its device identification alone.
  package var checks: [ProbeCheck]
  package var identity: [IdentityPart: IdentitySource]
  package var limits: ReadLimits
  /// The unit that such a device has from the factory.
  package var unit: UInt8
  /// Milliseconds between requests, and after the connection is made.
  package var spacing: Int
  package var connectDelay: Int
  package var vendor: String
  package var models: [String]

  package init(
    name: String, kind: String = "", checks: [ProbeCheck], identity: [IdentityPart: IdentitySource] = [:],
    limits: ReadLimits = ReadLimits(), unit: UInt8 = 1, spacing: Int = 0, connectDelay: Int = 0, vendor: String = "",
    models: [String] = []
  ) {
    self.name = name
    self.kind = kind
    self.checks = checks
    self.identity = identity
    self.limits = limits
    self.unit = unit
    self.spacing = spacing
    self.connectDelay = connectDelay
    self.vendor = vendor
    self.models = models
  }

  /// The request that covers a check: neighbouring ones go together.
  func block(for check: ProbeCheck) -> Block {
    // A register that should not be there must not spoil the reading of the others.
    guard check.test != .missing else { return Block(check.field.address, count: check.field.count) }
    let blocks = BlockPlanner(limits).blocks(for: checks.filter { $0.test != .missing }.map(\.field))
    return blocks.first { $0.contains(check.field) } ?? Block(check.field.address, count: check.field.count)
  }

  var isSignature: Bool { checks.contains(where: \.isSignature) }
}
