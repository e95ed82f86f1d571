import Foundation
import TestSupport
import Testing

/// `track`: a model of a toy run on the whole view of a video that the test draws.
@Suite(.enabled(if: StreetVideo.canBeMade, "needs ffmpeg and ffprobe"))
struct TrackCommandTests {
  private let toy: ToyRun
  private let video: StreetVideo

  init() throws {
    toy = try ToyRun()
    video = try StreetVideo(in: toy)
    // It finds up to three objects in every crop with something to see.
    let outcome = try toy.train("run", "--steps", "2", "--set", "model.discoveryStepBias=3")
    try #require(outcome.exitCode == 0, "\(outcome)")
  }

  private func arguments(_ out: String, _ options: [String]) -> [String] {
    [
      "track", "--checkpoint", toy.path("run"), "--in", video.path, "--out", toy.path(out), "--view", "32",
      "--ignore-above", "0", "--smallest", "4", "--particles", "2", "--boxes", "window", "--shortest", "1",
      "--agreement", "0", "--smallest-object", "0",
    ] + options
  }

  private func report(_ outcome: ProcessOutcome) throws -> [String: Any] {
    #expect(outcome.exitCode == 0, "\(outcome)")
    return try #require(JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any])
  }

  @Test func theFilesAreTheSameOnAnyNumberOfProcesses() throws {
    func files(ranks: Int) throws -> [String: Data] {
      let outcome = try ToyRun.program(
        arguments("out\(ranks)", ["--json", "--truth", video.truth, "--overlap", "0.5", "--overlap", "0.3"]),
        ranks: ranks)
      let report = try report(outcome)
      #expect(
        report["crops"] as? Int == 35 && report["view_height"] as? Int == 32 && report["view_width"] as? Int == 40)
      #expect(report["first_frame"] as? Int == 1 && report["last_frame"] as? Int == 12)
      let files = try ToyRun.snapshot(toy.path("out\(ranks)"))
      #expect(files.keys.sorted() == ["tracks.gif", "tracks.json", "tracks.mp4", "tracks.txt"])
      #expect(files["tracks.json"] == Data(outcome.standardOutput.utf8))
      return files
    }
    let alone = try files(ranks: 1)
    #expect(try files(ranks: 3) == alone)
    let lines = String(decoding: alone["tracks.txt"]!, as: UTF8.self).split(separator: "\n")
    try #require(!lines.isEmpty, "the toy model found nothing, so this test says nothing")
    #expect(lines.allSatisfy { $0.split(separator: ",").count == 10 })
    #expect(Set(lines.compactMap { Int($0.split(separator: ",")[0]) }).isSubset(of: Set(1...12)))
    #expect(alone["tracks.gif"]!.prefix(6) == Data("GIF89a".utf8))
    #expect(alone["tracks.mp4"]!.dropFirst(4).prefix(4) == Data("ftyp".utf8))
  }

  @Test func theBaselineIsMeasuredOnTheSameView() throws {
    let report = try report(
      ToyRun.program(arguments("out", ["--json", "--truth", video.truth, "--frames", "3-10"])))
    #expect(report["first_frame"] as? Int == 3 && report["last_frame"] as? Int == 10)
    let methods = try #require(report["methods"] as? [[String: Any]])
    #expect(
      methods.map { $0["method"] as? String } == [
        "sqair", "components", "components, split", "components, split and coasting 3", "components, split and refined",
      ])
    for baseline in methods.dropFirst() {
      let tracking = try #require((baseline["tracking"] as? [[String: Any]])?.first)
      // Two walkers in eight frames; a third one is to be ignored.
      #expect(tracking["objects"] as? Double == 16 && tracking["mota"] as? Double == 1)
      #expect(tracking["idf1"] as? Double == 1 && baseline["count_accuracy"] as? Double == 1)
    }
  }

  @Test func onlyItsOwnFilesAreReplaced() throws {
    func track(_ out: String) throws -> ProcessOutcome { try ToyRun.program(arguments(out, ["--frames", "1-4"])) }
    for _ in 0..<2 {
      let outcome = try track("out")
      #expect(outcome.exitCode == 0, "\(outcome)")
    }
    for name in ["tracks.txt", "tracks.mp4", "tracks.gif", "tracks.json"] {
      let path = toy.path("out/" + name)
      let original = try Data(contentsOf: URL(fileURLWithPath: path))
      try "mine".write(toFile: path, atomically: false, encoding: .utf8)
      let outcome = try track("out")
      #expect(outcome.exitCode == 1 && outcome.standardError.contains("' exists and is not "), "\(outcome)")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
      try original.write(to: URL(fileURLWithPath: path))
    }
  }

  @Test func withoutAnEncoderEverythingElseIsWritten() throws {
    // An ffmpeg that decodes, but cannot write MP4.
    try FileManager.default.createDirectory(atPath: toy.path("bin"), withIntermediateDirectories: true)
    let real = try #require(StreetVideo.programPath("ffmpeg"))
    try """
    #!/bin/sh
    case "$*" in *"-f mp4"*) echo "Unknown encoder" >&2; exit 1 ;; esac
    exec \(real) "$@"
    """.write(toFile: toy.path("bin/ffmpeg"), atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: toy.path("bin/ffmpeg"))
    var environment = MPILauncher.environment
    environment["PATH"] = toy.path("bin") + ":" + (environment["PATH"] ?? "/usr/bin")
    let outcome = try ProcessRunner.run(
      BuiltProgram.trainer(), arguments("out", ["--frames", "1-4"]), environment: environment, timeout: 60)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(
      outcome.standardError.contains("tracks.mp4 was not written") && outcome.standardError.contains("Unknown encoder"))
    #expect(try ToyRun.snapshot(toy.path("out")).keys.sorted() == ["tracks.gif", "tracks.json", "tracks.txt"])
  }

  @Test func wrongRequestsAreRefused() throws {
    func expectRefusal(_ options: [String], _ text: String, code: Int32 = 1) throws {
      let outcome = try ToyRun.program(arguments("out", options))
      #expect(outcome.exitCode == code && outcome.standardError.contains(text), "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: toy.path("out/tracks.txt")))
    }
    try expectRefusal(["--frames", "5-90"], "has 12 frames")
    try expectRefusal(["--shared-frames", "3"], "windows have 3 frames")
    try expectRefusal(["--agreement", "1.5"], "'--agreement' must be from 0 to 1", code: 64)
    try expectRefusal(["--truth", toy.path("missing.txt")], "cannot be read as ground truth")
  }

  /// While the background is computed, and while objects are tracked.
  @Test(arguments: [0.3, 0.6, 1.5])
  func aSignalStopsIt(afterSeconds delay: Double) throws {
    let running = try ProcessRunner.start(
      BuiltProgram.trainer(), arguments("out", ["--particles", "3000", "--step", "1"]),
      environment: MPILauncher.environment)
    usleep(UInt32(delay * 1e6))
    running.send(SIGTERM)
    let outcome = try running.wait(timeout: 30)
    #expect(outcome.exitCode == 128 + SIGTERM && !outcome.timedOut, "\(outcome)")
    #expect(!FileManager.default.fileExists(atPath: toy.path("out/tracks.txt")))
  }
}

