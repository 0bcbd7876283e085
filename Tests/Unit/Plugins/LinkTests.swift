// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import BusbarTransports
import Foundation
import Testing

/// The host's side of the contract, with a plugin that breaks its own on purpose.
@Suite(.timeLimit(.minutes(1)), .bothModes)
struct LinkTests {
  private static let plugin = Task { try await Built.loaded(Built.shared.value.fixture) }

  private func link(_ config: String = "{}", endpoint: StreamEndpoint = .tcp(host: "127.0.0.1", port: 1)) async throws
    -> TestLink
  {
    try await TestLink(Self.plugin.value, config: config, endpoint: endpoint)
  }

  /// A link with its device, which does as told.
  private func device(_ does: String) async throws -> TestLink {
    let link = try await link()
    #expect(await link.open() == .done)
    #expect(await link.add(#"{"does": "\#(does)"}"#) == .done)
    return link
  }

  // MARK: Values

  @Test func everyTypeOfValue() async throws {
    let link = try await device("good")
    let before = Clock.unix()
    #expect(await link.poll() == .done)
    #expect(
      link.told.last == ["power": "1", "cycles": "\(Int64.max)", "enabled": "true", "state": "on", "note": "grün"])
    let reading = try #require(link.told.readings.first)
    #expect((before...Clock.unix()).contains(reading.time))
    #expect(reading.device == 1)
    #expect(!reading.durable)
    #expect(await link.close() == .done)
  }

  @Test func declaredPointsAreTranslated() async throws {
    let link = try await device("good")
    let points = Dictionary(uniqueKeysWithValues: link.told.points().map { ($0.name, $0) })
    #expect(
      points["power"]
        == PointDescriptor(
          name: "power", title: "Power", unit: "W", writable: true, minimum: -50, maximum: 50, allowed: [99],
          resolution: 0.1,
          safe: .integer(0), lease: .seconds(60), refresh: .seconds(5), period: .seconds(2)))
    #expect(points["cycles"] == PointDescriptor(name: "cycles", unit: "1", type: .integer, kind: .counter))
    #expect(points["enabled"]?.setting == true)
    #expect(points["state"]?.labels == ["off", "on"])
    #expect(points["note"]?.type == .text)
    #expect(link.told.ids() == [1, 2, 3, 4, 5])
  }

  @Test func qualities() async throws {
    let link = try await device("qualities")
    #expect(await link.poll() == .done)
    #expect(
      link.told.last
        == ["power": "~1", "cycles": "bad:timeout", "enabled": "bad:comm", "state": "bad:device", "note": "bad:range"])
  }

  /// What breaks the rules is dropped and counted, and takes nothing else with it.
  @Test(
    arguments: [
      ("unknown-points", 3), ("not-finite", 2), ("wrong-types", 5), ("labels", 3), ("arena", 4), ("arena-used-lies", 1),
    ])
  func samplesThatBreakTheRulesAreDropped(does: String, dropped: Int) async throws {
    let link = try await device(does)
    #expect(await link.poll() == .done)
    #expect(link.told.last == ["power": "1"])
    #expect(link.told.readings.count == 1)
    #expect(link.log.all.contains { $0.hasPrefix("warning: \(dropped) samples were dropped") }, "\(link.log.all)")
  }

  @Test func aCountThatLiesIsBoundByWhatWasLent() async throws {
    let link = try await device("count-lies")
    #expect(await link.poll() == .done)
    #expect(link.told.last == ["power": "1"])
  }

  /// What a plugin forgets to fill in is never the value of the time before.
  @Test func aForgottenSampleIsNoOldValue() async throws {
    let link = try await device("forgets")
    #expect(await link.poll() == .done)
    #expect(link.told.last == ["power": "1", "cycles": "7"])
    #expect(await link.poll() == .done)
    #expect(link.told.last == ["power": "2"])
  }

  @Test func aBatchThatWasKeptIsTakenBack() async throws {
    let link = try await device("keeps-the-batch")
    #expect(await link.poll() == .done)
    #expect(link.told.readings.isEmpty)
    #expect(await link.poll() == .done)
    #expect(link.told.last == ["power": "2"])
  }

  /// The fixture fails by itself where the host lets it through.
  @Test(arguments: ["two-batches", "foreign-batch", "commits-twice", "too-much"])
  func batchesAreLentByTheRules(does: String) async throws {
    let link = try await device(does)
    #expect(await link.poll() == .done)
  }

  @Test func theDevicesClockIsKeptApart() async throws {
    let link = try await device("times")
    let before = Clock.unix()
    #expect(await link.poll() == .done)
    let reading = try #require(link.told.readings.first)
    #expect(reading.deviceTime == 1_700_000_000_000_000_000)
    #expect(reading.time >= before)
  }

  // MARK: Calls

  @Test func aFailureBringsItsSentence() async throws {
    let link = try await device("fails")
    #expect(await link.poll() == CallResult(failure: .transient, reason: .timeout, text: "no power in the house"))
    let other = try await self.link(#"{"does": "open-fails"}"#)
    #expect(await other.open() == CallResult(failure: .auth, reason: .other(1024), text: "the door is locked"))
    // It left a state, so it is closed all the same.
    let closed = other.log.all.count
    #expect(await other.close() == .done)
    #expect(other.log.all.count == closed + 1)
  }

  /// The sentence of one call is not told again with the next.
  @Test func aSentenceIsForgotten() async throws {
    let link = try await device("fails")
    _ = await link.poll()
    #expect(await link.remove() == .done)
    #expect(await link.add(#"{"does": "strange-status"}"#) == .done)
    #expect(await link.poll() == CallResult(failure: .transient, reason: .unspecified, text: ""))
  }

  @Test func aCallIsCancelled() async throws {
    let link = try await device("waits")
    let result = await withCheckedContinuation { done in
      link.link.poll(1, due: [1], deadline: later()) { done.resume(returning: $0) }
      link.link.cancel()
    }
    #expect(result.failure == .cancelled)
    // The next call is not.
    #expect(await link.poll(deadline: Clock.boot() + 20_000_000).reason == .timeout)
  }

  /// The guard hands a call over and cancels it at once: no thread has taken it yet, and it is cancelled all the same.
  @Test func aCallIsCancelledBeforeAThreadIsFree() async throws {
    let pool = ThreadPool(name: "one", limit: 1)
    let plugin = try await Self.plugin.value
    let told = Told()
    let link = try #require(
      plugin.host.link(
        adapter: "fixture",
        resources: LinkResources(
          endpoints: [:], config: "{}", events: told, pool: pool, store: MemoryStore(), logger: quiet)))
    #expect(
      await withCheckedContinuation { done in link.open(deadline: later()) { done.resume(returning: $0) } } == .done)
    let setup = DeviceSetup(number: 1, name: "", config: #"{"does": "waits"}"#, templateBody: "")
    #expect(
      await withCheckedContinuation { done in link.add(setup, deadline: later()) { done.resume(returning: $0) } }
        == .done)
    let busy = CallSignal()
    pool.run { _ = Poll.wait([(busy.descriptor, .read)], until: later()) }
    let result = await withCheckedContinuation { done in
      link.poll(1, due: [1], deadline: later()) { done.resume(returning: $0) }
      link.cancel()
      busy.set()
    }
    #expect(result.failure == .cancelled)
  }

  @Test func theDeadlineEndsAPause() async throws {
    let link = try await device("waits")
    #expect(await link.poll(deadline: Clock.boot() + 20_000_000).reason == .timeout)
  }

  @Test(arguments: ["add-bad-name", "add-no-type", "add-bad-unit"])
  func aPointThatIsNoneFailsTheDevice(does: String) async throws {
    let link = try await link()
    #expect(await link.open() == .done)
    let result = await link.add(#"{"does": "\#(does)"}"#)
    #expect(result.failure == .bug)
    #expect(result.text.contains("point 1 of device 1"))
    // The state that it left is given back.
    #expect(link.log.all.contains("notice: device state freed"))
    #expect(link.told.points().isEmpty)
    #expect(await link.close() == .done)
  }

  @Test func identityTextsAreCleaned() async throws {
    let link = try await device("identifies")
    #expect(link.told.identities == [DeviceIdentity(vendor: "Example Inc", model: "MX", serial: "S-1")])
  }

  @Test func anAdapterWithoutFunctionsDoesNothing() async throws {
    let link = try await TestLink(Self.plugin.value, adapter: "empty")
    #expect(await link.open() == .done)
    #expect(await link.add() == .done)
    #expect(await link.poll([]) == .done)
    guard case .failed(let result) = await link.command(.set(point: 1, value: .number(1))) else {
      Issue.record("it has no commands")
      return
    }
    #expect(result.failure == .unsupported)
    #expect(await link.remove() == .done)
    #expect(await link.close() == .done)
  }

  @Test func anAdapterThatIsNotThere() async throws {
    let plugin = try await Self.plugin.value
    #expect(throws: ProgramFailed.self) { try TestLink(plugin, adapter: "other") }
  }

  // MARK: Commands

  @Test(
    arguments: [
      (.number(12.5), .number(12.5)), (.integer(-3), .integer(-3)), (.boolean(true), .boolean(true)),
      (.text("four"), .integer(4)),
    ] as [(Value, Value)])
  func everyTypeOfCommand(value: Value, readBack: Value) async throws {
    let link = try await device("good")
    #expect(await link.command(.set(point: link.told.id("note"), value: value)) == .done(readBack))
  }

  @Test func aLabelIsCommandedByItsIndex() async throws {
    let link = try await device("good")
    #expect(await link.command(.set(point: link.told.id("state"), value: .text("on"))) == .done(.text("on")))
  }

  @Test(
    arguments: [
      ("refuses", .refused("the device refuses it (code 2)")), ("accepts", .accepted),
      ("silent", .unknown("the adapter does not say how it ended")), ("reads-back-nonsense", .done(nil)),
      ("fails", .failed(CallResult(failure: .transient, reason: .closed, text: ""))),
    ] as [(String, CommandResult)])
  func everyOutcome(does: String, result: CommandResult) async throws {
    let link = try await device(does)
    #expect(await link.command(.set(point: 1, value: .number(1))) == result)
  }

  @Test func anActionBringsNameAndArguments() async throws {
    let link = try await device("good")
    let result = await link.command(.action(name: "charge.start", arguments: #"{"connector":1}"#))
    #expect(result == .refused(#"charge.start({"connector":1})"#))
  }

  /// The key is the first half of SHA-256 of the id; sha256sum of coreutils is the judge.
  @Test func theKeyIsMadeOfTheId() async throws {
    let link = try await device("key")
    let digest = try run("bash", ["-c", "printf %s 6d0c-ä | sha256sum"]).prefix(16)
    let bytes = try #require(UInt64(digest, radix: 16)).byteSwapped
    #expect(
      await link.command(.set(point: 1, value: .number(1)), id: "6d0c-ä") == .done(.integer(Int64(bitPattern: bytes))))
  }

  // MARK: Services

  @Test func problemsAreRaisedAndCleared() async throws {
    let link = try await device("problem")
    #expect(await link.poll() == .done)
    #expect(await link.poll() == .done)
    #expect(
      link.told.problems == [
        Told.Fault(device: 1, name: "DoorOpen", active: true, text: "shut it"),
        Told.Fault(device: 1, name: "DoorOpen", active: false, text: "shut it"),
      ])
  }

  @Test func smallValuesAreStored() async throws {
    let link = try await device("stores")
    #expect(await link.poll() == .done)
    #expect(await link.poll() == .done)
  }

  @Test func theEndpointIsOpenedOnce() async throws {
    let listener = try StreamListener(host: "127.0.0.1", port: 0)
    let link = try await link(#"{"does": "open-twice"}"#, endpoint: .tcp(host: "127.0.0.1", port: listener.port))
    #expect(await link.open() == .done)
    let far = try #require(listener.accept(stop: CallSignal()))
    // Closing the link closes the connection.
    #expect(await link.close() == .done)
    _ = Poll.wait([(far.number, .read)], until: later())
    var rest: [UInt8] = []
    #expect(far.read(into: &rest, upTo: 1) == .closed)
  }

  @Test func anEndpointThatRefuses() async throws {
    var listener: StreamListener? = try StreamListener(host: "127.0.0.1", port: 0)
    let port = try #require(listener?.port)
    listener = nil
    let result = await (try await link(#"{"does": "open-connects"}"#, endpoint: .tcp(host: "127.0.0.1", port: port))).open()
    #expect(result.failure == .transient)
    #expect(result.reason == .refused)
    #expect(result.text.contains("127.0.0.1:\(port)"))
  }

  @Test func anEndpointThatTheLinkDoesNotHave() async throws {
    let result = await (try await link(#"{"does": "open-nowhere"}"#)).open()
    #expect(result.failure == .config)
    #expect(result.text.contains("upstairs"))
  }

  @Test func linksRunAtTheSameTime() async throws {
    let waiting = try await device("waits")
    let (results, ended) = AsyncStream.makeStream(of: CallResult.self)
    waiting.link.poll(1, due: [1], deadline: later()) { ended.yield($0) }
    for _ in 0..<20 {
      let other = try await device("good")
      #expect(await other.poll() == .done)
      #expect(await other.close() == .done)
    }
    waiting.link.cancel()
    #expect(await results.first { _ in true }?.failure == .cancelled)
  }
}
