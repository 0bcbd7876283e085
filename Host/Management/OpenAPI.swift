// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import HTTPTypes

/// The description of the API, OpenAPI 3.1.
enum OpenAPI {
  static let document: JSONValue = .object([
    "openapi": "3.1.0",
    "info": object(("title", "Busbar management API"), ("version", "1")),
    "paths": .object(paths),
    "components": .object(["schemas": .object(OpenAPISchemas.all)]),
  ])

  private static var paths: [String: JSONValue] {
    var paths: [String: [String: JSONValue]] = [:]
    for endpoint in Endpoint.all {
      paths[endpoint.path, default: [:]][endpoint.method.rawValue.lowercased()] = operation(endpoint)
    }
    return paths.mapValues { .object($0) }
  }

  private static func operation(_ endpoint: Endpoint) -> JSONValue {
    var operation: [String: JSONValue] = [
      "summary": .string(endpoint.summary), "operationId": .string("\(endpoint.action)"),
      "responses": .object(["200": success(endpoint.action), "default": problem]),
    ]
    let parameters = parameters(endpoint)
    if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
    if let schema = OpenAPISchemas.body(of: endpoint.action) {
      operation["requestBody"] = .object([
        "required": .boolean([.command, .add, .hostCommand].contains(endpoint.action)), "content": content("application/json", schema),
      ])
    }
    return .object(operation)
  }

  private static func parameters(_ endpoint: Endpoint) -> [JSONValue] {
    if endpoint.action == .trace { return OpenAPISchemas.traceParameters }
    if endpoint.action == .history { return OpenAPISchemas.historyParameters }
    if endpoint.path.contains("{id}") {
      return [
        .object([
          "name": "id", "in": "path", "required": true, "description": .string(endpoint.action == .forgetCandidate ? "Candidate" : "Device id"),
          "schema": OpenAPISchemas.text(pattern: "^[A-Za-z0-9_-]{1,64}$"),
        ])
      ]
    }
    guard endpoint.action == .events else { return [] }
    return [
      .object([
        "name": "device", "in": "query", "required": false, "description": "Only these devices; may be repeated",
        "schema": .object([
          "type": "array", "maxItems": .integer(Int64(Limits.devices)), "items": OpenAPISchemas.type("string"),
        ]),
      ])
    ]
  }

  private static func success(_ action: Endpoint.Action) -> JSONValue {
    let media =
      switch action {
      case .health, .metrics, .trace: "text/plain"
      case .events: "text/event-stream"
      default: "application/json"
      }
    return .object([
      "description": .string(OpenAPISchemas.answer(of: action)),
      "content": content(media, OpenAPISchemas.schema(of: action)),
    ])
  }

  private static let problem: JSONValue = .object([
    "description": "Problem details (RFC 9457)",
    "content": content("application/problem+json", OpenAPISchemas.reference("Problem")),
  ])

  private static func content(_ media: String, _ schema: JSONValue) -> JSONValue {
    .object([media: .object(["schema": schema])])
  }

  private static func object(_ members: (String, String)...) -> JSONValue {
    .object(Dictionary(uniqueKeysWithValues: members.map { ($0.0, JSONValue.string($0.1)) }))
  }
}
