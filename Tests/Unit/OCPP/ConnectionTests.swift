// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

func at(_ seconds: Int64) -> Moment { Moment(boot: seconds * 1000, unix: 1_795_000_000_000 + seconds * 1000) }

@Suite struct CallQueueTests {
  private func queue(_ actions: [String]) -> CallQueue<Int> {
    var queue = CallQueue<Int>(prefix: "p")
    for (index, action) in actions.enumerated() { _ = queue.add(action, [:], index, patience: 30_000) }
    return queue
  }

  @Test func oneAtATime() {
    var queue = self.queue(["A", "B"])
    #expect(queue.next(at(0)) == .call(id: "p-1", action: "A", payload: [:]))
    #expect(queue.next(at(0)) == nil)
    #expect(queue.expiry == 30_000)
    guard case .answered(let call) = queue.answer("p-1") else { return #expect(Bool(false)) }
    #expect(call.action == "A" && call.purpose == 0)
    #expect(queue.next(at(1))?.id == "p-2")
  }

  @Test func commandsOvertake() {
    var queue = self.queue(["A", "B"])
    _ = queue.add("C", [:], 9, patience: 1, first: true)
    #expect(queue.next(at(0))?.id == "p-3")
  }

  @Test func lateAndUnknownAnswers() {
    var queue = self.queue(["A", "B"])
    _ = queue.next(at(0))
    #expect(queue.expire(at(29)) == nil)
    #expect(queue.expire(at(30))?.action == "A")
    _ = queue.next(at(30))
    guard case .late("A") = queue.answer("p-1") else { return #expect(Bool(false)) }
    guard case .unknown = queue.answer("p-1") else { return #expect(Bool(false)) }
    guard case .unknown = queue.answer("x") else { return #expect(Bool(false)) }
    // The one that is outstanding is still waited for.
    #expect(queue.outstanding?.id == "p-2")
  }

  @Test func lossOfTheConnection() {
    var queue = self.queue(["A", "B", "C"])
    _ = queue.next(at(0))
    let (unknown, unsent) = queue.disconnect()
    #expect(unknown?.action == "A")
    #expect(unsent.map(\.action) == ["B", "C"])
    #expect(queue.count == 0)
  }

  @Test func waitingIsBounded() {
    var queue = CallQueue<Int>(prefix: "p")
    for _ in 0..<CallQueue<Int>.mostWaiting { #expect(queue.add("A", [:], 0, patience: 1) == true) }
    #expect(queue.add("A", [:], 0, patience: 1) == false)
  }
}

@Suite struct AnswerMemoryTests {
  @Test func theSameAgain() {
    var memory = AnswerMemory()
    #expect(memory.receive("1", "StopTransaction", ["a": 1], at(0)) == .new)
    #expect(memory.receive("1", "StopTransaction", ["a": 1], at(1)) == .pending)
    memory.answered(.result(id: "1", payload: ["x": 1]))
    #expect(memory.receive("1", "StopTransaction", ["a": 1], at(2)) == .answered(.result(id: "1", payload: ["x": 1])))
  }

  @Test func oneIDForEverything() {
    var memory = AnswerMemory()
    #expect(memory.receive("1", "StatusNotification", ["a": 1], at(0)) == .new)
    memory.answered(.result(id: "1", payload: [:]))
    #expect(memory.receive("1", "StatusNotification", ["a": 2], at(1)) == .new)
    #expect(memory.receive("1", "MeterValues", ["a": 2], at(1)) == .new)
  }

  @Test func notForLongAndNotForTheTime() {
    var memory = AnswerMemory()
    _ = memory.receive("1", "Authorize", [:], at(0))
    memory.answered(.result(id: "1", payload: [:]))
    #expect(memory.receive("1", "Authorize", [:], at(121)) == .new)
    #expect(memory.receive("2", "Heartbeat", [:], at(0)) == .new)
    memory.answered(.result(id: "2", payload: [:]))
    #expect(memory.receive("2", "Heartbeat", [:], at(1)) == .new)
  }
}

@Suite struct RegistrationTests {
  @Test func accepted() {
    var registration = Registration()
    #expect(registration.mustBoot)
    // It may only have connected anew, and we may have lost our memory.
    #expect(registration.allows("Heartbeat") == true)
    #expect(registration.boot().interval == 300)
    #expect(registration.status == .accepted)
    #expect(!registration.mustBoot && registration.mayCall)
  }

  @Test func pending() {
    var registration = Registration(policy: .pending)
    #expect(registration.allows("Heartbeat") == false)
    #expect(registration.boot().interval == 60)
    #expect(registration.status == .pending)
    #expect(registration.mayCall)
    #expect(registration.allows("StatusNotification") == false)
    registration.trigger("StatusNotification")
    #expect(registration.allows("StatusNotification") == true)
    #expect(registration.allows("StatusNotification") == false)
    #expect(registration.allows("BootNotification") == true)
    // Approved: it stays pending until it boots, which it is asked to.
    registration.policy = .accepted
    #expect(registration.mustBoot)
    #expect(registration.boot().interval == 300)
    #expect(registration.status == .accepted)
  }

  @Test func rejected() {
    var registration = Registration(policy: .rejected)
    _ = registration.boot()
    #expect(!registration.mayCall)
    #expect(registration.allows("Heartbeat") == false)
    #expect(registration.allows("BootNotification") == true)
  }
}

@Suite struct ChargerClockTests {
  private let hour: Int64 = 3_600_000

  @Test func right() {
    var clock = ChargerClock()
    clock.observe(at(0).unix - 2_000, at(0))
    #expect(clock.state == .right)
    // What waited is old and right.
    clock.observe(at(1).unix - 5 * hour, at(1))
    #expect(clock.state == .right)
    #expect(clock.corrected(at(1).unix - 5 * hour, at(1)) == EventTime(at(1).unix - 5 * hour))
  }

  @Test func ahead() {
    var clock = ChargerClock()
    clock.observe(at(0).unix + 2 * hour, at(0))
    #expect(clock.state == .off(by: -2 * hour))
    #expect(clock.corrected(at(1).unix + 2 * hour, at(1)) == EventTime(at(1).unix))
    // A queued message from the same clock.
    #expect(clock.corrected(at(1).unix + hour, at(1)) == EventTime(at(1).unix - hour))
  }

  @Test func behind() {
    var clock = ChargerClock()
    clock.observe(at(0).unix - hour, at(0))
    #expect(clock.state == .unknown)
    #expect(!clock.corrected(at(0).unix - hour, at(0)).isCertain)
    clock.observe(at(10).unix - hour, at(10))
    #expect(clock.state == .unknown)
    clock.observe(at(21).unix - hour - 800, at(21))
    #expect(clock.state == .off(by: hour + 800))
  }

  @Test func aQueueThatIsReplayed() {
    var clock = ChargerClock()
    // Hours of readings, one a minute, in two seconds.
    for index in 0..<120 { clock.observe(at(0).unix - 3 * hour + Int64(index) * 60_000, at(Int64(index) / 60)) }
    #expect(clock.state == .unknown)
    clock.observe(at(3).unix, at(3))
    #expect(clock.state == .right)
  }

  @Test func neverSetAndSetByUs() {
    var clock = ChargerClock()
    #expect(clock.corrected(5_000, at(7)) == EventTime(at(7).unix, isCertain: false))
    #expect(clock.corrected(nil, at(7)) == EventTime(at(7).unix, isCertain: false))
    clock.observe(at(0).unix + 2 * hour, at(0))
    // Set to another wrong time.
    clock.observe(at(1).unix + hour, at(1))
    #expect(clock.state == .off(by: -2 * hour))
    clock.observe(at(22).unix + hour, at(22))
    #expect(clock.state == .off(by: -hour))
    clock.observe(at(23).unix, at(23))
    #expect(clock.state == .right)
  }
}

@Suite struct StatusTests {
  @Test func words() {
    #expect(["Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Reserved", "Unavailable", "Faulted"]
      .map { Status(v16: $0)?.rawValue } == Status.allCases.map(\.rawValue))
    #expect(Status(v201: "Occupied", session: nil) == .preparing)
    #expect(Status(v201: "Occupied", session: .charging) == .charging)
    #expect(Status(v201: "Occupied", session: .suspendedEVSE) == .suspendedEVSE)
    #expect(Status(v201: "Occupied", session: .ended) == .finishing)
    #expect(Status(v201: "Faulted", session: .charging) == .faulted)
    #expect(Status(v16: "Sleeping") == nil)
  }

  @Test func theWholeCharger() {
    var connectors = Connectors()
    #expect(connectors.status == nil)
    connectors.change(1) { $0.status = .available }
    connectors.change(2) { $0.status = .faulted }
    #expect(connectors.status == .available)
    connectors.change(2) { $0.status = .charging }
    #expect(connectors.status == .charging)
    connectors.change(0) { $0.status = .faulted }
    #expect(connectors.status == .faulted)
    connectors.change(4711) { $0.status = .charging }
    #expect(connectors.count == 2)
  }
}
