// SPDX-License-Identifier: Apache-2.0

import BusbarDiscovery
import BusbarModel
import BusbarPlugins
import Logging
import Synchronization
import Testing

/// A network of addresses, and how it was asked.
final class FakeSite: DiscoverySite {
  struct State: Sendable {
    var devices: [KnownDevice] = []
    var served: Set<String> = []
    var open: Set<String> = []
    var knocked: [String] = []
    var searched: [String] = []
    var running = 0
    var most = 0
    /// Searches end when this is set.
    var held = false
    var everywhere: [Bool] = []
  }

  let state: Mutex<State>

  init(_ state: State = State()) { self.state = Mutex(state) }

  func languages() async -> [SearchLanguage] {
    [
      SearchLanguage(
        adapter: "modbus", schemes: ["tcp", "serial"], ports: [502], documents: "[]",
        templates: ["some": .init(kind: .solar, vendor: "SMA")])
    ]
  }

  func endpointsInService() async -> Set<String> { state.withLock { $0.served } }
  func devices() async -> [KnownDevice] { state.withLock { $0.devices } }
  func endpoint(address: String, port: UInt16) -> String { "tcp://\(address):\(port)" }

  func knock(_ addresses: [(host: String, port: UInt16)], told: @escaping @Sendable (Int, Bool) -> Void) async {
    for (index, address) in addresses.enumerated() {
      if Task.isCancelled { return }
      let text = endpoint(address: address.host, port: address.port)
      told(
        index,
        state.withLock { state in
          state.knocked.append(text)
          return state.open.contains(text)
        })
    }
  }

  func search(
    _ endpoint: String, _ language: SearchLanguage, everywhere: Bool,
    told: @escaping @Sendable (Int, Int, [AdapterCandidate]) async -> Void
  ) async -> String? {
    state.withLock { state in
      state.searched.append(endpoint)
      state.everywhere.append(everywhere)
      state.running += 1
      state.most = max(state.most, state.running)
    }
    defer { state.withLock { $0.running -= 1 } }
    await Task.yield()
    while state.withLock({ $0.held }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(1)) }
    if endpoint.contains("broken") { return "it is broken" }
    let serial = String(endpoint.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFFFF })
    await told(
      0, 1,
      [
        AdapterCandidate(
          template: "some", config: ["unit": 3],
          identity: DeviceIdentity(vendor: "", model: "M", serial: serial, firmware: ""), confidence: 0.95)
      ])
    return nil
  }

  func trial(_ entry: JSONValue, inPlaceOf before: DeviceID?) async throws(OnboardingRefusal) -> TrialOutcome {
    TrialOutcome(serial: "", good: 1, bad: 0)
  }

  func apply() async throws(OnboardingRefusal) {}
  func tell(_ alarm: Alarm) {}
}

final class FakeStore: CandidateStoring {
  let devices = Mutex<[String: FoundDevice]>([:])
  func load() -> [FoundDevice] { devices.withLock { Array($0.values) } }
  func save(_ device: FoundDevice) { devices.withLock { $0[device.id] = device } }
  func remove(_ id: String) { devices.withLock { $0[id] = nil } }
}

