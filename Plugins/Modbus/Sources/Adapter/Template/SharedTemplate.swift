// SPDX-License-Identifier: Apache-2.0

internal import PluginKit
internal import Synchronization

/// A template as it was read, for all devices of this process that have the same one, for as long as one of them does.
final class SharedTemplate: Sendable {
  private struct Kept {
    weak var template: SharedTemplate?
  }

  private static let kept = Mutex<[String: Kept]>([:])

  let template: Template

  private init(_ template: Template) { self.template = template }

  /// One at a time: fifty devices of one kind that start together read it once.
  static func of(_ text: String) throws(AdapterError) -> SharedTemplate {
    let result = kept.withLock { kept -> Result<SharedTemplate, AdapterError> in
      if let known = kept[text]?.template { return .success(known) }
      kept = kept.filter { $0.value.template != nil }
      do throws(AdapterError) {
        let template = SharedTemplate(try Template(text))
        kept[text] = Kept(template: template)
        return .success(template)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
