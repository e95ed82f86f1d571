import Foundation
import TestSupport
import Testing

/// `compare` on two checkpoints of a toy run.
@Suite struct CompareTests {
  private let toy: ToyRun

  init() throws {
    toy = try ToyRun()
    for (name, options) in [("bar.h5", ["--occluded", "--motion", "reference"]), ("crossing.h5", ["--overlap"])] {
      let outcome = try ToyRun.program(
        ["data", "moving-digits", "--out", toy.path(name), "--sequences", "18", "--frames", "6"] + options)
      try #require(outcome.exitCode == 0, "\(outcome)")
    }
    let outcome = try toy.train("run", "--data", toy.path("crossing.h5"), "--steps", "4", "--batch", "4")
    try #require(outcome.exitCode == 0, "\(outcome)")
  }

  private func compare(_ name: String, _ options: String..., ranks: Int = 1) throws -> ProcessOutcome {
    try ToyRun.program(
      [
        "compare", "--checkpoint", toy.path("run"), "--checkpoint", toy.checkpointPath("run", step: 4), "--data",
        toy.path(name), "--iou", "0.3",
      ] + options, ranks: ranks)
  }

  private func report(_ outcome: ProcessOutcome) throws -> [String: Any] {
    #expect(outcome.exitCode == 0, "\(outcome)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any])
  }

  @Test(arguments: ["bar.h5", "crossing.h5"])
  func theReportIsTheSameOnAnyNumberOfProcesses(name: String) throws {
    let alone = try report(compare(name, "--json"))
    #expect(alone["sequences"] as? Int == 18 && alone["frames"] as? Int == 6)
    #expect(alone["minimum_overlap"] as? Double == 0.3)
    let models = try #require(alone["models"] as? [[String: Any]])
    let measures = try models.map { try #require($0["measures"] as? [String: Double]) }
    // Two names of one checkpoint.
    #expect(measures.count == 2 && measures[0] == measures[1])
    let cases = try #require(alone["cases"] as? [String: Double])
    #expect(Set(cases.keys) == Set(measures[0].keys))
    #expect(cases["scene_error"] == 270_000.0)
    #expect(try #require(measures[0]["scene_error"]) > 0)
    #expect((cases["hidden_error"] != nil) == (name == "bar.h5"))
    if name == "crossing.h5" { #expect(cases["identity_kept"] == 18) }
    let shared = try report(compare(name, "--json", ranks: 3))
    #expect(shared as NSDictionary == alone as NSDictionary)
  }

  @Test func aTableAndAPictureAreForPeople() throws {
    let outcome = try compare("bar.h5", "--out", toy.path("pictures"), "--pictures", "2")
    #expect(outcome.exitCode == 0)
    for word in ["A   ", "B   ", "behind a bar", "by visible fraction", "wrote \(toy.path("pictures"))"] {
      #expect(outcome.standardOutput.contains(word), "\(outcome)")
    }
    let picture = try Data(contentsOf: URL(fileURLWithPath: toy.path("pictures/comparison.png")))
    #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]) && picture.count > 2_000)
  }

  @Test func anOrdinaryFileIsRefused() throws {
    let outcome = try ToyRun.program(
      ["data", "moving-digits", "--out", toy.path("plain.h5"), "--sequences", "4", "--frames", "6"])
    try #require(outcome.exitCode == 0, "\(outcome)")
    let refused = try compare("plain.h5")
    #expect(refused.exitCode == 1 && refused.standardError.contains("--occluded"), "\(refused)")
    #expect(try compare("bar.h5", "--iou", "0").exitCode == 64)
  }
}
