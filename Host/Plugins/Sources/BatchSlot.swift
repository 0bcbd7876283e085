// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI

/// The memory that `batch_begin` lends, one a link, used again and again.
@safe final class BatchSlot {
  static let sampleLimit: UInt32 = 1024
  static let arenaLimit: UInt32 = 65_536

  let record: UnsafeMutablePointer<bb_batch_t>
  private let samples: UnsafeMutablePointer<bb_sample_t>
  private let arena: UnsafeMutablePointer<UInt8>
  private let sampleCapacity: UInt32
  private let arenaCapacity: UInt32
  /// What was lent last. The record is the plugin's to write to.
  private var lentSamples: UInt32 = 0
  private var lentArena: UInt32 = 0
  private(set) var lent = false

  init(samples count: UInt32, arena bytes: UInt32) {
    // A link has one as long as it lives; a next one that is a little larger still fits.
    sampleCapacity = (count + 15) / 16 * 16
    arenaCapacity = (bytes + 255) / 256 * 256
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
  func takeBack() -> (batch: SampleBatch, flags: UInt32) {
    lent = false
    let used = unsafe min(record.pointee.arena_used, lentArena)
    let count = unsafe min(record.pointee.count, lentSamples)
    let batch = unsafe SampleBatch(
      samples: Array(UnsafeBufferPointer(start: samples, count: Int(count))),
      arena: Array(UnsafeBufferPointer(start: arena, count: Int(used))))
    return unsafe (batch, record.pointee.flags)
  }
}
