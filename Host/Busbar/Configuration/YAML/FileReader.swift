// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// Reads small files, with sentences for what goes wrong.
enum FileReader {
  enum Failure: Error {
    case missing
    case notAFile
    case forbidden
    case tooLarge(Int)
    case other(String)

    var sentence: String {
      switch self {
      case .missing: "there is no such file"
      case .notAFile: "this is not a regular file"
      case .forbidden: "the file may not be read by this user"
      case .tooLarge(let count): "the file has \(count) bytes, which is too much"
      case .other(let text): "the file cannot be read: \(text)"
      }
    }
  }

  struct Attributes {
    var size: Int
    /// Permission bits, 0o640.
    var mode: Int
  }

  /// Of the file that a link points to.
  static func attributes(_ path: String) -> Result<Attributes, Failure> {
    let target = URL(filePath: path).resolvingSymlinksInPath().path
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: target)
      guard let type = attributes[.type] as? FileAttributeType, type == .typeRegular else { return .failure(.notAFile) }
      guard let size = attributes[.size] as? NSNumber, let mode = attributes[.posixPermissions] as? NSNumber else {
        return .failure(.other("its size and permissions are not known"))
      }
      return .success(Attributes(size: size.intValue, mode: mode.intValue))
    } catch {
      return .failure(failure(error))
    }
  }

  static func read(_ path: String, limit: Int) -> Result<[UInt8], Failure> {
    switch attributes(path) {
    case .failure(let failure): return .failure(failure)
    case .success(let attributes) where attributes.size > limit: return .failure(.tooLarge(attributes.size))
    case .success: break
    }
    do {
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
      return bytes.count > limit ? .failure(.tooLarge(bytes.count)) : .success(bytes)
    } catch {
      return .failure(failure(error))
    }
  }

  static func isDirectory(_ path: String) -> Bool {
    var directory = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &directory) && directory
  }

  /// Names in a directory, in order. Nil where it cannot be read.
  static func names(in directory: String) -> [String]? {
    try? FileManager.default.contentsOfDirectory(atPath: directory).sorted()
  }

  /// The path itself where it is absolute, else below the folder.
  static func path(_ path: String, below folder: String) -> String {
    path.hasPrefix("/") || folder.isEmpty ? path : folder + "/" + path
  }

  /// The folder of a file: "/etc/busbar" of "/etc/busbar/busbar.yaml", "." of "busbar.yaml".
  static func folder(of file: String) -> String {
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return slash == file.startIndex ? "/" : String(file[..<slash])
  }

  private static func failure(_ error: any Error) -> Failure {
    guard let error = error as? CocoaError else { return .other("\(error)") }
    return switch error.code {
    case .fileReadNoSuchFile, .fileNoSuchFile: .missing
    case .fileReadNoPermission: .forbidden
    default: .other("error \(error.code.rawValue)")
    }
  }
}
