// SPDX-License-Identifier: Apache-2.0

/// FNV-1a, 32 bits: the same at each start and on each machine, unlike Swift's own. For names and places, not for security.
package enum StableHash {
  package static func of(_ text: String) -> UInt32 {
    text.utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }
}
