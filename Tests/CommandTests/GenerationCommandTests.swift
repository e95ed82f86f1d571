import Foundation
import Storage
import TestSupport
import Testing

/// `generate` and `sample`: pictures, animations, the file of latent variables, and figures that follow from it.
@Suite struct GenerationCommandTests {
  private let toy: ToyRun

  init() throws {
    toy = try ToyRun()
    let outcome = try toy.train("run", "--steps", "6")
    try #require(outcome.exitCode == 0, "\(outcome)")
  }

  private func run(_ command: String, _ options: String..., hasData: Bool = true) throws -> ProcessOutcome {
    let outcome = try ToyRun.program(
      [command, "--checkpoint", toy.path("run"), "--out", toy.path("out")]
        + (hasData ? ["--data", toy.data] : []) + options)
    #expect(outcome.exitCode == 0, "\(outcome)")
    return outcome
  }

  private func report(_ outcome: ProcessOutcome) throws -> [String: Any] {
    #expect(outcome.standardOutput.split(separator: "\n").count == 1)
    return try #require(JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any])
  }

  /// Width and height that a GIF says it has.
  private func gifSize(_ path: String) throws -> (width: Int, height: Int) {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    try #require(bytes.count > 10 && bytes.prefix(6).elementsEqual("GIF89a".utf8) && bytes.last == 0x3B)
    return (Int(bytes[6]) | Int(bytes[7]) << 8, Int(bytes[8]) | Int(bytes[9]) << 8)
  }

  @Test func generateContinuesBeyondTheFile() throws {
    let outcome = try run(
      "generate", "--condition", "2", "--frames", "30", "--futures", "2", "--sequences", "5", "--pictures", "3",
      "--discover-later")
    for name in ["futures-000", "futures-001", "futures-002"] {
      let picture = try DecodedPicture(toy.path("out/\(name).png"))
      #expect(picture.width >= 30 * 16 && picture.width < 8_000, "\(picture)")
      #expect(picture.height >= 3 * 16 && picture.height < 1_000, "\(picture)")
      let animation = try gifSize(toy.path("out/\(name).gif"))
      #expect(animation.width > 3 * 48 && animation.height > 48)
      #expect(outcome.standardOutput.contains("wrote \(toy.path("out"))/\(name).gif\n"))
    }
    #expect(!FileManager.default.fileExists(atPath: toy.path("out/futures-003.png")))
    let chart = try DecodedPicture(toy.path("out/prediction-error.png"))
    #expect(chart.width > 200 && chart.height > 100)
    for word in [
      "appearance  ", "count  ", "position  ", "speed  ", "Wasserstein-1", "those of 3 frames", "\n    2 ", "\n   29 ",
    ] {
      #expect(outcome.standardOutput.contains(word), "\(word) in \(outcome)")
    }
  }

  @Test func generateIsAFunctionOfItsSeed() throws {
    func results(_ seed: String, _ sequences: String) throws -> [Data] {
      _ = try run(
        "generate", "--frames", "12", "--sequences", sequences, "--condition", "2", "--discover-later", "--seed", seed)
      return try ["futures-002.png", "futures-002.gif"].map {
        try Data(contentsOf: URL(fileURLWithPath: toy.path("out/" + $0)))
      }
    }
    let first = try results("1", "3")
    #expect(try results("1", "3") == first)
    // Nor do other sequences matter.
    #expect(try results("1", "11") == first)
    let other = try results("2", "3")
    #expect(other[0] != first[0] && other[1] != first[1])
  }

  @Test func appearanceNoiseScalesTheChangeOfAppearance() throws {
    let options = [
      "generate", "--checkpoint", toy.path("run"), "--out", toy.path("out"), "--data", toy.data, "--frames", "12",
      "--sequences", "8", "--condition", "2", "--json",
    ]
    func outcome(_ noise: String...) throws -> ProcessOutcome { try ToyRun.program(options + noise) }
    func change(_ outcome: ProcessOutcome, noise: Double) throws -> Double {
      let json = try report(outcome)
      #expect(json["appearance_noise"] as? Double == noise)
      let appearance = try #require(json["appearance"] as? [String: Any])
      return try #require(appearance["change"] as? Double)
    }
    let plain = try outcome()
    #expect(try outcome("--appearance-noise", "1").standardOutput == plain.standardOutput)
    #expect(try change(outcome("--appearance-noise", "0"), noise: 0) < 0.9 * change(plain, noise: 1))
    let refused = try outcome("--appearance-noise", "-1")
    #expect(refused.exitCode == 64 && refused.standardError.contains("--appearance-noise"))
  }

