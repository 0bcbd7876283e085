// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

/// One open link as the guard above sees it: calls that may take a while, one at a time, and a way to cut the running
/// one short. In this process it is the plugin's own table; in a child it will be messages to one.
///
/// Each call ends with exactly one `completion`, from any thread, possibly long after its deadline where a plugin hangs.
package protocol AdapterConnection: Sendable {
  func open(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void)
  func add(_ device: DeviceSetup, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void)
  func remove(_ device: UInt32, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void)
  /// `due` are points as `declared` numbered them.
  func poll(_ device: UInt32, due: [UInt32], deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void)
  func command(_ command: AdapterCommand, deadline: Int64, completion: @escaping @Sendable (CommandResult) -> Void)
  /// One step of a search behind the open link.
  func scan(_ step: ScanRequest, deadline: Int64, completion: @escaping @Sendable (ScanResult) -> Void)
  /// Something that happened on the open link.
  func event(_ event: LinkEvent, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void)
  func close(deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void)
  /// Asks the running call to end early. Harmless where there is none.
  func cancel()
  /// The running call did not return within its grace. True where it holds a thread of this process as long as it hangs.
  func giveUp() -> Bool
  /// No call comes any more.
  func retire()
  var condition: ConnectionCondition { get }
}

/// Whether a connection is of any use.
package enum ConnectionCondition: Sendable, Equatable {
  case usable
  /// A newer one takes its place: close it in order and open anew.
  case replaced
  /// The plugin's process is gone; why.
  case ended(String)
}

extension AdapterConnection {
  package func event(_ event: LinkEvent, deadline: Int64, completion: @escaping @Sendable (CallResult) -> Void) { completion(.done) }
  package func giveUp() -> Bool { true }
  package func retire() {}
  package var condition: ConnectionCondition { .usable }
}

/// What a link tells upward while a call runs. Called on the plugin's thread; must not block.
package protocol AdapterEvents: Sendable {
  func declared(_ device: UInt32, points: [(id: UInt32, point: PointDescriptor)])
  func identified(_ device: UInt32, _ identity: DeviceIdentity)
  func samples(_ device: UInt32, _ items: [Reading.Item], time: Int64, deviceTime: Int64?, durable: Bool)
  func problem(_ device: UInt32, name: String, active: Bool, text: String)
  /// The connection's `condition` is another one now, perhaps while no call runs. From any thread.
  func conditionChanged()
  /// Where the link's frames go; nil where nobody can ever look at them.
  var trace: (any FrameRecording)? { get }
  /// What the plugin may ask of the link's host.
  var services: any LinkServices { get }
}

extension AdapterEvents {
  package var trace: (any FrameRecording)? { nil }
  package var services: any LinkServices { NoServices() }
  package func conditionChanged() {}
}

package struct DeviceIdentity: Sendable, Equatable {
  package var vendor: String
  package var model: String
  package var serial: String
  package var firmware: String
  /// Names of the actions that the device offers; nil = nothing is said of them.
  package var actions: [String]?

  package init(
    vendor: String = "", model: String = "", serial: String = "", firmware: String = "", actions: [String]? = nil
  ) {
    self.actions = actions
    self.vendor = vendor
    self.model = model
    self.serial = serial
    self.firmware = firmware
  }
}

/// A device as the adapter is handed it.
package struct DeviceSetup: Sendable, Equatable {
  /// Number on its link, from 1.
  package var number: UInt32
  /// For messages.
  package var name: String
  /// JSON objects; the body is empty where there is no template.
  package var config: String
  package var templateBody: String

  package init(number: UInt32, name: String, config: String, templateBody: String) {
    self.number = number
    self.name = name
    self.config = config
    self.templateBody = templateBody
  }
}

package struct AdapterCommand: Sendable, Equatable {
  package enum Verb: Sendable, Equatable {
    case set(point: UInt32, value: Value)
    case action(name: String, arguments: String)
  }

  package var device: UInt32
  package var verb: Verb
  /// Made into the idempotency key.
  package var id: String
  package var dryRun: Bool
  package var refresh: Bool
  package var safe: Bool
  package var validUntil: Int64

  package init(
    device: UInt32, verb: Verb, id: String, dryRun: Bool, refresh: Bool, safe: Bool, validUntil: Int64
  ) {
    self.device = device
    self.verb = verb
    self.id = id
    self.dryRun = dryRun
    self.refresh = refresh
    self.safe = safe
    self.validUntil = validUntil
  }
}

/// What a plugin returned (types.h, BB_CLASS_… and BB_REASON_…).
package struct CallResult: Error, Sendable, Equatable {
  package enum Class: UInt32, Sendable {
    case transient = 1, config, auth, device, unsupported, cancelled, bug
  }

  package enum Reason: Sendable, Equatable {
    case unspecified, timeout, closed, refused, address, range, garbled, wear
    case other(UInt32)
  }

  /// Nil = done.
  package var failure: Class?
  package var reason: Reason
  /// The plugin's or the host service's sentence; may be empty.
  package var text: String

  package static let done = CallResult(failure: nil, reason: .unspecified, text: "")

  package init(failure: Class?, reason: Reason, text: String) {
    self.failure = failure
    self.reason = reason
    self.text = text
  }

  init(status: Int32, text: String) {
    guard status < 0 else {
      self = .done
      return
    }
    let value = UInt32(clamping: -Int64(status))
    // An unknown class counts as transient (contract, section 9).
    failure = Class(rawValue: value >> 16) ?? .transient
    reason = Reason(code: value & 0xFFFF)
    self.text = text
  }
}

package enum CommandResult: Sendable, Equatable {
  case done(Value?)
  case accepted
  case refused(String)
  case unknown(String)
  /// Nothing was sent.
  case failed(CallResult)
  /// It goes on, and ends with `LinkServices.completed`; the plugin has `atMost` of them at a time.
  case pending(token: UInt64, atMost: Int)
}
