// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import PluginAPI

/// The memory that `batch_begin` lends, one a link, used again and again.
@safe final class BatchSlot {
  static let sampleLimit: UInt32 = 1024
  static let arenaLimit: UInt32 = 65_536
  /// Bytes of one text value.
  private static let textLimit = 1024

  let record: UnsafeMutablePointer<bb_batch_t>
  private let samples: UnsafeMutablePointer<bb_sample_t>
  private let arena: UnsafeMutablePointer<UInt8>
  private let sampleCapacity: UInt32
  private let arenaCapacity: UInt32
  /// What was lent last, and how much of the arena a plugin says it filled. The record is the plugin's to write to.
  private var lentSamples: UInt32 = 0
  private var lentArena: UInt32 = 0
  private var arenaUsed: UInt32 = 0
  private(set) var lent = false

  init(samples count: UInt32, arena bytes: UInt32) {
    sampleCapacity = max(64, count)
    arenaCapacity = max(1024, bytes)
    unsafe record = .allocate(capacity: 1)
    unsafe samples = .allocate(capacity: Int(sampleCapacity))
    unsafe arena = .allocate(capacity: Int(arenaCapacity))
  }

  deinit {
    unsafe record.deallocate()
    unsafe samples.deallocate()
    unsafe arena.deallocate()
  }

  func fits(samples count: UInt32, arena bytes: UInt32) -> Bool { count <= sampleCapacity && bytes <= arenaCapacity }

  /// Nil while the slot is lent already.
  func lend(samples count: UInt32, arena bytes: UInt32, flags: UInt32) -> UnsafeMutablePointer<bb_batch_t>? {
    guard !lent else { return nil }
    lent = true
    lentSamples = count
    lentArena = bytes
    // What a plugin forgets to fill in must not be an old value.
    unsafe samples.initialize(repeating: bb_sample_t(), count: Int(count))
    unsafe arena.initialize(repeating: 0, count: Int(bytes))
    var batch = unsafe bb_batch_t()
    unsafe batch.size = UInt32(MemoryLayout<bb_batch_t>.size)
    unsafe batch.flags = flags
    unsafe batch.samples = samples
    unsafe batch.arena = arena
    unsafe batch.capacity = count
    unsafe batch.arena_capacity = bytes
    unsafe record.initialize(to: batch)
    return unsafe record
  }

  /// Takes back what a call left without committing it.
  func abandon() { lent = false }

  /// What was filled in, copied out and bounded by what was lent; the slot is free again.
  func takeBack() -> (samples: [bb_sample_t], flags: UInt32) {
    lent = false
    arenaUsed = unsafe min(record.pointee.arena_used, lentArena)
    let count = unsafe min(record.pointee.count, lentSamples)
    return unsafe (Array(UnsafeBufferPointer(start: samples, count: Int(count))), record.pointee.flags)
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
      guard span.offset <= arenaUsed, span.length <= arenaUsed - span.offset else { return nil }
      let bytes = unsafe UnsafeBufferPointer(start: arena + Int(span.offset), count: min(Self.textLimit, Int(span.length)))
      return unsafe .text(String(decoding: bytes, as: UTF8.self))
    default: return nil
    }
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
