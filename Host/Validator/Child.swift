// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Foundation

/// A process that is ended with its owner.
final class Child {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private let process = Process()
  private let output = Pipe()
  private var pending: [UInt8] = []

  /// `input` nil = the process reads nothing; `isHeard` false = nobody reads what it says.
  init(_ program: String, _ arguments: [String], folder: String?, input: Data?, isHeard: Bool = true) throws(Failure) {
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    // A crash is a verdict; collecting symbols would only hold it up. What threads keep back of the heap (malloc's tcache) would
    // count as held and come and go with them.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "SWIFT_BACKTRACE": "enable=no", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    ]) { $1 }
    if let folder { process.currentDirectoryURL = URL(filePath: folder) }
    process.standardOutput = isHeard ? output : FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let source = Pipe()
    process.standardInput = input == nil ? FileHandle.nullDevice : source
    do {
      try process.run()
      if let input {
        try source.fileHandleForWriting.write(contentsOf: input)
        try source.fileHandleForWriting.close()
      }
    } catch {
      throw Failure(description: "\(program) could not be started: \(error.localizedDescription)")
    }
  }

  /// The next line; nil at the end of the output, or when the time has come.
  func line(until deadline: Int64) -> String? {
    let number = output.fileHandleForReading.fileDescriptor
    while true {
      if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        defer { pending.removeSubrange(...end) }
        return String(decoding: pending[..<end], as: UTF8.self)
      }
      guard pending.count < 1 << 20, Clock.boot() < deadline else { return nil }
      if Poll.wait([(number, .read)], until: deadline)[0].isEmpty { return nil }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { return nil }
      pending += more
    }
  }

  var hasEnded: Bool { !process.isRunning }

  /// How it ended, in words.
  func ending() -> String {
    let deadline = Clock.boot() + 5_000_000_000
    while process.isRunning, Clock.boot() < deadline { _ = Poll.wait([], until: Clock.boot() + 5_000_000) }
    guard !process.isRunning else { return "it closed its output and went on" }
    let status = process.terminationStatus
    guard process.terminationReason == .uncaughtSignal else { return "it ended with exit code \(status)" }
    let names: [Int32: String] = [
      SIGSEGV: "SIGSEGV, it touched memory that it does not have", SIGABRT: "SIGABRT, it gave up", SIGILL: "SIGILL, a trap",
      SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGTRAP: "SIGTRAP", SIGKILL: "SIGKILL", SIGPIPE: "SIGPIPE", SIGTERM: "SIGTERM",
    ]
    return "it was ended by \(names[status] ?? "signal \(status)")"
  }

  func end() {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    // Not for ever: what a plugin has started may keep alive what Foundation waits for.
    let deadline = Clock.boot() + 2_000_000_000
    while process.isRunning, Clock.boot() < deadline { _ = Poll.wait([], until: Clock.boot() + 2_000_000) }
  }
}
