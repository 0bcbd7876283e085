// SPDX-License-Identifier: Apache-2.0

/// What chargers in the field leave out or make up, and can be served all the same.
enum Tolerance {
  /// Fields that the standard requires and whose absence harms nobody: the time of receipt takes the place of a stamp, the
  /// energy of a session without a reading is marked, the others are for people.
  static let dispensable: Set<String> = [
    "timestamp", "generatedAt", "errorCode", "readonly", "supportsMonitoring", "triggerReason", "reason", "meterStart",
    "meterStop", "evseId",
  ]

  /// Enumerations whose unknown values cannot be understood by any other means. All others are for people, or are ignored
  /// where unknown.
  static let vital: Set<String> = [
    "ChargePointStatus", "ConnectorStatusEnum", "TransactionEventEnum", "IdTokenEnum", "AuthorizationStatus",
    "AuthorizationStatusEnum", "RegistrationStatus", "RegistrationStatusEnum", "GenericStatus",
  ]
}
