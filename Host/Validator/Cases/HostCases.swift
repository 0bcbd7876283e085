// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins

/// Hosts that are older, poorer or newer than this one (contract, section 6).
let hostCases: [CheckCase] = [
  CheckCase("oldest-host", .hosts, "It works with a host whose tables are as long as in the first 0.1, and reads nothing behind them.") { bench in
    try await Rules.exercise(bench) { $0.shape = .oldest }
  },
  CheckCase("no-optional-service", .hosts, "It works with a host that offers only the services that its manifest requires.") { bench in
    let required = Set(try bench.manifest().requires)
    try await Rules.exercise(bench) { $0.shape = .only(required) }
  },
  CheckCase("longer-tables", .hosts, "It works with a host to come, whose tables are longer.") { bench in
    try await Rules.exercise(bench) { $0.shape = .longer }
  },
]
