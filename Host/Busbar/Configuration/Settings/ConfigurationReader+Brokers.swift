// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel

/// The uplink and local brokers: addresses, credentials, secrets.
extension ConfigurationReader {
  func uplink(_ map: MapReader) -> Configuration.Uplink? {
    let known = ["url", "username", "password", "tls", "prefix", "acknowledge", "role", "rate"]
    guard let node = map.part("uplink"), let section = MapReader(node, key: "uplink", known: known, sink: sink) else {
      return nil
    }
    let broker = broker(section)
    let expected = "at most 128 bytes without + # and control characters"
    let prefix = section.read("prefix", expected: expected) { node in node.text.flatMap { Self.isPrefix($0) ? $0 : nil }
    }
    let acknowledge: Configuration.Acknowledge = section.choice("acknowledge") ?? .broker
    let role: Role = section.choice("role") ?? .operator_
    var rate = Configuration.Rate()
    if let part = section.part("rate"),
      let limits = MapReader(part, key: "uplink.rate", known: ["bytes_per_second", "bytes_per_day"], sink: sink)
    {
      let expected = "bytes as a whole number, or 0 for no limit"
      rate.bytesPerSecond = limits.integer("bytes_per_second", in: 0...1 << 40, expected: expected) ?? 0
      rate.bytesPerDay = limits.integer("bytes_per_day", in: 0...1 << 50, expected: expected) ?? 0
    }
    guard let broker else { return nil }
    return Configuration.Uplink(
      url: broker.url, username: broker.username, password: broker.password, tls: broker.tls, prefix: prefix ?? "",
      acknowledge: acknowledge, role: role, rate: rate)
  }

  func brokers(_ map: MapReader) -> [String: Configuration.Broker] {
    var brokers: [String: Configuration.Broker] = [:]
    for entry in map.entries("brokers", expected: "a map of names, each with url") {
      name(entry.member, key: entry.key)
      let known = ["url", "username", "password", "tls"]
      guard let section = MapReader(entry.member.value, key: entry.key, known: known, sink: sink) else { continue }
      if let broker = broker(section) { brokers[entry.member.key] = broker }
    }
    return brokers
  }

  /// What uplink and local brokers have in common. Nil without an address.
  private func broker(_ section: MapReader) -> Configuration.Broker? {
    let expected = "mqtt://HOST:1883 or mqtts://HOST:8883"
    if section.value("url") == nil { section.missing("url", expected: expected) }
    let url = section.parse("url", expected: expected) { text throws(ValueError) in try BrokerAddress(text) }
    let username = section.text("username", expected: "a text of at most 256 bytes", limit: 256)
    let password = secret(section, "password")
    if section.value("username") == nil, let node = section.value("password") {
      sink.error(
        node.place, section.path("password"), "there is a password and no user name", expected: "username beside it")
    }
    let tls = tls(section)
    if let url, !url.tls, let node = section.part("tls") {
      sink.error(
        node.place, section.path("tls"), "the address begins with mqtt://, which is without TLS",
        expected: "mqtts:// or no tls")
    }
    guard let url else { return nil }
    return Configuration.Broker(url: url, username: username, password: password, tls: tls)
  }

