// SPDX-License-Identifier: Apache-2.0

/// What the host needs to know of a shared object without executing anything of it. The file is hostile until checked:
/// every offset and count is bounded.
package struct ELFFile: Sendable {
  package struct Failure: Error, Sendable, Equatable {
    package var message: String
  }

  /// Largest manifest that is read, bytes.
  static let manifestLimit = 256 * 1024
  private static let sectionLimit = 8192
  private static let symbolLimit = 200_000

  /// The content of `.busbar.manifest`; nil where there is none.
  package let manifest: [UInt8]?
  /// Names of exported functions that begin with `busbar_plugin_v`.
  package let entries: [String]

  package init(_ file: [UInt8]) throws(Failure) {
    guard !file.isEmpty else { throw Failure(message: "the file is empty") }
    guard file.count >= 64, file[0] == 0x7F, file[1] == 0x45, file[2] == 0x4C, file[3] == 0x46 else {
      throw Failure(message: "this is no shared library (no ELF file)")
    }
    guard file[4] == 2, file[5] == 1 else {
      throw Failure(message: "this is no library for 64-bit little-endian systems")
    }
    let reader = Reader(bytes: file)
    let machine = try reader.u16(18)
    guard machine == Self.machine else {
      throw Failure(message: "it was built for \(Self.name(machine)), this host is \(Self.name(Self.machine))")
    }
    guard try reader.u16(16) == 3 else { throw Failure(message: "this is no shared library (ELF type is not DYN)") }

    let table = try reader.u64(40)
    let count = Int(try reader.u16(60))
    guard try reader.u16(58) == 64, count > 0, count <= Self.sectionLimit else {
      throw Failure(message: "it has no section table: build it without removing section headers")
    }
    var sections: [Section] = []
    for index in 0..<count { sections.append(try Section(reader, at: table, index)) }
    let namesIndex = Int(try reader.u16(62))
    guard namesIndex < count else { throw Failure(message: "its section names are missing") }
    let names = sections[namesIndex]

    var manifest: [UInt8]?
    var entries: [String] = []
    var symbols = 0
    for section in sections {
      if try reader.string(in: names, at: section.name) == ".busbar.manifest" {
        guard section.size <= Self.manifestLimit else {
          throw Failure(message: "its manifest is larger than \(Self.manifestLimit) bytes")
        }
        guard manifest == nil else { throw Failure(message: "it has two manifests") }
        manifest = try reader.content(of: section)
      }
      if section.type == Section.dynamicSymbols, section.link < count {
        symbols += section.size / Section.symbolSize
        guard symbols <= Self.symbolLimit else { throw Failure(message: "it has more than \(Self.symbolLimit) symbols") }
        entries += try Self.entries(reader, section, names: sections[Int(section.link)])
      }
    }
    self.manifest = manifest
    self.entries = entries
  }

  private static func entries(_ reader: Reader, _ symbols: Section, names: Section) throws(Failure) -> [String] {
    var found: [String] = []
    for index in 0..<symbols.size / Section.symbolSize {
      let place = symbols.offset + index * Section.symbolSize
      // Section index 0: used here, defined elsewhere.
      guard try reader.u16(place + 6) != 0 else { continue }
      let name = try reader.string(in: names, at: Int(try reader.u32(place)))
      if name.hasPrefix("busbar_plugin_v") { found.append(name) }
    }
    return found
  }

  struct Section {
    static let dynamicSymbols: UInt32 = 11
    /// Bytes of a table entry.
    static let symbolSize = 24
    let name: Int
    let type: UInt32
    let flags: UInt64
    let offset: Int
    let size: Int
    let link: Int

    init(_ reader: Reader, at table: UInt64, _ index: Int) throws(Failure) {
      guard table < UInt64(reader.bytes.count) else { throw Failure(message: "it is cut short: download or copy it again") }
      let place = Int(table) + index * 64
      _ = try reader.slice(place, 64)
      name = Int(try reader.u32(place))
      type = try reader.u32(place + 4)
      flags = try reader.u64(place + 8)
      // NULL (0) and NOBITS (8) occupy nothing in the file.
      offset = type == 0 || type == 8 ? 0 : Int(clamping: try reader.u64(place + 24))
      size = type == 0 || type == 8 ? 0 : Int(clamping: try reader.u64(place + 32))
      // So that no sum of the two can overflow.
      _ = try reader.slice(offset, size)
      link = Int(try reader.u32(place + 40))
    }
  }

  struct Reader {
    let bytes: [UInt8]

    func slice(_ place: Int, _ count: Int) throws(Failure) -> ArraySlice<UInt8> {
      guard place >= 0, count >= 0, place <= bytes.count, count <= bytes.count - place else {
        throw Failure(message: "it is cut short: download or copy it again")
      }
      return bytes[place..<place + count]
    }

    func number(_ place: Int, _ count: Int) throws(Failure) -> UInt64 {
      try slice(place, count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func u16(_ place: Int) throws(Failure) -> UInt16 { UInt16(try number(place, 2)) }
    func u32(_ place: Int) throws(Failure) -> UInt32 { UInt32(try number(place, 4)) }
    func u64(_ place: Int) throws(Failure) -> UInt64 { try number(place, 8) }

    func content(of section: Section) throws(Failure) -> [UInt8] { Array(try slice(section.offset, section.size)) }

    /// Names are cut at 64 bytes: longer ones are none that we look for.
    func string(in section: Section, at offset: Int) throws(Failure) -> String {
      guard offset < section.size else { throw Failure(message: "its names are damaged") }
      let rest = try slice(section.offset + offset, min(64, section.size - offset))
      return String(decoding: rest.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  #if arch(arm64)
    private static let machine: UInt16 = 183
  #else
    private static let machine: UInt16 = 62
  #endif

  private static func name(_ machine: UInt16) -> String {
    switch machine {
    case 62: "amd64"
    case 183: "arm64"
    case 40: "arm (32 bit)"
    case 3: "i386"
    case 243: "riscv"
    case let other: "machine \(other)"
    }
  }
}
