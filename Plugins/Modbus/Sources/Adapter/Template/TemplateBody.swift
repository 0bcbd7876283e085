// SPDX-License-Identifier: Apache-2.0

/// The body of a template as it is written (README, "Templates"). The host has checked it against the manifest's
/// schema.
struct TemplateBody: Decodable {
  var table: String?
  var wordOrder: String?
  var framing: String?
  var timeout: String?
  var connectDelay: String?
  var readSpacing: String?
  var writeSpacing: String?
  var maximumRegisters: Int?
  var maximumGap: Int?
  var single: Bool?
  var askTwice: Bool?
  var writeFunction: Int?
  var nan: [String: [Pattern]]?
  var blocks: [BlockBody]?
  var windows: [String: WindowBody]?
  var identity: [String: IdentityBody]?
  var points: [String: PointBody]

  enum CodingKeys: String, CodingKey {
    case table, framing, timeout, single, nan, blocks, windows, identity, points
    case askTwice = "ask_twice"
    case wordOrder = "word_order"
    case connectDelay = "connect_delay"
    case readSpacing = "read_spacing"
    case writeSpacing = "write_spacing"
    case maximumRegisters = "max_registers"
    case maximumGap = "max_gap"
    case writeFunction = "write_function"
  }
}

struct BlockBody: Decodable {
  var table: String?
  var register: Int
  var count: Int
}

/// Values that are shown on request.
struct WindowBody: Decodable {
  struct Asking: Decodable {
    var register: Int
    var values: [Int]
  }

  struct Ready: Decodable {
    var table: String?
    var register: Int
    var value: Int
    var within: String?
    var every: String?
  }

  struct Content: Decodable {
    var table: String?
    var register: Int
    var count: Int
    var times: Int?
  }

  var write: Asking
  var ready: Ready
  var read: Content
}

/// A place that holds a power of ten.
struct PowerBody: Decodable {
  var table: String?
  var register: Int
  var nan: [Pattern]?
}

/// A number in registers.
struct NumberBody: Decodable {
  var table: String?
  var register: Int
  var type: String?
  var wordOrder: String?
  var nan: [Pattern]?
  var scale: Double?

  enum CodingKeys: String, CodingKey {
    case table, register, type, nan, scale
    case wordOrder = "word_order"
  }
}

/// A value in registers.
struct FieldBody: Decodable {
  var window: String?
  var table: String?
  var register: Int?
  var type: String?
  var length: Int?
  var wordOrder: String?
  var nan: [Pattern]?
  var scale: Double?
  var offset: Double?
  var absent: Double?
  var mask: Pattern?
  var bits: [Int]?
  var power: PowerBody?
  var times: NumberBody?

  enum CodingKeys: String, CodingKey {
    case window, table, register, type, length, nan, scale, offset, absent, mask, bits, times
    case wordOrder = "word_order"
    case power = "scale_register"
  }
}

/// A fixed text, or a field, its codes perhaps with names.
struct IdentityBody: Decodable {
  var text: String?
  var field: FieldBody?
  var labels: [String: String]?

  enum CodingKeys: String, CodingKey { case labels = "enum" }

  init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      self.text = text
    } else {
      field = try FieldBody(from: decoder)
      labels = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent([String: String].self, forKey: .labels)
    }
  }
}

struct PointBody: Decodable {
  var field: FieldBody
  var sum: [FieldBody]?
  var labels: [String: String]?
  var otherwise: String?
  var bit: Int?
  var unit: String?
  var kind: String?
  var title: String?
  var resolution: Double?
  var minimum: Double?
  var maximum: Double?
  var allowed: [JSONValue]?
  var safe: JSONValue?
  var lease: String?
  var refresh: String?
  var setting: Bool?
  var plausible: PlausibleBody?
  var write: WriteBody?
  var watchdog: WatchdogBody?
  var simulate: SimulateBody?

  enum CodingKeys: String, CodingKey {
    case sum, bit, unit, kind, title, resolution, minimum, maximum, allowed, safe, lease, refresh, setting, write
    case simulate, plausible, watchdog
    case labels = "enum"
    case otherwise = "else"
  }

