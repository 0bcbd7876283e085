// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarSecurity
import Testing

struct SecurityProfileTests {
  private static let plain = ListenerAbility(name: "ocpp", port: 9000, tls: false, certificates: false, least: 0)
  private static let secure = ListenerAbility(name: "ocpps", port: 8443, tls: true, certificates: false, least: 1)
  private static let strict = ListenerAbility(name: "strict", port: 8444, tls: true, certificates: true, least: 3)

  private static func standing(
    _ own: ListenerAbility, _ others: ListenerAbility..., recorded: Int = 0, present: Int = 0, password: Bool = true
  ) -> ProfileStanding {
    ProfileStanding(own: own, all: [own] + others, recorded: recorded, present: present, hasPassword: password)
  }

  private static func json(_ text: String) throws -> [String: JSONValue] {
    try #require(try JSONValue(parsing: Array(text.utf8)).object)
  }

  @Test func aListenerSaysWhatItLacks() {
    #expect(Self.plain.highest == 1 && Self.secure.highest == 2 && Self.strict.highest == 3)
    for profile in 0...1 { #expect(Self.plain.lack(for: profile) == nil) }
    #expect(Self.plain.lack(for: 2)?.contains("the listener ocpp has no TLS") == true)
    #expect(Self.plain.lack(for: 3)?.contains("no TLS") == true)
    #expect(Self.secure.lack(for: 2) == nil)
    #expect(Self.secure.lack(for: 3)?.contains("clients: FILE") == true)
    #expect(Self.strict.lack(for: 3) == nil)
  }

  @Test(arguments: [
    (#"{"action":"ChangeConfiguration","payload":{"key":"SecurityProfile","value":"2"}}"#, ProfileOrder(profile: 2)),
    (#"{"action":"ChangeConfiguration","payload":{"key":" securityprofile ","value":" 2 "}}"#, ProfileOrder(profile: 2)),
    (#"{"action":"ChangeConfiguration","payload":"{\"key\":\"SecurityProfile\",\"value\":\"3\"}"}"#, ProfileOrder(profile: 3)),
    (
      #"{"action":"SetVariables","payload":{"setVariableData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"SecurityProfile"},"attributeValue":"1"}]}}"#,
      ProfileOrder(profile: 1)
    ),
    (
      #"{"action":"SetNetworkProfile","payload":{"configurationSlot":1,"connectionData":{"ocppCsmsUrl":"wss://h:1/o","securityProfile":3}}}"#,
      ProfileOrder(profile: 3, url: "wss://h:1/o")
    ),
    (#"{"slot":1,"url":"ws://h/o","security":"1"}"#, ProfileOrder(profile: 1, url: "ws://h/o")),
  ])
  func ordersAreSeenInEveryForm(_ text: String, _ order: ProfileOrder) throws {
    #expect(ProfileOrder.all(in: try Self.json(text)) == [order])
  }

  @Test(arguments: [
    #"{"action":"GetConfiguration","payload":{"key":["SecurityProfile"]}}"#, #"{"action":"ChangeConfiguration","payload":{"key":"x","value":"2"}}"#,
    #"{"action":"GetVariables","payload":{"getVariableData":[{"variable":{"name":"SecurityProfile"}}]}}"#, #"{"connector":1,"tag":"{"}"#,
    #"{"action":"ChangeConfiguration","payload":{"key":"SecurityProfile","value":"seven"}}"#, "{}",
  ])
  func otherRequestsAreNone(_ text: String) throws {
    #expect(ProfileOrder.all(in: try Self.json(text)).isEmpty)
  }

  @Test func whoCannotComeBackIsNotSentAway() {
    let (plain, secure) = (Self.standing(Self.plain), Self.standing(Self.secure))
    #expect(ProfileOrder(profile: 2).objection(plain)?.contains("has no TLS") == true)
    #expect(ProfileOrder(profile: 3).objection(secure)?.contains("no certificates") == true)
    #expect(ProfileOrder(profile: 2).objection(secure) == nil)
    #expect(ProfileOrder(profile: 1).objection(plain) == nil)
    // Another listener can: how a charger of 1.6 gets there is between its maker and the operator.
    #expect(ProfileOrder(profile: 2).objection(Self.standing(Self.plain, Self.secure)) == nil)
    #expect(ProfileOrder(profile: 3).objection(Self.standing(Self.plain, Self.secure)) != nil)
    // One that asks for no password needs none; one that does has to know it.
    #expect(ProfileOrder(profile: 2).objection(Self.standing(Self.secure, password: false))?.contains("password set") == true)
    #expect(ProfileOrder(profile: 1).objection(Self.standing(Self.plain, password: false)) == nil)
  }

  @Test func aProfileIsNotLowered() {
    #expect(ProfileOrder(profile: 1).objection(Self.standing(Self.secure))?.contains("never lowered") == true)
    #expect(ProfileOrder(profile: 0).objection(Self.standing(Self.secure, Self.plain)) != nil)
    #expect(ProfileOrder(profile: 2).objection(Self.standing(Self.strict))?.contains("lower than 3") == true)
    #expect(ProfileOrder(profile: 0).objection(Self.standing(Self.plain, recorded: 1))?.contains("lower than 1") == true)
    #expect(ProfileOrder(profile: 2).objection(Self.standing(Self.secure, recorded: 3)) != nil)
    var lenient = Self.strict
    lenient.least = 1
    #expect(ProfileOrder(profile: 2).objection(Self.standing(lenient, present: 3))?.contains("is connected") == true)
    #expect(ProfileOrder(profile: 2, url: "wss://gw:8444/strict").objection(Self.standing(lenient, present: 3)) != nil)
    #expect(ProfileOrder(profile: 3).objection(Self.standing(lenient, present: 3)) == nil)
  }

  @Test func anAddressIsJudgedWhereItIsOurs() {
    let standing = Self.standing(Self.plain, Self.secure)
    func objection(_ profile: Int, _ url: String) -> String? { ProfileOrder(profile: profile, url: url).objection(standing) }
    #expect(objection(2, "wss://gw:8443/ocpps") == nil)
    #expect(objection(1, "wss://gw:8443/ocpps/CP-1") == nil, "more than it asks for")
    #expect(objection(3, "wss://[::1]:8443/ocpps")?.contains("no certificates") == true)
    #expect(objection(2, "wss://gw:9000/ocpp")?.contains("has no TLS") == true)
    #expect(objection(1, "ws://gw:9000/ocpp") == nil)
    #expect(objection(1, "ws://gw:8443/ocpps")?.contains("wss://") == true)
    #expect(objection(2, "ws://csms.example/ocpp")?.contains("write wss://") == true)
    // Another system's.
    #expect(objection(3, "wss://csms.example:443/x") == nil)
    func elsewhere(_ profile: Int, _ url: String, present: Int) -> String? {
      ProfileOrder(profile: profile, url: url).objection(Self.standing(Self.secure, present: present))
    }
    #expect(elsewhere(1, "ws://csms.example/x", present: 1) == nil && elsewhere(1, "wss://csms.example/x", present: 2) == nil)
    #expect(elsewhere(1, "ws://csms.example/x", present: 2)?.contains("never lowered") == true)
    #expect(elsewhere(2, "wss://csms.example/x", present: 3)?.contains("never lowered") == true)
    #expect(objection(2, "wss://[") == nil && objection(2, "") == nil && objection(2, "wss:///:") == nil)
    #expect(ProfileOrder(profile: 2, url: "wss://gw:8443/ocpps").objection(Self.standing(Self.secure, recorded: 3)) != nil)
  }
}
