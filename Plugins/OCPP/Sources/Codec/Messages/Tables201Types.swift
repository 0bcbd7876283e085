// SPDX-License-Identifier: Apache-2.0
// Written by Plugins/OCPP/Tables/make; the notation is explained in Shape.swift.

extension Tables {
  /// Types of OCPP 2.0.1.
  static let ocpp201Types = """
    every customData?=CustomData
    type ACChargingParameters energyAmount=int evMinCurrent=int evMaxCurrent=int evMaxVoltage=int
    type APN apn=text512 apnUserName?=text20 apnPassword?=text20 simPin?=int preferredNetwork?=text6
      useOnlyPreferredNetwork?=bool apnAuthentication=APNAuthenticationEnum
    type AdditionalInfo additionalIdToken=text36 type=text50
    type AuthorizationData idToken=IdToken idTokenInfo?=IdTokenInfo
    type CertificateHashData hashAlgorithm=HashAlgorithmEnum issuerNameHash=text128 issuerKeyHash=text128
      serialNumber=text40
    type CertificateHashDataChain certificateHashData=CertificateHashData certificateType=GetCertificateIdUseEnum
      childCertificateHashData?=CertificateHashData[1-4]
    type ChargingLimit chargingLimitSource=ChargingLimitSourceEnum isGridCritical?=bool
    type ChargingNeeds acChargingParameters?=ACChargingParameters dcChargingParameters?=DCChargingParameters
      requestedEnergyTransfer=EnergyTransferModeEnum departureTime?=time
    type ChargingProfile id=int stackLevel=int chargingProfilePurpose=ChargingProfilePurposeEnum
      chargingProfileKind=ChargingProfileKindEnum recurrencyKind?=RecurrencyKindEnum validFrom?=time validTo?=time
      chargingSchedule=ChargingSchedule[1-3] transactionId?=text36
    type ChargingProfileCriterion chargingProfilePurpose?=ChargingProfilePurposeEnum stackLevel?=int
      chargingProfileId?=int[1-] chargingLimitSource?=ChargingLimitSourceEnum[1-4]
    type ChargingSchedule id=int startSchedule?=time duration?=int chargingRateUnit=ChargingRateUnitEnum
      chargingSchedulePeriod=ChargingSchedulePeriod[1-1024] minChargingRate?=num salesTariff?=SalesTariff
    type ChargingSchedulePeriod startPeriod=int limit=num numberPhases?=int phaseToUse?=int
    type ChargingStation serialNumber?=text25 model=text20 modem?=Modem vendorName=text50 firmwareVersion?=text50
    type ClearChargingProfile evseId?=int chargingProfilePurpose?=ChargingProfilePurposeEnum stackLevel?=int
    type ClearMonitoringResult status=ClearMonitoringStatusEnum id=int statusInfo?=StatusInfo
    type Component evse?=EVSE name=text50 instance?=text50
    type ComponentVariable component=Component variable?=Variable
    type CompositeSchedule chargingSchedulePeriod=ChargingSchedulePeriod[1-] evseId=int duration=int scheduleStart=time
      chargingRateUnit=ChargingRateUnitEnum
    type ConsumptionCost startValue=num cost=Cost[1-3]
    type Cost costKind=CostKindEnum amount=int amountMultiplier?=int
    type CustomData vendorId=text255 *
    type DCChargingParameters evMaxCurrent=int evMaxVoltage=int energyAmount?=int evMaxPower?=int stateOfCharge?=int0-100
      evEnergyCapacity?=int fullSoC?=int0-100 bulkSoC?=int0-100
    type EVSE id=int connectorId?=int
    type EventData eventId=int timestamp=time trigger=EventTriggerEnum cause?=int actualValue=text2500 techCode?=text50
      techInfo?=text500 cleared?=bool transactionId?=text36 component=Component variableMonitoringId?=int
      eventNotificationType=EventNotificationEnum variable=Variable
    type Firmware location=text512 retrieveDateTime=time installDateTime?=time signingCertificate?=text5500
      signature?=text800
    type GetVariableData attributeType?=AttributeEnum component=Component variable=Variable
    type GetVariableResult attributeStatusInfo?=StatusInfo attributeStatus=GetVariableStatusEnum
      attributeType?=AttributeEnum attributeValue?=text2500 component=Component variable=Variable
    type IdToken additionalInfo?=AdditionalInfo[1-] idToken=text36 type=IdTokenEnum
    type IdTokenInfo status=AuthorizationStatusEnum cacheExpiryDateTime?=time chargingPriority?=int language1?=text8
      evseId?=int[1-] groupIdToken?=IdToken language2?=text8 personalMessage?=MessageContent
    type LogParameters remoteLocation=text512 oldestTimestamp?=time latestTimestamp?=time
    type MessageContent format=MessageFormatEnum language?=text8 content=text512
    type MessageInfo display?=Component id=int priority=MessagePriorityEnum state?=MessageStateEnum startDateTime?=time
      endDateTime?=time transactionId?=text36 message=MessageContent
    type MeterValue sampledValue=SampledValue[1-] timestamp=time
    type Modem iccid?=text20 imsi?=text20
    type MonitoringData component=Component variable=Variable variableMonitoring=VariableMonitoring[1-]
    type NetworkConnectionProfile apn?=APN ocppVersion=OCPPVersionEnum ocppTransport=OCPPTransportEnum ocppCsmsUrl=text512
      messageTimeout=int securityProfile=int ocppInterface=OCPPInterfaceEnum vpn?=VPN
    type OCSPRequestData hashAlgorithm=HashAlgorithmEnum issuerNameHash=text128 issuerKeyHash=text128 serialNumber=text40
      responderURL=text512
    type RelativeTimeInterval start=int duration?=int
    type ReportData component=Component variable=Variable variableAttribute=VariableAttribute[1-4]
      variableCharacteristics?=VariableCharacteristics
    type SalesTariff id=int salesTariffDescription?=text32 numEPriceLevels?=int salesTariffEntry=SalesTariffEntry[1-1024]
    type SalesTariffEntry relativeTimeInterval=RelativeTimeInterval ePriceLevel?=int0-
      consumptionCost?=ConsumptionCost[1-3]
    type SampledValue value=num context?=ReadingContextEnum measurand?=MeasurandEnum phase?=PhaseEnum
      location?=LocationEnum signedMeterValue?=SignedMeterValue unitOfMeasure?=UnitOfMeasure
    type SetMonitoringData id?=int transaction?=bool value=num type=MonitorEnum severity=int component=Component
      variable=Variable
    type SetMonitoringResult id?=int statusInfo?=StatusInfo status=SetMonitoringStatusEnum type=MonitorEnum
      component=Component variable=Variable severity=int
    type SetVariableData attributeType?=AttributeEnum attributeValue=text1000 component=Component variable=Variable
    type SetVariableResult attributeType?=AttributeEnum attributeStatus=SetVariableStatusEnum
      attributeStatusInfo?=StatusInfo component=Component variable=Variable
    type SignedMeterValue signedMeterData=text2500 signingMethod=text50 encodingMethod=text50 publicKey=text2500
    type StatusInfo reasonCode=text20 additionalInfo?=text512
    type Transaction transactionId=text36 chargingState?=ChargingStateEnum timeSpentCharging?=int
      stoppedReason?=ReasonEnum remoteStartId?=int
    type UnitOfMeasure unit?=text20 multiplier?=int
    type VPN server=text512 user=text20 group?=text20 password=text20 key=text255 type=VPNEnum
    type Variable name=text50 instance?=text50
    type VariableAttribute type?=AttributeEnum value?=text2500 mutability?=MutabilityEnum persistent?=bool constant?=bool
    type VariableCharacteristics unit?=text16 dataType=DataEnum minLimit?=num maxLimit?=num valuesList?=text1000
      supportsMonitoring=bool
    type VariableMonitoring id=int transaction=bool value=num type=MonitorEnum severity=int
    """
}
