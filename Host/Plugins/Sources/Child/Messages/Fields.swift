// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

// How the words of the rooms around are written into messages.

/// Limits of texts in bytes, those of the headers.
package enum TextLimit {
  package static let explanation = 8192
  package static let log = 4096
  package static let name = 64
  package static let identity = 256
  package static let value = 4096
  /// A text value, such as the answer of an action.
  package static let answer = 48 << 10
  package static let document = 1 << 20
}

/// A text cut to a limit in bytes, at the border of a character.
package func cut(_ text: String, _ limit: Int) -> String {
  guard text.utf8.count > limit else { return text }
  var end = text.utf8.index(text.startIndex, offsetBy: limit)
  while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
  return String(text[..<end])
}

extension CallResult: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(failure?.rawValue ?? 0)
    message.put(reasonCode)
    message.put(cut(text, TextLimit.explanation))
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    let number = try message.integer(UInt32.self)
    guard let failure = number == 0 ? .some(nil) : Class(rawValue: number).map(Optional.some) else {
      throw MessageError(what: "a failure of class \(number)")
    }
    let code = try message.integer(UInt32.self)
    guard code <= 0xFFFF else { throw MessageError(what: "a reason \(code)") }
    self.init(failure: failure, reason: Reason(code: code), text: try message.text(TextLimit.explanation))
  }
}

extension CallResult.Reason {
  package init(code: UInt32) {
    self =
      switch code {
      case 0: .unspecified
      case 1: .timeout
      case 2: .closed
      case 3: .refused
      case 4: .address
      case 5: .range
      case 7: .garbled
      case 8: .wear
      default: .other(code)
      }
  }
}

extension CallResult {
  package var reasonCode: UInt32 {
    switch reason {
    case .unspecified: 0
    case .timeout: 1
    case .closed: 2
    case .refused: 3
    case .address: 4
    case .range: 5
    case .garbled: 7
    case .wear: 8
    case .other(let code): code & 0xFFFF
    }
  }
}

extension Value: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .number(let value):
      message.put(UInt8(1))
      message.put(value)
    case .integer(let value):
      message.put(UInt8(2))
      message.put(value)
    case .boolean(let value):
      message.put(UInt8(3))
      message.put(value)
    case .text(let value):
      message.put(UInt8(4))
      message.put(cut(value, TextLimit.answer))
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1:
      let number = try message.field(Double.self)
      guard number.isFinite else { throw MessageError(what: "a number that is none") }
      self = .number(number)
    case 2: self = .integer(try message.field())
    case 3: self = .boolean(try message.field())
    case 4: self = .text(try message.text(TextLimit.answer))
    default: throw MessageError(what: "a value of no type")
    }
  }
}

extension DeviceIdentity: MessageField {
  package func write(to message: inout MessageWriter) {
    for text in [vendor, model, serial, firmware] { message.put(cut(text, TextLimit.identity)) }
    message.put(actions)
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    self.init(
      vendor: try message.text(TextLimit.identity), model: try message.text(TextLimit.identity),
      serial: try message.text(TextLimit.identity), firmware: try message.text(TextLimit.identity))
    actions = try message.field([String]?.self).map { DeviceIdentity.cleaned(actions: $0) }
  }
}

extension DeviceSetup: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(number)
    message.put(cut(name, TextLimit.identity))
    message.put(config)
    message.put(templateBody)
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    self.init(
      number: try message.integer(), name: try message.text(TextLimit.identity), config: try message.text(TextLimit.document),
      templateBody: try message.text(TextLimit.document))
  }
}

