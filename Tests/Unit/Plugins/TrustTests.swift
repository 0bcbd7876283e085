// SPDX-License-Identifier: Apache-2.0

import BusbarAudit
import BusbarModel
import BusbarPlugins
import Foundation
import Glibc
import Testing

/// Signatures, pins and what the audit log says; openssl is the counterpart.
@Suite(.timeLimit(.minutes(2)))
struct TrustTests {
  private let home: TemporaryDirectory
  private let plugins: String
  private let log = LogLines()

  init() throws {
    home = try TemporaryDirectory()
    plugins = try home.make("plugins")
    _ = try home.make("store")
  }

  private func good() async throws -> String {
    try #require(await Built.shared.value.broken.first { $0.stage == "good" }).path
  }

  /// A key that openssl made; its raw public part.
  private func key(_ name: String) throws -> (path: String, raw: [UInt8]) {
    let path = "\(home.path)/\(name).pem"
    try run("openssl", ["genpkey", "-algorithm", "ed25519", "-out", path])
    try run("openssl", ["pkey", "-in", path, "-pubout", "-outform", "DER", "-out", "\(path).der"])
    return (path, Array(try bytes(ofFile: "\(path).der").suffix(32)))
  }

  private func sign(_ file: String, _ key: String) throws {
    try run("openssl", ["pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", file, "-out", "\(file).sig"])
    unsafe chmod("\(file).sig", 0o644)
  }

  private func drop(_ source: String, changed: Bool = false) throws -> String {
    let target = "\(plugins)/good.so"
    var content = try bytes(ofFile: source)
    if changed { content.append(0) }
    try Data(content).write(to: URL(fileURLWithPath: target), options: .atomic)
    unsafe chmod(target, 0o644)
    return target
  }

  private func catalog(_ trust: PluginTrust) -> PluginCatalog {
    PluginCatalog(
      directories: [plugins], store: home.path + "/store", trust: trust,
      known: KnownPlugins(directory: home.path + "/store", writes: true),
      audit: AuditLog(directory: home.path, logger: log.logger), logger: log.logger)
  }

  private func audited() throws -> [String] {
    try AuditLog.entries(directory: home.path).map { entry in
      (entry["event"]?.string ?? "") + (entry["reason"]?.string.map { ": \($0)" } ?? "")
    }
  }

  @Test func whatOpenSSLSignsIsGoodHere() async throws {
    let (path, raw) = try key("vendor")
    let file = try drop(await good())
    try sign(file, path)
    let (content, signature) = try (bytes(ofFile: file), bytes(ofFile: file + ".sig"))
    #expect(PluginSignature.state(of: content, signature: signature, keys: [raw]) == .good(key: PluginSignature.fingerprint(raw)))
    let (_, stranger) = try key("stranger")
    #expect(PluginSignature.state(of: content, signature: signature, keys: [stranger, raw]) == .good(key: PluginSignature.fingerprint(raw)))
    #expect(PluginSignature.state(of: content, signature: nil, keys: [raw]) == .absent)
    func reason(_ content: [UInt8], _ signature: [UInt8], _ keys: [[UInt8]]) -> String {
      if case .bad(let text) = PluginSignature.state(of: content, signature: signature, keys: keys) { text } else { "good" }
    }
    #expect(reason(content, signature, [stranger]).contains("fits none of the 1 trusted keys"))
    #expect(reason(content + [0], signature, [raw]).contains("fits none"))
    #expect(reason(content, Array(signature.dropLast()), [raw]).contains("has 63 bytes"))
    #expect(reason(content, signature + [0], [raw]).contains("has 65 bytes"))
    #expect(reason(content, [], [raw]).contains("has 0 bytes"))
    #expect(reason(content, signature, []).contains("plugins.trusted_keys is empty"))
    for bit in [0, 100, 255, 256, 400, 511] {
      var flipped = signature
      flipped[bit / 8] ^= 1 << (bit % 8)
      #expect(reason(content, flipped, [raw]).contains("fits none"), "bit \(bit)")
    }
  }

