// SPDX-License-Identifier: Apache-2.0

import BusbarPlugins
import Foundation
import Testing

/// The broken plugins of Tests/ABI: each refused where it has to be, with a sentence.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct PluginFileTests {
  static let broken = (try? Built.shared.get().broken) ?? []
  static let checked = broken.filter { $0.stage == "check" }
  static let loading = broken.filter { $0.stage == "load" }

  private func open(_ path: String, store: TemporaryDirectory) -> Result<PluginFile, PluginFile.Refusal> {
    do throws(PluginFile.Refusal) {
      return .success(try PluginFile(path: path, store: store.path, services: HostABI.services))
    } catch {
      return .failure(error)
    }
  }

  @Test func thereAreBrokenPlugins() throws {
    let built = try Built.shared.get()
    #expect(built.broken.count { $0.stage == "check" } >= 25)
    #expect(built.broken.count { $0.stage == "load" } >= 5)
  }

  @Test(arguments: checked)
  func isRefusedWithoutBeingExecuted(plugin: Built.Broken) throws {
    let store = try TemporaryDirectory()
    guard case .failure(let refusal) = open(plugin.path, store: store) else {
      Issue.record("\(plugin.path) was not refused")
      return
    }
    #expect(refusal.message.count > 10)
    #expect(!FileManager.default.fileExists(atPath: try Built.shared.get().executed))
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.path).isEmpty)
  }

  @Test(arguments: loading)
  func isRefusedWhenItIsLoaded(plugin: Built.Broken) throws {
    let store = try TemporaryDirectory()
    let file = try open(plugin.path, store: store).get()
    do throws(PluginFile.Refusal) {
      _ = try LoadedPlugin(file, logger: quiet)
      Issue.record("\(plugin.path) was loaded")
    } catch {
      #expect(error.message.count > 10)
      // The private copy says nothing to a person.
      #expect(!error.message.contains(store.path))
      #expect(!error.message.contains(": : "))
      if plugin.path.hasSuffix("unresolved.so") {
        #expect(error.message.contains(plugin.path))
        #expect(error.message.contains("a_function_that_no_library_has"))
      }
    }
  }

  @Test func aGoodPluginIsCopiedAndHashed() throws {
    let store = try TemporaryDirectory()
    let path = try Built.shared.get().lineMeter
    let file = try open(path, store: store).get()
    #expect(try run("sha256sum", [path]).hasPrefix(file.hash))
    #expect(file.copy == "\(store.path)/\(file.hash).so")
    #expect(try bytes(ofFile: file.copy) == bytes(ofFile: path))
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.path) == ["\(file.hash).so"])
    let mode = try FileManager.default.attributesOfItem(atPath: file.copy)[.posixPermissions] as? Int
    #expect(mode == 0o500)
    #expect(try open(path, store: store).get().copy == file.copy)
  }

  /// What lies in the store under the right name may be something else: it is never loaded unseen.
  @Test func aDamagedCopyIsMadeAnew() throws {
    let store = try TemporaryDirectory()
    let path = try Built.shared.get().lineMeter
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

  @Test func aStoreThatOthersMayWriteIsRefused() throws {
    let store = try TemporaryDirectory()
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: store.path)
    guard case .failure(let refusal) = open(try Built.shared.get().lineMeter, store: store) else {
      Issue.record("the copy went where everybody may write")
      return
    }
    #expect(refusal.message.contains(store.path))
  }

  @Test func aStoreThatIsMissingIsASentence() throws {
    let store = try TemporaryDirectory()
    #expect {
      try PluginFile(path: Built.shared.get().lineMeter, store: store.path + "/missing", services: HostABI.services)
    } throws: { ($0 as? PluginFile.Refusal)?.message.contains(store.path + "/missing") == true }
  }

  @Test func whatAHostDoesNotOfferIsNamed() throws {
    let store = try TemporaryDirectory()
    #expect {
      try PluginFile(path: Built.shared.get().lineMeter, store: store.path, services: ["busbar.config/1"])
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
