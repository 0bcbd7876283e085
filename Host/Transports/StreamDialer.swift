// SPDX-License-Identifier: Apache-2.0

package import BusbarSystem
internal import CLinux
internal import Glibc

/// Opens byte streams. Blocks until the deadline at most, but for the system's resolver where a name is not an address.
package enum StreamDialer {
  /// Descriptors that plugins get stay below this number: libraries that use select(2) abort beyond it.
  static let descriptorLimit: Int32 = 1024

  /// `deadline` is on the boot clock. `stop` ends the waiting early.
  package static func open(
    _ endpoint: StreamEndpoint, deadline: Int64, stop: CallSignal
  ) throws(TransportError) -> Descriptor {
    let descriptor =
      switch endpoint {
      case .tcp(let host, let port): try connect(host, port, deadline, stop)
      case .tls(let host, let port, let settings):
        try TLSDialer.open(endpoint, host: host, port: port, settings, deadline: deadline, stop: stop) { () throws(TransportError) in
          try connect(host, port, deadline, stop)
        }
      case .serial(let line): try openSerial(line)
      case .visitor(let visitor):
        throw TransportError(.other, "\(visitor.identity) connects by itself to the listener \(visitor.listener): there is no stream to open")
      }
    guard descriptor.number < descriptorLimit else {
      throw TransportError(
        .other, "the host has more than \(descriptorLimit) files open, which plugins cannot use: use fewer links or a second host")
    }
    return descriptor
  }

  /// More about why the last connection to an endpoint was closed; nil where there is no more to say.
  package static func ending(_ endpoint: StreamEndpoint) -> String? { TLSDialer.ending(endpoint) }

  private static func openSerial(_ line: StreamEndpoint.SerialLine) throws(TransportError) -> Descriptor {
    let number = unsafe busbar_open_serial(line.path)
    guard number >= 0 else {
      let code = errno
      let advice =
        switch code {
        case ENOENT: "is the adapter plugged in, and is the path right?"
        case EACCES: "the host's user has to be in the group that owns the port (dialout)"
        case EBUSY: "another program has it"
        default: "check the port"
        }
      throw TransportError(.address, "\(line.path) cannot be opened (\(systemError(code))): \(advice)")
    }
    let descriptor = Descriptor(owning: number)
    guard
      busbar_configure_serial(number, line.baud, Int32(line.dataBits), line.parity.rawValue, Int32(line.stopBits)) == 0
    else {
      let code = errno
      throw TransportError(
        .address,
        "\(line.path) cannot be set to \(line.baud) bit/s, \(line.dataBits) data bits, parity \(line.parity): \(systemError(code))")
    }
    // A pseudo-terminal may refuse it, and has no second user to keep out.
    _ = busbar_exclusive(number)
    return descriptor
  }

  private static func connect(
    _ host: String, _ port: UInt16, _ deadline: Int64, _ stop: CallSignal
  ) throws(TransportError) -> Descriptor {
    var last = TransportError(.address, "\(host) has no address")
    let addresses = try Address.resolve(host, port)
    for (index, address) in addresses.enumerated() {
      // One address that swallows everything leaves the next ones their share of the time.
      let now = Clock.boot()
      let share = now + max(0, deadline - now) / Int64(addresses.count - index)
      do throws(TransportError) {
        return try connect(address, to: "\(host):\(port)", share, stop)
      } catch {
        last = error
        if error.cause == .cancelled { break }
      }
    }
    throw last
  }

  private static func connect(
    _ address: Address, to name: String, _ deadline: Int64, _ stop: CallSignal
  ) throws(TransportError) -> Descriptor {
    let number = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw TransportError(.other, "no socket for \(name): \(systemError(errno))") }
    let descriptor = Descriptor(owning: number)
    if !address.connect(number) {
      guard errno == EINPROGRESS else { throw failure(errno, name) }
      let ready = Poll.wait([(number, .write), (stop.descriptor, .read)], until: deadline)
      if stop.isSet { throw TransportError(.cancelled, "connecting to \(name) was cancelled") }
      if ready[0].isEmpty { throw TransportError(.timeout, "\(name) does not answer: check address, network and power") }
      let code = pendingError(number)
      guard code == 0 else { throw failure(code, name) }
    }
    setOption(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    setOption(number, SOL_SOCKET, SO_KEEPALIVE, 1)
    return descriptor
  }

  private static func failure(_ code: Int32, _ name: String) -> TransportError {
    switch code {
    case ECONNREFUSED:
      TransportError(.refused, "\(name) refuses the connection: is the device's interface switched on, and the port right?")
    case ETIMEDOUT, EHOSTUNREACH, ENETUNREACH:
      TransportError(.timeout, "\(name) cannot be reached (\(systemError(code))): check address, network and power")
    default: TransportError(.other, "\(name): \(systemError(code))")
    }
  }

  private static func pendingError(_ number: Int32) -> Int32 {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
  }

  private static func setOption(_ number: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}
