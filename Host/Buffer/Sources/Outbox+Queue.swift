// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSQLite

extension Outbox: OutboundQueue {
  /// Rows that are read ahead at a time, and how often in one call: it returns at once even where the whole backlog
  /// belongs to a stream that is held back.
  private static let pageRows = 64
  private static let pagesPerCall = 16

  package func next(late: Int) -> OutboundMessage? {
    for _ in 0..<Self.pagesPerCall {
      switch with({ $0.take(late: late) }) {
      case .message(let message): return message
      case .gap(let ticket, let key, let item):
        let gap = Gap(
          device: key.device, stream: key.kind, from: item.numbers.lowerBound, to: item.numbers.upperBound,
          reason: item.reason)
        return OutboundMessage(
          ticket: ticket, device: key.device, stream: key.kind, payload: encoder.gap(gap, time: wall()))
      case .page(let after, let generation):
        guard read(after: after, generation: generation) else { return nil }
      case .nothing: return nil
      }
    }
    wakeConsumer()
    return nil
  }

  private func read(after id: Int64, generation: UInt64) -> Bool {
    do {
      let rows = try database.read { try OutboxStore.page($0, after: id, limit: Self.pageRows) }
      with { $0.fill(rows, full: rows.count == Self.pageRows, generation: generation) }
      return true
    } catch {
      with { $0.readFailed("\(error)") }
      return false
    }
  }

  package func acknowledged(_ ticket: UInt64) { with { $0.acknowledged(ticket) } }

  package func refused(_ ticket: UInt64) { with { $0.refused(ticket, now: clock()) } }

  package func connectionLost() {
    with { $0.connectionLost() }
    wakeConsumer()
  }

  package func applicationAcknowledged(device: DeviceID, ranges: [ClosedRange<Int64>]) {
    with { $0.applicationAcknowledged(device: device, ranges: ranges) }
  }
}
