// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem

/// What the host tells a child.
///
/// To add a service or a call: a case here or in ChildMessage with its two lines of codec, a handler in RunnerLinks (child
/// side) and one in RemoteLink (host side). The codec's tests go through all cases by `samples`.
package enum HostMessage: Equatable, Sendable {
  /// The first one, once: what to load, and what it may use. The file comes as descriptor 4.
  case load(Load)
  case call(Call)
  /// Ends the running call of a link early.
  case cancel(link: UInt32)
  /// No call of this link comes any more.
  case retire(link: UInt32)
  /// To a request of the child's; a stream comes with its descriptor.
  case answer(request: UInt64, Answer)

  package struct Load: Equatable, Sendable {
    package var sandbox: SandboxRules
    /// Of the manifest: the code has to say the same.
    package var id: String
    package var version: String
    package var adapters: [String]
    /// For sentences.
    package var path: String

    package init(sandbox: SandboxRules, id: String, version: String, adapters: [String], path: String) {
      self.sandbox = sandbox
      self.id = id
      self.version = version
      self.adapters = adapters
      self.path = path
    }
  }

  package struct Call: Equatable, Sendable {
    package var link: UInt32
    package var id: UInt64
    /// Boot clock, which is the same in both processes.
    package var deadline: Int64
    package var verb: Verb

    package init(link: UInt32, id: UInt64, deadline: Int64, verb: Verb) {
      self.link = link
      self.id = id
      self.deadline = deadline
      self.verb = verb
    }
  }

  package enum Verb: Equatable, Sendable {
    /// The first of a link.
    case open(adapter: String, config: String)
    case add(DeviceSetup)
    case remove(UInt32)
    case poll(device: UInt32, due: [UInt32])
    case command(AdapterCommand)
    case scan(ScanRequest)
    case close
    case event(LinkEvent)
  }

  package enum Answer: Equatable, Sendable {
    case done
    case stream(StreamFacts)
    case value([UInt8])
    /// There is no such value.
    case nothing
    case failed(cause: UInt8, text: String)
  }

  /// Points that are due in one poll, at most.
  package static let dueLimit = 65_536
}

extension HostMessage: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .load(let load):
      message.put(UInt8(1))
      message.put(load.sandbox)
      message.put(load.id)
      message.put(load.version)
      message.put(load.adapters)
      message.put(load.path)
    case .call(let call):
      message.put(UInt8(2))
      message.put(call.link)
      message.put(call.id)
      message.put(call.deadline)
      message.put(call.verb)
    case .cancel(let link):
      message.put(UInt8(3))
      message.put(link)
    case .retire(let link):
      message.put(UInt8(4))
      message.put(link)
    case .answer(let request, let answer):
      message.put(UInt8(5))
      message.put(request)
      message.put(answer)
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1:
      self = .load(
        Load(
          sandbox: try message.field(), id: try message.text(128), version: try message.text(64), adapters: try message.list(64),
          path: try message.text(4096)))
    case 2:
      self = .call(Call(link: try message.integer(), id: try message.integer(), deadline: try message.field(), verb: try message.field()))
    case 3: self = .cancel(link: try message.integer())
    case 4: self = .retire(link: try message.integer())
    case 5: self = .answer(request: try message.integer(), try message.field())
    default: throw MessageError(what: "a message of no kind")
    }
    guard message.rest == 0 else { throw MessageError(what: "\(message.rest) bytes too many") }
  }
}

extension HostMessage.Verb: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .open(let adapter, let config):
      message.put(UInt8(1))
      message.put(adapter)
      message.put(config)
    case .add(let setup):
      message.put(UInt8(2))
      message.put(setup)
    case .remove(let device):
      message.put(UInt8(3))
      message.put(device)
    case .poll(let device, let due):
      message.put(UInt8(4))
      message.put(device)
      message.put(due)
    case .command(let command):
      message.put(UInt8(5))
      message.put(command)
    case .scan(let step):
      message.put(UInt8(6))
      message.put(step.documents)
      message.put(UInt32(clamping: step.step))
      message.put(step.everywhere)
    case .close: message.put(UInt8(7))
    case .event(let event):
      message.put(UInt8(8))
      message.put(event)
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1: self = .open(adapter: try message.text(128), config: try message.text(TextLimit.document))
    case 2: self = .add(try message.field())
    case 3: self = .remove(try message.integer())
    case 4: self = .poll(device: try message.integer(), due: try message.list(HostMessage.dueLimit))
    case 5: self = .command(try message.field())
    case 6:
      self = .scan(
        ScanRequest(
          documents: try message.text(Packet.fileLimit), step: Int(try message.integer(UInt32.self)), everywhere: try message.field()))
    case 7: self = .close
    case 8: self = .event(try message.field())
    default: throw MessageError(what: "a call of no kind")
    }
  }
}

extension HostMessage.Answer: MessageField {
  package func write(to message: inout MessageWriter) {
    switch self {
    case .done: message.put(UInt8(1))
    case .stream(let facts):
      message.put(UInt8(2))
      for number in [facts.kind, facts.baud, facts.bitsPerByte] { message.put(number) }
    case .value(let bytes):
      message.put(UInt8(3))
      message.put(data: bytes)
    case .nothing: message.put(UInt8(4))
    case .failed(let cause, let text):
      message.put(UInt8(5))
      message.put(cause)
      message.put(cut(text, TextLimit.explanation))
    }
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    switch try message.integer(UInt8.self) {
    case 1: self = .done
    case 2: self = .stream(StreamFacts(kind: try message.integer(), baud: try message.integer(), bitsPerByte: try message.integer()))
    case 3: self = .value(try message.data(Packet.fileLimit))
    case 4: self = .nothing
    case 5: self = .failed(cause: try message.integer(), text: try message.text(TextLimit.explanation))
    default: throw MessageError(what: "an answer of no kind")
    }
  }
}

extension SandboxRules: MessageField {
  package func write(to message: inout MessageWriter) {
    message.put(user)
    message.put(group)
    message.put(memory)
    message.put(landlock)
    message.put(allowWeak)
  }

  package init(from message: inout MessageReader) throws(MessageError) {
    self.init(
      user: try message.field(), group: try message.field(), memory: try message.integer(), landlock: try message.integer(),
      allowWeak: try message.field())
  }
}
