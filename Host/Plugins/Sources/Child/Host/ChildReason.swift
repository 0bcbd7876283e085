// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import Glibc

/// Why a child ended, in a sentence for a person.
enum ChildReason {
  static let closed = "the plugin closed its connection to the host"

  /// `said`: the last line that it wrote to standard error.
  static func sentence(_ end: ChildProcess.End, said: String, memory: Int64) -> String {
    if end.signal == nil, end.code == Runner.lostHost { return closed }
    var text =
      if let signal = end.signal { "the plugin's process crashed (\(name(signal)))" } else {
        "the plugin ended its process with code \(end.code)"
      }
    // An allocation that fails ends most programs, one way or another.
    if end.peak >= memory / 10 * 7 {
      text += "; it had used \(end.peak >> 20) MiB of memory, of the \(memory >> 20) MiB that it may (plugins.memory)"
    }
    return said.isEmpty ? text : "\(text): \(said)"
  }

  private static func name(_ signal: Int32) -> String {
    switch signal {
    case SIGSEGV: "segmentation fault"
    case SIGBUS: "bus error"
    case SIGABRT: "abort"
    case SIGILL, SIGTRAP: "trap"
    case SIGFPE: "arithmetic error"
    case SIGKILL: "killed from outside, as the system does when memory runs out"
    case SIGSYS: "forbidden system call"
    default: "signal \(signal)"
    }
  }
}
