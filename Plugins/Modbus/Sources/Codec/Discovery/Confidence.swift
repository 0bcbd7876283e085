// SPDX-License-Identifier: Apache-2.0

/// How sure a recognition is, 0 to 1. The steps are judgements, made so that their order is right: who has a text or code
/// that only such a device holds and a serial number beside it comes before who has values that are merely possible.
enum Confidence {
  /// Something answers.
  static let answers = 0.1
  /// It says who made it, and no template knows it.
  static let namesItself = 0.2
  static let signature = 0.8

  static func of(_ template: ProbedTemplate, probed: Bool, named: Bool, hasSerial: Bool) -> Double {
    if probed, template.isSignature { return hasSerial ? 0.95 : signature }
    if named { return hasSerial ? 0.9 : signature }
    let plausible = template.checks.count { $0.test != .missing } >= 3 ? 0.5 : 0.3
    return hasSerial ? plausible + 0.1 : plausible
  }
}

/// The basic objects of function 43/14 (V1.1b3, 6.21).
struct Identification {
  let vendor: String
  let product: String
  let revision: String

  init(_ objects: [UInt8: String]) {
    vendor = objects[0] ?? ""
    product = objects[1] ?? ""
    revision = objects[2] ?? ""
  }

  var isEmpty: Bool { vendor.isEmpty && product.isEmpty }

  /// Vendor and product are those of the template: "Schneider Electric" and "iEM3155" of its models.
  func names(_ template: ProbedTemplate) -> Bool {
    guard !template.vendor.isEmpty, !product.isEmpty else { return false }
    let (own, other) = (vendor.lowercased(), template.vendor.lowercased())
    guard own.count >= 3, own.hasPrefix(other) || other.hasPrefix(own) else { return false }
    let name = product.lowercased()
    return template.models.contains { model in
      let model = model.lowercased()
      return model.count >= 3 && (name.hasPrefix(model) || model.hasPrefix(name) && name.count >= 3)
    }
  }
}
