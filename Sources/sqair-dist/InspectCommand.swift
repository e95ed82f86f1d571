import ArgumentParser
import Diagnostics
import Evaluation
import Foundation
import Runs
import Storage
import Training

/// `sqair-dist inspect`.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Says what a sequence file, a checkpoint or a run folder holds, and whether it is sound.",
    discussion: """
      Every byte is read and checked. The exit code is 0 only if all is sound.

      Examples:
        sqair-dist inspect train.h5
        sqair-dist inspect first
        sqair-dist inspect first/step-0000005000.h5 --arrays
        sqair-dist inspect first --digest
      """)

  @Argument(
    help: ArgumentHelp("A sequence file, a checkpoint or the folder of a run.", valueName: "path"),
    completion: .file())
  var path: String

  @Flag(help: "List the parameter arrays of a checkpoint.")
  var arrays = false

  @Flag(help: "Print only what tells whether two checkpoints hold the same bits; of a run, of its newest.")
  var digest = false

  func run() throws {
    guard launchedRank() == 0 else { return }
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
    case let other:
      throw StorageError(
        file: path, part: "attribute 'format'",
        problem: other.map { "'\($0)' is no format of this program" } ?? "there is none",
        hint: "Files of this program say '\(SequenceFile.format)' or '\(Checkpoint.format)'.")
    }
  }

  private static func format(of path: String) throws -> String? {
    let file = try HDF5File(reading: path)
    return try file.hasAttribute("format") ? file.textAttribute("format") : nil
  }

  /// The checkpoints of a run, each read and verified; the newest is told in full.
  private func inspectRun() throws {
    let entries = try CheckpointStore(readingFrom: RunFolder.checkpointFolder(in: path)).list()
    guard let newest = entries.last else {
      throw StorageError(
        file: path, problem: "there are no checkpoints in this folder",
        hint: "Name the folder that was given to --run, or a file.")
    }
    if digest { return try CheckpointSummary(path: newest.path).printDigests() }
    print("\(path): run folder, \(entries.count == 1 ? "1 checkpoint" : "\(entries.count) checkpoints")")
    var unsound: [String] = []
    for entry in entries.dropLast() {
      do {
        let problems = try CheckpointSummary(path: entry.path).problems
        guard problems.isEmpty else { throw UnsoundError(path: entry.path, problems: problems) }
        print("  step \(entry.step): sound")
      } catch {
        unsound.append("\(error)")
      }
    }
    do {
      try CheckpointSummary(path: newest.path).review(listsArrays: arrays)
    } catch {
      unsound.append("\(error)")
    }
    guard unsound.isEmpty else { throw UnsoundError(path: path, problems: unsound) }
  }
}
