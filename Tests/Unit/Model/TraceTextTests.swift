// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import Testing

@Suite struct TraceTextTests {
  private func read(_ text: String) throws(TraceError) -> Trace { try TraceReader.read(Array(text.utf8)) }

  private static let trace = Trace(
    head: Trace.Head(
      link: "modbus-127.0.0.1-5020", adapter: "modbus", endpoint: "tcp://127.0.0.1:5020", framing: "a b%#ü",
      device: "met_grid", start: 1_795_378_158_674),
    frames: [
      .init(time: 0, .event(.opened)), .init(time: 1_500_000, .sent([0, 1, 0xAB]), device: "met_grid"),
      .init(time: 2_001_000, .received([0xFF])), .init(time: 3_000_000_000, .event(.discarded(12)), device: "x"),
      .init(time: 3_000_001_000, .event(.timeout)),
    ])

  @Test func itComesBackAsItWas() throws {
    #expect(try read(TraceWriter.text(Self.trace)) == Self.trace)
  }

  @Test func theText() {
    #expect(
      TraceWriter.text(Self.trace) == """
        busbar-trace 1 link=modbus-127.0.0.1-5020 device=met_grid adapter=modbus endpoint=tcp://127.0.0.1:5020 \
        framing=a%20b%25%23%C3%BC start=1795378158674
        0.000 ! opened
        1.500 > 0001AB @met_grid
        2.001 < FF
        3000.000 ! discarded 12 @x
        3000.001 ! timeout

        """)
  }

  @Test func aFailureKeepsItsSentenceAsAComment() throws {
    let line = TraceWriter.line(.init(time: 0, .event(.failed("refused:\n\u{1B}[31m check"))))
    #expect(line == "0.000 ! failed # refused:  [31m check")
    #expect(try TraceReader.frame(line)?.content == .event(.failed("")))
  }

  /// What people write by hand.
  @Test func handwriting() throws {
    let trace = try read("# a comment\n\nbusbar-trace 1 later=thing\r\n> 0a0B 0C # here\r\n\t12.5   <   0d\n< 0E\n! closed")
    #expect(
      trace.frames == [
        .init(time: 0, .sent([10, 11, 12])), .init(time: 12_500_000, .received([13])),
        .init(time: 12_500_000, .received([14])), .init(time: 12_500_000, .event(.closed)),
      ])
  }

  @Test(arguments: [
    ("", 0, "empty"), ("> 0A", 1, "begins with"), ("busbar-trace", 1, "begins with"), ("busbar-trace 2", 1, "version 2"),
    ("busbar-trace 1 link", 1, "KEY=VALUE"), ("busbar-trace 1 start=x", 1, "milliseconds"),
    ("busbar-trace 1 link=%4", 1, "two hexadecimal"), ("busbar-trace 1\n> 0", 2, "middle of a byte"),
    ("busbar-trace 1\n> 0G", 2, "not hexadecimal"), ("busbar-trace 1\n>", 2, "without bytes"),
    ("busbar-trace 1\n\n12.x > 00", 3, "no time"), ("busbar-trace 1\n12. > 00", 2, "no time"),
    ("busbar-trace 1\n99999999999999 > 00", 2, "no time"), ("busbar-trace 1\n5", 2, "nothing after"),
    ("busbar-trace 1\n5 = 00", 2, "expected >"), ("busbar-trace 1\n! exploded", 2, "known are opened"),
    ("busbar-trace 1\n! opened 3", 2, "known are"), ("busbar-trace 1\n! lost", 2, "known are"),
    ("busbar-trace 1\n! lost -1", 2, "known are"), ("busbar-trace 1\n> \u{FC}", 2, "ASCII"),
  ])
  func mistakesNameTheirLine(text: String, line: Int, part: String) {
    do throws(TraceError) {
      let trace = try read(text)
      Issue.record("taken: \(trace)")
    } catch {
      #expect(error.line == line && error.text.contains(part), "\(error)")
    }
  }

  @Test func sizesAreBounded() {
    func fails(_ bytes: [UInt8]) -> String {
      do throws(TraceError) {
        _ = try TraceReader.read(bytes)
        return "taken"
      } catch {
        return error.text
      }
    }
    let head = Array("busbar-trace 1\n".utf8)
    #expect(fails([UInt8](repeating: 10, count: (16 << 20) + 1)).contains("16 MiB"))
    #expect(fails(head + [UInt8](repeating: 0x30, count: 20_001)).contains("20000 bytes"))
    #expect(fails(head + Array("> ".utf8) + [UInt8](repeating: 0x30, count: 8_194)).contains("4096 bytes"))
    #expect(fails(head + Array(repeatElement(Array("> 00\n".utf8), count: 200_001).joined())).contains("200000 frames"))
  }

  /// Whatever bytes come: a trace or an error, and what was taken comes back the same.
  @Test func garbage() throws {
    var state: UInt64 = 42
    let pool = Array("busbar-trace 1 \n><!@#%=.0123456789ABCDEFtimeout lost\r\t\u{0}\u{FF}".utf8)
    for _ in 0..<4_000 {
      var bytes = Array("busbar-trace 1 link=a\n".utf8)
      for _ in 0..<60 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        bytes.append(pool[Int(state >> 33) % pool.count])
      }
      guard let trace = try? TraceReader.read(bytes) else { continue }
      #expect(try read(TraceWriter.text(trace)).frames.map(\.content) == trace.frames.map(\.content))
    }
  }

  @Test(arguments: [
    ("tcp://10.0.0.1:502", "tcp://10.0.0.1:502"), ("mqtt://me:secret@host/x", "mqtt://host/x"),
    ("http://a@b@host:1/p@q?token=abc&x", "http://host:1/p@q?token=*&x=*"),
    ("serial:///dev/ttyUSB0?baud=9600&parity=even", "serial:///dev/ttyUSB0?baud=9600&parity=even"), ("mqtt:home", "mqtt:home"),
  ])
  func secretsAreRemoved(text: String, harmless: String) { #expect(Trace.withoutSecrets(text) == harmless) }
}
