// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import ModbusCodec
internal import PluginKit
internal import Synchronization

/// Who answers the requests of one connection.
protocol WireAnswering: AnyObject {
  func answer(_ request: [UInt8]) -> Recording.Answer
}

/// The faults of a simulated device, shared by its connections.
final class FaultBox: Sendable {
  private let deck: Mutex<FaultDeck>
  private let connections = Mutex(0)
  let isEmpty: Bool
  private let isSingle: Bool

  init(_ deck: FaultDeck) {
    isEmpty = deck.isEmpty
    isSingle = deck.isSingle
    self.deck = Mutex(deck)
  }

  func plan(for facts: FaultDeck.Facts) -> FaultPlan { deck.withLock { $0.plan(for: facts) } }

  func altered(_ reply: [UInt8], _ plan: FaultPlan, _ framing: WireFraming) -> [UInt8] {
    deck.withLock { $0.altered(reply, plan, framing) }
  }

  /// False where the device takes one client and has it.
  func enter() -> Bool {
    connections.withLock { count in
      guard !isSingle || count == 0 else { return false }
      count += 1
      return true
    }
  }

  func leave() { connections.withLock { $0 -= 1 } }
}

/// One connection or line of a simulated device whose answers can be disturbed: cuts requests, has them answered, and
/// sends what the faults leave of it.
struct WireServer {
  /// A request that is not complete after this time is none, in milliseconds.
  private static let patience: Int32 = 500
  /// Longest time without a look at whether the call is cancelled, in milliseconds.
  private static let slice: Int32 = 100

  let descriptor: Int32
  let isSerial: Bool
  let framing: WireFraming
  let faults: FaultBox
  let answering: any WireAnswering

  func serve(_ call: borrowing Call) {
    guard faults.enter() else { return }
    defer { faults.leave() }
    var cutter = RequestCutter(framing)
    while !call.cancelled {
      guard wait(Int16(POLLIN), cutter.isEmpty ? Self.slice : Self.patience) else {
        cutter.reset()
        continue
      }
      var chunk = [UInt8](repeating: 0, count: 1_024)
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EAGAIN || errno == EINTR { continue }
      guard count > 0 else {
        guard isSerial else { return }
        // The far end of a line may come back.
        _ = poll(nil, 0, Self.slice)
        continue
      }
      cutter.append(Array(chunk.prefix(count)))
      while let request = cutter.next() {
        guard answer(request, call) else { return }
      }
    }
  }

  /// False where the connection ends.
  private func answer(_ request: [UInt8], _ call: borrowing Call) -> Bool {
    guard framing.isSound(request), let content = framing.content(of: request) else { return true }
    let plan = faults.plan(for: FaultDeck.Facts(unit: content.unit, pdu: content.pdu))
    var bytes: [UInt8] = []
    var closes = plan.closes
    if let code = plan.exception, let function = content.pdu.first {
      bytes = framing.frame(unit: content.unit, pdu: [function | 0x80, code], transaction: content.transaction)
    } else {
      switch answering.answer(request) {
      case .reply(let reply): bytes = reply
      case .silence: break
      case .close(let reply): (bytes, closes) = (reply, true)
      case .unknown:
        guard let function = content.pdu.first else { return true }
        bytes = framing.frame(
          unit: content.unit, pdu: [function | 0x80, ExceptionCode.illegalAddress], transaction: content.transaction)
      }
    }
    guard pause(plan.delay, call) else { return false }
    if closes, plan.closes { return isSerial }
    if !bytes.isEmpty, !plan.drops {
      guard send(faults.altered(bytes, plan, framing), plan.drip, call) else { return isSerial }
    }
    return !closes || isSerial
  }

  private func send(_ bytes: [UInt8], _ drip: Int?, _ call: borrowing Call) -> Bool {
    guard let drip else { return write(bytes[...], call) }
    for index in bytes.indices {
      guard write(bytes[index...index], call), pause(drip, call) else { return false }
    }
    return true
  }

  private func write(_ bytes: ArraySlice<UInt8>, _ call: borrowing Call) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let sent = unsafe rest.withUnsafeBytes { bytes in
        unsafe isSerial
          ? Glibc.write(descriptor, bytes.baseAddress, bytes.count)
          : Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      }
      if sent > 0 {
        rest = rest.dropFirst(sent)
      } else if sent < 0, errno == EAGAIN {
        _ = wait(Int16(POLLOUT), Self.slice)
      } else if sent == 0 || errno != EINTR {
        return false
      }
      if call.cancelled { return false }
    }
    return true
  }

  /// False where the call is cancelled before the end.
  private func pause(_ milliseconds: Int, _ call: borrowing Call) -> Bool {
    let end = BootClock.now + Int64(milliseconds) * 1_000_000
    while true {
      let left = (end - BootClock.now + 999_999) / 1_000_000
      guard left > 0 else { return true }
      if call.cancelled { return false }
      _ = poll(nil, 0, Int32(min(left, Int64(Self.slice))))
    }
  }

  private func wait(_ events: Int16, _ milliseconds: Int32) -> Bool {
    var watched = pollfd(fd: descriptor, events: events, revents: 0)
    return unsafe poll(&watched, 1, milliseconds) > 0
  }
}

/// Has libmodbus answer a single request, over a pair of connected sockets that nobody else sees. It knows no ASCII: there
/// it is asked in RTU.
final class LibraryAnswers: WireAnswering {
  private let framing: WireFraming
  private let near: Int32
  private let far: Int32
  private let server: ModbusServer
  private let carryOut: (ModbusServer.Query, ModbusServer) -> Void

  /// Nil without descriptors or memory.
  init?(_ framing: WireFraming, unit: UInt8, carryOut: @escaping (ModbusServer.Query, ModbusServer) -> Void) {
    var pair: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard unsafe socketpair(AF_UNIX, kind, 0, &pair) == 0 else { return nil }
    (near, far) = (pair[0], pair[1])
    self.framing = framing
    self.carryOut = carryOut
    guard let server = ModbusServer(descriptor: far, isSerial: framing != .mbap, unit: unit) else {
      close(pair[0])
      close(pair[1])
      return nil
    }
    self.server = server
  }

  deinit {
    close(near)
    close(far)
  }

  func answer(_ request: [UInt8]) -> Recording.Answer {
    guard framing == .ascii, let content = framing.content(of: request) else { return asked(request) }
    let answer = asked(WireFraming.rtu.frame(unit: content.unit, pdu: content.pdu))
    guard case .reply(let bytes) = answer, let reply = WireFraming.rtu.content(of: bytes) else { return answer }
    return .reply(framing.frame(unit: reply.unit, pdu: reply.pdu))
  }

  private func asked(_ request: [UInt8]) -> Recording.Answer {
    guard unsafe Glibc.write(near, request, request.count) == request.count else { return .silence }
    if case .query(let query) = server.receive(milliseconds: 0) { carryOut(query, server) }
    // What libmodbus did not take must not stand before the next request.
    var chunk = [UInt8](repeating: 0, count: 1_024)
    while unsafe recv(far, &chunk, chunk.count, 0) > 0 {}
    let count = unsafe recv(near, &chunk, chunk.count, 0)
    return count > 0 ? .reply(Array(chunk.prefix(count))) : .silence
  }
}
