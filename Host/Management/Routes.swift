// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

struct ManagementContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// Closed to drop a reader that does not keep up.
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

/// What each address does.
struct Routes: Sendable {
  let operations: any HostOperations
  let events: EventStreams
  /// Metrics hold the values of points.
  var metricsPoints = false

  func router() -> Router<ManagementContext> {
    let router = Router(context: ManagementContext.self)
    router.add(middleware: ProblemMiddleware())
    for endpoint in Endpoint.all {
      router.on(RouterPath(endpoint.path), method: endpoint.method) { request, context in
        try await respond(endpoint.action, request, context)
      }
    }
    return router
  }

  private func respond(_ action: Endpoint.Action, _ request: Request, _ context: ManagementContext) async throws
    -> Response
  {
    switch action {
    case .health: Response(text: "ok\n", type: "text/plain; charset=utf-8")
    case .metrics: Response(text: await HostMetrics.text(operations, points: metricsPoints), type: MetricsText.type)
    case .description: Response(json: OpenAPI.document)
    case .status: Response(json: await operations.status())
    case .devices: Response(json: await operations.devices())
    case .device: try await device(context)
    case .read: try await read(request, context)
    case .history: try await history(request, context)
    case .command: try await command(request, context)
    case .plugins: Response(json: await operations.plugins())
    case .restart: Response(json: try await operations.restart(plugin: try plugin(context)))
    case .links: Response(json: await operations.links())
    case .trace: try await trace(request, context)
    case .buffer: Response(json: await operations.buffer())
    case .reload: Response(json: try await operations.reload())
    case .events: try await events(request, context)
    case .discovery: Response(json: await operations.discovery())
    case .discover: Response(json: try await operations.discover(try endpoints(in: await body(request))))
    case .cancelSearch: Response(json: await operations.cancelSearch())
    case .forgetCandidate: try await forgetCandidate(context)
    case .add: try await add(request)
    case .forgetDevice: try await forgetDevice(context)
    case .hostCommand: try await hostCommand(request)
    }
  }

  private func device(_ context: ManagementContext) async throws -> Response {
    let id = try identifier(context)
    guard let device = await operations.device(id.rawValue) else { throw unknown(id.rawValue) }
    return Response(json: device)
  }

  private func add(_ request: Request) async throws -> Response {
    guard let body = try await body(request) else {
      throw Problem(
        status: .badRequest, detail: "the body is missing: a JSON object with 'candidate', or with 'template' and 'endpoint'")
    }
    return Response(json: try await operations.add(body))
  }

  private func hostCommand(_ request: Request) async throws -> Response {
    guard let body = try await body(request), body.object != nil else {
      throw Problem(status: .badRequest, detail: "the body is missing: a JSON object with 'action'")
    }
    return Response(json: await operations.carryOut(body).json)
  }

  private func forgetDevice(_ context: ManagementContext) async throws -> Response {
    let id = try identifier(context)
    try await operations.forget(device: id.rawValue)
    return Response(json: ["id": .string(id.rawValue)])
  }

  private func forgetCandidate(_ context: ManagementContext) async throws -> Response {
    let id = try identifier(context)
    try await operations.forget(candidate: id.rawValue)
    return Response(json: ["candidate": .string(id.rawValue)])
  }

  private func endpoints(in body: JSONValue?) throws -> [String] {
    guard let body else { return [] }
    guard let object = body.object, object.keys.allSatisfy({ $0 == "endpoints" }) else {
      throw Problem(
        status: .unprocessableContent, detail: "the body has to be {\"endpoints\":[…]}, or left out for the configured ranges")
    }
    guard let list = object["endpoints"] else { return [] }
    let texts = list.array?.compactMap(\.string)
    guard let texts, texts.count == list.array?.count, texts.count <= Limits.endpoints else {
      throw Problem(
        status: .unprocessableContent, detail: "'endpoints' has to be a list of at most \(Limits.endpoints) texts")
    }
    return texts
  }

  private func read(_ request: Request, _ context: ManagementContext) async throws -> Response {
    let id = try identifier(context)
    let points = try points(in: await body(request))
    return Response(json: try await operations.read(device: id.rawValue, points: points))
  }

  private func history(_ request: Request, _ context: ManagementContext) async throws -> Response {
    let id = try identifier(context)
    let wanted: HistoryRequest
    do { wanted = try HistoryQuery.request(request.uri.queryParameters.map { ($0.key, $0.value) }) } catch {
      throw Problem(status: .badRequest, detail: error.text)
    }
    return Response(jsonText: try await operations.history(device: id.rawValue, wanted))
  }

