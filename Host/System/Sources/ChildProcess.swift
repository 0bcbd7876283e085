// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import CSandbox
internal import Glibc

/// A process that this one started: another run of the same program, with a socket for packets as descriptor 3 and a file
/// as 4, without anything else of this process. It ends with this process.
package final class ChildProcess: Sendable {
  package let id: Int32
  /// This end of the socket.
  package let socket: Descriptor
  /// What it writes to its standard output and error.
  package let output: Descriptor
  /// KiB: the system counts what the parent had, at the moment of the start, as had by the child.
  private let inherited: Int

  /// How a process ended.
  package struct End: Sendable, Equatable {
    /// The signal that ended it.
    package var signal: Int32?
    /// Else its exit code.
    package var code: Int32
    /// The most memory that it had, bytes, as the system counts; 0 where it had no more than its parent.
    package var peak: Int64
    /// It was ended by force.
    package var isKill: Bool { signal == SIGKILL }
  }

  package struct Failure: Error, Sendable {
    /// A sentence.
    package var text: String
  }

  /// `program`: nil = the one that runs here, also where its file was replaced meanwhile.
  package init(program: String? = nil, arguments: [String], environment: [String], file: Descriptor) throws(Failure) {
    var pair: [Int32] = [-1, -1]
    guard unsafe busbar_packet_pair(&pair) == 0 else { throw Self.failure("no socket") }
    let own = Descriptor(owning: pair[0])
    let socket = try Self.above(Descriptor(owning: pair[1]))
    var ends: [Int32] = [-1, -1]
    guard unsafe busbar_pipe(&ends) == 0 else { throw Self.failure("no pipe") }
    output = Descriptor(owning: ends[0])
    let write = try Self.above(Descriptor(owning: ends[1]))
    let number = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
    guard number >= 0 else { throw Self.failure("/dev/null") }
    let null = try Self.above(Descriptor(owning: number))
    let file = try Self.above(file)
    id = try Spawner.shared.spawn(
      program ?? "/proc/self/exe", arguments, environment, null.number, write.number, socket.number, file.number)
    self.socket = own
    inherited = busbar_own_peak_kilobytes()
    // In the order in which they are wanted: the child's ends close here.
    withExtendedLifetime((null, write, socket, file)) {}
  }

  /// Ends it now; harmless where it has ended, until `wait`.
  package func kill() { Glibc.kill(id, SIGKILL) }

  /// Waits where it is on its way out; false where it lives on. Before `wait`.
  package func ends() -> Bool { busbar_ends(id) != 0 }

  /// Nanoseconds of processor that all its threads have used (clock_getcpuclockid(3)); nil once it is gone.
  package var processorTime: Int64? {
    var clock = clockid_t()
    var time = timespec()
    guard unsafe clock_getcpuclockid(id, &clock) == 0, unsafe clock_gettime(clock, &time) == 0 else { return nil }
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Waits for its end and forgets it. Once.
  package func wait() -> End {
    var status: Int32 = 0
    var peak = 0
    guard unsafe busbar_wait(id, &status, &peak) == 0 else { return End(signal: nil, code: 0, peak: 0) }
    let signal = status & 0x7F
    return End(signal: signal == 0 ? nil : signal, code: (status >> 8) & 0xFF, peak: peak > inherited ? Int64(peak) << 10 : 0)
  }

  private static func above(_ descriptor: Descriptor) throws(Failure) -> Descriptor {
    let number = busbar_dup_above(descriptor.number, 16)
    guard number >= 0 else { throw failure("no descriptor") }
    return Descriptor(owning: number)
  }

  private static func failure(_ what: String) -> Failure { Failure(text: "\(what): \(systemError(errno))") }
}

/// Starts all children. The system ends a child with the thread that started it (PR_SET_PDEATHSIG), so this one stays.
private final class Spawner: Sendable {
  static let shared = Spawner()

  private let queue = BlockingQueue<@Sendable () -> Void>()

  private init() {
    WorkThread.start(name: "spawn", stack: 256 << 10) { [queue] in
      while let work = queue.next() { work() }
    }
  }

  func spawn(
    _ program: String, _ arguments: [String], _ environment: [String], _ null: Int32, _ output: Int32, _ socket: Int32, _ file: Int32
  ) throws(ChildProcess.Failure) -> Int32 {
    let answer = BlockingQueue<(code: Int32, id: Int32)>()
    queue.add {
      var id: Int32 = 0
      let code = unsafe withTexts(arguments) { arguments in
        unsafe withTexts(environment) { environment in
          unsafe busbar_spawn(program, arguments, environment, null, output, socket, file, &id)
        }
      }
      answer.add((code, id))
    }
    guard let (code, id) = answer.next() else { throw ChildProcess.Failure(text: "no child") }
    guard code == 0 else { throw ChildProcess.Failure(text: "no child process: \(systemError(code))") }
    return id
  }
}

/// As a list that ends with nil.
private func withTexts<Result>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result) -> Result {
  var list = unsafe texts.map { unsafe strdup($0) }
  defer { unsafe list.forEach { unsafe free($0) } }
  unsafe list.append(nil)
  return unsafe body(list)
}
