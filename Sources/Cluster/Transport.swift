/// The operations that a communicator is built on: one implementation uses MPI, another connects threads of one
/// process.
///
/// Each call but `exchangeHeartbeats`, `finish` and `abort` is collective: all ranks make it in the same order with
/// counts that agree.
protocol Transport: Sendable {
  /// Replaces each of `count` values by its sum, maximum or minimum over the ranks.
  func reduce(
    _ values: UnsafeMutableRawPointer, count: Int, element: ReducibleElement, operation: ReductionOperation) throws

  /// Copies rank 0's bytes to every rank.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws

  /// Every rank's number on every rank: `all` has room for one number a rank.
  func allGather(_ number: Int64, into all: UnsafeMutableBufferPointer<Int64>) throws

  /// Joins the bytes of all ranks, in rank order, in `all` on rank 0; the others pass an empty buffer.
  ///
  /// - Parameter counts: bytes of every rank, the same on all ranks.
  func gather(_ bytes: UnsafeRawBufferPointer, counts: [Int64], into all: UnsafeMutableRawBufferPointer) throws

  /// Sends each rank its part of `values` and receives one from each.
  func allToAll(
    _ values: UnsafeMutablePointer<Float>?, sending: RankParts, into received: UnsafeMutablePointer<Float>?,
    receiving: RankParts) throws

  /// Copies each rank's part of `values` to the same place on all ranks.
  func allGather(_ values: UnsafeMutablePointer<Float>?, parts: RankParts) throws

  /// Waits until every rank has come.
  func barrier() throws

  /// Memory of zeros, aligned to a page, that all ranks of this host see; nil on all of them where the host does not
  /// allow it. The ranks of a host call this together.
  func share(bytes: Int) throws -> SharedBlock?

  /// Gives shared memory back. The ranks of a host call this together.
  func endSharing(_ block: SharedBlock) throws

  /// Waits until all ranks of this host have come.
  ///
  /// - Parameter barrier: in shared memory, of zeros at first, for no other purpose.
  func synchronizeHost(_ barrier: UnsafeMutableRawPointer) throws

  /// Prepares heartbeats and exchanges the first: sends to the next rank, receives from the previous one.
  func openHeartbeats(_ bytes: [UInt8], into received: inout [UInt8]) throws

  /// Sends a heartbeat to the next rank unless an earlier one is still on its way, and receives the latest of the
  /// previous rank. Never waits; any thread may call it.
  ///
  /// - Parameter bytes: nil only receives.
  func exchangeHeartbeats(_ bytes: [UInt8]?, into received: inout [UInt8]) -> (isSent: Bool, isReceived: Bool)

  /// Leaves the job; later calls do nothing.
  func finish() throws

  /// Ends every process of the job at once.
  func abort(code: Int32) -> Never
}

/// Memory that all ranks of a host see, at an address of its own on each.
struct SharedBlock {
  let start: UnsafeMutableRawPointer
  let bytes: Int
  /// What the transport calls it.
  let number: Int32
}

/// Why an operation failed, in the words of what carries it out.
struct TransportFailure: Error {
  let reason: String
}