  @Test func namedSequencesAreContinuedInTheirOrder() throws {
    _ = try run(
      "generate", "--frames", "5", "--condition", "2", "--futures", "2", "--select", "7,2-3", "--pictures", "2",
      "--boxes", "drawn")
    let file = try HDF5File(reading: toy.path("out/imagination.h5"))
    #expect(try file.dataSet("/sequences").readAll(as: Int32.self) == [7, 2, 3])
    let names = try FileManager.default.contentsOfDirectory(atPath: toy.path("out")).filter { $0.hasSuffix(".png") }
    #expect(names.sorted() == ["futures-002.png", "futures-007.png", "paths.png", "prediction-error.png"])
    // Two lines of a panel of the truth and two of continuations, 48 pixels each and 6 apart.
    let paths = try DecodedPicture(toy.path("out/paths.png"))
    #expect(paths.width >= 3 * 54 && paths.height >= 2 * 54 && paths.colours > 2, "\(paths)")
    let refused = try ToyRun.program(
      ["generate", "--checkpoint", toy.path("run"), "--out", toy.path("out"), "--data", toy.data, "--frames", "5"]
        + ["--select", "24"])
    #expect(refused.exitCode == 1 && refused.standardError.contains("sequences 0 to 23"), "\(refused)")
  }

  @Test func theWorstCountedSequencesAreReconstructed() throws {
    // Of a model that finds nothing, the sequences with two blobs are worst: 2, 5, 8 ...
    let blank = try toy.train(
      "blank", "--steps", "1", "--set", "model.discoveryStepBias=-30", "--set", "training.optimizer.learningRate=1e-9")
    try #require(blank.exitCode == 0, "\(blank)")
    func pictures(_ folder: String, _ options: String...) throws -> [String: Data] {
      let outcome = try ToyRun.program(
        ["reconstruct", "--checkpoint", toy.path("blank"), "--data", toy.data, "--out", toy.path(folder)] + options)
      #expect(outcome.exitCode == 0, "\(outcome)")
      return try ToyRun.snapshot(toy.path(folder))
    }
    let worst = try pictures("worst", "--select", "worst", "--sequences", "4")
    #expect(Array(worst.keys) == ["reconstruction.png"])
    #expect(try pictures("named", "--select", "2,5,8,11") == worst)
    #expect(try pictures("first", "--sequences", "4") != worst)
    let wrong = try ToyRun.program(
      [
        "reconstruct", "--checkpoint", toy.path("blank"), "--data", toy.data, "--out", toy.path("x"), "--select",
        "best",
      ])
    #expect(wrong.exitCode == 64 && wrong.standardError.contains("--select"), "\(wrong)")
  }

  @Test func sampleGeneratesFromThePrior() throws {
    let outcome = try run("sample", "--frames", "7", "--sequences", "5", "--json", hasData: false)
    let picture = try DecodedPicture(toy.path("out/samples.png"))
    #expect(picture.width >= 7 * 16 && picture.width < 3_000 && picture.height >= 5 * 16 && picture.height < 3_000)
    #expect(try gifSize(toy.path("out/samples.gif")).width > 100)
    let report = try report(outcome)
    #expect(report["sequences"] as? Int == 5 && report["observed_frames"] as? Int == 0 && report["error"] == nil)
    let file = try HDF5File(reading: toy.path("out/imagination.h5"))
    #expect(try file.dataSet("/frames").shape == [5, 1, 7, 16, 16] && file.textAttribute("data") == "")
    #expect(try file.dataSet("/sequences").readAll(as: Int32.self) == [0, 1, 2, 3, 4])
    let text = try run("sample", "--frames", "3", "--sequences", "2", hasData: false).standardOutput
    #expect(text.contains("speed       not compared: samples have no true sequences\n"), "\(text)")
  }

  /// The objects of a frame of one future, as `imagination.h5` has them: identity and box.
  private struct GeneratedFile {
    let shape: [Int]
    private let presence: [UInt8]
    private let ids: [Int32]
    private let boxes: [Float]
    let pixels: [UInt8]

    init(_ path: String) throws {
      let file = try HDF5File(reading: path)
      shape = try file.dataSet("/where").shape
      presence = try file.dataSet("/presence").readAll(as: UInt8.self)
      ids = try file.dataSet("/ids").readAll(as: Int32.self)
      boxes = try file.dataSet("/boxes").readAll(as: Float.self)
      pixels = try file.dataSet("/frames").readAll(as: UInt8.self)
    }

    func objects(_ n: Int, _ f: Int, _ t: Int) -> [(id: Int, box: [Double])] {
      let first = ((n * shape[1] + f) * shape[2] + t) * shape[3]
      return (first..<first + shape[3]).filter { presence[$0] == 1 }.map { place in
        (Int(ids[place]), boxes[4 * place..<4 * place + 4].map { Double($0) })
      }
    }
  }

  /// Mean of numbers, or -1 if there is none.
  private func mean(_ values: [Double]) -> Double { values.isEmpty ? -1 : values.reduce(0, +) / Double(values.count) }