@Suite struct DiscovererTests {
  private func discoverer(_ site: FakeSite, _ store: FakeStore = FakeStore()) -> Discoverer {
    Discoverer(site: site, store: store, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
  }

  private func range(_ count: Int, port: UInt16? = nil) -> SearchPlace {
    .range(name: "range", addresses: (0..<count).map { "10.0.\($0 / 256).\($0 % 256)" }, port: port)
  }

  @Test func whoTakesAConnectionIsSearchedAndNobodyElse() async throws {
    let open = Set((0..<40).map { "tcp://10.0.0.\($0 * 5):502" })
    let site = FakeSite(.init(served: ["tcp://10.0.0.10:502"], open: open))
    let discoverer = discoverer(site)
    _ = try await discoverer.start([range(256)])
    let progress = try #require(await discoverer.wait())
    #expect(progress.state == .done && progress.addresses == 255 && progress.asked == 255 && progress.answering == 39)
    #expect(progress.inService == 1 && progress.found == 39)
    let state = site.state.withLock { $0 }
    #expect(!state.knocked.contains("tcp://10.0.0.10:502"))
    #expect(Set(state.searched) == open.subtracting(["tcp://10.0.0.10:502"]))
    #expect(state.most <= 8)
    #expect(!state.everywhere.contains(true))
    #expect(await discoverer.candidates().count == 39)
  }

  @Test func aNamedEndpointIsSearchedEverywhereAndItsFailureTold() async throws {
    let site = FakeSite()
    let discoverer = discoverer(site)
    _ = try await discoverer.start([
      .endpoint(text: "tcp://broken:1", scheme: "tcp"), .endpoint(text: "serial:///dev/x", scheme: "serial"),
      .endpoint(text: "ws://x", scheme: "ws"),
    ])
    let progress = try #require(await discoverer.wait())
    #expect(progress.connections.map(\.reason) == ["it is broken", nil])
    #expect(progress.problems.count == 1)
    #expect(site.state.withLock { $0.everywhere } == [true, true])
  }

  @Test func oneSearchAtATimeAndItCanBeCancelled() async throws {
    let site = FakeSite(.init(held: true))
    let discoverer = discoverer(site)
    let places = (0..<50).map { SearchPlace.endpoint(text: "tcp://h\($0):502", scheme: "tcp") }
    #expect(try await discoverer.start(places) == 1)
    await #expect(throws: OnboardingRefusal.self) { try await discoverer.start(places) }
    #expect(await discoverer.cancel())
    #expect(await discoverer.status?.state == .cancelled)
    #expect(site.state.withLock { $0.running } == 0)
    #expect(await !discoverer.cancel())
    site.state.withLock { $0.held = false }
    #expect(try await discoverer.start([places[0]]) == 2)
    #expect(await discoverer.wait()?.state == .done)
  }

  @Test func whatIsTooMuchOrNothingIsRefused() async {
    let discoverer = discoverer(FakeSite())
    await #expect(throws: OnboardingRefusal.self) { try await discoverer.start([]) }
    await #expect(throws: OnboardingRefusal.self) { try await discoverer.start([self.range(65_537)]) }
  }

  @Test func candidatesLastOverARestart() async throws {
    let (site, store) = (FakeSite(), FakeStore())
    let first = discoverer(site, store)
    _ = try await first.start([.endpoint(text: "tcp://a:1", scheme: "tcp")])
    _ = await first.wait()
    let second = discoverer(site, store)
    let candidates = await second.candidates()
    #expect(candidates.count == 1)
    #expect(await second.forget(candidates[0].0.id))
    #expect(await !second.forget(candidates[0].0.id))
    #expect(store.load().isEmpty)
  }

  @Test func movedDevicesAreTold() async throws {
    let site = FakeSite()
    let discoverer = discoverer(site)
    _ = try await discoverer.start([.endpoint(text: "tcp://a:1", scheme: "tcp")])
    _ = await discoverer.wait()
    let serial = await discoverer.candidates()[0].0.serial
    let away = { (registered: Bool) in
      known("sol_sma_\(serial)", at: "tcp://elsewhere:1", answers: false, registered: registered)
    }
    let told = Mutex<[String]>([])
    await discoverer.connect(onChange: {}) { found, device in told.withLock { $0.append("\(found.endpoint) \(device.endpoint)") } }
    for registered in [false, true] {
      site.state.withLock { $0.devices = [away(registered)] }
      _ = try await discoverer.start([.endpoint(text: "tcp://a:1", scheme: "tcp")])
      _ = await discoverer.wait()
    }
    #expect(told.withLock { $0 } == ["tcp://a:1 tcp://elsewhere:1"])
  }
}
