import Cluster
import Foundation
import MovingDigits
import Storage

/// Moving digits as a sequence file, for the command `data` and for runs that are given no file.
public enum DigitFile {
  /// Makes the sequences and writes them with their ground truth.
  ///
  /// The file gets its name when it is complete and on the disk. Equal settings give equal files.
  ///
  /// - Parameters:
  ///   - settings: what to make.
  ///   - path: the file.
  ///   - mean: `[H, W]` in [0, 1], the training set's mean frame, for a file to validate on; nil takes that of this
  ///     file.
  ///   - overwrite: whether a file of that name may be replaced.
  ///   - onProgress: called with the number of completed sequences, every few hundred; its errors end the work.
  /// - Throws: `MovingDigitsError` for settings that contradict each other, `StorageError` for a file that cannot be
  ///   written, and what `onProgress` throws. In every case nothing is left of the new file.
  public static func write(
    _ settings: MovingDigitsSettings, to path: String, mean: [Float]? = nil, overwrite: Bool = false,
    onProgress: (_ done: Int) throws -> Void = { _ in }
  ) throws {
    let digits = try MovingDigits(settings)
    let writer = try SequenceFileWriter(
      path: path,
      settings: SequenceFileSettings(
        sequenceCount: settings.sequences, frameCount: settings.frames, height: settings.canvasHeight,
        width: settings.canvasWidth, objectSlots: settings.maximumDigits,
        scene: settings.challenge.map { $0.sceneShape(digits.source) }, seed: settings.seed,
        generator: try SequenceFileSettings.generatorText(settings),
        source: digits.source.provenance, mean: mean, overwrite: overwrite))
    StopSignals.removeAtEnd(writer.temporaryPath)
    defer { StopSignals.removeAtEnd(nil) }
    try digits.generate(0..<settings.sequences) { block, sequences in
      for sequence in sequences {
        try writer.append(
          frames: sequence.frames,
          truth: SequenceTruth(
            counts: sequence.counts, boxes: sequence.boxes, ids: sequence.ids, labels: sequence.labels,
            scene: sequence.hidden.map {
              SequenceScene(visible: $0.visible, ink: $0.ink, bars: $0.bars, unoccluded: $0.unoccluded)
            }))
      }
      try onProgress(block.upperBound)
    }
    try writer.finish()
  }
}

extension Challenge {
  fileprivate func sceneShape(_ source: any DigitSource) -> SequenceScene.Shape {
    SequenceScene.Shape(
      bars: self == .overlap ? 0 : 1, inkHeight: source.maximumHeight, inkWidth: source.maximumWidth)
  }
}