extension AdapterCommand: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(device)
    switch verb {
    case .set(let point, let value):
      message.put(UInt8(1))
      message.put(point)
      message.put(value)
    case .action(let name, let arguments):
      message.put(UInt8(2))
      message.put(cut(name, TextLimit.identity))
      message.put(arguments)
    }
    message.put(cut(id, TextLimit.identity))
    for flag in [dryRun, refresh, safe] { message.put(flag) }
    message.put(validUntil)
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    let device = try message.integer(UInt32.self)
    let verb: Verb
    switch try message.integer(UInt8.self) {
    case 1: verb = .set(point: try message.integer(), value: try message.field())
    case 2: verb = .action(name: try message.text(TextLimit.identity), arguments: try message.text(TextLimit.document))
    default: throw MessageError(what: "a command that is none")
    }
    self.init(
      device: device, verb: verb, id: try message.text(TextLimit.identity), dryRun: try message.field(),
      refresh: try message.field(), safe: try message.field(), validUntil: try message.field())
  }
}

extension CommandResult: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .done(let value):
      message.put(UInt8(1))
      message.put(value)
    case .accepted: message.put(UInt8(2))
    case .refused(let text):
      message.put(UInt8(3))
      message.put(cut(text, TextLimit.explanation))
    case .unknown(let text):
      message.put(UInt8(4))
      message.put(cut(text, TextLimit.explanation))
    case .failed(let result):
      message.put(UInt8(5))
      message.put(result)
    case .pending(let token, let atMost):
      message.put(UInt8(6))
      message.put(token)
      message.put(UInt16(clamping: atMost))
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1: self = .done(try message.field())
    case 2: self = .accepted
    case 3: self = .refused(try message.text(TextLimit.explanation))
    case 4: self = .unknown(try message.text(TextLimit.explanation))
    case 5: self = .failed(try message.field())
    case 6:
      self = .pending(token: try message.integer(), atMost: min(64, max(1, Int(try message.integer(UInt16.self)))))
    default: throw MessageError(what: "an outcome that is none")
    }
  }
}

extension AdapterCandidate: MessageField {
  /// Bytes of its settings, as this side writes them.
  package static let settingsLimit = 8_192

  package func write(to message: inout MessageWriter) {
    message.put(cut(template, TextLimit.name))
    message.put(config.text)
    message.put(identity)
    message.put(confidence)
    message.put(others.prefix(Self.otherLimit).map { cut($0, TextLimit.name) })
  }

  /// Checked as `propose` checks it.
  package init(from message: inout MessageReader) throws(MessageError) {
    let template = try message.text(TextLimit.name)
    let text = try message.text(Self.settingsLimit)
    guard let config = try? JSONValue(parsing: Array(text.utf8), depth: 8), config.object != nil, config.text.utf8.count <= Self.settingsLimit
    else {
      throw MessageError(what: "settings of a candidate that are no object")
    }
    let identity = try message.field(DeviceIdentity.self)
    let confidence = try message.field(Double.self)
    guard confidence > 0, confidence <= 1 else { throw MessageError(what: "a confidence that is none") }
    self.init(template: template, config: config, identity: identity, confidence: confidence)
    others = try message.list(Self.otherLimit)
  }
}

extension TraceRing.Entry.Content: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .sent(let frame):
      message.put(UInt8(1))
      message.put(data: Array(frame.prefix(TraceRing.frameLimit)))
    case .received(let frame):
      message.put(UInt8(2))
      message.put(data: Array(frame.prefix(TraceRing.frameLimit)))
    case .event(let event):
      message.put(UInt8(3))
      message.put(event.word)
      message.put(event.number.map(Int64.init))
      if case .failed(let text) = event { message.put(cut(text, TextLimit.explanation)) }
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1: self = .sent(try message.data(TraceRing.frameLimit))
    case 2: self = .received(try message.data(TraceRing.frameLimit))
    case 3:
      let word = try message.text(TextLimit.name)
      let number = try message.field(Int64?.self)
      guard let event = TraceEvent(word: word, number: number.map(Int.init)) else { throw MessageError(what: "an event that is none") }
      if case .failed = event {
        self = .event(.failed(try message.text(TextLimit.explanation)))
      } else {
        self = .event(event)
      }
    default: throw MessageError(what: "a frame of no direction")
    }
  }
}
