// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
package import Logging
internal import Synchronization

/// One plugin in one child process, from its start to its end. A thread reads what the child tells; nothing of it is
/// believed unchecked, and what breaks the rules of the messages ends the child.
package final class ChildPlugin: Sendable {
  /// Bytes and packets that wait for a child at most; one that lets more wait does not read. Each link has one call at a
  /// time, and thousands of links may have something to tell at once: their network is gone.
  private static let waitingPackets = 65_536
  private static let waitingBytes = 8 << 20

  package let file: PluginFile
  let settings: ChildSettings
  private let logger: Logger
  private let process: ChildProcess
  private let wakeup = Wakeup()
  private let onEnd: @Sendable (String) -> Void
  private let onIdle: @Sendable () -> Void
  private let state = Mutex(State())
  private let outgoing = Mutex(Outgoing())
  /// Something waits in `outgoing`.
  private let hasWaiting = Atomic(false)
  private let output: ChildOutput
  private let logLimit = LogLimit()

  private struct State {
    var links: [UInt32: RemoteLink] = [:]
    /// Points of each link that has any, and of all: thousands of links are not counted anew for each that tells its own.
    var points: [UInt32: Int] = [:]
    var allPoints = 0
    var lastLink: UInt32 = 0
    /// The most memory that it had, bytes, as it said itself before it crashed.
    var peak: Int64?
    /// Why it is ended from here.
    var ending: String?
    /// Why it has ended.
    var ended: String?
    var alive = false
    /// Its number may belong to another process from now on.
    var reaped = false
    var started: (@Sendable (Result<Void, ChildFailure>) -> Void)?
  }

  /// Apart from the state: the child runs as soon as a packet is there, and its answer needs the state.
  private struct Outgoing {
    var waiting: [(packet: [UInt8], descriptor: Descriptor?)] = []
    var bytes = 0
    /// The child is gone.
    var isClosed = false
  }

  /// The number of its process.
  package var processID: Int32 { process.id }

  /// Starts a child and waits until the plugin in it is loaded. `ended` is called once for a child that came to life, from a
  /// thread of its own, with the reason; `idle` when its last link has gone.
  package static func start(
    _ file: PluginFile, settings: ChildSettings, logger: Logger, idle: @escaping @Sendable () -> Void = {},
    ended: @escaping @Sendable (String) -> Void
  ) async throws(ChildFailure) -> ChildPlugin {
    guard let copy = Descriptor.reading(file.copy) else { throw .died("the private copy of \(file.path) cannot be read") }
    let process: ChildProcess
    do throws(ChildProcess.Failure) {
      process = try ChildProcess(
        program: settings.program, arguments: ["busbar", Runner.word, file.manifest.id], environment: environment, file: copy)
    } catch {
      throw .died(error.text)
    }
    let child = ChildPlugin(file, settings, logger, process, idle, ended)
    let result: Result<Void, ChildFailure> = await withCheckedContinuation { continuation in
      child.begin { continuation.resume(returning: $0) }
    }
    try result.get()
    return child
  }

  /// A crash ends at once instead of being explained by a program that the child could not start.
  private static let environment = ["SWIFT_BACKTRACE=enable=no", "LC_ALL=C.UTF-8"] + OwnProcess.timeZone

  private init(
    _ file: PluginFile, _ settings: ChildSettings, _ logger: Logger, _ process: ChildProcess, _ idle: @escaping @Sendable () -> Void,
    _ ended: @escaping @Sendable (String) -> Void
  ) {
    self.file = file
    self.settings = settings
    var logger = logger
    logger[metadataKey: "plugin"] = "\(file.manifest.id)"
    self.logger = logger
    self.process = process
    onIdle = idle
    onEnd = ended
    output = ChildOutput(process.output, logger)
  }

  private func begin(_ started: @escaping @Sendable (Result<Void, ChildFailure>) -> Void) {
    state.withLock { $0.started = started }
    WorkThread.start(name: "plugin-\(process.id)") { [self] in read() }
    let user = Sandbox.user(for: file.manifest.id)
    send(
      .load(
        HostMessage.Load(
          sandbox: SandboxRules(
            user: user?.user, group: user?.group, memory: UInt64(settings.memory), landlock: UInt32(clamping: settings.landlock),
            allowWeak: settings.allowWeak),
          id: file.manifest.id, version: file.manifest.version, adapters: file.manifest.adapters.map(\.id), path: file.path)))
    let limit = settings.patience
    Task { [weak self] in
      try? await Task.sleep(for: .nanoseconds(limit))
      guard let self, state.withLock({ $0.started != nil }) else { return }
      end("the plugin did not load within \(limit / 1_000_000_000) s")
    }
    watchProcessor()
  }

  /// The system has no limit for this that does not count for ever (RLIMIT_CPU). While it sleeps it keeps nothing of the child,
  /// whose descriptors would outlive it.
  private func watchProcessor() {
    Task { [weak self, settings] in
      var watch = ProcessorWatch(settings.processor)
      while let used = self?.processorTime {
        if let reason = watch.look(now: Clock.boot(), used: used) { self?.end(reason) }
        try? await Task.sleep(for: .nanoseconds(settings.processor.window / 4))
      }
    }
  }

  /// What it has used, nanoseconds; nil where it has ended.
  private var processorTime: Int64? { endReason == nil ? process.processorTime : nil }

  /// A link of one of its adapters; nil where it has none with this id.
  package func link(adapter: String, resources: LinkResources) -> (any AdapterConnection)? {
    guard file.manifest.adapters.contains(where: { $0.id == adapter }) else { return nil }
    let (link, ended) = state.withLock { state in
      state.lastLink += 1
      let link = RemoteLink(number: state.lastLink, child: self, adapter: adapter, resources: resources)
      if state.ended == nil { state.links[link.number] = link }
      return (link, state.ended)
    }
    if let ended { link.lost(ended) }
    return link
  }

  /// Ends the process now; its links and `ended` are told the reason.
  package func end(_ reason: String) {
    state.withLock { state in
      guard !state.reaped else { return }
      state.ending = state.ending ?? reason
      process.kill()
    }
  }

  /// All links are told to open anew, which is with another child.
  package func drain() {
    let links = state.withLock { Array($0.links.values) }
    for link in links { link.replaced() }
    if links.isEmpty { onIdle() }
  }

  /// Why it has ended; nil while it lives.
  var endReason: String? { state.withLock { $0.ended } }

  package var isIdle: Bool { state.withLock { $0.links.isEmpty } }

  func retired(_ link: RemoteLink) {
    send(.retire(link: link.number))
    let idle = state.withLock { state in
      state.allPoints -= state.points.removeValue(forKey: link.number) ?? 0
      return state.links.removeValue(forKey: link.number) != nil && state.links.isEmpty && state.ended == nil
    }
    if idle { onIdle() }
  }

  // MARK: Sending

  /// Never waits: what the child does not take now goes when it can.
  func send(_ message: HostMessage, passing descriptor: Descriptor? = nil) {
    var writer = PacketWriter()
    _ = writer.put(message)
    var packet = writer.bytes
    var passed = descriptor
    if packet.count > Packet.limit {
      let long = Array(writer.onlyMessage)
      guard long.count <= Packet.fileLimit, let file = Descriptor.sealed(long) else {
        return end("a message of \(long.count) bytes is too long for a child")
      }
      packet = Packet.file(long.count)
      passed = file
    }
    let (waits, overflow) = outgoing.withLock { outgoing in
      guard !outgoing.isClosed else { return (false, false) }
      if outgoing.waiting.isEmpty, PacketSocket.send(process.socket, packet, passing: passed) != .full { return (false, false) }
      outgoing.waiting.append((packet, passed))
      outgoing.bytes += packet.count
      hasWaiting.store(true, ordering: .releasing)
      return (true, outgoing.waiting.count > Self.waitingPackets || outgoing.bytes > Self.waitingBytes)
    }
    if overflow { return end("the plugin's process does not read its messages") }
    if waits { wakeup.wake() }
  }

  private func sendWaiting() {
    outgoing.withLock { outgoing in
      var sent = 0
      while sent < outgoing.waiting.count {
        let (packet, descriptor) = outgoing.waiting[sent]
        guard PacketSocket.send(process.socket, packet, passing: descriptor) != .full else { break }
        outgoing.bytes -= packet.count
        sent += 1
      }
      outgoing.waiting.removeFirst(sent)
      hasWaiting.store(!outgoing.waiting.isEmpty, ordering: .releasing)
    }
  }

  // MARK: Receiving

  private func read() {
    var room = [UInt8](repeating: 0, count: Packet.limit)
    var budget = FlowBudget(now: Clock.boot())
    var points = 0
    var ready = Poll.Places(3)
    ready.set(1, wakeup.descriptor.number, .read)
    reading: while true {
      let now = Clock.boot()
      let pause = budget.pause(now: now)
      let silence = output.pause(now: now)
      var interest: Poll.Interest = pause == nil ? .read : .nothing
      if hasWaiting.load(ordering: .acquiring) { interest.insert(.write) }
      ready.set(0, process.socket.number, interest)
      ready.set(2, silence == nil ? output.number : -1, .read)
      let limit = min(pause ?? .max, silence ?? .max)
      ready.wait(until: limit == .max ? nil : limit)
      if !ready[1].isEmpty { wakeup.drain() }
      if !ready[2].isEmpty { output.read() }
      if ready[0].contains(.write) { sendWaiting() }
      guard !ready[0].isDisjoint(with: .readOrBroken), pause == nil || ready[0].isDisjoint(with: .read) else { continue }
      switch PacketSocket.receiveNow(process.socket, into: &room) {
      case .none: continue
      case .closed: break reading
      case .tooLong:
        end("the plugin's process broke the rules of its messages: a packet is too long")
        break reading
      case .packet(let packet, _):
        if let broken = takeForCaller(packet, &budget, &points) {
          end("the plugin's process broke the rules of its messages: \(broken)")
          break reading
        }
      }
    }
    finish()
  }

  /// The points of all links, after one of them has told of its own.
  private func count(_ number: UInt32) -> Int {
    state.withLock { state in
      guard let count = state.links[number]?.points.count else { return state.allPoints }
      state.allPoints += count - (state.points.updateValue(count, forKey: number) ?? 0)
      return state.allPoints
    }
  }

  /// What the rules were broken with. An answer wakes no other thread: what its caller does with it is done here.
  private func takeForCaller(_ packet: ArraySlice<UInt8>, _ budget: inout FlowBudget, _ points: inout Int) -> String? {
    var broken: String?
    func work() {
      do throws(MessageError) {
        try take(packet, &budget, &points)
      } catch {
        broken = error.what
      }
    }
    if let caller = settings.caller { caller.lend(work) } else { work() }
    return broken
  }

  /// `points` are those of all its links, counted when there are new ones.
  private func take(
    _ packet: ArraySlice<UInt8>, _ budget: inout FlowBudget, _ points: inout Int
  ) throws(MessageError) {
    guard case .messages(var parts) = try Packet.parse(packet) else { throw MessageError(what: "only the host makes files") }
    var samples = 0
    var messages = 0
    while let part = try parts.next() {
      var reader = MessageReader(part)
      let message = try ChildMessage(from: &reader)
      messages += 1
      samples += try handle(message)
      if case .declared(let link, _, _) = message { points = count(link) }
    }
    budget.take(bytes: packet.count, messages: messages, samples: samples, points: points, now: Clock.boot())
  }

  /// How many samples were good.
  private func handle(_ message: ChildMessage) throws(MessageError) -> Int {
    switch message {
    case .loaded:
      guard let started = takeStarted() else { throw MessageError(what: "it is loaded twice") }
      state.withLock { $0.alive = true }
      started(.success(()))
    case .refused(let text): takeStarted()?(.failure(.refused(text)))
    case .crashing(let peak): state.withLock { $0.peak = Int64(clamping: peak) }
    case .log(0, let level, let text): log(level, text)
    case .result(let call, _), .outcome(let call, _), .candidate(let call, _), .scanned(let call, _, _):
      return try link(UInt32(call >> 32))?.handle(message) ?? 0
    case .declared(let link, _, _), .identified(let link, _, _), .samples(let link, _), .problem(let link, _, _, _, _),
      .log(let link, _, _), .frame(let link, _, _, _), .released(let link), .request(_, let link, _),
      .send(let link, _, _, _), .shut(let link, _, _), .timer(let link, _, _, _), .wake(let link, _), .completed(let link, _, _),
      .ask(let link, _, _, _, _):
      return try self.link(link)?.handle(message) ?? 0
    }
    return 0
  }

  /// What still comes of a link that has gone is dropped.
  private func link(_ number: UInt32) throws(MessageError) -> RemoteLink? {
    let (link, last) = state.withLock { ($0.links[number], $0.lastLink) }
    guard number >= 1, number <= last else { throw MessageError(what: "a link that there is not") }
    return link
  }

  private func takeStarted() -> (@Sendable (Result<Void, ChildFailure>) -> Void)? {
    state.withLock { state in
      defer { state.started = nil }
      return state.started
    }
  }

  private func log(_ level: UInt8, _ text: String) {
    guard let dropped = logLimit.admit(now: Clock.boot()) else { return }
    logger.log(level: .init(syslog: Int32(level)), "\(text)\(dropped > 0 ? " (\(dropped) lines before it were dropped)" : "")")
  }

  /// The child is gone, or goes now.
  private func finish() {
    // One that only closed its socket lives on.
    let silent = state.withLock { $0.ending == nil } && !process.ends()
    process.kill()
    let said = state.withLock { state in
      state.reaped = true
      return state.peak
    }
    var end = process.wait()
    end.peak = said ?? end.peak
    output.read()
    let (reason, links, started, alive) = state.withLock { state in
      // One that was on its way out keeps the end that it had, however long that took.
      let closed = silent && end.isKill
      let reason =
        state.ending ?? (closed ? ChildReason.closed : ChildReason.sentence(end, said: output.last, memory: settings.memory))
      state.ended = reason
      defer {
        state.links = [:]
        state.started = nil
      }
      return (reason, Array(state.links.values), state.started, state.alive)
    }
    outgoing.withLock { $0 = Outgoing(isClosed: true) }
    for link in links { link.lost(reason) }
    started?(.failure(.died(reason)))
    if alive { onEnd(reason) }
  }
}
