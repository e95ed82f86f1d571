import Cluster
import Foundation
import MovingDigits
import Report
import Storage

/// The moving digits that a run makes for itself when it is given no training file.
package struct BuiltinData {
  private let configuration: BuiltinDataConfiguration
  private let folder: String

  /// - Parameter folder: where the files lie, or are to lie.
  package init(_ configuration: BuiltinDataConfiguration, in folder: String) {
    self.configuration = configuration
    self.folder = folder
  }

  package var train: String { folder + "/train.h5" }
  package var valid: String { folder + "/valid.h5" }

  /// Makes the files that do not exist yet. Rank 0 does so, while all of them look for stop signals.
  ///
  /// - Throws: `StopReason` on all processes if any was asked to stop meanwhile; an incomplete file is removed then.
  package func make(_ communicator: Communicator) throws {
    var result = Result<Void, any Error>.success(())
    if communicator.isRoot {
      result = Result {
        try make {
          _ = try communicator.maximum(Int64(0))
          try StopReason.throwIfRequested(of: communicator)
        }
      }
      if case .failure(let reason as StopReason) = result { throw reason }
      // Done, or failed: the others leave their loop.
      _ = try communicator.maximum(Int64(1))
    } else {
      while try communicator.maximum(Int64(0)) == 0 { try StopReason.throwIfRequested(of: communicator) }
    }
    try communicator.collectively("making the built-in data set") { try result.get() }
  }

  /// - Parameter look: called every few hundred sequences; what it throws ends the work.
  private func make(look: () throws -> Void) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // What a killed process left: the run's lock keeps all others out.
    for name in try files.contentsOfDirectory(atPath: folder)
    where name.wholeMatch(of: /\.(train|valid)\.h5\.[0-9]+\.partial/) != nil {
      try files.removeItem(atPath: folder + "/" + name)
    }
    if !files.fileExists(atPath: train) {
      let progress = ProgressLine(
        label: "training data", total: UInt64(configuration.trainSequences), unit: "sequences")
      try DigitFile.write(configuration.movingDigits(.train), to: train) {
        progress.update(UInt64($0))
        try look()
      }
      progress.finish()
    } else {
      try refuseOtherSettings(train, .train)
    }
    if !files.fileExists(atPath: valid) {
      let mean = try SequenceFile(path: train).mean
      try DigitFile.write(configuration.movingDigits(.test), to: valid, mean: mean) { _ in try look() }
    } else {
      try refuseOtherSettings(valid, .test)
    }
  }

  /// Refuses a file that is there but was made with other settings: what `--fresh` finds was made for an earlier run.
  private func refuseOtherSettings(_ path: String, _ split: DigitSplit) throws {
    func object(_ json: Data) -> [String: ConfigurationTree] {
      (try? JSONDecoder().decode([String: ConfigurationTree].self, from: json)) ?? [:]
    }
    let wanted = object(try JSONEncoder().encode(configuration.movingDigits(split)))
    let made = object(Data(try SequenceFile(path: path).generator.utf8))
    // Settings that the writing program did not know have no say.
    let other = wanted.keys.sorted().filter { key in made[key].map { $0 != wanted[key] } ?? false }
    guard made.isEmpty || !other.isEmpty else { return }
    let names = other.map { "\($0) \(made[$0]!.compactJSON), now \(wanted[$0]!.compactJSON)" }
    throw RunError(
      "'\(path)' is not the built-in data set of these settings"
        + (names.isEmpty ? "" : " (\(names.joined(separator: "; ")))")
        + ". If you intend to use it, pass it with --data; otherwise move it away so that it is generated again, or "
        + "choose another --run.")
  }
}
