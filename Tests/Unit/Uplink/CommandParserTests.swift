// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarUplink
import Testing

struct CommandParserTests {
  private let parser = CommandParser(role: .operator_)
  private let now: Int64 = 1_795_378_200_000

  private func parse(_ text: String, expiry: UInt32? = nil) -> CommandParser.Result<CommandRequest> {
    parser.command(Array(text.utf8), device: .test, expiry: expiry, now: now)
  }

  private func request(_ text: String, expiry: UInt32? = nil) throws -> CommandRequest {
    guard case .request(let request) = parse(text, expiry: expiry) else {
      throw NotARequest(result: "\(parse(text, expiry: expiry))")
    }
    return request
  }

  private struct NotARequest: Error { var result: String }

  @Test func `a setpoint with everything`() throws {
    let text = """
      {"id":"6d0c","ts":1795378158674,"point":"power_limit","value":3000,"valid_for":60000,"priority":"grid",\
      "owner":"ems-1","safe":5000.5,"unknown":[1,{"x":null}]}
      """
    #expect(
      try request(text)
        == CommandRequest(
          id: "6d0c", device: .test, verb: .set(point: "power_limit", value: .integer(3000)), time: 1_795_378_158_674,
          validFor: .seconds(60), priority: .grid, owner: "ems-1", safe: .number(5000.5), role: .operator_))
  }

  @Test func `what is left out has its default`() throws {
    let minimal = try request(#"{"id":"1","ts":5,"point":"enabled","value":true}"#)
    #expect(minimal.owner == "operator")
    #expect(minimal.priority == .schedule)
    #expect(minimal.validFor == nil)
    #expect(minimal.safe == nil)
    #expect(minimal.verb == .set(point: "enabled", value: .boolean(true)))
  }

  @Test func `null releases`() throws {
    #expect(try request(#"{"id":"1","ts":5,"point":"p","value":null}"#).verb == .set(point: "p", value: nil))
  }

  @Test func `an action with arguments`() throws {
    let text = #"{"id":"1","ts":5,"action":"charge.start","args":{"connector":1,"tag":"04A1"}}"#
    #expect(try request(text).verb == .action(name: "charge.start", arguments: ["connector": 1, "tag": "04A1"]))
  }

  @Test(arguments: [
    #"{"id":"1","point":"p","value":1}"#,
    #"{"id":"1","ts":"5","point":"p","value":1}"#,
    #"{"id":"1","ts":-1,"point":"p","value":1}"#,
    #"{"id":"1","ts":1.5,"point":"p","value":1}"#,
    #"{"id":"1","ts":9e18,"point":"p","value":1}"#,
    #"{"id":"1","ts":5}"#,
    #"{"id":"1","ts":5,"point":"p"}"#,
    #"{"id":"1","ts":5,"point":"","value":1}"#,
    #"{"id":"1","ts":5,"point":7,"value":1}"#,
    #"{"id":"1","ts":5,"point":"p","value":[1]}"#,
    #"{"id":"1","ts":5,"point":"p","value":{"a":1}}"#,
    #"{"id":"1","ts":5,"point":"p","value":1e999}"#,
    #"{"id":"1","ts":5,"point":"p","value":-1e999}"#,
    #"{"id":"1","ts":5,"point":"p","action":"a","value":1}"#,
    #"{"id":"1","ts":5,"action":"a","args":[]}"#,
    #"{"id":"1","ts":5,"action":""}"#,
    #"{"id":"1","ts":5,"point":"p","value":1,"valid_for":0}"#,
    #"{"id":"1","ts":5,"point":"p","value":1,"valid_for":-5}"#,
    #"{"id":"1","ts":5,"point":"p","value":1,"valid_for":"60s"}"#,
    #"{"id":"1","ts":5,"point":"p","value":1,"valid_for":9223372036854775807}"#,
    #"{"id":"1","ts":5,"point":"p","value":1,"priority":"highest"}"#,
    #"{"id":"1","ts":5,"point":"p","value":1,"priority":3}"#,
    #"{"id":"1","ts":5,"point":"p","value":1,"owner":""}"#,
    #"{"id":"1","ts":5,"point":"p","value":1,"safe":[]}"#,
  ])
  func `what is wrong is refused as invalid, with a text`(_ text: String) {
    guard case .refusal(let response) = parse(text) else {
      Issue.record("\(parse(text))")
      return
    }
    #expect(response.id == "1")
    #expect(response.status == .refused)
    #expect(response.reason == .invalid)
    #expect(response.time == now)
    #expect(response.text?.isEmpty == false)
  }

  @Test(arguments: ["safety", "protection"])
  func `the host's own priorities cannot be claimed`(_ priority: String) {
    guard case .refusal(let response) = parse(#"{"id":"1","ts":5,"point":"p","value":1,"priority":"\#(priority)"}"#) else {
      Issue.record("taken")
      return
    }
    #expect(response.reason == .notAuthorized)
  }

  @Test(arguments: [
    "", " ", "null", "[]", "7", "\"id\"", "{", "{}", #"{"id":7,"ts":5}"#, #"{"id":"","ts":5}"#, #"{"id":null}"#,
    #"{'id':'1'}"#, #"{"x":{"id":"1"},"#, #"["id","1""#, #"{"x":"id","1":"#, #"{"id":7,"#, #"{"id":"1"#, #"{"id":"1\"#, #"{"id":"\u12"#,
    #"{"id":["1"],"#, #"{"x":"\",\"id\":\"1\""#, #"}{"id":"1","#,
  ])
  func `without an id there is no answer`(_ text: String) {
    guard case .unreadable = parse(text) else {
      Issue.record("\(parse(text))")
      return
    }
  }

  @Test(arguments: [
    #"{"id":"1","ts":5,"point":"p","value":1"#, #"{"id":"1" "ts":5}"#, #"{"id":"1",}"#, #" { "id" : "1" , "x": tru"#,
    #"{"x":{"id":"2"},"id":"1","y":[[,"#, #"{"id":"\u0031","#, #"{"id":"1""#, #"{"id":"1","id":"2","#,
  ])
  func `what is no JSON is refused where it tells its id`(_ text: String) {
    guard case .refusal(let response) = parse(text) else {
      Issue.record("\(parse(text))")
      return
    }
    #expect(response.id == "1" && response.reason == .invalid && response.text?.isEmpty == false)
  }

  @Test func `bytes that are no text are refused where they tell their id`() {
    for tail in [[0xFF, 0xFE], [0], [UInt8](repeating: 0x20, count: 70_000)] as [[UInt8]] {
      let payload = Array(#"{"id":"1","x":""#.utf8) + tail
      guard case .refusal(let response) = parser.command(payload, device: .test, now: now) else {
        Issue.record("\(tail.prefix(4))")
        continue
      }
      #expect(response.id == "1" && response.reason == .invalid)
    }
    // An id that is no text is none.
    guard case .unreadable = parser.command(Array(#"{"id":""#.utf8) + [0xFF] + Array(#"","#.utf8), device: .test, now: now) else {
      Issue.record("taken")
      return
    }
  }

  @Test func `an id has 1 to 64 characters`() throws {
    let longest = String(repeating: "ä", count: 64)
    #expect(try request(#"{"id":"\#(longest)","ts":5,"point":"p","value":1}"#).id == longest)
    guard case .refusal(let response) = parse(#"{"id":"\#(longest)x","ts":5,"point":"p","value":1}"#) else {
      Issue.record("an id of 65 characters was taken")
      return
    }
    #expect(response.reason == .invalid)
    let endless = String(repeating: "x", count: 1000)
    guard case .unreadable = parse(#"{"id":"\#(endless)","ts":5,"point":"p","value":1}"#) else {
      Issue.record("an id of 1000 characters was repeated")
      return
    }
  }

  @Test func `nested deeper than 16 is not parsed, brackets in texts do not count`() throws {
    let open = String(repeating: "[", count: 40_000)
    for text in [open, #"{"id":"1","ts":5,"x":"# + open, #"{"id":"1","x":"# + String(repeating: #"{"a":"#, count: 9000)] {
      if case .request = parse(text) { Issue.record("parsed") }
    }
    guard case .unreadable = parse(open) else {
      Issue.record("answered")
      return
    }
    _ = try request(#"{"id":"1","ts":5,"point":"p","value":"\#(String(repeating: "[{", count: 500))\"[["}"#)
    func nested(_ depth: Int) -> String {
      let (open, close) = (String(repeating: "[", count: depth - 1), String(repeating: "]", count: depth - 1))
      return #"{"id":"1","ts":5,"action":"a","x":\#(open)\#(close)}"#
    }
    _ = try request(nested(16))
    guard case .refusal = parse(nested(17)) else {
      Issue.record("17 levels were parsed")
      return
    }
  }

  @Test func `sizes, encodings and noise that are no text`() {
    let big = #"{"id":"1","ts":5,"point":"p","value":"\#(String(repeating: "x", count: 70_000))"}"#
    var generator = SystemRandomNumberGenerator()
    let noise = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let utf16 = Array(#"{"id":"1","ts":5,"point":"p","value":1}"#.utf16).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    for payload in [Array(big.utf8), noise, utf16, [0xFF, 0xFE] + utf16, [0xC0, 0x80], [0]] {
      if case .request = parser.command(payload, device: .test, now: now) { Issue.record("parsed \(payload.prefix(40))") }
    }
  }

  @Test func `a request cut or changed anywhere never ends the parser`() {
    let text = Array(#"{"id":"1","ts":5,"action":"a","args":{"x":[1,2.5e3,true,null,"\u00e4"]},"valid_for":7}"#.utf8)
    var read = 0
    for end in text.indices {
      if case .request = parser.command(Array(text[..<end]), device: .test, now: now) { read += 1 }
      for byte in [UInt8(0), 34, 92, 123, 125, 255] {
        var changed = text
        changed[end] = byte
        _ = parser.command(changed, device: .test, now: now)
      }
    }
    #expect(read == 0, "no part of a request is one")
  }

  @Test func `a key that comes twice is tolerated`() throws {
    _ = try request(#"{"id":"1","ts":5,"ts":6,"point":"p","value":1,"value":2}"#)
  }

  @Test func `the message's expiry ends an action, not a lease`() throws {
    let action = #"{"id":"1","ts":\#(now - 2000),"action":"a"}"#
    #expect(try request(action, expiry: 10).validFor == .seconds(12))
    #expect(try request(action, expiry: 1000).validFor == .seconds(60))
    #expect(try request(#"{"id":"1","ts":\#(now),"point":"p","value":1,"valid_for":60000}"#, expiry: 5).validFor == .seconds(60))
    guard case .refusal(let response) = parse(action, expiry: 0) else {
      Issue.record("taken")
      return
    }
    #expect(response.status == .expired)
  }

  @Test func `gateway commands are objects with an id and an action`() {
    let good = parser.gatewayCommand(Array(#"{"id":"1","action":"reload","extra":[1]}"#.utf8), now: now)
    #expect(good == .request(["id": "1", "action": "reload", "extra": [1]]))
    guard case .refusal(let response) = parser.gatewayCommand(Array(#"{"id":"1","action":7}"#.utf8), now: now) else {
      Issue.record("taken")
      return
    }
    #expect(response.reason == .invalid)
  }

  @Test func `acknowledgements`() {
    let good = Acknowledgement(payload: Array(#"{"device":"sol_test_1","ranges":[[1,1042],[1050,1050]]}"#.utf8))
    #expect(good?.device == .test)
    #expect(good?.ranges == [1...1042, 1050...1050])
  }

  @Test(arguments: [
    "{}", #"{"device":"a b","ranges":[]}"#, #"{"device":"x"}"#, #"{"device":"x","ranges":[[2,1]]}"#,
    #"{"device":"x","ranges":[[1]]}"#, #"{"device":"x","ranges":[[1,2,3]]}"#, #"{"device":"x","ranges":[[-1,2]]}"#,
    #"{"device":"x","ranges":[["1","2"]]}"#, #"{"device":"x","ranges":[[1,1e30]]}"#, #"{"device":"x","ranges":{}}"#,
  ])
  func `what is no acknowledgement`(_ text: String) {
    #expect(Acknowledgement(payload: Array(text.utf8)) == nil)
  }
}
