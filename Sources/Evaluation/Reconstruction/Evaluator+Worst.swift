import Runs
import Storage

extension Evaluator {
  /// The sequences of a file with the most frames whose objects the most important particle counts wrong; among equals
  /// those with the larger difference of counts, then the earlier ones.
  ///
  /// - Parameter progress: called with the number of sequences done; an error stops the work.
  /// - Throws: `RunError` where the file has no counts, or the model no objects.
  func worstCounted(_ file: SequenceSet, limit: Int, progress: (Int) throws -> Void) throws -> [Int] {
    guard file.hasCounts else {
      throw RunError("\(file.path): it has no /counts to tell which are worst. Give numbers with --select.")
    }
    guard model.findsObjects else {
      throw RunError("the model has no objects to count. Give numbers with --select.")
    }
    let hasBoxes = file.hasTracks
    var results: [(sequence: Int, wrongFrames: Int, difference: Int)] = []
    try explain(
      file, sequences: file.sequenceCount, frameCount: file.frameCount, rank: 0, size: 1
    ) { data, example, explanation, _ in
      let truth = hasBoxes ? try file.truthBoxes(of: explanation.sequence, frameCount: file.frameCount) : nil
      var (wrongFrames, difference) = (0, 0)
      for (index, frame) in explanation.frames.enumerated() {
        let count = truth.map { $0.frame(index, found: frame.boxes).foundCount() } ?? frame.boxes.count
        let error = abs(count - data.count(example: example, frame: index))
        wrongFrames += min(error, 1)
        difference += error
      }
      results.append((explanation.sequence, wrongFrames, difference))
      try progress(results.count)
    }
    let order = results.sorted { one, other in
      (-one.wrongFrames, -one.difference, one.sequence) < (-other.wrongFrames, -other.difference, other.sequence)
    }
    return order.prefix(limit).map(\.sequence)
  }
}
