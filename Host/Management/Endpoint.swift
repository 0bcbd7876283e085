// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import HTTPTypes

/// One method of one address of the API: what the router serves and what the description lists.
struct Endpoint: Sendable {
  enum Action: Sendable, CaseIterable {
    case health, metrics, description, status, devices, device, read, history, command, plugins, restart, links, trace, buffer
    case reload, events, discovery, discover, cancelSearch, forgetCandidate, add, forgetDevice, hostCommand
  }

  var action: Action
  var method: HTTPRequest.Method
  /// As in OpenAPI and in the router: `{id}` stands for one segment.
  var path: String
  var summary: String

  static let all: [Endpoint] = [
    Endpoint(action: .health, method: .get, path: "/healthz", summary: "The host is alive; text, without a login"),
    Endpoint(action: .metrics, method: .get, path: "/metrics", summary: "The state of the host as Prometheus text"),
    Endpoint(action: .description, method: .get, path: "/api/v1/openapi.json", summary: "This description"),
    Endpoint(
      action: .status, method: .get, path: "/api/v1/status", summary: "The host: uplink, buffer, plugins, alarms"),
    Endpoint(
      action: .devices, method: .get, path: "/api/v1/devices", summary: "All devices with state and last values"),
    Endpoint(
      action: .add, method: .post, path: "/api/v1/devices",
      summary: "Reads a found or named device once and takes it into service"),
    Endpoint(
      action: .forgetDevice, method: .delete, path: "/api/v1/devices/{id}",
      summary: "Takes a device out of service that was added; one of the file stays"),
    Endpoint(action: .device, method: .get, path: "/api/v1/devices/{id}", summary: "One device with its points"),
    Endpoint(action: .read, method: .post, path: "/api/v1/devices/{id}/read", summary: "One fresh reading"),
    Endpoint(
      action: .history, method: .get, path: "/api/v1/devices/{id}/history",
      summary: "Lowest, mean and highest value of points, minute by minute or in larger steps"),
    Endpoint(
      action: .command, method: .post, path: "/api/v1/devices/{id}/commands",
      summary: "Sets a point or carries out an action; answers when the outcome is known"),
    Endpoint(action: .plugins, method: .get, path: "/api/v1/plugins", summary: "Plugin files, loaded and refused"),
    Endpoint(
      action: .restart, method: .post, path: "/api/v1/plugins/{id}/restart",
      summary: "Ends a plugin's process in order and starts another one; lifts a quarantine"),
    Endpoint(action: .links, method: .get, path: "/api/v1/links", summary: "Connections and buses"),
    Endpoint(
      action: .trace, method: .get, path: "/api/v1/links/{id}/trace",
      summary: "Frames on the wire of a link, as text, without secrets"),
    Endpoint(
      action: .discovery, method: .get, path: "/api/v1/discovery", summary: "The last search, and the devices that were found"),
    Endpoint(action: .discover, method: .post, path: "/api/v1/discovery", summary: "Begins a search for devices"),
    Endpoint(action: .cancelSearch, method: .delete, path: "/api/v1/discovery", summary: "Ends the running search early"),
    Endpoint(
      action: .forgetCandidate, method: .delete, path: "/api/v1/discovery/candidates/{id}",
      summary: "Forgets a device that was found"),
    Endpoint(
      action: .hostCommand, method: .post, path: "/api/v1/commands",
      summary: "Tells the host itself to do something: passwords of devices that connect, tags, and what gateways/{id}/commands takes"),
    Endpoint(action: .buffer, method: .get, path: "/api/v1/buffer", summary: "What waits for the broker"),
    Endpoint(action: .reload, method: .post, path: "/api/v1/reload", summary: "Applies a changed configuration"),
    Endpoint(
      action: .events, method: .get, path: "/api/v1/events",
      summary: "Live values and status changes as server-sent events"),
  ]

  func matches(_ path: String) -> Bool {
    let own = self.path.split(separator: "/")
    let other = path.split(separator: "/")
    return own.count == other.count && zip(own, other).allSatisfy { $0 == "{id}" || $0 == $1 }
  }
}
