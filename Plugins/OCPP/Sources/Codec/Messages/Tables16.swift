// SPDX-License-Identifier: Apache-2.0
// Written by Plugins/OCPP/Tables/make; the notation is explained in Shape.swift.

extension Tables {
  /// OCPP 1.6 with the messages of the security whitepaper.
  static let ocpp16 = """
    enum AuthorizationStatus Accepted Blocked Expired Invalid ConcurrentTx
    enum Availability Inoperative Operative
    enum CertificateUseEnum CentralSystemRootCertificate ManufacturerRootCertificate
    enum ChangeAvailabilityStatus Accepted Rejected Scheduled
    enum ChangeConfigurationStatus Accepted Rejected RebootRequired NotSupported
    enum ChargePointStatus Available Preparing Charging SuspendedEVSE SuspendedEV Finishing Reserved Unavailable Faulted
    enum ChargingProfileKind Absolute Recurring Relative
    enum ChargingProfilePurpose ChargePointMaxProfile TxDefaultProfile TxProfile
    enum ChargingRateUnit A W
    enum ClearChargingProfileStatus Accepted Unknown
    enum Context Interruption.Begin Interruption.End Sample.Clock Sample.Periodic Transaction.Begin Transaction.End
      Trigger Other
    enum DataTransferStatus Accepted Rejected UnknownMessageId UnknownVendorId
    enum DeleteCertificateStatusEnum Accepted Failed NotFound
    enum DiagnosticsStatusNotificationStatus Idle Uploaded UploadFailed Uploading
    enum ErrorCode ConnectorLockFailure EVCommunicationError GroundFailure HighTemperature InternalError LocalListConflict
      NoError OtherError OverCurrentFailure PowerMeterFailure PowerSwitchFailure ReaderFailure ResetFailure UnderVoltage
      OverVoltage WeakSignal
    enum FirmwareStatusEnum Downloaded DownloadFailed Downloading DownloadScheduled DownloadPaused Idle InstallationFailed
      Installing Installed InstallRebooting InstallScheduled InstallVerificationFailed InvalidSignature SignatureVerified
    enum FirmwareStatusNotificationStatus Downloaded DownloadFailed Downloading Idle InstallationFailed Installing
      Installed
    enum Format Raw SignedData
    enum GenericStatus Accepted Rejected
    enum GetInstalledCertificateStatusEnum Accepted NotFound
    enum HashAlgorithmEnum SHA256 SHA384 SHA512
    enum InstallCertificateStatusEnum Accepted Failed Rejected
    enum Location Cable EV Inlet Outlet Body
    enum LogEnum DiagnosticsLog SecurityLog
    enum LogStatusEnum Accepted Rejected AcceptedCanceled
    enum Measurand Energy.Active.Export.Register Energy.Active.Import.Register Energy.Reactive.Export.Register
      Energy.Reactive.Import.Register Energy.Active.Export.Interval Energy.Active.Import.Interval
      Energy.Reactive.Export.Interval Energy.Reactive.Import.Interval Power.Active.Export Power.Active.Import
      Power.Offered Power.Reactive.Export Power.Reactive.Import Power.Factor Current.Import Current.Export Current.Offered
      Voltage Frequency Temperature SoC RPM
    enum MessageTriggerEnum BootNotification LogStatusNotification FirmwareStatusNotification Heartbeat MeterValues
      SignChargePointCertificate StatusNotification
    enum Phase L1 L2 L3 N L1-N L2-N L3-N L1-L2 L2-L3 L3-L1
    enum Reason EmergencyStop EVDisconnected HardReset Local Other PowerLoss Reboot Remote SoftReset UnlockCommand
      DeAuthorized
    enum RecurrencyKind Daily Weekly
    enum RegistrationStatus Accepted Pending Rejected
    enum RequestedMessage BootNotification DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat MeterValues
      StatusNotification
    enum ReserveNowStatus Accepted Faulted Occupied Rejected Unavailable
    enum Reset Hard Soft
    enum SendLocalListStatus Accepted Failed NotSupported VersionMismatch
    enum SetChargingProfileStatus Accepted Rejected NotSupported
    enum TriggerMessageStatusEnum Accepted Rejected NotImplemented
    enum Unit Wh kWh varh kvarh W kW VA kVA var kvar A V K Celcius Celsius Fahrenheit Percent Hertz
    enum Unit2 Wh kWh varh kvarh W kW VA kVA var kvar A V K Celcius Celsius Fahrenheit Percent
    enum UnlockConnectorStatus Unlocked UnlockFailed NotSupported
    enum Update Differential Full
    enum UpdateFirmwareStatusEnum Accepted Rejected AcceptedCanceled InvalidCertificate RevokedCertificate
    enum UploadLogStatusEnum BadMessage Idle NotSupportedOperation PermissionDenied Uploaded UploadFailure Uploading
    type CertificateHashData hashAlgorithm=HashAlgorithmEnum issuerNameHash=text128 issuerKeyHash=text128
      serialNumber=text40
    type ChargingProfile chargingProfileId=int transactionId?=int stackLevel=int
      chargingProfilePurpose=ChargingProfilePurpose chargingProfileKind=ChargingProfileKind recurrencyKind?=RecurrencyKind
      validFrom?=time validTo?=time chargingSchedule=ChargingSchedule
    type ChargingSchedule duration?=int startSchedule?=time chargingRateUnit=ChargingRateUnit
      chargingSchedulePeriod=ChargingSchedulePeriod[0-] minChargingRate?=num/10
    type ChargingSchedulePeriod startPeriod=int limit=num/10 numberPhases?=int
    type ConfigurationKey key=text50 readonly=bool value?=text500
    type Firmware location=text512 retrieveDateTime=time installDateTime?=time signingCertificate=text5500
      signature=text800
    type IdTagInfo expiryDate?=time parentIdTag?=text20 status=AuthorizationStatus
    type LocalAuthorizationList idTag=text20 idTagInfo?=IdTagInfo
    type LogParameters remoteLocation=text512 oldestTimestamp?=time latestTimestamp?=time
    type MeterValue timestamp=time sampledValue=SampledValue[1-]
    type SampledValue value=text context?=Context format?=Format measurand?=Measurand phase?=Phase location?=Location
      unit?=Unit
    type SampledValue2 value=text context?=Context format?=Format measurand?=Measurand phase?=Phase location?=Location
      unit?=Unit2
    type TransactionData timestamp=time sampledValue=SampledValue2[0-]
    > Authorize idTag=text20
    = idTagInfo=IdTagInfo
    > BootNotification chargePointVendor=text20 chargePointModel=text20 chargePointSerialNumber?=text25
      chargeBoxSerialNumber?=text25 firmwareVersion?=text50 iccid?=text20 imsi?=text20 meterType?=text25
      meterSerialNumber?=text25
    = status=RegistrationStatus currentTime=time interval=int
    < CancelReservation reservationId=int
    = status=GenericStatus
    < CertificateSigned certificateChain=text10000
    = status=GenericStatus
    < ChangeAvailability connectorId=int type=Availability
    = status=ChangeAvailabilityStatus
    < ChangeConfiguration key=text50 value=text500
    = status=ChangeConfigurationStatus
    < ClearCache
    = status=GenericStatus
    < ClearChargingProfile id?=int connectorId?=int chargingProfilePurpose?=ChargingProfilePurpose stackLevel?=int
    = status=ClearChargingProfileStatus
    <> DataTransfer vendorId=text255 messageId?=text50 data?=text
    = status=DataTransferStatus data?=text
    < DeleteCertificate certificateHashData=CertificateHashData
    = status=DeleteCertificateStatusEnum
    > DiagnosticsStatusNotification status=DiagnosticsStatusNotificationStatus
    =
    < ExtendedTriggerMessage requestedMessage=MessageTriggerEnum connectorId?=int
    = status=TriggerMessageStatusEnum
    > FirmwareStatusNotification status=FirmwareStatusNotificationStatus
    =
    < GetCompositeSchedule connectorId=int duration=int chargingRateUnit?=ChargingRateUnit
    = status=GenericStatus connectorId?=int scheduleStart?=time chargingSchedule?=ChargingSchedule
    < GetConfiguration key?=text50[0-]
    = configurationKey?=ConfigurationKey[0-] unknownKey?=text50[0-]
    < GetDiagnostics location=text retries?=int retryInterval?=int startTime?=time stopTime?=time
    = fileName?=text255
    < GetInstalledCertificateIds certificateType=CertificateUseEnum
    = certificateHashData?=CertificateHashData[1-] status=GetInstalledCertificateStatusEnum
    < GetLocalListVersion
    = listVersion=int
    < GetLog log=LogParameters logType=LogEnum requestId=int retries?=int retryInterval?=int
    = status=LogStatusEnum filename?=text255
    > Heartbeat
    = currentTime=time
    < InstallCertificate certificateType=CertificateUseEnum certificate=text5500
    = status=InstallCertificateStatusEnum
    > LogStatusNotification status=UploadLogStatusEnum requestId?=int
    =
    > MeterValues connectorId=int transactionId?=int meterValue=MeterValue[1-]
    =
    < RemoteStartTransaction connectorId?=int idTag=text20 chargingProfile?=ChargingProfile
    = status=GenericStatus
    < RemoteStopTransaction transactionId=int
    = status=GenericStatus
    < ReserveNow connectorId=int expiryDate=time idTag=text20 parentIdTag?=text20 reservationId=int
    = status=ReserveNowStatus
    < Reset type=Reset
    = status=GenericStatus
    > SecurityEventNotification type=text50 timestamp=time techInfo?=text255
    =
    < SendLocalList listVersion=int localAuthorizationList?=LocalAuthorizationList[0-] updateType=Update
    = status=SendLocalListStatus
    < SetChargingProfile connectorId=int csChargingProfiles=ChargingProfile
    = status=SetChargingProfileStatus
    > SignCertificate csr=text5500
    = status=GenericStatus
    > SignedFirmwareStatusNotification status=FirmwareStatusEnum requestId?=int
    =
    < SignedUpdateFirmware retries?=int retryInterval?=int requestId=int firmware=Firmware
    = status=UpdateFirmwareStatusEnum
    > StartTransaction connectorId=int idTag=text20 meterStart=int reservationId?=int timestamp=time
    = idTagInfo=IdTagInfo transactionId=int
    > StatusNotification connectorId=int errorCode=ErrorCode info?=text50 status=ChargePointStatus timestamp?=time
      vendorId?=text255 vendorErrorCode?=text50
    =
    > StopTransaction idTag?=text20 meterStop=int timestamp=time transactionId=int reason?=Reason
      transactionData?=TransactionData[0-]
    = idTagInfo?=IdTagInfo
    < TriggerMessage requestedMessage=RequestedMessage connectorId?=int
    = status=TriggerMessageStatusEnum
    < UnlockConnector connectorId=int
    = status=UnlockConnectorStatus
    < UpdateFirmware location=text retries?=int retrieveDate=time retryInterval?=int
    =
    """
}
