// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Glibc

/// Finds out which of many addresses take a connection. A connection that was made is closed at once; nothing is sent.
package enum AddressSweep {
  /// Blocks. Not more than `atOnce` connections are open or being opened at a time, each for at most `patience`
  /// nanoseconds. `told` is called on this thread, once an address: its index, and whether it took the connection.
  /// `addresses` are numeric; what is none takes no connection.
  package static func knock(
    _ addresses: [(host: String, port: UInt16)], atOnce: Int, patience: Int64, stop: CallSignal,
    told: (Int, Bool) -> Void
  ) {
    var waiting: [Attempt] = []
    var next = 0
    while next < addresses.count || !waiting.isEmpty {
      if stop.isSet { return }
      while next < addresses.count, waiting.count < atOnce {
        let index = next
        next += 1
        switch begin(addresses[index].host, addresses[index].port) {
        case .connected: told(index, true)
        case .refused: told(index, false)
        case .waiting(let descriptor):
          waiting.append(Attempt(index: index, descriptor: descriptor, deadline: Clock.boot() + patience))
        }
      }
      guard let first = waiting.map(\.deadline).min() else { continue }
      let ready = Poll.wait(waiting.map { ($0.descriptor.number, .write) } + [(stop.descriptor, .read)], until: first)
      let now = Clock.boot()
      var left: [Attempt] = []
      for (attempt, events) in zip(waiting, ready) {
        if !events.isEmpty {
          told(attempt.index, isConnected(attempt.descriptor.number))
        } else if attempt.deadline <= now {
          told(attempt.index, false)
        } else {
          left.append(attempt)
        }
      }
      waiting = left
    }
  }

  private struct Attempt {
    let index: Int
    let descriptor: Descriptor
    let deadline: Int64
  }

  private enum Beginning {
    case connected
    case refused
    case waiting(Descriptor)
  }

  private static func begin(_ host: String, _ port: UInt16) -> Beginning {
    guard let address = try? Address.resolve(host, port, numeric: true).first else { return .refused }
    let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let number = socket(address.family, flags, 0)
    guard number >= 0 else { return .refused }
    let descriptor = Descriptor(owning: number)
    if address.connect(number) { return .connected }
    return errno == EINPROGRESS ? .waiting(descriptor) : .refused
  }

  private static func isConnected(_ number: Int32) -> Bool {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code == 0
  }
}

extension AddressSweep {
  /// The addresses of a name or of a literal as text. Blocks as long as the resolver does; empty where it knows none.
  package static func numeric(_ host: String) -> [String] {
    ((try? Address.resolve(host, 0)) ?? []).compactMap(\.text)
  }
}
