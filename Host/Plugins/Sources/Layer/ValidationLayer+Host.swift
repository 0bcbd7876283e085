// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import Glibc
internal import PluginAPI
internal import Synchronization

extension ValidationLayer {
  nonisolated(unsafe) private static var host: UnsafePointer<bb_host_t>?

  /// The host's table with every slot watched, in the shape that was asked for; the table itself where no layer is
  /// installed.
  static func wrap(_ table: UnsafePointer<bb_host_t>) -> UnsafePointer<bb_host_t> {
    guard state.withLock({ $0.installed }) else { return unsafe table }
    unsafe host = unsafe table
    var copy = unsafe table.pointee
    unsafe copy.get_service = { _, id in
      let name = unsafe copied(id, limit: 128)
      let shape = ValidationLayer.state.withLock { state in
        state.asked.insert(name)
        return state.settings.shape
      }
      if case .only(let ids) = shape, !ids.contains(name) { return nil }
      guard let table = unsafe Services.table(name) else { return nil }
      return unsafe ValidationLayer.wrap(service: name, table)
    }
    unsafe copy.log = { _, link, level, text in unsafe ValidationLayer.host?.pointee.log?(ValidationLayer.host!, link, level, text) }
    unsafe copy.explain = { _, call, text in
      unsafe ValidationLayer.needsCall("explain", call)
      unsafe ValidationLayer.host?.pointee.explain?(ValidationLayer.host!, call, text)
    }
    unsafe copy.cancelled = { _, call in unsafe ValidationLayer.host?.pointee.cancelled?(ValidationLayer.host!, call) ?? 1 }
    unsafe copy.declare_points = { _, link, device, points, count, stride, out in
      ValidationLayer.needsLink("declare_points", link)
      if ValidationLayer.isFailing("declare_points") { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      let status = unsafe ValidationLayer.host?.pointee.declare_points?(ValidationLayer.host!, link, device, points, count, stride, out) ?? failed(BB_CLASS_BUG)
      if status >= 0 { unsafe ValidationLayer.remember(link, device, points, count, stride, out) }
      return status
    }
    unsafe copy.identify = { _, link, device, identity in
      ValidationLayer.needsLink("identify", link)
      return unsafe ValidationLayer.host?.pointee.identify?(ValidationLayer.host!, link, device, identity) ?? failed(BB_CLASS_BUG)
    }
    unsafe copy.batch_begin = { _, link, samples, arena, flags in
      ValidationLayer.needsLink("batch_begin", link)
      let slot = ValidationLayer.isFailing("batch_begin") ? nil : unsafe ValidationLayer.host?.pointee.batch_begin?(ValidationLayer.host!, link, samples, arena, flags)
      let refused = unsafe slot == nil
      ValidationLayer.state.withLock { state in
        if refused { state.frames[ValidationLayer.thread]?.refusedBatch = true } else { state.frames[ValidationLayer.thread]?.lent += 1 }
      }
      let lending = ValidationLayer.state.withLock { $0.settings.lending }
      return unsafe slot.map { unsafe LentBatch.lend($0, lending) }
    }
    unsafe copy.batch_commit = { _, link, batch in
      ValidationLayer.needsLink("batch_commit", link)
      unsafe ValidationLayer.judge(link, batch.pointee)
      let batch = unsafe LentBatch.taken(batch)
      ValidationLayer.state.withLock { $0.frames[ValidationLayer.thread]?.lent -= 1 }
      return unsafe ValidationLayer.host?.pointee.batch_commit?(ValidationLayer.host!, link, batch) ?? failed(BB_CLASS_BUG)
    }
    return unsafe shaped(copy)
  }

  /// The declared points are checked here as they are, before the host forgives anything.
  private static func remember(
    _ link: UInt32, _ device: UInt32, _ points: UnsafePointer<bb_point_desc_t>, _ count: UInt32, _ stride: UInt32,
    _ out: UnsafePointer<UInt32>
  ) {
    for index in 0..<Int(count) {
      let record = unsafe (UnsafeRawPointer(points) + index * Int(stride)).load(as: bb_point_desc_t.self)
      let detail = unsafe copied(record.detail, limit: 65_536)
      let json = try? JSONValue(parsing: Array(detail.utf8))
      let declared = unsafe Declared(
        device: device, name: copied(record.name, limit: 65), type: record.type, labels: json?["labels"]?.array?.count ?? 0)
      if !detail.isEmpty, json?.object == nil {
        note("points-well-declared", "the detail of \(declared.name) is no JSON object")
      }
      let number = unsafe out[index]
      state.withLock { state in
        if let old = state.points[link, default: [:]].updateValue(declared, forKey: number), old.name == declared.name, old.type != declared.type {
          state.violations.append(
            Violation(rule: "types-match", text: "\(declared.name) was declared with another type than before"))
        }
      }
    }
  }

  private static func judge(_ link: UInt32, _ batch: bb_batch_t) {
    let (count, used) = unsafe (batch.count, batch.arena_used)
    if unsafe count > batch.capacity || used > batch.arena_capacity {
      return note("text-within-arena", "a batch says that it holds more than was lent")
    }
    guard let samples = unsafe batch.samples else { return }
    for index in 0..<Int(count) {
      let sample = unsafe samples[index]
      guard let point = state.withLock({ $0.points[link]?[sample.point] }) else {
        note("types-match", "a sample is of point \(sample.point), which was never declared")
        continue
      }
      state.withLock { state in _ = state.frames[thread]?.answered.insert(sample.point) }
      if sample.quality & UInt16(BB_QUALITY_VERDICT) >= UInt16(BB_QUALITY_BAD) { continue }
      judge(sample, point, arena: used)
    }
  }

  private static func judge(_ sample: bb_sample_t, _ point: Declared, arena used: UInt32) {
    if sample.time_ns != 0, sample.flags & UInt32(BB_SAMPLE_DEVICE_TIME) == 0, !SampleBatch.isPossible(time: sample.time_ns) {
      note("numbers-finite", "\(point.name) was sent with the time \(sample.time_ns), which is no Unix time in nanoseconds of the past")
    }
    if sample.type != point.type {
      return note("types-match", "\(point.name) was declared with type \(point.type) and sent with type \(sample.type)")
    }
    switch Int(sample.type) {
    case BB_TYPE_I64, BB_TYPE_U64: break
    case BB_TYPE_F64:
      if unsafe !sample.value.f64.isFinite { note("numbers-finite", "\(point.name) was sent as good and is no finite number") }
    case BB_TYPE_ENUM:
      let index = unsafe sample.value.i64
      if index < 0 || index >= Int64(point.labels) { note("types-match", "\(point.name) was sent as label \(index) of \(point.labels)") }
    case BB_TYPE_BOOL:
      let flag = unsafe sample.value.u64
      if flag > 1 { note("types-match", "\(point.name) is a flag and was sent as \(flag)") }
    case BB_TYPE_TEXT, BB_TYPE_BYTES:
      let span = unsafe sample.value.span
      if span.offset > used || span.length > used - span.offset {
        note("text-within-arena", "the text of \(point.name) lies outside of what the batch says it filled")
      }
    default: note("types-match", "\(point.name) was sent with type \(sample.type), which there is not")
    }
  }

  /// Memory that ends with the table, or goes on behind it.
  static func shaped<Table>(_ table: Table) -> UnsafePointer<Table> {
    let size = MemoryLayout<Table>.size
    let shape = state.withLock { $0.settings.shape }
    let more = shape == .longer ? 256 : 0
    // Never ended: what it lends is lent for ever.
    let place = unsafe Lent(shape == .oldest || shape == .longer ? .unterminated : .plain).place(size + more, alignment: 8)
    unsafe place.initializeMemory(as: UInt8.self, repeating: 0xA5, count: size + more)
    unsafe place.bindMemory(to: Table.self, capacity: 1).initialize(to: table)
    // `size` is the first field of every table.
    unsafe place.storeBytes(of: UInt32(size + more), as: UInt32.self)
    return unsafe UnsafePointer(place.assumingMemoryBound(to: Table.self))
  }
}
