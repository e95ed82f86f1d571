import Foundation
import TestSupport
import Testing

/// `paper-table`: log p(x), its parts, counting and addition of several models on one file.
@Suite struct PaperTableTests {
  @Test func measuresModelsBesideThePublishedFigures() throws {
    let run = try ToyRun()
    let train = run.path("digits.h5")
    let test = run.path("unseen.h5")
    for (file, split) in [(train, "train"), (test, "test")] {
      try #require(
        ToyRun.program([
          "data", "moving-digits", "--out", file, "--sequences", "24", "--frames", "3", "--canvas", "32", "--split",
          split,
        ]).exitCode == 0)
    }
    try #require(run.train("first", "--data", train, "--steps", "2").exitCode == 0)

    let arguments = [
      "paper-table", run.path("first"), "--train", train, "--test", test, "--particles", "20", "--test-sequences", "9",
    ]
    let table = try ToyRun.program(arguments)
    #expect(table.exitCode == 0)
    let lines = table.standardOutput.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("MLP-SQAIR ") && $0.contains("after 2 updates") })
    #expect(lines.contains { $0.hasPrefix("  published ") && $0.contains("6617.6") && $0.contains("0.9998") })
    #expect(table.standardOutput.contains("9 sequences of \(test), 20 particles"))

    // One object for programs, the same whoever evaluates: pieces of the file are summed in their order.
    let alone = try ToyRun.program(arguments + ["--json"])
    let together = try ToyRun.program(arguments + ["--json"], ranks: 2)
    #expect(alone.standardOutput == together.standardOutput)
    struct Report: Decodable {
      struct Model: Decodable {
        let name: String
        let bound, reconstruction, kl, counting, addition, additionByGuessing: Double
      }
      let models: [Model]
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let model = try #require(decoder.decode(Report.self, from: Data(alone.standardOutput.utf8)).models.first)
    #expect(model.name == "MLP-SQAIR")
    #expect(model.bound < model.reconstruction && model.kl > 0)
    #expect([model.counting, model.addition, model.additionByGuessing].allSatisfy { (0...1).contains($0) })

    // The bound is that of the evaluation.
    let evaluation = try ToyRun.program([
      "evaluate", "--checkpoint", run.path("first"), "--data", test, "--particles", "20", "--batch", "1", "--json",
    ])
    #expect(evaluation.exitCode == 0)
  }

  @Test func modelsOfOneKindAreNamedByTheirPaths() throws {
    let run = try ToyRun()
    let digits = run.path("digits.h5")
    try #require(
      ToyRun.program([
        "data", "moving-digits", "--out", digits, "--sequences", "8", "--frames", "3", "--canvas", "32",
      ]).exitCode == 0)
    for (name, kind) in [("first", "sqair"), ("second", "sqair"), ("other", "air")] {
      try #require(run.train(name, "--data", digits, "--steps", "1", "--model", kind).exitCode == 0)
    }
    let table = try ToyRun.program(
      ["paper-table"] + ["first", "second", "other"].map(run.path)
        + ["--train", digits, "--test", digits, "--particles", "2", "--test-sequences", "2"])
    #expect(table.exitCode == 0, "\(table)")
    let lines = table.standardOutput.split(separator: "\n")
    for name in ["MLP-SQAIR (\(run.path("first"))) ", "MLP-SQAIR (\(run.path("second"))) ", "MLP-AIR  "] {
      #expect(lines.contains { $0.hasPrefix(name) && $0.hasSuffix("after 1 updates") }, "\(name) in \(table)")
    }
    #expect(lines.count { $0.contains("6617.6") } == 2, "\(table)")
  }

  @Test func saysWhatTheFileLacks() throws {
    let run = try ToyRun()
    try #require(run.train("first", "--steps", "1").exitCode == 0)
    let bare = try ToySequences.write(to: run.path("bare.h5"), hasTruth: false)
    let outcome = try ToyRun.program([
      "paper-table", run.path("first"), "--train", bare, "--test", run.data, "--particles", "2",
    ])
    #expect(outcome.exitCode == 1)
    #expect(outcome.standardError.contains("bare.h5: it has no /ids and /labels"))

    // Sums that the classifier does not support are found before anything is measured.
    let three = run.path("three.h5")
    try #require(
      ToyRun.program([
        "data", "moving-digits", "--out", three, "--sequences", "40", "--frames", "3", "--max-digits", "3",
      ]).exitCode == 0)
    try #require(run.train("other", "--data", three, "--steps", "1").exitCode == 0)
    let sums = try ToyRun.program([
      "paper-table", run.path("other"), "--train", three, "--train-sequences", "1", "--test", three, "--particles", "2",
    ])
    #expect(sums.exitCode == 1)
    #expect(sums.standardError.contains("three.h5: the classes in frame"), "\(sums)")
    #expect(!sums.standardError.contains("latents"), "\(sums)")
  }
}
