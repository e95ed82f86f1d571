import Models
import Runs

extension Replica {
  /// Adds the metrics of an example. They are those of IWAE, whatever is maximized.
  ///
  /// - Parameters:
  ///   - rows: the particles of the example.
  ///   - example: its index in `batch`.
  ///   - isFinite: whether its loss is.
  ///   - microbatch: the one that it belongs to.
  ///   - position: of the example in the global batch.
  func addMetrics(
    ofRows rows: Range<Int>, example: Int, of batch: SequenceBatch, isFinite: Bool, to microbatch: Int,
    position: Int, in sums: inout MicrobatchSums
  ) {
    sums[microbatch, .examples] += 1
    if model.findsObjects { sums[microbatch, .explainedByObjects] += 1 }
    let isCounted = batch.hasCounts && model.findsObjects
    if !isFinite { sums[microbatch, .nonFinite] += 1 }
    let perFrame = 1 / Double(batch.frameCount)
    let importance = buffers.importanceWeights
    for weighting in 0..<buffers.weightings {
      let first = weighting * buffers.rows
      let own = first + rows.lowerBound..<first + rows.upperBound
      let logWeights = UnsafeBufferPointer(buffers.plainLogWeights.part(own))
      Objective.importanceWeights(logWeights, into: importance.part(own))
      var squares = 0.0
      for index in own { squares += importance[index] * importance[index] }
      sums[microbatch, .effectiveParticles] += 1 / squares / Double(buffers.weightings)
      sums[microbatch, .bound] += Objective.bound(logWeights) * perFrame
    }
    var objects = 0.0
    for row in rows {
      for t in frames.indices {
        let weight = importance[model.weighting(ofFrame: t) * buffers.rows + row]
        sums[microbatch, .reconstruction] += weight * Double(frames[t].logLikelihood[row, 0]) * perFrame
        sums[microbatch, .klEstimate] += weight * Double(frames[t].klEstimate(row)) * perFrame
        let found = weight * Double(frames[t].objectCount(row)) * perFrame
        sums[microbatch, .objects] += found
        objects += found
        sums[microbatch, .propagated] += weight * Double(frames[t].propagatedCount(row)) * perFrame
        sums[microbatch, .discovered] += weight * Double(frames[t].discoveredCount(row)) * perFrame
        guard isCounted else { continue }
        if frames[t].objectCount(row) == batch.count(example: example, frame: t) {
          sums[microbatch, .countedRight] += weight
        }
      }
    }
    sums[objectsOfExample: position] = objects
    guard isCounted else { return }
    sums[microbatch, .counted] += Double(batch.frameCount)
    for t in 0..<batch.frameCount {
      sums[microbatch, .trueObjects] += Double(batch.count(example: example, frame: t)) * perFrame
    }
  }

  /// Adds how many objects were propagated, and how many of their gradients were shortened.
  func addMetrics(of limits: ObjectGradientLimits, _ microbatches: [Int], to sums: inout MicrobatchSums) {
    for (index, microbatch) in microbatches.enumerated() {
      sums[microbatch, .propagatedUnderLimit] += Double(limits.propagatedCounts[index])
      sums[microbatch, .limitedWhat] += Double(limits.limited(.what)[index])
      sums[microbatch, .limitedWhere] += Double(limits.limited(.whereLogits)[index])
      sums[microbatch, .limitedTemporal] += Double(limits.limited(.temporal)[index])
      sums[microbatch, .limitedPrior] += Double(limits.limited(.prior)[index])
      sums[microbatch, .limitedPriorOutput] += Double(limits.limited(.priorOutput)[index])
      sums[microbatch, .limitedPlaceOutput] += Double(limits.limited(.placeOutput)[index])
      sums[microbatch, .limitedTemporalInput] += Double(limits.limited(.temporalInput)[index])
    }
  }
}
