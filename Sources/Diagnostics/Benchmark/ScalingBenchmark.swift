import Cluster
import Foundation
import Models
import Numerics
import Runs
import Training

/// Measurements on these ranks, and predictions for more of them.
struct ScalingBenchmark {
  let frames: Int
  let particles: Int
  let hidden: Int
  let source: String
  let ranks: Int
  let model: ScalingModel
  /// The origin of latency and bandwidth.
  let networkSource: String
  let tables: [ScalingTable]
  /// Updates that were timed on these ranks, with their predictions.
  let checks: [Check]

  struct Check: Encodable {
    let prediction: ScalingModel.Prediction
    let measuredSeconds: Double
    /// On rank 0: waiting, and communication with the additions between.
    let measuredWaiting: Double
    let measuredNetwork: Double
  }

  /// Sizes of local batches that are timed. Small ones are less efficient.
  private static let examples = [1, 2, 4, 8, 16, 32]
  /// Numbers of ranks to predict for.
  private static let predicted = (0...10).map { 1 << $0 }

  /// Measures model time per example, the optimizer and the network. Every process of the job calls this.
  ///
  /// - Parameters:
  ///   - latency: of the network to predict for, in seconds; nil takes the measured one.
  ///   - bandwidth: of the network to predict for, in bytes per second; nil takes the measured one.
  ///   - ranksPerHost: predicts for hosts of so many ranks, too, with the bandwidth as that of a host's link.
  init(_ context: BenchmarkContext, latency: Double?, bandwidth: Double?, ranksPerHost: Int?) throws {
    let communicator = context.communicator
    let configuration = context.workload.configuration
    let (batch, shares) = (configuration.training.batchSize, MicrobatchLayout(configuration.training).count)
    var workload = context.workload
    workload.frames = context.request.frames.first ?? 3
    let measured = try Self.examples.map { examples in
      let timedBatch = examples * communicator.size
      workload.configuration.training.batchSize = timedBatch
      // Microbatches of the same size as those of the whole batch.
      workload.configuration.training.microbatches = max(communicator.size, shares * timedBatch / batch)
      // Small batches are fast, and their work differs most from batch to batch.
      let updates = max(context.request.updates, min(64 / examples, 4 * context.request.updates))
      return try context.measure(workload, updates: updates)
    }
    // Seconds that were measured while the processors were slower are scaled down.
    let rate = Spread(measured.map(\.processorRate)).median
    let batches = measured.enumerated().map { index, measurement in
      ScalingModel.LocalBatch(
        examples: Self.examples[index], seconds: measurement.modelSeconds * measurement.processorRate / rate,
        work: measurement.ownOperations)
    }
    let parameters = configuration.model.make().parameters
    let addition = Self.timeAddition(parameters)
    var network = Network.sharedMemory
    var source = "typical of shared memory, because there is one rank; start under mpirun to measure it"
    if communicator.size > 1 {
      network = try Self.measureNetwork(parameters, addition: addition, communicator)
      source = "measured between these \(communicator.size) ranks"
    }
    if latency != nil || bandwidth != nil {
      network = Network(latency: latency ?? network.latency, bandwidth: bandwidth ?? network.bandwidth)
      source = latency != nil && bandwidth != nil ? "as given" : "one value as given, the other \(source)"
    }
    let model = ScalingModel(
      batches: batches,
      optimizer: Double(communicator.size)
        * Spread(measured.map { $0.optimizerSeconds * $0.processorRate / rate }).median,
      addition: addition, parameterBytes: 4 * parameters.count, network: network)
    self.model = model
    networkSource = source
    frames = workload.frames
    particles = configuration.training.particles
    hidden = configuration.model.constants.hidden
    self.source = context.source
    ranks = communicator.size
    let large = Self.predicted.last!
    tables =
      Set([batch, large]).sorted().map { ScalingTable(strong: $0, model, ranks: Self.predicted) }
      + [ScalingTable(weak: Self.examples.last!, model, ranks: Self.predicted)]
      + (ranksPerHost.map { count in
        Set([batch, large]).sorted().map { ScalingTable(hostsOf: count, strong: $0, model) }
      } ?? []).filter { !$0.rows.isEmpty }
    checks = measured.enumerated().map { index, measurement in
      let layout = MicrobatchLayout(measurement.training)
      let roots = (0..<communicator.size).map {
        ReductionTree.blocks(of: layout.microbatches(ofRank: $0, among: communicator.size)).count
      }
      return Check(
        prediction: model.predict(
          ranks: communicator.size, examplesPerRank: Self.examples[index], roots: roots.max() ?? 1),
        measuredSeconds: measurement.seconds.median * measurement.processorRate / rate,
        measuredWaiting: measurement.waitingSeconds, measuredNetwork: measurement.reductionSeconds)
    }
  }

  /// Seconds of the pass over the gradient in which a rank adds what it received and sums the squares of the result.
  private static func timeAddition(_ parameters: ParameterStore) -> Double {
    let half = parameters.count / 2
    let sum = TreeSum(joining: [0..<1, 1..<2])
    let addends = [parameters.gradients.baseAddress!, parameters.gradients.baseAddress! + half]
    var squares = [Double](repeating: 0, count: TreeSum.blocks(in: half))
    let seconds = (0..<10).map { _ in
      let begin = ReferenceProduct.processorSeconds
      squares.withUnsafeMutableBufferPointer { sum.sum(addends, count: half, squares: $0) }
      return ReferenceProduct.processorSeconds - begin
    }
    return Spread(seconds).median
  }

  /// Times the communication of an update: with one number for each pair of ranks, and with all parameters.
  private static func measureNetwork(
    _ parameters: ParameterStore, addition: Double, _ communicator: Communicator
  ) throws -> Network {
    let product = ReferenceProduct()
    func median(of runs: Int, afterWork: Bool, _ exchange: () throws -> Void) throws -> Double {
      let seconds = try (0..<runs).map { _ in
        // In a training, the network is idle while ranks compute.
        if afterWork { _ = product.measureRate() }
        try communicator.barrier()
        let begin = StageClock.now
        try exchange()
        return StageClock.now - begin
      }
      // The first runs set up connections.
      return try communicator.maximum(Spread(Array(seconds.dropFirst(runs / 5))).median)
    }
    let ranks = communicator.size
    let each = RankParts((0..<ranks).map { $0..<$0 + 1 })
    let numbers = UnsafeMutableBufferPointer<Float>.allocate(capacity: 2 * ranks)
    numbers.initialize(repeating: 0)
    defer { numbers.deallocate() }
    var scalar = 0.0
    let least = try median(of: 100, afterWork: false) {
      try communicator.allToAll(
        numbers, sending: each, into: UnsafeMutableBufferPointer(rebasing: numbers[ranks...]), receiving: each)
      scalar = try communicator.sum(scalar)
      try communicator.allGather(numbers, parts: each)
    }
    var settings = TrainingConfiguration()
    (settings.batchSize, settings.microbatches) = (ranks, ranks)
    let layout = MicrobatchLayout(settings)
    var sums = MicrobatchSums(layout)
    let reduction = GradientReduction(parameters, layout, communicator)
    let whole = try median(of: 15, afterWork: true) {
      _ = try reduction.reduceSlice(of: [parameters.gradients])
      _ = try reduction.reduceMetrics(&sums)
      try reduction.gatherParameters(parameters)
    }
    let bytes = Network.volume(ranks: ranks) * Double(4 * parameters.count)
    return Network(
      latency: least / Network.messages(ranks: ranks), bandwidth: bytes / max(whole - least - addition, 1e-9))
  }
}
