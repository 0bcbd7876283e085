// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// Our side of the conversation with one charger, without any input or output: what comes in (a text, a command, an answer about
/// a tag, the time) makes effects. It outlives connections; what must outlive the host is stored by its effects and given back to
/// `init`. At the latest at `wake`, `tick` is to be called.
package protocol CentralSystem: Sendable {
  /// `stored`: what the effects stored, by key. `seed` makes the ids of our messages unique among all runs.
  init(settings: ChargerSettings, stored: [String: JSON], seed: String)

  mutating func connected(_ now: Moment) -> [Effect]
  mutating func disconnected(_ now: Moment) -> [Effect]
  /// A whole message.
  mutating func received(_ message: [UInt8], _ now: Moment) -> [Effect]
  mutating func command(_ command: Command, ticket: UInt64, _ now: Moment) -> [Effect]
  /// Why this request would not be sent, a sentence; nil where it would.
  func refusal(_ action: String, _ payload: JSON) -> Refusal?
  mutating func authorized(ticket: UInt64, _ info: TagInfo, _ now: Moment) -> [Effect]
  mutating func tick(_ now: Moment) -> [Effect]
  var registration: Registration { get }
  /// It may be asked what nobody told us to ask, or be given the list of tags.
  var isIntroduced: Bool { get }
  /// When `tick` is needed, by the boot clock.
  var wake: Int64? { get }
}
