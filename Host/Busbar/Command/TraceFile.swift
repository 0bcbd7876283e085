// SPDX-License-Identifier: Apache-2.0

import BusbarModel
import BusbarSystem
import Glibc

/// A trace that is to be played, from a file.
enum TraceFile {
  /// Throws a `CommandFailure` with file and line.
  static func read(_ path: String) throws -> Trace {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw CommandFailure("\(path) cannot be read: \(systemError(errno))") }
    let descriptor = Descriptor(owning: number)
    var bytes: [UInt8] = []
    loop: while bytes.count <= Trace.fileLimit {
      switch descriptor.read(into: &bytes, upTo: 65_536) {
      case .bytes: continue
      case .closed: break loop
      case .wouldBlock: _ = Poll.wait([(number, .read)], until: nil)
      case .failed(let code): throw CommandFailure("\(path) cannot be read: \(systemError(code))")
      }
    }
    do throws(TraceError) {
      return try TraceReader.read(bytes)
    } catch {
      throw CommandFailure(diagnostics: ["\(path):\(error.line > 0 ? "\(error.line):" : "") \(error.text)"])
    }
  }

  /// As simulate.h has it.
  static func document(_ trace: Trace) -> JSONValue {
    let frames = trace.frames.map { frame -> JSONValue in
      let content: (String, String) =
        switch frame.content {
        case .sent(let bytes): ("sent", TraceWriter.hex(bytes))
        case .received(let bytes): ("received", TraceWriter.hex(bytes))
        case .event(let event): ("event", event.word)
        }
      return .object(["ms": .number(Double(frame.time / 1_000) / 1_000), content.0: .string(content.1)])
    }
    return .object(["frames": .array(frames)])
  }
}
