// SPDX-License-Identifier: Apache-2.0

package import BusbarOpenSSL
internal import BusbarSystem

/// Whom a connection believes to be at its far end: who an authority has vouched for under a name, or the holder of one
/// very certificate. There is no third way.
package enum PeerTrust: Sendable {
  /// `file` is where the authorities come from, for messages; nil = the system's.
  case authorities(TrustStore, file: String?, name: String)
  /// A client that an authority of the file has vouched for, whatever its name.
  case clients(of: TrustStore, file: String)
  /// SHA-256 of the certificate. Its name, dates and issuer do not matter: the person compared it.
  case fingerprint([UInt8])

  /// Nil where the far end is believed; else a sentence that follows the far end's address.
  package func objection(to chain: [Certificate]) -> String? {
    guard let leaf = chain.first else { return "shows no certificate" }
    switch self {
    case .fingerprint(let wanted):
      guard leaf.fingerprint != wanted else { return nil }
      return "shows the certificate \(Fingerprint.text(leaf.fingerprint)), not the one of tls.fingerprint: "
        + "was the device replaced or given a new certificate? Compare at the device, then change tls.fingerprint"
    case .authorities(let store, let file, let name):
      return Self.sentence(store.judge(chain, as: .server(name: name)), leaf, file, name)
    case .clients(let store, let file):
      let verdict = store.judge(chain, as: .client)
      guard verdict != .unknownAuthority else {
        return "shows a certificate of \"\(leaf.issuer)\", which is no authority in \(file)"
      }
      return Self.sentence(verdict, leaf, file, "")
    }
  }

  private static func sentence(_ verdict: TrustStore.Verdict, _ leaf: Certificate, _ file: String?, _ name: String) -> String? {
    switch verdict {
    case .trusted: return nil
    case .unknownAuthority:
      let authorities = file.map { "an authority in \($0) (tls.ca)" } ?? "an authority that this system knows (tls.ca is not set)"
      return "shows a certificate that does not come from \(authorities), but from \"\(leaf.issuer)\": set tls.ca to a file "
        + "with its authority, or tls.fingerprint to \(Fingerprint.text(leaf.fingerprint)) once you have compared it at the device"
    case .wrongName:
      let names = leaf.names.isEmpty ? leaf.subject : leaf.names.prefix(8).joined(separator: ", ")
      return "shows a certificate for \(names), not for \(name): set tls.name to the name of the device, if it is the right one"
    case .expired:
      return "shows a certificate that expired on \(day(leaf.notAfter)), or whose authority's has: renew it at the device, "
        + "and check this machine's clock"
    case .notYetValid:
      return "shows a certificate that is valid from \(day(leaf.notBefore)) on: check the clocks of the device and of this machine"
    case .other(let reason): return "shows a certificate that cannot be believed (\(reason))"
    }
  }

  private static func day(_ time: Int64) -> String { UTCDate.text(time) }
}

/// SHA-256 fingerprints as people compare them: `AB:CD:…`, 32 pairs of hex digits.
package enum Fingerprint {
  package static func text(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let text = String(byte, radix: 16, uppercase: true)
      return text.count == 1 ? "0" + text : text
    }.joined(separator: ":")
  }
}
