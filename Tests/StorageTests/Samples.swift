import Foundation
import Storage

/// Small files and numbers that several suites use.
enum Samples {
  /// A checkpoint with a scalar, a vector, a matrix and two optimizer slots.
  static func checkpoint(step: UInt64 = 7, scale: Float = 1) -> Checkpoint {
    let parameters = [
      NamedArray(name: "enc.l0.w", shape: [3, 4], values: (0..<12).map { Float($0) * scale }),
      NamedArray(name: "enc.l0.b", shape: [4], values: [0.5, -0.25, .infinity, 1e-30]),
      NamedArray(name: "dec.output_scale", shape: [], values: [0.25 * scale]),
    ]
    let slots = ["ms", "mom"].map { name in
      Checkpoint.OptimizerSlot(
        name: name,
        arrays: parameters.map { NamedArray(name: $0.name, shape: $0.shape, values: $0.values.map { $0 + 1 }) })
    }
    return Checkpoint(
      step: step, model: "sqair", seed: .max, configuration: #"{"k": 5, "name": "größer"}"#,
      data: "sqair-dist/sequences v1", software: "1.0 abc", parameters: parameters, optimizer: slots)
  }

  static func settings(
    sequences: Int = 5, frames: Int = 3, height: Int = 6, width: Int = 4, slots: Int? = 2, mean: [Float]? = nil,
    overwrite: Bool = false
  ) -> SequenceFileSettings {
    SequenceFileSettings(
      sequenceCount: sequences, frameCount: frames, height: height, width: width, objectSlots: slots, seed: 42,
      generator: #"{"digits": 2}"#, source: "test", mean: mean, overwrite: overwrite)
  }

  /// Frames that differ everywhere.
  static func frames(_ sequence: Int, _ settings: SequenceFileSettings) -> [UInt8] {
    (0..<settings.frameCount * settings.height * settings.width).map {
      UInt8(truncatingIfNeeded: ($0 &* 37) ^ (sequence &* 101))
    }
  }

  static func truth(_ sequence: Int, _ settings: SequenceFileSettings) -> SequenceTruth {
    let frames = settings.frameCount
    let slots = settings.objectSlots ?? 0
    return SequenceTruth(
      counts: (0..<frames).map { UInt8(($0 + sequence) % 3) },
      boxes: (0..<frames * slots * 4).map { Float($0) + Float(sequence) / 8 },
      ids: (0..<frames * slots).map { Int32($0 % slots) - 1 + Int32(sequence) },
      labels: (0..<slots).map { UInt8($0 + sequence) })
  }

  /// Writes a whole sequence file.
  static func writeSequences(_ path: String, _ settings: SequenceFileSettings = Samples.settings()) throws {
    let writer = try SequenceFileWriter(path: path, settings: settings)
    for sequence in 0..<settings.sequenceCount {
      try writer.append(
        frames: frames(sequence, settings), truth: settings.objectSlots.map { _ in truth(sequence, settings) })
    }
    try writer.finish()
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  static func write(_ bytes: [UInt8], _ path: String) throws {
    // Foundation would wait for the disk.
    let system = FileSystem.posix
    let descriptor = try system.open(path)
    if !bytes.isEmpty { _ = try bytes.withUnsafeBytes { try system.write(descriptor, $0) } }
    try system.close(descriptor)
  }

  /// The sentence a closure fails with, or "nothing was thrown".
  static func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing was thrown"
    } catch {
      return "\(error)"
    }
  }
}
