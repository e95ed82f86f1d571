import Foundation
import TestSupport
import Testing

/// `evaluate --tracking` and the files of `--tracks`.
@Suite struct TrackingTests {
  private let toy: ToyRun

  init() throws {
    toy = try ToyRun()
    let outcome = try toy.train("run", "--steps", "2")
    try #require(outcome.exitCode == 0, "\(outcome)")
  }

  private func evaluate(_ options: String..., ranks: Int = 1, data: String? = nil) throws -> ProcessOutcome {
    try evaluate(options: options, ranks: ranks, data: data)
  }

  private func evaluate(options: [String], ranks: Int = 1, data: String? = nil) throws -> ProcessOutcome {
    try ToyRun.program(
      ["evaluate", "--checkpoint", toy.path("run"), "--data", data ?? toy.data] + options, ranks: ranks)
  }

  private func report(_ outcome: ProcessOutcome) throws -> [String: Double] {
    #expect(outcome.exitCode == 0, "\(outcome)")
    let object = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8))
    let tracking = try #require((object as? [String: Any])?["tracking"] as? [String: Any])
    return tracking.compactMapValues { $0 as? Double }
  }

  private func lines(_ name: String) throws -> [String] {
    try String(contentsOfFile: toy.path(name), encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test func theReportIsTheSameOnAnyNumberOfProcesses() throws {
    let alone = try report(evaluate("--tracking", "--json"))
    #expect(alone["frames"] == 72 && alone["objects"] == 72 && alone["tracks"] == 24)
    let found = try #require(alone["matches"]) + #require(alone["switches"])
    #expect(try found + #require(alone["misses"]) == 72)
    #expect(try found + #require(alone["false_positives"]) == #require(alone["predictions"]))
    #expect(try abs(#require(alone["recall"]) - found / 72) < 1e-12)
    #expect(alone["mean_overlap"] != nil && alone["mota"] != nil && alone["idf1"] != nil)
    #expect(try report(evaluate("--tracking", "--json", ranks: 3)) == alone)
  }

  @Test func withoutTheFlagNothingIsSaidOfTracks() throws {
    let outcome = try evaluate("--json")
    #expect(outcome.exitCode == 0 && !outcome.standardOutput.contains("tracking"), "\(outcome)")
  }

  @Test func aTableIsForPeople() throws {
    let outcome = try evaluate("--tracking")
    #expect(outcome.exitCode == 0)
    for word in ["count accuracy", "MOTA", "MOTP", "IDF1", "identity switches", "mostly tracked", "in 72 boxes"] {
      #expect(outcome.standardOutput.contains(word), "\(outcome)")
    }
  }

  @Test func tracksAreFilesThatOtherToolsRead() throws {
    let found = try report(evaluate("--tracks", toy.path("tracks"), "--json", ranks: 2))
    // Sequence 4 has one blob: y is 28 mod 13 and grows by a pixel a frame, x is 12 mod 5; all counted from 1.
    #expect(
      try lines("tracks/truth/sequence-000004/gt/gt.txt") == [
        "1,1,3.0,3.0,3.0,3.0,1,-1,-1,-1", "2,1,3.0,4.0,3.0,3.0,1,-1,-1,-1", "3,1,3.0,5.0,3.0,3.0,1,-1,-1,-1",
      ])
    #expect(try lines("tracks/truth/sequence-000004/seqinfo.ini").contains("seqLength=3"))
    let boxes = try (0..<24).reduce(0) { try $0 + lines(String(format: "tracks/found/sequence-%06d.txt", $1)).count }
    #expect(Double(boxes) == found["predictions"])

    guard Python.has("motmetrics") else { return }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../TrackingTests/Fixtures/make_tracks.py").path
    let text = try Python.run(file: script, ["compare", toy.path("tracks/truth"), toy.path("tracks/found")])
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let theirs = try #require(object?["overall"] as? [String: Any])
    for (name, ours) in [("mota", "mota"), ("idf1", "idf1"), ("misses", "misses"), ("switches", "switches")] {
      let value = try #require(theirs[name] as? Double)
      #expect(try abs(value - #require(found[ours])) <= 1e-9, "\(name)")
    }
  }

  @Test func severalOverlapsAreMeasuredAtOnce() throws {
    func tracking(_ key: String, _ options: [String]) throws -> Any {
      let outcome = try evaluate(options: ["--tracking", "--json"] + options)
      #expect(outcome.exitCode == 0, "\(outcome)")
      let object = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8))
      return try #require((object as? [String: Any])?[key])
    }
    let overlaps = ["--boxes", "drawn", "--overlap", "0.1", "--overlap", "0.5"]
    let both = try #require(tracking("tracking_by_overlap", overlaps) as? [[String: Any]])
    #expect(both.count == 2)
    for (overlap, measures) in zip(["0.1", "0.5"], both) {
      let alone = try tracking("tracking", ["--boxes", "drawn", "--overlap", overlap])
      #expect(alone as? NSDictionary == measures as NSDictionary)
      #expect(measures["boxes"] as? String == "drawn" && measures["minimum_overlap"] as? Double == Double(overlap))
    }
    #expect(try #require(both[0]["misses"] as? Double) <= #require(both[1]["misses"] as? Double))
    let refused = try evaluate(options: ["--tracking", "--overlap", "1.5"])
    #expect(refused.exitCode == 64 && refused.standardError.contains("'--overlap' must be above 0"), "\(refused)")
  }

  @Test func whatTheSecondFrameDoesNotConfirmIsNotCounted() throws {
    // A model that discovers objects in every frame and propagates none.
    let trained = try toy.train(
      "forgetful", "--steps", "1", "--set", "model.discoveryStepBias=30", "--set", "model.propagationStepBias=-60")
    try #require(trained.exitCode == 0, "\(trained)")
    func report(_ command: [String], _ options: [String] = []) throws -> [String: Any] {
      let outcome = try ToyRun.program(
        command + ["--checkpoint", toy.path("forgetful"), "--data", toy.data, "--json"] + options)
      #expect(outcome.exitCode == 0, "\(outcome)")
      return try #require(JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any])
    }
    func accuracy(_ options: [String]) throws -> [Double] {
      let classes = try #require(
        report(["evaluate", "--tracking"], options)["count_accuracy_by_class"] as? [String: Any])
      return try #require(classes["by_frame"] as? [Double])
    }
    let (all, confirmed) = (try accuracy([]), try accuracy(["--confirm-first"]))
    #expect(all[0] < 0.1 && all.dropFirst() == confirmed.dropFirst())
    // Every third sequence has no object.
    #expect(abs(confirmed[0] - 1.0 / 3) < 1e-9)
    for boxes in ["window", "drawn"] {
      func predictions(_ options: [String]) throws -> Double {
        let tracking = try report(["evaluate", "--tracking", "--boxes", boxes], options)["tracking"] as? [String: Any]
        return try #require(tracking?["predictions"] as? Double)
      }
      #expect(try predictions(["--confirm-first"]) < predictions([]))
    }
    let models = try report(["compare"], ["--confirm-first"])["models"] as? [[String: Any]]
    let measures = try #require(models?.first?["measures"] as? [String: Double])
    #expect(try abs(#require(measures["count_accuracy_frame_0"]) - 1.0 / 3) < 1e-9)
  }

  @Test func aFolderInUseIsRefused() throws {
    try FileManager.default.createDirectory(atPath: toy.path("full/old"), withIntermediateDirectories: true)
    let outcome = try evaluate("--tracks", toy.path("full"))
    #expect(outcome.exitCode == 1 && outcome.standardOutput == "", "\(outcome)")
    #expect(outcome.standardError.contains("'\(toy.path("full"))' is not empty"), "\(outcome)")
  }

  @Test func aFileWithoutBoxesIsRefused() throws {
    let data = try ToySequences.write(to: toy.path("plain.h5"), hasTruth: false)
    let outcome = try evaluate("--tracking", data: data)
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("no /boxes and /ids"), "\(outcome)")
  }
}
