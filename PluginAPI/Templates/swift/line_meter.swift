// SPDX-License-Identifier: Apache-2.0
// A complete plugin in Swift: a small load that speaks one line at a time, over TCP or a serial line.
//
//   R\n         → <watts> <watt-hours> <state>\n      state: on, off, fault
//   I\n         → <model> <serial> <firmware>\n
//   L\n         → <limit in watts>\n
//   W <limit>\n → OK\n or NO\n
//
// Read it from the bottom up: the entry is last; the manifest is manifest.json.
public import PluginAPI
public import PluginKit

/// The device behind the line.
public final class Meter {
  let number: DeviceNumber
  let power: PointID
  let energy: PointID
  let state: PointID
  let limit: PointID
  /// Watts for each of the meter's own units.
  let factor: Double
  /// W
  let rated: Double
  var identified = false

  init(_ number: DeviceNumber, _ points: [PointID], factor: Double, rated: Double) {
    self.number = number
    (power, energy, state, limit) = (points[0], points[1], points[2], points[3])
    self.factor = factor
    self.rated = rated
  }
}

/// One connection. The calls of a link come one at a time, so nothing here needs a lock.
public final class LineAdapter: Adapter {
  public static let id: StaticString = "line-meter"
  /// By index, as in the detail of `state` below.
  private static let stateWords = ["off", "on", "fault"]

  private let link: Link
  private let stream: ByteStream
  private var hasDevice = false
  /// An answer may still be under way.
  private var late = false

  public init(link: Link, config: String, _ call: borrowing Call) throws(AdapterError) {
    self.link = link
    // TCP or serial: the person chose, the plugin need not know.
    stream = try link.open("device", call)
  }

  /// Declares what the device has, and checks settings against each other. The host has checked each one by the manifest.
  public func addDevice(
    _ number: DeviceNumber, name: String, config: String, template: String, _ call: borrowing Call
  ) throws(AdapterError) -> Meter {
    func wrong(_ text: String) -> AdapterError { AdapterError(.config, reason: UInt32(BB_REASON_PLUGIN), text) }
    guard !hasDevice else { throw wrong("this connection has its one line meter already") }
    let settings = Settings(config, call)
    guard let unit = settings.text("/unit"), let scale = settings.number("/scale"), let rated = settings.number("/rated_power"),
      let safe = settings.number("/safe_limit")
    else { throw wrong("unit, scale, rated_power and safe_limit are needed") }
    guard safe <= rated else { throw wrong("safe_limit is above rated_power") }
    var power = PointDeclaration("power", unit: UInt16(BB_UNIT_W))
    power.resolution = 0.1
    var energy = PointDeclaration("energy_total", kind: UInt16(BB_KIND_COUNTER), unit: UInt16(BB_UNIT_WH))
    energy.resolution = 1
    var state = PointDeclaration(
      "state", type: UInt16(BB_TYPE_ENUM), kind: UInt16(BB_KIND_STATE), unit: UInt16(BB_UNIT_NONE))
    state.detail = #"{"labels": ["off", "on", "fault"]}"#
    var limit = PointDeclaration("power_limit", unit: UInt16(BB_UNIT_W))
    limit.detail = "{\"safe\": \(text(safe))}"
    limit.flags = UInt32(BB_POINT_WRITABLE)
    limit.periodMilliseconds = 60_000
    limit.maximum = rated
    limit.resolution = 1
    let points = try link.declare([power, energy, state, limit], of: number)
    hasDevice = true
    return Meter(number, points, factor: scale * (unit == "kW" ? 1000 : 1), rated: rated)
  }

  public func removeDevice(_ device: Meter) { hasDevice = false }

  public func poll(_ meter: Meter, due: [PointID], _ call: borrowing Call) throws(AdapterError) {
    guard !due.isEmpty else { return }
    if !meter.identified { try identify(meter, call) }
    // What could not be read is sent as bad, never as 0 and never as the old value.
    var reading: (watts: Double, wattHours: Double, state: Int?)?
    var limit: Double?
    var answer = ""
    var isGood = true
    if due.contains(where: { $0 != meter.limit }) {
      answer = try ask("R\n", call)
      let fields = answer.split(separator: " ")
      if fields.count == 3, let watts = number(fields[0]), let wattHours = number(fields[1]), wattHours >= 0 {
        reading = (watts, wattHours, Self.stateWords.firstIndex { $0 == fields[2] })
      }
      isGood = reading != nil
    }
    if due.contains(meter.limit) {
      answer = try ask("L\n", call)
      limit = number(answer[...])
      isGood = isGood && limit != nil
    }
    if !isGood { late = true }  // it may have been another question's answer
    link.problem("GarbledAnswer", of: meter.number, active: !isGood, isGood ? "" : answer)
    link.emit(upTo: due.count) { batch in
      for point in due {
        switch point {
        case meter.power:
          if let reading { batch.append(point, reading.watts * meter.factor) } else { batch.append(point, bad: BB_QUALITY_DECODE) }
        case meter.energy:
          if let reading { batch.append(point, reading.wattHours * meter.factor) } else { batch.append(point, bad: BB_QUALITY_DECODE) }
        case meter.state:
          if let state = reading?.state { batch.append(point, label: state) } else { batch.append(point, bad: BB_QUALITY_DECODE, type: BB_TYPE_ENUM) }
        default:
          if let limit { batch.append(point, limit * meter.factor) } else { batch.append(point, bad: BB_QUALITY_DECODE) }
        }
      }
    }
  }

