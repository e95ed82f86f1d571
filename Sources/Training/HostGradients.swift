import Cluster
import Models
import Numerics
import Runs

/// The partial gradients of the microbatches of a host, which its ranks compute together.
///
/// Each rank runs its own microbatches forward and backward on a tape in shared memory. When all are done, they divide
/// the weights among themselves: each takes the next one that none has taken, and computes its gradient from the rows
/// of all ranks. So the gradient is written once on a host and needs no addition, and a rank that is done early does
/// more.
final class HostGradients {
  /// Where the tape of this rank is kept.
  let tapeMemory = TapeMemory()
  /// One for each block of the reduction tree within the microbatches of the host.
  let partialGradients: [UnsafeMutableBufferPointer<Float>]
  private let communicator: Communicator
  private let state: StateMemory
  private let host: HostMemory
  /// Of all ranks of the host.
  private var tapes: HostMemory?
  private var bytesPerTape = 0
  /// One for each rank of the host, in shared memory.
  private let announcements: UnsafeMutablePointer<Announcement>
  private let shares: MicrobatchShares
  private var recordings: [JointWeightGradients.Recording] = []
  private let joint: JointWeightGradients
  /// Why activations are not shared any more; nil as long as they are.
  private(set) var refusal: String?

  /// What a rank tells the others of its host.
  private struct Announcement: BitwiseCopyable {
    /// Nil if it has recorded nothing, because it is idle or was asked to stop.
    let uses: RecordedUses?
    /// What it was asked for; see `StopReason`.
    let stopRequest: Int64
    /// Where it has the memory of all tapes.
    let tapes: UInt
    /// Whether its tape has not found room there, and how much it needs.
    let isExceeded: Bool
    let neededBytes: Int
  }

  init(
    _ parameters: ParameterStore, _ precision: Precision, _ shares: MicrobatchShares, _ state: StateMemory,
    _ host: HostMemory, _ communicator: Communicator
  ) {
    self.shares = shares
    self.state = state
    self.host = host
    self.communicator = communicator
    let own = communicator.hosts!.first { $0.contains(communicator.rank) }!
    partialGradients = ReductionTree.blocks(of: shares.ofRanks(own)).map { _ in
      state.vector(parameters.count)
    }
    let floats = own.count * MemoryLayout<Announcement>.stride / MemoryLayout<Float>.stride
    announcements = UnsafeMutableRawPointer(state.vector(floats).baseAddress!)
      .bindMemory(to: Announcement.self, capacity: own.count)
    joint = JointWeightGradients(parameters, precision)
    recordings.reserveCapacity(own.count)
  }

  /// Whether every rank can compute its part of a batch in one recording.
  func canCompute(_ layout: MicrobatchLayout) -> Bool {
    refusal == nil && shares.largest(layout) <= Replica.pieceSize
  }

  /// Takes the recordings of all ranks of the host. Every rank of the job calls this.
  ///
  /// - Parameters:
  ///   - uses: what this rank has recorded; nil if it is idle or was asked to stop.
  ///   - stopRequest: what it was asked for; see `StopReason`.
  /// - Returns: whether all are in shared memory. If not, there is more of it now, or `refusal` says why not: record
  ///   again.
  /// - Throws: `StopReason` on all ranks if any was asked to stop.
  func join(_ uses: RecordedUses?, on tape: Tape, stopRequest: Int64) throws -> Bool {
    announcements[communicator.rankOnHost] = Announcement(
      uses: uses, stopRequest: stopRequest, tapes: tapes.map { UInt(bitPattern: $0.bytes.baseAddress!) } ?? 0,
      isExceeded: uses != nil && !tape.isInGivenMemory, neededBytes: tape.neededBytes)
    try host.synchronize()
    let all = UnsafeBufferPointer(start: announcements, count: communicator.ranksOnHost)
    var largestRequest = all.reduce(0) { max($0, $1.stopRequest) }
    // 0 if everything is there.
    var needed = all.contains(where: \.isExceeded) ? all.reduce(0) { max($0, $1.neededBytes) } : 0
    if communicator.size > communicator.ranksOnHost {
      try withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2) { both in
        (both[0], both[1]) = (largestRequest, Int64(needed))
        try communicator.maximum(both)
        (largestRequest, needed) = (both[0], Int(both[1]))
      }
    }
    if let reason = StopReason(largestRequest: largestRequest) { throw reason }
    guard needed == 0, let tapes else {
      try enlarge(to: needed, tape)
      return false
    }
    recordings.removeAll(keepingCapacity: true)
    let own = UInt(bitPattern: tapes.bytes.baseAddress!)
    for announcement in all {
      guard let uses = announcement.uses else { continue }
      recordings.append(
        JointWeightGradients.Recording(uses, displacement: Int(bitPattern: own &- announcement.tapes)))
    }
    joint.join(recordings)
    return true
  }

  /// Computes `partialGradients`, this rank's share of them. Every rank of the host calls this after `join`, and then
  /// `finish`.
  func compute(_ profile: Profile?) throws {
    if !joint.coversAll {
      for gradient in partialGradients {
        UnsafeMutableBufferPointer(rebasing: gradient[state.part(of: gradient.count)]).update(repeating: 0)
      }
      try host.synchronize()
    }
    // Those that are idle have no processor.
    guard !shares[communicator.rank].isEmpty else { return }
    var task = host.nextNumber()
    while task < joint.taskCount {
      joint.compute(task, into: partialGradients, profile)
      task = host.nextNumber()
    }
  }

  /// Waits until `partialGradients` are complete.
  func finish() throws {
    try host.synchronize()
    if communicator.rankOnHost == 0 { host.restartCounter() }
  }

  /// Gives the tapes of all ranks more memory.
  private func enlarge(to needed: Int, _ tape: Tape) throws {
    bytesPerTape = max(needed, bytesPerTape)
    tapeMemory.use(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    tape.returnMemory()
    try tapes?.release()
    // An idle rank needs no tape.
    let own = communicator.hosts!.first { $0.contains(communicator.rank) }!
    func tapeCount(_ ranks: Range<Int>) -> Int { ranks.count { !shares[$0].isEmpty } }
    let bytes = bytesPerTape * communicator.hosts!.map(tapeCount).max()!
    tapes = try HostMemory.allocate(bytes: bytes, communicator)
    guard let tapes else {
      refusal =
        "a host has less than \(bytes >> 20) MB free in /dev/shm or under `ulimit -f`, so activations are not shared "
        + "and gradients are exchanged by messages, which is slower"
      return
    }
    if shares[communicator.rank].isEmpty { return }
    let start = bytesPerTape * tapeCount(own.lowerBound..<communicator.rank)
    tapeMemory.use(UnsafeMutableRawBufferPointer(rebasing: tapes.bytes[start..<start + bytesPerTape]))
    tape.returnMemory()
  }

  /// Gives the memory of the tapes back. Every rank calls this; nothing can be computed any more.
  func release() throws { try tapes?.release() }
}
