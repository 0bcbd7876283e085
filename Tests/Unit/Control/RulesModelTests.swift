// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarControl
import BusbarModel
import Testing

/// SplitMix64: the same seed gives the same run.
private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The rules of interfaces 3.3 once more, in the plainest way: a list of all that was ever granted, searched anew each
/// time.
private struct Rules {
  struct Granted {
    var point: String
    var owner: String
    var rank: Int
    var value: Double
    var until: Int64
    var over = false
  }

  static let safe: [String: Double] = ["current_limit": 6, "power_setpoint": 0]
  var granted: [Granted] = []

  func live(_ point: String, _ now: Int64) -> [Granted] {
    granted.filter { $0.point == point && !$0.over && $0.until > now }
  }

  func effective(_ point: String, _ now: Int64) -> Double? {
    let live = live(point, now)
    if point == "current_limit" { return live.map(\.value).min() }
    let best = live.map(\.rank).min()
    return live.last { $0.rank == best }?.value
  }

  /// What the device has to hold; nil = it was never written to.
  func expected(_ point: String, _ now: Int64) -> Double? {
    effective(point, now) ?? (granted.contains { $0.point == point } ? Self.safe[point] : nil)
  }

  mutating func end(_ point: String, _ owner: String) {
    for index in granted.indices where granted[index].point == point && granted[index].owner == owner {
      granted[index].over = true
    }
  }

  mutating func endAll() {
    for index in granted.indices { granted[index].over = true }
  }
}

@Suite struct RulesModelTests {
  static let points = [("current_limit", wallbox), ("power_setpoint", battery)]

  @Test(arguments: 0..<200)
  func randomRequestsFollowTheRules(seed: Int) async {
    var random = Seeded(state: UInt64(seed))
    let site = await Site()
    var arbiter = site.arbiter
    var rules = Rules()
    var away = false
    var answered: [(CommandRequest, CommandResponse)] = []

    for step in 0..<60 {
      let place = "seed \(seed), step \(step)"
      let (point, device) = Self.points[Int.random(in: 0..<2, using: &random)]
      let owner = ["a", "b", "c"][Int.random(in: 0..<3, using: &random)]
      let held = site.writer.value(device, point)?.number
      let now = site.time.boot()
      switch Int.random(in: 0..<20, using: &random) {
      case 0..<9:
        let value = Double([6, 8, 10, 16, 32][Int.random(in: 0..<5, using: &random)])
        let priority = Priority.allCases[Int.random(in: 0..<6, using: &random)]
        let seconds = Int.random(in: 1...90, using: &random)
        let request = site.set("\(step)", device, point, .number(value), owner: owner, for: seconds, priority)
        let others = rules.live(point, now).filter { $0.owner != owner }
        let smaller = point == "current_limit" ? others.map(\.value).filter { $0 < value }.min() : nil
        let overruled = point != "current_limit" && others.contains { $0.rank < priority.rank }
        let response = await arbiter.submit(request)
        answered.append((request, response))
        if overruled {
          #expect(response.reason == .overruled, "\(place)")
        } else if let smaller, smaller == held {
          #expect(response.status == .accepted && response.value?.number == smaller, "\(place)")
        } else if away {
          #expect(response.status == .failed, "\(place)")
          break
        } else if let smaller {
          #expect(response.status == .accepted && response.value?.number == smaller, "\(place)")
        } else {
          #expect(response.status == .done && response.value?.number == value, "\(place)")
        }
        guard !overruled else { break }
        rules.end(point, owner)
        rules.granted.append(
          Rules.Granted(
            point: point, owner: owner, rank: priority.rank, value: value, until: now + Int64(seconds) * second))
      case 9..<12:
        let request = site.set("\(step)", device, point, nil, owner: owner)
        let response = await arbiter.submit(request)
        answered.append((request, response))
        rules.end(point, owner)
        #expect(response.status == .done || away && response.status == .accepted, "\(place)")
      case 12..<16:
        site.time.advance(Double(Int.random(in: 1...60, using: &random)))
      case 16:
        away.toggle()
        if away {
          site.writer.answer { _ in .failed("offline") }
        } else {
          site.writer.answer(nil)
          for (_, device) in Self.points { await arbiter.deviceReady(device) }
        }
      case 17:
        arbiter = await site.restartedAndRecovered()
        rules.endAll()
      default:
        guard let (request, response) = answered.randomElement(using: &random) else { break }
        let writes = site.writer.writes.filter { $0.purpose == .command && $0.id == request.id }.count
        #expect(await arbiter.submit(request) == response, "\(place)")
        #expect(
          site.writer.writes.filter { $0.purpose == .command && $0.id == request.id }.count == writes, "\(place)")
      }
      await arbiter.timePassed()
      guard !away else { continue }
      for (point, device) in Self.points {
        let now = site.time.boot()
        #expect(site.writer.value(device, point)?.number == rules.expected(point, now), "\(place), \(point)")
        #expect(
          site.journal.open.contains { $0.point == point } == (rules.effective(point, now) != nil), "\(place), \(point)"
        )
      }
    }
  }
}
