import Foundation
import Runs

/// Measurements of generated continuations by `generate` and `sample`, for people and for programs.
struct ImaginationReport: Encodable {
  let checkpoint: String
  let step: Int
  /// The sequence file; nil where nothing was watched.
  let data: String?
  let sequences: Int
  let futures: Int
  let watched: Int
  let frames: Int
  let seed: UInt64
  let discoverLater: Bool
  let files: [String]
  let appearance: Appearance
  let count: Count
  let place: Place
  let motion: Motion
  let diversity: Diversity?
  let error: PredictionError?

  /// Root mean square distance of an object's decoded glimpse from its first.
  struct Appearance: Encodable {
    let change: Double?
    let changeByFrame: [Double?]
    /// The same between the first glimpses of different objects.
    let betweenObjects: Double?
  }

  /// Share of frames that hold as many objects as the last watched one.
  struct Count: Encodable {
    let kept: Double?
    let keptByFrame: [Double?]
  }

  struct Place: Encodable {
    /// Share of objects with at least half of their box on the canvas, and mean share of a box there.
    let inside: Double?
    let visibleArea: Double?
  }

  /// Pixels a frame and degrees.
  struct Motion: Encodable {
    let speed: SampleComparison?
    let turn: SampleComparison?
    let speedByFrame: [Double?]
  }

  /// Means over pairs of futures of a sequence.
  struct Diversity: Encodable {
    let placesByFrame: [Double?]
    let imagesByFrame: [Double?]
  }

  /// Mean squared pixel error by frame, from the first imagined one as far as the truth is known.
  struct PredictionError: Encodable {
    let model: [Double]
    let bestFuture: [Double]
    let lastFrame: [Double]
    let constantVelocity: [Double]
  }

  /// One JSON object. Arrays by frame begin with the first imagined one; null where there was nothing to measure.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "nan")
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// A table for people.
  var text: String {
    var lines = files.map { "wrote \($0)" }
    lines += [
      "model       \(checkpoint) (\(step) updates)",
      "generated   \(sequences) sequences\(futures > 1 ? ", \(futures) continuations of each" : ""), frames \(watched) to "
        + "\(frames - 1)\(watched > 0 ? " after \(watched) observed ones of \(data ?? "")" : " from nothing")",
      "appearance  changes by \(number(appearance.change, 4)) (root mean square of a glimpse); different objects are "
        + "\(number(appearance.betweenObjects, 4)) apart",
      "count       unchanged in \(number(count.kept, 4)) of the frames",
      "place       \(number(place.inside, 4)) of the objects have at least half of their box on the canvas",
    ]
    for (name, unit, comparison) in [
      ("speed", "pixels per frame", motion.speed), ("turn", "degrees per frame", motion.turn),
    ] {
      let start = name.padding(toLength: 12, withPad: " ", startingAt: 0)
      guard let comparison else {
        lines.append(start + "not compared: too few objects moved, or the file has no boxes with identities")
        continue
      }
      lines.append(
        start + "mean \(number(comparison.imagined.mean, 2)) generated, \(number(comparison.truth.mean, 2)) true, "
          + "Wasserstein-1 distance \(number(comparison.wasserstein, 2)) \(unit)")
      for (who, summary) in [("generated", comparison.imagined), ("true", comparison.truth)] {
        let quantiles = zip(SampleComparison.levels, summary.quantiles).map { "\(Int($0 * 100)) %: \(number($1, 2))" }
        lines.append("            \(who): " + quantiles.joined(separator: ", "))
      }
    }
    return (lines + table).joined(separator: "\n")
  }

  /// Frame by frame: all of a short future, a choice of a long one.
  private var table: [String] {
    let rows = frames - watched
    let shown =
      rows <= 12 ? Array(0..<rows) : Array(0..<8) + [10, 20, 40, 60, 80].filter { $0 < rows - 1 } + [rows - 1]
    var columns: [(title: String, value: (Int) -> Double?)] = [
      ("appearance", { appearance.changeByFrame[$0] }), ("count kept", { count.keptByFrame[$0] }),
      ("speed", { motion.speedByFrame[$0] }),
    ]
    if let diversity {
      columns.append(("diversity (px)", { diversity.placesByFrame[$0] }))
      columns.append(("(image)", { diversity.imagesByFrame[$0] }))
    }
    if let error {
      func known(_ values: [Double]) -> (Int) -> Double? { { $0 < values.count ? values[$0] : nil } }
      columns += [
        ("error: model", known(error.model)), ("best of all", known(error.bestFuture)),
        ("last frame", known(error.lastFrame)), ("constant velocity", known(error.constantVelocity)),
      ]
    }
    /// At the right of its column.
    func padded(_ text: String, _ title: String) -> String {
      String(repeating: " ", count: max(0, max(title.count, 7) + 2 - text.count)) + text
    }
    return ["frame" + columns.map { padded($0.title, $0.title) }.joined()]
      + shown.map { row in
        String(format: "%5d", watched + row)
          + columns.map { padded($0.value(row).map { String(format: "%.4f", $0) } ?? "-", $0.title) }.joined()
      }
  }

  private func number(_ value: Double?, _ digits: Int) -> String {
    value.map { String(format: "%.\(digits)f", $0) } ?? "unknown"
  }
}

extension ImaginationReport {
  /// - Parameters:
  ///   - truth: the true tracks; nil where they are not known.
  init(
    _ measures: ImaginationMeasures, truth: MotionSample?, checkpoint: String, step: Int, data: String?,
    sequences: Int, futures: Int, seed: UInt64, discoverLater: Bool, files: [String]
  ) {
    let first = measures.watched
    self.checkpoint = checkpoint
    self.step = step
    self.data = data
    self.sequences = sequences
    self.futures = futures
    watched = first
    frames = measures.frameCount
    self.seed = seed
    self.discoverLater = discoverLater
    self.files = files
    appearance = Appearance(
      change: measures.appearance.overall, changeByFrame: measures.appearance.values(from: first),
      betweenObjects: measures.glimpseDistance)
    count = Count(kept: measures.countKept.overall, keptByFrame: measures.countKept.values(from: first))
    place = Place(inside: measures.inside.value, visibleArea: measures.visibleArea.value)
    motion = Motion(
      speed: truth.flatMap { SampleComparison(imagined: measures.motion.speeds, truth: $0.speeds) },
      turn: truth.flatMap { SampleComparison(imagined: measures.motion.turns, truth: $0.turns) },
      speedByFrame: measures.speed.values(from: first))
    diversity =
      futures > 1
      ? Diversity(
        placesByFrame: measures.placeSpread.values(from: first),
        imagesByFrame: measures.imageSpread.values(from: first)) : nil
    func known(_ errors: MeanByFrame) -> [Double] { errors.values(from: first).compactMap { $0 } }
    let model = known(measures.modelError)
    error =
      model.isEmpty
      ? nil
      : PredictionError(
        model: model, bestFuture: known(measures.bestFutureError), lastFrame: known(measures.lastFrameError),
        constantVelocity: known(measures.constantVelocityError))
  }
}