  init(from decoder: any Decoder) throws {
    field = try FieldBody(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    sum = try container.decodeIfPresent([FieldBody].self, forKey: .sum)
    labels = try container.decodeIfPresent([String: String].self, forKey: .labels)
    otherwise = try container.decodeIfPresent(String.self, forKey: .otherwise)
    bit = try container.decodeIfPresent(Int.self, forKey: .bit)
    unit = try container.decodeIfPresent(String.self, forKey: .unit)
    kind = try container.decodeIfPresent(String.self, forKey: .kind)
    title = try container.decodeIfPresent(String.self, forKey: .title)
    resolution = try container.decodeIfPresent(Double.self, forKey: .resolution)
    minimum = try container.decodeIfPresent(Double.self, forKey: .minimum)
    maximum = try container.decodeIfPresent(Double.self, forKey: .maximum)
    allowed = try container.decodeIfPresent([JSONValue].self, forKey: .allowed)
    safe = try container.decodeIfPresent(JSONValue.self, forKey: .safe)
    lease = try container.decodeIfPresent(String.self, forKey: .lease)
    refresh = try container.decodeIfPresent(String.self, forKey: .refresh)
    setting = try container.decodeIfPresent(Bool.self, forKey: .setting)
    plausible = try container.decodeIfPresent(PlausibleBody.self, forKey: .plausible)
    write = try container.decodeIfPresent(WriteBody.self, forKey: .write)
    watchdog = try container.decodeIfPresent(WatchdogBody.self, forKey: .watchdog)
    simulate = try container.decodeIfPresent(SimulateBody.self, forKey: .simulate)
  }
}

/// What the host judges the point's values by; the adapter hands it on.
struct PlausibleBody: Decodable {
  var minimum: Double?
  var maximum: Double?
  var rate: Double?
  var jump: Double?
  var frozen: String?
  var falls: Bool?
}

struct WriteBody: Decodable {
  var field: FieldBody
  var function: Int?
  var readBack: ReadBackBody?
  var settle: String?
  var within: String?
  var clamp: ClampBody?
  var wear: WearBody?
  var cases: [CaseBody]?

  enum CodingKeys: String, CodingKey {
    case function, settle, within, clamp, wear, cases
    case readBack = "read_back"
  }

  init(from decoder: any Decoder) throws {
    field = try FieldBody(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    function = try container.decodeIfPresent(Int.self, forKey: .function)
    readBack = try container.decodeIfPresent(ReadBackBody.self, forKey: .readBack)
    settle = try container.decodeIfPresent(String.self, forKey: .settle)
    within = try container.decodeIfPresent(String.self, forKey: .within)
    clamp = try container.decodeIfPresent(ClampBody.self, forKey: .clamp)
    wear = try container.decodeIfPresent(WearBody.self, forKey: .wear)
    cases = try container.decodeIfPresent([CaseBody].self, forKey: .cases)
  }
}

/// Registers in which the device says what it can take.
struct ClampBody: Decodable {
  var minimum: FieldBody?
  var maximum: FieldBody?
}

/// Writes that a register in flash can bear.
struct WearBody: Decodable {
  var writes: Int
  var within: String
}

/// The device's own watchdog.
struct WatchdogBody: Decodable {
  /// A place that is written.
  struct Place: Decodable {
    var field: FieldBody
    var function: Int?
    var value: Double?

    enum CodingKeys: String, CodingKey { case function, value }

    init(from decoder: any Decoder) throws {
      field = try FieldBody(from: decoder)
      let container = try decoder.container(keyedBy: CodingKeys.self)
      function = try container.decodeIfPresent(Int.self, forKey: .function)
      value = try container.decodeIfPresent(Double.self, forKey: .value)
    }
  }

  var time: String
  var set: Place?
  var fallback: Place?
  var beat: Place?
}

enum ReadBackBody: Decodable {
  case registers(Bool)
  case field(FieldBody)

  init(from decoder: any Decoder) throws {
    if let flag = try? decoder.singleValueContainer().decode(Bool.self) {
      self = .registers(flag)
    } else {
      self = .field(try FieldBody(from: decoder))
    }
  }
}

struct CaseBody: Decodable {
  var when: JSONValue
  var set: [AssignmentBody]
}

struct AssignmentBody: Decodable {
  var field: FieldBody
  var value: JSONValue
  var function: Int?

  enum CodingKeys: String, CodingKey { case value, function }

  init(from decoder: any Decoder) throws {
    field = try FieldBody(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    value = try container.decode(JSONValue.self, forKey: .value)
    function = try container.decodeIfPresent(Int.self, forKey: .function)
  }
}

struct SimulateBody: Decodable {
  var value: JSONValue?
  var base: Double?
  var swing: Double?
  var period: String?
}
