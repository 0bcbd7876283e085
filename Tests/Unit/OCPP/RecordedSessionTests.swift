// SPDX-License-Identifier: Apache-2.0

import Foundation
import OCPPCodec
import PluginJSON
import Testing

/// What ../shared/data has of real conversations, played to us; only where that folder exists.
@Suite struct RecordedSessionTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../../shared/data/ocpp").standardizedFileURL
  static let exists = FileManager.default.fileExists(atPath: folder.path)

  private func events(_ name: String) throws -> [JSON] {
    let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    return try text.split(separator: "\n").map {
      try JSON(parsing: Array($0.utf8), limits: JSON.Limits(bytes: 1 << 24, depth: 40, values: 1 << 20))
    }
  }

  @Test(.enabled(if: RecordedSessionTests.exists), arguments: [
    ("session16_csms_view.jsonl", OCPPVersion.v16, 2), ("session16_offline_and_bad_frames.jsonl", .v16, 1),
    ("session201_csms_view.jsonl", .v201, 2),
  ] as [(String, OCPPVersion, Int)])
  func replay(_ name: String, _ version: OCPPVersion, _ count: Int) throws {
    var dialogue = Dialogue(version)
    dialogue.tags = { _ in .accepted }
    var transactions: [Int64: JSON] = [:]
    var latest: JSON?
    for event in try events(name) {
      if let time = event["t"]?.string.flatMap({ Stamp($0) })?.milliseconds { dialogue.now = Moment(boot: time - 1_700_000_000_000, unix: time) }
      switch event["ev"]?.string {
      case "connect": dialogue.connect()
      case "disconnect": dialogue.disconnect()
      case "frame": dialogue.receive(event["raw"]?.string ?? "")
      case "call":
        guard let action = event["action"]?.string, var payload = event["payload"] else { continue }
        // The transaction got another number from us.
        if let number = payload["transactionId"]?.integer {
          transactions[number] = transactions[number] ?? latest
          payload["transactionId"] = transactions[number]
        }
        let answer = dialogue.call(action, payload, id: event["mid"]?.string)
        if action == "StartTransaction" { latest = answer?.payload?["transactionId"] }
        if action == "MakeCoffee" {
          #expect(answer?.errorCode == "NotImplemented")
        } else if action == "BootNotification", payload["foo"] != nil {
          #expect(answer?.errorCode == "OccurenceConstraintViolation")
        } else if payload.bytes.count > 1 << 18 {
          #expect(answer?.errorCode == "FormationViolation")
        } else {
          #expect(answer?.payload != nil, "\(action)")
        }
      default: break
      }
      dialogue.wait(0)
    }
    let ended = dialogue.sessions.filter { $0["state"] == "ended" }
    #expect(ended.count == count)
    for session in ended {
      #expect(session["uncertain"] == nil, "\(session.text)")
      #expect((session["energy"]?.number ?? 0) >= 1)
    }
  }
}
