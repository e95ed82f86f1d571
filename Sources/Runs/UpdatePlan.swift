import Foundation

/// What one update is made with: the settings of a run with their schedules resolved.
///
/// A function of the settings and of the number of the update, the same for any number of processes.
package struct UpdatePlan: Equatable, Sendable {
  /// Updates finished before this one.
  package var step: Int
  /// Whether it belongs to the start phase.
  package var isStart: Bool
  /// Sequences, over all processes.
  package var batch: Int
  /// Particles per sequence.
  package var particles: Int
  /// Frames per sequence.
  package var frames: Int
  package var learningRate: Double
  /// Weight b of the ELBO in the objective.
  package var elboWeight: Double
  /// Whether the score of q's continuous densities is left out.
  package var dropsScoreTerms: Bool
  /// Weight of log p(z) - log q(z).
  package var klWeight: Double

  /// A limit on the gradient of an object from frame to frame in units of the loss; settings give it in units of
  /// d log w / d state.
  ///
  /// Log weights enter the loss with at most (1 - b) + b / P of an example, which is a B-th of the mean and divided by
  /// the number of frames. IWAE may give one particle all the weight, so a limit of a P-th would shorten every gradient
  /// that counts: with five particles at 100, runs then found objects slowly or not at all.
  package func norm(ofGradientLimit limit: Double) -> Float {
    let (b, particles) = (elboWeight, Double(particles))
    let terms = Double(batch * frames) * particles / ((1 - b) * particles + b)
    return Float(limit / terms)
  }
}

extension TrainingConfiguration {
  /// The plan of an update.
  ///
  /// Schedules of the main phase count from its beginning, and their fractions are of the updates that it has. The
  /// start phase has none: base rate, IWAE, its own particles and frames.
  ///
  /// - Parameter step: updates finished before it, from 0.
  package func plan(atStep step: Int) -> UpdatePlan {
    let isStart = step < start.steps
    let (own, length) = isStart ? (step, start.steps) : (step - start.steps, max(0, steps - start.steps))
    let weight = isStart ? 0 : objective.elboWeight(atStep: own, of: length)
    return UpdatePlan(
      step: step, isStart: isStart,
      batch: isStart ? batchSize : batchSchedule.value(from: batchSize, atStep: own, of: length),
      particles: isStart ? start.particles : particleSchedule.value(from: particles, atStep: own, of: length),
      frames: isStart ? start.frames : frames.frames(atStep: own),
      learningRate: isStart ? optimizer.learningRate : optimizer.learningRate(atStep: own, of: length),
      elboWeight: weight, dropsScoreTerms: objective.sticksTheLanding && weight == 1,
      klWeight: klWarmup.weight(atStep: step))
  }

  /// Frames of the longest sequences of the run.
  package var longestFrames: Int { max(frames.end, start.steps > 0 ? start.frames : 0) }

  /// The smallest and the largest numbers of frames and of particles of the run's updates: of the start phase, and of
  /// the main phase if the run reaches it.
  package var usedNumbers: (frames: ClosedRange<Int>, particles: ClosedRange<Int>) {
    let main = steps - start.steps
    var lengths = start.steps > 0 ? [start.frames] : []
    var counts = start.steps > 0 ? [start.particles] : []
    if main > 0 || lengths.isEmpty {
      lengths += [frames.start, frames.frames(atStep: max(0, main - 1))]
      counts += [particles] + particleSchedule.values
    }
    return (lengths.min()!...lengths.max()!, counts.min()!...counts.max()!)
  }

  /// Sequences of the smallest batch of the run.
  package var smallestBatch: Int { min(batchSize, batchSchedule.values.min() ?? batchSize) }
  /// Examples of the largest batch of the run.
  package var largestBatch: Int { max(batchSize, batchSchedule.values.max() ?? batchSize) }

  /// The microbatches that are asked for, or that the smallest batch suggests: half of its examples rounded down to a
  /// power of two, but at least 16. A batch with fewer examples has one for each.
  package var wantedMicrobatches: Int {
    guard microbatches == 0 else { return microbatches }
    var count = 16
    while count <= smallestBatch / 4 { count *= 2 }
    return count
  }

  /// Whether something in the run depends on how many updates it has in all.
  package var dependsOnLength: Bool {
    !optimizer.schedule.boundaries.isEmpty || optimizer.schedule.decay != .none || !objective.boundaries.isEmpty
      || !particleSchedule.boundaries.isEmpty || !batchSchedule.boundaries.isEmpty
  }
}
