// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarModel
internal import BusbarMosquitto
internal import BusbarSystem
internal import Logging

extension UplinkConnection {
  /// Commands that may be under way at a time.
  private static let commandLimit = 256
  /// Bytes of correlation data that are worth carrying.
  private static let correlationLimit = 4096

  func receive(_ message: MosquittoMessage) throws(ConnectionFailure) {
    guard let topic = context.topics.incoming(message.topic) else { return drop("on \(message.topic)", "not ours") }
    if case .deviceStatus(let device) = topic { return try learnOwner(of: device, message.payload) }
    if message.retained {
      context.shared.count(\.droppedRetained)
      context.logger.notice("a retained message on \(message.topic) was dropped: commands must not be retained")
      return
    }
    guard message.size <= MessageReader.sizeLimit else {
      return drop("on \(message.topic)", "it is larger than \(MessageReader.sizeLimit / 1024) KiB")
    }
    switch topic {
    case .command(let device):
      let request = context.parser.command(
        message.payload, device: device, expiry: message.expiry, now: Clock.unixMilliseconds())
      let answer = context.topics.commandResponse(device)
      handle(request, message, answer: answer, device: device, id: \.id) { [handler = context.handler] in
        handler.command($0, reply: $1)
      }
    case .gatewayCommand:
      let request = context.parser.gatewayCommand(message.payload, now: Clock.unixMilliseconds())
      let answer = context.topics.gatewayCommandResponse
      handle(request, message, answer: answer, id: { $0["id"]?.string ?? "" }) { [handler = context.handler] in
        handler.gatewayCommand($0, reply: $1)
      }
    case .deviceStatus: break
    case .verdict:
      guard case .object(let document) = MessageReader.read(message.payload) else {
        return drop("on \(message.topic)", "it is no verdict")
      }
      context.handler.verdict(document)
    case .acknowledgement:
      guard let acknowledgement = Acknowledgement(payload: message.payload) else {
        return drop("on \(message.topic)", "it is no acknowledgement")
      }
      context.queue.applicationAcknowledged(device: acknowledgement.device, ranges: acknowledgement.ranges)
    }
  }

  private func handle<Request>(
    _ result: CommandParser.Result<Request>, _ message: MosquittoMessage, answer topic: String, device: DeviceID? = nil,
    id: (Request) -> String, _ carryOut: (Request, @escaping @Sendable (CommandResponse) -> Void) -> Void
  ) {
    let answer = answerer(to: message, on: topic, device: device)
    switch result {
    case .unreadable(let why): drop("on \(message.topic)", why)
    case .refusal(let response): answer(response)
    case .request(let request):
      let refusal: String? =
        isStopping ? "the host is ending" : (message.correlation?.count ?? 0) > Self.correlationLimit
          ? "the correlation data is longer than \(Self.correlationLimit) bytes" : nil
      if let refusal { return answer(failed(id(request), refusal)) }
      guard let slot = CommandSlot(context.shared, limit: Self.commandLimit) else {
        return answer(failed(id(request), "\(Self.commandLimit) commands are under way already: send it again later"))
      }
      context.shared.count(\.commands)
      carryOut(request) { response in
        slot.free()
        answer(response)
      }
    }
  }

  /// Answers go to the device's own topic, and to the one that the asker chose if that is a place for answers.
  /// A refusal for a device that is not this host's waits until no other host has it.
  private func answerer(
    to message: MosquittoMessage, on topic: String, device: DeviceID?
  ) -> @Sendable (CommandResponse) -> Void {
    let chosen = message.responseTopic.flatMap { $0 == topic || !context.topics.allowsResponse(to: $0) ? nil : $0 }
    let topics = [topic] + (chosen.map { [$0] } ?? [])
    let fits = (message.correlation?.count ?? 0) <= Self.correlationLimit
    let correlation = fits ? message.correlation : nil
    return { [payloads = context.payloads, shared = context.shared] response in
      let payload = payloads.response(response)
      let messages = topics.map { EphemeralMessage(topic: $0, payload: payload, correlation: correlation) }
      if let device, response.status == .refused || response.status == .failed, !shared.has(device) {
        shared.sendUnlessElsewhere(device, messages)
      } else {
        shared.send(messages)
      }
    }
  }

  private func failed(_ id: String, _ text: String) -> CommandResponse {
    CommandResponse(id: id, time: Clock.unixMilliseconds(), status: .failed, text: text)
  }

  private func drop(_ place: String, _ why: String) {
    context.shared.count(\.malformed)
    context.logger.debug("a message \(place) was dropped: \(why)")
  }
}
