import Tracking

/// Sums over sequences, from which the measures of one column of a comparison follow.
struct ComparisonSums {
  /// What is measured.
  struct Layout {
    /// Whether the file tells what is occluded.
    let hasOcclusion: Bool
    let frames: Int
    let frameHeight: Int
    /// Smallest intersections over union of two boxes that are the same object; tracking is measured for each, and
    /// occlusion for the first.
    let minimumOverlaps: [Double]
  }

  let layout: Layout
  var occlusion = OcclusionSums()
  /// Objects that were found in each frame.
  var counts: CountSums
  /// One for each overlap.
  private(set) var tracking: [TrackingCounts]

  init(_ layout: Layout) {
    self.layout = layout
    counts = CountSums(slots: CountSums.largestCount, frames: layout.frames)
    tracking = Array(repeating: TrackingCounts(), count: layout.minimumOverlaps.count)
  }

  /// Adds the frames of a sequence.
  ///
  /// - Parameter objects: the number of found objects of each frame; nil if all have boxes.
  mutating func add(_ frames: [TrackingFrame], objects: [Int]? = nil) {
    for (index, frame) in frames.enumerated() {
      let withoutBox = objects.map { $0[index] - frame.found.count } ?? 0
      let count = frame.foundCount() + withoutBox
      counts.add(count: count, truth: frame.truth.count)
      counts.classify(
        isCorrect: count == frame.truth.count, frame: index, boxes: frame.truth, frameHeight: layout.frameHeight)
    }
    for (index, overlap) in layout.minimumOverlaps.enumerated() {
      tracking[index] += SequenceTracking(frames, minimumOverlap: overlap).counts
    }
  }

  /// All sums in one array, so that processes can add them with one operation.
  var values: [Double] {
    get { occlusion.values + counts.values + tracking.flatMap(\.values) }
    set {
      var rest = newValue[...]
      func take(_ count: Int) -> [Double] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      }
      occlusion.values = take(occlusion.values.count)
      counts.values = take(counts.values.count)
      tracking = tracking.map { TrackingCounts(values: take($0.values.count)) }
    }
  }
}
