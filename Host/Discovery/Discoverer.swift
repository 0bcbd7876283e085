// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarPlugins
internal import BusbarSystem
package import Logging

/// Looks for devices, one search at a time, and keeps what was found.
///
/// - Nothing is looked for unless a person, a command or the configured interval asks, and only where they say.
/// - Addresses of a range are asked for a connection, 32 at a time; behind those that take one a search runs, 8 at a
///   time. An address with a connection in service is not dialled again. A named endpoint in service is searched through
///   its link, whose polls and commands go first.
/// - Searches only read.
package actor Discoverer {
  /// Connections that are searched at a time.
  private static let parallel = 8
  /// Addresses in one search.
  package static let addressLimit = 65_536
  /// Pause between the connection that showed that somebody is there and the next one: some devices take one client and
  /// need a moment to see that it left.
  private static let breath = Duration.milliseconds(500)

  private let site: any DiscoverySite
  private let store: any CandidateStoring
  private let logger: Logger
  private var book: CandidateBook
  private var progress: SearchProgress?
  private var running: Task<Void, Never>?
  private var number = 0
  private var onChange: (@Sendable () -> Void)?
  private var onMoved: (@Sendable (FoundDevice, KnownDevice) async -> Void)?

  package init(site: any DiscoverySite, store: any CandidateStoring, logger: Logger) {
    self.site = site
    self.store = store
    self.logger = logger
    book = CandidateBook(store.load())
  }

  /// `onMoved` is called after a search for each registered device that shows up at another address.
  package func connect(
    onChange: @escaping @Sendable () -> Void, onMoved: @escaping @Sendable (FoundDevice, KnownDevice) async -> Void
  ) {
    self.onChange = onChange
    self.onMoved = onMoved
  }

  /// Begins a search and returns its number. Throws `conflict` while one is running.
  package func start(_ places: [SearchPlace]) throws(OnboardingRefusal) -> Int {
    guard running == nil else {
      throw OnboardingRefusal(.conflict, "a search is running already: wait for its end, or end it with `busbar discover --stop`")
    }
    guard !places.isEmpty else {
      throw OnboardingRefusal(
        .invalid, "there is nowhere to search: name an endpoint or a range, or configure discovery.scan")
    }
    let count = places.map { if case .range(_, let addresses, _) = $0 { addresses.count } else { 0 } }.reduce(0, +)
    guard count <= Self.addressLimit else {
      throw OnboardingRefusal(.invalid, "\(count) addresses are too many for one search; it takes \(Self.addressLimit)")
    }
    number += 1
    progress = SearchProgress(number: number, started: Clock.unixMilliseconds())
    running = Task { await self.search(places) }
    return number
  }

  /// Ends the running search early; what it found stays. False where none is running.
  @discardableResult
  package func cancel() async -> Bool {
    guard let running else { return false }
    running.cancel()
    await running.value
    return true
  }

  /// When the running search has ended.
  package func wait() async -> SearchProgress? {
    await running?.value
    return progress
  }

  package var status: SearchProgress? { progress }

  package func candidate(_ id: String) -> FoundDevice? { book[id] }

  /// With what each means for this host.
  package func candidates() async -> [(FoundDevice, Standing)] {
    // Thousands of devices are not asked about nothing.
    guard !book.devices.isEmpty else { return [] }
    let known = await site.devices()
    return book.devices.map { ($0, Standing(of: $0, among: known)) }
  }

  /// False where there is none.
  package func forget(_ id: String) -> Bool {
    guard book.remove(id) != nil else { return false }
    store.remove(id)
    onChange?()
    return true
  }

  /// A device that came by itself and is not in service: a candidate from now on. Told again soon it counts once.
  package func sighted(_ seen: FoundDevice) {
    if let before = book[seen.id], seen.lastSeen - before.lastSeen < Self.sightingPause, before.endpoint == seen.endpoint { return }
    let known = book[seen.id] != nil
    let (entry, left) = book.note(seen)
    store.save(entry)
    for id in left { store.remove(id) }
    if !known {
      logger.notice("a device that is not in service wants to connect", metadata: ["candidate": "\(entry.id)", "endpoint": "\(entry.endpoint)"])
    }
    onChange?()
  }

  /// Milliseconds.
  private static let sightingPause: Int64 = 60_000

  // MARK: A search

  private func search(_ places: [SearchPlace]) async {
    let languages = await site.languages()
    var targets: [Target] = []
    for case .endpoint(let text, let scheme) in places {
      let fitting = languages.filter { $0.schemes.contains(scheme) }
      if fitting.isEmpty { progress?.problems.append("\(text): no adapter can search behind \(scheme)://") }
      targets += fitting.map { Target(endpoint: text, language: $0, everywhere: true) }
    }
    targets += await answering(places, languages)
    progress?.connections = targets.map { SearchProgress.Connection(endpoint: $0.endpoint) }
    await withTaskGroup(of: Void.self) { group in
      for (index, target) in targets.enumerated() {
        if index >= Self.parallel { await group.next() }
        if Task.isCancelled { break }
        group.addTask { await self.search(target, index) }
      }
    }
    await finish()
  }

  private struct Target: Sendable {
    var endpoint: String
    var language: SearchLanguage
    var everywhere: Bool
  }

  /// The addresses of the ranges that take a connection.
  private func answering(_ places: [SearchPlace], _ languages: [SearchLanguage]) async -> [Target] {
    let served = await site.endpointsInService()
    var doors: [(host: String, port: UInt16)] = []
    var seen = Set<String>()
    let ports = Set(languages.filter { $0.schemes.contains("tcp") }.flatMap(\.ports)).sorted()
    for case .range(_, let addresses, let port) in places {
      for address in addresses {
        for port in port.map({ [$0] }) ?? ports {
          let endpoint = site.endpoint(address: address, port: port)
          guard seen.insert(endpoint).inserted else { continue }
          if served.contains(endpoint) { progress?.inService += 1 } else { doors.append((address, port)) }
        }
      }
    }
    guard !doors.isEmpty else { return [] }
    progress?.addresses = doors.count
    let (answers, answer) = AsyncStream.makeStream(of: (Int, Bool).self)
    async let knocking: Void = {
      await site.knock(doors) { answer.yield(($0, $1)) }
      answer.finish()
    }()
    var open: [Int] = []
    for await (index, isOpen) in answers {
      progress?.asked += 1
      guard isOpen else { continue }
      progress?.answering += 1
      open.append(index)
    }
    await knocking
    guard !open.isEmpty, (try? await Task.sleep(for: Self.breath)) != nil else { return [] }
    return open.sorted().flatMap { index in
      let (host, port) = doors[index]
      let fitting = languages.filter { $0.schemes.contains("tcp") && (places.hasPort || $0.ports.contains(port)) }
      return fitting.map { Target(endpoint: site.endpoint(address: host, port: port), language: $0, everywhere: false) }
    }
  }

  private func search(_ target: Target, _ index: Int) async {
    let reason = await site.search(target.endpoint, target.language, everywhere: target.everywhere) {
      step, steps, found in
      await self.took(index, step: step, steps: steps)
      for candidate in found { await self.note(candidate, target) }
    }
    progress?.connections[index].isOver = true
    progress?.connections[index].reason = reason
  }

  private func took(_ index: Int, step: Int, steps: Int) {
    progress?.connections[index].done = step + 1
    progress?.connections[index].total = steps
  }

  private func note(_ candidate: AdapterCandidate, _ target: Target) {
    let template = target.language.templates[candidate.template]
    let now = Clock.unixMilliseconds()
    let identity = candidate.identity
    let seen = FoundDevice(
      adapter: target.language.adapter, template: template == nil ? nil : candidate.template,
      others: candidate.others.filter { target.language.templates[$0] != nil }, kind: template?.kind,
      endpoint: target.endpoint, config: candidate.config,
      vendor: identity.vendor.isEmpty ? template?.vendor ?? "" : identity.vendor, model: identity.model,
      serial: identity.serial, firmware: identity.firmware, confidence: candidate.confidence, firstSeen: now,
      lastSeen: now)
    let (entry, left) = book.note(seen)
    store.save(entry)
    for id in left { store.remove(id) }
    progress?.found += 1
    onChange?()
  }

  private func finish() async {
    let isCancelled = Task.isCancelled
    let started = progress?.started ?? 0
    if let onMoved {
      for (found, standing) in await candidates() where found.lastSeen >= started {
        guard case .moved(let device) = standing else { continue }
        if device.isRegistered {
          await onMoved(found, device)
        } else if let note = standing.note(found) {
          logger.warning("\(note)")
        }
      }
    }
    progress?.state = isCancelled ? .cancelled : .done
    progress?.ended = Clock.unixMilliseconds()
    logger.notice(
      "search ended",
      metadata: [
        "search": "\(progress?.number ?? 0)", "found": "\(progress?.found ?? 0)",
        "connections": "\(progress?.connections.count ?? 0)", "addresses": "\(progress?.addresses ?? 0)",
      ])
    running = nil
    onChange?()
  }
}

extension [SearchPlace] {
  fileprivate var hasPort: Bool {
    contains { if case .range(_, _, let port?) = $0 { port > 0 } else { false } }
  }
}
