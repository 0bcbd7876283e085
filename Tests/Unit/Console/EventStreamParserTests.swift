// SPDX-License-Identifier: Apache-2.0

import BusbarConsole
import Testing

struct EventStreamParserTests {
  private let text =
    ": listening\n\nevent: telemetry\ndata: {\"a\":1}\n\ndata:x\r\ndata: y\r\n\r\nid: 7\n\ndata\n\ndata: open"
  private let events = ["{\"a\":1}", "x\ny", ""]

  @Test func takesEventsApart() throws {
    var parser = EventStreamParser()
    #expect(try parser.add(text.utf8) == events)
  }

  @Test func chunksMayEndAnywhere() throws {
    let bytes = Array(text.utf8)
    for cut in bytes.indices {
      var parser = EventStreamParser()
      #expect(try parser.add(bytes[..<cut]) + parser.add(bytes[cut...]) == events, "cut at \(cut)")
    }
  }

  @Test func whatHasNoEndIsNotKept() throws {
    var line = EventStreamParser()
    #expect(throws: EventStreamParser.TooLong.self) { try line.add([UInt8](repeating: 120, count: 2 << 20)) }
    var event = EventStreamParser()
    #expect(throws: EventStreamParser.TooLong.self) {
      for _ in 0..<3000 { _ = try event.add("data: \(String(repeating: "x", count: 1000))\n".utf8) }
    }
  }
}
