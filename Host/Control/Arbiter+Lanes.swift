// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// What happens one after another: the writes to one point, or the actions of one device.
enum Lane: Hashable {
  case point(PointKey)
  case actions(DeviceID)

  init(_ request: CommandRequest) {
    switch request.verb {
    case .set(let point, _): self = .point(PointKey(device: request.device, point: point))
    case .action: self = .actions(request.device)
    }
  }
}

/// Who waits for a lane that is taken.
struct LaneQueue {
  /// Requests that may wait for one lane.
  static let longest = 64

  var waiting: [CheckedContinuation<Void, Never>] = []
}

extension Arbiter {
  /// Waits for the lane; what has to follow a lease goes before requests.
  func take(_ lane: Lane, first: Bool = false) async throws(CommandStop) {
    guard let queue = lanes[lane] else {
      lanes[lane] = LaneQueue()
      return
    }
    guard first || queue.waiting.count < LaneQueue.longest else {
      throw .failed("\(LaneQueue.longest) requests wait for this point already: try again later")
    }
    await withCheckedContinuation { continuation in
      lanes[lane]?.waiting.insert(continuation, at: first ? 0 : queue.waiting.count)
    }
  }

  /// Hands the lane to the next in the row.
  func leave(_ lane: Lane) {
    guard let queue = lanes[lane], !queue.waiting.isEmpty else {
      lanes[lane] = nil
      rest()
      return
    }
    lanes[lane]?.waiting.removeFirst().resume()
  }
}
