// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import BusbarTransports
internal import Logging
internal import PluginAPI

/// The table that every plugin is handed (host.h).
enum HostTable {
  /// Lives until the process ends, as the contract promises.
  static func make(plugin: String, logger: Logger) -> UnsafePointer<bb_host_t> {
    let context = unsafe Unmanaged.passRetained(PluginContext(plugin: plugin, logger: logger)).toOpaque()
    var table = unsafe bb_host_t()
    unsafe table.size = UInt32(MemoryLayout<bb_host_t>.size)
    unsafe table.abi = HostABI.version
    unsafe table.context = context
    unsafe table.get_service = { _, id in unsafe Services.table(copied(id, limit: 128)) }
    unsafe table.log = { host, link, level, text in
      let text = unsafe copied(text, limit: 4096)
      if let link = LinkTable.shared[link] {
        link.log(level, text)
      } else if let context = unsafe host.pointee.context {
        unsafe Unmanaged<PluginContext>.fromOpaque(context).takeUnretainedValue().log(level, text)
      }
    }
    unsafe table.explain = { _, call, text in unsafe linkOf(call)?.explanation = copied(text, limit: 8192) }
    unsafe table.cancelled = { _, call in unsafe linkOf(call)?.signal.isSet ?? true ? 1 : 0 }
    unsafe table.declare_points = { _, link, device, points, count, stride, out in
      guard let link = LinkTable.shared[link], device != 0 else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      return unsafe link.declare(device, points, count, stride, out)
    }
    unsafe table.identify = { _, link, device, identity in
      guard let link = LinkTable.shared[link], device != 0 else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      unsafe link.resources.events.identified(
        device,
        DeviceIdentity(
          vendor: cleaned(identity.pointee.vendor), model: cleaned(identity.pointee.model),
          serial: cleaned(identity.pointee.serial), firmware: cleaned(identity.pointee.firmware), actions: actions(identity)))
      return bb_status_t(BB_OK)
    }
    unsafe table.batch_begin = { _, link, samples, arena, flags in
      unsafe LinkTable.shared[link]?.lendBatch(samples, arena, flags)
    }
    unsafe table.batch_commit = { _, link, batch in
      guard let link = LinkTable.shared[link] else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
      return unsafe link.commit(batch)
    }
    let place = UnsafeMutablePointer<bb_host_t>.allocate(capacity: 1)
    unsafe place.initialize(to: table)
    return unsafe UnsafePointer(place)
  }
}

/// The link that a call belongs to.
func linkOf(_ call: UnsafePointer<bb_call_t>) -> DirectLink? { LinkTable.shared[UInt32(unsafe call.pointee.token >> 32)] }

/// Names of the actions in an identity's detail; an identity of an older plugin ends before it.
private func actions(_ identity: UnsafePointer<bb_identity_t>) -> [String]? {
  guard unsafe identity.pointee.size >= UInt32(MemoryLayout<bb_identity_t>.size), unsafe identity.pointee.detail.length > 0 else {
    return nil
  }
  let text = unsafe copied(identity.pointee.detail, limit: 64 << 10)
  guard let detail = try? JSONValue(parsing: Array(text.utf8), depth: 16), let list = detail["actions"]?.array else { return nil }
  return DeviceIdentity.cleaned(actions: list.compactMap { $0["name"]?.string })
}

extension DeviceIdentity {
  /// Actions of one device.
  static let actionLimit = 64

  static func cleaned(actions: [String]) -> [String] {
    actions.filter { name in
      (1...64).contains(name.utf8.count)
        && name.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || ".-_".utf8.contains($0) }
    }.prefix(actionLimit).map { $0 }
  }
}

/// Identity texts come from devices: printable characters only, trimmed, at most 64 bytes.
func cleaned(_ lent: bb_str_t) -> String { unsafe cleaned(copied(lent, limit: 64)) }

func cleaned(_ text: String) -> String {
  let text = cut(text, 64).unicodeScalars.filter { $0.value >= 32 && $0.value != 127 && $0 != "\u{FFFD}" }
  return String(String.UnicodeScalarView(text)).split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
}

