// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import CSandbox
internal import Glibc

/// Packets over a socket of `ChildProcess`.
package enum PacketSocket {
  package enum Sent: Equatable, Sendable {
    case sent
    /// Not now; nothing was sent.
    case full
    case closed
  }

  package enum Received: Sendable {
    case packet(ArraySlice<UInt8>, Descriptor?)
    /// Nothing now.
    case none
    case closed
    /// One that is longer than the room; it is lost.
    case tooLong
  }

  /// Never waits.
  package static func send(_ socket: Descriptor, _ packet: [UInt8], passing descriptor: Descriptor? = nil) -> Sent {
    while true {
      let count = unsafe packet.withUnsafeBytes { bytes in
        unsafe busbar_send_packet(socket.number, bytes.baseAddress, bytes.count, descriptor?.number ?? -1)
      }
      if count >= 0 { return .sent }
      switch errno {
      case EINTR: continue
      case EAGAIN, ENOBUFS, ENOMEM: return .full
      case ETOOMANYREFS: return .full
      default: return .closed
      }
    }
  }

  /// The next packet, if there is one, with the descriptor that may come with it.
  package static func receive(_ socket: Descriptor, into room: inout [UInt8]) -> Received {
    while true {
      var passed: Int32 = -1
      let count = unsafe room.withUnsafeMutableBytes { bytes in
        unsafe busbar_receive_packet(socket.number, bytes.baseAddress, bytes.count, &passed)
      }
      let descriptor = passed >= 0 ? Descriptor(owning: passed) : nil
      switch count {
      case -2: return .tooLong
      case 0: return .closed
      case 1...: return .packet(room[..<count], descriptor)
      default:
        if errno == EINTR { continue }
        return errno == EAGAIN ? .none : .closed
      }
    }
  }

  /// The next packet, if there is one. Descriptors that come with it are dropped.
  package static func receiveNow(_ socket: Descriptor, into room: inout [UInt8]) -> Received {
    while true {
      let count = unsafe room.withUnsafeMutableBytes { bytes in
        unsafe busbar_receive_plain(socket.number, bytes.baseAddress, bytes.count)
      }
      switch count {
      case 0: return .closed
      case 1...: return count <= room.count ? .packet(room[..<count], nil) : .tooLong
      default:
        if errno == EINTR { continue }
        return errno == EAGAIN ? .none : .closed
      }
    }
  }
}

/// Threads that wait in turn for the packets of one socket. A packet wakes one of them, and of several the one that came last:
/// its stack and its blocks of memory are still at hand, those of the others may sleep.
package struct PacketTurns: Sendable {
  private let socket: Descriptor
  private let turns: Descriptor

  /// Nil where the process has too many descriptors open.
  package init?(_ socket: Descriptor) {
    let number = busbar_turns(socket.number)
    guard number >= 0 else { return nil }
    self.socket = socket
    turns = Descriptor(owning: number)
  }

  /// Waits until there is a packet or the other end is gone. No other thread wakes before `next` is called. False where the
  /// descriptors are no more what they were.
  package func wait() -> Bool {
    while true {
      if busbar_await_turn(turns.number) == 1 { return true }
      guard errno == EINTR else { return false }
    }
  }

  /// The next packet may wake the next one. False as above.
  package func next() -> Bool { busbar_next_turn(turns.number, socket.number) == 0 }
}

extension Descriptor {
  /// A memory file with this content that nobody can change any more; nil where there is no memory.
  package static func sealed(_ bytes: [UInt8]) -> Descriptor? {
    let number = unsafe bytes.withUnsafeBytes { unsafe busbar_sealed_file($0.baseAddress, $0.count) }
    return number >= 0 ? Descriptor(owning: number) : nil
  }

  /// `count` bytes from the beginning; nil where there are fewer.
  package func content(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var read = 0
    while read < count {
      let got = unsafe bytes.withUnsafeMutableBytes { room in
        unsafe pread(number, room.baseAddress.map { unsafe $0 + read }, count - read, off_t(read))
      }
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { return nil }
      read += got
    }
    return bytes
  }

  /// Both directions end, also for whoever else has it.
  package func shutDown() { Glibc.shutdown(number, Int32(SHUT_RDWR)) }

  /// Another number for it, above `least` where there is room; itself where there is none.
  package func moved(above least: Int32) -> Descriptor {
    let other = busbar_dup_above(number, least)
    return other >= 0 ? Descriptor(owning: other) : self
  }

  /// For reading; nil where it cannot be opened.
  package static func reading(_ path: String) -> Descriptor? {
    let number = unsafe busbar_open_nofollow(path)
    return number >= 0 ? Descriptor(owning: number) : nil
  }
}
