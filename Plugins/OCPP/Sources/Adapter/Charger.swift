// SPDX-License-Identifier: Apache-2.0

internal import OCPPCodec
internal import PluginJSON
internal import PluginKit

/// One charge point: its conversation, its points, and what is under way.
public final class Charger {
  let number: DeviceNumber
  let config: ChargerConfig
  var points = PointTable()
  /// Nil until it connected for the first time since the link is open.
  var central: (any CentralSystem)?
  var version: OCPPVersion?
  /// What its boots are answered with until the host starts again; nil: as its settings say.
  private var boot: Registration.Status?
  var commands = CommandDesk()
  var wishes = LimitWishes()
  /// What was not written yet, because the disk refused it: nothing leaves before it is safe.
  var unsaved = UnsavedQueue()
  var saveFailed = false
  /// Who it is, from its boot; nil where it has not told yet.
  var identity: ChargerIdentity?
  /// Connectors with points of their own.
  var connectors = 0
  /// When the host's timer rings, milliseconds of the boot clock.
  var alarm: Int64?
  /// The list of tags that it was offered in this connection.
  var offeredTags: Int64?

  init(_ number: DeviceNumber, _ config: ChargerConfig) {
    self.number = number
    self.config = config
  }

  /// What its boots are answered with, decided while it is away.
  func hold(_ status: Registration.Status, _ now: Moment) {
    boot = status
    _ = central?.command(.registration(status), ticket: 0, now)
  }

  /// Its settings, with what was decided since.
  var settings: ChargerSettings {
    var settings = config.settings
    settings.registration = boot ?? settings.registration
    return settings
  }

  /// The names of interfaces 3.3, with what they take.
  static let actions = """
    {"actions":[
    {"name":"charge.start","arguments":{"type":"object","properties":{"connector":{"type":"integer"},"tag":{"type":"string"}}}},
    {"name":"charge.stop","arguments":{"type":"object","properties":{"connector":{"type":"integer"},"session":{"type":"string"}}}},
    {"name":"unlock","arguments":{"type":"object","properties":{"connector":{"type":"integer"}}}},
    {"name":"reset","arguments":{"type":"object","properties":{"hard":{"type":"boolean"}}}},
    {"name":"ocpp.call","arguments":{"type":"object","required":["action"],"properties":{"action":{"type":"string"},"payload":{"type":"object"}}}},
    {"name":"ocpp.password","arguments":{"type":"object","required":["password"],"properties":{"password":{"type":"string","x-secret":true}}}},
    {"name":"certificate.sign","arguments":{"type":"object","required":["chain"],"properties":{"chain":{"type":"string"},"use":{"type":"string"}}}},
    {"name":"ocpp.network","arguments":{"type":"object","required":["slot","url","security"],"properties":{"slot":{"type":"integer"},"url":{"type":"string"},"security":{"type":"integer"},"interface":{"type":"string"},"timeout":{"type":"integer"}}}},
    {"name":"ocpp.boot","arguments":{"type":"object","required":["status"],"properties":{"status":{"type":"string"}}}}]}
    """
}

extension Moment {
  static var now: Moment { Moment(boot: BootClock.now / 1_000_000, unix: WallClock.milliseconds) }
}
