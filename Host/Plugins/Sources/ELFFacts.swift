// SPDX-License-Identifier: Apache-2.0

/// What a person wants to know of a shared object before it is loaded: what it exports, what it needs, how it was linked.
/// Read without executing anything of it; every offset and count is bounded.
package struct ELFFacts: Sendable, Equatable {
  /// Names of the dynamic symbols that it defines, at most `listed` of them.
  package private(set) var exports: [String] = []
  /// How many there are in all.
  package private(set) var exportCount = 0
  /// Libraries that the loader brings along, as they are written in the file.
  package private(set) var needed: [String] = []
  /// Where the loader looks for them first (RPATH and RUNPATH).
  package private(set) var searchPaths: [String] = []
  package private(set) var hasTextRelocations = false
  /// Nil where the file does not say: then the system may make it executable.
  package private(set) var stackIsExecutable: Bool?
  /// The manifest takes memory in every process that loads the plugin.
  package private(set) var manifestIsLoaded = false

  static let listed = 256
  private static let symbolLimit = 200_000
  private static let dynamicLimit = 4_096
  private static let headerLimit = 256

  /// The ELF head has been checked by `ELFFile`.
  package init(_ file: [UInt8]) throws(ELFFile.Failure) {
    _ = try ELFFile(file)
    let reader = ELFFile.Reader(bytes: file)
    let table = try reader.u64(40)
    var sections: [ELFFile.Section] = []
    for index in 0..<Int(try reader.u16(60)) { sections.append(try ELFFile.Section(reader, at: table, index)) }
    let names = sections[Int(try reader.u16(62))]
    for section in sections {
      switch section.type {
      case ELFFile.Section.dynamicSymbols where section.link < sections.count:
        try symbols(reader, section, names: sections[section.link])
      case Self.dynamicType where section.link < sections.count:
        try dynamic(reader, section, names: sections[section.link])
      default: break
      }
      if try reader.string(in: names, at: section.name) == ".busbar.manifest" {
        manifestIsLoaded = section.flags & Self.allocated != 0
      }
    }
    try programHeaders(reader)
    exports.sort()
  }

  private static let dynamicType: UInt32 = 6
  private static let allocated: UInt64 = 2

  private mutating func symbols(_ reader: ELFFile.Reader, _ section: ELFFile.Section, names: ELFFile.Section) throws(ELFFile.Failure) {
    for index in 0..<min(Self.symbolLimit, section.size / ELFFile.Section.symbolSize) {
      let place = section.offset + index * ELFFile.Section.symbolSize
      let binding = try reader.slice(place + 4, 1).first.map { $0 >> 4 } ?? 0
      // Local (0) symbols are nobody's business; section index 0: used here, defined elsewhere.
      guard binding != 0, try reader.u16(place + 6) != 0 else { continue }
      exportCount += 1
      if exports.count < Self.listed { exports.append(try reader.string(in: names, at: Int(try reader.u32(place)))) }
    }
  }

  private mutating func dynamic(_ reader: ELFFile.Reader, _ section: ELFFile.Section, names: ELFFile.Section) throws(ELFFile.Failure) {
    for index in 0..<min(Self.dynamicLimit, section.size / 16) {
      let tag = try reader.u64(section.offset + index * 16)
      let value = try reader.u64(section.offset + index * 16 + 8)
      switch tag {
      case 0: return
      case 1: needed.append(try reader.string(in: names, at: Int(clamping: value)))
      case 15, 29: searchPaths.append(try reader.string(in: names, at: Int(clamping: value)))
      case 22: hasTextRelocations = true
      case 30 where value & 4 != 0: hasTextRelocations = true
      default: break
      }
    }
  }

  private mutating func programHeaders(_ reader: ELFFile.Reader) throws(ELFFile.Failure) {
    let table = Int(clamping: try reader.u64(32))
    let size = Int(try reader.u16(54))
    guard size >= 56, table < reader.bytes.count else { return }
    for index in 0..<min(Self.headerLimit, Int(try reader.u16(56))) {
      let place = table + index * size
      // PT_GNU_STACK; flag 1 is “executable”.
      if try reader.u32(place) == 0x6474_E551 { stackIsExecutable = try reader.u32(place + 4) & 1 != 0 }
    }
  }
}
