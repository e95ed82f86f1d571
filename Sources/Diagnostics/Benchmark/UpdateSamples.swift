import Models
import Numerics

/// The measurements of one process.
struct UpdateSamples {
  /// By update: elapsed seconds, thread time in the model and in the optimizer, and the minimum number of operations.
  var seconds: [Double] = []
  var modelSeconds: [Double] = []
  var optimizerSeconds: [Double] = []
  var operations: [Double] = []
  /// Mean minimum number of operations of an update, by part.
  var operationsByPart = [Double](repeating: 0, count: ModelPart.allCases.count)
  /// Updates that ran one after another, without a product between them.
  var blocks: [Range<Int>] = []
  /// By block: seconds from the barrier before it to the barrier behind it, where all ranks have finished.
  var blockSeconds: [Double] = []
  /// Rates of this rank's reference products, before the first block and after each; none if it is idle.
  var rates: [ReferenceProduct.Rate] = []
  /// Seconds of these products, from one barrier to the next.
  var productSeconds: [Double] = []
  /// Objects per frame, mean over updates.
  var objects = 0.0
  var threadAllocations: Int64 = 0
  var processAllocations: Int64 = 0
  var peakMemory = 0
  /// Memory that the updates leave in use, shared pages divided among those that share them.
  var proportionalMemory = 0

  mutating func reserve(_ updates: Int) {
    seconds.reserveCapacity(updates)
    modelSeconds.reserveCapacity(updates)
    optimizerSeconds.reserveCapacity(updates)
    operations.reserveCapacity(updates)
    blocks.reserveCapacity(updates)
    blockSeconds.reserveCapacity(updates)
    rates.reserveCapacity(updates + 1)
    productSeconds.reserveCapacity(updates + 1)
  }

  /// Whether this rank computes no part of any update.
  var isIdle: Bool { rates.isEmpty }

  /// Operations per second of thread time during each block: the mean of the products before and after it; none if this
  /// rank is idle.
  var processorRates: [Double] { zip(rates, rates.dropFirst()).map { ($0.processor + $1.processor) / 2 } }

  /// Sums of a value of each update over the updates of each block.
  func blockSums(_ values: [Double]) -> [Double] { blocks.map { values[$0].reduce(0, +) } }
}
