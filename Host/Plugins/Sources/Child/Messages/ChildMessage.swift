// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// What a child tells the host. The host believes none of it before it has checked it.
package enum ChildMessage: Equatable, Sendable {
  case loaded
  /// The plugin cannot be used; a sentence. The child ends.
  case refused(String)
  case result(call: UInt64, CallResult)
  case outcome(call: UInt64, CommandResult)
  /// Comes before the end of its step.
  case candidate(call: UInt64, AdapterCandidate)
  case scanned(call: UInt64, CallResult, steps: UInt32)
  /// The numbers are those that the child gave the points.
  case declared(link: UInt32, device: UInt32, [NumberedPoint])
  case identified(link: UInt32, device: UInt32, DeviceIdentity)
  case samples(link: UInt32, Samples)
  case problem(link: UInt32, device: UInt32, name: String, active: Bool, text: String)
  /// Link 0 = the plugin as a whole.
  case log(link: UInt32, level: UInt8, text: String)
  /// Of the link's trace; the time is that of the boot clock.
  case frame(link: UInt32, device: UInt32, time: Int64, TraceRing.Entry.Content)
  /// The plugin gave its stream back.
  case released(link: UInt32)
  /// Part of a message to the far end; with the last one it goes.
  case send(link: UInt32, text: Bool, last: Bool, [UInt8])
  case shut(link: UInt32, code: UInt16, reason: String)
  case timer(link: UInt32, tag: UInt64, delay: Int64, period: Int64)
  case wake(link: UInt32, tag: UInt64)
  /// A command that was pending, by its token, which is the number of its call.
  case completed(link: UInt32, token: UInt64, CommandResult)
  case ask(link: UInt32, device: UInt32, ticket: UInt64, tag: String, kind: String)
  /// Answered with the same number, in any order.
  case request(UInt64, link: UInt32, Request)
  /// The last one of a process that crashes; the most memory that it had, bytes.
  case crashing(peak: UInt64)

  package enum Request: Equatable, Sendable {
    case stream(endpoint: String, deadline: Int64)
    case storeGet(key: String)
    case storeSet(key: String, value: [UInt8])
    /// On disk before it is answered.
    case durable(Samples)
    case record(device: UInt32, kind: String, document: [UInt8])
    case tags
    /// Nil = released.
    case control(device: String, point: String, value: Double?, valid: Int64)
  }

  /// Rows of point.h, 32 bytes each, and the texts that they point into.
  package struct Samples: Equatable, Sendable {
    package var rows: [UInt8]
    package var arena: [UInt8]

    package init(rows: [UInt8], arena: [UInt8]) {
      self.rows = rows
      self.arena = arena
    }
  }

  package struct NumberedPoint: Equatable, Sendable {
    package var number: UInt32
    package var point: PointRecord

    package init(number: UInt32, point: PointRecord) {
      self.number = number
      self.point = point
    }
  }

  /// Points in one message.
  package static let pointLimit = 1024
}

