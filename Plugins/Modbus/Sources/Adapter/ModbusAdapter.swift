// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
public import PluginKit

/// Modbus in all its framings: one link, any number of units behind it, each described by a template.
public final class ModbusAdapter: Adapter {
  public static let id: StaticString = "modbus"

  let link: Link
  let stream: ByteStream
  let opened: Int64
  /// Of the link's settings; nil: as the devices want it.
  private let configured: WireFraming?
  private var settled: (line: any Line, framing: WireFraming)?
  /// The running search, between its steps.
  var search: Search?

  public init(link: Link, config: String, _ call: borrowing Call) throws(AdapterError) {
    self.link = link
    configured = try LinkConfig(config).wanted()
    stream = try link.open("device", call)
    if configured == .mbap, stream.isSerial {
      throw AdapterError(.config, "framing: tcp cannot be on a serial line; expected rtu or ascii")
    }
    opened = BootClock.now
  }

  /// The way to the units. Its framing is settled by the first device, or by its first use.
  var line: any Line {
    if let settled { return settled.line }
    let framing = configured ?? (stream.isSerial ? .rtu : .mbap)
    let line: any Line =
      stream.isSerial && framing == .rtu ? SerialLine(link, stream) : StreamLine(link, stream, framing)
    settled = (line, framing)
    return line
  }

  public func addDevice(
    _ number: DeviceNumber, name: String, config: String, template text: String, _ call: borrowing Call
  ) throws(AdapterError) -> ModbusDevice {
    let shared = try SharedTemplate.of(text)
    var template = shared.template
    let unit = try DeviceConfig(config).apply(to: &template.map)
    try settle(template.map.framing)
    let ids = try link.declare(template.points.map(\.declaration), of: number)
    return ModbusDevice(number, unit: unit, template: template, of: shared, ids: ids)
  }

  private func settle(_ wanted: WireFraming?) throws(AdapterError) {
    guard configured == nil, let wanted else { return _ = line }
    if wanted == .mbap, stream.isSerial {
      throw AdapterError(.config, "framing: tcp cannot be on a serial line; expected rtu or ascii")
    }
    if let settled {
      guard settled.framing == wanted else {
        throw AdapterError(
          .config,
          "the device wants framing: \(wanted.rawValue), and other devices of the link want \(settled.framing.rawValue); one "
            + "link has one framing, which its own config can say")
      }
      return
    }
    let line: any Line =
      stream.isSerial && wanted == .rtu ? SerialLine(link, stream) : StreamLine(link, stream, wanted)
    settled = (line, wanted)
  }

  public static func simulator(documents: String) throws(AdapterError) -> (any Simulator)? {
    let options = try SimulatorOptions.list(documents)
    var rules: [FaultRule] = []
    for option in options { rules += try option.rules() }
    let seed = options.lazy.compactMap(\.seed).first ?? 0
    if let trace = options.lazy.compactMap(\.trace).first {
      guard options.count == 1 else { throw AdapterError(.config, "a trace is played alone") }
      return try ModbusReplay(trace, rules, seed: seed)
    }
    return try ModbusSimulator(documents: documents, rules, seed: seed)
  }

  /// Sends a request once the pauses that the device needs are over.
  func ask(_ request: Request, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> Reply {
    if let probe = try line.probe(before: request, unit: device.unit, call) {
      let reply = try send(probe, device, call)
      link.log(.debug, "unit \(device.unit): in step again after a missing answer (\(probe): \(reply.isException ? "refused" : "answered"))")
    }
    let reply = device.map.asksTwice ? try askTwice(request, device, call) : try send(request, device, call)
    if case .exception(let code) = reply,
      code == ExceptionCode.gatewayPathUnavailable || code == ExceptionCode.gatewayTargetSilent
    {
      throw .unreachable(code)
    }
    return reply
  }

  /// A device that does not hear the first request after a while is asked again at once. A write is never sent twice: what
  /// is read before it wakes the device.
  private func askTwice(_ request: Request, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> Reply {
    do {
      return try send(request, device, call)
    } catch {
      guard case .silent = error, !request.isWrite else { throw error }
      // It was not heard, so no answer will come.
      line.forget(device.unit)
      return try send(request, device, call)
    }
  }

  /// Something is read, so that a device that sleeps hears the write that follows.
  func wake(_ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) {
    guard device.map.asksTwice, let field = device.map.points.lazy.compactMap({ $0.reading?.fields.first }).first else { return }
    _ = try ask(.read(field.address, count: field.count), device, call)
  }

  private func send(_ request: Request, _ device: ModbusDevice, _ call: borrowing Call) throws(LineFailure) -> Reply {
    let wait = pause(before: request, device)
    if wait > 0 {
      guard BootClock.now + wait < call.deadline else { throw .noTime }
      do {
        try pause(milliseconds: Int((wait + 999_999) / 1_000_000), call)
      } catch where error.isCancelled {
        throw .cancelled
      } catch {
        throw .lost(error)
      }
    }
    if call.cancelled { throw .cancelled }
    defer {
      device.lastRequest = BootClock.now
      if request.isWrite { device.lastWrite = device.lastRequest }
    }
    return try line.perform(request, unit: device.unit, within: device.map.timeout, call)
  }

  /// Nanoseconds until the request may go out.
  private func pause(before request: Request, _ device: ModbusDevice) -> Int64 {
    let millisecond: Int64 = 1_000_000
    var earliest = opened + Int64(device.map.connectDelay) * millisecond
    if device.lastRequest > 0 {
      earliest = max(earliest, device.lastRequest + Int64(device.map.readSpacing) * millisecond)
    }
    if request.isWrite, device.lastWrite > 0 {
      earliest = max(earliest, device.lastWrite + Int64(device.map.writeSpacing) * millisecond)
    }
    return earliest - BootClock.now
  }

  func pause(milliseconds: Int, _ call: borrowing Call) throws(AdapterError) {
    try stream.pause(milliseconds: milliseconds, call)
  }
}
