import Cluster

/// Chooses which microbatches each rank of a host takes in an update, so that all have about as much to compute.
///
/// An update takes as long as its slowest rank, and what a sequence costs depends on how many objects it shows. Each
/// rank takes as many microbatches as it would anyway, and which they are is chosen so that all have about as many
/// objects. The ranks of a host that compute gradients together may take any microbatches of the host; sums are taken in
/// the order of the microbatches, so results do not depend on who takes which. All ranks must choose alike: the choice
/// depends on numbers that all of them have.
package struct MicrobatchBalance: Sendable {
  private let settings: TrainingConfiguration
  private let shares: MicrobatchShares
  /// The ranks of this rank's host.
  private let host: Range<Int>
  private let rank: Int
  private let mostExamples: Int
  private let order: BatchPlan
  private var expected: ExpectedObjects

  /// - Parameters:
  ///   - shares: the microbatches that ranks take unless others are better; the host's are those of all its ranks.
  ///   - hosts: the ranks of each host.
  ///   - mostExamples: examples that a rank can compute together.
  ///   - sequences: of the training set.
  package init(
    _ settings: TrainingConfiguration, _ shares: MicrobatchShares, hosts: [Range<Int>], rank: Int, mostExamples: Int,
    sequences: Int
  ) {
    self.settings = settings
    self.shares = shares
    self.rank = rank
    self.mostExamples = mostExamples
    host = hosts.first { $0.contains(rank) }!
    order = BatchPlan(seed: settings.seed, sequences: sequences)
    expected = ExpectedObjects(sequences: sequences)
  }

  /// Records what the model found in an update.
  ///
  /// - Parameters:
  ///   - plan: of the update.
  ///   - objects: per frame, of each example of the batch.
  package mutating func record(_ plan: UpdatePlan, objects: (_ position: Int) -> Double) {
    for position in 0..<plan.batch {
      expected[order.sequence(step: plan.step, position: position)] = objects(position)
    }
  }

  /// The microbatches of this rank in the update after `step` others, ascending; none if it is idle.
  package func microbatches(atStep step: Int) -> [Int] {
    let layout = MicrobatchLayout(settings, batch: settings.plan(atStep: step).batch)
    // Then each rank computes by itself.
    guard shares.largest(layout) <= mostExamples else { return Array(shares[rank]) }
    let all = shares.ofRanks(host)
    let known = all.flatMap { layout.examples(ofMicrobatch: $0) }.compactMap { position in
      expected[order.sequence(step: step, position: position)]
    }
    // A sequence that was not seen yet counts as an average one.
    let average = known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
    let objects = all.map { microbatch in
      layout.examples(ofMicrobatch: microbatch).reduce(0.0) { sum, position in
        sum + (expected[order.sequence(step: step, position: position)] ?? average)
      }
    }
    return Self.divide(
      all, objects: objects, examples: all.map { layout.examples(ofMicrobatch: $0).count },
      shares: host.map { shares[$0] }, mostExamples: mostExamples)[rank - host.lowerBound]
  }

  /// Divides microbatches: those with most objects first, each to the rank that has fewest until then.
  ///
  /// - Parameters:
  ///   - microbatches: those of a host.
  ///   - objects: that are expected in each.
  ///   - examples: of each.
  ///   - shares: those that each rank of the host takes by default. It takes as many, and the default stays unless the
  ///     largest number of objects of a rank becomes smaller.
  /// - Returns: those of each rank of the host, ascending.
  static func divide(
    _ microbatches: Range<Int>, objects: [Double], examples: [Int], shares: [Range<Int>], mostExamples: Int
  ) -> [[Int]] {
    let first = microbatches.lowerBound
    let contiguous = shares.map(Array.init)
    let ranks = shares.indices.filter { !shares[$0].isEmpty }
    guard ranks.count > 1 else { return contiguous }
    var divided = shares.map { _ in [Int]() }
    func sum(_ values: [Double], _ own: [Int]) -> Double { own.reduce(0) { $0 + values[$1 - first] } }
    for microbatch in microbatches.sorted(by: { (objects[$1 - first], $0) < (objects[$0 - first], $1) }) {
      let rank = ranks.filter { divided[$0].count < shares[$0].count }
        .min { (sum(objects, divided[$0]), $0) < (sum(objects, divided[$1]), $1) }!
      divided[rank].append(microbatch)
    }
    func largest(_ division: [[Int]]) -> Double { division.map { sum(objects, $0) }.max()! }
    let fits = divided.allSatisfy { sum(examples.map(Double.init), $0) <= Double(mostExamples) }
    return fits && largest(divided) < largest(contiguous) * (1 - 1e-9) ? divided.map { $0.sorted() } : contiguous
  }
}
