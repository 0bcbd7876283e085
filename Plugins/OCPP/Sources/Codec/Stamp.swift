// SPDX-License-Identifier: Apache-2.0

/// A time as OCPP writes it (RFC 3339 in UTC), read in all the forms that chargers use.
package struct Stamp: Equatable, Sendable {
  /// Unix milliseconds.
  package var milliseconds: Int64
  /// With `Z` or an offset; without, UTC is assumed, as the standard says for all times.
  package var hasZone: Bool

  /// Reads `2026-11-22T21:12:17.095Z`, with or without fraction, zone, colons in the zone, with a space for the T.
  package init?(_ text: String) {
    var digits = Digits(text.utf8)
    guard let year = digits.number(4), digits.skip("-"), let month = digits.number(2), digits.skip("-"),
      let day = digits.number(2), digits.skip("T") || digits.skip("t") || digits.skip(" "), let hour = digits.number(2),
      digits.skip(":"), let minute = digits.number(2)
    else { return nil }
    var second = 0
    if digits.skip(":") {
      guard let value = digits.number(2) else { return nil }
      second = value
    }
    var fraction = 0
    if digits.skip(".") || digits.skip(",") {
      guard let value = digits.fraction() else { return nil }
      fraction = value
    }
    guard (1...12).contains(month), (1...Self.length(month, year)).contains(day), hour < 24, minute < 60, second <= 60 else {
      return nil
    }
    guard let zone = digits.zone() else { return nil }
    hasZone = digits.hadZone
    let days = Self.days(year, month, day)
    milliseconds = ((days * 24 + Int64(hour)) * 60 + Int64(minute) - Int64(zone)) * 60_000 + Int64(second) * 1000 + Int64(fraction)
  }

  /// `2026-11-22T21:12:17.095Z`. Years 0 to 9999; others are held at the ends.
  package static func text(_ milliseconds: Int64) -> String {
    let bounded = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
    let day = bounded.flooringQuotient(86_400_000)
    let rest = bounded - day * 86_400_000
    let (year, month, dayOfMonth) = date(day)
    let time = "\(two(rest / 3_600_000)):\(two(rest / 60_000 % 60)):\(two(rest / 1000 % 60))"
    let fraction = String(rest % 1000 + 1000).dropFirst()
    return "\(String(year + 10_000).dropFirst())-\(two(month))-\(two(dayOfMonth))T\(time).\(fraction)Z"
  }

  private static func two(_ number: Int64) -> Substring { String(number + 100).dropFirst() }

  private static func length(_ month: Int, _ year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970 of a date of the Gregorian calendar, counted in years that begin in March and eras of 400 years.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
    let shifted = Int64(month <= 2 ? year - 1 : year)
    let era = shifted.flooringQuotient(400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = Int64((153 * ((month + 9) % 12) + 2) / 5 + day - 1)
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func date(_ days: Int64) -> (Int64, Int64, Int64) {
    let shifted = days + 719_468
    let era = shifted.flooringQuotient(146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    return (yearOfEra + era * 400 + (month >= 10 ? 1 : 0), (month + 2) % 12 + 1, day)
  }
}

extension Int64 {
  func flooringQuotient(_ divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

private struct Digits {
  private var rest: Substring.UTF8View
  private(set) var hadZone = false

  init(_ text: String.UTF8View) { rest = text[...] }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  mutating func number(_ count: Int) -> Int? {
    var value = 0
    for _ in 0..<count {
      guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
      rest.removeFirst()
    }
    return value
  }

  /// Milliseconds of a fraction of any length.
  mutating func fraction() -> Int? {
    var value = 0
    var count = 0
    while let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      if count < 3 { value = value * 10 + Int(byte - UInt8(ascii: "0")) }
      count += 1
      rest.removeFirst()
      guard count <= 12 else { return nil }
    }
    guard count > 0 else { return nil }
    for _ in count..<max(count, 3) { value *= 10 }
    return value
  }

  /// Minutes east of UTC; nil where something else follows.
  mutating func zone() -> Int? {
    if rest.isEmpty { return 0 }
    hadZone = true
    if skip("Z") || skip("z") { return rest.isEmpty ? 0 : nil }
    let sign = skip("+") ? 1 : skip("-") ? -1 : 0
    guard sign != 0, let hours = number(2), hours < 24 else { return nil }
    _ = skip(":")
    let minutes = rest.isEmpty ? 0 : number(2)
    guard let minutes, minutes < 60, rest.isEmpty else { return nil }
    return sign * (hours * 60 + minutes)
  }
}
