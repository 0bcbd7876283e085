// SPDX-License-Identifier: Apache-2.0

package import PluginJSON

/// What can be asked of a charger, in either version.
package enum Command: Equatable, Sendable {
  /// Any request with its payload, checked against its schema; the answer comes back.
  case call(action: String, payload: JSON)
  /// `charge.start`
  case start(connector: Int?, tag: String)
  /// `charge.stop`: the session of a connector, or the only one.
  case stop(connector: Int?, session: String? = nil)
  case unlock(connector: Int)
  case reset(isHard: Bool)
  /// `enabled`; connector 0 is the charger.
  case enable(Bool, connector: Int)
  /// A limit on the charger (connector 0) or a connector; `until` by the boot clock, nil is until released.
  case limit(Limit, connector: Int, until: Int64?)
  case release(connector: Int)
  /// Ask the charger to send something now.
  case trigger(String, connector: Int?)
  /// Bring the charger's list to this one.
  case tags(TagList)
  /// The charger's password for its next connections; 16 to 40 characters that can be printed.
  case password(String)
  /// The certificate that the charger asked for with SignCertificate; `use` is CertificateSigningUseEnumType, of 2.0.1 only.
  case certificate(CertificateChain, use: String?)
  /// Where the charger finds its central system, in one of its configuration slots (SetNetworkProfile, 2.0.1 only).
  case network(NetworkProfile)
  /// What boots are answered with.
  case registration(Registration.Status)
}

/// Why a command cannot be carried out: a sentence for whoever gave it.
package struct Refusal: Error, Equatable, Sendable {
  package var text: String
  /// The same command could be carried out at another time, or by another charger.
  package var isOfState = false

  var outcome: Outcome { isOfState ? .refused(text) : .invalid(text) }
}

/// What an installation decides about a charger.
package struct ChargerSettings: Equatable, Sendable {
  package var supply = Supply()
  /// What is left when nobody renews a limit.
  package var safe = Limit(current: 6)
  /// Which profile a limit of the whole charger becomes first; nil: `usual` with one connector, `station` with several.
  package var purpose: LimitPurpose?
  /// Ask the charger what is in force after a limit was set.
  package var verifiesLimits = true
  /// What the installation allows at most.
  package var most = Limit(current: 32)
  /// What a session costs; nil: nobody is told.
  package var tariff: Tariff?
  /// What the charger delivers at most, W.
  package var mostPower: Double = 400_000
  /// Milliseconds that a charger which has connected is left alone, before it is asked what it can do and how it is. A limit asks
  /// for what it can do at once, where that is not known.
  package var introduction: Int64 = 10_000
  /// Seconds.
  package var heartbeatInterval: Int64 = 300
  package var retryInterval: Int64 = 60
  /// Milliseconds that an answer may take.
  package var patience: Int64 = 30_000
  /// Milliseconds for the answer to a tag.
  package var tagPatience: Int64 = 10_000
  /// What a tag is where nobody answers in time.
  package var unanswered = TagInfo(.invalid)
  /// Milliseconds between documents of a running session.
  package var sessionInterval: Int64 = 60_000
  /// Refuse what differs from the schemas, also where it is harmless.
  package var isStrict = false
  package var registration = Registration.Status.accepted

  package init() {}
}
