import Foundation

/// The cost of a message: a latency, and its bytes at a bandwidth.
package struct Network: Encodable, Sendable {
  /// Seconds.
  package var latency: Double
  /// Bytes per second that a rank can send while all other ranks send, too.
  package var bandwidth: Double

  package init(latency: Double, bandwidth: Double) {
    self.latency = latency
    self.bandwidth = bandwidth
  }

  /// Typical values for two ranks on one machine, rounded.
  package static let sharedMemory = Network(latency: 2e-6, bandwidth: 2.5e9)

  /// Consecutive messages of an update: each rank sends a slice of its gradient to every other rank, then its slice of
  /// the parameters, and scalars are summed by recursive doubling.
  ///
  /// - Parameter roots: gradients that a rank sends, from `ReductionTree.blocks`; one if microbatches and ranks are
  ///   powers of two.
  package static func messages(ranks: Int, roots: Int = 1) -> Double {
    ranks > 1 ? Double((roots + 1) * (ranks - 1)) + ceil(log2(Double(ranks))) : 0
  }

  /// Bytes that a rank sends in an update, as a multiple of the bytes of all parameters.
  package static func volume(ranks: Int, roots: Int = 1) -> Double {
    Double(roots + 1) * Double(ranks - 1) / Double(ranks)
  }

  /// Seconds of communication in an update.
  package func seconds(bytes: Int, ranks: Int, roots: Int = 1) -> Double {
    Self.messages(ranks: ranks, roots: roots) * latency
      + Self.volume(ranks: ranks, roots: roots) * Double(bytes) / bandwidth
  }

  /// Seconds of communication in an update of hosts whose ranks share memory, with the bandwidth of a host's link.
  ///
  /// A host sends the sum of its ranks' gradients once. Each rank exchanges its part with one rank of every other host,
  /// and scalars are summed over all ranks.
  ///
  /// - Parameter roots: gradients that a host sends.
  package func seconds(bytes: Int, hosts: Int, ranksPerHost: Int, roots: Int = 1) -> Double {
    guard hosts > 1 else { return 0 }
    let messages = Double((roots + 1) * (hosts - 1)) + ceil(log2(Double(hosts * ranksPerHost)))
    return messages * latency + Self.volume(ranks: hosts, roots: roots) * Double(bytes) / bandwidth
  }
}

