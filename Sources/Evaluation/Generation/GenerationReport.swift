import Foundation
import Report

/// What `generate` and `sample` print about the generated continuations, as JSON and as a table.
struct GenerationReport: Encodable {
  let checkpoint: String
  let step: Int
  /// The sequence file; nil without observed frames.
  let data: String?
  let sequences: Int
  let continuations: Int
  let observedFrames: Int
  let frames: Int
  /// Frames of the true sequences; nil without them.
  let trueFrames: Int?
  let seed: UInt64
  /// Factor on the noise of the appearance of generated objects; 1 samples from the prior.
  let appearanceNoise: Double
  let discoverLater: Bool
  let files: [String]
  /// Why nothing of objects is measured; nil if it is.
  let objectsMissing: String?
  let appearance: Appearance
  let count: Count
  let position: Position
  let motion: Motion
  let diversity: Diversity?
  let error: Errors?

  /// Root mean square distance of the decoded glimpse of an object from its first one.
  struct Appearance: Encodable {
    let change: Double?
    let changeByFrame: [Double?]
    /// The same between the first glimpses of different objects.
    let betweenObjects: Double?
  }

  /// Share of frames with as many objects as the last observed frame.
  struct Count: Encodable {
    let kept: Double?
    let keptByFrame: [Double?]
  }

  struct Position: Encodable {
    /// Share of objects with at least half of their box on the canvas, and mean share of the area of a box there.
    let inside: Double?
    let visibleArea: Double?
    /// The same of the true objects, in the frames that the file has after the observed ones.
    let trueInside: Double?
    let trueVisibleArea: Double?
  }

  /// Pixels per frame, and degrees per frame.
  struct Motion: Encodable {
    let speed: SampleComparison?
    let turn: SampleComparison?
    /// The same beside true centers that are held on the canvas; see `MotionSample.truth`.
    let speedOnCanvas: SampleComparison?
    let turnOnCanvas: SampleComparison?
    let speedByFrame: [Double?]
    let direction: Direction?
  }

  /// Shares of objects that keep the direction that they had while they were observed, within 45 degrees; see
  /// `DirectionSample`.
  struct Direction: Encodable {
    let kept: Double?
    let keptThroughout: Double?
    let keptByFrame: [Double?]
    /// Of the true objects, in the frames that the file has.
    let trueKept: Double?
    let trueKeptByFrame: [Double?]
  }

  /// Means over pairs of continuations of a sequence.
  struct Diversity: Encodable {
    let positionsByFrame: [Double?]
    let imagesByFrame: [Double?]
  }

  /// Mean squared pixel error by frame, from the first generated frame as far as the truth is known.
  struct Errors: Encodable {
    let model: [Double]
    let bestContinuation: [Double]
    let averageOfContinuations: [Double]
    let lastFrame: [Double]
    let constantVelocity: [Double]
  }

  /// One JSON object. Arrays by frame begin with the first generated frame; null where there was nothing to measure.
  func json() throws -> String { try MeasurementJSON.line(self) }

  /// A table.
  var text: String {
    var lines = files.map { "wrote \($0)" }
    lines += [
      "model       \(checkpoint) (\(step) updates)",
      "generated   \(sequences) sequences\(continuations > 1 ? ", \(continuations) continuations of each" : ""), frames "
        + "\(observedFrames) to \(frames - 1), "
        + (observedFrames > 0 ? "after \(observedFrames) frames of \(data ?? "")" : "from the prior")
        + (appearanceNoise == 1 ? "" : ", noise of the appearance times \(appearanceNoise)"),
    ]
    if let objectsMissing {
      lines.append("objects     \(objectsMissing)")
    } else {
      lines += objectLines
    }
    return (lines + table).joined(separator: "\n")
  }

