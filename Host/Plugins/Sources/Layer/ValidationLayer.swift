// SPDX-License-Identifier: Apache-2.0

internal import BusbarSystem
internal import CLinux
internal import Glibc
internal import PluginAPI
internal import Synchronization

/// Stands between the host and one plugin and looks at both sides of every call: what the plugin does with what it was
/// lent, when and from where it calls the host, what it hands over. For the validator; a host in service never installs it.
/// One plugin and one adapter a process.
package enum ValidationLayer {
  /// A rule of SPEC.md that the plugin broke. `rule` is the name of the validator's case that is about it.
  package struct Violation: Sendable, Hashable {
    package var rule: String
    package var text: String
  }

  /// How the host looks to the plugin.
  package enum HostShape: Sendable, Equatable {
    case whole
    /// Tables as long as in the first release of this minor version, with nothing readable behind them.
    case oldest
    /// Tables of a host to come: longer, with other things behind.
    case longer
    /// No service but these.
    case only(Set<String>)
  }

  /// What happens to memory that was lent for a call.
  package enum Lending: Sendable, Equatable {
    case plain
    /// Unreadable once the call has returned.
    case poisoned
    /// Texts and lists end where readable memory ends.
    case unterminated
  }

  package struct Settings: Sendable {
    package var shape = HostShape.whole
    package var lending = Lending.plain
    /// Signals, locale, working directory, environment, umask are compared around each call.
    package var watchesProcess = false
    /// The adapter under test.
    package var adapter: String

    package init(adapter: String) { self.adapter = adapter }
  }

  struct Frame {
    var token: UInt64
    var deadline: Int64
    var slot: String
    var due: Set<UInt32> = []
    var answered: Set<UInt32> = []
    /// Batches that were lent in this call and not committed.
    var lent = 0
    /// Bad ones and those that the host refused to lend.
    var refusedBatch = false
    var link: UInt32 { UInt32(token >> 32) }
  }

  struct Declared {
    var device: UInt32
    var name: String
    var type: UInt16
    var labels: Int
  }

  struct State {
    var settings = Settings(adapter: "")
    var installed = false
    var failing: Set<String> = []
    var violations: [Violation] = []
    /// The call that runs on each thread.
    var frames: [UInt: Frame] = [:]
    /// By link and point.
    var points: [UInt32: [UInt32: Declared]] = [:]
    var asked: Set<String> = []
    /// Links whose plugin knows of a connection.
    var connected: Set<UInt32> = []
    var overrun = Int64.min
    /// Descriptors that were lent, by link, and what they lead to.
    var descriptors: [UInt32: [Int32: DescriptorTarget]] = [:]
  }

  static let state = Mutex(State())

  /// Before the plugin is loaded.
  package static func install(_ settings: Settings) {
    state.withLock {
      $0.settings = settings
      $0.installed = true
    }
  }

  /// Host slots that fail from now on: `stream.open`, `declare_points`, `batch_begin` (gives NULL), …
  package static func fail(_ slots: Set<String>) { state.withLock { $0.failing = slots } }

  package static var violations: [Violation] { state.withLock { $0.violations } }

  /// Ids of the services that the plugin asked for.
  package static var askedServices: Set<String> { state.withLock { $0.asked } }

  /// By how much the latest call overran its deadline, nanoseconds, since this was asked last; below 0 = none did.
  package static func takeOverrun() -> Int64 {
    state.withLock { state in
      defer { state.overrun = .min }
      return state.overrun
    }
  }

  static func note(_ rule: String, _ text: String) {
    state.withLock { state in
      let violation = Violation(rule: rule, text: text)
      if state.violations.count < 64, !state.violations.contains(violation) { state.violations.append(violation) }
    }
  }

  static var thread: UInt { UInt(pthread_self()) }

  static func isFailing(_ slot: String) -> Bool { state.withLock { $0.failing.contains(slot) } }

  /// Runs one call into the plugin with everything watched. `kept` is what was lent for it.
  static func run(
    _ slot: String, _ call: UnsafePointer<bb_call_t>, due: [UInt32] = [], _ lending: Lent, _ body: (UnsafePointer<bb_call_t>) -> bb_status_t
  ) -> bb_status_t {
    let (token, deadline) = unsafe (call.pointee.token, call.pointee.deadline_ns)
    let watches = state.withLock { state in
      state.frames[thread] = Frame(token: token, deadline: deadline, slot: slot, due: Set(due))
      return state.settings.watchesProcess
    }
    let before = watches ? ProcessFacts() : nil
    let status = unsafe body(lending.copy(call.pointee))
    if let before { for change in ProcessFacts().changes(since: before) { note("leaves-process-alone", "\(slot) changed \(change)") } }
    for number in closedDescriptors(of: UInt32(token >> 32)) {
      note("opens-nothing-itself", "\(slot) closed descriptor \(number), which was lent: closing it is the host's")
    }
    let frame = state.withLock { state in
      if slot == "close" {
        state.points[UInt32(token >> 32)] = nil
        state.descriptors[UInt32(token >> 32)] = nil
        state.connected.remove(UInt32(token >> 32))
      }
      return state.frames.removeValue(forKey: thread)
    }
    lending.end()
    let over = Clock.boot() - deadline
    state.withLock { $0.overrun = max($0.overrun, over) }
    if let frame { judge(frame, status) }
    return status
  }

  private static func judge(_ frame: Frame, _ status: bb_status_t) {
    if frame.lent > 0 { note("batches-committed", "\(frame.slot) returned with a batch that it did not commit") }
    // What there was no time for may be left out.
    if status >= 0, frame.slot == "poll", !frame.refusedBatch, Clock.boot() < frame.deadline {
      let missing = frame.due.subtracting(frame.answered)
      let names = state.withLock { state in
        missing.sorted().map { state.points[frame.link]?[$0]?.name ?? "\($0)" }
      }
      if !names.isEmpty {
        note("every-due-point-answered", "poll ended well and left out \(names.joined(separator: ", ")), which were due")
      }
    }
    let isPending = frame.slot == "command" && status == bb_status_t(BB_PENDING)
    if status > 0, !isPending { note("status-known", "\(frame.slot) returned \(status), which is no status of \(HostABI.text)") }
  }

  /// [link]: on the thread of a call of this link.
  static func needsLink(_ slot: String, _ link: UInt32) {
    guard let frame = state.withLock({ $0.frames[thread] }) else {
      return note("tags-obeyed", "\(slot) is [link] and was called from a thread that is in no call")
    }
    if frame.link != link { note("tags-obeyed", "\(slot) was called for link \(link) inside a call of link \(frame.link)") }
  }

  /// [in-call]: on the thread that is inside this call, with it.
  static func needsCall(_ slot: String, _ call: UnsafePointer<bb_call_t>) {
    guard let frame = state.withLock({ $0.frames[thread] }) else {
      return note("tags-obeyed", "\(slot) is [in-call] and was called from a thread that is in no call")
    }
    if unsafe frame.token != call.pointee.token { note("tags-obeyed", "\(slot) was called with another call than the running one") }
  }
}
