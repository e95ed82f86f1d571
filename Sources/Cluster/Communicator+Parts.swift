internal import CMPI

/// One contiguous part of a vector for each rank, in rank order; a part may be empty.
public struct RankParts: Sendable, Equatable {
  public let ranges: [Range<Int>]
  // As MPI wants them.
  let counts: [Int32]
  let starts: [Int32]

  /// - Precondition: no part reaches beyond 2^31 elements, which is what MPI can count.
  public init(_ ranges: [Range<Int>]) {
    self.ranges = ranges
    counts = ranges.map { Int32($0.count) }
    starts = ranges.map { Int32($0.lowerBound) }
  }
}

extension Communicator {
  /// Sends each rank its part of `values` and receives one from each.
  ///
  /// A pair of ranks must agree: what one sends to the other is as long as what the other expects; empty parts are no
  /// messages. A rank's part for itself is copied like any other, so leave it empty where it can be used in place.
  ///
  /// - Parameters:
  ///   - sending: for each rank its part of `values`.
  ///   - receiving: for each rank the part of `received` that its floats go to; these do not overlap.
  public func exchange(
    _ values: UnsafeMutableBufferPointer<Float>, sending: RankParts, into received: UnsafeMutableBufferPointer<Float>,
    receiving: RankParts
  ) throws {
    guard size > 1 else { return }
    try check(
      cmpi_exchange_floats(
        values.baseAddress, sending.counts, sending.starts, received.baseAddress, receiving.counts, receiving.starts)
    ) { "exchanging parts of \(values.count) values of Float among \(size) ranks" }
  }

  /// Completes a vector of which each rank holds its own part: afterwards all ranks hold all parts.
  public func share(_ values: UnsafeMutableBufferPointer<Float>, parts: RankParts) throws {
    guard size > 1 else { return }
    try check(cmpi_all_gather_floats(values.baseAddress, parts.counts, parts.starts)) {
      "collecting the parts of \(values.count) values of Float from \(size) ranks"
    }
  }
}
