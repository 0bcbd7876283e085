// SPDX-License-Identifier: Apache-2.0

import PluginAPI

/// An adapter without its type: C functions cannot be generic, so they talk to this.
class LinkBox {
  func addDevice(_ config: bb_device_config_t, _ call: borrowing Call) throws(AdapterError) -> AnyObject {
    throw AdapterError(.bug, "abstract")
  }
  func removeDevice(_ device: AnyObject) {}
  func poll(_ device: AnyObject, due: [PointID], _ call: borrowing Call) throws(AdapterError) {}
  func command(_ command: Command, on device: AnyObject, _ call: borrowing Call) throws(AdapterError) -> Outcome {
    .accepted
  }
  func scan(_ documents: String, step: Int, everywhere: Bool, _ call: borrowing Call)
    throws(AdapterError) -> ScanStep
  {
    throw AdapterError(.bug, "abstract")
  }
  func handle(_ event: Event, _ call: borrowing Call) throws(AdapterError) {}
}

class LinkBoxOf<A: Adapter>: LinkBox {
  let adapter: A

  init(_ adapter: A) { self.adapter = adapter }

  override func addDevice(_ config: bb_device_config_t, _ call: borrowing Call) throws(AdapterError) -> AnyObject {
    unsafe try adapter.addDevice(
      config.device, name: String(config.name), config: String(config.device_config),
      template: String(config.template_body), call)
  }

  override func removeDevice(_ device: AnyObject) {
    if let device = device as? A.Device { adapter.removeDevice(device) }
  }

  override func poll(_ device: AnyObject, due: [PointID], _ call: borrowing Call) throws(AdapterError) {
    guard let device = device as? A.Device else { throw AdapterError(.bug, "not a device of this adapter") }
    try adapter.poll(device, due: due, call)
  }

  override func command(
    _ command: Command, on device: AnyObject, _ call: borrowing Call
  ) throws(AdapterError) -> Outcome {
    guard let device = device as? A.Device else { throw AdapterError(.bug, "not a device of this adapter") }
    return try adapter.command(command, on: device, call)
  }

  override func scan(_ documents: String, step: Int, everywhere: Bool, _ call: borrowing Call)
    throws(AdapterError) -> ScanStep
  {
    try adapter.scan(documents, step: step, everywhere: everywhere, call)
  }
}

final class EventLinkBoxOf<A: EventAdapter>: LinkBoxOf<A> {
  override func handle(_ event: Event, _ call: borrowing Call) throws(AdapterError) { try adapter.handle(event, call) }
}

/// What can be made of an adapter's type.
class Factory {
  /// It takes events.
  var isEventDriven: Bool { false }
  func open(_ link: Link, config: String, _ call: borrowing Call) throws(AdapterError) -> LinkBox {
    throw AdapterError(.bug, "abstract")
  }
  func simulator(documents: String) throws(AdapterError) -> (any Simulator)? { nil }
}

class FactoryOf<A: Adapter>: Factory {
  override func open(_ link: Link, config: String, _ call: borrowing Call) throws(AdapterError) -> LinkBox {
    LinkBoxOf<A>(try A(link: link, config: config, call))
  }

  override func simulator(documents: String) throws(AdapterError) -> (any Simulator)? {
    try A.simulator(documents: documents)
  }
}

final class EventFactoryOf<A: EventAdapter>: FactoryOf<A> {
  override var isEventDriven: Bool { true }

  override func open(_ link: Link, config: String, _ call: borrowing Call) throws(AdapterError) -> LinkBox {
    EventLinkBoxOf<A>(try A(link: link, config: config, call))
  }
}
