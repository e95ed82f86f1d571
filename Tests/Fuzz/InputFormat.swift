import Foundation
import MovingDigits
import Report
import Runs
import Storage
import TestSupport

/// A kind of file that the program reads and somebody else may have written.
enum InputFormat: String, CaseIterable {
  case sequences, checkpoint, configuration, idx, metrics

  var fileName: String {
    switch self {
    case .sequences, .checkpoint: "input.h5"
    case .configuration: "input.json"
    case .idx: "train-images-idx3-ubyte"
    case .metrics: "metrics.jsonl"
    }
  }

  /// Files that were findings once.
  func findings() throws -> [(name: String, bytes: [UInt8])] {
    try Self.stored("Found", rawValue).map { ($0, [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0)))) }
  }

  /// The stored files of a format in a folder beside this source.
  private static func stored(_ folder: String, _ format: String) throws -> [String] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(folder).path
    return try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(format + "-") }.sorted()
      .map { path + "/" + $0 }
  }

  /// Valid files to start from: those that this program writes, and the stored ones of other programs.
  func seeds(in folder: String) throws -> [[UInt8]] {
    func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
    let stored = try Self.stored("Seeds", rawValue).map(bytes)
    switch self {
    case .sequences:
      let path = try ToySequences.write(to: folder + "/seed.h5", sequences: 3, frames: 2, height: 8, width: 8)
      return stored + [try bytes(path)]
    case .checkpoint:
      return stored + [try ToyInputs.checkpoint.encoded(as: "seed.h5")]
    case .configuration:
      return stored
        + Configuration.presets.compactMap { Configuration.named($0.name)?.resolvedJSON.utf8 }.map(Array.init)
    case .idx:
      let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28]
      return stored + [header + (0..<3 * 784).map { UInt8(truncatingIfNeeded: 7 * $0) }]
    case .metrics:
      let lines = (1...6).map { #"{"step":\#($0 * 10),"train/bound":-12.5,"train/objects":0.\#($0),"valid/kl":null}"# }
      return stored + [Array((lines.joined(separator: "\n") + "\n").utf8)]
    }
  }

  /// Reads a file as the commands do, to its last byte of content.
  ///
  /// - Throws: the error that a user would be shown; whatever else happens is a finding.
  func read(_ path: String) throws {
    switch self {
    case .sequences:
      let file = try SequenceFile(path: path)
      try file.verify()
    case .checkpoint:
      let trained = try TrainedModel(path)
      // As a run that is resumed reads it.
      let constants = trained.configuration.model.constants
      let mean = [Float](repeating: 0, count: constants.height * constants.width)
      try TrainingState(trained.configuration, meanImage: mean).restore(Checkpoint(reading: path), from: path)
    case .configuration:
      _ = try Configuration.resolve(from: path)
    case .idx:
      _ = try IDXFile(path: path, dimensions: 3)
    case .metrics:
      _ = try MetricsLog(path: path, keepingThrough: 40)
      _ = try MetricsLog.read(path)
    }
  }
}
