import Models

/// The result of an evaluation. Nats are per sequence, means over sequences.
public struct Evaluation: Sendable {
  public let sequences: Int
  /// Frames of each sequence.
  public let frames: Int
  /// Particles of each sequence.
  public let particles: Int
  /// The importance-weighted bound of log p(x), in nats per sequence.
  public let bound: Double
  /// log p(x|z), weighted by importance, in nats per sequence.
  public let reconstruction: Double
  /// log q(z|x) - log p(z), weighted by importance, in nats per sequence.
  public let kl: Double
  /// The parts of `kl`; nil if the model has no objects.
  public let klParts: KLParts?
  /// 1 / sum of the squares of the normalized importance weights: from 1 to `particles`.
  public let effectiveParticles: Double
  /// Mean number of objects that the model found in a frame, weighted by importance; nil if it has none.
  public let objectsPerFrame: Double?
  /// Share of frames with the correct number of objects; nil if the file has no counts, or the model no objects.
  public let countAccuracy: Double?
  /// Row: true count, column: inferred count, entries: frames, weighted by importance. Empty without counts.
  public let countConfusion: [[Double]]
  /// The accuracy in classes of frames; nil without counts.
  public let countAccuracyByClass: CountAccuracyByClass?
  /// Errors of one-step predictions; nil if the model does not propagate objects, or none lasted for three frames.
  public let stepPredictions: StepPredictions?

  /// Nats per sequence, by latent variable and by the origin of the object.
  public struct KLParts: Encodable, Sendable {
    public let propagatedWhat, propagatedWhere, propagatedPresence: Double
    public let discoveredWhat, discoveredWhere, discoveredPresence: Double
  }

  /// Mean distances of predicted centers from inferred ones, in pixels, for objects that last for three frames.
  public struct StepPredictions: Encodable, Sendable {
    /// The error of the mean of the propagation prior, and that of motion at constant velocity.
    public let prior, constantVelocity: Double
    /// Objects per sequence that were predicted.
    public let objects: Double
  }

  /// Accuracy of the number of objects in classes of frames.
  public struct CountAccuracyByClass: Encodable, Sendable {
    /// A class of frames.
    public struct Entry: Encodable, Sendable {
      /// The upper limit of the class, which belongs to it: an overlap from 0 to 1, or a height in pixels.
      public let upTo: Double
      /// Share of its frames with the correct number of objects.
      public let accuracy: Double
      /// The number of its frames, weighted by importance.
      public let frames: Double
    }

    /// By frame index, from 0.
    public let byFrame: [Double?]
    /// By the largest overlap of two true boxes, relative to the area of the smaller one; frames with objects only.
    public let byOverlap: [Entry]
    /// By the height of the smallest true box, in pixels; frames with objects only.
    public let byHeight: [Entry]
  }

  package init(
    _ sums: EvaluationSums, frames: Int, particles: Int, hasCounts: Bool, findsObjects: Bool = true,
    frameHeight: Int = 0
  ) {
    let count = sums[.sequences]
    sequences = Int(count)
    self.frames = frames
    self.particles = particles
    bound = sums[.bound] / count
    reconstruction = sums[.reconstruction] / count
    kl = sums[.kl] / count
    effectiveParticles = sums[.effectiveParticles] / count
    objectsPerFrame = findsObjects ? sums[.objects] / (count * Double(frames)) : nil
    klParts =
      findsObjects
      ? KLParts(
        propagatedWhat: sums[.propagatedWhat] / count, propagatedWhere: sums[.propagatedWhere] / count,
        propagatedPresence: sums[.propagatedPresence] / count, discoveredWhat: sums[.discoveredWhat] / count,
        discoveredWhere: sums[.discoveredWhere] / count, discoveredPresence: sums[.discoveredPresence] / count) : nil
    let predictions = sums[.predictions]
    stepPredictions =
      predictions > 0
      ? StepPredictions(
        prior: sums[.priorDistance] / predictions,
        constantVelocity: sums[.constantVelocityDistance] / predictions, objects: predictions / count) : nil
    guard hasCounts, findsObjects else {
      countAccuracy = nil
      countConfusion = []
      countAccuracyByClass = nil
      return
    }
    let all = (0...CountSums.largestCount).map { truth in
      (0...sums.counts.slots).map { sums.counts.confusion(truth: truth, count: $0) }
    }
    let largest = all.lastIndex { $0.contains { $0 > 0 } } ?? 0
    let confusion = Array(all[0...largest])
    countConfusion = confusion
    countAccuracy = sums.counts.total.correct / (count * Double(frames))
    countAccuracyByClass = CountAccuracyByClass(sums.counts, frames: frames, frameHeight: frameHeight)
  }

  /// True objects per frame, from the confusion matrix; nil without counts.
  var trueObjectsPerFrame: Double? {
    let frames = countConfusion.joined().reduce(0, +)
    guard frames > 0 else { return nil }
    return countConfusion.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element.reduce(0, +) } / frames
  }

  /// Named values for logs; nats per frame.
  package var metrics: [(name: String, value: Double)] {
    let perFrame = 1 / Double(frames)
    var metrics: [(name: String, value: Double)] = [
      ("bound", bound * perFrame), ("reconstruction", reconstruction * perFrame), ("kl", kl * perFrame),
    ]
    if let objectsPerFrame { metrics.append(("objects", objectsPerFrame)) }
    metrics.append(("effective_particles", effectiveParticles))
    if let countAccuracy { metrics.append(("count_accuracy", countAccuracy)) }
    return metrics
  }
}

extension Evaluation.CountAccuracyByClass {
  init(_ sums: CountSums, frames: Int, frameHeight: Int) {
    func entries(_ grouping: CountSums.Grouping, _ count: Int, _ limit: (Int) -> Double) -> [Entry] {
      (0..<count).compactMap { index in
        let (all, correct) = sums.frames(grouping, index)
        return all > 0 ? Entry(upTo: limit(index), accuracy: correct / all, frames: all) : nil
      }
    }
    byFrame = (0..<frames).map { frame in
      let (all, correct) = sums.frames(.frame, frame)
      return all > 0 ? correct / all : nil
    }
    byOverlap = entries(.overlap, RatioClass.count) { Double($0) / 4 }
    byHeight = entries(.height, CountSums.heightClasses) {
      Double(frameHeight * ($0 + 1)) / Double(CountSums.heightClasses)
    }
  }
}
