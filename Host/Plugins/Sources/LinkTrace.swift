// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
internal import BusbarSystem
internal import Synchronization

/// Takes the frames of a link as they happen. Times are those of the boot clock.
package protocol FrameRecording: Sendable {
  func record(_ direction: TraceRing.Direction, _ frame: [UInt8], device: UInt32, time: Int64)
  func record(_ event: TraceEvent, device: UInt32, time: Int64)
}

extension FrameRecording {
  package func record(_ direction: TraceRing.Direction, _ frame: [UInt8], device: UInt32) {
    record(direction, frame, device: device, time: Clock.boot())
  }

  package func record(_ event: TraceEvent, device: UInt32) { record(event, device: device, time: Clock.boot()) }
}

/// The frames of one link: the last ones are always kept, so that the moments before a fault are there; whoever looks gets
/// the next ones as they come. It outlives the connections of its link.
package final class LinkTrace: FrameRecording {
  /// Lines that may wait for one reader.
  private static let waiting = 1_024

  private struct Reader {
    let format: @Sendable (TraceRing.Entry) -> String?
    let lines: AsyncStream<String>.Continuation
    /// Lines that found no room since the last one that did.
    var lost = 0
  }

  private struct State {
    var ring: TraceRing
    var readers: [Int: Reader] = [:]
    var lastReader = 0
  }

  private let state: Mutex<State>

  /// `capacity` as of the ring, in bytes.
  package init(capacity: Int = TraceRing.defaultCapacity) { state = Mutex(State(ring: TraceRing(capacity: capacity))) }

  package func record(_ direction: TraceRing.Direction, _ frame: [UInt8], device: UInt32, time: Int64) {
    state.withLock { state in
      state.ring.record(direction, frame[...], device: device, time: time)
      guard !state.readers.isEmpty else { return }
      let kept = Array(frame.prefix(TraceRing.frameLimit))
      Self.tell(&state, TraceRing.Entry(time: time, device: device, direction == .sent ? .sent(kept) : .received(kept)))
      if kept.count < frame.count {
        Self.tell(&state, TraceRing.Entry(time: time, device: device, .event(.cut(frame.count - kept.count))))
      }
    }
  }

  package func record(_ event: TraceEvent, device: UInt32, time: Int64) {
    state.withLock { state in
      state.ring.record(event, device: device, time: time)
      Self.tell(&state, TraceRing.Entry(time: time, device: device, .event(event)))
    }
  }

  /// What is kept, oldest first.
  package var kept: [TraceRing.Entry] { state.withLock { $0.ring.entries } }

  /// What is kept, and a line for each frame from then on; none is told twice. `format` is called on the plugin's thread;
  /// nil leaves a frame out.
  package func follow(
    _ format: @escaping @Sendable (TraceRing.Entry) -> String?
  ) -> (kept: [TraceRing.Entry], lines: AsyncStream<String>) {
    let (stream, lines) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(Self.waiting))
    let (kept, number) = state.withLock { state in
      state.lastReader += 1
      state.readers[state.lastReader] = Reader(format: format, lines: lines)
      return (state.ring.entries, state.lastReader)
    }
    lines.onTermination = { [weak self] _ in self?.state.withLock { $0.readers[number] = nil } }
    return (kept, stream)
  }

  /// Nobody is told any more: the link is gone.
  package func finish() {
    let readers = state.withLock { state in
      defer { state.readers = [:] }
      return Array(state.readers.values)
    }
    for reader in readers { reader.lines.finish() }
  }

  private static func tell(_ state: inout State, _ entry: TraceRing.Entry) {
    for number in Array(state.readers.keys) {
      guard var reader = state.readers[number], let line = reader.format(entry) else { continue }
      if reader.lost > 0 {
        let gap = TraceRing.Entry(time: entry.time, device: entry.device, .event(.lost(reader.lost)))
        if case .dropped = reader.lines.yield(reader.format(gap) ?? "") { reader.lost += 1 } else { reader.lost = 0 }
      }
      if reader.lost > 0 {
        // Kept out until the gap itself can be told.
      } else if case .dropped = reader.lines.yield(line) {
        reader.lost += 1
      }
      state.readers[number] = reader
    }
  }
}
