import Evaluation
import Foundation
import Runs
import Training

/// The cost of a message: a fixed time, and its bytes at a fixed rate.
package struct Network: Encodable, Sendable {
  /// Seconds.
  package var latency: Double
  /// Bytes a second that a rank can send while all others do.
  package var bandwidth: Double

  package init(latency: Double, bandwidth: Double) {
    self.latency = latency
    self.bandwidth = bandwidth
  }

  /// What two ranks on one machine were seen to do, in round numbers.
  package static let sharedMemory = Network(latency: 2e-6, bandwidth: 2.5e9)

  /// Messages of an update that follow one another: each rank sends a slice of its gradient to every other, then its
  /// slice of the parameters goes around, and figures are summed by doubling.
  ///
  /// - Parameter roots: gradients that a rank sends, from `ReductionTree.blocks`; one if microbatches and ranks are powers of two.
  package static func messages(ranks: Int, roots: Int = 1) -> Double {
    ranks > 1 ? Double((roots + 1) * (ranks - 1)) + ceil(log2(Double(ranks))) : 0
  }

  /// How many times the bytes of all parameters pass through a rank's link in an update.
  package static func volume(ranks: Int, roots: Int = 1) -> Double {
    Double(roots + 1) * Double(ranks - 1) / Double(ranks)
  }

  /// Seconds of an update for which ranks do nothing but send and receive.
  package func seconds(bytes: Int, ranks: Int, roots: Int = 1) -> Double {
    Self.messages(ranks: ranks, roots: roots) * latency
      + Self.volume(ranks: ranks, roots: roots) * Double(bytes) / bandwidth
  }
}

/// Predicts the time of an update on any number of ranks from what one of them needs for its examples.
package struct ScalingModel: Encodable, Sendable {
  /// What a rank needs for a number of examples.
  package struct LocalBatch: Encodable, Sendable {
    package let examples: Int
    /// Seconds in the model.
    package let seconds: Double
    /// Work of different batches of this size, in any unit: some have more objects than others.
    package let work: [Double]

    package init(examples: Int, seconds: Double, work: [Double]) {
      self.examples = examples
      self.seconds = seconds
      self.work = work
    }
  }

  /// The time of an update on some ranks and where it goes, in seconds.
  package struct Prediction: Encodable, Sendable {
    package let ranks: Int
    package let examplesPerRank: Int
    /// An average part of the batch.
    package let compute: Double
    /// For the rank that has the most work.
    package let waiting: Double
    /// Adding up gradients, and updating a slice of the parameters.
    package let optimizer: Double
    package let network: Double
    package let seconds: Double

    init(ranks: Int, examplesPerRank: Int, compute: Double, waiting: Double, optimizer: Double, network: Double) {
      self.ranks = ranks
      self.examplesPerRank = examplesPerRank
      self.compute = compute
      self.waiting = waiting
      self.optimizer = optimizer
      self.network = network
      seconds = compute + waiting + optimizer + network
    }
  }

  /// Ascending by examples; the first has one.
  package let batches: [LocalBatch]
  /// Seconds of an update of all parameters, which the ranks divide among them.
  package let optimizer: Double
  /// Seconds in which a rank adds up what it has received: as many bytes on any number of ranks.
  package let addition: Double
  package let parameterBytes: Int
  package let network: Network

  package init(
    batches: [LocalBatch], optimizer: Double, addition: Double, parameterBytes: Int, network: Network
  ) {
    precondition(batches.count >= 2 && batches[0].examples == 1, "the smallest local batch must have one example")
    self.batches = batches
    self.optimizer = optimizer
    self.addition = addition
    self.parameterBytes = parameterBytes
    self.network = network
  }

  /// Seconds in the model for some examples: on the lines between what was measured, and in proportion beyond.
  package func computeSeconds(examples: Int) -> Double {
    guard let after = batches.firstIndex(where: { $0.examples >= examples }) else {
      let last = batches.last!
      return last.seconds * Double(examples) / Double(last.examples)
    }
    guard after > 0 else { return batches[0].seconds }
    let (a, b) = (batches[after - 1], batches[after])
    let fraction = Double(examples - a.examples) / Double(b.examples - a.examples)
    return a.seconds + fraction * (b.seconds - a.seconds)
  }

  /// Seconds in the model that do not depend on the examples, by the line through the two smallest batches.
  package var fixedSeconds: Double {
    let (a, b) = (batches[0], batches[1])
    let slope = (b.seconds - a.seconds) / Double(b.examples - a.examples)
    return min(max(0, a.seconds - slope * Double(a.examples)), a.seconds)
  }

  /// An update of `ranks` ranks with `examples` examples each.
  ///
  /// - Parameter roots: gradients that a rank sends.
  package func predict(ranks: Int, examplesPerRank examples: Int, roots: Int = 1) -> Prediction {
    let compute = computeSeconds(examples: examples)
    let work = (batches.last { $0.examples <= examples } ?? batches[0]).work
    let mean = work.reduce(0, +) / Double(work.count)
    let most = mean > 0 ? Self.expectedMaximum(of: work, draws: ranks) / mean : 1
    return Prediction(
      ranks: ranks, examplesPerRank: examples, compute: compute, waiting: (most - 1) * (compute - fixedSeconds),
      optimizer: Double(roots) * addition + optimizer / Double(ranks),
      network: network.seconds(bytes: parameterBytes, ranks: ranks, roots: roots))
  }

  /// The largest of some draws from a sample, on average.
  package static func expectedMaximum(of sample: [Double], draws: Int) -> Double {
    let count = Double(sample.count)
    return sample.sorted().enumerated().reduce(0) { sum, entry in
      let upper = pow((Double(entry.offset) + 1) / count, Double(draws))
      let lower = pow(Double(entry.offset) / count, Double(draws))
      return sum + entry.element * (upper - lower)
    }
  }
}

