// SPDX-License-Identifier: Apache-2.0

/// Frames of a link as a text that people, bug reports and test cases share (PluginAPI/TRACE.md).
package struct Trace: Sendable, Equatable {
  package var head: Head
  package var frames: [Frame]

  package init(head: Head, frames: [Frame]) {
    self.head = head
    self.frames = frames
  }

  package struct Head: Sendable, Equatable {
    package var link: String?
    package var adapter: String?
    /// Without user name, password and whatever else could be a secret.
    package var endpoint: String?
    /// The adapter's word for how frames are cut, where the link's settings have one.
    package var framing: String?
    /// Only the frames of calls for this device.
    package var device: String?
    /// Unix milliseconds of the time 0.
    package var start: Int64?

    package init(
      link: String? = nil, adapter: String? = nil, endpoint: String? = nil, framing: String? = nil,
      device: String? = nil, start: Int64? = nil
    ) {
      self.link = link
      self.adapter = adapter
      self.endpoint = endpoint
      self.framing = framing
      self.device = device
      self.start = start
    }
  }

  package struct Frame: Sendable, Equatable {
    /// Nanoseconds since the start; the text has microseconds.
    package var time: Int64
    package var content: TraceRing.Entry.Content
    /// The device whose call it was.
    package var device: String?

    package init(time: Int64, _ content: TraceRing.Entry.Content, device: String? = nil) {
      self.time = time
      self.content = content
      self.device = device
    }
  }

  package static let version = 1
  /// What a reader takes: bytes of a file, of a line, and frames.
  package static let fileLimit = 16 << 20
  static let lineLimit = 20_000
  static let framesLimit = 200_000

  /// An address without what could be a secret: user name, password, and values in a query whose names are not known to
  /// be harmless.
  package static func withoutSecrets(_ endpoint: String) -> String {
    var text = endpoint[...]
    var result = ""
    if let scheme = text.range(of: "://") {
      result = String(text[..<scheme.upperBound])
      text = text[scheme.upperBound...]
    }
    let authority = text.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if let at = authority.lastIndex(of: "@") { text = text[text.index(after: at)...] }
    guard let mark = text.firstIndex(of: "?") else { return result + text }
    let harmless: Set<Substring> = ["baud", "parity", "stop", "bits"]
    let pairs = text[text.index(after: mark)...].split(separator: "&").map { pair in
      let name = pair.prefix { $0 != "=" }
      return harmless.contains(name) ? String(pair) : "\(name)=*"
    }
    return result + text[...mark] + pairs.joined(separator: "&")
  }
}

extension Substring {
  fileprivate func range(of text: String) -> Range<Index>? {
    var place = startIndex
    while place < endIndex {
      if self[place...].hasPrefix(text) { return place..<index(place, offsetBy: text.count) }
      place = index(after: place)
    }
    return nil
  }
}
