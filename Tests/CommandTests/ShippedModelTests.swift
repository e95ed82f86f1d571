import Foundation
import Storage
import TestSupport
import Testing

/// `data/model.h5`, the model that comes with the program.
@Suite struct ShippedModelTests {
  private let toy: TemporaryDirectory
  /// Sequences of the built-in digits, which its training never showed.
  private let data: String
  private static let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("data/model.h5").path

  init() throws {
    toy = try TemporaryDirectory()
    data = toy.path("digits.h5")
    let made = try ToyRun.program([
      "data", "moving-digits", "--out", data, "--sequences", "24", "--frames", "10", "--split", "test", "--motion",
      "reference", "--seed", "3",
    ])
    try #require(made.exitCode == 0, "\(made)")
  }

  @Test func itSaysWhereItComesFrom() throws {
    let size = try FileManager.default.attributesOfItem(atPath: Self.model)[.size] as? Int
    #expect(try #require(size) < 12_000_000)
    let model = try Checkpoint(reading: Self.model)
    #expect(model.optimizer.isEmpty && model.data.contains("sqair-dist/sequences"))
    #expect(model.software.contains("commit ") && model.software.contains("train --"))
    // No folder is in it; identities of data have a slash of their own.
    #expect(!model.configuration.replacingOccurrences(of: "sqair-dist/sequences", with: "").contains("/"))
  }

  @Test func itCountsDigitsThatItNeverSaw() throws {
    let outcome = try ToyRun.program(["evaluate", "--checkpoint", Self.model, "--data", data, "--json"])
    #expect(outcome.exitCode == 0, "\(outcome)")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any]
    let accuracy = try #require(json?["count_accuracy"] as? Double, "\(outcome)")
    #expect(accuracy > 0.9)
  }

  @Test func itGeneratesContinuations() throws {
    let outcome = try ToyRun.program([
      "generate", "--checkpoint", Self.model, "--data", data, "--out", toy.path("generated"), "--sequences", "2",
      "--frames", "20",
    ])
    #expect(outcome.exitCode == 0, "\(outcome)")
  }

  /// Tracking and occlusion once compared different boxes, whatever --boxes said.
  @Test func occlusionComparesTheBoxesOfTracking() throws {
    let crossing = toy.path("crossing.h5")
    let made = try ToyRun.program([
      "data", "moving-digits", "--out", crossing, "--sequences", "12", "--split", "test", "--overlap",
    ])
    try #require(made.exitCode == 0, "\(made)")
    func recalls(_ boxes: String) throws -> (tracking: Double, occlusion: Double) {
      let outcome = try ToyRun.program([
        "compare", "--checkpoint", Self.model, "--data", crossing, "--boxes", boxes, "--overlap", "0.6", "--json",
      ])
      #expect(outcome.exitCode == 0, "\(outcome)")
      let report = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any]
      let cases = try #require(report?["cases"] as? [String: Double])
      let models = try #require(report?["models"] as? [[String: Any]])
      let measures = try #require(models.first?["measures"] as? [String: Double])
      let found = measures.reduce(0) { sum, measure in
        sum + (measure.key.hasPrefix("recall_visible_") ? measure.value * (cases[measure.key] ?? 0) : 0)
      }
      return (try #require(measures["recall_60"]), found / (try #require(cases["recall_60"])))
    }
    let (window, drawn) = (try recalls("window"), try recalls("drawn"))
    #expect(window.tracking != drawn.tracking)
    for recall in [window, drawn] { #expect(abs(recall.tracking - recall.occlusion) < 1e-9) }
  }
}
