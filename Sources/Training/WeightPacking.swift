import Cluster
import Numerics
import Runs

/// Keeps the weights of a training packed, once for all ranks that share the state.
final class WeightPacking {
  let weights: PackedWeights
  private let state: StateMemory
  private let reduction: GradientReduction
  private let ranks: Int
  private let rank: Int
  /// For each rank that shares the state, in shared memory: how many forms it misses, and these.
  private let announcements: UnsafeMutableRawPointer?
  private static let bytesPerRank = 1 << 14

  private static var mostForms: Int { (bytesPerRank - 64) / MemoryLayout<PackedWeights.Form>.stride }

  /// - Parameter reduction: the one that gathers parameters.
  init(_ parameters: ParameterStore, _ state: StateMemory, _ reduction: GradientReduction, _ communicator: Communicator)
  {
    self.state = state
    self.reduction = reduction
    let ranks = communicator.ranksOnHost
    (rank, self.ranks) = (communicator.rankOnHost, ranks)
    weights = PackedWeights(
      of: parameters.values, in: state.vector(PackedWeights.room(forParameters: parameters.count)))
    announcements =
      state.host.map { _ in
        UnsafeMutableRawPointer(state.vector(ranks * Self.bytesPerRank / MemoryLayout<Float>.stride).baseAddress!)
      }
  }

  /// Tells the other ranks which weights this one had to pack by itself; to be called before they meet.
  func announceMissing() {
    guard let own = announcements.map({ $0 + rank * Self.bytesPerRank }) else { return }
    let missing = Set(weights.missing).prefix(Self.mostForms)
    own.storeBytes(of: missing.count, as: Int.self)
    for (index, form) in missing.enumerated() { forms(of: rank)[index] = form }
  }

  /// Makes room for what any rank has missed; to be called when all have met after `announceMissing`.
  func keepMissing() {
    guard let announcements else { return weights.keep(weights.missing) }
    var all: [PackedWeights.Form] = []
    for rank in 0..<ranks {
      let count = (announcements + rank * Self.bytesPerRank).load(as: Int.self)
      for index in 0..<count { all.append(forms(of: rank)[index]) }
    }
    weights.keep(all)
  }

  private func forms(of rank: Int) -> UnsafeMutablePointer<PackedWeights.Form> {
    (announcements! + rank * Self.bytesPerRank + 64).assumingMemoryBound(to: PackedWeights.Form.self)
  }

  /// Packs what is complete when the parameters of a block of this rank's slice have their new values.
  func pack(_ block: Range<Int>) { weights.pack(endingIn: block, beginningIn: reduction.slice) }

  /// Packs the rest of this rank's part, when all parameters have their new values, and waits for the others.
  func complete() throws {
    let slice = reduction.slice
    weights.pack(endingIn: slice, beginningIn: 0..<slice.lowerBound)
    for received in reduction.receivedSlices { weights.pack(endingIn: received, beginningIn: 0..<Int.max) }
    try state.synchronize()
  }
}
