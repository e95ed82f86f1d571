import ArgumentParser
import Cluster
import Foundation
import Runs
import Storage

/// `sqair-dist inspect`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows what a sequence file, a checkpoint or a run folder holds, and whether it is valid.",
    discussion: """
      Every byte is read and checked. The exit code is 0 only if everything is valid.

      Examples:
        sqair-dist inspect train.h5
        sqair-dist inspect first
        sqair-dist inspect first/checkpoints/step-0000005000.h5 --arrays
        sqair-dist inspect first --digest
      """)

  @Argument(
    help: ArgumentHelp("A sequence file, a checkpoint or the folder of a run.", valueName: "path"),
    completion: .file())
  var path: String

  @Flag(help: "List the parameter arrays of a checkpoint.")
  var arrays = false

  @Flag(help: "Print only the digests, equal for equal bits; of a run folder, those of its latest checkpoint.")
  var digest = false

  func run() throws {
    // Every rank looks, because each may have been given a file of its own, and one of them prints.
    if launchedRank() > 0 { StandardOutput.discard() }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      return try inspectRun()
    }
    switch try Self.format(of: path) {
    case SequenceFile.format:
      let file = try SequenceFile(path: path)
      if digest { return print("data        \(file.identity)") }
      let summary = SequenceSummary(file)
      summary.print()
      try summary.verify()
    case Checkpoint.format:
      let summary = try CheckpointSummary(path: path)
      if digest { return summary.printDigests() }
      try summary.review(listsArrays: arrays)
    case nil where try HDF5File(reading: path).contains("/frames"):
      // It says what is missing, and how to add it.
      _ = try SequenceFile(path: path)
    case let other:
      throw StorageError(
        file: path, part: "attribute 'format'",
        problem: other.map { "'\($0.printable)' is not a format of this program" } ?? "it is missing",
        hint: "Expected '\(SequenceFile.format)' or '\(Checkpoint.format)'.")
    }
  }

  private static func format(of path: String) throws -> String? {
    let file = try HDF5File(reading: path)
    return try file.hasAttribute("format") ? file.textAttribute("format") : nil
  }

  /// The checkpoints of a run, each read and verified; the latest is described in full.
  private func inspectRun() throws {
    let entries = try CheckpointStore(readingFrom: RunFolder.checkpointFolder(in: path)).list()
    guard let latest = entries.last else {
      throw StorageError(
        file: path, problem: "there are no checkpoints in this folder",
        hint: "Give the folder that was given to --run, or a file.")
    }
    if digest { return try CheckpointSummary(path: latest.path).printDigests() }
    print("\(path.printable): run folder, \(entries.count == 1 ? "1 checkpoint" : "\(entries.count) checkpoints")")
    var problems: [String] = []
    for entry in entries.dropLast() {
      do {
        let found = try CheckpointSummary(path: entry.path).problems
        guard found.isEmpty else { throw InvalidFileError(path: entry.path, problems: found) }
        print("  step \(entry.step): valid")
      } catch {
        problems.append("\(error)")
      }
    }
    do {
      try CheckpointSummary(path: latest.path).review(listsArrays: arrays)
    } catch {
      problems.append("\(error)")
    }
    guard problems.isEmpty else { throw InvalidFileError(path: path, problems: problems) }
  }
}
