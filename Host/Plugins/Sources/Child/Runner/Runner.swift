// SPDX-License-Identifier: Apache-2.0

internal import BusbarModel
internal import BusbarSystem
internal import Glibc
internal import Logging

/// `busbar runner`: a process with one plugin in it. It is started by the host, with the host's socket as descriptor 3 and the
/// plugin's file as 4, enters the sandbox before any code of the plugin runs, and does the host's calls until the socket ends.
package enum Runner {
  package static let word = "runner"
  /// By then each device has been met, nanoseconds.
  static let startLength: Int64 = 30_000_000_000
  /// Its exit code where the socket is gone.
  static let lostHost: Int32 = 120

  package static func run() -> Never {
    guard OwnProcess.isPacketSocket(3) else {
      let text = Array("busbar: the host starts `busbar runner` itself; it is of no use by hand\n".utf8)
      _ = Descriptor(owning: 2).write(text[...])
      OwnProcess.end(2)
    }
    OwnMemory.shareHeaps()
    // A signal to the whole group, from a terminal or the service manager, is for the host: it ends the children when
    // what they are for is done.
    for number in [SIGTERM, SIGINT, SIGHUP] { signal(number, SIG_IGN) }
    OwnProcess.leaveLastWords(Outlet.packet(.crashing(peak: 0)), socket: 3)
    // For good: closing is left to the end of the process.
    let socket = unsafe Unmanaged.passRetained(Descriptor(owning: 3)).takeUnretainedValue()
    RunnerTurns(socket).begin()
    // The process ends with its socket.
    while true { _ = BlockingQueue<Never>().next() }
  }

  /// Hands over the messages of a packet in order.
  static func read(
    _ packet: ArraySlice<UInt8>, _ descriptor: Descriptor?, _ take: (HostMessage) -> Void
  ) throws(MessageError) {
    switch try Packet.parse(packet) {
    case .file(let count):
      guard let bytes = descriptor?.content(count) else { throw MessageError(what: "it comes without its file") }
      var reader = MessageReader(bytes[...])
      take(try HostMessage(from: &reader))
    case .messages(var parts):
      while let part = try parts.next() {
        var reader = MessageReader(part)
        take(try HostMessage(from: &reader))
      }
    }
  }

  /// Sandbox, then the plugin: its constructors run behind the bars.
  static func begin(_ load: HostMessage.Load, _ outlet: Outlet) -> LoadedPlugin {
    do throws(SandboxFailure) {
      preload()
      try Sandbox.enter(load.sandbox, readable: 4)
    } catch {
      refuse(error.text, outlet)
    }
    let manifest = PluginManifest(id: load.id, version: load.version, adapters: load.adapters)
    let file = PluginFile(path: load.path, hash: "", manifest: manifest, copy: "/proc/self/fd/4")
    let plugin: LoadedPlugin
    do throws(PluginFile.Refusal) {
      plugin = try LoadedPlugin(file, logger: Logger(label: "plugin") { _ in OutletLog(outlet: outlet, link: 0) })
    } catch {
      refuse(error.message, outlet)
    }
    do throws(SandboxFailure) { try Sandbox.closeFiles() } catch { refuse(error.text, outlet) }
    outlet.send(.loaded)
    return plugin
  }

  /// What libraries would look for later, when no file can be opened any more: the unwinder and the time zone.
  private static func preload() {
    _ = unsafe dlopen("libgcc_s.so.1", RTLD_NOW)
    tzset()
  }

  private static func refuse(_ text: String, _ outlet: Outlet) -> Never {
    outlet.send(.refused(text))
    OwnProcess.end(1)
  }
}
