// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarControl
import BusbarModel
import Foundation
import Logging
import Synchronization
import Testing

private let charger = DeviceID(rawValue: "evc_a")!
private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

private final class Manager: TagUplink {
  private let state = Mutex<(online: Bool, questions: [JSONValue])>((true, []))
  var isOnline: Bool { state.withLock { $0.online } }
  func leave() { state.withLock { $0.online = false } }
  func ask(_ question: JSONValue) -> Bool {
    state.withLock { $0.questions.append(question) }
    return true
  }
  var questions: [JSONValue] { state.withLock { $0.questions } }

  func question(_ count: Int = 1) async -> JSONValue {
    while questions.count < count { await Task.yield() }
    return questions[count - 1]
  }
}

private final class Changes: Sendable {
  private let state = Mutex(0)
  var count: Int { state.withLock { $0 } }
  func note() { state.withLock { $0 += 1 } }
}

@Suite(.timeLimit(.minutes(1)))
final class TagDeskTests {
  private let folder = NSTemporaryDirectory() + "busbar-tags-" + UUID().uuidString
  private let uplink = Manager()
  private let changes = Changes()

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func desk(_ change: (inout TagRules) -> Void = { _ in }) throws -> TagDesk {
    var rules = TagRules()
    change(&rules)
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let database = try StateDatabase(directory: folder, logger: silent)
    return try TagDesk(rules: rules, store: TagStore(database: database), uplink: uplink, logger: silent) { [changes] in changes.note() }
  }

  @Test func theListLastsOverARestart() async throws {
    // A database belongs to one at a time: the first is gone when the second comes.
    func before() async throws {
      let first = try desk()
      try await first.set(Tag(id: "04A1", verdict: .accepted, group: "family", expires: 5))
      try await first.set(Tag(id: "04A2", verdict: .blocked))
      #expect(try await first.remove("04a2"))
      #expect(try await !first.remove("04a2"))
      #expect(changes.count == 3)
    }
    try await before()
    let second = try desk()
    #expect(await second.list == ["version": 3, "tags": [["tag": "04A1", "verdict": "accepted", "group": "family", "expires": 5]]])
    #expect(await second.decide("04a1", kind: "", device: charger).verdict == .expired)
  }

  @Test func oneQuestionForAllWhoShowATagAtTheSameTime() async throws {
    let desk = try desk { $0.source = .both }
    async let one = desk.decide("04A1", kind: "ISO14443", device: charger)
    let question = await uplink.question()
    #expect(question["tag"] == "04A1" && question["device"] == "evc_a" && question["kind"] == "ISO14443")
    async let other = desk.decide("04a1", kind: "", device: charger)
    while await desk.waiting < 2 { await Task.yield() }
    #expect(await !desk.answer(["id": "another", "verdict": "accepted"]))
    #expect(await !desk.answer(["id": question["id"] ?? .null, "verdict": "nonsense"]))
    #expect(await desk.answer(["id": question["id"] ?? .null, "verdict": "accepted", "group": "fleet"]))
    #expect(await one.group == "fleet")
    #expect(await other.verdict == .accepted)
    #expect(uplink.questions.count == 1)
    // It is remembered.
    #expect(await desk.decide("04A1", kind: "", device: charger).verdict == .accepted)
    #expect(uplink.questions.count == 1)
  }

  @Test func whileNobodyAnswersTheRulesDecide() async throws {
    for (offline, verdict) in [(TagRules.Offline.known, Tag.Verdict.undecided), (.accept, .accepted), (.refuse, .undecided)] {
      let desk = try desk {
        $0.source = .uplink
        $0.offline = offline
        $0.timeout = .milliseconds(50)
      }
      #expect(await desk.decide("04A1", kind: "", device: charger).verdict == verdict)
    }
    #expect(uplink.questions.count == 3)
    uplink.leave()
    let desk = try desk { $0.source = .uplink }
    #expect(await desk.decide("04A1", kind: "", device: charger).verdict == .undecided)
    #expect(uplink.questions.count == 3)
  }
}
