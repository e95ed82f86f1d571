import Foundation
import Models
import Runs

/// What generated continuations preserve (appearance, number, motion, place), how diverse they are, and their distance
/// from the true frames. Sequences are added as they are generated.
struct ImaginationMeasures {
  /// Frames that the model saw, and frames in all.
  let watched: Int
  let frameCount: Int
  private let height: Double
  private let width: Double

  /// Root mean square distance of an object's decoded glimpse from its first one, by frame.
  private(set) var appearance: MeanByFrame
  /// Share of futures with the number of objects of the last watched frame, by frame.
  private(set) var countKept: MeanByFrame
  /// Share of an object's box that lies on the canvas, and share of objects of which at least half does.
  private(set) var visibleArea = Mean()
  private(set) var inside = Mean()
  /// Ways of imagined objects, by frame.
  private(set) var speed: MeanByFrame
  private(set) var motion = MotionSample()
  /// Mean distance of an object's places, and root mean square distance of images, over pairs of futures, by frame.
  private(set) var placeSpread: MeanByFrame
  private(set) var imageSpread: MeanByFrame
  /// Mean squared pixel error against what happened, by frame, where that is known.
  private(set) var modelError: MeanByFrame
  private(set) var bestFutureError: MeanByFrame
  private(set) var lastFrameError: MeanByFrame
  private(set) var constantVelocityError: MeanByFrame
  /// The first glimpse of every object that was seen, up to `mostGlimpses`.
  private var glimpses: [[Float]] = []
  private static let mostGlimpses = 200

  init(watched: Int, frameCount: Int, _ configuration: SQAIRConfiguration) {
    self.watched = watched
    self.frameCount = frameCount
    height = Double(configuration.height)
    width = Double(configuration.width)
    let empty = MeanByFrame(frames: frameCount)
    appearance = empty
    countKept = empty
    speed = empty
    placeSpread = empty
    imageSpread = empty
    modelError = empty
    bestFutureError = empty
    lastFrameError = empty
    constantVelocityError = empty
  }

  /// The frame that imagined ones are compared with: the last watched one, or the first of all.
  private var reference: Int { max(watched - 1, 0) }

  /// Adds some sequences with their futures.
  mutating func add(_ result: Imaginer.Result) {
    for futures in result.futures {
      if result.hasTracks {
        for (number, future) in futures.enumerated() { add(future, isFirst: number == 0) }
      }
      addSpread(of: futures)
    }
    let examples = result.futures.count
    modelError.add(result.modelError, from: watched, weight: examples)
    bestFutureError.add(result.bestFutureError, from: watched, weight: examples)
    lastFrameError.add(result.lastFrameError, from: watched, weight: examples)
    constantVelocityError.add(result.constantVelocityError, from: watched, weight: examples)
  }

  /// - Parameter isFirst: whether its glimpses join those of other objects; the futures of a sequence begin alike.
  private mutating func add(_ future: Imaginer.Future, isFirst: Bool) {
    var first: [Int: [Float]] = [:]
    var tracks: [Int: [Point?]] = [:]
    for frame in reference..<frameCount {
      let objects = future.objects[frame]
      for object in objects {
        if let before = first[object.id] {
          appearance.add(distance(object.glimpse, before), at: frame)
        } else {
          first[object.id] = object.glimpse
          if isFirst, glimpses.count < Self.mostGlimpses { glimpses.append(object.glimpse) }
        }
        guard frame >= watched else { continue }
        let share = visibleShare(object.box)
        visibleArea.add(share)
        inside.add(share >= 0.5 ? 1 : 0)
        tracks[object.id, default: Array(repeating: nil, count: frameCount)][frame] = object.center
      }
      if frame > reference {
        countKept.add(objects.count == future.objects[reference].count ? 1 : 0, at: frame)
      }
    }
    for track in tracks.values {
      motion.add(track)
      for frame in 1..<frameCount {
        if let here = track[frame], let before = track[frame - 1] { speed.add((here - before).length, at: frame) }
      }
    }
  }

  private mutating func addSpread(of futures: [Imaginer.Future]) {
    for (number, one) in futures.enumerated() {
      for other in futures[(number + 1)...] {
        for frame in watched..<frameCount {
          imageSpread.add(distance(one.frames[frame], other.frames[frame]), at: frame)
          for object in one.objects[frame] {
            guard let same = other.objects[frame].first(where: { $0.id == object.id }) else { continue }
            placeSpread.add((object.center - same.center).length, at: frame)
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

  private func visibleShare(_ box: ObjectBox) -> Double {
    func span(_ start: Float, _ length: Float, _ limit: Double) -> Double {
      max(0, min(Double(start + length), limit) - max(Double(start), 0))
    }
    let area = Double(box.height) * Double(box.width)
    return area > 0 ? span(box.y, box.height, height) * span(box.x, box.width, width) / area : 0
  }

  /// The first frame whose true image is not known.
  var knownEnd: Int { (watched..<frameCount).first { modelError[$0] == nil } ?? frameCount }

  /// Mean root mean square distance of the first glimpses of different objects: what it would be if an object became
  /// another. Nil with less than two objects.
  var glimpseDistance: Double? {
    var mean = Mean()
    for (number, one) in glimpses.enumerated() {
      for other in glimpses[(number + 1)...] { mean.add(distance(one, other)) }
    }
    return mean.value
  }
}

/// A mean over values that come one by one; nil before the first.
struct Mean {
  private var sum = 0.0
  private var count = 0.0

  var value: Double? { count > 0 ? sum / count : nil }

  mutating func add(_ value: Double, weight: Double = 1) {
    sum += weight * value
    count += weight
  }
}

/// A mean for each frame.
struct MeanByFrame {
  private var means: [Mean]

  init(frames: Int) { means = Array(repeating: Mean(), count: frames) }

  mutating func add(_ value: Double, at frame: Int) { means[frame].add(value) }

  /// Adds means over `weight` entries, of the frames from `first`.
  mutating func add(_ values: [Double], from first: Int, weight: Int) {
    for (place, value) in values.enumerated() { means[first + place].add(value, weight: Double(weight)) }
  }

  subscript(frame: Int) -> Double? { means[frame].value }

  /// Mean over the frames that have a value; nil if none has.
  var overall: Double? {
    let known = means.compactMap(\.value)
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }

  /// The means from a frame on.
  func values(from first: Int) -> [Double?] { means[first...].map(\.value) }
}
