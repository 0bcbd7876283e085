// SPDX-License-Identifier: Apache-2.0

package import BusbarBuffer
package import BusbarModel

/// A topic whose latest value is retained by the broker.
package enum StateTopic: Hashable, Sendable {
  case gatewayStatus
  case gatewayDevices
  case deviceStatus(DeviceID)
  case deviceInfo(DeviceID)
  case batterySoc(DeviceID)
  case solarProduction(DeviceID)
  case chargerSession(DeviceID)
}

/// Where a message that came in belongs.
package enum IncomingTopic: Hashable, Sendable {
  case command(DeviceID)
  case gatewayCommand
  case acknowledgement
  /// About a tag.
  case verdict
  /// What is retained about a device of another host, or of this one.
  case deviceStatus(DeviceID)
}

/// Builds and reads the topics of interfaces 3.
package struct Topics: Sendable, Equatable {
  package let prefix: String
  package let gateway: String

  package init(prefix: String, gateway: String) {
    self.prefix = prefix
    self.gateway = gateway
  }

  package func telemetry(_ device: DeviceID) -> String { "\(prefix)devices/\(device)/telemetry" }
  package func alarms(_ device: DeviceID) -> String { "\(prefix)devices/\(device)/alarms" }
  package func commandResponse(_ device: DeviceID) -> String { "\(prefix)devices/\(device)/commands/response" }
  package var gatewayCommandResponse: String { "\(prefix)gateways/\(gateway)/commands/response" }
  package var authorizeRequest: String { "\(prefix)gateways/\(gateway)/authorize/request" }
  package var gatewayStatus: String { state(.gatewayStatus) }

  package func message(_ message: OutboundMessage) -> String {
    switch message.stream {
    case .telemetry: telemetry(message.device)
    case .alarms: alarms(message.device)
    case .sessions: state(.chargerSession(message.device))
    case .records: "\(prefix)devices/\(message.device)/records"
    }
  }

  package func state(_ topic: StateTopic) -> String {
    switch topic {
    case .gatewayStatus: "\(prefix)gateways/\(gateway)/status"
    case .gatewayDevices: "\(prefix)gateways/\(gateway)/devices"
    case .deviceStatus(let device): "\(prefix)devices/\(device)/status"
    case .deviceInfo(let device): "\(prefix)devices/\(device)/info"
    case .batterySoc(let device): "\(prefix)devices/\(device)/battery/soc"
    case .solarProduction(let device): "\(prefix)devices/\(device)/solar/production"
    case .chargerSession(let device): "\(prefix)devices/\(device)/evcharger/session"
    }
  }

  /// What to subscribe to.
  package func subscriptions(acknowledgement: UplinkSettings.Acknowledgement, authorizes: Bool = false) -> [String] {
    var filters = ["\(prefix)devices/+/commands/request", "\(prefix)gateways/\(gateway)/commands"]
    if acknowledgement == .application { filters.append("\(prefix)gateways/\(gateway)/ack") }
    if authorizes { filters.append("\(prefix)gateways/\(gateway)/authorize/response") }
    return filters
  }

  /// Nil for a topic that is none of ours to listen to.
  package func incoming(_ topic: String) -> IncomingTopic? {
    guard let own = withoutPrefix(topic) else { return nil }
    let levels = own.split(separator: "/", omittingEmptySubsequences: false)
    if levels.count == 4, levels[0] == "devices", levels[2] == "commands", levels[3] == "request" {
      return DeviceID(rawValue: String(levels[1])).map { .command($0) }
    }
    if levels.count == 3, levels[0] == "devices", levels[2] == "status" {
      return DeviceID(rawValue: String(levels[1])).map { .deviceStatus($0) }
    }
    if levels.count == 4, levels[0] == "gateways", levels[1] == gateway, levels[2] == "authorize", levels[3] == "response" {
      return .verdict
    }
    guard levels.count == 3, levels[0] == "gateways", levels[1] == gateway else { return nil }
    switch levels[2] {
    case "commands": return .gatewayCommand
    case "ack": return .acknowledgement
    default: return nil
    }
  }

  /// Whether an answer may go to a topic that the asker chose. It may go to our own tree only where answers belong,
  /// or an asker could make us send commands, or state that is not true. Wildcards, `$` topics and more than 1024 bytes
  /// are not topics to publish to.
  package func allowsResponse(to topic: String) -> Bool {
    guard !topic.isEmpty, topic.utf8.count <= 1024, !topic.hasPrefix("$") else { return false }
    guard !topic.unicodeScalars.contains(where: { $0 == "+" || $0 == "#" || $0.value == 0 }) else { return false }
    guard let own = withoutPrefix(topic) else { return true }
    let levels = own.split(separator: "/", omittingEmptySubsequences: false)
    guard levels.first == "devices" || levels.first == "gateways" else { return true }
    return levels.count >= 4 && levels[2] == "commands" && levels[3] == "response"
  }

  private func withoutPrefix(_ topic: String) -> Substring? {
    guard topic.utf8.starts(with: prefix.utf8) else { return nil }
    return Substring(topic.utf8.dropFirst(prefix.utf8.count))
  }
}
