// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import Synchronization

/// The links of this process by number, for the host slots, which are plain C functions.
final class LinkTable: Sendable {
  static let shared = LinkTable()

  private let state = Mutex(State())

  private struct State {
    var last: UInt32 = 0
    var links: [UInt32: DirectLink] = [:]
  }

  func nextNumber() -> UInt32 {
    state.withLock { state in
      state.last += 1
      return state.last
    }
  }

  func add(_ link: DirectLink) { state.withLock { $0.links[link.number] = link } }
  func remove(_ link: DirectLink) { state.withLock { $0.links[link.number] = nil } }
  subscript(_ number: UInt32) -> DirectLink? { state.withLock { $0.links[number] } }
}

/// The declared points of a link, numbered densely from 1.
final class PointRegistry: Sendable {
  struct Entry {
    let device: UInt32
    let descriptor: PointDescriptor
  }

  /// Points a device, at most (host.h, declare_points).
  static let limit = 1024

  private let state = Mutex(State())

  private struct State {
    var entries: [Entry?] = []
    var numbers: [Key: UInt32] = [:]
  }

  private struct Key: Hashable {
    let device: UInt32
    let name: String
  }

  /// The same number for the same device and name; nil beyond the limit.
  func declare(_ descriptor: PointDescriptor, of device: UInt32) -> UInt32? {
    state.withLock { state in
      let key = Key(device: device, name: descriptor.name)
      if let number = state.numbers[key] {
        state.entries[Int(number) - 1] = Entry(device: device, descriptor: descriptor)
        return number
      }
      guard state.entries.count(where: { $0?.device == device }) < Self.limit else { return nil }
      state.entries.append(Entry(device: device, descriptor: descriptor))
      state.numbers[key] = UInt32(state.entries.count)
      return UInt32(state.entries.count)
    }
  }

  /// How many have been declared so far.
  var count: Int { state.withLock { $0.entries.count } }

  func point(_ number: UInt32) -> Entry? {
    state.withLock { state in
      number >= 1 && number <= UInt32(state.entries.count) ? state.entries[Int(number) - 1] : nil
    }
  }

  /// All of a batch's points in one go.
  func points(_ numbers: [UInt32]) -> [Entry?] {
    state.withLock { state in
      numbers.map { $0 >= 1 && $0 <= UInt32(state.entries.count) ? state.entries[Int($0) - 1] : nil }
    }
  }

  /// Forgets the points of a device that was removed; their numbers are not used again.
  func forget(device: UInt32) {
    state.withLock { state in
      for index in state.entries.indices where state.entries[index]?.device == device { state.entries[index] = nil }
      state.numbers = state.numbers.filter { $0.key.device != device }
    }
  }
}

/// Keeps a talkative plugin from filling the log: so many lines a minute, then a count.
final class LogLimit: Sendable {
  static let linesPerMinute = 60

  private let state = Mutex(State())

  private struct State {
    var minute: Int64 = -1
    var lines = 0
    var dropped = 0
  }

  /// Nil = drop this line; else how many were dropped before it.
  func admit(now: Int64) -> Int? {
    state.withLock { state in
      if now / 60_000_000_000 != state.minute {
        state.minute = now / 60_000_000_000
        state.lines = 0
      }
      guard state.lines < Self.linesPerMinute else {
        state.dropped += 1
        return nil
      }
      state.lines += 1
      defer { state.dropped = 0 }
      return state.dropped
    }
  }
}
