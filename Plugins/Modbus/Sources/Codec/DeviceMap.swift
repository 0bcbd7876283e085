// SPDX-License-Identifier: Apache-2.0

/// What a template says about a device, checked and ready to be used.
package struct DeviceMap: Sendable {
  package var points: [Point]
  package var limits = ReadLimits()
  /// Ranges that are read whole, for values that have to fit together.
  package var explicitBlocks: [Block] = []
  /// What the device shows on request.
  package var windows: [Window] = []
  /// The device does not hear the first request after a while.
  package var asksTwice = false
  /// What is read once, at first contact.
  package var identity: [IdentityPart: IdentitySource] = [:]
  /// What the device speaks; nil: what is usual for the connection, Modbus TCP, or RTU on a serial line.
  package var framing: WireFraming?
  /// Milliseconds.
  package var timeout = 1_000
  package var connectDelay = 0
  /// Least time from the end of a request to the next read, and the next write.
  package var readSpacing = 0
  package var writeSpacing = 0

  package init(points: [Point]) { self.points = points }

  /// The window whose content a block is.
  package func window(of block: Block) -> Window? { windows.first { $0.content == block } }
}

package enum IdentityPart: String, CaseIterable, Sendable {
  case vendor, model, serial, firmware
}

package enum IdentitySource: Equatable, Sendable {
  case text(String)
  case field(Field, labels: [Int64: String])
}

/// What one request may ask for.
package struct ReadLimits: Equatable, Sendable {
  /// Registers, 1 to 125.
  package var maximumRegisters = Request.maximumReadCount
  /// Registers that nobody asked for and that may be read along to join two values.
  package var maximumGap = 0
  /// One value a request.
  package var isSingle = false
  /// The function for writing one register: 6 or 16.
  package var writeFunction: UInt8 = 16

  package init() {}
}

package struct Point: Sendable {
  package var name: String {
    get { storage.facts.name }
    set { change { $0.name = newValue } }
  }
  /// nil: can only be written.
  package var reading: Reading? {
    get { storage.facts.reading }
    set { change { $0.reading = newValue } }
  }
  package var write: WriteRule? {
    get { storage.facts.write }
    set { change { $0.write = newValue } }
  }
  package var watchdog: Watchdog? {
    get { storage.facts.watchdog }
    set { change { $0.watchdog = newValue } }
  }
  /// Values outside are not believed. nil: all are.
  package var plausible: ClosedRange<Double>? {
    get { storage.facts.plausible }
    set { change { $0.plausible = newValue } }
  }
  /// Labels of an enumeration, in the order of their codes.
  package var labels: [String] {
    get { storage.facts.labels }
    set { change { $0.labels = newValue } }
  }
  package var simulation: Simulation {
    get { storage.facts.simulation }
    set { change { $0.simulation = newValue } }
  }

  package init(_ name: String, _ reading: Reading?, write: WriteRule? = nil) {
    storage = Storage(Facts(name: name, reading: reading, write: write))
  }

  private struct Facts: Sendable {
    var name: String
    var reading: Reading?
    var write: WriteRule?
    var watchdog: Watchdog?
    var plausible: ClosedRange<Double>?
    var labels: [String] = []
    var simulation = Simulation()
  }

  private final class Storage: Sendable {
    let facts: Facts
    init(_ facts: Facts) { self.facts = facts }
  }

  /// All of it, some 2 KB: readings have points of their own choice.
  private var storage: Storage

  private mutating func change(_ body: (inout Facts) -> Void) {
    var facts = storage.facts
    body(&facts)
    storage = Storage(facts)
  }
}

extension [Point] {
  /// All that is read for them, in their order.
  package var readFields: [Field] { flatMap { $0.reading?.fields ?? [] } }
}

/// How a point comes out of registers.
package enum Reading: Equatable, Sendable {
  /// The sum of its terms, most often one.
  case number([Term])
  /// An enumeration: index of the label by code.
  case label(Field, codes: [Int64: Int], other: Int?)
  /// One bit, counted from the lowest.
  case flag(Field, bit: Int)
  case text(Field)

  package var fields: [Field] {
    switch self {
    case .number(let terms): terms.flatMap(\.fields)
    case .label(let field, _, _), .flag(let field, _), .text(let field): [field]
    }
  }
}

package struct Term: Equatable, Sendable {
  package var field: Field
  /// The register that holds the power of ten of the scale; nil: the template's scale is all.
  package var power: Field?
  /// A value by which the field is multiplied: power out of voltage and current.
  package var times: Field?
  /// What the term counts where the device has no such value; nil: then the point has none.
  package var absent: Double?

  package init(_ field: Field, power: Field? = nil, times: Field? = nil, absent: Double? = nil) {
    self.field = field
    self.power = power
    self.times = times
    self.absent = absent
  }

  package var fields: [Field] { [field, power, times].compactMap(\.self) }

  var fieldCount: Int { 1 + (power == nil ? 0 : 1) + (times == nil ? 0 : 1) }
}

/// How the simulator moves a point. What is nil follows from the point's name.
package struct Simulation: Equatable, Sendable {
  /// Fixed: a number, a label or a text.
  package var value: String?
  /// Middle of a slow wave, or start of a counter.
  package var base: Double?
  /// Height of the wave, or growth of a counter in an hour.
  package var swing: Double?
  /// Seconds.
  package var period: Double?

  package init() {}
}

/// Why a point has no value.
package enum BadReason: Equatable, Sendable {
  case silent, device, decode, limit, comm
}

/// A point's value as it was read.
package enum PointValue: Equatable, Sendable {
  case number(Double)
  /// Index into the point's labels.
  case label(Int)
  case flag(Bool)
  case text(String)
  case bad(BadReason, code: UInt8 = 0)
}
