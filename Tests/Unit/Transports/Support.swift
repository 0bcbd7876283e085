// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import BusbarTransports
import Glibc
import Testing

/// Runs what blocks on a thread of its own, so that tests do not hold up each other.
func blocking<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
  await withCheckedContinuation { continuation in
    WorkThread.start(name: "test") { continuation.resume(returning: work()) }
  }
}

/// Work on a thread of its own that has begun when this is made, however busy Swift's pool is.
struct Background: Sendable {
  private let ended: AsyncStream<Void>

  init(_ work: @escaping @Sendable () -> Void) {
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    self.ended = ended
    WorkThread.start(name: "test") {
      work()
      end.finish()
    }
  }

  func end() async { for await _ in ended {} }
}

func after(milliseconds: Int64) -> Int64 { Clock.boot() + milliseconds * 1_000_000 }

/// A deadline that no test waits for.
func later() -> Int64 { after(milliseconds: 30_000) }

/// Two ends of a connection: ours as the dialer opens it, and the device's.
struct Wire: Sendable {
  enum Kind: String, CaseIterable, Sendable { case tcp, serial }

  let ours: Descriptor
  let device: Descriptor

  static func make(_ kind: Kind) throws -> Wire {
    switch kind {
    case .tcp:
      let listener = try StreamListener(host: "127.0.0.1", port: 0)
      let ours = try StreamDialer.open(
        .tcp(host: "127.0.0.1", port: listener.port), deadline: later(), stop: CallSignal())
      return Wire(ours: ours, device: try #require(listener.accept(stop: CallSignal())))
    case .serial:
      let pair = try PseudoTerminal()
      let ours = try StreamDialer.open(
        .serial(.init(path: pair.path, baud: 19200, parity: .even)), deadline: later(), stop: CallSignal())
      return Wire(ours: ours, device: pair.master)
    }
  }

  /// The device sends each fragment when the one before it has been read, so that none are joined on the way.
  func send(_ fragments: [[UInt8]]) {
    let end = later()
    for fragment in fragments {
      // Nothing tells when a byte was read, so this looks every now and then.
      while !Poll.wait([(ours.number, .read)], until: 0)[0].isEmpty, Clock.boot() < end {
        _ = Poll.wait([], until: after(milliseconds: 1))
      }
      write(fragment)
    }
  }

  func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch device.write(rest) {
      case .bytes(let sent): rest = rest.dropFirst(sent)
      case .wouldBlock: _ = Poll.wait([(device.number, .write)], until: later())
      case .closed, .failed: return
      }
    }
  }

  /// What reaches the device, as soon as it is so many bytes.
  func receive(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      _ = Poll.wait([(device.number, .read)], until: later())
      switch device.read(into: &bytes, upTo: count - bytes.count) {
      case .bytes, .wouldBlock: continue
      case .closed, .failed: return bytes
      }
    }
    return bytes
  }
}

/// A pseudo-terminal: the master is the device's end, `path` the serial port.
struct PseudoTerminal: Sendable {
  let master: Descriptor
  let path: String

  init() throws {
    let number = posix_openpt(O_RDWR | O_NOCTTY)
    try #require(number >= 0 && grantpt(number) == 0 && unlockpt(number) == 0)
    master = Descriptor(owning: number)
    path = unsafe String(cString: ptsname(number))
  }
}

// Swift's Glibc module leaves these out.
@_silgen_name("posix_openpt") private func posix_openpt(_ flags: Int32) -> Int32
@_silgen_name("grantpt") private func grantpt(_ number: Int32) -> Int32
@_silgen_name("unlockpt") private func unlockpt(_ number: Int32) -> Int32
@_silgen_name("ptsname") private func ptsname(_ number: Int32) -> UnsafePointer<CChar>

/// What an exchange came to.
struct Outcome: Sendable, Equatable {
  var reply: [UInt8]
  var failure: TransportError?
}

func exchange(
  _ wire: Wire, _ request: [UInt8] = [], until: StreamExchange.Until, capacity: Int = 256, deadline: Int64 = later(),
  stop: CallSignal = CallSignal()
) async -> Outcome {
  await blocking {
    var outcome = Outcome(reply: [])
    do throws(TransportError) {
      try StreamExchange.run(
        wire.ours, request: request[...], until: until, reply: &outcome.reply, capacity: capacity, deadline: deadline,
        stop: stop)
    } catch {
      outcome.failure = error
    }
    return outcome
  }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
