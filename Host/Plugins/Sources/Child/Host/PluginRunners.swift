// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
package import Logging

/// The children of this host, one a plugin: starts one when a link needs it, gives it another go when it died, leaves it
/// alone when it died too often, and lets a newer file take its place.
package actor PluginRunners {
  /// How one plugin is, for people.
  package struct Status: Sendable, Equatable {
    package var state: Supervision.State
    package var reason: String?
    package var deaths: Int
    package var process: Int32?
    package var version: String?
  }

  private struct Runner {
    var supervision = Supervision()
    var child: ChildPlugin?
    var starting: Task<ChildPlugin?, Never>?
    /// The content that runs or was tried last.
    var hash = ""
    var version = ""
    /// Of the child that was started last.
    var generation = 0
    /// How often a newer file or a person made it start anew.
    var replacements = 0
  }

  /// Nanoseconds that a child without links is kept: a link that opens anew lets go of the old one first.
  private static let linger: Int64 = 10_000_000_000

  private let settings: ChildSettings
  private let logger: Logger
  private let changed: @Sendable () -> Void
  private var runners: [String: Runner] = [:]

  /// `changed` is called when the state of a plugin did.
  package init(settings: ChildSettings, logger: Logger, changed: @escaping @Sendable () -> Void) {
    self.settings = settings
    self.logger = logger
    self.changed = changed
  }

  /// A link in the plugin's child, which is started where there is none, after the pause that a death asks for. Throws where
  /// only a person can help.
  package func link(
    _ file: PluginFile, adapter: String, resources: LinkResources
  ) async throws(PluginFile.Refusal) -> any AdapterConnection {
    let id = file.manifest.id
    if let known = runners[id], !known.hash.isEmpty, known.hash != file.hash { replace(id, known) }
    let replacements = runners[id]?.replacements ?? 0
    while !Task.isCancelled, (runners[id]?.replacements ?? 0) == replacements {
      switch runners[id, default: Runner()].supervision.wanted(now: Clock.boot()) {
      case .start: start(file)
      case .use: break
      case .wait(let until):
        await Self.wait(until: until)
        continue
      case .never: throw refusal(id)
      }
      var child = runners[id]?.child
      if child == nil, let starting = runners[id]?.starting { child = await starting.value }
      guard let child else { continue }
      // Its links know before this does.
      if let reason = child.endReason {
        ended(child, reason)
        continue
      }
      guard let link = child.link(adapter: adapter, resources: resources) else {
        throw PluginFile.Refusal(message: "\(id) has no adapter \(adapter)")
      }
      return link
    }
    return AbsentLink(why: "\(id) is being replaced")
  }

  private static func wait(until time: Int64) async {
    let left: Int64 = max(1_000_000, time - Clock.boot())
    try? await Task.sleep(for: .nanoseconds(left))
  }

  private func refusal(_ id: String) -> PluginFile.Refusal {
    let supervision = runners[id]?.supervision
    let reason = supervision?.reason ?? "it cannot be used"
    guard supervision?.state == .quarantined else { return PluginFile.Refusal(message: "\(id): \(reason)") }
    return PluginFile.Refusal(
      message: "\(id) is in quarantine after \(Supervision.deaths) deaths within ten minutes: \(reason); `busbar plugin restart \(id)` "
        + "gives it another go")
  }

  private func start(_ file: PluginFile) {
    let id = file.manifest.id
    runners[id]?.hash = file.hash
    runners[id]?.version = file.manifest.version
    let generation = (runners[id]?.generation ?? 0) + 1
    runners[id]?.generation = generation
    runners[id]?.starting = Task { await self.begin(file, generation) }
  }

  private func begin(_ file: PluginFile, _ generation: Int) async -> ChildPlugin? {
    let id = file.manifest.id
    let (ended, reason) = AsyncStream.makeStream(of: String.self)
    let (idle, nobody) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    do throws(ChildFailure) {
      let child = try await ChildPlugin.start(file, settings: settings, logger: logger) {
        nobody.yield()
      } ended: {
        reason.yield($0)
        reason.finish()
        nobody.finish()
      }
      guard runners[id]?.generation == generation, runners[id]?.supervision.state == .starting else {
        // Replaced while it was being started.
        child.end("replaced")
        return nil
      }
      runners[id]?.supervision.loaded()
      runners[id]?.child = child
      runners[id]?.starting = nil
      logger.notice(
        "plugin loaded",
        metadata: [
          "plugin": "\(id)", "version": "\(file.manifest.version)", "hash": "\(file.hash)", "process": "\(child.processID)",
        ])
      Task { for await reason in ended { self.ended(child, reason) } }
      Task { for await _ in idle { self.idle(child) } }
      changed()
      return child
    } catch {
      guard runners[id]?.generation == generation, runners[id]?.supervision.state == .starting else { return nil }
      runners[id]?.starting = nil
      switch error {
      case .refused(let text):
        logger.error("plugin refused", metadata: ["file": "\(file.path)", "reason": "\(text)"])
        runners[id]?.supervision.refused(text)
      case .died(let text): died(id, text)
      }
      changed()
      return nil
    }
  }

  private func died(_ id: String, _ reason: String) {
    runners[id]?.supervision.died(reason, now: Clock.boot())
    runners[id]?.child = nil
    guard let supervision = runners[id]?.supervision else { return }
    var facts: Logger.Metadata = ["plugin": "\(id)", "reason": "\(reason)", "deaths": "\(supervision.recent.count)"]
    if supervision.state == .quarantined {
      facts["advice"] = "`busbar plugin restart \(id)` once it is mended"
      logger.error("plugin in quarantine: it died too often", metadata: facts)
    } else {
      logger.error("plugin process ended", metadata: facts)
    }
  }

  private func ended(_ child: ChildPlugin, _ reason: String) {
    let id = child.file.manifest.id
    guard runners[id]?.child === child else { return }
    died(id, reason)
    changed()
  }

  /// Nobody uses it: one that was replaced ends at once.
  private func idle(_ child: ChildPlugin) {
    let id = child.file.manifest.id
    guard runners[id]?.child === child else { return child.end("replaced") }
    let linger = Self.linger
    Task {
      try? await Task.sleep(for: .nanoseconds(linger))
      self.endIfUnneeded(child)
    }
  }

  private func endIfUnneeded(_ child: ChildPlugin) {
    let id = child.file.manifest.id
    guard runners[id]?.child === child, child.isIdle, runners[id]?.supervision.unneeded() == true else { return }
    runners[id]?.child = nil
    child.end("no link needs it")
    changed()
  }

  /// The plugin directories changed: a child whose file was replaced makes room, and what was left to a person gets a new
  /// chance with its new file.
  package func filesChanged(_ files: [PluginFile]) {
    for file in files {
      guard let runner = runners[file.manifest.id], runner.hash != file.hash else { continue }
      replace(file.manifest.id, runner)
    }
  }

  private func replace(_ id: String, _ runner: Runner) {
    var runner = runner
    let runs = runner.supervision.replaced()
    let old = runner.child
    runner.child = nil
    runner.starting = nil
    runner.hash = ""
    runner.replacements += 1
    runners[id] = runner
    guard runs else { return }
    logger.notice("plugin process is replaced", metadata: ["plugin": "\(id)", "version": "\(runner.version)"])
    old?.drain()
    changed()
  }

  /// A person gives it another go. False where there is nothing to start anew.
  package func restart(_ id: String) -> Bool {
    guard let runner = runners[id] else { return false }
    replace(id, runner)
    return true
  }

  /// All that a person's reload gives another chance: quarantine and refusals.
  package func release() {
    for (id, runner) in runners where [.quarantined, .refused].contains(runner.supervision.state) { replace(id, runner) }
  }

  package func status(_ id: String) -> Status? {
    runners[id].map { runner in
      Status(
        state: runner.supervision.state, reason: runner.supervision.reason, deaths: runner.supervision.total,
        process: runner.child?.processID, version: runner.child == nil ? nil : runner.version)
    }
  }

  /// The host stops: what its links left behind ends now.
  package func stop() {
    for runner in runners.values { runner.child?.end("the host stops") }
    runners = [:]
  }
}

/// A link whose plugin is not there now; the guard tries again as with any link that cannot be opened.
struct AbsentLink: AdapterConnection {
  let why: String

  private var failure: CallResult { CallResult(failure: .transient, reason: .unspecified, text: why) }

  func open(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) { completion(failure) }
  func add(_ device: DeviceSetup, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) { completion(failure) }
  func remove(_ device: UInt32, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) { completion(failure) }
  func poll(_ device: UInt32, due: [UInt32], deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) {
    completion(failure)
  }
  func command(_ command: AdapterCommand, deadline: Int64, completion: @escaping @Sendable (CommandResult) -> Void) {
    completion(.failed(failure))
  }
  func close(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) { completion(.done) }
  func cancel() {}
  func giveUp() -> Bool { false }
}
