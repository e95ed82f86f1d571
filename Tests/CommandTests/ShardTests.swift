import Foundation
import Storage
import TestSupport
import Testing

/// What the built program does with training data that are divided among files.
@Suite struct ShardTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  /// Divides the toy data among files of these numbers of sequences, which carry the mean of the whole or not.
  private func writeShards(_ counts: [Int], to name: String, carryMean: Bool) throws {
    let file = try HDF5File(reading: toy.data)
    let sets = ["/frames", "/counts", "/boxes", "/ids", "/labels"]
    var first = 0
    for (index, count) in counts.enumerated() {
      let shard = try HDF5File(creating: toy.path("\(name)-\(index + 9).h5"))
      try shard.setAttribute("format", to: SequenceFile.format)
      try shard.setAttribute("version", to: Int64(1))
      for path in sets {
        let set = try file.dataSet(path)
        let size = set.count / set.shape[0], shape = [count] + set.shape.dropFirst()
        func copy<T: HDF5Element>(_: T.Type) throws {
          try shard.write(Array(set.readAll(as: T.self)[first * size..<(first + count) * size]), shape: shape, to: path)
        }
        switch set.type {
        case .float32: try copy(Float.self)
        case .int32: try copy(Int32.self)
        default: try copy(UInt8.self)
        }
      }
      var mean = try file.readFloats("/mean").values
      if !carryMean {
        let frames = try file.dataSet("/frames")
        let (pixels, length) = (mean.count, frames.shape[1])
        let bytes = try frames.readAll(as: UInt8.self)
        for pixel in 0..<pixels {
          let images = first * length..<(first + count) * length
          let sum = images.reduce(0) { $0 + Int(bytes[$1 * pixels + pixel]) }
          mean[pixel] = Float(Double(sum) / (Double(count * length) * 255))
        }
      }
      try shard.write(mean, shape: [16, 16], to: "/mean")
      try shard.close()
      first += count
    }
    #expect(first == 24)
  }

  private func train(_ run: String, _ data: [String], ranks: Int = 1, options: [String] = []) throws {
    let outcome = try ToyRun.program(toy.arguments(run, ["--data"] + data + options), ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
  }

  @Test(arguments: [true, false]) func shardsTrainLikeTheFileTheyAreCutFrom(carryMean: Bool) throws {
    try writeShards([5, 1, 18], to: "shard", carryMean: carryMean)
    #expect(try toy.train("whole").exitCode == 0)
    let whole = try toy.checkpoint("whole", step: 8)
    #expect(try whole.parametersDigest != toy.checkpoint("whole", step: 4).parametersDigest)
    // In the order 9, 10, 11, which is not that of their letters.
    try train("shards", [toy.path("shard-*.h5")], ranks: 2)
    let shards = try toy.checkpoint("shards", step: 8)
    #expect(shards.parametersDigest == whole.parametersDigest)
    #expect(shards.data == whole.data)
    #expect(toy.figures("shards") == toy.figures("whole"))
    // What was begun with one file is resumed with its parts, and the reverse.
    let parts = (9...11).reversed().map { toy.path("shard-\($0).h5") }
    try train("whole", parts, options: ["--steps", "12"])
    try train("shards", [toy.data], options: ["--steps", "12"])
    #expect(
      try toy.checkpoint("whole", step: 12).parametersDigest == toy.checkpoint("shards", step: 12).parametersDigest)
  }

  @Test func aRunOfShardsIsResumedMovedAndReplayed() throws {
    try FileManager.default.createDirectory(atPath: toy.path("run/shards"), withIntermediateDirectories: true)
    try writeShards([10, 14], to: "run/shards/s", carryMean: true)
    try train("run", [toy.path("run/shards/*.h5")], options: ["--valid", toy.path("run/shards/s-1?.h5")])
    try FileManager.default.moveItem(atPath: toy.path("run"), toPath: toy.path("moved"))
    let resumed = try ToyRun.program([
      "train", "--config", toy.path("moved/config.json"), "--run", toy.path("moved"), "--steps", "9",
    ])
    #expect(resumed.exitCode == 0, "\(resumed)")
    #expect(resumed.standardError.contains("s-9.h5 ... "), "\(resumed)")
    let replayed = try ToyRun.program(["replay", toy.path("moved"), "--step", "9"])
    #expect(replayed.exitCode == 0, "\(replayed)")
    let report = try ToyRun.program(["report", toy.path("moved")])
    #expect(report.exitCode == 0, "\(report)")
    // Another order is another data set.
    let (nine, ten) = (toy.path("moved/shards/s-9.h5"), toy.path("moved/shards/s-10.h5"))
    for (from, to) in [(nine, nine + "~"), (ten, nine), (nine + "~", ten)] {
      try FileManager.default.moveItem(atPath: from, toPath: to)
    }
    let refused = try ToyRun.program(
      toy.arguments("moved", ["--data", toy.path("moved/shards/*.h5"), "--valid", ten, "--steps", "10"]))
    #expect(refused.exitCode != 0 && refused.standardError.contains("was trained on other data"), "\(refused)")
  }

  @Test func evaluationTakesAPattern() throws {
    try writeShards([10, 14], to: "shard", carryMean: true)
    #expect(try toy.train("run").exitCode == 0)
    func evaluate(_ data: String) throws -> [String: Any] {
      let outcome = try ToyRun.program(
        ["evaluate", "--checkpoint", toy.path("run"), "--data", data, "--tracking", "--json"])
      #expect(outcome.exitCode == 0, "\(outcome)")
      var report = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any])
      #expect(report.removeValue(forKey: "data") as? String == data)
      return report
    }
    #expect(
      try NSDictionary(dictionary: evaluate(toy.path("shard-*.h5"))) == NSDictionary(dictionary: evaluate(toy.data)))
  }

  @Test func whatIsWrongWithAFileNamesIt() throws {
    try ToySequences.write(to: toy.path("large.h5"), height: 18)
    func message(_ data: String...) throws -> String {
      let outcome = try ToyRun.program(toy.arguments("run", ["--data"] + data))
      #expect(outcome.exitCode != 0, "\(outcome)")
      return outcome.standardError
    }
    #expect(
      try message(toy.data, toy.path("large.h5")).contains(
        "train.h5: /frames: its sequences are 3 frames of 16x16 pixels, but those of "))
    #expect(try message(toy.data, toy.path("none.h5")).contains("none.h5: there is no such file"))
    #expect(try message(toy.path("none-*.h5")).contains("no file matches '\(toy.path("none-*.h5"))'"))
    #expect(try message(toy.data, toy.path("t*.h5")).contains("is named twice"))
  }
}
