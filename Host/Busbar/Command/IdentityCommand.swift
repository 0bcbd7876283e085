// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarModel
import BusbarOpenSSL
import BusbarSecurity
import BusbarSQLite
import BusbarSystem

struct IdentityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "identity", abstract: "Show the host's own certificate, request one, install the answer.",
    discussion: """
      The host has a private key that never leaves this machine, and a certificate for it that it signs itself at first. \
      Settings that say "host" for a certificate and key use them. Both are made when they are first needed, in the \
      state directory.
      """,
    subcommands: [Show.self, Request.self, Install.self], defaultSubcommand: Show.self)

  struct Place: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file(extensions: ["yaml"]))
    var config = Setup.defaultFile

    /// The store of the host that the configuration describes.
    func store() throws -> IdentityStore {
      let (configuration, diagnostics) = ConfigurationLoader.load(file: config)
      guard let configuration else { throw CommandFailure(diagnostics: diagnostics.map(\.description)) }
      try StateFiles.makeDirectory(configuration.host.state)
      return IdentityStore(configuration)
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Show the host's certificate; it is made where there is none.")

    @OptionGroup var place: Place
    @Flag(help: "JSON instead of a table.") var json = false

    func run() async throws {
      let store = try place.store()
      try Output(json: json).show(store, try attempt { () throws(SecurityError) in try store.load() })
    }
  }

  struct Request: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "csr", abstract: "Write a certificate request (PKCS#10, PEM) for the host's key.")

    @OptionGroup var place: Place
    @Option(
      help: ArgumentHelp("The subject, such as \"O=Nordhof,CN=gw-0001\". Default: CN and the gateway's id.", valueName: "name"))
    var subject: String?
    @Option(
      help: ArgumentHelp(
        "A DNS name or IP address to ask for; may be given several times. Default: the gateway's id.", valueName: "name"))
    var name: [String] = []
    @Option(help: ArgumentHelp("Where to write it. Default: standard output.", valueName: "file"), completion: .file())
    var out: String?

    func validate() throws {
      for name in name where name.isEmpty || !name.utf8.allSatisfy(Self.isNameByte) {
        throw ValidationError("--name \(printable(name)): expected a DNS name or an IP address")
      }
      _ = try parts()
    }

    func run() async throws {
      let store = try place.store()
      let parts = try parts()
      let request = try attempt { () throws(SecurityError) in try store.request(subject: parts, names: name) }
      let text = String(decoding: request, as: UTF8.self)
      guard let out else { return try Output(json: false).write(text) }
      do throws(PrivateFile.Failure) {
        let file = try PrivateFile(out)
        try file.write(text)
        try file.commit()
      } catch {
        throw CommandFailure(error.description)
      }
    }

    private func parts() throws -> [NamePart] {
      guard let subject else { return [] }
      let separator: Character = subject.hasPrefix("/") ? "/" : ","
      return try subject.split(separator: separator).map { part in
        let words = part.split(separator: "=", maxSplits: 1)
        guard words.count == 2 else {
          throw ValidationError("--subject \(printable(subject)): expected parts such as CN=gw-0001, with commas between them")
        }
        return NamePart(words[0].filter { $0 != " " }, String(words[1]))
      }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"):
        true
      default: false
      }
    }
  }

  struct Install: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "install", abstract: "Take the certificate that an authority has made from the request.",
      discussion: """
        FILE is PEM: the certificate, and those between it and its authority. What does not fit this host's key, has no \
        unbroken chain or is out of its time is refused. A running host uses it from the next connection on.
        """)

    @OptionGroup var place: Place
    @Flag(help: "JSON instead of a table.") var json = false
    @Argument(help: "The certificate and its chain.", completion: .file(extensions: ["pem", "crt"]))
    var file: String

    func run() async throws {
      let store = try place.store()
      let identity = try attempt { () throws(SecurityError) in
        let pem: [UInt8]
        do throws(SmallFile.Failure) { pem = try SmallFile.read(file) } catch { throw SecurityError(error.description) }
        do throws(SecurityError) {
          return try store.install(pem: pem, now: Clock.unixMilliseconds() / 1000)
        } catch {
          throw SecurityError("\(file): \(error)")
        }
      }
      try Output(json: json).show(store, identity)
    }
  }
}

private func attempt<Result>(_ body: () throws(SecurityError) -> Result) throws -> Result {
  do throws(SecurityError) { return try body() } catch { throw CommandFailure(error.description) }
}

extension Output {
  fileprivate func show(_ store: IdentityStore, _ identity: HostIdentity) throws {
    let own = identity.certificate
    let state = ExpiryWatch.state(until: own.notAfter, now: Clock.unixMilliseconds() / 1000)
    let tone: Table.Tone =
      switch state {
      case .good: .good
      case .expiring: .warning
      case .expired: .bad
      }
    let words = ["good": "", "expiring": ", expires soon", "expired": ", has expired"]["\(state)"] ?? ""
    let ski = Fingerprint.text(own.keyIdentifier).filter { $0 != ":" }.lowercased()
    let table = Table(facts: [
      ("subject", Table.Cell(own.subject)),
      ("issuer", Table.Cell(identity.isSelfSigned ? "itself" : own.issuer)),
      ("valid", Table.Cell("\(UTCDate.text(own.notBefore)) to \(UTCDate.text(own.notAfter))\(words)", tone)),
      ("names", Table.Cell(own.names.joined(separator: ", "))),
      ("fingerprint", Table.Cell(Fingerprint.text(own.fingerprint))),
      ("ski", Table.Cell(ski)),
      ("certificate", Table.Cell(store.certificate)),
    ])
    let json: JSONValue = [
      "subject": .string(own.subject), "issuer": .string(own.issuer), "self_signed": .boolean(identity.isSelfSigned),
      "not_before": .integer(own.notBefore * 1000), "not_after": .integer(own.notAfter * 1000), "state": .string("\(state)"),
      "names": .array(own.names.map { .string($0) }), "fingerprint": .string(Fingerprint.text(own.fingerprint)),
      "ski": .string(ski), "chain": .array(identity.chain.dropFirst().map { .string($0.subject) }),
      "certificate": .string(store.certificate),
    ]
    try show(table, json: json)
  }
}