/// Predictions for growing numbers of ranks.
package struct ScalingTable: Encodable, Sendable {
  package struct Row: Encodable, Sendable {
    package let prediction: ScalingModel.Prediction
    /// Seconds of one rank for the same batch over the seconds of these.
    package let speedUp: Double
    package let efficiency: Double

    init(_ prediction: ScalingModel.Prediction, speedUp: Double) {
      self.prediction = prediction
      self.speedUp = speedUp
      efficiency = speedUp / Double(prediction.ranks)
    }
  }

  package let title: String
  package let rows: [Row]

  /// More ranks share one batch.
  package init(strong batch: Int, _ model: ScalingModel, ranks: [Int]) {
    let alone = model.predict(ranks: 1, examplesPerRank: batch).seconds
    title = "strong scaling: a batch of \(batch) over all ranks"
    rows = ranks.filter { $0 <= batch }.map { count in
      let prediction = model.predict(ranks: count, examplesPerRank: (batch + count - 1) / count)
      return Row(prediction, speedUp: alone / prediction.seconds)
    }
  }

  /// Every rank brings its own examples.
  package init(weak examples: Int, _ model: ScalingModel, ranks: [Int]) {
    let alone = model.predict(ranks: 1, examplesPerRank: examples).seconds
    title = "weak scaling: \(examples) examples per rank"
    rows = ranks.map { count in
      let prediction = model.predict(ranks: count, examplesPerRank: examples)
      return Row(prediction, speedUp: Double(count) * alone / prediction.seconds)
    }
  }

  /// The most ranks that do at least half of the work they could; beyond, half of the machine would do as well.
  package var paysUpTo: Int { rows.last { $0.efficiency >= 0.5 }?.prediction.ranks ?? 1 }
  /// The ranks with the most examples a second.
  package var fastest: Int { rows.max { $0.speedUp < $1.speedUp }?.prediction.ranks ?? 1 }
}
