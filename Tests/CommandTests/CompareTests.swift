import Foundation
import Storage
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
    let outcome = try compare(name, "--json")
    #expect(outcome.standardError.contains("compare B: \(toy.checkpointPath("run", step: 4))  18/18 sequences"))
    let alone = try report(outcome)
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

  /// They are equal in whole percents.
  @Test func overlapsThatAreNearlyEqualAreKeptApart() throws {
    let near = try compare("crossing.h5", "--overlap", "0.501", "--overlap", "0.504", "--json")
    let models = try #require(report(near)["models"] as? [[String: Any]])
    let measures = try #require(models[0]["measures"] as? [String: Double])
    #expect(measures["mota_0.501"] != nil && measures["mota_0.504"] != nil, "\(near)")
    let twice = try compare("crossing.h5", "--overlap", "0.5", "--overlap", "0.5")
    #expect(twice.exitCode == 64 && twice.standardError.contains("the same value twice"), "\(twice)")
  }

  @Test func aTableAndAPictureAreForPeople() throws {
    let outcome = try compare("bar.h5", "--out", toy.path("pictures"), "--pictures", "2")
    #expect(outcome.exitCode == 0)
    for word in [
      "A   ", "B   ", "behind a bar", "recall of objects, by visible fraction", "still present with the same identity",
      "before they were hidden", "wrote \(toy.path("pictures"))",
    ] {
      #expect(outcome.standardOutput.contains(word), "\(outcome)")
    }
    let picture = try Data(contentsOf: URL(fileURLWithPath: toy.path("pictures/comparison.png")))
    #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]) && picture.count > 2_000)
  }

  @Test func aFileWithoutOcclusionIsCountedAndTrackedBesideTheBaseline() throws {
    func measures(ranks: Int) throws -> [[String: Double]] {
      let outcome = try ToyRun.program(
        ["compare", "--checkpoint", toy.path("toy"), "--baseline", "components", "--data", toy.path("walkers.h5")]
          + ["--boxes", "drawn", "--overlap", "0.5", "--overlap", "0.3", "--json"], ranks: ranks)
      let report = try report(outcome)
      let models = try #require(report["models"] as? [[String: Any]])
      #expect(
        models.map { $0["baseline"] as? String ?? "none" } == [
          "none", "components", "components, split and coasting 2",
        ])
      #expect(report["minimum_overlaps"] as? [Double] == [0.5, 0.3] && report["boxes"] as? String == "drawn")
      return try models.map { try #require($0["measures"] as? [String: Double]) }
    }
    // Bars of 12 x 6 pixels that move, which a model is not needed for.
    try Walkers.write(to: toy.path("walkers.h5"))
    let trained = try toy.train("toy", "--data", toy.path("walkers.h5"), "--steps", "2")
    try #require(trained.exitCode == 0, "\(trained)")
    let alone = try measures(ranks: 1)
    for baseline in alone.dropFirst() {
      #expect(baseline["count_accuracy"] == 1 && baseline["count_accuracy_frame_2"] == 1)
      #expect(baseline["mota_50"] == 1 && baseline["idf1_30"] == 1 && baseline["switches_50"] == 0)
    }
    #expect(Set(alone[0].keys).isSuperset(of: ["count_accuracy", "mota_50", "recall_30"]))
    #expect(alone[0]["scene_error"] == nil)
    #expect(try measures(ranks: 3) == alone)
  }

  @Test func objectsToIgnoreAreNoErrors() throws {
    // A third bar in every frame, which the truth does not count.
    try Walkers.write(to: toy.path("walkers.h5"), ignored: true)
    try Walkers.write(to: toy.path("strict.h5"), ignored: true, isKnown: false)
    let trained = try toy.train("toy", "--data", toy.path("walkers.h5"), "--steps", "2")
    try #require(trained.exitCode == 0, "\(trained)")
    func baseline(_ data: String) throws -> [String: Double] {
      let outcome = try ToyRun.program(
        ["compare", "--checkpoint", toy.path("toy"), "--baseline", "components", "--data", toy.path(data), "--json"])
      let models = try #require(try report(outcome)["models"] as? [[String: Any]])
      return try #require(models[1]["measures"] as? [String: Double])
    }
    let lenient = try baseline("walkers.h5")
    #expect(lenient["mota_50"] == 1 && lenient["precision_50"] == 1 && lenient["count_accuracy"] == 1)
    let strict = try baseline("strict.h5")
    // 24 wrong boxes beside 36 true ones.
    #expect(try abs(#require(strict["mota_50"]) - (1 - 24.0 / 36)) < 1e-9 && strict["count_accuracy"] == 0)
  }

  @Test func aFileWithoutTruthIsRefused() throws {
    let data = try ToySequences.write(to: toy.path("plain.h5"), height: 50, width: 50, hasTruth: false)
    let refused = try ToyRun.program(["compare", "--checkpoint", toy.path("run"), "--data", data])
    #expect(refused.exitCode == 1 && refused.standardError.contains("no /boxes and /ids"), "\(refused)")
    #expect(try compare("bar.h5", "--iou", "0").exitCode == 64)
  }
}

/// Sequences of one or two bright bars that move.
enum Walkers {
  /// - Parameters:
  ///   - ignored: whether every frame has a bar more that is no object.
  ///   - isKnown: whether the file says that it is to be ignored.
  static func write(to path: String, ignored: Bool = false, isKnown: Bool = true) throws {
    let writer = try SequenceFileWriter(
      path: path,
      settings: .init(
        sequenceCount: 8, frameCount: 3, height: 48, width: 32, objectSlots: 2,
        ignoreSlots: ignored && isKnown ? 1 : nil, seed: 0, generator: "{}", source: "bars"))
    for sequence in 0..<8 {
      var frames = [UInt8](repeating: 0, count: 3 * 1536)
      var boxes = [Float](repeating: 0, count: 3 * 2 * 4)
      var ids = [Int32](repeating: -1, count: 3 * 2)
      let count = 1 + sequence % 2
      for frame in 0..<3 {
        for object in 0..<count {
          let (top, left) = (4 + sequence + object, 2 + 16 * object + 2 * frame)
          for y in top..<top + 12 {
            for x in left..<left + 6 { frames[frame * 1536 + y * 32 + x] = 255 }
          }
          let place = frame * 2 + object
          ids[place] = Int32(object)
          boxes.replaceSubrange(4 * place..<4 * place + 4, with: [Float(top), Float(left), 12, 6])
        }
        for y in 34..<45 where ignored {
          for x in 12..<17 { frames[frame * 1536 + y * 32 + x] = 255 }
        }
      }
      try writer.append(
        frames: frames,
        truth: SequenceTruth(
          counts: Array(repeating: UInt8(count), count: 3), boxes: boxes, ids: ids, labels: [255, 255],
          ignored: ignored && isKnown
            ? SequenceIgnored(
              counts: [1, 1, 1], boxes: Array(repeating: [34, 12, 11, 5], count: 3).flatMap { $0 }) : nil))
    }
    try writer.finish()
  }
}
