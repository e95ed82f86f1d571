internal import CMPI
import Foundation

/// Ranks that are processes which MPI has joined.
struct MPITransport: Transport {
  let ranksOnHost: Int

  func reduce(
    _ values: UnsafeMutableRawPointer, count: Int, element: ReducibleElement, operation: ReductionOperation
  ) throws {
    let elementCode =
      switch element {
      case .float: CMPI_FLOAT
      case .double: CMPI_DOUBLE
      case .int64: CMPI_INT64
      }
    let operationCode =
      switch operation {
      case .sum: CMPI_SUM
      case .maximum: CMPI_MAXIMUM
      case .minimum: CMPI_MINIMUM
      }
    try Self.check(cmpi_reduce(values, Int64(count), elementCode, operationCode))
  }

  func broadcast(_ bytes: UnsafeMutableRawBufferPointer) throws {
    try Self.check(cmpi_broadcast(bytes.baseAddress, Int64(bytes.count), 0))
  }

  func allGather(_ number: Int64, into all: UnsafeMutableBufferPointer<Int64>) throws {
    try Self.check(cmpi_all_gather_int64(number, all.baseAddress))
  }

  func gather(_ bytes: UnsafeRawBufferPointer, counts: [Int64], into all: UnsafeMutableRawBufferPointer) throws {
    try Self.check(cmpi_gather(bytes.baseAddress, counts, all.baseAddress, 0))
  }

  func allToAll(
    _ values: UnsafeMutablePointer<Float>?, sending: RankParts, into received: UnsafeMutablePointer<Float>?,
    receiving: RankParts
  ) throws {
    try Self.check(
      cmpi_all_to_all_floats(
        values, sending.counts, sending.starts, received, receiving.counts, receiving.starts))
  }

  func allGather(_ values: UnsafeMutablePointer<Float>?, parts: RankParts) throws {
    try Self.check(cmpi_all_gather_floats(values, parts.counts, parts.starts))
  }

  func barrier() throws { try Self.check(cmpi_barrier()) }

  func share(bytes: Int) throws -> SharedBlock? {
    var start: UnsafeMutableRawPointer?
    var window: Int32 = 0
    try Self.check(cmpi_share(Int64(bytes), &start, &window))
    return start.map { SharedBlock(start: $0, bytes: bytes, number: window) }
  }

  func endSharing(_ block: SharedBlock) throws { try Self.check(cmpi_end_sharing(block.number)) }

  func synchronizeHost(_ barrier: UnsafeMutableRawPointer) throws {
    shared_barrier_wait(
      barrier.assumingMemoryBound(to: shared_barrier.self), UInt32(ranksOnHost), Self.spins(ranks: ranksOnHost))
  }

  /// How often a rank looks for the others before it sleeps: about as long as waking up takes, but not where others
  /// need its core.
  private static func spins(ranks: Int) -> Int32 { ranks > processors ? 0 : 4000 }

  private static let processors = sysconf(Int32(_SC_NPROCESSORS_ONLN))

  func openHeartbeats(_ bytes: [UInt8], into received: inout [UInt8]) throws {
    try Self.check(cmpi_open_heartbeats(bytes, &received))
  }

  func exchangeHeartbeats(_ bytes: [UInt8]?, into received: inout [UInt8]) -> (isSent: Bool, isReceived: Bool) {
    var isSent = false, isReceived = false
    _ = cmpi_exchange_heartbeats(bytes, &received, &isSent, &isReceived)
    return (isSent, isReceived)
  }

  func finish() throws { try Self.check(cmpi_finish()) }

  func abort(code: Int32) -> Never { cmpi_abort(code) }

  /// Turns a status of MPI that is not 0 into an error.
  static func check(_ status: Int32) throws {
    guard status != 0 else { return }
    throw TransportFailure(reason: text { cmpi_error_text(status, $0, $1) })
  }

  /// A text that C writes into a buffer.
  static func text(_ write: (UnsafeMutablePointer<CChar>, Int32) -> Void) -> String {
    var buffer = [CChar](repeating: 0, count: 1024)
    write(&buffer, Int32(buffer.count))
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
