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
