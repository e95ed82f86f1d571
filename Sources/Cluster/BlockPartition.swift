/// Distributes `count` items over ranks in contiguous blocks, in rank order, whose sizes differ by at most one.
///
/// The lower ranks take the larger blocks; with more ranks than items the last ranks take nothing.
public enum BlockPartition {
  /// The items of `rank` among `size` ranks.
  ///
  /// - Precondition: `count >= 0` and `0 <= rank < size`.
  public static func range(of count: Int, rank: Int, size: Int) -> Range<Int> {
    precondition(count >= 0, "BlockPartition: \(count) items cannot be distributed")
    precondition(size > 0 && (0..<size).contains(rank), "BlockPartition: there is no rank \(rank) among \(size)")
    let (least, larger) = count.quotientAndRemainder(dividingBy: size)
    let start = rank * least + min(rank, larger)
    return start..<start + least + (rank < larger ? 1 : 0)
  }

  /// The rank among `size` that takes `item` of `count`.
  ///
  /// - Precondition: `0 <= item < count` and `size > 0`.
  public static func owner(of item: Int, count: Int, size: Int) -> Int {
    precondition((0..<count).contains(item), "BlockPartition: there is no item \(item) among \(count)")
    precondition(size > 0, "BlockPartition: items cannot be distributed over \(size) ranks")
    let (least, larger) = count.quotientAndRemainder(dividingBy: size)
    let inLargerBlocks = larger * (least + 1)
    return item < inLargerBlocks ? item / (least + 1) : larger + (item - inLargerBlocks) / least
  }
}
