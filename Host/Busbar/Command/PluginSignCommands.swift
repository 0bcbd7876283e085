// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BusbarConfiguration
import BusbarConsole
import BusbarPlugins
import BusbarSystem
import Foundation

extension PluginCommand {
  struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key to sign plugins with.",
      discussion: "FILE gets the private key, which only this user can read; FILE.pub the public one, for trusted_keys of hosts.")

    @Argument(help: "Where the private key goes; must not exist.", completion: .file()) var file: String

    func run() throws {
      do throws(SigningKey.Failure) {
        let key = try SigningKey()
        let (secret, open) = try key.pem()
        try write(secret, file, 0o600)
        try write(open, "\(file).pub", 0o644)
        try? Output(json: false).lines([
          "private key: \(file)", "public key: \(file).pub", "for a host's plugins.trusted_keys: \(TrustedKey.text(key.publicKey))",
        ])
      } catch {
        throw CommandFailure(error.description)
      }
    }

    private func write(_ bytes: [UInt8], _ path: String, _ mode: UInt32) throws(SigningKey.Failure) {
      do throws(NewFile.Failure) { try NewFile.write(bytes, to: path, mode: mode) } catch {
        throw SigningKey.Failure(error.description)
      }
    }
  }

  struct Sign: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sign a plugin: FILE.so.sig is written beside it.",
      discussion: "The signature is plain Ed25519 over the file, 64 bytes, as openssl pkeyutl -sign -rawin makes it.")

    @Argument(help: "The plugin.", completion: .file(extensions: ["so"])) var file: String

    @Option(help: ArgumentHelp("The private key, PEM.", valueName: "file"), completion: .file()) var key: String

    func run() throws {
      let bytes: [UInt8]
      let pem: [UInt8]
      do throws(PluginFile.Refusal) {
        let inspection = try PluginInspection(path: file)
        if let objection = inspection.objection { throw PluginFile.Refusal(message: "\(file) is not signed: \(objection)") }
        bytes = try PluginInspection.read(file, limit: inspection.size)
        pem = try PluginInspection.read(key, limit: 65_536)
      } catch {
        throw CommandFailure(error.message)
      }
      let signer: SigningKey
      let signature: [UInt8]
      do throws(SigningKey.Failure) {
        signer = try SigningKey(pem: pem)
        signature = try signer.sign(bytes)
      } catch {
        throw CommandFailure("\(key): \(error)")
      }
      let path = file + PluginSignature.suffix
      do throws(NewFile.Failure) { try NewFile.replace(path, with: signature, mode: 0o644) } catch {
        throw CommandFailure(error.description)
      }
      try Output(json: false).lines(["\(path), by the key \(PluginSignature.fingerprint(signer.publicKey))"])
    }
  }
}
