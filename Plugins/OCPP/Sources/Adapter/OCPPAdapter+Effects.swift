// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginAPI
internal import PluginJSON
internal import PluginKit

/// What the conversation wants done.
extension OCPPAdapter {
  /// In their order. What leaves waits for what has to be on disk; where the disk refuses, the connection ends: the charger keeps
  /// what was not answered, and sends it again.
  func perform(_ effects: [Effect], _ charger: Charger, _ call: borrowing Call) {
    var rest = effects[...]
    while let effect = rest.popFirst() {
      switch effect {
      case .send(let text):
        guard charger.unsaved.isEmpty || save(charger, call) else { continue }
        if link.send(text) == .full { link.close(code: 1013, reason: "does not read what it is sent") }
      case .points(let points, let time): tell(points, at: time, charger)
      case .session(let document): keep(.document(kind: "evcharger.session", document.text), charger, call)
      case .event(let action, let content):
        for document in EventDocument.parts(action, content.withoutPasswords) {
          keep(.document(kind: EventDocument.kind(action), document.text), charger, call)
        }
      case .identity(let identity):
        know(identity, charger)
        keep(.value(key: "identity", identity.json.bytes), charger, call)
      case .authorize(let question):
        if let info = ask(question, charger) {
          rest = (charger.central?.authorized(ticket: question.ticket, info, .now) ?? [])[...] + rest
        }
      case .store(let key, let value): keep(.value(key: key, value?.bytes ?? []), charger, call)
      case .outcome(let ticket, let outcome): ended(ticket, outcome, charger)
      case .alarm(let name, let isActive, let text): link.problem(name, of: charger.number, active: isActive, text)
      case .note(let text): link.log(.notice, text)
      case .close(let reason): link.close(code: 1000, reason: reason)
      }
    }
    arm(charger)
  }

  // MARK: Disk

  private func keep(_ item: UnsavedQueue.Item, _ charger: Charger, _ call: borrowing Call) {
    if !charger.unsaved.add(item) { link.log(.error, "a record is lost: the host cannot write to its disk") }
    save(charger, call)
  }

  /// Writes what waits to be written. False where something still waits.
  @discardableResult
  func save(_ charger: Charger, _ call: borrowing Call) -> Bool {
    let hadFailed = charger.saveFailed
    do {
      while let item = charger.unsaved.first {
        switch item {
        case .value(let key, let bytes): try link.store(bytes, as: key, call)
        case .document(let kind, let text): try link.record(kind, text, of: charger.number)
        }
        charger.unsaved.removeFirst()
      }
      charger.saveFailed = false
      if hadFailed { link.problem("StorageFailed", of: charger.number, active: false, "") }
      return true
    } catch {
      charger.saveFailed = true
      if !hadFailed {
        let text = "what the charger said cannot be kept: \(error.message.isEmpty ? "the host cannot write it" : error.message)"
        link.problem("StorageFailed", of: charger.number, active: true, text)
        link.log(.error, text)
      }
      link.close(code: 1011, reason: "cannot keep what was sent; try again later")
      return false
    }
  }

  // MARK: Upward

  func know(_ identity: ChargerIdentity, _ charger: Charger) {
    charger.identity = identity
    // A charger without a serial number is known by the name that it connects with.
    let serial = identity.serial.isEmpty ? peer?.identity ?? "" : identity.serial
    link.identify(
      charger.number, vendor: identity.vendor, model: identity.model, serial: serial, firmware: identity.firmware)
  }

  private func tell(_ points: [PointValue], at time: Int64, _ charger: Charger) {
    var points = points
    declare(points, charger)
    for point in points {
      let (base, connector) = PointCatalogue.split(point.name)
      // Out of service is what `enabled` sets.
      if base == "status", case .text(let word) = point.value {
        let suffix = connector == 0 ? "" : "_c\(connector)"
        points.append(PointValue("enabled" + suffix, .flag(word != Status.unavailable.rawValue)))
      }
    }
    var values: [(PointTable.Entry, PointValue)] = []
    for point in points {
      charger.points.keep(point.value, of: point.name)
      if let entry = charger.points[point.name] { values.append((entry, point)) }
    }
    // Seconds of transport are not worth a stamp of its own.
    let age = WallClock.milliseconds - time
    emit(values.map { ($0.0, $0.1.value) }, time: age > 2_000 ? time * 1_000_000 : 0)
  }

  private func declare(_ points: [PointValue], _ charger: Charger) {
    let highest = points.map { PointCatalogue.split($0.name).connector }.max() ?? 0
    do {
      while charger.connectors < min(highest, Connectors.most) {
        charger.connectors += 1
        try charger.points.declare(PointCatalogue.usual(charger.config, connector: charger.connectors), of: charger.number, link)
      }
      let new = points.filter { charger.points[$0.name] == nil }.map { PointCatalogue.declaration(of: $0) }
      if !new.isEmpty { try charger.points.declare(new, of: charger.number, link) }
    } catch {
      link.log(.warning, "a point cannot be declared: \(error.message)")
    }
  }

  /// `time`: Unix nanoseconds, 0 = now.
  func emit(_ values: [(PointTable.Entry, PointValue.Value)], time: Int64) {
    guard !values.isEmpty else { return }
    let texts = values.reduce(0) { sum, item in if case .text(let text) = item.1 { sum + text.utf8.count } else { sum } }
    link.emit(upTo: values.count, textBytes: texts) { batch in
      for (entry, value) in values {
        switch (entry.carrier, value) {
        case (.number, .number(let number)): batch.append(entry.id, number, time: time)
        case (.flag, .flag(let flag)): batch.append(entry.id, flag, time: time)
        case (.text, .text(let text)): batch.append(entry.id, text: text, time: time)
        case (.label, .text(let text)):
          if let index = PointCatalogue.labels.firstIndex(of: text) { batch.append(entry.id, label: index, time: time) }
        default: break
        }
      }
    }
  }

  // MARK: Tags

  /// The answer where nobody needs to be asked, or nobody can.
  private func ask(_ question: TagQuestion, _ charger: Charger) -> TagInfo? {
    guard (1...255).contains(question.tag.utf8.count) else { return TagInfo(.invalid) }
    do {
      try link.ask(about: question.tag, kind: question.type, ticket: question.ticket, of: charger.number)
      return nil
    } catch {
      link.log(.warning, "nobody can be asked about a tag: \(error.message)")
      return charger.config.settings.unanswered
    }
  }

  // MARK: Time

  /// The host's timer rings when the conversation wants to be looked at. An earlier ring does no harm, so the timer is only set
  /// where it would ring too late.
  func arm(_ charger: Charger) {
    guard let wake = charger.central?.wake else { return }
    if let alarm = charger.alarm, alarm <= wake { return }
    charger.alarm = wake
    let now = Moment.now.boot
    let delay = wake <= now ? 0 : min(wake - now, 86_400_000)
    link.startTimer(Self.tick, in: delay * 1_000_000)
  }
}
