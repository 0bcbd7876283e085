// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSystem
internal import Synchronization

/// Brings alarms to the outbox on a thread of its own, those that come together in one write: whoever raises one does not wait
/// for the disk, and thousands of devices that come or go at once are no thousands of writes. An alarm is on disk before
/// anybody is told of it; in the order in which they came.
package final class AlarmWriter: Sendable {
  /// Alarms of one write.
  private static let together = 512
  /// So many wait at most while the disk is slow; then whoever raises another one waits for the disk, as long as it takes.
  private static let most = 16_384

  private enum Item: Sendable {
    case alarm(Alarm)
    /// Somebody waits until what is before it is written.
    case mark(BlockingQueue<Void>)
  }

  private final class Count: Sendable {
    let value = Atomic(0)
  }

  private let outbox: Outbox
  private let waiting = BlockingQueue<Item>()
  private let count = Count()
  private let ended = BlockingQueue<Void>()

  package init(outbox: Outbox) {
    self.outbox = outbox
    WorkThread.start(name: "alarms", stack: 512 << 10) { [outbox, waiting, count, ended] in
      while let first = waiting.next() {
        var alarms: [Alarm] = []
        var marks: [BlockingQueue<Void>] = []
        var next: Item? = first
        while let item = next {
          switch item {
          case .alarm(let alarm): alarms.append(alarm)
          case .mark(let mark): marks.append(mark)
          }
          next = alarms.count < Self.together ? waiting.next(within: 0) : nil
        }
        outbox.accept(alarms)
        count.value.subtract(alarms.count, ordering: .relaxed)
        for mark in marks { mark.close() }
      }
      // Nobody waits for a writer that has gone.
      count.value.store(.min / 2, ordering: .relaxed)
      ended.close()
    }
  }

  package func accept(_ alarm: Alarm) {
    let number = count.value.add(1, ordering: .relaxed).newValue
    waiting.add(.alarm(alarm))
    guard number > Self.most else { return }
    let mark = BlockingQueue<Void>()
    waiting.add(.mark(mark))
    _ = mark.next()
  }

  /// The orderly end: returns when all that came is in the outbox. What comes afterwards is lost.
  package func close() {
    waiting.close()
    _ = ended.next()
  }
}