  private static func isPrefix(_ text: String) -> Bool {
    text.utf8.count <= 128
      && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "+" && $0 != "#" }
  }

  private func tls(_ section: MapReader) -> Configuration.TLS {
    guard let node = section.part("tls"),
      let map = MapReader(node, key: section.path("tls"), known: ["ca", "certificate", "key"], sink: sink)
    else { return Configuration.TLS() }
    return tls(map: map)
  }

  private func tls(map: MapReader) -> Configuration.TLS {
    var tls = Configuration.TLS()
    tls.ca = map.text("ca", expected: "the path of a PEM file").map(path)
    tls.certificate = credential(map, "certificate")
    tls.key = credential(map, "key")
    if let ca = tls.ca, let place = map.value("ca")?.place {
      exists(ca, place: place, key: map.path("ca"), secret: false)
    }
    for (one, other) in [("certificate", "key"), ("key", "certificate")]
    where map.value(one) != nil && map.value(other) == nil {
      map.missing(other, expected: "\(one) and \(other) together")
    }
    return tls
  }

  /// The key `tls` of a link or device.
  func deviceTLS(_ section: MapReader) -> Configuration.DeviceTLS? {
    let known = ["ca", "certificate", "key", "name", "fingerprint"]
    guard let node = section.part("tls"), let map = MapReader(node, key: section.path("tls"), known: known, sink: sink)
    else { return nil }
    let files = tls(map: map)
    var tls = Configuration.DeviceTLS()
    (tls.ca, tls.certificate, tls.key) = (files.ca, files.certificate, files.key)
    tls.name = map.read("name", expected: "the name or IP address in the device's certificate") {
      $0.text.flatMap(Self.hostName)
    }
    tls.fingerprint = map.read("fingerprint", expected: "the SHA-256 fingerprint of the device's certificate, 64 hex digits, colons allowed") {
      $0.text.flatMap(Self.fingerprint)
    }
    for other in ["ca", "name"] {
      guard map.value("fingerprint") != nil, let node = map.value(other) else { continue }
      sink.error(
        node.place, map.path(other), "a fingerprint stands for one certificate, whoever issued it and whatever it names",
        expected: "fingerprint alone, or no fingerprint")
    }
    return tls
  }

  /// Without a port; an IPv6 address has no brackets here.
  private static func hostName(_ text: String) -> String? {
    guard let address = (try? HostAddress(text[...])) ?? (try? HostAddress("[\(text)]")), address.port == nil else { return nil }
    return address.host
  }

  private static func fingerprint(_ text: String) -> [UInt8]? {
    let digits = text.utf8.filter { $0 != UInt8(ascii: ":") }.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 64, text.utf8.count <= 95 else { return nil }
    return stride(from: 0, to: 64, by: 2).reduce(into: [UInt8]?.some([])) { bytes, index in
      guard let high = digits[index], let low = digits[index + 1] else { return bytes = nil }
      bytes?.append(UInt8(high << 4 | low))
    }
  }

  func credential(_ map: MapReader, _ name: String) -> Configuration.Credential? {
    guard let text = map.text(name, expected: "the path of a PEM file, or host for the host's own identity") else {
      return nil
    }
    guard text != "host" else { return .host }
    let file = path(text)
    if let place = map.value(name)?.place { exists(file, place: place, key: map.path(name), secret: name == "key") }
    return .file(file)
  }

  func exists(_ file: String, place: Place, key: String, secret: Bool) {
    switch FileReader.attributes(file) {
    case .failure(let failure):
      sink.error(place, key, "\(YAMLNode.short(file, limit: 1024)): \(failure.sentence)", expected: "a PEM file")
    case .success(let attributes) where secret && attributes.mode & 0o006 != 0:
      let mode = String(attributes.mode & 0o777, radix: 8)
      sink.error(
        place, key, "\(YAMLNode.short(file, limit: 1024)) is open to every user (mode \(mode))",
        expected: "chmod 0640 or 0600")
    case .success: break
    }
  }

  /// `{ file: }`, `{ env: }` or `{ value: }`, and whether it can be had. Never shows what stands there.
  private func secret(_ section: MapReader, _ name: String) -> Secret? {
    let expected = "one of { file: PATH }, { env: NAME } and { value: TEXT }"
    let key = section.path(name)
    guard let node = section.value(name) else { return nil }
    guard let members = node.members else {
      sink.error(node.place, key, "a secret does not stand here as it is", expected: expected)
      return nil
    }
    let known = ["file", "env", "value"]
    for member in members where !known.contains(member.key) {
      let question = Suggestion.question(member.key, in: known)
      sink.error(member.place, "\(key).\(member.key)", "unknown key\(question)", expected: Suggestion.list(known))
    }
    let given = members.filter { known.contains($0.key) }
    guard given.count == 1, let member = given.first else {
      if given.count != 1, members.allSatisfy({ known.contains($0.key) }) {
        sink.error(
          node.place, key, given.isEmpty ? "the secret is empty" : "there are \(given.count) secrets",
          expected: expected)
      }
      return nil
    }
    guard let text = member.value.text, !text.isEmpty, text.utf8.count <= 4096 else {
      sink.error(member.value.place, "\(key).\(member.key)", "this is no text of 1 to 4096 bytes", expected: expected)
      return nil
    }
    let secret: Secret =
      switch member.key {
      case "file": .file(path(text))
      case "env": .environment(text)
      default: .value(text)
      }
    do {
      _ = try secret.resolve(environment: environment.variables)
    } catch {
      sink.error(member.value.place, "\(key).\(member.key)", error.message, expected: error.expectation)
    }
    return secret
  }
}