  /// The host has checked range, lease and permission. The same key twice sets the same limit twice: nothing to remember.
  public func command(_ command: Command, on meter: Meter, _ call: borrowing Call) throws(AdapterError) -> Outcome {
    guard case .number(meter.limit, let watts) = command.verb else {
      switch command.verb {
      case .boolean(meter.limit, _), .text(meter.limit, _), .label(meter.limit, _): return refusedRange
      default: return .refused(code: 0, "only power_limit can be written")
      }
    }
    guard watts >= 0, watts <= meter.rated else { return refusedRange }  // refuses NaN too
    guard BootClock.now <= command.validUntil else { return .refused(code: 0, "too late") }
    guard !command.dryRun else { return .done(nil) }  // checked, and nothing sent
    // From here on it may have left: never guess.
    let answer: String
    do throws(AdapterError) { answer = try ask("W \(text(watts / meter.factor))\n", call) } catch { return .unknown("") }
    if answer == "NO" { return .refused(code: 0, "the meter says no") }
    guard answer == "OK" else {
      late = true
      return .unknown("")
    }
    let readBack: String
    do throws(AdapterError) { readBack = try ask("L\n", call) } catch { return .accepted }
    guard let limit = number(readBack[...]) else {
      late = true
      return .accepted
    }
    return .done(.number(limit * meter.factor))
  }

  private var refusedRange: Outcome { .refused(code: 0, "power_limit is a number of watts from 0 to rated_power") }

  /// Reads until the line is silent: the answer to an old question must not be taken for the answer to the next.
  private func drain(_ call: borrowing Call) throws(AdapterError) {
    // The host ends this at the deadline.
    while late {
      do throws(AdapterError) {
        if try stream.exchange([], until: .quiet(100), capacity: 256, call).count < 256 { late = false }
      } catch where error.reason == UInt32(BB_REASON_NO_SPACE) {}
    }
  }

  /// One question and its answer, without the newline. An answer that is too long or not text comes back empty.
  private func ask(_ question: String, _ call: borrowing Call) throws(AdapterError) -> String {
    try drain(call)
    late = true
    let answer: [UInt8]
    do throws(AdapterError) {
      answer = try stream.exchange(Array(question.utf8), until: .byte(UInt8(ascii: "\n")), capacity: 64, call)
    } catch {
      guard error.reason == UInt32(BB_REASON_NO_SPACE) else { throw error }
      return ""
    }
    guard let end = answer.firstIndex(of: UInt8(ascii: "\n")), !answer.contains(0) else { return "" }
    late = end + 1 != answer.count  // more than one answer: something old is among it
    return String(decoding: answer[..<end], as: UTF8.self)
  }

  /// Who it is. Asked again with the next poll where the answer makes no sense.
  private func identify(_ meter: Meter, _ call: borrowing Call) throws(AdapterError) {
    let fields = try ask("I\n", call).split(separator: " ").map(String.init)
    guard fields.count == 3 else {
      late = true  // it may have been another question's answer
      return
    }
    meter.identified = true
    link.identify(meter.number, vendor: "Example", model: fields[0], serial: fields[1], firmware: fields[2])
  }
}

/// "12.5" → 12.5. Nil where the whole text is not one finite number.
private func number(_ text: Substring) -> Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }

/// 1200 → "1200", 12.5 → "12.5".
private func text(_ number: Double) -> String {
  Int64(exactly: number).map { "\($0)" } ?? "\(number)"
}

/// The one exported function.
@c(busbar_plugin_v0)
public func entry(_ host: UnsafePointer<bb_host_t>) -> UnsafePointer<bb_plugin_t>? {
  unsafe exportPlugin(host, id: "org.example.line", version: "1.0.0", adapter: LineAdapter.self)
}
