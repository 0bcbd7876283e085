// SPDX-License-Identifier: Apache-2.0

package import BusbarModel

extension OnboardingRequest {
  /// From a message or a request's body. `id` is the name of the member with the device's id; members of `beside` belong
  /// to the message, others that are not known are mistakes.
  package init(_ json: JSONValue, id idKey: String, beside: Set<String> = []) throws(OnboardingRefusal) {
    guard let members = json.object else { throw OnboardingRefusal(.invalid, "an object is expected") }
    let own = ["candidate", idKey, "name", "adapter", "template", "endpoint", "config", "poll", "write"]
    for key in members.keys.sorted() where !own.contains(key) && !beside.contains(key) {
      throw OnboardingRefusal(.invalid, "'\(key.prefix(64))' is not known here; known are \(own.joined(separator: ", "))")
    }
    self.init()
    func text(_ key: String, upTo limit: Int) throws(OnboardingRefusal) -> String? {
      guard let member = members[key], member != .null else { return nil }
      guard let text = member.string, (1...limit).contains(text.utf8.count),
        text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
      else { throw OnboardingRefusal(.invalid, "'\(key)' has to be a text of at most \(limit) bytes") }
      return text
    }
    candidate = try text("candidate", upTo: 64)
    name = try text("name", upTo: 128)
    adapter = try text("adapter", upTo: 64)
    template = try text("template", upTo: 64)
    endpoint = try text("endpoint", upTo: 512)
    if let text = try text(idKey, upTo: 64) {
      guard let id = DeviceID(rawValue: text) else {
        throw OnboardingRefusal(.invalid, "'\(idKey)' has to be 1 to 64 characters of A-Z a-z 0-9 _ -")
      }
      self.id = id
    }
    if let member = members["config"], member != .null {
      guard let config = member.object else { throw OnboardingRefusal(.invalid, "'config' has to be an object") }
      self.config = config
    }
    if let member = members["poll"], member != .null {
      guard member.string != nil || member.object != nil else {
        throw OnboardingRefusal(.invalid, "'poll' has to be a duration such as 5s, or an object of points and durations")
      }
      poll = member
    }
    if let member = members["write"], member != .null {
      guard let flag = member.boolean else { throw OnboardingRefusal(.invalid, "'write' has to be true or false") }
      write = flag
    }
  }
}
