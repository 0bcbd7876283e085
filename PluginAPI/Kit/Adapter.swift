// SPDX-License-Identifier: Apache-2.0

import PluginAPI

/// One protocol or manufacturer. An instance is one open link; the host calls it one at a time, from any thread.
public protocol Adapter: AnyObject {
  associatedtype Device: AnyObject

  /// As in the manifest.
  static var id: StaticString { get }

  /// Opens the link. `config` is the link's settings as a JSON object.
  init(link: Link, config: String, _ call: borrowing Call) throws(AdapterError)

  /// Adds a device and declares its points; it does not have to be reached. `config` and `template` are JSON objects,
  /// `template` is empty where the device has none.
  func addDevice(
    _ number: DeviceNumber, name: String, config: String, template: String, _ call: borrowing Call
  ) throws(AdapterError) -> Device

  func removeDevice(_ device: Device)

  /// Reads the points that are due and emits them, bad ones as bad. Throws where the device could not be reached.
  func poll(_ device: Device, due: [PointID], _ call: borrowing Call) throws(AdapterError)

  /// Carries out a command. Throws where nothing was sent.
  func command(_ command: Command, on device: Device, _ call: borrowing Call) throws(AdapterError) -> Outcome

  /// One step, from 0, of a search for devices on this link (discovery.h). Only reads; silence is no failure.
  /// `everywhere`: also where such devices usually are not.
  func scan(_ documents: String, step: Int, everywhere: Bool, _ call: borrowing Call)
    throws(AdapterError) -> ScanStep

  /// A simulated device that answers as the templates describe (simulate.h); nil where the adapter has none.
  static func simulator(documents: String) throws(AdapterError) -> (any Simulator)?
}

extension Adapter {
  public func removeDevice(_ device: Device) {}

  public func command(
    _ command: Command, on device: Device, _ call: borrowing Call
  ) throws(AdapterError) -> Outcome {
    throw AdapterError(.unsupported, "this adapter takes no commands")
  }

  public func scan(_ documents: String, step: Int, everywhere: Bool, _ call: borrowing Call)
    throws(AdapterError) -> ScanStep
  {
    throw AdapterError(.unsupported, "this adapter cannot search")
  }

  public static func simulator(documents: String) throws(AdapterError) -> (any Simulator)? { nil }
}

/// Answers on connections as a template describes.
public protocol Simulator: AnyObject, Sendable {
  /// Answers until the far end closes or the call is cancelled. Connections run in parallel.
  func serve(descriptor: Int32, isSerial: Bool, _ call: borrowing Call) throws(AdapterError)
  /// Sets a point, in its own unit; the value as text.
  func set(point: String, to value: String) throws(AdapterError)
}
