// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

/// Modbus RTU on a serial line.
final class SerialLine: Line {
  private let link: Link
  private let stream: ByteStream
  private let master: RTUMaster
  private var lastEnd: Int64 = 0

  init(_ link: Link, _ stream: ByteStream) throws(AdapterError) {
    guard let master = RTUMaster(descriptor: stream.descriptor, baud: stream.baud) else {
      throw AdapterError(.bug, "libmodbus could not be set up")
    }
    self.link = link
    self.stream = stream
    self.master = master
  }

  /// 3.5 characters between frames, 1.75 ms above 19,200 bit/s (Serial Line V1.02, 2.5.1.1), rounded up.
  private var gap: Int64 {
    guard stream.baud > 0, stream.baud <= 19_200 else { return 2_000_000 }
    let bits = stream.bitsPerByte > 0 ? stream.bitsPerByte : 11
    return Int64(bits) * 3_500_000_000 / Int64(stream.baud)
  }

  /// Late bytes are waited for this long, in milliseconds, before the line counts as free again.
  private static let drainQuiet = 50

  func perform(
    _ request: Request, unit: UInt8, within milliseconds: Int, _ call: borrowing Call
  ) throws(LineFailure) -> Reply {
    guard 1...247 ~= unit else {
      throw .lost(AdapterError(.config, "unit \(unit) cannot be on a serial line; expected 1 to 247"))
    }
    let rest = lastEnd + gap - BootClock.now
    do {
      if rest > 0 { try stream.pause(milliseconds: Int(rest / 1_000_000) + 1, call) }
    } catch where error.isCancelled {
      throw .cancelled
    } catch {
      throw .lost(error)
    }
    let left = min(Int64(milliseconds), (call.deadline - BootClock.now) / 1_000_000)
    guard left > 0 else { throw .noTime }
    defer { lastEnd = BootClock.now }
    let isTracing = link.tracing
    let result = master.perform(
      request, unit: unit, milliseconds: Int(left), sent: { if isTracing { link.trace(.sent, $0) } },
      received: { if isTracing { link.trace(.received, $0) } })
    switch result {
    case .reply(let reply): return reply
    case .failed(let failure):
      if isTracing, case .silent = failure { link.trace(.timeout, []) }
      drain(call)
      switch failure {
      case .silent: throw .silent("unit \(unit): no answer to the \(request) within \(left) ms")
      case .garbled(let text): throw .mismatch("unit \(unit): the answer to the \(request) is damaged: \(text)")
      case .lost(let text):
        throw .lost(AdapterError(.transient, reason: UInt32(BB_REASON_CLOSED), "the serial line: \(text)"))
      }
    }
  }

  private func drain(_ call: borrowing Call) {
    master.flush()
    _ = try? stream.exchange([], until: .quiet(Self.drainQuiet), within: 4 * Self.drainQuiet, call)
  }
}
