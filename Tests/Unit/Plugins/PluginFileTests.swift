// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import Foundation
import Testing

/// The broken plugins of Tests/ABI: each refused where it has to be, with a sentence.
@Suite(.timeLimit(.minutes(2)))
struct PluginFileTests {
  private func open(_ path: String, store: TemporaryDirectory) -> Result<PluginFile, PluginFile.Refusal> {
    do throws(PluginFile.Refusal) {
      return .success(try PluginFile(path: path, store: store.path, services: HostABI.services))
    } catch {
      return .failure(error)
    }
  }

  @Test func whatIsBrokenIsRefusedWithoutBeingExecuted() async throws {
    let built = try await Built.shared.value
    let broken = built.broken.filter { $0.stage == "check" }
    #expect(broken.count >= 25)
    for plugin in broken {
      let store = try TemporaryDirectory()
      guard case .failure(let refusal) = open(plugin.path, store: store) else {
        Issue.record("not refused: \(plugin.fault)")
        continue
      }
      #expect(refusal.message.count > 10, "\(plugin.fault)")
      #expect(!FileManager.default.fileExists(atPath: built.executed), "\(plugin.fault)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: store.path).isEmpty, "\(plugin.fault)")
    }
  }

  @Test func whatOnlyLoadingShowsIsRefusedThen() async throws {
    let broken = try await Built.shared.value.broken.filter { $0.stage == "load" }
    #expect(broken.count >= 5)
    for plugin in broken {
      let store = try TemporaryDirectory()
      let file = try open(plugin.path, store: store).get()
      do throws(PluginFile.Refusal) {
        _ = try LoadedPlugin(file, logger: quiet)
        Issue.record("loaded: \(plugin.fault)")
      } catch {
        #expect(error.message.count > 10, "\(plugin.fault)")
        // The private copy says nothing to a person.
        #expect(!error.message.contains(store.path), "\(plugin.fault)")
        if plugin.path.hasSuffix("unresolved.so") {
          #expect(error.message.contains(plugin.path))
          #expect(error.message.contains("a_function_that_no_library_has"))
        }
      }
    }
  }

  @Test func aGoodPluginIsCopiedAndHashed() async throws {
    let store = try TemporaryDirectory()
    let path = try await Built.shared.value.lineMeter
    let file = try open(path, store: store).get()
    #expect(try run("sha256sum", [path]).hasPrefix(file.hash))
    #expect(file.copy == "\(store.path)/\(file.hash).so")
    #expect(try bytes(ofFile: file.copy) == bytes(ofFile: path))
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.path) == ["\(file.hash).so"])
    let mode = try FileManager.default.attributesOfItem(atPath: file.copy)[.posixPermissions] as? Int
    #expect(mode == 0o555)
    #expect(try open(path, store: store).get().copy == file.copy)
  }

  /// What lies in the store under the right name may be something else: it is never loaded unseen.
  @Test func aDamagedCopyIsMadeAnew() async throws {
    let store = try TemporaryDirectory()
    let path = try await Built.shared.value.lineMeter
    let file = try open(path, store: store).get()
    try FileManager.default.removeItem(atPath: file.copy)
    try Data("not the plugin".utf8).write(to: URL(fileURLWithPath: file.copy))
    #expect(try open(path, store: store).get().copy == file.copy)
    #expect(try bytes(ofFile: file.copy) == bytes(ofFile: path))

    try FileManager.default.removeItem(atPath: file.copy)
    try FileManager.default.createSymbolicLink(atPath: file.copy, withDestinationPath: path)
    _ = try open(path, store: store).get()
    #expect(throws: (any Error).self) { try FileManager.default.destinationOfSymbolicLink(atPath: file.copy) }
  }

  @Test func aStoreThatOthersMayWriteIsRefused() async throws {
    let store = try TemporaryDirectory()
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: store.path)
    guard case .failure(let refusal) = open(try await Built.shared.value.lineMeter, store: store) else {
      Issue.record("the copy went where everybody may write")
      return
    }
    #expect(refusal.message.contains(store.path))
  }

  @Test func aStoreThatIsMissingIsASentence() async throws {
    let store = try TemporaryDirectory()
    let path = try await Built.shared.value.lineMeter
    #expect {
      try PluginFile(path: path, store: store.path + "/missing", services: HostABI.services)
    } throws: { ($0 as? PluginFile.Refusal)?.message.contains(store.path + "/missing") == true }
  }

  @Test func whatAHostDoesNotOfferIsNamed() async throws {
    let store = try TemporaryDirectory()
    let path = try await Built.shared.value.lineMeter
    #expect {
      try PluginFile(path: path, store: store.path, services: ["busbar.config/1"])
    } throws: { ($0 as? PluginFile.Refusal)?.message.contains("busbar.stream/1") == true }
  }

  @Test func aFileThatIsNotThere() throws {
    let store = try TemporaryDirectory()
    guard case .failure(let refusal) = open("/nowhere/x.so", store: store) else {
      Issue.record("a file that is not there was opened")
      return
    }
    #expect(refusal.message.contains("No such file"))
  }
}
