import Foundation
import Storage
import TestSupport
import Testing

/// Every kind of bad input to the built program: one clear message, a code that is not 0, no rank left waiting, and
/// nothing of an earlier run touched.
@Suite struct BadInputTests {
  private let toy: ToyRun

  init() throws { toy = try ToyRun() }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// Arguments after those of a toy run in the folder `run`; words beginning with @ are files of the test.
    let options: String
    let messages: [String]
    var code: Int32 = 1
    /// Whether `run` holds a finished run before.
    var hasRun = false
    /// Another command than a toy run.
    var command: String?
    /// Processes; one for what is decided before they meet.
    var ranks = 2

    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "missing data", options: "--data @nothing.h5", messages: ["nothing.h5: there is no such file"]),
    Case(name: "missing validation", options: "--valid @nothing.h5", messages: ["nothing.h5: there is no such file"]),
    Case(
      name: "data that is text", options: "--data @toy.json", messages: ["toy.json: this is not an HDF5 file"],
      ranks: 1),
    Case(name: "truncated data", options: "--data @truncated.h5", messages: ["truncated.h5: "], ranks: 1),
    Case(
      name: "a checkpoint as data", options: "--data @run/checkpoints/step-0000000004.h5",
      messages: ["attribute 'format'", "sqair-dist/sequences"], hasRun: true, ranks: 1),
    Case(name: "a flipped bit in the data", options: "--data @flipped.h5", messages: ["flipped.h5: /frames: "]),
    Case(
      name: "another frame size in validation", options: "--valid @wide.h5",
      messages: ["wide.h5: its frames are 16x20 pixels, but those of", "are 16x16"]),
    Case(
      name: "more frames than the file has", options: "--frames 4",
      messages: ["train.h5: its sequences have 3 frames, but training.frames.end is 4. Give --frames 3 or less"]),
    Case(
      name: "frames too small for the model", options: "--data @tiny.h5",
      messages: ["tiny.h5: model: frames must have from 2 to 1024 pixels a side, not 5 x 1"], code: 64, ranks: 1),
    Case(
      name: "fewer examples than ranks", options: "--batch 1",
      messages: [
        "training.batchSize is 1 and training.microbatches is 16, so there is work for 1, but there are 2 processes",
        "begin a run with --set training.batchSize=2 --set training.microbatches=2;",
      ], code: 64),
    Case(
      name: "fewer shares than ranks", options: "--set training.microbatches=1",
      messages: [
        "so there is work for 1, but there are 2 processes", "begin a run with --set training.microbatches=2;",
      ],
      code: 64),
    Case(
      name: "other shares on resume", options: "--set training.microbatches=4",
      messages: ["training.microbatches: 4, was 16"], hasRun: true),
    Case(
      name: "a file in place of the run folder", options: "--run @toy.json",
      messages: ["of the run cannot be created"]),
    Case(
      name: "a run folder below a file", options: "--run @toy.json/run",
      messages: ["of the run cannot be created"], ranks: 1),
    Case(
      name: "a run folder that no one may make", options: "--run /proc/run",
      messages: ["the folder '/proc/run' of the run cannot be created"], ranks: 1),
    Case(
      name: "another model on resume", options: "--hidden 16",
      messages: ["was started with other settings", "model.hiddenSize: 16, was 32"], hasRun: true),
    Case(
      name: "another batch and seed on resume", options: "--batch 4 --seed 9",
      messages: ["training.batchSize: 4, was 8", "training.seed: 9, was 0", "or --fresh to move the old one aside"],
      hasRun: true, ranks: 1),
    Case(
      name: "other data on resume", options: "--data @other.h5",
      messages: ["was trained on other data", "Give the same training data, in files of the same order, to resume"],
      hasRun: true),
    Case(
      name: "a mistyped key", options: "--set training.bacthSize=4",
      messages: ["unknown key training.bacthSize; did you mean training.batchSize?"], code: 64, ranks: 1),
    Case(
      name: "a mistyped key in a file", options: "--config @mistyped.json",
      messages: ["mistyped.json: unknown key model.hidenSize; did you mean model.hiddenSize?"], code: 64, ranks: 1),
    Case(
      name: "evaluate a corrupt checkpoint", options: "", messages: ["step-0000000004.h5"], hasRun: true,
      command: "evaluate --checkpoint @corrupt/step-0000000004.h5 --data @train.h5"),
    Case(
      name: "evaluate a missing checkpoint", options: "", messages: ["no.h5: there is no such file"],
      command: "evaluate --checkpoint @no.h5 --data @train.h5", ranks: 1),
    Case(
      name: "evaluate an empty folder", options: "", messages: ["there is no checkpoint in"],
      command: "evaluate --checkpoint @empty --data @train.h5", ranks: 1),
    Case(
      name: "evaluate frames of another size", options: "",
      messages: ["wide.h5: its frames are 16x20 pixels, but the model of", "was trained on 16x16"], hasRun: true,
      command: "evaluate --checkpoint @run --data @wide.h5"),
    Case(
      name: "evaluate damaged data", options: "", messages: ["flipped.h5: /frames: "], hasRun: true,
      command: "evaluate --checkpoint @run --data @flipped.h5"),
    Case(
      name: "evaluate a sequence file", options: "", messages: ["attribute 'format'", "sqair-dist/checkpoint"],
      command: "evaluate --checkpoint @train.h5 --data @train.h5", ranks: 1),
    Case(
      name: "watch more frames than there are", options: "",
      messages: ["--condition 4: the sequences of", "have 3 frames to observe. Give a number from 1 to 3."],
      hasRun: true,
      command: "generate --checkpoint @run --data @train.h5 --out @out --condition 4 --frames 9", ranks: 1),
    Case(
      name: "pictures into a file", options: "", messages: ["toy.json' is a file; name a folder with --out"],
      hasRun: true,
      command: "sample --checkpoint @run --out @toy.json", ranks: 1),
    Case(
      name: "pictures of frames of another size", options: "", messages: ["wide.h5: its frames are 16x20 pixels"],
      hasRun: true, command: "reconstruct --checkpoint @run --data @wide.h5 --out @out", ranks: 1),
  ]

  @Test(arguments: cases)
  func badInputIsRefused(_ item: Case) throws {
    try prepare(item)
    let before = try ToyRun.snapshot(toy.folder.path)
    func words(_ text: String) -> [String] {
      text.split(separator: " ").map { $0.hasPrefix("@") ? toy.path(String($0.dropFirst())) : String($0) }
    }
    let arguments = item.command.map(words) ?? toy.arguments("run", words(item.options))
    let outcome = try ToyRun.program(arguments, ranks: item.ranks)
    #expect(outcome.exitCode == item.code && !outcome.timedOut, "\(outcome)")
    #expect(outcome.standardOutput == "")
    for message in item.messages { #expect(outcome.standardError.contains(message), "\(outcome)") }
    #expect(outcome.standardError.components(separatedBy: "error: ").count == 2, "\(outcome)")
    // Files may only be new, and only in a run folder that was not there.
    let after = try ToyRun.snapshot(toy.folder.path)
    for (name, bytes) in before { #expect(after[name] == bytes, "\(name) was touched") }
    if item.hasRun { #expect(Set(after.keys) == Set(before.keys)) }
  }

  /// Makes the files that a case names.
  private func prepare(_ item: Case) throws {
    let text = item.options + " " + (item.command ?? "")
    func write(_ name: String, _ make: (String) throws -> Void) throws {
      if text.contains("@" + name) { try make(toy.path(name)) }
    }
    try write("truncated.h5") { path in
      let bytes = try Data(contentsOf: URL(fileURLWithPath: toy.data))
      try bytes.prefix(bytes.count * 3 / 4).write(to: URL(fileURLWithPath: path))
    }
    try write("flipped.h5") { path in
      try ToySequences.write(to: path, sequences: 8, hasTruth: false, isNoisy: true)
      try ToySequences.spoilInnerSequence(of: path)
    }
    try write("wide.h5") { try ToySequences.write(to: $0, width: 20) }
    try write("other.h5") { try ToySequences.write(to: $0, seed: 5) }
    try write("tiny.h5") { path in
      let writer = try SequenceFileWriter(
        path: path,
        settings: .init(sequenceCount: 1, frameCount: 3, height: 5, width: 1, seed: 0, generator: "{}", source: "test"))
      try writer.append(frames: [UInt8](repeating: 1, count: 15))
      try writer.finish()
    }
    try write("mistyped.json") {
      try #"{ "model": { "hidenSize": 16 } }"#.write(toFile: $0, atomically: true, encoding: .utf8)
    }
    try write("empty") { try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false) }
    guard item.hasRun else { return }
    #expect(try toy.train("run", "--steps", "4").exitCode == 0)
    try write("corrupt") { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      let path = folder + "/step-0000000004.h5"
      try FileManager.default.copyItem(atPath: toy.checkpointPath("run", step: 4), toPath: path)
      try ToySequences.flipBit(in: path)
    }
  }
}
