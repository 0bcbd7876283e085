// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A directory that only its owner enters, in the hands of one process at a time for as long as this object lives. A file
/// in it appears whole or not at all, on disk, also when the process is killed or the power goes.
package final class PrivateDirectory {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    package var description: String
  }

  package let path: String
  private let descriptor: Descriptor
  private let owner: (user: uid_t, group: gid_t)

  /// Makes it with mode 0700 where it is missing; whoever owns the directory above it owns it too. Waits for another
  /// process that has it.
  package init(_ path: String) throws(Failure) {
    self.path = path
    var above = Glibc.stat()
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    guard unsafe stat(parent.isEmpty ? "/" : parent, &above) == 0 else { throw Self.failure(path, "made", errno) }
    owner = (above.st_uid, above.st_gid)
    let made = unsafe mkdir(path, 0o700) == 0
    guard made || errno == EEXIST else { throw Self.failure(path, "made", errno) }
    let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { throw Self.failure(path, "opened", errno) }
    descriptor = Descriptor(owning: number)
    // What root makes for the host has to stay the host's.
    if made, geteuid() == 0 { fchown(number, owner.user, owner.group) }
    var facts = Glibc.stat()
    guard unsafe fstat(number, &facts) == 0 else { throw Self.failure(path, "opened", errno) }
    guard facts.st_mode & 0o077 == 0 || fchmod(number, 0o700) == 0 else { throw Self.failure(path, "made private", errno) }
    while flock(number, LOCK_EX) != 0 { guard errno == EINTR else { throw Self.failure(path, "locked", errno) } }
  }

  /// Puts a file of mode 0600 in the place of what had the name before.
  package func write(_ name: String, _ bytes: [UInt8]) throws(Failure) {
    let draft = "\(name).part"
    // Of a process that was killed: there is no other one now.
    unsafe unlinkat(descriptor.number, draft, 0)
    let number = unsafe busbar_create_at(descriptor.number, draft, 0o600)
    guard number >= 0 else { throw Self.failure("\(path)/\(name)", "written", errno) }
    let file = Descriptor(owning: number)
    if geteuid() == 0 { fchown(number, owner.user, owner.group) }
    var rest = bytes[...]
    while !rest.isEmpty {
      guard case .bytes(let count) = file.write(rest) else { throw Self.failure("\(path)/\(name)", "written", errno) }
      rest = rest.dropFirst(count)
    }
    guard fsync(number) == 0, unsafe renameat(descriptor.number, draft, descriptor.number, name) == 0, fsync(descriptor.number) == 0
    else { throw Self.failure("\(path)/\(name)", "written", errno) }
  }

  private static func failure(_ path: String, _ what: String, _ code: Int32) -> Failure {
    Failure(description: "\(path) cannot be \(what): \(systemError(code))")
  }
}
