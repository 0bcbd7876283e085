// SPDX-License-Identifier: Apache-2.0

import BusbarBuffer
import BusbarModel
import Testing

struct AlarmWriterTests {
  @Test func whatCameBeforeTheEndIsOnDiskInItsOrder() throws {
    let rig = try Rig()
    let writer = AlarmWriter(outbox: rig.outbox)
    let begin = rig.clock.wall * 1_000_000
    for number in 0..<20_000 {
      writer.accept(
        Alarm(device: "evc_\(number % 100)".id, name: "Test", active: true, text: "", time: begin + Int64(number)))
    }
    writer.close()
    try rig.crash()
    let kept = try rig.drain().compactMap(\.token).map { Int($0 - begin) }
    #expect(kept.sorted() == Array(0..<20_000))
    for device in 0..<100 {
      let own = kept.filter { $0 % 100 == device }
      #expect(own == own.sorted())
    }
  }
}
