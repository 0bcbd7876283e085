// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// BUSBAR_FUZZ_TARGET names one of FuzzTarget.
private let target: FuzzTarget = {
  let name = unsafe getenv("BUSBAR_FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    preconditionFailure("BUSBAR_FUZZ_TARGET is '\(name)'; expected one of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()

/// What the driver calls with each input.
@c(busbar_fuzz_one)
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  target.run(unsafe [UInt8](UnsafeBufferPointer(start: data, count: size)))
  return 0
}
