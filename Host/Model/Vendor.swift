// SPDX-License-Identifier: Apache-2.0

/// Short vendor names for device ids (interfaces 4). A vendor that is not listed keeps its first word.
package enum Vendor {
  package static func shortName(of vendor: String) -> String {
    let key = vendor.lowercased()
    if let short = table.first(where: { begins(key, with: $0.key) })?.value { return short }
    return String(key.split(separator: " ").first ?? "")
  }

  /// With whole words: Smartfox is not SMA.
  private static func begins(_ vendor: String, with words: String) -> Bool {
    guard vendor.hasPrefix(words) else { return false }
    return vendor.dropFirst(words.count).first.map { !$0.isLetter && !$0.isNumber } ?? true
  }

  private static let table: KeyValuePairs<String, String> = [
    "abl": "abl", "alfen": "alfen", "byd": "byd", "carlo gavazzi": "gavazzi", "eastron": "eastron", "fronius": "fronius",
    "go-e": "goe", "heidelberg": "heidelberg", "huawei": "huawei", "idm": "idm", "janitza": "janitza", "keba": "keba",
    "kostal": "kostal", "lambda": "lambda", "mennekes": "mennekes", "nibe": "nibe", "phoenix contact": "phoenix",
    "schneider": "schneider", "sma": "sma", "solaredge": "solaredge", "sonnen": "sonnen",
    "sonnenbatterie": "sonnen", "stiebel": "stiebel", "sungrow": "sungrow", "tecalor": "tecalor", "tesla": "tesla",
    "vaillant": "vaillant", "victron": "victron",
  ]
}
