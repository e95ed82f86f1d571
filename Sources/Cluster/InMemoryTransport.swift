internal import CMPI
import Foundation

/// Ranks that are threads of this process, for tests and for a job of one rank that needs no MPI.
///
/// An operation is carried out by the rank that comes last, while the others wait. Unlike MPI it refuses ranks that
/// make different calls, and a rank that has left fails the calls of the others, so that a mistake ends a test and does
/// not hang it.
final class InMemoryTransport: Transport {
  private let rank: Int
  private let job: InMemoryJob

  init(rank: Int, of job: InMemoryJob) {
    self.rank = rank
    self.job = job
  }

  func reduce(
    _ values: UnsafeMutableRawPointer, count: Int, element: ReducibleElement, operation: ReductionOperation
  ) throws {
    try job.meet(rank, .reduce(values, count, element, operation))
  }

  func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws { try job.meet(rank, .broadcast(bytes)) }

  func allGather(_ number: Int64, into all: UnsafeMutableBufferPointer<Int64>) throws {
    try job.meet(rank, .allGatherNumbers(number, all))
  }

  func gather(_ bytes: UnsafeRawBufferPointer, counts: [Int64], into all: UnsafeMutableRawBufferPointer) throws {
    try job.meet(rank, .gather(bytes, counts, all))
  }

  func allToAll(
    _ values: UnsafeMutablePointer<Float>?, sending: RankParts, into received: UnsafeMutablePointer<Float>?,
    receiving: RankParts
  ) throws {
    try job.meet(rank, .allToAll(values, sending, received, receiving))
  }

  func allGather(_ values: UnsafeMutablePointer<Float>?, parts: RankParts) throws {
    try job.meet(rank, .allGatherFloats(values, parts))
  }

  func barrier() throws { try job.meet(rank, .barrier) }

  func share(bytes: Int) throws -> SharedBlock? {
    try job.onHost(of: rank) { host, rankOnHost in
      guard host.sharedBlocks < job.mostSharedBlocks else { return nil }
      if rankOnHost == 0 { host.descriptor = shared_memory_create(Int64(bytes)) }
      try host.meet(rankOnHost, .barrier)
      // At an address of its own for each rank, as if these were processes.
      let start = shared_memory_map(host.descriptor, Int64(bytes))
      if rankOnHost == 0 { host.sharedBlocks += 1 }
      try host.meet(rankOnHost, .barrier)
      if rankOnHost == 0 { close(host.descriptor) }
      guard let start else { throw TransportFailure(reason: "there is no memory to share") }
      return SharedBlock(start: start, bytes: bytes, number: 0)
    }
  }

  func endSharing(_ block: SharedBlock) throws { shared_memory_unmap(block.start, Int64(block.bytes)) }

  func synchronizeHost(_ barrier: UnsafeMutableRawPointer) throws {
    try job.onHost(of: rank) { host, rankOnHost in try host.meet(rankOnHost, .barrier) }
  }

  func openHeartbeats(_ bytes: [UInt8], into received: inout [UInt8]) throws {
    _ = job.exchangeHeartbeats(rank, bytes, into: &received)
    try barrier()
    _ = job.exchangeHeartbeats(rank, nil, into: &received)
    // A second heartbeat must not overtake the first.
    try barrier()
  }

  func exchangeHeartbeats(_ bytes: [UInt8]?, into received: inout [UInt8]) -> (isSent: Bool, isReceived: Bool) {
    job.exchangeHeartbeats(rank, bytes, into: &received)
  }

  func finish() {}

  func abort(code: Int32) -> Never { _exit(code) }
}
