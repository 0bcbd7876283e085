// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import BusbarTransports
internal import Synchronization

/// A link whose plugin is in a child: the guard's calls become messages, and what the child tells is checked as if a stranger
/// had said it.
final class RemoteLink: AdapterConnection {
  let number: UInt32
  let child: ChildPlugin
  let resources: LinkResources
  let points = PointRegistry()
  let logLimit = LogLimit()
  let identityLimit = LogLimit()
  let state = Mutex(State())
  private let adapter: String

  struct State {
    var lastCall: UInt32 = 0
    var running: Running?
    /// Why no call can be made any more.
    var lost: String?
    var replaced = false
    var retiring = false
    var devices: Set<UInt32> = []
    /// What the running step of a search has found.
    var candidates: [AdapterCandidate] = []
    /// The host's own hold on what the plugin has: it ends with the child.
    var stream: OpenStream?
    /// Ends the opening of a stream early.
    var opening: CallSignal?
    var requests = 0
    var problems = ProblemLimit()
    var assembly = Assembly()
    /// Bytes of text of each point, and of all.
    var texts: [UInt32: Int] = [:]
    var textBytes = 0
  }

  /// The call that the child has been given.
  struct Running {
    enum Kind {
      case call(@Sendable (CallResult) -> Void)
      case command(@Sendable (CommandResult) -> Void)
      case scan(@Sendable (ScanResult) -> Void)
    }

    var id: UInt64
    var kind: Kind
    /// For sentences.
    var name: String
    /// Taken out of the link once the child has answered.
    var removes: UInt32?
  }

  init(number: UInt32, child: ChildPlugin, adapter: String, resources: LinkResources) {
    self.number = number
    self.child = child
    self.adapter = adapter
    self.resources = resources
  }

  func open(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    begin("open", .open(adapter: adapter, config: resources.config), deadline, .call(completion))
  }

  func add(_ device: DeviceSetup, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    state.withLock { _ = $0.devices.insert(device.number) }
    begin("device_add", .add(device), deadline, .call(completion))
  }

  func remove(_ device: UInt32, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    begin("device_remove", .remove(device), deadline, .call(completion), removes: device)
  }

  func poll(_ device: UInt32, due: [UInt32], deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    begin("poll", .poll(device: device, due: due), deadline, .call(completion))
  }

  func command(_ command: AdapterCommand, deadline: Int64, completion: @escaping @Sendable (CommandResult) -> Void) {
    begin("command", .command(command), deadline, .command(completion))
  }

  func scan(_ step: ScanRequest, deadline: Int64, completion: @escaping @Sendable (ScanResult) -> Void) {
    begin("scan", .scan(step), deadline, .scan(completion))
  }

  func close(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    // What has died is closed.
    if state.withLock({ $0.lost != nil }) { return completion(.done) }
    begin("close", .close, deadline, .call(completion))
  }

  func cancel() {
    state.withLock { $0.opening }?.set()
    child.send(.cancel(link: number))
  }

  /// The child gets a little longer, then it is ended.
  func giveUp() -> Bool {
    guard let running = state.withLock({ $0.running }) else { return false }
    let mercy = child.settings.mercy
    Task { [self] in
      try? await Task.sleep(for: .nanoseconds(mercy))
      guard state.withLock({ $0.running?.id == running.id }) else { return }
      child.end("the plugin did not return from \(running.name) in time")
    }
    return false
  }

  /// One whose last call hangs stays until that has ended, one way or the other.
  func retire() {
    let hangs = state.withLock { state in
      state.stream = nil
      state.retiring = state.running != nil
      return state.retiring
    }
    if !hangs { child.retired(self) }
  }

  /// The child has ended.
  func lost(_ reason: String) {
    let (running, stream, opening, first) = state.withLock { state in
      defer {
        state.running = nil
        state.stream = nil
        state.lost = reason
      }
      return (state.running, state.stream, state.opening, state.lost == nil)
    }
    opening?.set()
    stream?.descriptor.shutDown()
    if let running { fail(running, reason) }
    if first { resources.events.conditionChanged() }
  }

  /// Another child takes over; this one still answers what it was asked.
  func replaced() {
    state.withLock { $0.replaced = true }
    resources.events.conditionChanged()
  }

  var condition: ConnectionCondition {
    state.withLock { state in state.lost.map { .ended($0) } ?? (state.replaced ? .replaced : .usable) }
  }

  func begin(
    _ name: String, _ verb: HostMessage.Verb, _ deadline: Int64, _ kind: Running.Kind, removes: UInt32? = nil
  ) {
    let (running, lost) = state.withLock { state in
      state.lastCall &+= 1
      // The link's number is in it, so that an answer finds its link.
      let running = Running(id: UInt64(number) << 32 | UInt64(state.lastCall), kind: kind, name: name, removes: removes)
      if state.lost == nil { state.running = running }
      state.candidates = []
      return (running, state.lost)
    }
    if let lost { return fail(running, lost) }
    child.send(.call(HostMessage.Call(link: number, id: running.id, deadline: deadline, verb: verb)))
  }

  private func fail(_ running: Running, _ reason: String) {
    let result = CallResult(failure: .transient, reason: .closed, text: reason)
    switch running.kind {
    case .call(let completion): completion(result)
    // It may have acted before it ended.
    case .command(let completion): completion(.unknown(reason))
    case .scan(let completion): completion(ScanResult(result))
    }
  }
}
