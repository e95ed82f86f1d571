import Foundation
import TestSupport
import Testing

/// What `sqair-dist benchmark` prints. No time is compared with a limit here.
@Suite struct BenchmarkCommandTests {
  /// A model that is soon timed; its other sizes are the defaults.
  private let small = ["benchmark", "--hidden", "16", "--batch", "2", "--particles", "2", "--updates", "2"]

  private func objects(_ arguments: [String], ranks: Int = 1) throws -> [[String: Any]] {
    let outcome = try ToyRun.program(small + arguments + ["--json"], ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    return try outcome.standardOutput.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  private func number(_ object: [String: Any], _ key: String) throws -> Double {
    try #require(object[key] as? Double, "\(key)")
  }

  @Test(arguments: [1, 2])
  func theFiguresOfAnUpdateAreThereAndSane(ranks: Int) throws {
    let lengths = try objects(["--frames", "1", "--frames", "3"], ranks: ranks)
    #expect(try lengths.map { try number($0, "frames") } == [1, 3])
    for object in lengths {
      #expect(try number(object, "ranks") == Double(ranks))
      for key in ["seconds_per_update", "sequences_per_second", "useful_gflop_per_update", "sgemm_gflops"] {
        #expect(try number(object, key) > 0, "\(key)")
      }
      #expect(try (0.0...1.5).contains(number(object, "utilisation")))
      #expect(try (10e6...700e6).contains(number(object, "peak_memory_bytes")))
      #expect(try number(object, "allocations_per_update") <= number(object, "allocations_per_update_all_threads"))

      let parts = try #require(object["parts"] as? [String: [String: Double]])
      #expect(Set(parts.keys).isSuperset(of: ["discovery", "decoder", "data", "reduction", "optimizer"]))
      let sum = parts.values.reduce(0) { $0 + ($1["forward_seconds"] ?? 0) + ($1["backward_seconds"] ?? 0) }
      let mean = try number(object, "seconds_mean")
      #expect(abs(sum - mean) <= 1e-6 + 1e-6 * mean, "the parts take \(sum) s, an update \(mean) s")
      let other = try #require(parts["other"]?["forward_seconds"])
      // How long it is depends on what else the machine does.
      #expect(other >= -1e-6, "the parts take \(-other) s more than the update")
    }
  }

  /// Where ranks outnumber cores, a rank sees only its own time slices. So blocks are timed over all ranks together.
  @Test func theUtilisationOfManyRanksFollowsFromTheOtherMetrics() throws {
    let object = try #require(
      try objects(["--frames", "2", "--dense", "--batch", "16", "--updates", "5"], ranks: 8).first)
    let (operations, seconds) = try (number(object, "useful_gflop_per_update"), number(object, "seconds_per_update"))
    // Those without a processor are idle, so they are not counted as a capacity.
    let computing = try number(object, "computing_ranks")
    #expect((1.0...8).contains(computing))
    if ProcessInfo.processInfo.activeProcessorCount < 8 { #expect(computing < 8) }
    let expected = try operations / seconds / (computing * number(object, "sgemm_gflops"))
    #expect(try (0.5...2).contains(number(object, "utilisation") / expected))
  }

  /// With every slot live, the arithmetic depends on the sizes only: 3 slots, 4 rows, glimpses of 400 cells, 50 numbers
  /// of appearance.
  @Test func theArithmeticIsThatOfTheShapes() throws {
    let object = try #require(try objects(["--frames", "2", "--dense"]).first)
    let parts = try #require(object["parts"] as? [String: [String: Double]])
    func products(_ part: String) throws -> Double {
      // Forwards, gradient of the weight, gradient of the input: two operations each.
      try #require(parts[part]?["gflop"]) * 1e9 / 6
    }
    // Two frames of two examples through 2500-16-16-16; no gradient of the pixels.
    #expect(abs(try products("image encoder") - 4 * (2500 * 16 * 2 / 3.0 + 2 * 16 * 16)) < 1)
    // Twelve objects a frame through 50-16-16-400.
    #expect(abs(try products("decoder") - 2 * 12 * (50 * 16 + 16 * 16 + 16 * 400)) < 1)
    // In the second frame the twelve go through a gated unit of 50 + 4 + 16 inputs and a head of 109.
    #expect(abs(try products("propagation prior") - 12 * (70 * 48 + 16 * 109)) < 1)
    let sum = try parts.keys.reduce(0) { try $0 + #require(parts[$1]?["gflop"]) }
    #expect(abs(try number(object, "useful_gflop_per_update") - sum) < 1e-9)
    // A batch that is computed in pieces counts whole.
    let large = try #require(try objects(["--frames", "2", "--dense", "--batch", "70"]).first)
    #expect(abs(try number(large, "useful_gflop_per_update") / sum - 35) < 1e-6)
  }

  /// Once the first updates have taken their memory. With every slot live all updates are alike, so none needs more.
  @Test(arguments: ModelKindTests.kinds + [[]]) func anUpdateAllocatesNothing(of kind: [String]) throws {
    let object = try #require(try objects(["--frames", "3", "--dense"] + kind).first)
    #expect(try number(object, "allocations_per_update") == 0)
    // The thread that reads is counted too, so zero is not for want of counting.
    #expect(try number(object, "allocations_per_update_all_threads") > 0)
  }

  @Test func theSweepFitsThreeLinesAndDrawsThem() throws {
    let folder = try TemporaryDirectory()
    let lines = try objects(["--sweep", "--frames", "2", "--out", folder.path("lines")])
    #expect(lines.map { $0["against"] as? String } == ["frames", "live objects per row", "particles"])
    for line in lines {
      let fit = try #require(line["line"] as? [String: Double])
      #expect(fit.keys.sorted() == ["intercept", "largest_deviation", "slope"])
      let values = try #require(line["values"] as? [Double])
      #expect(values.count == (line["seconds_per_update"] as? [Double])?.count)
    }
    let pictures = try FileManager.default.contentsOfDirectory(atPath: folder.path("lines")).sorted()
    #expect(pictures == ["frames", "objects", "particles"].map { "cost-against-\($0).png" })
  }

  @Test func scalingTakesTheNetworkThatIsGiven() throws {
    let object = try #require(
      try objects(["--scaling", "--frames", "1", "--latency-us", "20", "--bandwidth-gbs", "0.5"]).first)
    let model = try #require(object["model"] as? [String: Any])
    let network = try #require(model["network"] as? [String: Double])
    #expect(network == ["latency": 20e-6, "bandwidth": 0.5e9])
    #expect(object["network_source"] as? String == "as given")
    let tables = try #require(object["tables"] as? [[String: Any]])
    #expect(tables.count == 3)
    let weak = try #require(tables.last?["rows"] as? [[String: Any]])
    #expect(weak.count == 11)
    let most = try #require(weak.last?["prediction"] as? [String: Double])
    #expect(most["ranks"] == 1024)
  }

  @Test func scalingMeasuresTheNetworkBetweenItsRanks() throws {
    let object = try #require(try objects(["--scaling", "--frames", "1"], ranks: 2).first)
    #expect(object["network_source"] as? String == "measured between these 2 ranks")
    let checks = try #require(object["checks"] as? [[String: Any]])
    #expect(checks.count == 6)
    for check in checks { #expect(try number(check, "measured_seconds") > 0) }
  }

  @Test func stallTellsWhatInterruptsATraining() throws {
    let object = try #require(try objects(["--stall", "--frames", "2"]).first)
    let interruptions = try #require(object["interruptions"] as? [[String: Any]])
    #expect(interruptions.map { $0["name"] as? String } == ["validation", "pictures", "generation", "checkpoint"])
    let sum = try interruptions.reduce(0) { try $0 + number($1, "fraction") }
    #expect(abs(try number(object, "share_of_time") - sum) < 1e-9)
    for interruption in interruptions {
      let share =
        try number(interruption, "seconds")
        / (number(interruption, "every") * number(object, "seconds_per_update"))
      #expect(abs(try number(interruption, "fraction") - share) < 1e-9)
    }
  }

  @Test func contradictionsAreRefused() throws {
    for (arguments, message) in [
      (["--sweep", "--scaling"], "'--sweep', '--scaling', '--stall' and '--dense' exclude each other."),
      (["--latency-us", "3"], "'--latency-us' can only be used with '--scaling'."),
      (["--scaling", "--bandwidth-gbs", "0"], "The value of '--bandwidth-gbs' must be above 0."),
      (["--out", "x"], "'--out' can only be used with '--sweep'."),
      (["--frames", "0"], "The value of '--frames' must be at least 1, not 0."),
    ] {
      let outcome = try ToyRun.program(["benchmark"] + arguments)
      #expect(outcome.exitCode == 64 && outcome.standardError.hasPrefix("error: \(message)"), "\(outcome)")
    }
  }
}