extension ChildMessage: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .loaded: message.put(UInt8(1))
    case .refused(let text):
      message.put(UInt8(2))
      message.put(cut(text, TextLimit.explanation))
    case .result(let call, let result):
      message.put(UInt8(3))
      message.put(call)
      message.put(result)
    case .outcome(let call, let result):
      message.put(UInt8(4))
      message.put(call)
      message.put(result)
    case .candidate(let call, let candidate):
      message.put(UInt8(5))
      message.put(call)
      message.put(candidate)
    case .scanned(let call, let result, let steps):
      message.put(UInt8(6))
      message.put(call)
      message.put(result)
      message.put(steps)
    case .declared(let link, let device, let points):
      message.put(UInt8(7))
      message.put(link)
      message.put(device)
      message.put(points)
    case .identified(let link, let device, let identity):
      message.put(UInt8(8))
      message.put(link)
      message.put(device)
      message.put(identity)
    case .samples(let link, let samples):
      message.put(UInt8(9))
      message.put(link)
      message.put(samples)
    case .problem(let link, let device, let name, let active, let text):
      message.put(UInt8(10))
      message.put(link)
      message.put(device)
      message.put(cut(name, TextLimit.name))
      message.put(active)
      message.put(cut(text, TextLimit.explanation))
    case .log(let link, let level, let text):
      message.put(UInt8(11))
      message.put(link)
      message.put(level)
      message.put(cut(text, TextLimit.log))
    case .frame(let link, let device, let time, let content):
      message.put(UInt8(12))
      message.put(link)
      message.put(device)
      message.put(time)
      message.put(content)
    case .released(let link):
      message.put(UInt8(13))
      message.put(link)
    case .request(let number, let link, let request):
      message.put(UInt8(14))
      message.put(number)
      message.put(link)
      message.put(request)
    case .send(let link, let text, let last, let bytes):
      message.put(UInt8(15))
      message.put(link)
      message.put(text)
      message.put(last)
      message.put(data: bytes)
    case .shut(let link, let code, let reason):
      message.put(UInt8(16))
      message.put(link)
      message.put(code)
      message.put(cut(reason, EventLimit.reason))
    case .timer(let link, let tag, let delay, let period):
      message.put(UInt8(17))
      message.put(link)
      message.put(tag)
      message.put(delay)
      message.put(period)
    case .wake(let link, let tag):
      message.put(UInt8(18))
      message.put(link)
      message.put(tag)
    case .completed(let link, let token, let result):
      message.put(UInt8(19))
      message.put(link)
      message.put(token)
      message.put(result)
    case .ask(let link, let device, let ticket, let tag, let kind):
      message.put(UInt8(20))
      message.put(link)
      message.put(device)
      message.put(ticket)
      message.put(cut(tag, EventLimit.tag))
      message.put(cut(kind, TextLimit.name))
    case .crashing(let peak):
      message.put(UInt8(21))
      message.put(peak)
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1: self = .loaded
    case 2: self = .refused(try message.text(TextLimit.explanation))
    case 3: self = .result(call: try message.integer(), try message.field())
    case 4: self = .outcome(call: try message.integer(), try message.field())
    case 5: self = .candidate(call: try message.integer(), try message.field())
    case 6: self = .scanned(call: try message.integer(), try message.field(), steps: try message.integer())
    case 7: self = .declared(link: try message.integer(), device: try message.integer(), try message.list(Self.pointLimit))
    case 8: self = .identified(link: try message.integer(), device: try message.integer(), try message.field())
    case 9: self = .samples(link: try message.integer(), try message.field())
    case 10:
      self = .problem(
        link: try message.integer(), device: try message.integer(), name: try message.text(TextLimit.name),
        active: try message.field(), text: try message.text(TextLimit.explanation))
    case 11: self = .log(link: try message.integer(), level: try message.integer(), text: try message.text(TextLimit.log))
    case 12:
      self = .frame(link: try message.integer(), device: try message.integer(), time: try message.field(), try message.field())
    case 13: self = .released(link: try message.integer())
    case 14: self = .request(try message.integer(), link: try message.integer(), try message.field())
    case 15:
      self = .send(
        link: try message.integer(), text: try message.field(), last: try message.field(), try message.data(Packet.limit))
    case 16: self = .shut(link: try message.integer(), code: try message.integer(), reason: try message.text(EventLimit.reason))
    case 17:
      self = .timer(
        link: try message.integer(), tag: try message.integer(), delay: try message.field(), period: try message.field())
    case 18: self = .wake(link: try message.integer(), tag: try message.integer())
    case 19: self = .completed(link: try message.integer(), token: try message.integer(), try message.field())
    case 20:
      self = .ask(
        link: try message.integer(), device: try message.integer(), ticket: try message.integer(),
        tag: try message.text(EventLimit.tag), kind: try message.text(TextLimit.name))
    case 21: self = .crashing(peak: try message.integer())
    default: throw MessageError(what: "a message of no kind")
    }
    guard message.rest == 0 else { throw MessageError(what: "\(message.rest) bytes too many") }
  }
}

extension ChildMessage.Request: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .stream(let endpoint, let deadline):
      message.put(UInt8(1))
      message.put(cut(endpoint, TextLimit.name))
      message.put(deadline)
    case .storeGet(let key):
      message.put(UInt8(2))
      message.put(cut(key, TextLimit.name))
    case .storeSet(let key, let value):
      message.put(UInt8(3))
      message.put(cut(key, TextLimit.name))
      message.put(data: value)
    case .durable(let samples):
      message.put(UInt8(4))
      message.put(samples)
    case .record(let device, let kind, let document):
      message.put(UInt8(5))
      message.put(device)
      message.put(cut(kind, TextLimit.name))
      message.put(data: document)
    case .tags: message.put(UInt8(6))
    case .control(let device, let point, let value, let valid):
      message.put(UInt8(7))
      message.put(cut(device, TextLimit.name))
      message.put(cut(point, TextLimit.name))
      message.put(value)
      message.put(valid)
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1: self = .stream(endpoint: try message.text(TextLimit.name), deadline: try message.field())
    case 2: self = .storeGet(key: try message.text(TextLimit.name))
    case 3: self = .storeSet(key: try message.text(TextLimit.name), value: try message.data(TextLimit.value))
    case 4: self = .durable(try message.field())
    case 5:
      self = .record(
        device: try message.integer(), kind: try message.text(TextLimit.name), document: try message.data(EventLimit.record))
    case 6: self = .tags
    case 7:
      self = .control(
        device: try message.text(TextLimit.name), point: try message.text(TextLimit.name), value: try message.field(),
        valid: try message.field())
    default: throw MessageError(what: "a request of no kind")
    }
  }
}

extension ChildMessage.Samples: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(data: rows)
    message.put(data: arena)
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    rows = try message.data(Packet.limit)
    arena = try message.data(Packet.limit)
    guard rows.count % SampleBatch.rowLength == 0 else { throw MessageError(what: "half a sample") }
  }
}

extension ChildMessage.NumberedPoint: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(number)
    message.put(point)
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    number = try message.integer()
    point = try message.field()
  }
}

extension PointRecord: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(cut(name, Self.nameLimit))
    message.put(cut(title, Self.titleLimit))
    message.put(cut(detail, Self.detailLimit))
    for number in [type, kind, unit] { message.put(number) }
    message.put(flags)
    message.put(period)
    for number in [minimum, maximum, resolution] { message.put(number) }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    self.init(
      name: try message.text(Self.nameLimit), title: try message.text(Self.titleLimit), detail: try message.text(Self.detailLimit),
      type: try message.integer(), kind: try message.integer(), unit: try message.integer(), flags: try message.integer(),
      period: try message.integer(), minimum: try message.field(), maximum: try message.field(), resolution: try message.field())
  }
}