/// Predicts the time of an update on any number of ranks from the time that one rank needs for its examples.
package struct ScalingModel: Encodable, Sendable {
  /// The cost of a number of examples on one rank.
  package struct LocalBatch: Encodable, Sendable {
    package let examples: Int
    /// Seconds in the model.
    package let seconds: Double
    /// Work of different batches of this size, in any unit: the number of objects differs.
    package let work: [Double]

    package init(examples: Int, seconds: Double, work: [Double]) {
      self.examples = examples
      self.seconds = seconds
      self.work = work
    }
  }

  /// The time of an update and its parts, in seconds.
  package struct Prediction: Encodable, Sendable {
    package let ranks: Int
    package let examplesPerRank: Int
    /// Model time for an average part of the batch.
    package let compute: Double
    /// Waiting for the rank with the most work.
    package let waiting: Double
    /// Adding gradients, and updating a slice of the parameters.
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
  /// Seconds for updating all parameters, which the ranks divide among themselves.
  package let optimizer: Double
  /// Seconds in which a rank adds the gradients that it received: as many bytes on any number of ranks.
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

  /// Model time for a number of examples, in seconds: interpolated between measurements, and proportional beyond them.
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

  /// The part of the model time that does not depend on the examples, from the line through the two smallest batches.
  package var fixedSeconds: Double {
    let (a, b) = (batches[0], batches[1])
    let slope = (b.seconds - a.seconds) / Double(b.examples - a.examples)
    return min(max(0, a.seconds - slope * Double(a.examples)), a.seconds)
  }

  /// An update of `ranks` ranks with `examples` examples each.
  ///
  /// - Parameter roots: gradients that a rank sends.
  package func predict(ranks: Int, examplesPerRank examples: Int, roots: Int = 1) -> Prediction {
    predict(
      ranks: ranks, examplesPerRank: examples, roots: roots,
      network: network.seconds(bytes: parameterBytes, ranks: ranks, roots: roots))
  }

  /// An update of `hosts` hosts with `ranksPerHost` ranks each, which share memory.
  package func predict(hosts: Int, ranksPerHost: Int, examplesPerRank examples: Int) -> Prediction {
    predict(
      ranks: hosts * ranksPerHost, examplesPerRank: examples, roots: 1,
      network: network.seconds(bytes: parameterBytes, hosts: hosts, ranksPerHost: ranksPerHost))
  }

  private func predict(ranks: Int, examplesPerRank examples: Int, roots: Int, network: Double) -> Prediction {
    let compute = computeSeconds(examples: examples)
    let work = (batches.last { $0.examples <= examples } ?? batches[0]).work
    let mean = work.reduce(0, +) / Double(work.count)
    let most = mean > 0 ? Self.expectedMaximum(of: work, draws: ranks) / mean : 1
    return Prediction(
      ranks: ranks, examplesPerRank: examples, compute: compute, waiting: (most - 1) * (compute - fixedSeconds),
      optimizer: Double(roots) * addition + optimizer / Double(ranks),
      network: network)
  }

  /// The expected maximum of a number of draws from a sample.
  package static func expectedMaximum(of sample: [Double], draws: Int) -> Double {
    let count = Double(sample.count)
    return sample.sorted().enumerated().reduce(0) { sum, entry in
      let upper = pow((Double(entry.offset) + 1) / count, Double(draws))
      let lower = pow(Double(entry.offset) / count, Double(draws))
      return sum + entry.element * (upper - lower)
    }
  }
}

/// Predictions for increasing numbers of ranks.
package struct ScalingTable: Encodable, Sendable {
  package struct Row: Encodable, Sendable {
    package let prediction: ScalingModel.Prediction
    /// Seconds on one rank divided by the seconds on these ranks, for the same batch.
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

  /// All ranks together compute one batch.
  package init(strong batch: Int, _ model: ScalingModel, ranks: [Int]) {
    let alone = model.predict(ranks: 1, examplesPerRank: batch).seconds
    title = "strong scaling: a batch of \(batch) over all ranks"
    rows = ranks.filter { $0 <= batch }.map { count in
      let prediction = model.predict(ranks: count, examplesPerRank: (batch + count - 1) / count)
      return Row(prediction, speedUp: alone / prediction.seconds)
    }
  }

  /// Hosts with this many ranks, which share memory, together compute one batch.
  package init(hostsOf ranksPerHost: Int, strong batch: Int, _ model: ScalingModel) {
    let alone = model.predict(ranks: 1, examplesPerRank: batch).seconds
    title = "strong scaling: a batch of \(batch) over hosts of \(ranksPerHost) ranks that share memory"
    rows = (0...6).map { 1 << $0 }.filter { $0 * ranksPerHost <= batch }.map { hosts in
      let count = hosts * ranksPerHost
      let prediction = model.predict(
        hosts: hosts, ranksPerHost: ranksPerHost, examplesPerRank: (batch + count - 1) / count)
      return Row(prediction, speedUp: alone / prediction.seconds)
    }
  }

  /// Every rank computes this many examples.
  package init(weak examples: Int, _ model: ScalingModel, ranks: [Int]) {
    let alone = model.predict(ranks: 1, examplesPerRank: examples).seconds
    title = "weak scaling: \(examples) examples per rank"
    rows = ranks.map { count in
      let prediction = model.predict(ranks: count, examplesPerRank: examples)
      return Row(prediction, speedUp: Double(count) * alone / prediction.seconds)
    }
  }

  /// The largest number of ranks with an efficiency of at least 0.5.
  package var efficientUpTo: Int { rows.last { $0.efficiency >= 0.5 }?.prediction.ranks ?? 1 }
  /// The number of ranks with the highest throughput.
  package var fastest: Int { rows.max { $0.speedUp < $1.speedUp }?.prediction.ranks ?? 1 }
}
