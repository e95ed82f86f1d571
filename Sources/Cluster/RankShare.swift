/// Which of `count` items a rank takes: contiguous ranges in rank order whose sizes differ by at most one.
///
/// The lower ranks take the larger shares; with more ranks than items the last ranks take nothing.
public enum RankShare {
  /// The items of `rank` among `size` ranks.
  ///
  /// - Precondition: `count >= 0` and `0 <= rank < size`.
  public static func range(of count: Int, rank: Int, size: Int) -> Range<Int> {
    precondition(count >= 0, "RankShare: \(count) items cannot be shared")
    precondition(size > 0 && (0..<size).contains(rank), "RankShare: there is no rank \(rank) among \(size)")
    let (least, larger) = count.quotientAndRemainder(dividingBy: size)
    let start = rank * least + min(rank, larger)
    return start..<start + least + (rank < larger ? 1 : 0)
  }

  /// The rank among `size` that takes `item` of `count`.
  ///
  /// - Precondition: `0 <= item < count` and `size > 0`.
  public static func owner(of item: Int, count: Int, size: Int) -> Int {
    precondition((0..<count).contains(item), "RankShare: there is no item \(item) among \(count)")
    precondition(size > 0, "RankShare: items cannot be shared among \(size) ranks")
    let (least, larger) = count.quotientAndRemainder(dividingBy: size)
    let inLargerShares = larger * (least + 1)
    return item < inLargerShares ? item / (least + 1) : larger + (item - inLargerShares) / least
  }
}
