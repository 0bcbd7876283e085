// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// A frame as it came, with what was not as the standard wants it and did no harm.
package struct ReceivedFrame: Equatable, Sendable {
  package var frame: Frame
  package var bends: [String]

  package init(frame: Frame, bends: [String]) {
    self.frame = frame
    self.bends = bends
  }
}

/// What came is no frame.
package struct FrameFault: Error, Equatable, Sendable {
  /// The message id, where one could be read.
  package var id: String?
  /// The sender waits for an answer to it: it is a call, or might be one.
  package var expectsAnswer: Bool
  package var code: ErrorCode
  package var description: String

  /// What is answered. 1.6 knows no answer without an id and ignores unknown message types (1.6J section 4.1.3); 2.0.1
  /// answers with the id "-1" (part 4, section 4.2.3).
  package func answer(_ version: OCPPVersion) -> Frame? {
    guard expectsAnswer else { return nil }
    if version == .v16, id == nil || code == .messageTypeNotSupported { return nil }
    return .error(id ?? "-1", code, description, version)
  }
}

extension Frame {
  /// The longest id that is still answered; longer ones are no ids.
  private static let longestToleratedID = 255

  package static func read(_ bytes: [UInt8], limits: JSON.Limits = JSON.Limits()) throws(FrameFault) -> ReceivedFrame {
    let json: JSON
    do {
      json = try JSON(parsing: bytes, limits: limits)
    } catch {
      let head = Head(bytes)
      throw FrameFault(
        id: head.id, expectsAnswer: head.isCall ?? true, code: head.id == nil ? .rpcFrameworkError : .formatViolation,
        description: error.description)
    }
    return try read(json)
  }

  private static func read(_ json: JSON) throws(FrameFault) -> ReceivedFrame {
    guard let items = json.array, items.count >= 2 else {
      throw FrameFault(
        id: nil, expectsAnswer: true, code: .rpcFrameworkError, description: "a message is a list of 3 to 5 elements")
    }
    var bends: [String] = []
    let id = id(items[1], &bends)
    guard let type = type(items[0], &bends) else {
      throw FrameFault(id: id, expectsAnswer: true, code: .rpcFrameworkError, description: "the message type is no number")
    }
    guard (2...4).contains(type) else {
      throw FrameFault(
        id: id, expectsAnswer: true, code: .messageTypeNotSupported, description: "there is no message type \(type)")
    }
    guard let id else {
      throw FrameFault(
        id: nil, expectsAnswer: type == 2, code: .rpcFrameworkError, description: "the message id is not a text of 1 to 36")
    }
    func fault(_ description: String) -> FrameFault {
      FrameFault(id: id, expectsAnswer: type == 2, code: .formatViolation, description: description)
    }
    let frame: Frame
    let elements: Int
    switch type {
    case 2:
      guard items.count >= 3, let action = items[2].string, !action.isEmpty else { throw fault("the action is missing") }
      frame = .call(id: id, action: action.cut(to: 255), payload: try payload(items, 3, fault, &bends))
      elements = 4
    case 3:
      frame = .result(id: id, payload: try payload(items, 2, fault, &bends))
      elements = 3
    default:
      let code = items.count > 2 ? items[2].string : nil
      let description = items.count > 3 ? items[3].string : nil
      let details = items.count > 4 ? items[4] : nil
      if code == nil || description == nil || details?.members == nil {
        bends.append("an error without code, description or details")
      }
      frame = .error(
        id: id, code: (code ?? ErrorCode.genericError.rawValue).cut(to: 50), description: (description ?? "").cut(to: 1000),
        details: details?.members == nil ? .object([JSON.Member]()) : details ?? .null)
      elements = 5
    }
    if items.count > elements { bends.append("\(items.count - elements) elements too many") }
    return ReceivedFrame(frame: frame, bends: bends)
  }

  private static func type(_ json: JSON, _ bends: inout [String]) -> Int64? {
    if case .integer(let type) = json { return type }
    guard let type = json.integer ?? json.string.flatMap({ Int64($0) }) else { return nil }
    bends.append("the message type is not written as a whole number")
    return type
  }

  private static func id(_ json: JSON, _ bends: inout [String]) -> String? {
    let id: String
    switch json {
    case .string(let text): id = text
    case .integer(let number):
      bends.append("the message id is a number")
      id = String(number)
    default: return nil
    }
    let length = id.unicodeScalars.count
    guard (1...longestToleratedID).contains(length) else { return nil }
    if length > longestID { bends.append("the message id has \(length) characters") }
    return id
  }

  private static func payload(
    _ items: [JSON], _ index: Int, _ fault: (String) -> FrameFault, _ bends: inout [String]
  ) throws(FrameFault) -> JSON {
    guard items.count > index, !items[index].isNull else {
      bends.append("no payload")
      return .object([JSON.Member]())
    }
    guard items[index].members != nil else { throw fault("the payload is \(items[index].kind), not an object") }
    return items[index]
  }
}

/// Type and id of what could not be read as a whole, from its first bytes: `[2,"id",`.
private struct Head {
  var isCall: Bool?
  var id: String?

  init(_ bytes: [UInt8]) {
    var rest = bytes.prefix(512).drop { Self.isSpace($0) }
    guard rest.popFirst() == UInt8(ascii: "[") else { return }
    rest = rest.drop { Self.isSpace($0) }
    guard let type = rest.popFirst(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(type) else { return }
    isCall = type == UInt8(ascii: "2")
    rest = rest.drop { Self.isSpace($0) }
    guard rest.popFirst() == UInt8(ascii: ",") else { return }
    rest = rest.drop { Self.isSpace($0) }
    guard rest.popFirst() == UInt8(ascii: "\""), let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { return }
    let text = rest[..<end]
    guard !text.isEmpty, text.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }) else { return }
    id = String(decoding: text, as: UTF8.self)
    if text.count > 255 { id = nil }
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
