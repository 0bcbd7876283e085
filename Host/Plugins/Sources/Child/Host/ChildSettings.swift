// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem

/// How children are started.
package struct ChildSettings: Sendable {
  /// The program that runs a plugin; nil = this one.
  package var program: String?
  /// Bytes of memory that a child may have of its own.
  package var memory: Int64
  /// Without Landlock a child runs all the same.
  package var allowWeak: Bool
  /// Highest version of Landlock that is used.
  package var landlock: Int
  /// Nanoseconds that loading a plugin may take.
  package var patience: Int64
  /// Nanoseconds between a call that hangs and the end of its child (contract, section 8).
  package var mercy: Int64
  /// What a child may take of the processor.
  package var processor: ProcessorWatch.Limit
  /// What calls the links: the thread that reads a child's answer does what comes of it.
  package var caller: TimedExecutor?

  package init(
    program: String? = nil, memory: Int64 = 192 << 20, allowWeak: Bool = false, landlock: Int = 6,
    patience: Int64 = 10_000_000_000, mercy: Int64 = 5_000_000_000, processor: ProcessorWatch.Limit = .init(),
    caller: TimedExecutor? = nil
  ) {
    self.program = program
    self.memory = memory
    self.allowWeak = allowWeak
    self.landlock = landlock
    self.patience = patience
    self.mercy = mercy
    self.processor = processor
    self.caller = caller
  }
}

/// Why a child did not come to life.
package enum ChildFailure: Error, Sendable, Equatable {
  /// The plugin, or the system, will not; trying again is of no use. A sentence.
  case refused(String)
  /// It died or hung on the way.
  case died(String)
}
