// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem

/// What a poll is to a case where values come when the far end sends them.
extension Visit {
  /// How long a program may take to start and to connect.
  private static let arrival = Duration.seconds(20)
  /// Messages, and a time, without a point that was not there before: then all there are have come.
  private static let quietMessages = 6
  private static let quietTime = Duration.seconds(1)

  /// Waits for somebody to connect, polls, and waits for what the far end sends by itself until everything has come that usually comes.
  /// What came by then is in `told`.
  func read(_ points: [UInt32], until deadline: Int64) async -> CallResult {
    while true {
      do {
        guard try await arrive(until: deadline) else {
          return CallResult(failure: .transient, reason: .closed, text: "nobody is connected")
        }
      } catch {
        return CallResult(failure: .config, reason: .unspecified, text: "the case cannot listen: \(error)")
      }
      var count = happened
      let result = await withCheckedContinuation { done in
        poll(1, due: points, deadline: deadline) { done.resume(returning: $0) }
      }
      // What does not pass by itself is not waited for.
      guard result.failure == nil || result.failure == .transient else { return result }
      repeat {
        if result.failure == nil, told.isComplete || Clock.boot() >= deadline { return result }
        guard Clock.boot() < deadline else { return result }
        count = await change(since: count, until: deadline)
      } while isConnected && result.failure == nil
    }
  }

  /// Waits for the first visitor, and until it has told what it tells.
  func begin(_ points: [UInt32], _ pace: Pace) async throws {
    let first = await read(points, until: later(max(Self.arrival, pace.patience)))
    guard first.failure == nil else {
      if door.hasCome { throw Finding.failed("the device connects and says nothing that the adapter understands: \(said(first))") }
      throw Finding.skipped("nobody connects: \(door.complaint ?? "the program of check.visitor did not try")")
    }
    let end = later(pace.patience)
    var (names, heard, since) = (Set<String>(), messages, Clock.boot())
    while Clock.boot() < end, messages - heard < Self.quietMessages, Clock.boot() - since < Self.quietTime.nanoseconds {
      let known = told.recurring
      if known != names { (names, heard, since) = (known, messages, Clock.boot()) }
      _ = await change(since: happened, until: min(end, since + Self.quietTime.nanoseconds))
    }
    if told.values.isEmpty { throw Finding.failed("the device connects, and no value comes") }
  }
}
