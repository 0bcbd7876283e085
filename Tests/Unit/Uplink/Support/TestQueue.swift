// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel

/// A queue in memory that keeps the promises of `OutboundQueue` and writes down what it was told.
final class TestQueue: OutboundQueue {
  struct State: Sendable {
    var live: [OutboundMessage] = []
    var backlog: [OutboundMessage] = []
    var underWay: [UInt64: (message: OutboundMessage, isLate: Bool)] = [:]
    var acknowledged: [UInt64] = []
    var refused: [UInt64] = []
    var connectionsLost = 0
    var applicationAcknowledged: [String] = []
    var largestLate = 0
    var mostUnderWay = 0
    /// How often the uplink asked for a message.
    var asked = 0
    var wake: (@Sendable () -> Void)?
  }

  let state = Watched(State())

  /// Messages with these sequence numbers, live or as the backlog of an outage.
  func add(_ numbers: ClosedRange<Int>, device: DeviceID = .test, late: Bool = false) {
    let wake = state.update { state in
      for number in numbers {
        let mark = late ? #""late":true,"# : ""
        let payload = Array("{\(mark)\"ts\":1795378158674,\"seq\":\(number)}".utf8)
        let message = OutboundMessage(
          ticket: UInt64(number), device: device, stream: .telemetry, payload: payload)
        if late { state.backlog.append(message) } else { state.live.append(message) }
      }
      return state.wake
    }
    wake?()
  }

  func next(late: Int) -> OutboundMessage? {
    state.update { state in
      state.asked += 1
      state.largestLate = max(state.largestLate, late)
      let message: OutboundMessage
      let isLate = state.live.isEmpty
      if !isLate {
        message = state.live.removeFirst()
      } else if !state.backlog.isEmpty, state.underWay.values.count(where: { $0.isLate }) < late {
        message = state.backlog.removeFirst()
      } else {
        return nil
      }
      state.underWay[message.ticket] = (message, isLate)
      state.mostUnderWay = max(state.mostUnderWay, state.underWay.count)
      return message
    }
  }

  func acknowledged(_ ticket: UInt64) {
    state.update { state in
      if state.underWay.removeValue(forKey: ticket) != nil { state.acknowledged.append(ticket) }
    }
  }

  func refused(_ ticket: UInt64) {
    state.update { state in
      if state.underWay.removeValue(forKey: ticket) != nil { state.refused.append(ticket) }
    }
  }

  func connectionLost() {
    state.update { state in
      state.connectionsLost += 1
      let back = state.underWay.values.map { entry in
        var message = entry.message
        if !entry.isLate { message.payload = Array(#"{"late":true,"#.utf8) + message.payload.dropFirst() }
        return message
      }
      state.backlog = (back + state.backlog).sorted { $0.ticket < $1.ticket }
      state.underWay = [:]
    }
  }

  func applicationAcknowledged(device: DeviceID, ranges: [ClosedRange<Int64>]) {
    state.update { $0.applicationAcknowledged.append("\(device) \(ranges)") }
  }

  func onWork(_ wake: @escaping @Sendable () -> Void) { state.update { $0.wake = wake } }

  func acknowledged(count: Int) async throws {
    _ = try await state.until("\(count) acknowledgements") { $0.acknowledged.count >= count ? true : nil }
  }
}

extension DeviceID {
  static let test = DeviceID(rawValue: "sol_test_1")!
}
