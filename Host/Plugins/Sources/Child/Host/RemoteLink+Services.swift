// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

// What the host does for a plugin in a child. Nothing here runs on the thread that reads: it may take its time.
extension RemoteLink {
  /// Requests of one link at the same time; a plugin's call makes one.
  private static let requestLimit = 4
  /// What a child asks for takes no longer than this, nanoseconds.
  private static let longest: Int64 = 120_000_000_000
  /// The host's own descriptors stay above those that plugins can use.
  private static let ownDescriptors: Int32 = 1024

  func serve(_ number: UInt64, _ request: ChildMessage.Request) throws(MessageError) {
    let count = state.withLock { state in
      state.requests += 1
      return state.requests
    }
    guard count <= Self.requestLimit else { throw MessageError(what: "too many requests at the same time") }
    let stop = CallSignal()
    if case .stream = request { state.withLock { $0.opening = stop } }
    resources.pool.run { [self] in
      let (answer, descriptor) = answer(request, stop)
      state.withLock { $0.requests -= 1 }
      child.send(.answer(request: number, answer), passing: descriptor)
    }
  }

  private func answer(_ request: ChildMessage.Request, _ stop: CallSignal) -> (HostMessage.Answer, Descriptor?) {
    switch request {
    case .stream(let endpoint, let deadline): return open(endpoint, deadline, stop)
    case .storeGet(let key): return (resources.store.get(key).map { .value($0) } ?? .nothing, nil)
    case .storeSet(let key, let value):
      do {
        try resources.store.set(key, to: value)
        return (.done, nil)
      } catch {
        return (.failed(cause: 0, text: "\(error)"), nil)
      }
    case .durable(let samples):
      note(SampleBatch(samples).tell(resources.events, points, durable: true))
      return (.done, nil)
    case .record, .tags, .control: return (answerEvent(request) ?? .nothing, nil)
    }
  }

  private func open(_ endpoint: String, _ deadline: Int64, _ stop: CallSignal) -> (HostMessage.Answer, Descriptor?) {
    defer { state.withLock { $0.opening = nil } }
    do throws(TransportError) {
      // The old one first: a serial line has one user.
      state.withLock { $0.stream = nil }
      let limit = min(deadline, Clock.boot() + Self.longest)
      guard let opened = try resources.streams.open(endpoint, deadline: limit, stop: stop) else { return (.nothing, nil) }
      let kept = OpenStream(opened.descriptor.moved(above: Self.ownDescriptors), opened.facts)
      let taken = state.withLock { state in
        guard state.lost == nil else { return false }
        state.stream = kept
        return true
      }
      guard taken else { return (.nothing, nil) }
      return (.stream(kept.facts), kept.descriptor)
    } catch {
      return (.failed(cause: error.cause.number, text: error.message), nil)
    }
  }
}