/// A street with two walkers, and a third one whom the truth says to ignore; 12 frames of 64 x 80 pixels.
struct StreetVideo {
  let path: String
  let truth: String

  static let canBeMade = programPath("ffmpeg") != nil && programPath("ffprobe") != nil

  static func programPath(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  init(in toy: ToyRun) throws {
    path = toy.path("street.avi")
    truth = toy.path("gt.txt")
    let (height, width, frames) = (64, 80, 12)
    var bytes = [UInt8](repeating: 0, count: frames * height * width * 3)
    var lines = ""
    for frame in 0..<frames {
      for pixel in 0..<height * width {
        let shade = UInt8(60 + (pixel * 37) % 40)
        for color in 0..<3 { bytes[(frame * height * width + pixel) * 3 + color] = shade }
      }
      for (walker, (y, x)) in [(4, 4 + 4 * frame), (40, 68 - 4 * frame), (4, 36 + 3 * frame)].enumerated() {
        for row in y..<y + 20 {
          for column in x..<x + 8 {
            for color in 0..<3 {
              bytes[((frame * height + row) * width + column) * 3 + color] = color == walker ? 250 : 200
            }
          }
        }
        lines += "\(frame + 1),\(walker + 1),\(x + 1),\(y + 1),8,20,\(walker == 2 ? 0 : 1),-1,-1,-1\n"
      }
    }
    try lines.write(toFile: truth, atomically: true, encoding: .utf8)
    let raw = toy.path("street.raw")
    try Data(bytes).write(to: URL(fileURLWithPath: raw))
    let outcome = try ProcessRunner.run(
      "ffmpeg",
      [
        "-v", "error", "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "\(width)x\(height)", "-framerate",
        "10", "-i", raw, "-c:v", "ffv1", "-pix_fmt", "bgr0", path,
      ])
    try #require(outcome.exitCode == 0, "\(outcome)")
  }
}
