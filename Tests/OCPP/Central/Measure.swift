// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec

/// Nanoseconds a message, for messages without their first two elements, over and over.
func measure(_ lines: [[UInt8]], _ rounds: Int) -> Int64 {
  var central = CentralSystem16(settings: ChargerSettings(), stored: [:], seed: "b")
  var now = Moment(boot: 0, unix: 1_795_378_158_674)
  _ = central.connected(now)
  var sent = 0
  let start = ContinuousClock.now
  for round in 0..<rounds {
    for line in lines {
      now.boot += 10_000
      now.unix += 10_000
      // Each message has an id of its own, as from a charger.
      let effects = central.received(Array("[2,\"\(round)-\(sent)\",".utf8) + line, now)
      for effect in effects {
        switch effect {
        case .send: sent += 1
        case .authorize(let question): sent += central.authorized(ticket: question.ticket, TagInfo(.accepted), now).count
        default: break
        }
      }
    }
  }
  let (seconds, attoseconds) = (ContinuousClock.now - start).components
  precondition(sent >= rounds * lines.count, "not all were answered")
  return (seconds * 1_000_000_000 + attoseconds / 1_000_000_000) / Int64(max(1, rounds * lines.count))
}
