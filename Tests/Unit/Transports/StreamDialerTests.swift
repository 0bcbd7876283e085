// SPDX-License-Identifier: Apache-2.0

import BusbarSystem
import BusbarTransports
import Glibc
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StreamDialerTests {
  private func failure(
    _ endpoint: StreamEndpoint, deadline: Int64 = later(), stop: CallSignal = CallSignal()
  ) async -> TransportError? {
    await blocking {
      do throws(TransportError) {
        _ = try StreamDialer.open(endpoint, deadline: deadline, stop: stop)
        return nil
      } catch {
        return error
      }
    }
  }

  @Test func portWhereNobodyListens() async throws {
    var listener: StreamListener? = try StreamListener(host: "127.0.0.1", port: 0)
    let port = try #require(listener?.port)
    listener = nil
    let error = try #require(await failure(.tcp(host: "127.0.0.1", port: port)))
    #expect(error.cause == .refused)
    #expect(error.message.contains("127.0.0.1:\(port)"))
  }

  @Test func nameThatDoesNotExist() async throws {
    let error = try #require(await failure(.tcp(host: "no such host", port: 502)))
    #expect(error.cause == .address)
    #expect(error.message.contains("no such host"))
  }

  @Test func blackHoleEndsAtTheDeadline() async throws {
    let hole = try BlackHole()
    let error = try #require(
      await failure(.tcp(host: "127.0.0.1", port: hole.port), deadline: after(milliseconds: 200)))
    #expect(error.cause == .timeout)
    #expect(error.message.contains("127.0.0.1:\(hole.port)"))
    #expect(
      await failure(.tcp(host: "127.0.0.1", port: hole.port), deadline: after(milliseconds: -1))?.cause == .timeout)
  }

  @Test func blackHoleIsLeftWhenTheCallIsCancelled() async throws {
    let hole = try BlackHole()
    let stop = CallSignal()
    async let error = failure(.tcp(host: "127.0.0.1", port: hole.port), stop: stop)
    stop.set()
    #expect(await error?.cause == .cancelled)
  }

  @Test func serialPortThatIsNotThere() async throws {
    let error = try #require(await failure(.serial(.init(path: "/dev/serial-port-that-is-not-there"))))
    #expect(error.cause == .address)
    #expect(error.message.contains("/dev/serial-port-that-is-not-there"))
    #expect(error.message.contains("plugged in"))
  }

  @Test func serialSpeedThatDoesNotExist() async throws {
    let pair = try PseudoTerminal()
    let error = try #require(await failure(.serial(.init(path: pair.path, baud: 12345))))
    #expect(error.cause == .address)
    #expect(error.message.contains("12345 bit/s"))
    #expect(error.message.contains("Invalid argument"))
  }

  @Test(arguments: ["/dev/null", "/", ""])
  func whatIsNoSerialPort(path: String) async {
    #expect(await failure(.serial(.init(path: path)))?.cause == .address)
  }

  /// Raw: no byte is changed, swallowed, echoed or taken as a signal on the way.
  @Test func serialLinePassesEveryByte() async throws {
    let wire = try Wire.make(.serial)
    let all = (0...255).map { UInt8($0) }
    async let asked = blocking {
      let request = wire.receive(256)
      wire.write(request)
      return request
    }
    #expect(await exchange(wire, all, until: .length(256)) == Outcome(reply: all))
    #expect(await asked == all)
    #expect(Poll.wait([(wire.device.number, .read)], until: 0)[0].isEmpty)
  }

  @Test(
    arguments: [(8, .none, 1, 10), (8, .even, 1, 11), (8, .none, 2, 11), (7, .odd, 2, 11)]
      as [(Int, StreamEndpoint.SerialLine.Parity, Int, Int)])
  func bitsOfAByte(data: Int, parity: StreamEndpoint.SerialLine.Parity, stop: Int, bits: Int) {
    #expect(StreamEndpoint.SerialLine(path: "", dataBits: data, parity: parity, stopBits: stop).bitsPerByte == bits)
  }

  @Test func descriptorsAreClosedWithTheirOwner() throws {
    var wire: Wire? = try Wire.make(.tcp)
    let device = try #require(wire?.device)
    wire = nil
    _ = Poll.wait([(device.number, .read)], until: later())
    var rest: [UInt8] = []
    #expect(device.read(into: &rest, upTo: 1) == .closed)
  }
}

@Suite(.timeLimit(.minutes(1)))
struct StreamListenerTests {
  @Test func takesConnectionsUntilItIsStopped() async throws {
    let listener = try StreamListener(host: "127.0.0.1", port: 0)
    #expect(listener.port > 0)
    let stop = CallSignal()
    for _ in 0..<3 {
      let ours = try StreamDialer.open(.tcp(host: "127.0.0.1", port: listener.port), deadline: later(), stop: stop)
      let theirs = try #require(listener.accept(stop: stop))
      #expect(ours.write([1]) == .bytes(1))
      _ = Poll.wait([(theirs.number, .read)], until: later())
      var bytes: [UInt8] = []
      #expect(theirs.read(into: &bytes, upTo: 9) == .bytes(1))
    }
    async let none = blocking { listener.accept(stop: stop) == nil }
    stop.set()
    #expect(await none)
  }

  @Test func portThatIsTaken() throws {
    let listener = try StreamListener(host: "127.0.0.1", port: 0)
    #expect {
      try StreamListener(host: "127.0.0.1", port: listener.port)
    } throws: { error in
      let error = error as? TransportError
      return error?.cause == .address && error?.message.contains("127.0.0.1:\(listener.port)") == true
    }
  }

  @Test func addressThatIsNotOurs() {
    #expect { try StreamListener(host: "192.0.2.1", port: 0) } throws: { ($0 as? TransportError)?.cause == .address }
    #expect { try StreamListener(host: "no such host", port: 0) } throws: { ($0 as? TransportError)?.cause == .address }
  }
}

/// A port that takes connections no more and does not refuse them either: its backlog is full.
private final class BlackHole: Sendable {
  let port: UInt16
  private let listener: Descriptor
  private let fill: [Descriptor]

  init() throws {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    listener = Descriptor(owning: number)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = unsafe withUnsafeMutablePointer(to: &address) { place in
      unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) { place in
        unsafe bind(number, place, size) == 0 && listen(number, 0) == 0 && getsockname(number, place, &size) == 0
      }
    }
    try #require(bound)
    port = UInt16(bigEndian: address.sin_port)
    var fill: [Descriptor] = []
    for _ in 0..<16 {
      let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      unsafe withUnsafePointer(to: address) { place in
        unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = unsafe connect(client, $0, size) }
      }
      fill.append(Descriptor(owning: client))
    }
    self.fill = fill
  }
}