  @Test func theMetricsFollowFromTheFileOfLatentVariables() throws {
    let report = try report(
      run("generate", "--condition", "2", "--frames", "9", "--futures", "3", "--sequences", "10", "--json"))
    let all = try GeneratedFile(toy.path("out/imagination.h5"))
    #expect(Array(all.shape.prefix(3)) == [10, 3, 9])
    let pairs = (0..<10).flatMap { n in (0..<3).map { (n: n, f: $0) } }
    func center(_ box: [Double]) -> (Double, Double) { (box[0] + box[2] / 2, box[1] + box[3] / 2) }
    func way(_ a: [Double], _ b: [Double]) -> Double {
      let (p, q) = (center(a), center(b))
      return ((p.0 - q.0) * (p.0 - q.0) + (p.1 - q.1) * (p.1 - q.1)).squareRoot()
    }
    func array(_ group: String, _ key: String) throws -> [Double?] {
      let values = try #require((report[group] as? [String: Any])?[key] as? [Any], "\(group) \(key)")
      return values.map { $0 as? Double }
    }
    func expect(_ found: [Double?], _ wanted: (Int) -> Double, _ what: String, within tolerance: Double = 1e-6) {
      #expect(found.count == 7)
      for (place, value) in found.enumerated() {
        let right = wanted(place + 2)
        #expect(right == -1 ? value == nil : abs((value ?? .nan) - right) <= tolerance, "\(what) of frame \(place + 2)")
      }
    }

    expect(
      try array("count", "kept_by_frame"),
      { t in mean(pairs.map { all.objects($0.n, $0.f, t).count == all.objects($0.n, $0.f, 1).count ? 1 : 0 }) },
      "count kept")
    expect(
      try array("motion", "speed_by_frame"),
      { t in
        guard t > 2 else { return -1 }
        return mean(
          pairs.flatMap { pair in
            all.objects(pair.n, pair.f, t).compactMap { object in
              all.objects(pair.n, pair.f, t - 1).first { $0.id == object.id }.map { way($0.box, object.box) }
            }
          })
      }, "speed", within: 1e-4)
    expect(
      try array("diversity", "positions_by_frame"),
      { t in
        mean(
          (0..<10).flatMap { n in
            [(0, 1), (0, 2), (1, 2)].flatMap { f, g in
              all.objects(n, f, t).compactMap { object in
                all.objects(n, g, t).first { $0.id == object.id }.map { way($0.box, object.box) }
              }
            }
          })
      }, "places apart", within: 1e-4)
    let shares = pairs.flatMap { pair in
      (2..<9).flatMap { t in
        all.objects(pair.n, pair.f, t).map { object -> Double in
          let (y, x, height, width) = (object.box[0], object.box[1], object.box[2], object.box[3])
          let seen = max(0, min(y + height, 16) - max(y, 0)) * max(0, min(x + width, 16) - max(x, 0))
          return seen / (height * width)
        }
      }
    }
    let place = try #require(report["position"] as? [String: Any])
    try #require(!shares.isEmpty, "the toy model found no object, so this test says nothing")
    #expect(abs(mean(shares) - (place["visible_area"] as? Double ?? .nan)) < 1e-4)
    #expect(abs(mean(shares.map { $0 >= 0.5 ? 1 : 0 }) - (place["inside"] as? Double ?? .nan)) < 1e-4)

    #expect(place["true_inside"] as? Double == 1, "the blobs stay on the canvas")
    #expect(report["true_frames"] as? Int == 3)

    // The file stores images in 256 steps.
    let data = try SequenceFile(path: toy.data)
    var squares: [Double] = []
    var squaresOfAverage: [Double] = []
    for n in 0..<10 {
      var truth = [UInt8](repeating: 0, count: 256)
      try data.readFrames(of: n, first: 2, count: 1, into: &truth)
      let differences = (0..<3).map { f in
        let start = ((n * 3 + f) * 9 + 2) * 256
        return (0..<256).map { (Double(all.pixels[start + $0]) - Double(truth[$0])) / 255 }
      }
      squares += differences.joined().map { $0 * $0 }
      squaresOfAverage += (0..<256).map { pixel in mean(differences.map { $0[pixel] }) }.map { $0 * $0 }
    }
    let error = try #require(report["error"] as? [String: [Double]])
    #expect(error["model"]?.count == 1 && abs(error["model"]![0] - mean(squares)) < 2e-3)
    #expect(abs(error["average_of_continuations"]![0] - mean(squaresOfAverage)) < 2e-3)
    #expect(error["average_of_continuations"]![0] < error["model"]![0])
    #expect(error["best_continuation"]![0] <= error["model"]![0] && error["last_frame"]![0] > 0)
    let motion = try #require((report["motion"] as? [String: Any])?["speed"] as? [String: Any])
    #expect(motion["wasserstein"] is Double)
    // The toy blobs stay on the canvas.
    let onCanvas = (report["motion"] as? [String: Any])?["speed_on_canvas"] as? [String: Any]
    #expect(onCanvas?["wasserstein"] as? Double == motion["wasserstein"] as? Double)
  }
}
