// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
public import PluginKit

/// Modbus TCP and RTU: one link, any number of units behind it, each described by a template.
public final class ModbusAdapter: Adapter {
  public static let id: StaticString = "modbus"

  let link: Link
  let line: any Line
  let stream: ByteStream
  let opened: Int64
  /// The running search, between its steps.
  var search: Search?

  public init(link: Link, config: String, _ call: borrowing Call) throws(AdapterError) {
    self.link = link
    stream = try link.open("device", call)
    line = stream.isSerial ? try SerialLine(link, stream) : TCPLine(link, stream)
    opened = BootClock.now
  }

  public func addDevice(
    _ number: DeviceNumber, name: String, config: String, template text: String, _ call: borrowing Call
  ) throws(AdapterError) -> ModbusDevice {
    var template = try Template(text)
    let unit = try DeviceConfig(config).apply(to: &template.map)
    let ids = try link.declare(template.points.map(\.declaration), of: number)
    return ModbusDevice(number, unit: unit, template: template, ids: ids)
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
    let reply = try line.perform(request, unit: device.unit, within: device.map.timeout, call)
    if case .exception(let code) = reply,
      code == ExceptionCode.gatewayPathUnavailable || code == ExceptionCode.gatewayTargetSilent
    {
      throw .unreachable(code)
    }
    return reply
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
