// SPDX-License-Identifier: Apache-2.0

import OCPPCodec
import PluginJSON
import Testing

private let one = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmg\nAwIBAgIUQw==\n-----END CERTIFICATE-----\n"

/// What an operator hands to a charger that is hard to take back.
@Suite struct OperatorCommandTests {
  @Test func chains() throws {
    #expect(try CertificateChain(pem: one).text == one)
    // Line ends of other systems and empty lines are made uniform.
    let other = "\n" + one.split(separator: "\n").joined(separator: "\r\n") + "\r\n\r\n" + one
    #expect(try CertificateChain(pem: other).text == one + one)
  }

  @Test(arguments: [
    "", "MIIBszCCAVmg", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "-----BEGIN PRIVATE KEY-----\nMIIBszCCAVmg\n-----END PRIVATE KEY-----\n", one + "x",
    one.replacing("MIIB", with: "AIIB"), one.replacing("==", with: "="), one.replacing("Aw", with: "A="), one.replacing("Aw", with: "A "),
    String(repeating: one, count: 11), String(repeating: "\n", count: 10_001),
    "-----BEGIN CERTIFICATE-----\n" + one,
  ])
  func noChains(_ text: String) {
    #expect(throws: Refusal.self) { try CertificateChain(pem: text) }
  }

  /// A password that the host does not know locks the charger out.
  @Test(arguments: [
    (OCPPVersion.v16, "ChangeConfiguration", #"{"key":"authorizationKey ","value":"30313233343536373839616263646566"}"#),
    (
      .v201, "SetVariables",
      #"""
      {"setVariableData":[{"component":{"name":"C"},"variable":{"name":"V"},"attributeValue":"1"},
      {"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"},"attributeValue":"0123456789abcdef"}]}
      """#
    ),
  ])
  func passwordsAreTheHostsBusiness(_ version: OCPPVersion, _ action: String, _ payload: String) throws {
    var dialogue = Dialogue(version)
    dialogue.connect()
    dialogue.command(.call(action: action, payload: try JSON(parsing: Array(payload.utf8))))
    guard case .invalid(let text)? = dialogue.outcomes.last else {
      Issue.record("it was not refused")
      return
    }
    #expect(text.contains("busbar password rotate") && !text.contains("0123456789abcdef"))
    #expect(!dialogue.sent.contains { if case .call(_, action, _) = $0 { true } else { false } })
  }

  /// What a charger tells that it should not goes no further.
  @Test(arguments: [
    #"{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"SESAME"},{"key":"A","value":"b"}]}"#,
    #"{"getVariableResult":[{"component":{"name":"A"},"variable":{"name":"basicAuthPassword"},"attributeValue":"SESAME"}]}"#,
    #"{"items":[{"component":{"name":"A"},"variable":{"name":"BasicAuthPassword"},"variableAttribute":[{"type":"Actual","value":"SESAME"}]}]}"#,
  ])
  func passwordsAreNotHandedOn(_ text: String) throws {
    let told = try JSON(parsing: Array(text.utf8)).withoutPasswords
    #expect(told.text == text.replacing("SESAME", with: "(secret)"))
    let other = try JSON(parsing: Array(text.replacing("asswo", with: "assw").replacing("onKey", with: "on").utf8))
    #expect(other.withoutPasswords == other)
  }

  @Test func networkProfiles() throws {
    func make(_ slot: Int64 = 1, _ url: String = "wss://a/ocpp", _ security: Int64 = 2, _ interface: String = "Wired0", _ timeout: Int64 = 30)
      -> Bool
    { (try? NetworkProfile(slot: slot, url: url, security: security, interface: interface, timeout: timeout)) != nil }
    #expect(make() && make(1, "ws://a", 1) && make(1, "wss://a", 3))
    #expect(!make(-1) && !make(1, "ws://a", 2) && !make(1, "wss://a", 1) && !make(1, "wss://", 2) && !make(1, "wss://a", 0))
    #expect(!make(1, "wss://a b") && !make(1, "wss://u:p@a") && !make(1, "wss://a", 2, "WiFi") && !make(1, "wss://a", 2, "Wired0", 0))
  }
}
