// SPDX-License-Identifier: Apache-2.0
// Reads lines and says what the codec makes of each, for judges in other languages:
//   VERSION PART ACTION PAYLOAD     VERSION ocpp1.6 or ocpp2.0.1, PART request or response
//   VERSION frame TEXT
// One line of JSON comes out for each.

internal import OCPPCodec
internal import PluginJSON

while let line = readLine() {
  let words = line.split(separator: " ", maxSplits: 1)
  guard words.count == 2, let version = OCPPVersion(rawValue: String(words[0])) else { continue }
  if words[1].hasPrefix("frame ") {
    print(frame(Array(words[1].dropFirst(6).utf8), version).text)
    continue
  }
  let rest = words[1].split(separator: " ", maxSplits: 2)
  guard rest.count == 3 else { continue }
  print(verdict(version, rest[0] == "request" ? .request : .response, String(rest[1]), Array(rest[2].utf8)).text)
}

private func verdict(_ version: OCPPVersion, _ part: Part, _ action: String, _ text: [UInt8]) -> JSON {
  let payload: JSON
  do {
    payload = try JSON(parsing: text)
  } catch {
    return ["error": .string(error.description)]
  }
  guard let verdict = Catalogue.of(version).check(action, part, payload) else { return ["error": "unknown action"] }
  return [
    "strict": .boolean(verdict.isStrict), "usable": .boolean(verdict.refusal == nil),
    "code": verdict.refusal.map { .string($0.code.name(version)) } ?? .null,
    "findings": .array(verdict.findings.map { .string($0.description) }), "payload": verdict.payload,
  ]
}

private func frame(_ text: [UInt8], _ version: OCPPVersion) -> JSON {
  do {
    let received = try Frame.read(text)
    return ["frame": .string(received.frame.text), "bends": .array(received.bends.map { .string($0) })]
  } catch {
    return ["answer": error.answer(version).map { .string($0.text) } ?? .null, "error": .string(error.description)]
  }
}
