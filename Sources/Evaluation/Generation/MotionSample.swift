import Foundation
import Runs
import Storage

/// Speeds and turns of tracks, true or generated.
package struct MotionSample {
  /// Ways from frame to frame, pixels.
  package private(set) var speeds: [Double] = []
  /// Angles between two ways in a row, degrees from 0 (straight on) to 180 (back); only where both are at least
  /// `leastWay` long, because the direction of a shorter one is an accident of rounding.
  package private(set) var turns: [Double] = []
  static let leastWay = 1.0

  package init() {}

  /// Adds a track.
  ///
  /// - Parameter places: of each frame in a row; nil where the object is not there.
  package mutating func add(_ places: [Point?]) {
    var last: Point?
    for (here, next) in zip(places, places.dropFirst()) {
      guard let here, let next else {
        last = nil
        continue
      }
      let way = next - here
      // A place that is not finite, or as good as that, is no motion.
      guard way.length.isFinite else {
        last = nil
        continue
      }
      speeds.append(way.length)
      if let last, last.length >= Self.leastWay, way.length >= Self.leastWay {
        let cosine = (last.y * way.y + last.x * way.x) / (last.length * way.length)
        turns.append(acos(min(max(cosine, -1), 1)) * 180 / .pi)
      }
      last = way
    }
  }

  /// The true tracks of the first `sequences` sequences of a file; nil if it has no boxes with identities.
  package static func truth(of file: SequenceFile, sequences: Int) throws -> MotionSample? {
    guard file.hasBoxes, file.hasIds else { return nil }
    var sample = MotionSample()
    for sequence in 0..<min(sequences, file.sequenceCount) {
      let frames = try file.trueBoxes(of: sequence, frameCount: file.frameCount)
      for id in Set(frames.joined().map(\.id)) {
        sample.add(
          frames.map { boxes in
            boxes.first { $0.id == id }.map { Point(y: $0.y + $0.height / 2, x: $0.x + $0.width / 2) }
          })
      }
    }
    return sample
  }
}

/// Two samples of one quantity, compared.
package struct SampleComparison: Encodable {
  package struct Summary: Encodable {
    package let count: Int
    package let mean: Double
    /// Quantiles 0.05, 0.25, 0.5, 0.75, 0.95.
    package let quantiles: [Double]
  }

  static let levels = [0.05, 0.25, 0.5, 0.75, 0.95]

  package let imagined: Summary
  package let truth: Summary
  /// Wasserstein-1 distance of two distributions, in the unit of the quantity.
  package let wasserstein: Double

  /// Nil if a sample has no finite value; others do not count.
  package init?(imagined: [Double], truth: [Double]) {
    let (a, b) = (imagined.filter(\.isFinite).sorted(), truth.filter(\.isFinite).sorted())
    guard !a.isEmpty, !b.isEmpty else { return nil }
    self.imagined = Self.summary(a)
    self.truth = Self.summary(b)
    wasserstein = Self.wasserstein(a, b)
  }

  private static func summary(_ sorted: [Double]) -> Summary {
    Summary(
      count: sorted.count, mean: sorted.reduce(0, +) / Double(sorted.count),
      quantiles: levels.map { sorted[Int(($0 * Double(sorted.count - 1)).rounded())] })
  }

  /// The Wasserstein-1 distance of two sorted samples: the area between their distribution functions.
  package static func wasserstein(_ a: [Double], _ b: [Double]) -> Double {
    var area = 0.0
    var (i, j) = (0, 0)
    var last = min(a[0], b[0])
    while i < a.count || j < b.count {
      let next = min(i < a.count ? a[i] : .infinity, j < b.count ? b[j] : .infinity)
      area += abs(Double(i) / Double(a.count) - Double(j) / Double(b.count)) * (next - last)
      last = next
      // One of the two advances, whatever the values are.
      while i < a.count, !(a[i] > next) { i += 1 }
      while j < b.count, !(b[j] > next) { j += 1 }
    }
    return area
  }
}
