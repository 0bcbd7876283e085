// SPDX-License-Identifier: Apache-2.0

internal import BusbarBuffer
internal import BusbarMosquitto
internal import BusbarSystem
internal import Logging

extension UplinkConnection {
  /// Fills the window: answers first, since somebody waits for them; then retained state, which leaves room; then what
  /// the buffer has.
  func publishAll() throws(ConnectionFailure) {
    rateDeadline = nil
    while let window, window.hasRoom {
      if let (number, message) = context.shared.with({ $0.ephemeral.next() }) {
        try publish(message, as: .ephemeral(number))
      } else if window.hasRoomForState, let (topic, payload) = context.shared.with({ $0.states.next() }) {
        let message = EphemeralMessage(topic: context.topics.state(topic), payload: payload)
        try publish(message, as: .state(topic), retained: true)
      } else if let message = nextFromQueue(late: window.late) {
        let outgoing = EphemeralMessage(topic: context.topics.message(message), payload: message.payload)
        let retained = message.stream == .sessions && message.isNewest
        try publish(outgoing, as: .message(ticket: message.ticket), retained: retained)
      } else {
        return
      }
    }
  }

  private func nextFromQueue(late: Int) -> OutboundMessage? {
    guard !isStopping else { return nil }
    let (allowance, until) = rate.allowance(boot: Clock.boot(), unixMilliseconds: Clock.unixMilliseconds())
    rateDeadline = until
    switch allowance {
    case .all: return context.queue.next(late: late)
    case .live: return context.queue.next(late: 0)
    case .nothing: return nil
    }
  }

  private func publish(
    _ message: EphemeralMessage, as entry: Window.Entry, retained: Bool = false
  ) throws(ConnectionFailure) {
    do throws(MosquittoError) {
      let identifier = try client.publish(
        topic: message.topic, payload: message.payload, retained: retained, correlation: message.correlation)
      window?.insert(entry, identifier: identifier)
      rate.published(bytes: message.topic.utf8.count + message.payload.count)
      context.shared.count(\.published)
    } catch {
      guard error.kind == .message else { throw ConnectionFailure(error, settings: context.settings, stage: .accepted) }
      noteRefusal("\(message.topic) cannot be published (\(error.text))")
      finished(entry, taken: false)
    }
  }

  /// PUBACK.
  func finished(_ identifier: Int32, _ reason: ReasonCode) {
    guard let entry = window?.remove(identifier: identifier) else { return }
    if reason.isRefusal { noteRefusal("the broker refused a message (\(reason))") }
    finished(entry, taken: !reason.isRefusal)
  }

  private func finished(_ entry: Window.Entry, taken: Bool) {
    context.shared.count(taken ? \.acknowledged : \.refused)
    switch entry {
    case .message(let ticket): taken ? context.queue.acknowledged(ticket) : context.queue.refused(ticket)
    case .state(let topic): context.shared.with { $0.states.finished(topic) }
    case .ephemeral(let number): context.shared.with { $0.ephemeral.finished(number) }
    }
  }

  /// Once a connection; the counter tells how often.
  private func noteRefusal(_ sentence: String) {
    guard !loggedRefusal else { return }
    loggedRefusal = true
    let user = context.settings.username.map { "user '\($0)'" } ?? "hosts without a user name"
    context.logger.warning("\(sentence); further ones are only counted. Check the rights of \(user) at the broker")
  }
}
