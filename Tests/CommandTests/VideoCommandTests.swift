import Foundation
import Storage
import TestSupport
import Testing

/// `data video` of the built program, and a training on what it makes.
@Suite(.enabled(if: FFmpeg.isInstalled, "\(FFmpeg.missing)")) struct VideoCommandTests {
  private static let figures = WalkingFigures(frames: 90)
  private let folder: TemporaryDirectory
  private let video: String

  init() throws {
    folder = try TemporaryDirectory()
    video = folder.path("street.mkv")
    try Self.figures.write(to: video)
    try Self.figures.truth.write(toFile: folder.path("gt.txt"), atomically: true, encoding: .utf8)
  }

  private var options: [String] {
    ["--view", "120", "--size", "48", "--first-row", "10", "--ignore-above", "20", "--sequences", "40"]
  }

  private func run(
    _ arguments: [String], environment: [String: String] = MPILauncher.environment
  ) throws -> ProcessOutcome {
    try ProcessRunner.run(BuiltProgram.trainer(), arguments, environment: environment, timeout: 300)
  }

  private func make(_ name: String, _ more: [String] = [], from input: String? = nil) throws -> ProcessOutcome {
    try run(["data", "video", "--in", input ?? video, "--out", folder.path(name)] + options + more)
  }

  @Test func theFileIsAsTheCommandSaysAndTheSameTwice() throws {
    let truth = ["--truth", folder.path("gt.txt")]
    let outcome = try make("a.h5", truth + ["--preview", folder.path("stages.png")])
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.standardOutput.contains("sequences by components in their first frame: 0: 4, 1: 12, 2: 12"))
    #expect(outcome.standardOutput.contains("frames        5 of 48 x 48 pixels"))
    #expect(outcome.standardOutput.contains("counts, boxes, identities, classes, ignored boxes"))
    #expect(try DecodedPicture(folder.path("stages.png")).width > 6 * 160)
    let inspected = try run(["inspect", folder.path("a.h5")])
    #expect(inspected.exitCode == 0, "\(inspected)")
    #expect(inspected.standardOutput.contains("valid: every checksum matches"), "\(inspected)")
    #expect(try make("b.h5", truth).exitCode == 0)
    #expect(try bytes("a.h5") == bytes("b.h5"))
    let again = try make("a.h5", truth)
    #expect(again.exitCode == 1 && again.standardError.contains("the file exists"))
  }

  @Test func picturesOfTheVideoGiveTheSameSequences() throws {
    let pictures = folder.path("pictures")
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    try FFmpeg.encode(
      (0..<90).map(Self.figures.frame), height: WalkingFigures.height, width: WalkingFigures.width,
      to: pictures + "/%d.png")
    #expect(try make("video.h5").exitCode == 0)
    let outcome = try make("pictures.h5", from: pictures)
    #expect(outcome.exitCode == 0, "\(outcome)")
    let (a, b) = try (SequenceFile(path: folder.path("video.h5")), SequenceFile(path: folder.path("pictures.h5")))
    #expect(a.mean == b.mean && a.sequenceCount == b.sequenceCount)
  }

  @Test func withoutFFmpegTheMessageSaysHowToInstallIt() throws {
    var environment = MPILauncher.environment
    environment["PATH"] = folder.path
    let outcome = try run(["data", "video", "--in", video, "--out", folder.path("no.h5")], environment: environment)
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.standardError
        == "error: \(video): for videos and pictures, the program 'ffprobe' is needed, and it is not on the PATH. "
        + "Run scripts/install --video, or load ffmpeg as this site does (module load ffmpeg).\n")
  }

  @Test func aCutVideoLeavesNoFile() throws {
    let whole = try bytes("street.mkv")
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: video))
    let outcome = try make("no.h5")
    #expect(outcome.exitCode == 1 && outcome.standardError.contains("error: \(video): "), "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("no.h5")))
  }

  @Test func oddInputIsRefusedInOneLine() throws {
    try "1,2,nan,3,4,5,1\n".write(toFile: folder.path("odd.txt"), atomically: true, encoding: .utf8)
    let truth = try make("no.h5", ["--truth", folder.path("odd.txt")])
    #expect(truth.exitCode == 1 && truth.standardError.contains("odd.txt', line 1: field 3 is 'nan'"), "\(truth)")
    let empty = folder.path("empty")
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
    let pictures = try make("no.h5", from: empty)
    #expect(pictures.exitCode == 1 && pictures.standardError.contains("there is no PNG or JPEG picture"), "\(pictures)")
    for (usage, message) in [
      (["--shares", "1,x"], "shares"), (["--frames", "9-3"], "frames"), (["--gain", "0"], "gain"),
      (["--max-objects", "3"], "--truth"), (["--axes", "TNHW"], "--axes"), (["--view", "0x9"], "view"),
    ] {
      let outcome = try make("no.h5", usage)
      #expect(outcome.exitCode == 64 && outcome.standardError.contains(message), "\(usage): \(outcome)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("no.h5")))
  }

  @Test func aStoppedImportLeavesNeitherAFileNorFFmpeg() throws {
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(),
      ["data", "video", "--in", video, "--out", folder.path("no.h5"), "--view", "2000"],
      environment: MPILauncher.environment)
    let limit = ContinuousClock.now + .seconds(20)
    while children(of: running.identifier).isEmpty, ContinuousClock.now < limit { usleep(10_000) }
    running.send(SIGTERM)
    let outcome = try running.wait(timeout: 20)
    #expect(outcome.exitCode == 143, "\(outcome)")
    #expect(outcome.standardError.hasSuffix("error: stopped by SIGTERM; no file was written\n"), "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("no.h5")))
    let left = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { entry in
      Int(entry) != nil
        && ((try? String(contentsOfFile: "/proc/\(entry)/cmdline", encoding: .utf8))?.contains(video) ?? false)
    }
    #expect(left == [])
  }

  private func children(of process: pid_t) -> [String] {
    let path = "/proc/\(process)/task/\(process)/children"
    return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ").map(String.init)
  }

  /// The preset `pedestrians` with few updates and a small model, for all kinds: glimpses are twice as tall as wide,
  /// and the data has boxes to ignore.
  @Test(arguments: [
    [], ["--set", "model.encoder=conv"], ["--model", "air"], ["--model", "vrnn"],
  ]) func aModelIsTrainedAndDrawn(kind: [String]) throws {
    #expect(try make("train.h5", ["--truth", folder.path("gt.txt")]).exitCode == 0)
    let data = folder.path("train.h5")
    let small = [
      "--hidden", "32", "--steps", "3", "--set", "training.batchSize=4", "--set", "training.start.steps=1", "--set",
      "validation.interval=3", "--set", "validation.sequences=4", "--set", "pictures.interval=0", "--set",
      "generation.interval=0", "--set", "training.microbatches=2",
    ]
    let training = try run(
      ["train", "--config", "pedestrians", "--data", data, "--valid", data, "--run", folder.path("run")] + small + kind)
    #expect(training.exitCode == 0, "\(training)")
    let checkpoint = ["--checkpoint", folder.path("run"), "--data", data, "--out", folder.path("pictures")]
    let generation = [
      "generate", "--condition", "3", "--frames", "6", "--sequences", "2", "--pictures", "1", "--futures", "2",
    ]
    // AIR sees each frame alone and has no future to generate.
    for command in [["reconstruct", "--sequences", "2"]] + (kind.contains("air") ? [] : [generation]) {
      let outcome = try run(command + checkpoint)
      #expect(outcome.exitCode == 0, "\(command): \(outcome)")
    }
    let inspected = try run(["inspect", folder.path("run")]).standardOutput
    #expect(inspected.contains("pedestrians"), "\(inspected)")
  }

  @Test func anArrayBecomesASequenceFile() throws {
    // Eight frames of twelve sequences, time first: a square that moves.
    var body: [UInt8] = []
    for time in 0..<8 {
      for sequence in 0..<12 {
        var frame = [UInt8](repeating: 0, count: 400)
        for row in 0..<4 { for column in 0..<4 { frame[(sequence + row) * 20 + time / 2 + column] = 255 } }
        body += frame
      }
    }
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (8, 12, 20, 20), }\n"
    let array = folder.path("test_seq.npy")
    try Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + body)
      .write(to: URL(fileURLWithPath: array))
    let outcome = try run(["data", "video", "--in", array, "--out", folder.path("array.h5")])
    #expect(outcome.exitCode == 0 && outcome.standardOutput.contains("sequences     12\n"), "\(outcome)")
    #expect(outcome.standardOutput.contains("frames        8 of 20 x 20 pixels"))
    let refused = try run(["data", "video", "--in", array, "--out", folder.path("no.h5"), "--frames", "1-5"])
    #expect(refused.exitCode == 64 && refused.standardError.contains("is an array"), "\(refused)")
  }

  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.path(name))) }
}
