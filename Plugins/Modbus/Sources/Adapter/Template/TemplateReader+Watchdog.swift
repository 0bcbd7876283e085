// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI

extension TemplateReader {
  func watchdog(
    _ point: PointBody, _ declared: Point, type: Int, _ path: String
  ) throws(TemplateError) -> Watchdog? {
    guard let body = point.watchdog else { return nil }
    let path = "\(path).watchdog"
    guard point.write != nil else { throw TemplateError(path, "is of no use for a point that is not written") }
    guard point.setting != true else { throw TemplateError(path, "does not go with setting: a setting has to last") }
    guard point.write?.wear == nil else {
      throw TemplateError(path, "does not go with write.wear: it would be written again and again")
    }
    guard let time = try duration(body.time, "\(path).time"), time >= 3_000 else {
      throw TemplateError("\(path).time", "is less than 3s; it could not be renewed in time")
    }
    var watchdog = Watchdog(time: time, safe: safe(point, declared, type: type))
    if let set = body.set {
      watchdog.set = try assignment(number(set.field, "\(path).set"), .commanded(negated: false), set.function, "\(path).set")
    }
    if let fallback = body.fallback {
      guard watchdog.safe != nil else { throw TemplateError("\(path).fallback", "needs a safe value of the point") }
      let value = fallback.value.map { WriteRule.Assignment.Value.constant($0) } ?? .commanded(negated: false)
      watchdog.fallback = try assignment(number(fallback.field, "\(path).fallback"), value, fallback.function, "\(path).fallback")
    }
    if let beat = body.beat {
      guard let value = beat.value else { throw TemplateError("\(path).beat.value", "is missing") }
      watchdog.beat = try assignment(number(beat.field, "\(path).beat"), .constant(value), beat.function, "\(path).beat")
    }
    do {
      _ = try watchdog.programmed()
    } catch {
      guard case .range(let address) = error else { return watchdog }
      throw TemplateError(path, "has a time or a safe value that does not fit into \(address)")
    }
    return watchdog
  }

  /// How often the host sends a value again; a watchdog is renewed at a third of its time.
  func refresh(_ body: PointBody, _ point: Point, _ path: String) throws(TemplateError) -> Int? {
    let written = try duration(body.refresh, "\(path).refresh")
    if written != nil, body.write?.wear != nil {
      throw TemplateError("\(path).refresh", "does not go with write.wear: it would be written again and again")
    }
    guard let watchdog = point.watchdog else { return written }
    if let written, written > watchdog.time / 3 {
      throw TemplateError("\(path).refresh", "is longer than a third of the watchdog's time; leave it out")
    }
    return written ?? watchdog.time / 3
  }

  private func safe(_ body: PointBody, _ point: Point, type: Int) -> Double? {
    switch body.safe {
    case .number(let number): number
    case .boolean(let flag): flag ? 1 : 0
    case .text(let label): type == BB_TYPE_ENUM ? point.labels.firstIndex(of: label).map { Double($0) } : nil
    case nil: nil
    }
  }
}
