// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarPlugins
import BusbarSystem
import Testing

@Suite struct LinkTraceTests {
  private func text(_ entry: TraceRing.Entry) -> String? {
    switch entry.content {
    case .sent(let bytes): "> \(TraceWriter.hex(bytes))"
    case .received(let bytes): "< \(TraceWriter.hex(bytes))"
    case .event(let event): "! \(event.word) \(event.number.map { String($0) } ?? "")"
    }
  }

  @Test func whoeverLooksGetsWhatIsKeptAndWhatComes() async {
    let trace = LinkTrace()
    trace.record(.sent, [1], device: 1)
    let (kept, lines) = trace.follow { text($0) }
    trace.record(.received, [2], device: 1)
    trace.record(.timeout, device: 1)
    trace.finish()
    var seen: [String] = []
    for await line in lines { seen.append(line) }
    #expect(kept.map(\.content) == [.sent([1])])
    #expect(seen == ["< 02", "! timeout "])
    #expect(trace.kept.map(\.content) == [.sent([1]), .received([2]), .event(.timeout)])
  }

  @Test func whatIsNotWantedIsNotTold() async {
    let trace = LinkTrace()
    let (_, lines) = trace.follow { $0.device == 2 ? text($0) : nil }
    for device in 1...3 { trace.record(.sent, [UInt8(device)], device: UInt32(device)) }
    trace.finish()
    var seen: [String] = []
    for await line in lines { seen.append(line) }
    #expect(seen == ["> 02"])
  }

  /// Nobody waits for a reader that does not read, and it is told how much it missed.
  @Test func aSlowReaderLosesAndIsToldSo() async {
    let trace = LinkTrace()
    let (_, lines) = trace.follow { text($0) }
    for _ in 0..<1_500 { trace.record(.sent, [1], device: 1) }
    var reader = lines.makeAsyncIterator()
    for _ in 0..<1_024 { #expect(await reader.next() == "> 01") }
    trace.record(.sent, [2], device: 1)
    #expect(await reader.next() == "! lost 476")
    #expect(await reader.next() == "> 02")
  }

  @Test func aReaderThatGoesIsForgotten() async {
    let trace = LinkTrace()
    do {
      let (_, lines) = trace.follow { text($0) }
      let task = Task { for await _ in lines {} }
      task.cancel()
      await task.value
    }
    trace.record(.sent, [1], device: 1)
    #expect(trace.kept.count == 1)
  }
}
