import Foundation
import Runs
import Storage
import TestSupport
import Testing

/// `data` and `inspect` of the built program, on files.
@Suite struct FileCommandTests {
  private let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory()
  }

  @Test func dataWritesTheFileThatItReports() throws {
    let path = folder.path("digits.h5")
    let outcome = try run(
      "data", "moving-digits", "--out", path, "--sequences", "30", "--frames", "4", "--canvas", "40x48",
      "--motion", "reference", "--split", "test", "--seed", "9")
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput.contains("sequences     30\n"))
    #expect(outcome.standardOutput.contains("4 of 40 x 48 pixels"))
    #expect(outcome.standardError.contains("30/30 sequences"))
    let file = try SequenceFile(path: path)
    #expect(file.sequenceCount == 30 && file.frameCount == 4)
    #expect(file.height == 40 && file.width == 48)
    #expect(file.seed == 9)
    #expect(file.generator.contains(#""motion":"reference""#) && file.generator.contains(#""split":"test""#))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["digits.h5"])
  }

  @Test func dataOccludesDigitsOnRequest() throws {
    let bar = try makeDigits("bar.h5", "--occluded", "--bar-shade", "99", "--motion", "reference", "--frames", "8")
    #expect(bar.exitCode == 0, "\(bar)")
    #expect(bar.standardOutput.contains("visible fractions, ink, bars, unoccluded frames, 2 object slots\n"))
    let occluded = try SequenceFile(path: folder.path("bar.h5"))
    #expect(occluded.barCount == 1 && occluded.hasUnoccluded && occluded.generator.contains(#""barShade":99"#))
    let crossing = try makeDigits("crossing.h5", "--overlap", "--frames", "8")
    #expect(crossing.exitCode == 0, "\(crossing)")
    let overlap = try SequenceFile(path: folder.path("crossing.h5"))
    #expect(overlap.hasVisible && overlap.inkShape != nil && overlap.barCount == 0 && !overlap.hasUnoccluded)
    for name in ["bar.h5", "crossing.h5"] {
      let inspected = try run("inspect", folder.path(name))
      #expect(inspected.exitCode == 0, "\(inspected)")
    }
    for refused in [
      try makeDigits("no.h5", "--bar-shade", "9"), try makeDigits("no.h5", "--overlap", "--bar-shade", "9"),
      try makeDigits("no.h5", "--overlap", "--occluded"),
    ] {
      #expect(refused.exitCode == 64, "\(refused)")
    }
  }

  @Test func equalOptionsMakeEqualFiles() throws {
    for name in ["a.h5", "b.h5"] { #expect(try makeDigits(name).exitCode == 0) }
    #expect(try Data(contentsOf: url("a.h5")) == Data(contentsOf: url("b.h5")))
    #expect(try makeDigits("c.h5", "--seed", "1").exitCode == 0)
    #expect(try Data(contentsOf: url("a.h5")) != Data(contentsOf: url("c.h5")))
  }

  @Test func dataReplacesAFileOnlyByForce() throws {
    #expect(try makeDigits("a.h5").exitCode == 0)
    let before = try Data(contentsOf: url("a.h5"))
    let refused = try makeDigits("a.h5", "--seed", "1")
    #expect(refused.exitCode == 1)
    #expect(
      refused.standardError
        == "error: \(folder.path("a.h5")): the file exists. Choose another name, or add --force to replace it.\n")
    #expect(try Data(contentsOf: url("a.h5")) == before)
    #expect(try makeDigits("a.h5", "--seed", "1", "--force").exitCode == 0)
    #expect(try Data(contentsOf: url("a.h5")) != before)
  }

  @Test func dataNamesAFolderThatIsNotThere() throws {
    let outcome = try makeDigits("none/a.h5")
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(
      outcome.standardError.hasPrefix(
        "error: '\(folder.path("none/a.h5"))' cannot be written: there is no folder '\(folder.path("none"))'."),
      "\(outcome)")
  }

  @Test func aValidationFileCarriesTheTrainingMean() throws {
    #expect(try makeDigits("train.h5").exitCode == 0)
    let outcome = try makeDigits("valid.h5", "--split", "test", "--mean-from", folder.path("train.h5"))
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      try SequenceFile(path: folder.path("valid.h5")).mean == SequenceFile(path: folder.path("train.h5")).mean)
    let other = try makeDigits("other.h5", "--canvas", "40", "--mean-from", folder.path("train.h5"))
    #expect(other.exitCode == 1)
    #expect(
      other.standardError.contains("its frames are 50 x 50 pixels, those of the new file 40 x 40. Make both with"))
  }

  @Test(arguments: [(SIGTERM, "SIGTERM"), (SIGHUP, "SIGHUP"), (SIGQUIT, "SIGQUIT")])
  func aStoppedProductionLeavesNothing(signal: Int32, name: String) throws {
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(),
      ["data", "moving-digits", "--out", folder.path("long.h5"), "--sequences", "1000000"],
      environment: MPILauncher.environment)
    let limit = ContinuousClock.now + .seconds(20)
    while try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty, ContinuousClock.now < limit {
      usleep(10_000)
    }
    running.send(signal)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 128 + signal, "\(outcome)")
    #expect(outcome.standardError.hasSuffix("error: stopped by \(name); no file was written\n"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  // MARK: inspect

  @Test func inspectDescribesAValidSequenceFile() throws {
    #expect(try makeDigits("a.h5").exitCode == 0)
    let outcome = try run("inspect", folder.path("a.h5"))
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput.contains("valid: every checksum matches, and the ground truth is consistent\n"))
    #expect(outcome.standardOutput.contains("on average\n"))
  }

  @Test func inspectFindsAFlippedBit() throws {
    #expect(try makeDigits("a.h5").exitCode == 0)
    var bytes = try Data(contentsOf: url("a.h5"))
    let middle = bytes.count / 2
    bytes[middle] ^= 0x10
    try bytes.write(to: url("a.h5"))
    let outcome = try run("inspect", folder.path("a.h5"))
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(outcome.standardError.contains("error: \(folder.path("a.h5")): "))
  }

  @Test func inspectFindsGroundTruthThatContradictsItself() throws {
    let path = folder.path("odd.h5")
    let writer = try SequenceFileWriter(
      path: path,
      settings: SequenceFileSettings(
        sequenceCount: 1, frameCount: 1, height: 4, width: 4, objectSlots: 2, seed: 0, generator: "{}", source: "test"))
    try writer.append(
      frames: [UInt8](repeating: 1, count: 16),
      truth: SequenceTruth(
        counts: [1], boxes: [0, 0, 2, 2, 0, 0, 0, 0], ids: [3, 3], labels: [1, 1]))
    try writer.finish()
    let outcome = try run("inspect", path)
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.standardError == """
        error: \(path) is not valid:
          sequence 0, frame 0: /counts is not the number of identities in /ids
          sequence 0, frame 0: /ids contains an identity twice
          sequence 0, frame 0: /ids has an object whose box in /boxes is empty

        """)
  }

  @Test func inspectTellsOfACheckpointAndItsConfiguration() throws {
    var configuration = try #require(Configuration.named("quick"))
    configuration.training.batchSize = 8
    let path = try commit(step: 12, configuration)
    let outcome = try run("inspect", path, "--arrays")
    #expect(outcome.exitCode == 0, "\(outcome)")
    for text in [
      "step           12\n", "optimizer      m, v\n",
      "configuration  quick\n                 training.batchSize = 8\n", "dec.output_scale []  root mean square 0.25\n",
      "valid: the digest holds, and every number is finite\n",
    ] {
      #expect(outcome.standardOutput.contains(text), "\(outcome)")
    }
  }

  @Test func inspectFindsNumbersThatAreNotFinite() throws {
    let path = try commit(step: 1, outputScale: .nan)
    let outcome = try run("inspect", path)
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.standardError
        == "error: \(path) is not valid: /parameters/dec.output_scale has numbers that are not finite\n")
  }

  @Test(arguments: [#"{"model": {"hiddenSize": -3}}"#, #"{"model": {"wings": 2}}"#, "no JSON"])
  func inspectFindsAConfigurationThatNoCommandAccepts(configuration: String) throws {
    let path = try commit(step: 1, text: configuration)
    let outcome = try run("inspect", path)
    #expect(outcome.exitCode == 1)
    #expect(outcome.standardError.hasPrefix("error: \(path) is not valid: this program cannot use it: "), "\(outcome)")
    #expect(outcome.standardError.contains("config"), "\(outcome)")
  }

  /// The digest of such a file holds: somebody has written it so.
  @Test(arguments: [#""hiddenSize": 24"#, #""appearanceSize": 10000000"#, #""kind": "vrnn""#])
  func inspectFindsAConfigurationOfOtherParameters(model: String) throws {
    let path = try commit(step: 1, text: #"{"model": {\#(model)}}"#)
    for command in ["inspect", "export"] {
      let options = command == "inspect" ? [path] : ["--checkpoint", path, "--out", folder.path("out.h5")]
      let outcome = try ProcessRunner.run(
        BuiltProgram.trainer(), [command] + options, environment: MPILauncher.environment, timeout: 60)
      #expect(outcome.exitCode == 1 && outcome.standardError.contains(path), "\(outcome)")
    }
  }

  @Test func inspectChecksEveryCheckpointOfARun() throws {
    let first = try commit(step: 1)
    try commit(step: 2)
    let valid = try run("inspect", folder.path)
    #expect(valid.exitCode == 0, "\(valid)")
    #expect(valid.standardOutput.hasPrefix("\(folder.path): run folder, 2 checkpoints\n  step 1: valid\n"))

    let file = try FileHandle(forUpdating: URL(fileURLWithPath: first))
    try file.truncate(atOffset: file.seekToEnd() / 2)
    try file.close()
    let invalid = try run("inspect", folder.path)
    #expect(invalid.exitCode == 1)
    #expect(invalid.standardError.hasPrefix("error: \(folder.path) is not valid: \(first): "))
    #expect(invalid.standardOutput.contains("step           2\n"))
  }

  @Test(arguments: [
    ("text.h5", "this is not an HDF5 file (5 bytes)."), ("empty.h5", "this is not an HDF5 file"),
    ("plain.h5", "attribute 'format': it is missing. Expected 'sqair-dist/sequences'"),
    ("other.h5", "attribute 'format': 'other' is not a format of this program."),
    ("folder", "there are no checkpoints in this folder."),
  ])
  func inspectSaysWhatAFileIsNot(name: String, message: String) throws {
    let path = folder.path(name)
    switch name {
    case "text.h5": try "hello".write(toFile: path, atomically: true, encoding: .utf8)
    case "empty.h5": try "".write(toFile: path, atomically: true, encoding: .utf8)
    case "folder": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    default:
      let file = try HDF5File(creating: path)
      if name == "other.h5" { try file.setAttribute("format", to: "other") }
      try file.close()
    }
    let outcome = try run("inspect", path)
    #expect(outcome.exitCode == 1)
    #expect(outcome.standardError.hasPrefix("error: \(path): \(message)"), "\(outcome)")
  }

  // MARK: Helpers

  private func run(_ arguments: String...) throws -> ProcessOutcome {
    try ProcessRunner.run(BuiltProgram.trainer(), arguments, environment: MPILauncher.environment, timeout: 60)
  }

  /// A small file of moving digits in the folder of the test.
  private func makeDigits(_ name: String, _ options: String...) throws -> ProcessOutcome {
    try ProcessRunner.run(
      BuiltProgram.trainer(),
      ["data", "moving-digits", "--out", folder.path(name), "--sequences", "20", "--frames", "3"] + options,
      environment: MPILauncher.environment)
  }

  private func url(_ name: String) -> URL {
    URL(fileURLWithPath: folder.path(name))
  }

  /// A checkpoint in the folder of the test.
  ///
  /// - Parameters:
  ///   - text: what it says of its configuration; nil: the truth.
  ///   - outputScale: replaces a parameter; nil: as it is initialized.
  @discardableResult
  private func commit(
    step: UInt64, _ configuration: Configuration = ToyModel.configuration(), text: String? = nil,
    outputScale: Float? = nil
  ) throws -> String {
    let constants = configuration.model.constants
    let mean = [Float](repeating: 0, count: constants.height * constants.width)
    let whole = TrainingState(configuration, meanImage: mean).checkpoint(data: "test")
    let parameters = whole.parameters.map { array in
      guard let outputScale, array.name == "dec.output_scale" else { return array }
      return NamedArray(name: array.name, shape: array.shape, values: [outputScale])
    }
    let checkpoint = Checkpoint(
      step: step, model: "sqair", seed: 0, configuration: text ?? whole.configuration, data: "test", software: "test",
      parameters: parameters, optimizer: whole.optimizer)
    return try CheckpointStore(directory: folder.path).commit(checkpoint).path
  }
}
