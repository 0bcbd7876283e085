// SPDX-License-Identifier: Apache-2.0

import BusbarControl
import BusbarModel
import Testing

@Suite struct TagBookTests {
  static let second: Int64 = 1_000_000_000

  func rules(_ source: TagRules.Source, offline: TagRules.Offline = .known) -> TagRules {
    var rules = TagRules()
    rules.source = source
    rules.offline = offline
    rules.cache = .seconds(60)
    return rules
  }

  @Test func theLocalListDecidesWhereItIsAsked() {
    let tags = [
      Tag(id: "04A1", verdict: .accepted, group: "family"), Tag(id: "04B2", verdict: .blocked),
      Tag(id: "04C3", verdict: .accepted, expires: 1000),
    ]
    let book = TagBook(rules: rules(.local), tags: tags)
    #expect(book.decide("04a1", unix: 0, boot: 0, online: true) == .decided(tags[0]))
    #expect(book.decide("04B2", unix: 0, boot: 0, online: true) == .decided(tags[1]))
    #expect(book.decide("04C3", unix: 999, boot: 0, online: true) == .decided(tags[2]))
    #expect(book.decide("04C3", unix: 1000, boot: 0, online: true) == .decided(Tag(id: "04C3", verdict: .expired, expires: 1000)))
    #expect(book.decide("nobody", unix: 0, boot: 0, online: true) == .decided(Tag(id: "nobody", verdict: .unknown)))
  }

  @Test func bothAsksTheUplinkForWhatTheListDoesNotKnow() {
    let book = TagBook(rules: rules(.both), tags: [Tag(id: "A", verdict: .blocked)])
    #expect(book.decide("A", unix: 0, boot: 0, online: true) == .decided(Tag(id: "A", verdict: .blocked)))
    #expect(book.decide("B", unix: 0, boot: 0, online: true) == .ask)
  }

  @Test func anAnswerCountsAsLongAsTheRulesSay() {
    var book = TagBook(rules: rules(.uplink))
    book.learn(Tag(id: "A", verdict: .accepted), boot: 0)
    #expect(book.decide("a", unix: 0, boot: 59 * Self.second, online: true) == .decided(Tag(id: "A", verdict: .accepted)))
    #expect(book.decide("A", unix: 0, boot: 60 * Self.second, online: true) == .ask)
    // Without an uplink the old answer is better than none.
    #expect(book.decide("A", unix: 0, boot: 60 * Self.second, online: false) == .decided(Tag(id: "A", verdict: .accepted)))
    #expect(book.decide("B", unix: 0, boot: 0, online: false) == .decided(Tag(id: "B", verdict: .undecided)))
  }

  @Test(arguments: [(TagRules.Offline.accept, Tag.Verdict.accepted), (.refuse, .undecided), (.known, .undecided)])
  func offlineRules(_ offline: TagRules.Offline, _ verdict: Tag.Verdict) {
    let book = TagBook(rules: rules(.uplink, offline: offline))
    #expect(book.decide("X", unix: 0, boot: 0, online: false) == .decided(Tag(id: "X", verdict: verdict)))
  }

  @Test func theVersionCountsChangesOnly() {
    var book = TagBook(rules: rules(.local), version: 7)
    #expect(book.set(Tag(id: "A", verdict: .accepted)) && book.version == 8)
    #expect(book.set(Tag(id: "A", verdict: .accepted)) && book.version == 8)
    #expect(book.set(Tag(id: "a", verdict: .blocked)) && book.version == 9 && book.tags.count == 1)
    #expect(book.remove("A") && book.version == 10 && book.tags.isEmpty)
    #expect(!book.remove("A") && book.version == 10)
  }

  @Test func nothingGrowsWithoutEnd() {
    var book = TagBook(rules: rules(.uplink))
    for number in 0..<(TagBook.cacheLimit + 10) { book.learn(Tag(id: "\(number)", verdict: .accepted), boot: Int64(number)) }
    #expect(book.decide("0", unix: 0, boot: 0, online: true) == .ask)
    #expect(book.decide("4100", unix: 0, boot: 0, online: true) != .ask)
    for number in 0..<TagBook.listLimit {
      let done = book.set(Tag(id: "\(number)", verdict: .accepted))
      #expect(done)
    }
    do {
      let done = book.set(Tag(id: "one more", verdict: .accepted))
      #expect(!done)
    }
  }

  @Test(arguments: [
    #"{"tag":""}"#, #"{"verdict":"accepted"}"#, #"{"tag":"A","verdict":"maybe"}"#, #"{"tag":"A","expires":"soon"}"#,
    #"{"tag":"A","group":7}"#, #"{"tag":"A\n"}"#, "[]",
  ])
  func whatIsNoTag(_ text: String) throws {
    #expect(Tag(json: try JSONValue(parsing: Array(text.utf8), depth: 4)) == nil)
  }
}
