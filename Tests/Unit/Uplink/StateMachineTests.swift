// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarMosquitto
import BusbarUplink
import Testing

struct ReconnectPauseTests {
  @Test func `pauses double from one second to a minute and start again after success`() {
    var reconnect = ReconnectPause()
    let pauses = (0..<9).map { _ in reconnect.pause(needsPerson: false, chance: 0) }
    #expect(pauses.map(\.components.seconds) == [1, 2, 4, 8, 16, 32, 60, 60, 60])
    reconnect.succeeded()
    let pause = reconnect.pause(needsPerson: false, chance: 0)
    #expect(pause == .seconds(1))
  }

  @Test func `what only a person can mend waits for the longest pause`() {
    var reconnect = ReconnectPause()
    let pause = reconnect.pause(needsPerson: true, chance: 0)
    #expect(pause == .seconds(60))
  }

  @Test func `connections that do not last do not count as success`() {
    var reconnect = ReconnectPause()
    var pauses: [Int64] = []
    for life in [60, 1, 1, 1, 1, 1, 60, 1] {
      reconnect.succeeded()
      reconnect.ended(after: .seconds(life))
      pauses.append(reconnect.pause(needsPerson: false, chance: 0).components.seconds)
    }
    #expect(pauses == [1, 1, 1, 1, 2, 4, 8, 1])
  }

  @Test func `a broker that was away between does not flap`() {
    var reconnect = ReconnectPause()
    var pauses: [Int64] = []
    for _ in 0..<6 {
      reconnect.succeeded()
      reconnect.ended(after: .seconds(1))
      pauses.append(reconnect.pause(needsPerson: false, chance: 0).components.seconds)
      reconnect.unreachable()
      pauses.append(reconnect.pause(needsPerson: false, chance: 0).components.seconds)
    }
    #expect(pauses == [1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2])
    #expect(!reconnect.isFlapping)
  }

  @Test func `chance makes a pause shorter by a fifth at most, and never longer`() {
    var reconnect = ReconnectPause(first: .seconds(10), longest: .seconds(10))
    let pauses = [0, 0.5, 1].map { reconnect.pause(needsPerson: false, chance: $0) }
    #expect(pauses == [.seconds(10), .seconds(9), .seconds(8)])
  }
}

struct VersionChoiceTests {
  @Test func `MQTT 5 first, 3_1_1 for good once it was refused`() {
    var choice = VersionChoice()
    #expect(choice.version == .five)
    let hasOther = choice.refused()
    #expect(hasOther)
    #expect(choice.version == .three)
    choice.accepted()
    #expect(choice.version == .three)
    let hasAnother = choice.refused()
    #expect(!hasAnother)
  }

  @Test func `a broker that hangs up three times is tried with the other version`() {
    var choice = VersionChoice()
    choice.unansweredConnect()
    choice.unansweredConnect()
    #expect(choice.version == .five)
    choice.unansweredConnect()
    #expect(choice.version == .three)
    for _ in 0..<3 { choice.unansweredConnect() }
    #expect(choice.version == .five)
  }

  @Test func `an answer in between starts the count again`() {
    var choice = VersionChoice()
    choice.unansweredConnect()
    choice.unansweredConnect()
    choice.accepted()
    choice.unansweredConnect()
    #expect(choice.version == .five)
  }
}

struct WindowTests {
  @Test func `at most 20, and no more than the broker takes`() {
    #expect(Window(receiveMaximum: 65_535).capacity == 20)
    #expect(Window(receiveMaximum: 7).capacity == 7)
    #expect(Window(receiveMaximum: 0).capacity == 1)
  }

  @Test(arguments: [(20, 15), (4, 3), (2, 1), (1, 1)])
  func `the backlog leaves room for live messages`(_ receiveMaximum: Int, _ late: Int) {
    #expect(Window(receiveMaximum: receiveMaximum).late == late)
  }