  private func command(_ request: Request, _ context: ManagementContext) async throws -> Response {
    let id = try identifier(context)
    guard let body = try await body(request) else {
      throw Problem(
        status: .badRequest, detail: "the body is missing: a JSON object with 'point' and 'value', or with 'action'")
    }
    let command: CommandRequest
    do {
      command = try CommandBody.request(body, device: id, now: Clock.unixMilliseconds()) {
        "local-" + String(UInt64.random(in: .min ... .max), radix: 16)
      }
    } catch {
      throw Problem(status: .unprocessableContent, detail: error.text)
    }
    let response = await operations.command(command)
    if response.reason == .unknownDevice { throw unknown(id.rawValue) }
    return Response(json: response.json)
  }

  private func events(_ request: Request, _ context: ManagementContext) async throws -> Response {
    let names = request.uri.queryParameters.getAll("device")
    guard names.count <= Limits.devices else {
      throw Problem(
        status: .badRequest, detail: "at most \(Limits.devices) devices can be named; leave 'device' out for all")
    }
    for name in names {
      guard let id = DeviceID(rawValue: name) else { throw malformed() }
      guard await operations.device(id.rawValue) != nil else { throw unknown(id.rawValue) }
    }
    return try events.response(
      to: request, channel: context.channel, logger: context.logger, operations: operations,
      devices: names.isEmpty ? nil : names)
  }

  private func trace(_ request: Request, _ context: ManagementContext) async throws -> Response {
    let link = try context.parameters.require("id")
    let query = request.uri.queryParameters
    func flag(_ name: Substring, _ otherwise: Bool) throws -> Bool {
      guard let value = query[name] else { return otherwise }
      guard value == "true" || value == "false" else {
        throw Problem(status: .badRequest, detail: "'\(name)' has to be true or false")
      }
      return value == "true"
    }
    let wanted = TraceRequest(kept: try flag("kept", true), live: try flag("live", false))
    let isLink = (1...64).contains(link.utf8.count) && link.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    let device = query["device"].map(String.init)
    guard isLink, device.map({ DeviceID(rawValue: $0) != nil }) ?? true else {
      throw Problem(status: .badRequest, detail: "ids have 1 to 64 characters of A-Z a-z 0-9 _ -, those of links dots too")
    }
    let answer = try await operations.trace(link: link, device: device, wanted)
    guard let lines = answer.lines else {
      return Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: answer.text)))
    }
    return try events.lines(
      lines, after: answer.text, to: request, channel: context.channel, logger: context.logger)
  }

  /// Nil = no body.
  private func body(_ request: Request) async throws -> JSONValue? {
    let bytes = try await request.body.collect(upTo: Limits.body)
    guard bytes.readableBytes > 0 else { return nil }
    do {
      return try JSONValue(parsing: Array(bytes.readableBytesView))
    } catch {
      throw Problem(status: .badRequest, detail: error.description)
    }
  }

  private func points(in body: JSONValue?) throws -> [String]? {
    guard let body else { return nil }
    guard let object = body.object, object.keys.allSatisfy({ $0 == "points" }) else {
      throw Problem(
        status: .unprocessableContent, detail: "the body has to be {\"points\":[…]}, or left out for all points")
    }
    guard let list = object["points"] else { return nil }
    let names = list.array?.compactMap(\.string)
    guard let names, names.count == list.array?.count, (1...Limits.points).contains(names.count) else {
      throw Problem(
        status: .unprocessableContent, detail: "'points' has to be a list of 1 to \(Limits.points) names of points")
    }
    return names
  }

  private func plugin(_ context: ManagementContext) throws -> String {
    let id = try context.parameters.require("id")
    guard (1...128).contains(id.utf8.count), id.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }) else {
      throw Problem(status: .badRequest, detail: "a plugin id has 1 to 128 characters of A-Z a-z 0-9 . _ -")
    }
    return id
  }

  private func identifier(_ context: ManagementContext) throws -> DeviceID {
    guard let id = DeviceID(rawValue: try context.parameters.require("id")) else { throw malformed() }
    return id
  }

  private func malformed() -> Problem {
    Problem(status: .badRequest, detail: "a device id has 1 to 64 characters of A-Z a-z 0-9 _ -")
  }

  private func unknown(_ id: String) -> Problem {
    Problem(status: .notFound, detail: "there is no device '\(id)'; `busbar devices` or GET /api/v1/devices lists them")
  }
}
