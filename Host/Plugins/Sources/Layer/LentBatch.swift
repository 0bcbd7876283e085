// SPDX-License-Identifier: Apache-2.0

internal import PluginAPI
internal import Synchronization

/// A batch in memory that ends where it ends: the plugin fills a copy, which goes into the host's batch at commit.
@safe struct LentBatch: @unchecked Sendable {
  private let host: UnsafeMutablePointer<bb_batch_t>
  private let lent: Lent

  /// By the address that the plugin has.
  private static let all = Mutex<[UInt: LentBatch]>([:])

  /// What the plugin is given instead of `batch`; the batch itself where memory is lent plainly.
  static func lend(
    _ batch: UnsafeMutablePointer<bb_batch_t>, _ mode: ValidationLayer.Lending
  ) -> UnsafeMutablePointer<bb_batch_t> {
    guard mode != .plain else { return unsafe batch }
    let lent = Lent(mode)
    var record = unsafe batch.pointee
    let samples = unsafe lent.place(Int(record.capacity) * MemoryLayout<bb_sample_t>.stride, alignment: 8)
    unsafe record.samples = unsafe samples.bindMemory(to: bb_sample_t.self, capacity: Int(record.capacity))
    if unsafe record.arena_capacity > 0 {
      let arena = unsafe lent.place(Int(record.arena_capacity), alignment: 1)
      unsafe record.arena = unsafe arena.bindMemory(to: UInt8.self, capacity: Int(record.arena_capacity))
    }
    let copy = unsafe lent.mutable(record)
    all.withLock { $0[UInt(bitPattern: copy)] = unsafe LentBatch(host: batch, lent: lent) }
    return unsafe copy
  }

  /// The host's batch, filled as the plugin has filled its own, which is gone then.
  static func taken(_ batch: UnsafeMutablePointer<bb_batch_t>) -> UnsafeMutablePointer<bb_batch_t> {
    let address = UInt(bitPattern: batch)
    guard let known = all.withLock({ $0.removeValue(forKey: address) }) else { return unsafe batch }
    let filled = unsafe batch.pointee
    let host = unsafe known.host
    unsafe host.pointee.count = unsafe filled.count
    unsafe host.pointee.arena_used = unsafe filled.arena_used
    let samples = unsafe Int(min(filled.count, host.pointee.capacity))
    if let from = unsafe filled.samples, let to = unsafe host.pointee.samples { unsafe to.update(from: from, count: samples) }
    let bytes = unsafe Int(min(filled.arena_used, host.pointee.arena_capacity))
    if let from = unsafe filled.arena, let to = unsafe host.pointee.arena { unsafe to.update(from: from, count: bytes) }
    known.lent.end()
    return unsafe host
  }
}
