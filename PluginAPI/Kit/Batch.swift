// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// A slot for samples, valid inside `Link.emit`. What does not fit is left out; `isFull` tells.
@safe public struct Batch: ~Copyable {
  private let slot: UnsafeMutablePointer<bb_batch_t>

  init(_ slot: UnsafeMutablePointer<bb_batch_t>) { unsafe self.slot = slot }

  public var isFull: Bool { unsafe slot.pointee.count >= slot.pointee.capacity }

  public mutating func append(_ point: PointID, _ value: Double, time: Int64 = 0) {
    var sample = Self.sample(point, BB_TYPE_F64, time)
    unsafe sample.value.f64 = value
    put(sample)
  }

  public mutating func append(_ point: PointID, integer value: Int64, time: Int64 = 0) {
    var sample = Self.sample(point, BB_TYPE_I64, time)
    unsafe sample.value.i64 = value
    put(sample)
  }

  /// Index into the labels that were declared.
  public mutating func append(_ point: PointID, label index: Int, time: Int64 = 0) {
    var sample = Self.sample(point, BB_TYPE_ENUM, time)
    unsafe sample.value.i64 = Int64(index)
    put(sample)
  }

  public mutating func append(_ point: PointID, _ value: Bool, time: Int64 = 0) {
    var sample = Self.sample(point, BB_TYPE_BOOL, time)
    unsafe sample.value.u64 = value ? 1 : 0
    put(sample)
  }

  public mutating func append(_ point: PointID, text: String, time: Int64 = 0) {
    let used = unsafe slot.pointee.arena_used
    let count = UInt32(text.utf8.count)
    guard let arena = unsafe slot.pointee.arena, unsafe count <= slot.pointee.arena_capacity - used else { return }
    for (index, byte) in text.utf8.enumerated() { unsafe arena[Int(used) + index] = byte }
    unsafe slot.pointee.arena_used = used + count
    var sample = Self.sample(point, BB_TYPE_TEXT, time)
    unsafe sample.value.span = bb_span_t(offset: used, length: count)
    put(sample)
  }

  /// A point that could not be read; `reason` is BB_QUALITY_COMM and its like of point.h, `code` the protocol's detail, `type`
  /// what the point was declared with, BB_TYPE_F64 where it is not given.
  public mutating func append(_ point: PointID, bad reason: Int, code: Int32 = 0, type: Int? = nil) {
    var sample = Self.sample(point, type ?? BB_TYPE_F64, 0)
    sample.quality = UInt16(BB_QUALITY_BAD) | UInt16(reason)
    sample.code = code
    put(sample)
  }

  private static func sample(_ point: PointID, _ type: Int, _ time: Int64) -> bb_sample_t {
    var sample = bb_sample_t()
    sample.point = point
    sample.type = UInt16(type)
    sample.time_ns = time
    return sample
  }

  private func put(_ sample: bb_sample_t) {
    guard !isFull, let samples = unsafe slot.pointee.samples else { return }
    unsafe samples[Int(slot.pointee.count)] = sample
    unsafe slot.pointee.count += 1
  }
}
