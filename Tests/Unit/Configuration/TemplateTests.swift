// SPDX-License-Identifier: Apache-2.0

import BusbarConfiguration
import BusbarModel
import Foundation
import Testing

@Suite struct TemplateTests {
  let folder = Folder()
  private let shared = "\(Fixture.cases)/_shared/templates"

  @Test func aTemplateIsRead() throws {
    let (read, found) = TemplateLibrary.check("\(shared)/test-solar.yaml", manifests: Fixture.manifests)
    #expect(found == [])
    let template = try #require(read)
    #expect(
      template.name == "test-solar" && template.kind == .solar && template.adapter == "modbus"
        && template.models == ["STP 10.0"])
    #expect(
      template.defaults.port == 502 && template.defaults.config == ["unit": 3]
        && template.defaults.poll.period == .seconds(5))
    #expect(template.points == ["power", "energy_total", "state", "power_limit"] && template.confidence == .community)
    #expect(template.write == nil && template.vendor == "SMA")
    let state = template.body["points"]?["state"]
    #expect(state?["enum"] == ["35": "fault", "303": "off", "307": "running", "455": "standby"])
    #expect(state?["register"] == 30201 && template.body["points"]?["power"]?["type"] == "int32")
    #expect(template.json["modbus"] == template.body && template.json["defaults"]?["poll"] == ["default": "5s"])
  }

  @Test func defaultsOfTheSchemaAreFilledIn() throws {
    let text = try String(contentsOfFile: "\(shared)/test-meter.yaml", encoding: .utf8)
    let file = folder.write("test-meter.yaml", text.replacing("type: float32, ", with: ""))
    let template = try #require(TemplateLibrary.check(file, manifests: Fixture.manifests).0)
    #expect(template.body["word_order"] == "big" && template.body["points"]?["power"]?["type"] == "uint16")
    let bare = try #require(TemplateLibrary.check(file).0)
    #expect(bare.body["word_order"] == nil)
  }

  @Test func aLaterDirectoryWinsAndSaysSo() throws {
    let text = try String(contentsOfFile: "\(shared)/test-meter.yaml", encoding: .utf8)
    folder.write("test-meter.yaml", text.replacing("A meter for tests", with: "Another one"))
    let library = TemplateLibrary(directories: [shared, folder.path, "/nonexistent"])
    #expect(library.names == ["test-meter", "test-solar"] && library["test-meter"]?.title == "Another one")
    #expect(
      library.diagnostics.map(\.description) == [
        "\(folder.path)/test-meter.yaml: warning: template: test-meter takes the place of the one in \(shared)/test-meter.yaml"
      ])
  }

  @Test func aBrokenTemplateLeavesTheOthersAlone() throws {
    folder.write("broken.yaml", "template: broken\n")
    folder.write("garbage.yaml", Data([0, 1, 2, 255]))
    folder.write("other.yml", "template: other\n")
    folder.write("README.md", "# no template")
    let text = try String(contentsOfFile: "\(shared)/test-meter.yaml", encoding: .utf8)
    folder.write("test-meter.yaml", text)
    let library = TemplateLibrary(directories: [folder.path], manifests: Fixture.manifests)
    #expect(library.names == ["test-meter"])
    let files = Set(library.diagnostics.map { $0.file.replacing(folder.path + "/", with: "") })
    #expect(files == ["broken.yaml", "garbage.yaml", "other.yml"])
    let (configuration, found) = Fixture.load(
      "host: { id: a }\ntemplates: { directories: [\(folder.path)] }\ndevices:\n- { id: a, template: test-meter, endpoint: \"tcp://h\" }\n"
    )
    #expect(configuration?.devices.count == 1 && found == library.diagnostics)
    let (none, errors) = Fixture.load(
      "host: { id: a }\ntemplates: { directories: [\(folder.path)] }\ndevices:\n- { id: a, template: broken, endpoint: \"tcp://h\" }\n"
    )
    #expect(none == nil && errors.first?.message == "there is no template \"broken\", its file has errors")
  }

  @Test func aDirectoryThatIsNotThereIsAWarning() {
    let (configuration, found) = Fixture.load("host: { id: a }\ntemplates: { directories: [/nonexistent] }\n")
    #expect(
      configuration != nil && found.map(\.severity) == [.warning] && found.first?.key == "templates.directories[0]")
  }
}

@Suite struct PointNameTests {
  @Test(arguments: [
    ("power", DeviceKind.meter, "W"), ("power_l3", .meter, "W"), ("voltage_l1", .solar, "V"),
    ("reactive_power_l2", .meter, "var"),
    ("dc_voltage_s12", .solar, "V"), ("energy_import_l1", .meter, "Wh"), ("state", .load, ""), ("soc", .evcharger, "%"),
    ("current_c2", .evcharger, "A"), ("gas_total", .meter, "m³"), ("cop", .heatpump, "1"),
  ])
  func units(name: String, kind: DeviceKind, unit: String) {
    #expect(PointNames.unit(of: name, kind: kind) == unit)
  }

  @Test func namesThatAreNotListed() {
    #expect(PointNames.unit(of: "soc", kind: .meter) == nil && PointNames.unit(of: "power_l4", kind: .meter) == nil)
    #expect(PointNames.unit(of: "fan_speed", kind: .heatpump) == nil)
  }

  @Test func everyRequiredAndWritablePointIsListed() {
    for kind in DeviceKind.allCases {
      for name in PointNames.required(kind).joined() + PointNames.writable(kind) {
        #expect(PointNames.unit(of: name, kind: kind) != nil, "\(kind) \(name)")
      }
    }
  }
}
