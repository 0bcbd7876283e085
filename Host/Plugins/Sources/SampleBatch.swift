// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import PluginAPI

/// What a plugin committed, in memory that it cannot reach.
struct SampleBatch {
  /// Bytes of one text value.
  private static let textLimit = 1024
  /// Bytes of one sample in a message.
  static let rowLength = MemoryLayout<bb_sample_t>.stride
  /// Bytes of rows and texts in one message, with room for its head.
  private static let messageLimit = 60_000

  var samples: [bb_sample_t] = []
  var arena: [UInt8] = []

  /// Whether something can have been measured then, Unix nanoseconds: after the year 2000, and not ahead by more than clocks
  /// of two threads differ.
  static func isPossible(time: Int64) -> Bool {
    time >= 946_684_800_000_000_000 && time <= Clock.unix() + 1_000_000_000
  }

  /// The log's line.
  static func dropped(_ count: Int) -> String {
    "\(count) samples were dropped: unknown point, wrong type, or a number that is none"
  }

  /// What the samples say, told upward device by device. How many broke the rules and were dropped.
  func tell(_ events: any AdapterEvents, _ points: PointRegistry, durable: Bool) -> Int {
    let now = Clock.unix()
    var groups: [(device: UInt32, items: [Reading.Item], time: Int64, deviceTime: Int64?)] = []
    let entries = points.points(samples.map(\.point))
    var dropped = 0
    for (sample, entry) in zip(samples, entries) {
      guard let entry, let item = item(sample, entry.descriptor) else {
        dropped += 1
        continue
      }
      if groups.last?.device != entry.device {
        groups.append((entry.device, [], now, nil))
        groups[groups.count - 1].items.reserveCapacity(samples.count)
      }
      groups[groups.count - 1].items.append(item)
      let time = sample.time_ns
      guard time != 0 else { continue }
      if Int(sample.flags) & BB_SAMPLE_DEVICE_TIME != 0 {
        groups[groups.count - 1].deviceTime = time
      } else if Self.isPossible(time: time), time < groups[groups.count - 1].time {
        groups[groups.count - 1].time = time
      }
    }
    for group in groups {
      events.samples(group.device, group.items, time: group.time, deviceTime: group.deviceTime, durable: durable)
    }
    return dropped
  }

  /// A sample's item; nil where the sample breaks the rules.
  func item(_ sample: bb_sample_t, _ point: PointDescriptor) -> Reading.Item? {
    switch Int(sample.quality) & BB_QUALITY_VERDICT {
    case BB_QUALITY_BAD, BB_QUALITY_VERDICT:
      return Reading.Item(point, bad: Self.reason(Int(sample.quality) & ~BB_QUALITY_VERDICT))
    case let verdict:
      guard let value = value(of: sample, point) else { return nil }
      return Reading.Item(point, value, uncertain: verdict != BB_QUALITY_GOOD)
    }
  }

  private func value(of sample: bb_sample_t, _ point: PointDescriptor) -> Value? {
    switch (Int(sample.type), point.type) {
    case (BB_TYPE_F64, .number), (BB_TYPE_F64, .integer):
      let number = unsafe sample.value.f64
      return number.isFinite ? .number(number) : nil
    case (BB_TYPE_I64, .number), (BB_TYPE_I64, .integer): return unsafe .integer(sample.value.i64)
    case (BB_TYPE_U64, .number), (BB_TYPE_U64, .integer): return unsafe .integer(Int64(clamping: sample.value.u64))
    case (BB_TYPE_BOOL, .boolean): return unsafe .boolean(sample.value.u64 != 0)
    case (BB_TYPE_ENUM, .enumeration):
      let index = unsafe Int(clamping: sample.value.i64)
      return point.labels.indices.contains(index) ? .text(point.labels[index]) : nil
    case (BB_TYPE_TEXT, .text):
      let span = unsafe sample.value.span
      return text(span).map { .text(String(decoding: $0, as: UTF8.self)) }
    default: return nil
    }
  }

  /// Nil where it lies outside of the arena.
  private func text(_ span: bb_span_t) -> ArraySlice<UInt8>? {
    let (offset, length) = (Int(span.offset), Int(span.length))
    guard offset <= arena.count, length <= arena.count - offset else { return nil }
    return arena[offset..<offset + min(Self.textLimit, length)]
  }

  private static func reason(_ code: Int) -> BadReason {
    switch code {
    case BB_QUALITY_STALE: .stale
    case BB_QUALITY_LIMIT: .range
    case BB_QUALITY_SILENT: .timeout
    case BB_QUALITY_DEVICE: .device
    case BB_QUALITY_DECODE: .decode
    default: .comm
    }
  }
}

extension SampleBatch {
  /// From a message; the reader has seen to it that the rows are whole.
  init(_ message: ChildMessage.Samples) {
    arena = message.arena
    samples = unsafe message.rows.withUnsafeBytes { rows in
      (0..<rows.count / Self.rowLength).map {
        unsafe rows.loadUnaligned(fromByteOffset: $0 * Self.rowLength, as: bb_sample_t.self)
      }
    }
  }

  /// As messages, mostly one.
  var messages: [ChildMessage.Samples] {
    if samples.count * Self.rowLength + arena.count <= Self.messageLimit { return [message] }
    var batches: [SampleBatch] = [SampleBatch()]
    var size = 0
    for var sample in samples {
      let text = Int(sample.type) == BB_TYPE_TEXT ? unsafe text(sample.value.span) : nil
      size += Self.rowLength + (text?.count ?? 0)
      if size > Self.messageLimit {
        batches.append(SampleBatch())
        size = Self.rowLength + (text?.count ?? 0)
      }
      let last = batches.count - 1
      if let text {
        unsafe sample.value.span = bb_span_t(offset: UInt32(batches[last].arena.count), length: UInt32(text.count))
        batches[last].arena += text
      } else if Int(sample.type) == BB_TYPE_TEXT {
        // Stays outside of the arena.
        unsafe sample.value.span = bb_span_t(offset: .max, length: .max)
      }
      batches[last].samples.append(sample)
    }
    return batches.map(\.message)
  }

  private var message: ChildMessage.Samples {
    ChildMessage.Samples(rows: unsafe samples.withUnsafeBytes { unsafe Array($0) }, arena: arena)
  }
}