  /// Appearance, count, position and motion.
  private var objectLines: [String] {
    var lines = [
      "appearance  changes by \(number(appearance.change, 4)) (root mean square of a glimpse); different objects differ "
        + "by \(number(appearance.betweenObjects, 4))",
      "count       unchanged in \(number(count.kept, 4)) of the frames",
      "position    \(number(position.inside, 4)) of the objects have at least half of their box on the canvas"
        + (position.trueInside.map { ", \(number($0, 4)) of the true ones" } ?? ""),
    ]
    for (name, unit, comparison, onCanvas) in [
      ("speed", "pixels per frame", motion.speed, motion.speedOnCanvas),
      ("turn", "degrees per frame", motion.turn, motion.turnOnCanvas),
    ] {
      let start = name.padding(toLength: 12, withPad: " ", startingAt: 0)
      guard let comparison else {
        lines.append(
          start + "not compared: "
            + (observedFrames == 0
              ? "samples have no true sequences" : "too few objects move, or the file has no boxes with identities"))
        continue
      }
      lines.append(
        start + "mean \(number(comparison.generated.mean, 2)) generated, \(number(comparison.truth.mean, 2)) true, "
          + "Wasserstein-1 distance \(number(comparison.wasserstein, 2)) \(unit)")
      for (who, summary) in [("generated", comparison.generated), ("true", comparison.truth)] {
        let quantiles = zip(SampleComparison.levels, summary.quantiles).map { "\(Int($0 * 100)) %: \(number($1, 2))" }
        lines.append("            \(who): " + quantiles.joined(separator: ", "))
      }
      if let onCanvas, onCanvas.truth.mean != comparison.truth.mean {
        lines.append(
          "            true centers moved onto the canvas, which generated ones cannot leave: mean "
            + "\(number(onCanvas.truth.mean, 2)), distance \(number(onCanvas.wasserstein, 2)) \(unit)")
      }
    }
    if motion.speed != nil, let trueFrames, trueFrames < frames {
      lines.append(
        "            The true speeds and turns are those of \(trueFrames) frames; longer videos show later ones.")
    }
    if let direction = motion.direction {
      lines.append(
        "direction   kept within 45 degrees: \(number(direction.kept, 4)) at the end, "
          + "\(number(direction.keptThroughout, 4)) throughout; true objects \(number(direction.trueKept, 4))")
    }
    return lines
  }

  /// Values by frame: all frames of a short continuation, a selection of a long one.
  private var table: [String] {
    let rows = frames - observedFrames
    let shown =
      rows <= 12 ? Array(0..<rows) : Array(0..<8) + [10, 20, 40, 60, 80].filter { $0 < rows - 1 } + [rows - 1]
    var columns: [(title: String, value: (Int) -> Double?)] = []
    if objectsMissing == nil {
      columns.append(("appearance", { appearance.changeByFrame[$0] }))
      columns.append(("count unchanged", { count.keptByFrame[$0] }))
      columns.append(("speed", { motion.speedByFrame[$0] }))
    }
    if let direction = motion.direction {
      columns.append(("direction kept", { direction.keptByFrame[$0] }))
    }
    if let diversity {
      if objectsMissing == nil {
        columns.append(("distance of continuations (px)", { diversity.positionsByFrame[$0] }))
        columns.append(("(image)", { diversity.imagesByFrame[$0] }))
      } else {
        columns.append(("distance of continuations (image)", { diversity.imagesByFrame[$0] }))
      }
    }
    if let error {
      func known(_ values: [Double]) -> (Int) -> Double? { { $0 < values.count ? values[$0] : nil } }
      columns += [
        ("error: model", known(error.model)), ("best of all", known(error.bestContinuation)),
        ("average of all", known(error.averageOfContinuations)), ("last frame", known(error.lastFrame)),
        ("constant velocity", known(error.constantVelocity)),
      ]
    }
    guard !columns.isEmpty else { return [] }
    func padded(_ text: String, _ title: String) -> String { text.rightAligned(in: max(title.count, 7) + 2) }
    return ["frame" + columns.map { padded($0.title, $0.title) }.joined()]
      + shown.map { row in
        String(format: "%5d", observedFrames + row)
          + columns.map { padded($0.value(row).map { String(format: "%.4f", $0) } ?? "-", $0.title) }.joined()
      }
  }

