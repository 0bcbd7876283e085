// SPDX-License-Identifier: Apache-2.0

internal import ModbusCodec
internal import PluginKit

/// One of the documents that a search is handed (discovery.h).
struct ProbeDocument: Decodable {
  var template: String
  var kind: String?
  var vendor: String?
  var models: [String]?
  var probe: [ProbeBody]?
  var body: TemplateBody
  var config: DeviceConfig?

  /// A document that cannot be used is left out, with a sentence; the others are looked for all the same.
  static func list(_ text: String, _ left: (String) -> Void) throws(AdapterError) -> [ProbedTemplate] {
    let documents: [Lenient]
    do {
      documents = try decode([Lenient].self, text)
    } catch {
      throw error.adapterError
    }
    return documents.compactMap { document in
      do throws(TemplateError) {
        return try document.content.get().probed()
      } catch {
        left("\(document.name ?? "a template") is not looked for: \(error.path) \(error.problem)")
        return nil
      }
    }
  }

  private struct Lenient: Decodable {
    var name: String?
    var content: Result<ProbeDocument, TemplateError>

    private enum CodingKeys: String, CodingKey { case template }

    init(from decoder: any Decoder) throws {
      name = try? decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .template)
      do {
        content = .success(try ProbeDocument(from: decoder))
      } catch let error as DecodingError {
        content = .failure(TemplateError(error))
      }
    }
  }

  private func probed() throws(TemplateError) -> ProbedTemplate {
    let reader = try TemplateReader(body)
    var map = DeviceMap(points: [])
    try reader.fillSettings(of: &map)
    var checks: [ProbeCheck] = []
    for (index, check) in (probe ?? []).enumerated() { checks.append(try check.check(reader, "probe.[\(index)]")) }
    return ProbedTemplate(
      name: template, kind: kind ?? "", checks: checks, identity: map.identity, limits: map.limits,
      unit: UInt8(clamping: config?.unit ?? 1), spacing: map.readSpacing, connectDelay: map.connectDelay,
      vendor: vendor ?? "", models: models ?? [])
  }
}

/// One check of a template's `probe` (README, "Recognition").
struct ProbeBody: Decodable {
  var field: FieldBody
  var codes: [Pattern]?
  var texts: [String]?
  var minimum: Double?
  var maximum: Double?
  var missing: Bool?

  enum CodingKeys: String, CodingKey { case equals, starts, minimum, maximum, missing }

  init(from decoder: any Decoder) throws {
    field = try FieldBody(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    codes = try Self.oneOrMore(Pattern.self, container, .equals)
    texts = try Self.oneOrMore(String.self, container, .starts)
    minimum = try container.decodeIfPresent(Double.self, forKey: .minimum)
    maximum = try container.decodeIfPresent(Double.self, forKey: .maximum)
    missing = try container.decodeIfPresent(Bool.self, forKey: .missing)
  }

  private static func oneOrMore<Value: Decodable>(
    _ type: Value.Type, _ container: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys
  ) throws -> [Value]? {
    guard container.contains(key) else { return nil }
    if let list = try? container.decode([Value].self, forKey: key) { return list }
    return [try container.decode(Value.self, forKey: key)]
  }

  func check(_ reader: TemplateReader, _ path: String) throws(TemplateError) -> ProbeCheck {
    let field = try reader.field(field, path)
    if let texts {
      guard field.type == .string else { throw TemplateError("\(path).starts", "goes with type: string only") }
      return ProbeCheck(field, .text(texts))
    }
    guard field.type != .string || missing == true else {
      throw TemplateError(path, "is a string and has no \"starts\"")
    }
    if let codes {
      guard !field.type.isFloat else { throw TemplateError("\(path).equals", "does not go with a float") }
      return ProbeCheck(field, .code(codes.map { Int64(bitPattern: $0.bits) }))
    }
    if missing == true { return ProbeCheck(field, .missing) }
    guard minimum != nil || maximum != nil else {
      throw TemplateError(path, "says nothing to check: equals, starts, minimum and maximum, or missing")
    }
    let range = (minimum ?? -.greatestFiniteMagnitude, maximum ?? .greatestFiniteMagnitude)
    guard range.0 <= range.1 else { throw TemplateError(path, "has a minimum above its maximum") }
    return ProbeCheck(field, .range(range.0...range.1))
  }
}
