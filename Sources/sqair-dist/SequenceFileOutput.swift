import ArgumentParser
import Cluster
import Runs
import Storage

/// The options of all commands that make a sequence file, beside its name.
struct SequenceFileOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Training file from which to copy the mean frame. (default: computed from the new file)", valueName: "file"),
    completion: .sequences)
  var meanFrom: String?

  @Option(help: "Seed of everything random.")
  var seed: UInt64 = 0

  @Flag(help: "Replace the file if it exists.")
  var force = false

  /// The mean frame of the training file, `[H, W]` in [0, 1]; nil if none is named.
  ///
  /// - Parameter sizeOption: the option that sets the size of the frames.
  /// - Throws: `StorageError` if its frames have another size than the new ones.
  func meanFrame(height: Int, width: Int, sizeOption: String) throws -> [Float]? {
    guard let meanFrom else { return nil }
    let file = try SequenceFile(path: meanFrom)
    guard file.height == height, file.width == width else {
      throw StorageError(
        file: meanFrom, part: "/mean",
        problem: "its frames are \(file.height) x \(file.width) pixels, those of the new file \(height) x \(width)",
        hint: "Make both with the same \(sizeOption).")
    }
    return file.mean
  }
}

/// A sequence file that a command makes.
struct SequenceFileOutput {
  private let path: String
  /// The identity of the file that is replaced; nil if there is none.
  private let replaced: String?

  /// Checks that the file may be written.
  ///
  /// - Throws: `StorageError` if it exists and is not to be replaced, `RunError` if it is no sequence file of this
  ///   program.
  init(_ path: String, _ outputs: OutputPaths, _ options: SequenceFileOptions) throws {
    self.path = path
    guard try outputs.check(path, .sequences, option: "--out") else {
      try requireFolder(of: path, option: "--out")
      replaced = nil
      return
    }
    guard options.force else {
      throw StorageError(
        file: path, problem: "the file exists", hint: "Choose another name, or add --force to replace it.")
    }
    replaced = (try? SequenceFile(path: path))?.identity ?? "damaged"
  }

  /// Prints what the new file holds.
  func report() throws {
    if let replaced { print("replaced \(path), which was \(replaced)") }
    try SequenceSummary(SequenceFile(path: path)).print()
  }

  /// Throws if this process was asked to stop; an unfinished file is removed then.
  static func throwIfStopped() throws { try Interrupted.throwIfRequested(consequence: "no file was written") }
}
