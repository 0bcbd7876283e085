// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

@Suite struct FrameTests {
  private func read(_ text: String) throws -> ReceivedFrame { try Frame.read(Array(text.utf8)) }

  private func fault(_ bytes: [UInt8]) -> FrameFault? {
    do {
      _ = try Frame.read(bytes)
      return nil
    } catch {
      return error
    }
  }

  private func fault(_ text: String) -> FrameFault? { fault(Array(text.utf8)) }

  @Test func threeKinds() throws {
    #expect(try read(#"[2,"a1","Heartbeat",{}]"#).frame == .call(id: "a1", action: "Heartbeat", payload: [:]))
    #expect(try read(#" [3, "a1", {"currentTime":"x"}] "#).frame == .result(id: "a1", payload: ["currentTime": "x"]))
    #expect(
      try read(#"[4,"a1","NotImplemented","no",{"a":1}]"#).frame
        == .error(id: "a1", code: "NotImplemented", description: "no", details: ["a": 1]))
    #expect(try read(#"[2,"a1","Heartbeat",{}]"#).bends.isEmpty)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let frames: [Frame] = [
      .call(id: "1", action: "DataTransfer", payload: ["vendorId": "Ü\"\\\n\u{0}🔌", "data": "\u{7F}"]),
      .result(id: "2", payload: ["a": [1, -2.5, true, .null, ["b": []]]]),
      .error("3", .occurrenceConstraintViolation, "connectorId is missing", .v16),
    ]
    for frame in frames { #expect(try read(frame.text) == ReceivedFrame(frame: frame, bends: [])) }
    #expect(frames[2].text.contains("OccurenceConstraintViolation"))
  }

  @Test(arguments: [
    #"[2,"a","Heartbeat"]"#, #"[2,"a","Heartbeat",null]"#, #"["2","a","Heartbeat",{}]"#, #"[2.0,"a","Heartbeat",{}]"#,
    #"[2,17,"Heartbeat",{}]"#, #"[2,"a","Heartbeat",{},"more"]"#, #"[3,"a"]"#, #"[4,"a"]"#, #"[4,"a","X","y",null]"#,
    #"[2,"0123456789012345678901234567890123456789","Heartbeat",{}]"#,
  ])
  func harmlessBends(_ text: String) throws {
    #expect(try read(text).bends.count == 1)
  }

  @Test func answersToWhatIsNoFrame() {
    func answers(_ text: String) -> [String?] {
      OCPPVersion.allCases.map { version in fault(text).flatMap { $0.answer(version) }.map { String($0.text.prefix(30)) } }
    }
    #expect(answers("") == [nil, #"[4,"-1","RpcFrameworkError","t"#])
    #expect(answers("{}") == [nil, #"[4,"-1","RpcFrameworkError","a"#])
    #expect(answers("[2]") == [nil, #"[4,"-1","RpcFrameworkError","a"#])
    #expect(answers(#"[2,"","Heartbeat",{}]"#) == [nil, #"[4,"-1","RpcFrameworkError","t"#])
    #expect(answers(#"[2,"a","Heartbeat",[]]"#) == [#"[4,"a","FormationViolation","t"#, #"[4,"a","FormatViolation","the "#])
    #expect(answers(#"[2,"a","Heartbeat",{"#) == [#"[4,"a","FormationViolation","t"#, #"[4,"a","FormatViolation","the "#])
    #expect(answers(#"[9,"a","Heartbeat",{}]"#) == [nil, #"[4,"a","MessageTypeNotSupporte"#])
    #expect(answers(#"[2,"a",7,{}]"#) == [#"[4,"a","FormationViolation","t"#, #"[4,"a","FormatViolation","the "#])
    // Nobody waits for an answer to an answer.
    #expect(answers(#"[3,"a",[]]"#) == [nil, nil])
    #expect(answers(#"[3,"a",{"#) == [nil, nil])
    #expect(answers(#"[4,"","X","",{}]"#) == [nil, nil])
  }

  @Test func boundsOfSizeDepthAndCount() {
    let huge = #"[2,"a","DataTransfer",{"data":""# + String(repeating: "x", count: 2_000_000) + #""}]"#
    #expect(fault(huge)?.id == "a")
    #expect(fault(huge)?.code == .formatViolation)
    let deep = String(repeating: "[", count: 100_000)
    #expect(fault(deep) != nil)
    #expect(fault(#"[2,"a","X",{"a":"# + String(repeating: "[", count: 30) + String(repeating: "]", count: 30) + "}]")?.id == "a")
    #expect(fault(#"[2,"a","X",{"a":["# + String(repeating: "1,", count: 30_000) + "1]}]")?.code == .formatViolation)
  }

  @Test func encodings() {
    #expect(fault([UInt8](#"[2,"a","X",{"b":""#.utf8) + [0xFC] + [UInt8](#""}]"#.utf8))?.id == "a")
    #expect(fault([0, 1, 2]) != nil)
    // UTF-16 and overlong forms are none of ours.
    #expect(fault([0xFF, 0xFE, 0x5B, 0]) != nil)
    #expect(fault([UInt8](#"[2,"a","X",{"b":""#.utf8) + [0xC0, 0x80] + [UInt8](#""}]"#.utf8)) != nil)
  }
}
