// SPDX-License-Identifier: Apache-2.0

/// The connectors of 1.6, or the EVSEs of 2.0.1, with what was last heard of each.
package struct Connectors: Equatable, Sendable {
  package struct Connector: Equatable, Sendable {
    package var status: Status?
    /// 2.0.1: the connector's own word, from which `status` follows with the session.
    package var word: String?
    /// Empty where nothing is wrong.
    package var fault = ""
    package var power: Double?
    package var energy: Double?

    package init() {}
  }

  /// More are no charger.
  package static let most = 32

  package private(set) var byNumber: [Int: Connector] = [:]
  /// The charger itself: connector 0 of 1.6.
  package private(set) var station = Connector()
  /// How many the charger says it has; what is heard of more counts too.
  package var announced = 0

  package init() {}

  package var count: Int { max(announced, byNumber.keys.max() ?? 0) }

  package subscript(_ number: Int) -> Connector { number == 0 ? station : byNumber[number] ?? Connector() }

  package mutating func change(_ number: Int, _ body: (inout Connector) -> Void) {
    if number == 0 {
      body(&station)
    } else if (1...Self.most).contains(number) {
      body(&byNumber[number, default: Connector()])
    }
  }

  /// The status of the charger as a whole.
  package var status: Status? {
    if let own = station.status, own == .faulted || own == .unavailable { return own }
    let all = byNumber.values.compactMap(\.status)
    return Status.precedence.first { all.contains($0) } ?? station.status
  }

  package var fault: String {
    if !station.fault.isEmpty { return station.fault }
    return byNumber.sorted { $0.key < $1.key }.map(\.value.fault).first { !$0.isEmpty } ?? ""
  }

  /// The sum over connectors; nil where none is known.
  package var power: Double? {
    let parts = byNumber.values.compactMap(\.power)
    return parts.isEmpty ? station.power : parts.reduce(0, +)
  }

  package var energy: Double? {
    let parts = byNumber.values.compactMap(\.energy)
    return parts.isEmpty ? station.energy : parts.reduce(0, +)
  }
}