  @Test func whatIsSignedHereIsGoodForOpenSSL() async throws {
    let key = try SigningKey()
    let (secret, open) = try key.pem()
    let (file, pem) = (try drop(await good()), "\(home.path)/own.pem")
    try Data(secret).write(to: URL(fileURLWithPath: pem))
    try Data(open).write(to: URL(fileURLWithPath: pem + ".pub"))
    try Data(try SigningKey(pem: secret).sign(bytes(ofFile: file))).write(to: URL(fileURLWithPath: file + ".sig"))
    let said = try run(
      "openssl", ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", pem + ".pub", "-in", file, "-sigfile", file + ".sig"])
    #expect(said.contains("Verified Successfully"))
    #expect(try SigningKey(pem: secret).publicKey == key.publicKey)
  }

  @Test func keysOfAnotherKindAndNoKeysAreRefused() throws {
    #expect(throws: SigningKey.Failure.self) { try SigningKey(pem: Array("no key".utf8)) }
    try run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "\(home.path)/ec.pem"])
    #expect(throws: SigningKey.Failure.self) { try SigningKey(pem: bytes(ofFile: "\(home.path)/ec.pem")) }
  }

  @Test func withoutASignatureNothingIsLoadedWhereOneIsRequired() async throws {
    let (path, raw) = try key("vendor")
    let file = try drop(await good())
    let catalog = catalog(PluginTrust(requiresSignature: true, keys: [raw]))
    await catalog.scan()
    #expect(await catalog.entries().first?.state == .refused)
    #expect(await catalog.entries().first?.reason?.contains("not signed") == true)
    // The signature comes later: the next look finds it.
    try sign(file, path)
    await catalog.scan()
    #expect(await catalog.entries().first?.state == .offered)
    #expect(await catalog.entries().first?.signature == .good(key: PluginSignature.fingerprint(raw)))
    // Another file under the old signature.
    _ = try drop(await good(), changed: true)
    await catalog.scan()
    #expect(await catalog.entries().first?.reason?.contains("fits none") == true)
    let events = try audited()
    #expect(events.count == 3)
    #expect(events.first?.hasPrefix("plugin.refused: it is not signed") == true)
    #expect(events.dropFirst().first == "plugin.found")
    #expect(events.last?.hasPrefix("plugin.refused: its signature fits none") == true)
  }

  @Test func aSignatureThatCannotBeReadIsNotNone() async throws {
    let (_, raw) = try key("vendor")
    let file = try drop(await good())
    try Data(repeating: 7, count: 5_000).write(to: URL(fileURLWithPath: file + ".sig"))
    let catalog = catalog(PluginTrust(keys: [raw]))
    await catalog.scan()
    #expect(await catalog.entries().first?.reason?.hasSuffix("good.so.sig, is of no use: it has 5000 bytes, more than 4096") == true)
    #expect(try PluginInspection(path: file, keys: [raw]).signature != .absent)
    // A link that leads nowhere is there too.
    try FileManager.default.removeItem(atPath: file + ".sig")
    try FileManager.default.createSymbolicLink(atPath: file + ".sig", withDestinationPath: "nowhere")
    await catalog.scan()
    #expect(await catalog.entries().first?.reason?.contains("is of no use: it is a symbolic link") == true)
    try FileManager.default.removeItem(atPath: file + ".sig")
    await catalog.scan()
    #expect(await catalog.entries().first?.state == .offered)
  }

  @Test func aWrongSignatureIsRefusedAlsoWhereNoneIsRequired() async throws {
    let (_, raw) = try key("vendor")
    let file = try drop(await good())
    try sign(file, try key("stranger").path)
    let strict = catalog(PluginTrust(keys: [raw]))
    await strict.scan()
    #expect(await strict.entries().first?.state == .refused)
    // Nobody is trusted: a signature says nothing.
    let open = catalog(PluginTrust())
    await open.scan()
    #expect(await open.entries().first?.state == .offered)
  }

  @Test func replacementsAreAuditedAlsoOverARestart() async throws {
    _ = try drop(await good())
    await catalog(PluginTrust()).scan()
    await catalog(PluginTrust()).scan()
    _ = try drop(await good(), changed: true)
    await catalog(PluginTrust()).scan()
    #expect(try audited() == ["plugin.found", "plugin.replaced"])
    let last = try #require(try AuditLog.entries(directory: home.path).last)
    #expect(last["before"]?.string?.count == 64)
    #expect(last["before"] != last["hash"])
  }

  @Test func aPinnedPluginStaysWhatItIs() async throws {
    _ = try drop(await good())
    await catalog(PluginTrust(pins: ["org.example.sample": .known])).scan()
    let hash = try #require(try AuditLog.entries(directory: home.path).first?["hash"]?.string)
    _ = try drop(await good(), changed: true)
    let pinned = catalog(PluginTrust(pins: ["org.example.sample": .known]))
    await pinned.scan()
    #expect(await pinned.entries().first?.reason?.contains("is pinned to the file that was here before, SHA-256 \(hash)") == true)
    let byHash = catalog(PluginTrust(pins: ["org.example.sample": .hash(hash)]))
    await byHash.scan()
    #expect(await byHash.entries().first?.reason?.contains("is pinned to the file with SHA-256 \(hash)") == true)
    let unpinned = catalog(PluginTrust())
    await unpinned.scan()
    #expect(await unpinned.entries().first?.state == .offered)
    #expect(try audited().map { String($0.prefix(15)) } == ["plugin.found", "plugin.refused:", "plugin.refused:", "plugin.replaced"])
  }

  @Test func whoOnlyLooksWritesNothing() async throws {
    _ = try drop(await good())
    let catalog = PluginCatalog(
      directories: [plugins], store: home.path + "/store", known: KnownPlugins(directory: home.path + "/store", writes: false),
      logger: log.logger)
    await catalog.scan()
    #expect(!FileManager.default.fileExists(atPath: home.path + "/store/known.json"))
    #expect(try audited().isEmpty)
  }

  @Test func theAuditLogIsPrivateAndBounded() throws {
    let audit = AuditLog(directory: home.path, logger: log.logger)
    let long = String(repeating: "ü", count: 2_000)
    for number in 0..<6_000 { audit.record("test", ["number": "\(number)", "text": long]) }
    let files = try FileManager.default.contentsOfDirectory(atPath: home.path).filter { $0.hasPrefix("audit") }
    #expect(files.count == AuditLog.files)
    for file in files {
      let facts = try FileManager.default.attributesOfItem(atPath: "\(home.path)/\(file)")
      #expect((facts[.posixPermissions] as? NSNumber)?.intValue == 0o600)
      #expect((facts[.size] as? NSNumber)?.intValue ?? .max <= AuditLog.fileLimit)
    }
    let entries = try AuditLog.entries(directory: home.path)
    #expect(entries.last?["number"] == "5999")
    #expect(entries.last?["text"]?.string?.utf8.count == 1024)
    #expect(try AuditLog.entries(directory: home.path, last: 3).compactMap { $0["number"]?.string } == ["5997", "5998", "5999"])
  }

  @Test func aTornLineIsLeftOut() throws {
    let audit = AuditLog(directory: home.path, logger: log.logger)
    audit.record("one", [:])
    let handle = try #require(FileHandle(forWritingAtPath: home.path + "/audit.jsonl"))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("{\"event\":\"to".utf8) + [0, 0, 0, 0x0A])
    audit.record("two", [:])
    #expect(try audited() == ["one", "two"])
  }

  @Test func aLogThatCannotBeWrittenIsToldOnce() throws {
    let audit = AuditLog(directory: home.path + "/nowhere", logger: log.logger)
    for _ in 0..<3 { audit.record("test", [:]) }
    #expect(log.all.count == 1)
    // A link in its place is not followed.
    unsafe symlink("/dev/null", home.path + "/audit.jsonl")
    AuditLog(directory: home.path, logger: log.logger).record("test", [:])
    #expect(log.all.count == 2)
  }
}