  private func number(_ value: Double?, _ digits: Int) -> String {
    value.map { String(format: "%.\(digits)f", $0) } ?? "unknown"
  }
}

extension GenerationReport {
  /// - Parameters:
  ///   - truth: the motion of the true objects; nil where it is not known.
  ///   - truthOnCanvas: the same with their centers held on the canvas; nil where it is not known.
  ///   - trueDirection: whether they keep their direction; nil where it is not known.
  ///   - truePosition: how much of them lies on the canvas; nil where it is not known.
  ///   - trueFrames: how many frames the true sequences have; nil without them.
  ///   - objectsMissing: see `SequenceGenerator.objectsMissing`.
  init(
    _ metrics: GenerationMetrics, truth: MotionSample?, truthOnCanvas: MotionSample? = nil,
    trueDirection: DirectionSample? = nil, truePosition: PositionSample? = nil, trueFrames: Int? = nil,
    checkpoint: String, step: Int, data: String?, sequences: Int, continuations: Int, seed: UInt64,
    appearanceNoise: Double = 1, discoverLater: Bool, objectsMissing: String?, files: [String]
  ) {
    let first = metrics.observedFrames
    self.checkpoint = checkpoint
    self.step = step
    self.data = data
    self.sequences = sequences
    self.continuations = continuations
    observedFrames = first
    frames = metrics.frameCount
    self.trueFrames = trueFrames
    self.seed = seed
    self.appearanceNoise = appearanceNoise
    self.discoverLater = discoverLater
    self.objectsMissing = objectsMissing
    self.files = files
    appearance = Appearance(
      change: metrics.appearance.overall, changeByFrame: metrics.appearance.values(from: first),
      betweenObjects: metrics.glimpseDistance)
    count = Count(kept: metrics.countKept.overall, keptByFrame: metrics.countKept.values(from: first))
    let shares = metrics.position.shares
    position = Position(
      inside: shares.inside, visibleArea: shares.visibleArea, trueInside: truePosition?.shares.inside,
      trueVisibleArea: truePosition?.shares.visibleArea)
    motion = Motion(
      speed: truth.flatMap { SampleComparison(generated: metrics.motion.speeds, truth: $0.speeds) },
      turn: truth.flatMap { SampleComparison(generated: metrics.motion.turns, truth: $0.turns) },
      speedOnCanvas: truthOnCanvas.flatMap {
        SampleComparison(generated: metrics.motion.speeds, truth: $0.speeds)
      },
      turnOnCanvas: truthOnCanvas.flatMap { SampleComparison(generated: metrics.motion.turns, truth: $0.turns) },
      speedByFrame: metrics.speed.values(from: first),
      direction: metrics.direction.atEnd.value == nil
        ? nil
        : Direction(
          kept: metrics.direction.atEnd.value, keptThroughout: metrics.direction.throughout.value,
          keptByFrame: metrics.direction.byFrame.values(from: first), trueKept: trueDirection?.atEnd.value,
          trueKeptByFrame: trueDirection?.byFrame.values(from: first) ?? []))
    diversity =
      continuations > 1
      ? Diversity(
        positionsByFrame: metrics.positionSpread.values(from: first),
        imagesByFrame: metrics.imageSpread.values(from: first)) : nil
    func known(_ errors: MeanByFrame) -> [Double] { errors.values(from: first).compactMap { $0 } }
    let model = known(metrics.modelError)
    error =
      model.isEmpty
      ? nil
      : Errors(
        model: model, bestContinuation: known(metrics.bestContinuationError),
        averageOfContinuations: known(metrics.averageOfContinuationsError), lastFrame: known(metrics.lastFrameError),
        constantVelocity: known(metrics.constantVelocityError))
  }
}
