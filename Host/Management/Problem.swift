// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// An answer that is an error: problem details, RFC 9457.
struct Problem: Error {
  var status: HTTPResponse.Status
  /// A sentence for a person: what is wrong, where, what to do.
  var detail: String
  var headers: HTTPFields = [:]

  /// `about:blank`: the status says all there is to say about the kind, and the title is its phrase (RFC 9457, 4.2.1).
  var response: Response {
    let body: JSONValue = .object([
      "type": "about:blank", "title": .string(status.reasonPhrase), "status": .integer(Int64(status.code)),
      "detail": .string(detail),
    ])
    var response = Response(json: body, status: status, type: "application/problem+json")
    response.headers.append(contentsOf: headers)
    return response
  }
}

extension Response {
  init(json: JSONValue, status: HTTPResponse.Status = .ok, type: String = "application/json") {
    self.init(
      status: status, headers: [.contentType: type, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: json.text)))
  }

  /// JSON that is text already.
  init(jsonText: String) { self.init(text: jsonText, type: "application/json") }

  init(text: String, type: String) {
    self.init(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}

/// Turns whatever a route throws into problem details.
struct ProblemMiddleware: RouterMiddleware {
  typealias Context = ManagementContext

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let problem as Problem {
      return problem.response
    } catch let error as OperationError {
      return Problem(status: Self.status(error), detail: error.detail).response
    } catch is NIOTooManyBytesError {
      return Problem(status: .contentTooLarge, detail: "the body is larger than \(Limits.body) bytes").response
    } catch let error as HTTPError where error.status == .notFound {
      return unknownAddress(request).response
    } catch let error as HTTPError {
      return Problem(status: error.status, detail: error.body ?? error.status.reasonPhrase, headers: error.headers)
        .response
    }
  }

  /// With its phrase, which a status made of a bare number lacks.
  private static func status(_ error: OperationError) -> HTTPResponse.Status {
    let known: [HTTPResponse.Status] = [
      .badRequest, .notFound, .conflict, .unprocessableContent, .serviceUnavailable, .gatewayTimeout,
    ]
    return known.first { $0.code == error.status } ?? .internalServerError
  }

  private func unknownAddress(_ request: Request) -> Problem {
    let methods = Endpoint.all.filter { $0.matches(request.uri.path) }.map(\.method.rawValue)
    guard methods.isEmpty else {
      let allowed = methods.joined(separator: ", ")
      return Problem(
        status: .methodNotAllowed, detail: "this address answers to \(allowed), not to \(request.method.rawValue)",
        headers: [.allow: allowed])
    }
    return Problem(
      status: .notFound, detail: "there is nothing at this address; GET /api/v1/openapi.json lists what there is")
  }
}
