// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSystem

/// Brings alarms to the outbox on a thread of its own, those that come together in one write: whoever raises one does not wait
/// for the disk, and thousands of devices that come or go at once are no thousands of writes. An alarm is on disk before
/// anybody is told of it; in the order in which they came.
package final class AlarmWriter: Sendable {
  /// Alarms of one write.
  private static let together = 512

  private let outbox: Outbox
  private let waiting = BlockingQueue<Alarm>()
  private let ended = BlockingQueue<Void>()

  package init(outbox: Outbox) {
    self.outbox = outbox
    WorkThread.start(name: "alarms", stack: 512 << 10) { [outbox, waiting, ended] in
      while let first = waiting.next() {
        var alarms = [first]
        while alarms.count < Self.together, let next = waiting.next(within: 0) { alarms.append(next) }
        outbox.accept(alarms)
      }
      ended.close()
    }
  }

  package func accept(_ alarm: Alarm) { waiting.add(alarm) }

  /// The orderly end: returns when all that came is in the outbox. What comes afterwards is lost.
  package func close() {
    waiting.close()
    _ = ended.next()
  }
}
