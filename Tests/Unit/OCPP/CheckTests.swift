// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

/// Single rules; Tests/EndToEnd/test_ocpp_schemas.py compares verdicts with the published schemas.
@Suite struct CheckTests {
  private func check(_ version: OCPPVersion, _ action: String, _ text: String, _ part: Part = .request) throws -> Verdict {
    let payload = try JSON(parsing: Array(text.utf8))
    return try #require(Catalogue.of(version).check(action, part, payload))
  }

  @Test func allMessagesAreThere() {
    #expect(Catalogue.of(.v16).actions.count == 39)
    #expect(Catalogue.of(.v201).actions.count == 64)
    #expect(Catalogue.of(.v16).actions.values.filter { $0.senders.contains(.charger) }.count == 14)
    #expect(Catalogue.of(.v201).actions.values.filter { $0.senders.contains(.charger) }.count == 25)
    #expect(Catalogue.of(.v16).check("MakeCoffee", .request, [:]) == nil)
  }

  @Test func codesOfRefusals() throws {
    #expect(try check(.v16, "BootNotification", #"{"foo":1}"#).refusal?.code == .occurrenceConstraintViolation)
    #expect(try check(.v16, "Authorize", #"{"idTag":{}}"#).refusal?.code == .typeConstraintViolation)
    #expect(
      try check(.v16, "StatusNotification", #"{"connectorId":1,"errorCode":"NoError","status":"Sleeping"}"#).refusal?.code
        == .propertyConstraintViolation)
    #expect(ErrorCode.occurrenceConstraintViolation.name(.v16) == "OccurenceConstraintViolation")
    #expect(ErrorCode.formatViolation.name(.v16) == "FormationViolation")
    #expect(ErrorCode.formatViolation.name(.v201) == "FormatViolation")
  }

  @Test func whatIsMeantIsMended() throws {
    let verdict = try check(
      .v16, "StartTransaction",
      #"{"connectorId":"1","idTag":4711,"meterStart":12.6,"timestamp":"2026-11-22T21:12:21.815Z","reservationId":null}"#)
    #expect(verdict.refusal == nil)
    #expect(verdict.findings.count == 4)
    #expect(
      verdict.payload == ["connectorId": 1, "idTag": "4711", "meterStart": 13, "timestamp": "2026-11-22T21:12:21.815Z"])
  }

  @Test func caseOfEnumerations() throws {
    let verdict = try check(.v16, "StatusNotification", #"{"connectorId":1,"errorCode":"noError","status":"AVAILABLE"}"#)
    #expect(verdict.refusal == nil)
    #expect(verdict.payload["errorCode"] == "NoError")
    #expect(verdict.payload["status"] == "Available")
  }

  @Test func whatHarmsNobody() throws {
    for text in [
      #"{"connectorId":1,"status":"Available"}"#, #"{"connectorId":1,"errorCode":"E42","status":"Available"}"#,
      #"{"connectorId":1,"errorCode":"NoError","status":"Available","more":[1,2]}"#,
      #"{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"yesterday"}"#,
      #"{"connectorId":1,"errorCode":"NoError","status":"Available","info":""# + String(repeating: "i", count: 80) + #""}"#,
    ] {
      let verdict = try check(.v16, "StatusNotification", text)
      #expect(!verdict.isStrict && verdict.refusal == nil, "\(text)")
      #expect(verdict.findings.count == 1, "\(verdict.findings)")
    }
  }

  @Test func aSingleValueInPlaceOfAList() throws {
    let verdict = try check(
      .v16, "MeterValues",
      #"{"connectorId":1,"meterValue":{"timestamp":"2026-11-22T21:12:21Z","sampledValue":[{"value":12.5}]}}"#)
    #expect(verdict.refusal == nil)
    #expect(verdict.payload["meterValue"]?.array?.first?["sampledValue"]?.array?.first?["value"] == "12.5")
  }

  @Test func placesAreNamed() throws {
    let verdict = try check(
      .v201, "MeterValues", #"{"evseId":1,"meterValue":[{"timestamp":"2026-11-22T21:12:21Z","sampledValue":[{"value":1},{"value":[]}]}]}"#)
    #expect(verdict.refusal?.description == "meterValue[0].sampledValue[1].value is a list, not a number")
  }

  @Test func findingsAreBounded() throws {
    let many = (0..<500).map { "\"f\($0)\":1" }.joined(separator: ",")
    let verdict = try check(.v16, "Authorize", "{\(many)}")
    #expect(verdict.findings.count <= Verdict.mostFindings)
    #expect(verdict.refusal?.path == "idTag")
  }

  @Test(arguments: [
    ("2026-11-22T21:12:17.095Z", 1_795_381_937_095), ("2026-11-22T21:12:17Z", 1_795_381_937_000), ("2026-11-22T22:12:17+01:00", 1_795_381_937_000),
    ("2026-11-22T21:12:17.0951234Z", 1_795_381_937_095), ("2026-11-22 21:12:17", 1_795_381_937_000), ("2026-11-22T16:42:17-0430", 1_795_381_937_000),
    ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600_000), ("1969-12-31T23:59:59.9Z", -100),
  ] as [(String, Int64)])
  func times(_ text: String, _ milliseconds: Int64) {
    #expect(Stamp(text)?.milliseconds == milliseconds)
    #expect(Stamp(Stamp.text(milliseconds))?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T21:12:17+1", "2026-11-22T21:12:17Zx",
    "22.11.2026 21:12", "2026-11-22T21:12:17.Z", "2026-11-22T21:12:17.1234567890123Z",
  ])
  func noTimes(_ text: String) {
    #expect(Stamp(text) == nil)
  }
}