private final class PluginContext: Sendable {
  private let logger: Logger
  private let limit = LogLimit()

  init(plugin: String, logger: Logger) {
    var logger = logger
    logger[metadataKey: "plugin"] = "\(plugin)"
    self.logger = logger
  }

  func log(_ level: Int32, _ text: String) {
    guard let dropped = limit.admit(now: Clock.boot()) else { return }
    let suffix = dropped > 0 ? " (\(dropped) lines before it were dropped)" : ""
    logger.log(level: .init(syslog: level), "\(text)\(suffix)")
  }
}

extension Logger.Level {
  /// From the numbers of syslog.
  init(syslog level: Int32) {
    self =
      switch level {
      case ...3: .error
      case 4: .warning
      case 5: .notice
      case 6: .info
      default: .debug
      }
  }
}

extension DirectLink {
  func log(_ level: Int32, _ text: String) {
    guard let dropped = logLimit.admit(now: Clock.boot()) else { return }
    let suffix = dropped > 0 ? " (\(dropped) lines before it were dropped)" : ""
    resources.logger.log(level: .init(syslog: level), "\(text)\(suffix)")
  }

  func declare(
    _ device: UInt32, _ records: UnsafePointer<bb_point_desc_t>, _ count: UInt32, _ stride: UInt32,
    _ out: UnsafeMutablePointer<UInt32>
  ) -> bb_status_t {
    guard count <= UInt32(PointRegistry.limit), unsafe stride >= UInt32(MemoryLayout<bb_point_desc_t>.size) else {
      return failed(BB_CLASS_BUG, BB_REASON_RANGE)
    }
    var declared: [(id: UInt32, point: PointDescriptor)] = []
    var copies: [ChildMessage.NumberedPoint] = []
    // Also after a failure: the host counts the points as this side does.
    defer { if let relay = resources.relay, !copies.isEmpty { relay.declared(device, copies) } }
    for index in 0..<Int(count) {
      let place = unsafe UnsafeRawPointer(records) + index * Int(stride)
      let record = unsafe PointRecord(place.load(as: bb_point_desc_t.self))
      guard let point = PointDescription.point(record), let number = points.declare(point, of: device)
      else {
        explanation = "point \(index + 1) of device \(device) has no usable name, type or unit, or is one too many"
        return failed(BB_CLASS_BUG, BB_REASON_RANGE)
      }
      unsafe out[index] = number
      declared.append((number, point))
      copies.append(ChildMessage.NumberedPoint(number: number, point: record))
    }
    resources.events.declared(device, points: declared)
    return bb_status_t(BB_OK)
  }

  func lendBatch(_ samples: UInt32, _ arena: UInt32, _ flags: UInt32) -> UnsafeMutablePointer<bb_batch_t>? {
    guard samples <= BatchSlot.sampleLimit, arena <= BatchSlot.arenaLimit, resources.relay?.isCongested != true else {
      return nil
    }
    if slot?.fits(samples: samples, arena: arena) != true, slot?.lent != true {
      slot = BatchSlot(samples: samples, arena: arena)
    }
    return unsafe slot?.lend(samples: samples, arena: arena, flags: flags)
  }

  func commit(_ batch: UnsafeMutablePointer<bb_batch_t>) -> bb_status_t {
    guard let slot, slot.lent, unsafe batch == slot.record else { return failed(BB_CLASS_BUG, BB_REASON_RANGE) }
    let (batch, flags) = slot.takeBack()
    let durable = Int(flags) & BB_BATCH_DURABLE != 0
    if let relay = resources.relay { return relay.committed(batch, durable: durable) }
    noteDropped(batch.tell(resources.events, points, durable: durable))
    return bb_status_t(BB_OK)
  }

  private func noteDropped(_ dropped: Int) {
    if dropped > 0 { log(Int32(BB_LOG_WARNING), SampleBatch.dropped(dropped)) }
  }
}
