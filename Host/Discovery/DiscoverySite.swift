// SPDX-License-Identifier: Apache-2.0

package import BusbarModel
package import BusbarPlugins

/// An adapter that can search, and what it may recognise.
package struct SearchLanguage: Sendable, Equatable {
  package struct Template: Sendable, Equatable {
    package var kind: DeviceKind
    package var vendor: String

    package init(kind: DeviceKind, vendor: String) {
      self.kind = kind
      self.vendor = vendor
    }
  }

  package var adapter: String
  /// Schemes of endpoints behind which it can search: `tcp`, `serial`.
  package var schemes: Set<String>
  /// Where its devices listen.
  package var ports: [UInt16]
  /// For the adapter: a JSON array (discovery.h).
  package var documents: String
  package var templates: [String: Template]

  package init(
    adapter: String, schemes: Set<String>, ports: [UInt16], documents: String, templates: [String: Template]
  ) {
    self.adapter = adapter
    self.schemes = schemes
    self.ports = ports
    self.documents = documents
    self.templates = templates
  }
}

/// Where to look.
package enum SearchPlace: Sendable, Equatable {
  /// One connection, by its endpoint. `scheme` is the one of its text.
  case endpoint(text: String, scheme: String)
  /// Numeric addresses; port nil: those where devices listen.
  case range(name: String, addresses: [String], port: UInt16?)
}

/// What the room needs of the host around it.
package protocol DiscoverySite: Sendable {
  func languages() async -> [SearchLanguage]
  /// Endpoints of connections in service, in the form that `endpoint` gives them.
  func endpointsInService() async -> Set<String>
  func devices() async -> [KnownDevice]
  /// An address and port as the text of an endpoint.
  func endpoint(address: String, port: UInt16) -> String
  /// Which of these take a connection: `told` hears of each by its index, from another thread. Ends early where the task
  /// is cancelled.
  func knock(_ addresses: [(host: String, port: UInt16)], told: @escaping @Sendable (Int, Bool) -> Void) async
  /// Searches behind a connection, step by step; nil where it went well, else a sentence. `told` hears of each step, of
  /// all as it looks, and of what was found.
  func search(
    _ endpoint: String, _ language: SearchLanguage, everywhere: Bool,
    told: @escaping @Sendable (_ step: Int, _ steps: Int, _ found: [AdapterCandidate]) async -> Void
  ) async -> String?
  /// Checks the device as an entry of the configuration beside all others and reads it once. `before`: the id whose place
  /// it takes.
  func trial(_ entry: JSONValue, inPlaceOf before: DeviceID?) async throws(OnboardingRefusal) -> TrialOutcome
  /// Takes the registry's entries as they are now.
  func apply() async throws(OnboardingRefusal)
  func tell(_ alarm: Alarm)
}

/// What a device said in its trial.
package struct TrialOutcome: Sendable, Equatable {
  /// Empty where it tells none.
  package var serial: String
  /// Points with and without a value.
  package var good: Int
  package var bad: Int

  package init(serial: String, good: Int, bad: Int) {
    self.serial = serial
    self.good = good
    self.bad = bad
  }
}

/// Why a device does not go into service.
package struct OnboardingRefusal: Error, Sendable, Equatable {
  package enum Kind: Sendable {
    /// The request, or what the configuration would say of it.
    case invalid
    case unknown
    /// It is in service already, or the id is taken.
    case conflict
    /// The trial did not go well, or the registry could not be written.
    case failed
  }

  package var kind: Kind
  /// A sentence for a person.
  package var text: String

  package init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = text
  }
}