  @Test func `retained state takes half of it`() {
    var window = Window(receiveMaximum: 4)
    window.insert(.state(.gatewayStatus), identifier: 1)
    #expect(window.hasRoomForState)
    window.insert(.state(.gatewayDevices), identifier: 2)
    #expect(!window.hasRoomForState)
    #expect(window.hasRoom)
    window.insert(.message(ticket: 1), identifier: 3)
    window.insert(.ephemeral(1), identifier: 4)
    #expect(!window.hasRoom)
    let removed = [1, 1, 99].map { window.remove(identifier: $0) }
    #expect(removed == [.state(.gatewayStatus), nil, nil])
    #expect(window.hasRoomForState)
    for identifier: Int32 in 2...4 { _ = window.remove(identifier: identifier) }
    #expect(window.isEmpty)
  }
}

struct RateLimitTests {
  private let second: Int64 = 1_000_000_000

  @Test func `no limit allows everything`() {
    var rate = RateLimit(bytesPerSecond: 0, bytesPerDay: 0, boot: 0)
    rate.published(bytes: 1 << 40)
    let (allowance, until) = rate.allowance(boot: 0, unixMilliseconds: 0)
    #expect(allowance == .all)
    #expect(until == nil)
  }

  @Test func `the backlog waits at half of the bucket, live messages when it is empty`() {
    var rate = RateLimit(bytesPerSecond: 1000, bytesPerDay: 0, boot: 0)
    let full = rate.allowance(boot: 0, unixMilliseconds: 0).0
    #expect(full == .all)

    rate.published(bytes: 3000)
    let (low, half) = rate.allowance(boot: 0, unixMilliseconds: 0)
    #expect(low == .live)
    let boot = half ?? 0
    let filled = rate.allowance(boot: boot, unixMilliseconds: 0).0
    #expect(filled == .all)

    rate.published(bytes: 4000)
    let (empty, later) = rate.allowance(boot: boot, unixMilliseconds: 0)
    #expect(empty == .nothing)
    let before = rate.allowance(boot: (later ?? 0) - second / 2, unixMilliseconds: 0).0
    #expect(before == .nothing)
    let after = rate.allowance(boot: later ?? 0, unixMilliseconds: 0).0
    #expect(after == .live)
  }

  @Test func `over a minute no more leaves than a minute allows and the bucket held`() {
    var rate = RateLimit(bytesPerSecond: 1000, bytesPerDay: 0, boot: 0)
    var sent = 0
    for step in 0..<6000 {
      let (allowance, _) = rate.allowance(boot: Int64(step) * second / 100, unixMilliseconds: 0)
      guard allowance != .nothing else { continue }
      rate.published(bytes: 700)
      sent += 700
    }
    #expect(sent <= 60 * 1000 + RateLimit.burst * 1000 + 700)
    #expect(sent >= 60 * 1000)
  }

  @Test func `a day's budget: backlog to four fifths, live to its end, all again on the next day`() {
    var rate = RateLimit(bytesPerSecond: 0, bytesPerDay: 1000, boot: 0)
    let day: Int64 = 86_400_000
    let noon = 20_000 * day + day / 2
    var seen = [rate.allowance(boot: 0, unixMilliseconds: noon).0]
    rate.published(bytes: 800)
    seen.append(rate.allowance(boot: 0, unixMilliseconds: noon).0)
    rate.published(bytes: 200)
    seen.append(rate.allowance(boot: 0, unixMilliseconds: noon).0)
    // A clock that was set back, and the next midnight.
    seen.append(rate.allowance(boot: 0, unixMilliseconds: noon - day).0)
    seen.append(rate.allowance(boot: 0, unixMilliseconds: noon + day / 2).0)
    #expect(seen == [.all, .live, .nothing, .nothing, .all])
  }
}

