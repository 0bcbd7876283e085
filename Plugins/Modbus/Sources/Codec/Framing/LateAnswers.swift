// SPDX-License-Identifier: Apache-2.0

/// Requests that were not answered, on a framing without transaction ids. Their answers may still come, and would fit
/// another request for as many registers. So before the next read of such a unit something is read whose answer looks
/// different: a device answers in the order in which it is asked, so once that answer is there, everything older has come
/// or is lost.
package struct LateAnswers: Sendable {
  private struct Owed: Equatable {
    var unit: UInt8
    var function: UInt8
    /// Bytes of values.
    var length: Int
  }

  /// A unit that stays silent is asked for the same few things; more are not kept.
  private static let capacity = 64

  private var owed: [Owed] = []

  package init() {}

  /// No answer came, or more than one.
  package mutating func unanswered(_ request: Request, unit: UInt8) {
    guard let entry = Self.entry(request, unit), !owed.contains(entry) else { return }
    if owed.count >= Self.capacity { owed.removeFirst() }
    owed.append(entry)
  }

  /// An answer came that fits no older request.
  package mutating func answered(_ request: Request, unit: UInt8) {
    if let entry = Self.entry(request, unit), owed.contains(entry) { return }
    forget(unit)
  }

  /// What the unit owes will not come.
  package mutating func forget(_ unit: UInt8) { owed.removeAll { $0.unit == unit } }

  /// What has to be read before this request; nil where its answer could be taken for nothing else. Each answer to it will
  /// do, an exception too.
  package mutating func probe(before request: Request, unit: UInt8) -> Request? {
    guard case .read(let address, _) = request, let own = Self.entry(request, unit),
      owed.contains(where: { $0.unit == unit && $0.function == request.function })
    else { return nil }
    for table in [address.table, address.table.sibling] {
      for count in table.isBits ? [1, 9, 17, 25] : [1, 2, 3, 4, 5, 6] where address.register + count <= 0x1_0000 {
        let probe = Request.read(Address(table, address.register), count: count)
        guard let entry = Self.entry(probe, unit), entry != own, !owed.contains(entry) else { continue }
        return probe
      }
    }
    // So many of its answers are missing that they are not late.
    forget(unit)
    return nil
  }

  private static func entry(_ request: Request, _ unit: UInt8) -> Owed? {
    guard case .read(let address, let count) = request else { return nil }
    return Owed(unit: unit, function: request.function, length: address.table.isBits ? (count + 7) / 8 : count * 2)
  }
}

extension Table {
  /// The other table of the same kind.
  fileprivate var sibling: Table {
    switch self {
    case .holding: .input
    case .input: .holding
    case .coil: .discrete
    case .discrete: .coil
    }
  }
}
