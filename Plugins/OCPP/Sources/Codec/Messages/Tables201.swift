// SPDX-License-Identifier: Apache-2.0
// Written by Plugins/OCPP/Tables/make; the notation is explained in Shape.swift.

extension Tables {
  /// Messages of OCPP 2.0.1.
  static let ocpp201Messages = """
    > Authorize idToken=IdToken certificate?=text5500 iso15118CertificateHashData?=OCSPRequestData[1-4]
    = idTokenInfo=IdTokenInfo certificateStatus?=AuthorizeCertificateStatusEnum
    > BootNotification chargingStation=ChargingStation reason=BootReasonEnum
    = currentTime=time interval=int status=RegistrationStatusEnum statusInfo?=StatusInfo
    < CancelReservation reservationId=int
    = status=CancelReservationStatusEnum statusInfo?=StatusInfo
    < CertificateSigned certificateChain=text10000 certificateType?=CertificateSigningUseEnum
    = status=CertificateSignedStatusEnum statusInfo?=StatusInfo
    < ChangeAvailability evse?=EVSE operationalStatus=OperationalStatusEnum
    = status=ChangeAvailabilityStatusEnum statusInfo?=StatusInfo
    < ClearCache
    = status=ClearCacheStatusEnum statusInfo?=StatusInfo
    < ClearChargingProfile chargingProfileId?=int chargingProfileCriteria?=ClearChargingProfile
    = status=ClearChargingProfileStatusEnum statusInfo?=StatusInfo
    < ClearDisplayMessage id=int
    = status=ClearMessageStatusEnum statusInfo?=StatusInfo
    < ClearVariableMonitoring id=int[1-]
    = clearMonitoringResult=ClearMonitoringResult[1-]
    > ClearedChargingLimit chargingLimitSource=ChargingLimitSourceEnum evseId?=int
    =
    < CostUpdated totalCost=num transactionId=text36
    =
    < CustomerInformation customerCertificate?=CertificateHashData idToken?=IdToken requestId=int report=bool clear=bool
      customerIdentifier?=text64
    = status=CustomerInformationStatusEnum statusInfo?=StatusInfo
    <> DataTransfer messageId?=text50 data?=any vendorId=text255
    = status=DataTransferStatusEnum statusInfo?=StatusInfo data?=any
    < DeleteCertificate certificateHashData=CertificateHashData
    = status=DeleteCertificateStatusEnum statusInfo?=StatusInfo
    > FirmwareStatusNotification status=FirmwareStatusEnum requestId?=int
    =
    > Get15118EVCertificate iso15118SchemaVersion=text50 action=CertificateActionEnum exiRequest=text5600
    = status=Iso15118EVCertificateStatusEnum statusInfo?=StatusInfo exiResponse=text7500
    < GetBaseReport requestId=int reportBase=ReportBaseEnum
    = status=GenericDeviceModelStatusEnum statusInfo?=StatusInfo
    > GetCertificateStatus ocspRequestData=OCSPRequestData
    = status=GetCertificateStatusEnum statusInfo?=StatusInfo ocspResult?=text5500
    < GetChargingProfiles requestId=int evseId?=int chargingProfile=ChargingProfileCriterion
    = status=GetChargingProfileStatusEnum statusInfo?=StatusInfo
    < GetCompositeSchedule duration=int chargingRateUnit?=ChargingRateUnitEnum evseId=int
    = status=GenericStatusEnum statusInfo?=StatusInfo schedule?=CompositeSchedule
    < GetDisplayMessages id?=int[1-] requestId=int priority?=MessagePriorityEnum state?=MessageStateEnum
    = status=GetDisplayMessagesStatusEnum statusInfo?=StatusInfo
    < GetInstalledCertificateIds certificateType?=GetCertificateIdUseEnum[1-]
    = status=GetInstalledCertificateStatusEnum statusInfo?=StatusInfo
      certificateHashDataChain?=CertificateHashDataChain[1-]
    < GetLocalListVersion
    = versionNumber=int
    < GetLog log=LogParameters logType=LogEnum requestId=int retries?=int retryInterval?=int
    = status=LogStatusEnum statusInfo?=StatusInfo filename?=text255
    < GetMonitoringReport componentVariable?=ComponentVariable[1-] requestId=int
      monitoringCriteria?=MonitoringCriterionEnum[1-3]
    = status=GenericDeviceModelStatusEnum statusInfo?=StatusInfo
    < GetReport componentVariable?=ComponentVariable[1-] requestId=int componentCriteria?=ComponentCriterionEnum[1-4]
    = status=GenericDeviceModelStatusEnum statusInfo?=StatusInfo
    < GetTransactionStatus transactionId?=text36
    = ongoingIndicator?=bool messagesInQueue=bool
    < GetVariables getVariableData=GetVariableData[1-]
    = getVariableResult=GetVariableResult[1-]
    > Heartbeat
    = currentTime=time
    < InstallCertificate certificateType=InstallCertificateUseEnum certificate=text5500
    = status=InstallCertificateStatusEnum statusInfo?=StatusInfo
    > LogStatusNotification status=UploadLogStatusEnum requestId?=int
    =
    > MeterValues evseId=int meterValue=MeterValue[1-]
    =
    > NotifyChargingLimit chargingSchedule?=ChargingSchedule[1-] evseId?=int chargingLimit=ChargingLimit
    =
    > NotifyCustomerInformation data=text512 tbc?=bool seqNo=int generatedAt=time requestId=int
    =
    > NotifyDisplayMessages messageInfo?=MessageInfo[1-] requestId=int tbc?=bool
    =
    > NotifyEVChargingNeeds maxScheduleTuples?=int chargingNeeds=ChargingNeeds evseId=int
    = status=NotifyEVChargingNeedsStatusEnum statusInfo?=StatusInfo
    > NotifyEVChargingSchedule timeBase=time chargingSchedule=ChargingSchedule evseId=int
    = status=GenericStatusEnum statusInfo?=StatusInfo
    > NotifyEvent generatedAt=time tbc?=bool seqNo=int eventData=EventData[1-]
    =
    > NotifyMonitoringReport monitor?=MonitoringData[1-] requestId=int tbc?=bool seqNo=int generatedAt=time
    =
    > NotifyReport requestId=int generatedAt=time reportData?=ReportData[1-] tbc?=bool seqNo=int
    =
    < PublishFirmware location=text512 retries?=int checksum=text32 requestId=int retryInterval?=int
    = status=GenericStatusEnum statusInfo?=StatusInfo
    > PublishFirmwareStatusNotification status=PublishFirmwareStatusEnum location?=text512[1-] requestId?=int
    =
    > ReportChargingProfiles requestId=int chargingLimitSource=ChargingLimitSourceEnum chargingProfile=ChargingProfile[1-]
      tbc?=bool evseId=int
    =
    < RequestStartTransaction evseId?=int groupIdToken?=IdToken idToken=IdToken remoteStartId=int
      chargingProfile?=ChargingProfile
    = status=RequestStartStopStatusEnum statusInfo?=StatusInfo transactionId?=text36
    < RequestStopTransaction transactionId=text36
    = status=RequestStartStopStatusEnum statusInfo?=StatusInfo
    > ReservationStatusUpdate reservationId=int reservationUpdateStatus=ReservationUpdateStatusEnum
    =
    < ReserveNow id=int expiryDateTime=time connectorType?=ConnectorEnum idToken=IdToken evseId?=int groupIdToken?=IdToken
    = status=ReserveNowStatusEnum statusInfo?=StatusInfo
    < Reset type=ResetEnum evseId?=int
    = status=ResetStatusEnum statusInfo?=StatusInfo
    > SecurityEventNotification type=text50 timestamp=time techInfo?=text255
    =
    < SendLocalList localAuthorizationList?=AuthorizationData[1-] versionNumber=int updateType=UpdateEnum
    = status=SendLocalListStatusEnum statusInfo?=StatusInfo
    < SetChargingProfile evseId=int chargingProfile=ChargingProfile
    = status=ChargingProfileStatusEnum statusInfo?=StatusInfo
    < SetDisplayMessage message=MessageInfo
    = status=DisplayMessageStatusEnum statusInfo?=StatusInfo
    < SetMonitoringBase monitoringBase=MonitoringBaseEnum
    = status=GenericDeviceModelStatusEnum statusInfo?=StatusInfo
    < SetMonitoringLevel severity=int
    = status=GenericStatusEnum statusInfo?=StatusInfo
    < SetNetworkProfile configurationSlot=int connectionData=NetworkConnectionProfile
    = status=SetNetworkProfileStatusEnum statusInfo?=StatusInfo
    < SetVariableMonitoring setMonitoringData=SetMonitoringData[1-]
    = setMonitoringResult=SetMonitoringResult[1-]
    < SetVariables setVariableData=SetVariableData[1-]
    = setVariableResult=SetVariableResult[1-]
    > SignCertificate csr=text5500 certificateType?=CertificateSigningUseEnum
    = status=GenericStatusEnum statusInfo?=StatusInfo
    > StatusNotification timestamp=time connectorStatus=ConnectorStatusEnum evseId=int connectorId=int
    =
    > TransactionEvent eventType=TransactionEventEnum meterValue?=MeterValue[1-] timestamp=time
      triggerReason=TriggerReasonEnum seqNo=int offline?=bool numberOfPhasesUsed?=int cableMaxCurrent?=int
      reservationId?=int transactionInfo=Transaction evse?=EVSE idToken?=IdToken
    = totalCost?=num chargingPriority?=int idTokenInfo?=IdTokenInfo updatedPersonalMessage?=MessageContent
    < TriggerMessage evse?=EVSE requestedMessage=MessageTriggerEnum
    = status=TriggerMessageStatusEnum statusInfo?=StatusInfo
    < UnlockConnector evseId=int connectorId=int
    = status=UnlockStatusEnum statusInfo?=StatusInfo
    < UnpublishFirmware checksum=text32
    = status=UnpublishFirmwareStatusEnum
    < UpdateFirmware retries?=int retryInterval?=int requestId=int firmware=Firmware
    = status=UpdateFirmwareStatusEnum statusInfo?=StatusInfo
    """
}
