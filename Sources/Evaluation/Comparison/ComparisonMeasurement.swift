import Cluster
import Models
import Numerics
import Runs
import Storage
import Tracking

/// Measures models and baselines on all sequences of a file, all processes together.
struct ComparisonMeasurement {
  let file: SequenceSet
  let layout: ComparisonSums.Layout
  /// The boxes of a model's objects that are compared with the true ones.
  let boxes: ObjectBoxKind
  let communicator: Communicator

  /// Measures a model.
  ///
  /// - Parameter progress: called with the number of sequences that this process has finished; an error stops the work.
  /// - Returns: the sums of all sequences, on every process; their bits do not depend on the number of processes.
  func measure(_ evaluator: Evaluator, progress: (Int) throws -> Void) throws -> ComparisonSums {
    try collect { add in
      var done = 0
      try evaluator.explain(
        file, sequences: file.sequenceCount, frameCount: file.frameCount, rank: communicator.rank,
        size: communicator.size
      ) { _, _, explanation, tape in
        let sequence = explanation.sequence
        var sums = ComparisonSums(layout)
        let truth = try file.truthBoxes(of: sequence, frameCount: file.frameCount)
        sums.add(
          explanation.frames.enumerated().map { truth.frame($0, found: evaluator.boxes(of: $1, boxes, on: tape)) },
          objects: explanation.frames.map(\.boxes.count))
        if layout.hasOcclusion {
          let occlusion = try OcclusionTruth(file, sequence: sequence, frameCount: file.frameCount)
          let outputs = explanation.frames.map { frame in
            OcclusionMeasurement.FrameOutput(
              picture: frame.mean.array, boxes: evaluator.boxes(of: frame, boxes, on: tape),
              objects: evaluator.objectImages(of: frame, on: tape), identities: Set(frame.boxes.map(\.id)))
          }
          sums.occlusion = OcclusionMeasurement(truth: occlusion, minimumOverlap: layout.minimumOverlaps[0])
            .measure(outputs)
        }
        add(sequence, sums)
        done += 1
        try progress(done)
      }
    }
  }

  /// Measures a baseline.
  func measure(_ baseline: ComponentTracking, progress: (Int) throws -> Void) throws -> ComparisonSums {
    try collect { add in
      var done = 0
      var frames = [UInt8](repeating: 0, count: file.frameCount * file.height * file.width)
      for sequence in ownSequences {
        try file.readFrames(of: sequence, first: 0, count: file.frameCount, into: &frames)
        let truth = try file.truthBoxes(of: sequence, frameCount: file.frameCount)
        let found = baseline.tracks(frames, height: file.height, width: file.width)
        var sums = ComparisonSums(layout)
        sums.add(found.enumerated().map { truth.frame($0, found: $1) })
        add(sequence, sums)
        done += 1
        try progress(done)
      }
    }
  }

  /// The sequences of this process for a baseline.
  var ownSequences: Range<Int> {
    BlockPartition.range(of: file.sequenceCount, rank: communicator.rank, size: communicator.size)
  }

  /// Adds up what `body` measures: sequence by sequence in their order, whichever process measured them.
  private func collect(
    _ body: (_ add: (_ sequence: Int, ComparisonSums) -> Void) throws -> Void
  ) throws -> ComparisonSums {
    var sums = ComparisonSums(layout)
    var total = sums.values
    let width = total.count
    var values = [Double](repeating: 0, count: file.sequenceCount * width)
    try communicator.collectively("measuring \(file.path)") {
      try body { sequence, sums in
        values.replaceSubrange(sequence * width..<(sequence + 1) * width, with: sums.values)
      }
    }
    try communicator.sum(&values)
    for (index, value) in values.enumerated() { total[index % width] += value }
    sums.values = total
    return sums
  }
}
