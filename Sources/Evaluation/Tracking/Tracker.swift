import Cluster
import Runs
import Storage
import Tracking

/// Measures tracking: the boxes of the particle with the largest weight against the true ones.
///
/// True boxes enclose the pixels of an object. An attention window has a margin around them, so that windows are
/// somewhat larger even for a good model; drawn boxes are comparable.
struct Tracker {
  let evaluator: Evaluator
  let boxes: ObjectBoxKind
  /// Smallest intersections over union of two boxes that are the same object, one per result.
  let minimumOverlaps: [Double]
  /// Folder for the tracks; nil writes none.
  let folder: TrackFolder?

  /// Tracks the objects in the first `sequences` sequences, all processes together.
  ///
  /// - Parameter progress: called with the number of sequences that this process has finished; an error stops the work.
  /// - Returns: the counts of all sequences for each of `minimumOverlaps`, on every process.
  func track(
    _ file: SequenceSet, sequences: Int, frameCount: Int, communicator: Communicator,
    progress: (Int) throws -> Void
  ) throws -> [TrackingCounts] {
    let width = TrackingCounts.Field.allCases.count * minimumOverlaps.count
    // The counts of each sequence, added at the end in their order, whichever process computed them.
    var values = [Double](repeating: 0, count: sequences * width)
    try communicator.collectively("tracking the objects of \(file.path)") {
      var done = 0
      try evaluator.explain(
        file, sequences: sequences, frameCount: frameCount, rank: communicator.rank, size: communicator.size
      ) { _, _, explanation, tape in
        let sequence = explanation.sequence
        let truth = try file.truthBoxes(of: sequence, frameCount: frameCount)
        let frames = explanation.frames.enumerated().map {
          truth.frame($0, found: evaluator.boxes(of: $1, boxes, on: tape))
        }
        try folder?.write(frames, of: sequence, height: file.height, width: file.width)
        let counts = minimumOverlaps.flatMap { SequenceTracking(frames, minimumOverlap: $0).counts.values }
        values.replaceSubrange(sequence * width..<(sequence + 1) * width, with: counts)
        done += 1
        try progress(done)
      }
    }
    try communicator.sum(&values)
    let size = TrackingCounts.Field.allCases.count
    return minimumOverlaps.indices.map { index in
      var total = TrackingCounts()
      for first in stride(from: index * size, to: values.count, by: width) {
        total += TrackingCounts(values: values[first..<first + size])
      }
      return total
    }
  }
}
