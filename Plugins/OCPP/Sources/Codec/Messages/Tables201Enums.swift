// SPDX-License-Identifier: Apache-2.0
// Written by Plugins/OCPP/Tables/make; the notation is explained in Shape.swift.

extension Tables {
  /// Enumerations of OCPP 2.0.1.
  static let ocpp201Enums = """
    enum APNAuthenticationEnum CHAP NONE PAP AUTO
    enum AttributeEnum Actual Target MinSet MaxSet
    enum AuthorizationStatusEnum Accepted Blocked ConcurrentTx Expired Invalid NoCredit NotAllowedTypeEVSE
      NotAtThisLocation NotAtThisTime Unknown
    enum AuthorizeCertificateStatusEnum Accepted SignatureError CertificateExpired CertificateRevoked
      NoCertificateAvailable CertChainError ContractCancelled
    enum BootReasonEnum ApplicationReset FirmwareUpdate LocalReset PowerUp RemoteReset ScheduledReset Triggered Unknown
      Watchdog
    enum CancelReservationStatusEnum Accepted Rejected
    enum CertificateActionEnum Install Update
    enum CertificateSignedStatusEnum Accepted Rejected
    enum CertificateSigningUseEnum ChargingStationCertificate V2GCertificate
    enum ChangeAvailabilityStatusEnum Accepted Rejected Scheduled
    enum ChargingLimitSourceEnum EMS Other SO CSO
    enum ChargingProfileKindEnum Absolute Recurring Relative
    enum ChargingProfilePurposeEnum ChargingStationExternalConstraints ChargingStationMaxProfile TxDefaultProfile
      TxProfile
    enum ChargingProfileStatusEnum Accepted Rejected
    enum ChargingRateUnitEnum W A
    enum ChargingStateEnum Charging EVConnected SuspendedEV SuspendedEVSE Idle
    enum ClearCacheStatusEnum Accepted Rejected
    enum ClearChargingProfileStatusEnum Accepted Unknown
    enum ClearMessageStatusEnum Accepted Unknown
    enum ClearMonitoringStatusEnum Accepted Rejected NotFound
    enum ComponentCriterionEnum Active Available Enabled Problem
    enum ConnectorEnum cCCS1 cCCS2 cG105 cTesla cType1 cType2 s309-1P-16A s309-1P-32A s309-3P-16A s309-3P-32A sBS1361
      sCEE-7-7 sType2 sType3 Other1PhMax16A Other1PhOver16A Other3Ph Pan wInductive wResonant Undetermined Unknown
    enum ConnectorStatusEnum Available Occupied Reserved Unavailable Faulted
    enum CostKindEnum CarbonDioxideEmission RelativePricePercentage RenewableGenerationPercentage
    enum CustomerInformationStatusEnum Accepted Rejected Invalid
    enum DataEnum string decimal integer dateTime boolean OptionList SequenceList MemberList
    enum DataTransferStatusEnum Accepted Rejected UnknownMessageId UnknownVendorId
    enum DeleteCertificateStatusEnum Accepted Failed NotFound
    enum DisplayMessageStatusEnum Accepted NotSupportedMessageFormat Rejected NotSupportedPriority NotSupportedState
      UnknownTransaction
    enum EnergyTransferModeEnum DC AC_single_phase AC_two_phase AC_three_phase
    enum EventNotificationEnum HardWiredNotification HardWiredMonitor PreconfiguredMonitor CustomMonitor
    enum EventTriggerEnum Alerting Delta Periodic
    enum FirmwareStatusEnum Downloaded DownloadFailed Downloading DownloadScheduled DownloadPaused Idle InstallationFailed
      Installing Installed InstallRebooting InstallScheduled InstallVerificationFailed InvalidSignature SignatureVerified
    enum GenericDeviceModelStatusEnum Accepted Rejected NotSupported EmptyResultSet
    enum GenericStatusEnum Accepted Rejected
    enum GetCertificateIdUseEnum V2GRootCertificate MORootCertificate CSMSRootCertificate V2GCertificateChain
      ManufacturerRootCertificate
    enum GetCertificateStatusEnum Accepted Failed
    enum GetChargingProfileStatusEnum Accepted NoProfiles
    enum GetDisplayMessagesStatusEnum Accepted Unknown
    enum GetInstalledCertificateStatusEnum Accepted NotFound
    enum GetVariableStatusEnum Accepted Rejected UnknownComponent UnknownVariable NotSupportedAttributeType
    enum HashAlgorithmEnum SHA256 SHA384 SHA512
    enum IdTokenEnum Central eMAID ISO14443 ISO15693 KeyCode Local MacAddress NoAuthorization
    enum InstallCertificateStatusEnum Accepted Rejected Failed
    enum InstallCertificateUseEnum V2GRootCertificate MORootCertificate CSMSRootCertificate ManufacturerRootCertificate
    enum Iso15118EVCertificateStatusEnum Accepted Failed
    enum LocationEnum Body Cable EV Inlet Outlet
    enum LogEnum DiagnosticsLog SecurityLog
    enum LogStatusEnum Accepted Rejected AcceptedCanceled
    enum MeasurandEnum Current.Export Current.Import Current.Offered Energy.Active.Export.Register
      Energy.Active.Import.Register Energy.Reactive.Export.Register Energy.Reactive.Import.Register
      Energy.Active.Export.Interval Energy.Active.Import.Interval Energy.Active.Net Energy.Reactive.Export.Interval
      Energy.Reactive.Import.Interval Energy.Reactive.Net Energy.Apparent.Net Energy.Apparent.Import
      Energy.Apparent.Export Frequency Power.Active.Export Power.Active.Import Power.Factor Power.Offered
      Power.Reactive.Export Power.Reactive.Import SoC Voltage
    enum MessageFormatEnum ASCII HTML URI UTF8
    enum MessagePriorityEnum AlwaysFront InFront NormalCycle
    enum MessageStateEnum Charging Faulted Idle Unavailable
    enum MessageTriggerEnum BootNotification LogStatusNotification FirmwareStatusNotification Heartbeat MeterValues
      SignChargingStationCertificate SignV2GCertificate StatusNotification TransactionEvent SignCombinedCertificate
      PublishFirmwareStatusNotification
    enum MonitorEnum UpperThreshold LowerThreshold Delta Periodic PeriodicClockAligned
    enum MonitoringBaseEnum All FactoryDefault HardWiredOnly
    enum MonitoringCriterionEnum ThresholdMonitoring DeltaMonitoring PeriodicMonitoring
    enum MutabilityEnum ReadOnly WriteOnly ReadWrite
    enum NotifyEVChargingNeedsStatusEnum Accepted Rejected Processing
    enum OCPPInterfaceEnum Wired0 Wired1 Wired2 Wired3 Wireless0 Wireless1 Wireless2 Wireless3
    enum OCPPTransportEnum JSON SOAP
    enum OCPPVersionEnum OCPP12 OCPP15 OCPP16 OCPP20
    enum OperationalStatusEnum Inoperative Operative
    enum PhaseEnum L1 L2 L3 N L1-N L2-N L3-N L1-L2 L2-L3 L3-L1
    enum PublishFirmwareStatusEnum Idle DownloadScheduled Downloading Downloaded Published DownloadFailed DownloadPaused
      InvalidChecksum ChecksumVerified PublishFailed
    enum ReadingContextEnum Interruption.Begin Interruption.End Other Sample.Clock Sample.Periodic Transaction.Begin
      Transaction.End Trigger
    enum ReasonEnum DeAuthorized EmergencyStop EnergyLimitReached EVDisconnected GroundFault ImmediateReset Local
      LocalOutOfCredit MasterPass Other OvercurrentFault PowerLoss PowerQuality Reboot Remote SOCLimitReached StoppedByEV
      TimeLimitReached Timeout
    enum RecurrencyKindEnum Daily Weekly
    enum RegistrationStatusEnum Accepted Pending Rejected
    enum ReportBaseEnum ConfigurationInventory FullInventory SummaryInventory
    enum RequestStartStopStatusEnum Accepted Rejected
    enum ReservationUpdateStatusEnum Expired Removed
    enum ReserveNowStatusEnum Accepted Faulted Occupied Rejected Unavailable
    enum ResetEnum Immediate OnIdle
    enum ResetStatusEnum Accepted Rejected Scheduled
    enum SendLocalListStatusEnum Accepted Failed VersionMismatch
    enum SetMonitoringStatusEnum Accepted UnknownComponent UnknownVariable UnsupportedMonitorType Rejected Duplicate
    enum SetNetworkProfileStatusEnum Accepted Rejected Failed
    enum SetVariableStatusEnum Accepted Rejected UnknownComponent UnknownVariable NotSupportedAttributeType RebootRequired
    enum TransactionEventEnum Ended Started Updated
    enum TriggerMessageStatusEnum Accepted Rejected NotImplemented
    enum TriggerReasonEnum Authorized CablePluggedIn ChargingRateChanged ChargingStateChanged Deauthorized
      EnergyLimitReached EVCommunicationLost EVConnectTimeout MeterValueClock MeterValuePeriodic TimeLimitReached Trigger
      UnlockCommand StopAuthorized EVDeparted EVDetected RemoteStop RemoteStart AbnormalCondition SignedDataReceived
      ResetCommand
    enum UnlockStatusEnum Unlocked UnlockFailed OngoingAuthorizedTransaction UnknownConnector
    enum UnpublishFirmwareStatusEnum DownloadOngoing NoFirmware Unpublished
    enum UpdateEnum Differential Full
    enum UpdateFirmwareStatusEnum Accepted Rejected AcceptedCanceled InvalidCertificate RevokedCertificate
    enum UploadLogStatusEnum BadMessage Idle NotSupportedOperation PermissionDenied Uploaded UploadFailure Uploading
      AcceptedCanceled
    enum VPNEnum IKEv2 IPSec L2TP PPTP
    """
}