struct RetainedStatesTests {
  @Test func `only what has changed is published, and the latest of it`() {
    var states = RetainedStates()
    var isNew = [states.set(.gatewayDevices, [1]), states.set(.gatewayDevices, [2])]
    var published = [states.next()?.payload, states.next()?.payload]
    states.finished(.gatewayDevices)
    isNew.append(states.set(.gatewayDevices, [2]))
    published.append(states.next()?.payload)
    #expect(isNew == [true, true, false])
    #expect(published == [[2], nil, nil])
  }

  @Test func `a value that changes under way goes after it`() {
    var states = RetainedStates()
    _ = states.set(.gatewayDevices, [1])
    _ = states.next()
    _ = states.set(.gatewayDevices, [2])
    let early = states.next()?.payload
    #expect(early == nil)
    states.finished(.gatewayDevices)
    let after = states.next()?.payload
    #expect(after == [2])
  }

  @Test func `a new connection gets everything, the host's own status first`() {
    var states = RetainedStates()
    _ = states.set(.deviceInfo(.test), [1])
    _ = states.set(.gatewayStatus, [2])
    while let (topic, _) = states.next() { states.finished(topic) }
    _ = states.set(.deviceStatus(.test), [3])
    _ = states.next()
    states.reconnected()
    var topics: [StateTopic] = []
    while let (topic, _) = states.next() { topics.append(topic) }
    #expect(topics.first == .gatewayStatus)
    #expect(Set(topics) == [.gatewayStatus, .deviceInfo(.test), .deviceStatus(.test)])
    #expect(topics.count == 3)
  }

  @Test func `thousands go in their order, each once, also over a new connection`() {
    var states = RetainedStates()
    let devices = (0..<2_000).map { DeviceID(rawValue: "evc_\($0)") ?? .test }
    for device in devices { _ = states.set(.deviceStatus(device), [1]) }
    var seen: [StateTopic] = []
    for _ in 0..<700 { if let (topic, _) = states.next() { seen.append(topic) } }
    // Half of them are answered; of the others one changes meanwhile.
    for topic in seen.prefix(350) { states.finished(topic) }
    _ = states.set(seen[500], [2])
    states.finished(seen[500])
    #expect(seen == devices.prefix(700).map { .deviceStatus($0) })
    states.reconnected()
    // What comes of the old connection counts no more.
    states.finished(seen[600])
    var again: [StateTopic: Int] = [:]
    while let (topic, _) = states.next() { again[topic, default: 0] += 1 }
    #expect(again.count == 2_000)
    #expect(again.values.allSatisfy { $0 == 1 })
    #expect(!states.hasPending)
  }

  @Test func `what was deleted is forgotten when the broker has deleted it`() {
    var states = RetainedStates()
    _ = states.set(.deviceInfo(.test), [1])
    _ = states.next()
    states.finished(.deviceInfo(.test))
    _ = states.set(.deviceInfo(.test), [])
    let payload = states.next()?.payload
    #expect(payload == [])
    #expect(states.count == 1)
    states.finished(.deviceInfo(.test))
    #expect(states.count == 0)
  }
}

struct EphemeralMessagesTests {
  private func message(_ number: Int) -> EphemeralMessage { EphemeralMessage(topic: "t/\(number)", payload: []) }

  @Test func `kept until finished, sent again after a lost connection, in order`() {
    var messages = EphemeralMessages()
    for number in 1...3 { messages.add(message(number)) }
    let first = messages.next()
    #expect(first?.message.topic == "t/1")
    _ = messages.next()
    messages.finished(first?.number ?? 0)
    messages.connectionLost()
    let again = (0..<3).map { _ in messages.next()?.message.topic }
    #expect(again == ["t/2", "t/3", nil])
  }

  @Test func `the oldest give way`() {
    var messages = EphemeralMessages(capacity: 2)
    for number in 1...5 { messages.add(message(number)) }
    #expect(messages.dropped == 3)
    let next = messages.next()
    #expect(next?.message.topic == "t/4")
  }
}
