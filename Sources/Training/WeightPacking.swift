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
  /// In shared memory, if ranks share the state: a part for each of them, with the numbers of `Place` and then the
  /// forms that it misses.
  private let shared: UnsafeMutableRawPointer?
  /// If all ranks are on one host: for each the first rank whose parameters are needed to pack the rows that its slice
  /// ends and does not begin; and the number of forms that this holds for.
  private var firstNeeded: [Int] = []
  private var knownForms = -1

  /// Numbers at the start of a rank's part.
  private enum Place: Int {
    /// How many forms the rank misses.
    case missing
    /// How many of the ranks that are needed for the rows across the beginning of its slice have updated theirs.
    case updated
  }

  private static let headerBytes = 64
  private static let bytesPerRank = 1 << 14

  private static var mostForms: Int { (bytesPerRank - headerBytes) / MemoryLayout<PackedWeights.Form>.stride }

  /// - Parameters:
  ///   - precision: of the products with the weights.
  ///   - reduction: the one that gathers parameters.
  init(
    _ parameters: ParameterStore, _ precision: Precision, _ state: StateMemory, _ reduction: GradientReduction,
    _ communicator: Communicator
  ) {
    self.state = state
    self.reduction = reduction
    let ranks = communicator.ranksOnHost
    (rank, self.ranks) = (communicator.rankOnHost, ranks)
    weights = PackedWeights(
      of: parameters.values, precision, in: state.vector(PackedWeights.room(forParameters: parameters.count)))
    shared =
      state.host.map { _ in
        UnsafeMutableRawPointer(state.vector(ranks * Self.bytesPerRank / MemoryLayout<Float>.stride).baseAddress!)
      }
  }

  /// Tells the other ranks which weights this one had to pack by itself; to be called before they meet.
  func announceMissing() {
    guard shared != nil else { return }
    let missing = Set(weights.missing).prefix(Self.mostForms)
    number(.missing, of: rank).pointee = Int64(missing.count)
    for (index, form) in missing.enumerated() { forms(of: rank)[index] = form }
  }

  /// Makes room for what any rank has missed; to be called when all have met after `announceMissing`.
  func keepMissing() {
    guard shared != nil else { return weights.keep(weights.missing) }
    var all: [PackedWeights.Form] = []
    for rank in 0..<ranks {
      for index in 0..<Int(number(.missing, of: rank).pointee) { all.append(forms(of: rank)[index]) }
    }
    weights.keep(all)
  }

  private func number(_ place: Place, of rank: Int) -> UnsafeMutablePointer<Int64> {
    (shared! + rank * Self.bytesPerRank).assumingMemoryBound(to: Int64.self) + place.rawValue
  }

  private func forms(of rank: Int) -> UnsafeMutablePointer<PackedWeights.Form> {
    (shared! + rank * Self.bytesPerRank + Self.headerBytes).assumingMemoryBound(to: PackedWeights.Form.self)
  }

  /// Packs what is complete when the parameters of a block of this rank's slice have their new values.
  func pack(_ block: Range<Int>) { weights.pack(endingIn: block, beginningIn: reduction.slice) }

  /// Packs the rest, and waits for the other ranks of the host. To be called when all parameters that this host
  /// receives from others, and those of this rank's slice, have their new values.
  func complete() throws {
    if reduction.isOnOneHost {
      packAcrossSlices()
    } else {
      packBeginning(of: reduction.slice)
      for received in reduction.receivedSlices { weights.pack(endingIn: received, beginningIn: 0..<Int.max) }
    }
    try state.synchronize()
  }

  /// Packs the rows that end in a slice and begin before it.
  private func packBeginning(of slice: Range<Int>) { weights.pack(endingIn: slice, beginningIn: 0..<slice.lowerBound) }

  /// Rows across the beginning of a slice are packed by the last of the ranks that have updated parts of them, so that
  /// no rank waits for another.
  private func packAcrossSlices() {
    let slices = reduction.allSlices
    if knownForms != weights.formCount {
      knownForms = weights.formCount
      firstNeeded = slices.indices.map { rank in
        let begin = weights.begin(ofGroupsEndingIn: slices[rank])
        return slices[..<rank].firstIndex { $0.contains(begin) } ?? rank
      }
    }
    for other in rank..<ranks where firstNeeded[other] <= rank && firstNeeded[other] < other {
      let updated = number(.updated, of: other)
      guard HostMemory.addOne(to: updated) == other - firstNeeded[other] else { continue }
      updated.pointee = 0
      packBeginning(of: slices[other])
    }
  }
}
