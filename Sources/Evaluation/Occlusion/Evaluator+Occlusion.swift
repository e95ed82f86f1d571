import Cluster
import Models
import Numerics
import Runs
import Storage
import Tracking

extension Evaluator {
  /// Measures the model on all sequences of a file with occluded objects, all processes together.
  ///
  /// - Parameter progress: called with the number of sequences that this process has finished; an error stops the work.
  /// - Returns: the sums of all sequences, on every process; their bits do not depend on the number of processes.
  func measureOcclusion(
    _ file: SequenceFile, minimumOverlap: Double, communicator: Communicator, progress: (Int) throws -> Void
  ) throws -> OcclusionSums {
    let width = OcclusionSums().values.count
    var values = [Double](repeating: 0, count: file.sequenceCount * width)
    try communicator.collectively("measuring \(file.path)") {
      var done = 0
      try explain(
        file, sequences: file.sequenceCount, frameCount: file.frameCount, rank: communicator.rank,
        size: communicator.size
      ) { _, _, explanation, tape in
        let truth = try OcclusionTruth(file, sequence: explanation.sequence, frameCount: file.frameCount)
        let outputs = explanation.frames.map { frame in
          OcclusionMeasurement.FrameOutput(
            picture: frame.mean.array, boxes: frame.boxes, objects: objectImages(of: frame, on: tape))
        }
        let sums = OcclusionMeasurement(truth: truth, minimumOverlap: minimumOverlap).measure(outputs)
        let start = explanation.sequence * width
        values.replaceSubrange(start..<start + width, with: sums.values)
        done += 1
        try progress(done)
      }
    }
    try communicator.sum(&values)
    var total = OcclusionSums()
    for (index, value) in values.enumerated() { total.values[index % width] += value }
    return total
  }
}
