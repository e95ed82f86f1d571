import Foundation
import Models
import Report

/// Metrics of generated continuations: constancy of appearance and count, motion and position, diversity, and
/// prediction error. Sequences are added as they are generated.
struct GenerationMetrics {
  /// Frames that the model inferred, and all frames.
  let observedFrames: Int
  let frameCount: Int

  /// Root mean square distance of an object's decoded glimpse from its first one, by frame.
  private(set) var appearance: MeanByFrame
  /// Share of continuations with as many objects as in the last observed frame, by frame.
  private(set) var countKept: MeanByFrame
  private(set) var position: PositionSample
  /// Distance that a generated object moves from the frame before, by frame; in pixels.
  private(set) var speed: MeanByFrame
  private(set) var motion = MotionSample()
  private(set) var direction: DirectionSample
  /// Mean distance of the positions of an object, and root mean square distance of images, over pairs of continuations,
  /// by frame.
  private(set) var positionSpread: MeanByFrame
  private(set) var imageSpread: MeanByFrame
  /// Mean squared pixel error, by frame, where the truth is known.
  private(set) var modelError: MeanByFrame
  private(set) var bestContinuationError: MeanByFrame
  private(set) var averageOfContinuationsError: MeanByFrame
  private(set) var lastFrameError: MeanByFrame
  private(set) var constantVelocityError: MeanByFrame
  /// The first glimpse of every object, up to `mostGlimpses`.
  private var glimpses: [[Float]] = []
  private static let mostGlimpses = 200

  init(observedFrames: Int, frameCount: Int, _ configuration: SQAIRConfiguration) {
    self.observedFrames = observedFrames
    self.frameCount = frameCount
    position = PositionSample(height: configuration.height, width: configuration.width)
    let empty = MeanByFrame(frames: frameCount)
    appearance = empty
    countKept = empty
    speed = empty
    direction = DirectionSample(observedFrames: observedFrames, frameCount: frameCount)
    positionSpread = empty
    imageSpread = empty
    modelError = empty
    bestContinuationError = empty
    averageOfContinuationsError = empty
    lastFrameError = empty
    constantVelocityError = empty
  }

  /// The frame that generated ones are compared with: the last observed frame, or the first frame without one.
  private var reference: Int { max(observedFrames - 1, 0) }

  /// Adds sequences with their continuations.
  mutating func add(_ result: GenerationResult) {
    for continuations in result.continuations {
      if result.hasTracks {
        for (number, continuation) in continuations.enumerated() { add(continuation, isFirst: number == 0) }
      }
      addSpread(of: continuations)
    }
    let examples = result.continuations.count
    modelError.add(result.errors.model, from: observedFrames, weight: examples)
    bestContinuationError.add(result.errors.bestContinuation, from: observedFrames, weight: examples)
    averageOfContinuationsError.add(
      result.errors.averageOfContinuations, from: observedFrames, weight: examples)
    lastFrameError.add(result.errors.lastFrame, from: observedFrames, weight: examples)
    constantVelocityError.add(result.errors.constantVelocity, from: observedFrames, weight: examples)
  }

  /// - Parameter isFirst: whether its glimpses are kept for comparison; the continuations of a sequence begin with the
  ///   same ones.
  private mutating func add(_ continuation: Continuation, isFirst: Bool) {
    var first: [Int: [Float]] = [:]
    var tracks: [Int: [Point?]] = [:]
    for frame in reference..<frameCount {
      let objects = continuation.objects[frame]
      for object in objects {
        if let before = first[object.id] {
          appearance.add(distance(object.glimpse, before), at: frame)
        } else {
          first[object.id] = object.glimpse
          if isFirst, glimpses.count < Self.mostGlimpses { glimpses.append(object.glimpse) }
        }
        guard frame >= observedFrames else { continue }
        position.add(object.box)
        tracks[object.id, default: Array(repeating: nil, count: frameCount)][frame] = object.box.center
      }
      if frame > reference {
        countKept.add(objects.count == continuation.objects[reference].count ? 1 : 0, at: frame)
      }
    }
    for id in Set(continuation.objects.joined().map(\.id)).sorted() {
      direction.add(continuation.objects.map { objects in objects.first { $0.id == id }?.box.center })
    }
    for (_, track) in tracks.sorted(by: { $0.key < $1.key }) {
      motion.add(track)
      for frame in 1..<frameCount {
        if let here = track[frame], let before = track[frame - 1] { speed.add((here - before).length, at: frame) }
      }
    }
  }

  private mutating func addSpread(of continuations: [Continuation]) {
    for (number, one) in continuations.enumerated() {
      for other in continuations[(number + 1)...] {
        for frame in observedFrames..<frameCount {
          imageSpread.add(distance(one.frames[frame], other.frames[frame]), at: frame)
          for object in one.objects[frame] {
            guard let same = other.objects[frame].first(where: { $0.id == object.id }) else { continue }
            positionSpread.add((object.box.center - same.box.center).length, at: frame)
          }
        }
      }
    }
  }

  /// Root mean square distance of two images.
  private func distance(_ a: [Float], _ b: [Float]) -> Double {
    var sum: Float = 0
    for (x, y) in zip(a, b) { sum += (x - y) * (x - y) }
    return (Double(sum) / Double(a.count)).squareRoot()
  }

  /// The first frame without a known truth.
  var knownEnd: Int { (observedFrames..<frameCount).first { modelError[$0] == nil } ?? frameCount }

  /// Mean root mean square distance of the first glimpses of different objects: the change of appearance if an object
  /// became another one. Nil with less than two objects.
  var glimpseDistance: Double? {
    var mean = Mean()
    for (number, one) in glimpses.enumerated() {
      for other in glimpses[(number + 1)...] { mean.add(distance(one, other)) }
    }
    return mean.value
  }

  /// The prediction errors of the model and of the baselines, with the names of charts, from the first generated frame.
  private var errors: [(name: String, values: [Double?])] {
    [
      ("model", modelError), ("best of all", bestContinuationError),
      ("average of all", averageOfContinuationsError), ("last frame", lastFrameError),
      ("constant velocity", constantVelocityError),
    ].map { (name: $0.0, values: $0.1.values(from: observedFrames)) }
  }

  /// The error chart; empty if the truth of no generated frame is known.
  func errorChart(title: String) -> LineChart {
    LineChart(predictionErrors: errors, from: observedFrames, title: title)
  }
}
