// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginAPI
internal import PluginKit

/// Modbus RTU on a serial line.
final class SerialLine: Line {
  /// Frames that nobody asked for; more of them while waiting once are a fault.
  private static let strangersAtOnce = 64

  private let link: Link
  private let stream: ByteStream
  private lazy var master = RTUMaster(descriptor: stream.descriptor, baud: stream.baud)
  private var late = LateAnswers()
  /// What was answered last: something that comes after its answer may be another one.
  private var last: (request: Request, unit: UInt8)?
  private var lastEnd: Int64 = 0

  init(_ link: Link, _ stream: ByteStream) {
    self.link = link
    self.stream = stream
  }

  /// 3.5 characters between frames, 1.75 ms above 19,200 bit/s (Serial Line V1.02, 2.5.1.1), rounded up.
  private var gap: Int64 {
    guard stream.baud > 0, stream.baud <= 19_200 else { return 2_000_000 }
    let bits = stream.bitsPerByte > 0 ? stream.bitsPerByte : 11
    return Int64(bits) * 3_500_000_000 / Int64(stream.baud)
  }

  /// Late bytes are waited for this long, in milliseconds, before the line counts as free again.
  private static let drainQuiet = 50

  func probe(before request: Request, unit: UInt8, _ call: borrowing Call) throws(LineFailure) -> Request? {
    clear(call)
    return late.probe(before: request, unit: unit)
  }

  func forget(_ unit: UInt8) { late.forget(unit) }

  func perform(
    _ request: Request, unit: UInt8, within milliseconds: Int, _ call: borrowing Call
  ) throws(LineFailure) -> Reply {
    guard 1...247 ~= unit else { throw .unit(unit) }
    guard let master else { throw .lost(AdapterError(.bug, "libmodbus could not be set up")) }
    let rest = lastEnd + gap - BootClock.now
    do {
      if rest > 0 { try stream.pause(milliseconds: Int(rest / 1_000_000) + 1, call) }
    } catch where error.isCancelled {
      throw .cancelled
    } catch {
      throw .lost(error)
    }
    let end = min(BootClock.now + Int64(milliseconds) * 1_000_000, call.deadline)
    guard end > BootClock.now else { throw .noTime }
    defer { lastEnd = BootClock.now }
    let isTracing = link.tracing
    clear(call)
    master.flush()
    if isTracing { link.trace(.sent, WireFraming.rtu.frame(unit: unit, pdu: request.pdu)) }
    if let failure = master.send(request, unit: unit) { throw failed(failure, request, unit, call) }
    var strangers = 0
    while true {
      let left = (end - BootClock.now + 999_999) / 1_000_000
      let result = left <= 0 ? .failed(.silent) : master.receive(
        milliseconds: Int(left), received: { if isTracing { link.trace(.received, $0) } })
      switch result {
      case .frame(unit: unit, pdu: let pdu):
        if let reply = Reply(pdu, to: request) {
          late.answered(request, unit: unit)
          last = (request, unit)
          return reply
        }
        fallthrough
      case .frame, .stranger:
        // A late answer to something else; the right one may follow.
        strangers += 1
        guard strangers <= Self.strangersAtOnce else {
          throw failed(.garbled("it answers nothing that was asked, without end"), request, unit, call)
        }
      case .failed(.silent) where strangers > 0:
        throw failed(.garbled("only something else was answered"), request, unit, call)
      case .failed(let failure): throw failed(failure, request, unit, call)
      }
    }
  }

  private func failed(_ failure: RTUMaster.Failure, _ request: Request, _ unit: UInt8, _ call: borrowing Call) -> LineFailure {
    late.unanswered(request, unit: unit)
    if link.tracing, case .silent = failure { link.trace(.timeout, []) }
    drain(call)
    switch failure {
    case .silent: return .silent("unit \(unit): no answer to the \(request) in time")
    case .garbled(let text): return .mismatch("unit \(unit): the answer to the \(request) is damaged: \(text)")
    case .lost(let text):
      return .lost(AdapterError(.transient, reason: UInt32(BB_REASON_CLOSED), "the serial line: \(text)"))
    }
  }

  /// What came since the last answer answers nothing.
  private func clear(_ call: borrowing Call) {
    guard let last, let excess = try? stream.exchange([], until: .quiet(0), call), !excess.isEmpty else { return }
    late.unanswered(last.request, unit: last.unit)
  }

  private func drain(_ call: borrowing Call) {
    master?.flush()
    _ = try? stream.exchange([], until: .quiet(Self.drainQuiet), within: 4 * Self.drainQuiet, call)
  }
}
