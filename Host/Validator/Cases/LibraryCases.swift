// SPDX-License-Identifier: Apache-2.0

internal import BusbarPlugins

/// What the file is like, and what loading it does.
let libraryCases: [CheckCase] = [
  CheckCase("one-export", .library, "The library exports its entry function and nothing else.", need: .file) { bench in
    let facts = try bench.facts()
    guard facts.exports == [HostABI.entry] else {
      let others = facts.exports.filter { $0 != HostABI.entry }.prefix(3).joined(separator: ", ")
      throw Finding.failed("it exports \(facts.exportCount) symbols (\(others), …): link with busbar.map as version script")
    }
  },
  CheckCase("no-text-relocations", .library, "Its code is not changed when it is loaded.", need: .file) { bench in
    if try bench.facts().hasTextRelocations { throw Finding.failed("it has text relocations: compile everything with -fPIC") }
  },
  CheckCase("no-executable-stack", .library, "It does not make the stacks of its process executable.", need: .file) { bench in
    switch try bench.facts().stackIsExecutable {
    case .some(false): return
    case .some(true): throw Finding.failed("it asks for an executable stack: link with -z noexecstack")
    case nil: throw Finding.failed("it does not say that it needs no executable stack: link with -z noexecstack")
    }
  },
  CheckCase("manifest-not-loaded", .library, "The manifest takes no memory where the plugin runs.", need: .file) { bench in
    if try bench.facts().manifestIsLoaded {
      throw Finding.failed("the section .busbar.manifest is loaded: put it in with BB_MANIFEST, or objcopy with the flag noload")
    }
  },
  CheckCase("needs-nothing-beside-it", .library, "It needs only libraries that every system has.", need: .file) { bench in
    let facts = try bench.facts()
    if !facts.searchPaths.isEmpty {
      throw Finding.failed("it looks for libraries in \(facts.searchPaths.joined(separator: ", ")), which other systems do not have")
    }
    let others = facts.needed.filter { !LibraryRules.everywhere.contains($0) }
    if !others.isEmpty {
      let isSwift = others.contains { $0.hasPrefix("libswift") }
      let advice = isSwift ? "link the runtime in (-static-stdlib)" : "link it in, or waive this where a package sees to it"
      throw Finding.failed("it needs \(others.joined(separator: ", ")), which not every system has: \(advice)")
    }
  },
  CheckCase("loads-now-local", .library, "It loads with all its symbols found and none given away.", need: .library) { bench in
    _ = try bench.probe(Finding.failed)
  },
  CheckCase("entry-under-100-ms", .library, "Loading it and asking its entry takes less than 100 ms.", need: .library, attempts: 3) { bench in
    let duration = try bench.probe().duration
    guard duration < 100_000_000 else {
      throw Finding.failed("it took \(duration / 1_000_000) ms: do the work in open, not in constructors")
    }
  },
  CheckCase("entry-starts-no-thread", .library, "Loading it starts no thread.", need: .library) { bench in
    let count = try bench.probe().threadsStarted
    if count > 0 { throw Finding.failed("it started \(count) threads while it was loaded") }
  },
  CheckCase("loading-is-quiet", .library, "Loading it opens no file and changes nothing of its process.", need: .library) { bench in
    let probe = try bench.probe()
    if probe.descriptorsOpened > 0 { throw Finding.failed("it left \(probe.descriptorsOpened) descriptors open") }
    if let change = probe.changes.first { throw Finding.failed("it changed \(change)") }
  },
  CheckCase("entry-twice", .library, "The entry answers the same each time.", need: .library) { bench in
    if !(try bench.probe().sameTwice) { throw Finding.failed("the second call gave another table") }
  },
  CheckCase("refuses-wrong-major", .library, "The entry answers NULL to a host of another major version.", need: .library) { bench in
    if try bench.probe().takesWrongMajor { throw Finding.failed("it handed its tables to a host that it was not built for") }
  },
  CheckCase("sizes-are-right", .library, "Every table says its own size, and reserved fields are 0.", need: .library) { bench in
    let wrong = try bench.probe().wrongSizes
    if let first = wrong.first { throw Finding.failed("wrong: \(first)") }
  },
  CheckCase("unknown-interface-is-null", .library, "An adapter answers NULL to interfaces that it does not know.", need: .library) { bench in
    let claimed = try bench.probe().claimed
    if let first = claimed.first { throw Finding.failed("it claims to have \(first): compare the whole id, length included") }
  },
]

enum LibraryRules {
  /// The C library and the runtimes of gcc, which every Debian has.
  static let everywhere: Set = [
    "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
    "libgcc_s.so.1", "libstdc++.so.6",
  ]
}

extension Bench {
  func facts() throws -> ELFFacts {
    guard let facts = inspection.facts else { throw Finding.failed(inspection.objection ?? "it is no shared library") }
    return facts
  }
}
