// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
public import PluginKit

extension ModbusAdapter {
  public func poll(_ device: ModbusDevice, due: [PointID], _ call: borrowing Call) throws(AdapterError) {
    let now = BootClock.now
    guard let reading = device.reading(of: due, now: now) else { return }
    if !device.isIdentified { try identify(device, call) }
    var run = ReadRun(reading.plan, memory: device.memory, now: now)
    let failure = read(&run, device, call)
    device.memory = run.memory
    let values = run.values()
    // Where the device was not reached the host says so for all points; a part of them would hide that.
    if failure == nil || !values.contains(nil) { emit(values, of: reading.ids, device) }
    if let failure { throw failure.adapterError }
  }

  /// Requests of one reading that may be repeated because an answer was lost.
  private static let repeatsAReading = 2

  /// Asks for everything that the run wants. What it returns is what the host has to know; nil also where the reading
  /// was cut short with something read.
  func read(_ run: inout ReadRun, _ device: ModbusDevice, _ call: borrowing Call) -> LineFailure? {
    var answers = 0
    var losses = 0
    var repeats = device.isWell ? Self.repeatsAReading : 0
    device.isWell = false
    while let block = run.next() {
      do {
        if let window = device.map.window(of: block) {
          switch try open(window, device, call) {
          case .words(let words): run.answered(words)
          case .refused(let code): run.failed(.device, code: code)
          case .notReady: run.failed(.silent)
          }
          answers += 1
          continue
        }
        let reply = try ask(.read(block.address, count: block.count), device, repeats: &repeats, call)
        answers += 1
        losses = 0
        switch reply {
        case .values(let words): run.answered(words)
        case .exception(let code): run.refused(code: code)
        case .written, .identification: run.failed(.decode)
        }
      } catch {
        switch error {
        case .cancelled, .noTime:
          return answers > 0 ? nil : error
        case .mismatch:
          answers += 1
          run.failed(.decode)
          losses += 1
          if losses > 1 { run.abandon(.decode) }
        case .silent:
          if answers == 0 { return error }
          run.failed(.silent)
          losses += 1
          // One block may be too much for a device; two in a row mean that it is gone.
          if losses > 1 { run.abandon(.silent) }
        case .unreachable(let code):
          if answers == 0 { return error }
          run.abandon(.comm, code: code)
        case .garbage:
          run.abandon(.decode)
          return error
        case .lost:
          if answers > 0 { run.abandon(.comm) }
          return error
        }
      }
    }
    device.isWell = losses == 0
    return nil
  }

  /// A read that is repeated where its answer was lost, there are repeats left, and the call has the time.
  private func ask(
    _ request: Request, _ device: ModbusDevice, repeats: inout Int, _ call: borrowing Call
  ) throws(LineFailure) -> Reply {
    do {
      return try ask(request, device, call)
    } catch {
      guard error.isLostAnswer, repeats > 0 else { throw error }
      let time = Int64(device.map.timeout + device.map.readSpacing) * 1_000_000
      guard BootClock.now + time < call.deadline, !call.cancelled else { throw error }
      repeats -= 1
      return try ask(request, device, call)
    }
  }

  private func emit(_ values: [PointValue?], of ids: [PointID], _ device: ModbusDevice) {
    let count = values.count { $0 != nil }
    guard count > 0 else { return }
    let textBytes = values.reduce(0) { sum, value in
      if case .text(let text)? = value { sum + text.utf8.count } else { sum }
    }
    let taken = link.emit(upTo: count, textBytes: textBytes) { batch in
      for (value, id) in zip(values, ids) {
        switch value {
        case .number(let number): batch.append(id, number)
        case .label(let label): batch.append(id, label: label)
        case .flag(let flag): batch.append(id, flag)
        case .text(let text): batch.append(id, text: text)
        case .bad(let reason, let code): batch.append(id, bad: reason.number, code: Int32(code))
        case nil: break
        }
      }
    }
    if !taken { link.log(.debug, "unit \(device.unit): the host took no values this time") }
  }

  /// Reads who the device is. What it refuses to tell stays empty; silence is thrown.
  private func identify(_ device: ModbusDevice, _ call: borrowing Call) throws(AdapterError) {
    var texts: [IdentityPart: String] = [:]
    for part in IdentityPart.allCases {
      switch device.map.identity[part] {
      case .text(let text)?: texts[part] = text
      case .field(let field, let labels)?:
        let reply: Reply
        do {
          reply = try ask(.read(field.address, count: field.count), device, call)
        } catch {
          throw error.adapterError
        }
        guard case .values(let words) = reply else { continue }
        texts[part] = field.identity(words, labels)
      case nil: break
      }
    }
    device.isIdentified = true
    guard !texts.isEmpty else { return }
    link.identify(
      device.number, vendor: texts[.vendor] ?? "", model: texts[.model] ?? "", serial: texts[.serial] ?? "",
      firmware: texts[.firmware] ?? "")
  }
}

extension BadReason {
  /// BB_REASON_… of point.h.
  var number: Int {
    switch self {
    case .silent: BB_QUALITY_SILENT
    case .device: BB_QUALITY_DEVICE
    case .decode: BB_QUALITY_DECODE
    case .limit: BB_QUALITY_LIMIT
    case .comm: BB_QUALITY_COMM
    }
  }
}
