import Foundation
import Runs
import Storage
import TestSupport
import Testing

/// Which paths a command may write to.
@Suite struct OutputPathsTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func write(_ text: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path(name)))
    return folder.path(name)
  }

  private func refusal(_ outputs: OutputPaths, _ path: String, _ kind: OutputKind) -> String {
    do {
      try outputs.check(path, kind, option: "--out")
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func anInputIsRefusedUnderEveryName() throws {
    let data = try ToySequences.write(to: folder.path("data.h5"))
    let files = FileManager.default
    try files.createDirectory(atPath: folder.path("deep"), withIntermediateDirectories: false)
    try files.createSymbolicLink(atPath: folder.path("link"), withDestinationPath: data)
    try files.createSymbolicLink(atPath: folder.path("folder"), withDestinationPath: folder.path)
    try files.linkItem(atPath: data, toPath: folder.path("hard"))
    for name in ["data.h5", "deep/../data.h5", "./data.h5", "link", "folder/data.h5", "hard"] {
      for input in [data, folder.path("link"), folder.path("hard")] {
        let outputs = OutputPaths(reading: [("--mean-from", nil), ("--data", input)])
        let message = refusal(outputs, folder.path(name), .sequences)
        #expect(message.contains("is read by this command (--data)"), "\(name): \(message)")
        #expect(message.contains("Choose another name with --out."))
      }
    }
    #expect(refusal(OutputPaths(reading: [("--data", data)]), folder.path("new.h5"), .sequences) == "")
  }

  @Test func linksFoldersAndDevicesAreRefused() throws {
    let outputs = OutputPaths(reading: [])
    try FileManager.default.createSymbolicLink(atPath: folder.path("dangling"), withDestinationPath: "nothing")
    #expect(refusal(outputs, folder.path("dangling"), .page).contains("is a symbolic link to 'nothing'"))
    #expect(refusal(outputs, folder.path, .page).contains("is a folder"))
    #expect(refusal(outputs, folder.path("page.html/"), .page).contains("Give the name of a file with --out."))
    #expect(refusal(outputs, "", .page) == "The value of '--out' is empty. Give a name.")
    #expect(refusal(outputs, "/dev/null", .page).contains("is not a regular file"))
    #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
    #expect(refusal(outputs, folder.path("pipe"), .metrics).contains("is not a regular file"))
  }

  static let texts: [(OutputKind, own: [String], foreign: [String])] = [
    (.configuration, [Configuration().resolvedJSON], ["", "{}", #"{"my":"app"}"#, #"{"base":"quick","model":{}}"#]),
    (
      .metrics, ["", "{\"step\":1,\"train/bound\":2}\n", "bad\n{\"step\":1,\"valid/bound\":2}\n"],
      ["x", "{\"epoch\":1}\n", "{\"step\":1,\"loss\":2}\n", "{\"step\":1,\"train/loss\":2}\n"]
    ),
    (.incidents, ["", "2026-01-02T03:04:05Z warning: update 3\n", "12026-01-02T03:04:05Z x\n"], ["x", "a log\n"]),
    (.lock, ["", "process 12 on host since 2026-01-02T03:04:05Z\n"], ["mine", "process"]),
    (.failureRecord, [#"{"findings":[],"processes":2}"#], ["", "{}", "[]"]),
    (.page, [], ["", "<!DOCTYPE html>"]),
    (.sequences, [], ["", "text"]),
  ]

  @Test func earlierOutputsAreKnownByTheirContent() throws {
    let outputs = OutputPaths(reading: [])
    for (kind, own, foreign) in Self.texts {
      for text in own {
        #expect(try outputs.check(write(text, "file"), kind, option: "--out"), "\(kind): \(text)")
      }
      for text in foreign {
        let path = try write(text, "file")
        #expect(refusal(outputs, path, kind).contains("exists and is not "), "\(kind): \(text)")
      }
    }
  }

  /// Sequences in the format of this program, but not from its generator.
  @Test func sequencesOfOthersAreNotReplaced() throws {
    let outputs = OutputPaths(reading: [])
    let own = folder.path("own.h5")
    let writer = try SequenceFileWriter(
      path: own,
      settings: .init(sequenceCount: 1, frameCount: 1, height: 2, width: 2, seed: 0, generator: "{}", source: "test"))
    try writer.append(frames: [1, 2, 3, 4])
    try writer.finish()
    #expect(try outputs.check(own, .sequences, option: "--out"))
    #expect(refusal(outputs, own, .generatedSequences).contains("is not a file of `sqair-dist generate`"))
    let foreign = try HDF5File(creating: folder.path("foreign.h5"))
    try foreign.setAttribute("format", to: SequenceFile.format)
    try foreign.setAttribute("version", to: Int64(1))
    try foreign.close()
    #expect(refusal(outputs, folder.path("foreign.h5"), .sequences).contains("is not a file of `sqair-dist data`"))
  }
}
